/* signed_link.c: see signed_link.h. */
#include "core/signed_link.h"

#include "core/base64.h"
#include "core/check.h"
#include "core/digest.h"

#include <string.h>

enum { EXPIRES_DIGITS_MAX = 12 }; /* of the year 33658 */

struct span signed_link_key(struct span text)
{
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    return text;
}

void signed_link_sign(struct span key, struct span expires, struct span path,
                      char ret_text[SIGNED_TEXT_LEN])
{
    const struct span pieces[] = { expires, SPAN_LIT(" "), path };
    uint8_t digest[DIGEST_HMAC_SIZE];
    char text[BASE64_LEN(DIGEST_HMAC_SIZE)];

    digest_hmac(key, pieces, ARRAY_LEN(pieces), digest);
    base64_encode_url(digest, sizeof(digest), text);
    memcpy(ret_text, text, SIGNED_TEXT_LEN);
}

/* The value of the parameter in a query; 1: there is one, 0: none, -1: several. */
static int find_parameter(struct span query, struct span name, struct span *ret_value)
{
    int found = 0;

    while (query.len > 0) {
        struct span part = span_make(query.ptr + 1, query.len - 1); /* '?' or '&' */
        const char *end = part.len > 0 ? memchr(part.ptr, '&', part.len) : NULL;

        if (end != NULL)
            part.len = (size_t)(end - part.ptr);
        query = span_make(part.ptr + part.len, query.len - 1 - part.len);
        if (part.len <= name.len || part.ptr[name.len] != '=' ||
            memcmp(part.ptr, name.ptr, name.len) != 0)
            continue;
        if (found++ > 0)
            return -1;
        *ret_value = span_make(part.ptr + name.len + 1, part.len - name.len - 1);
    }
    return found;
}

/* Seconds since 1970; -1: it is no such number. */
static int64_t parse_time(struct span text)
{
    int64_t time = 0;

    if (text.len == 0 || text.len > EXPIRES_DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        time = 10 * time + (text.ptr[i] - '0');
    }
    return time;
}

enum signed_verdict signed_link_judge(const struct span *keys, size_t count, struct span path,
                                      struct span query, int64_t now_s)
{
    struct span expires, signature;
    bool good = false;

    if (find_parameter(query, SPAN_LIT("expires"), &expires) != 1 ||
        find_parameter(query, SPAN_LIT("signature"), &signature) != 1)
        return SIGNED_BAD;
    int64_t until_s = parse_time(expires);
    if (until_s < 0 || signature.len != SIGNED_TEXT_LEN)
        return SIGNED_BAD;
    for (size_t i = 0; i < count; i++) {
        char text[SIGNED_TEXT_LEN];

        signed_link_sign(keys[i], expires, path, text);
        good |= digest_equal(text, signature.ptr, sizeof(text));
    }
    if (!good)
        return SIGNED_BAD;
    return now_s > until_s ? SIGNED_EXPIRED : SIGNED_GOOD;
}
