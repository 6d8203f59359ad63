/* fuzz_authorization.c: arbitrary octets as what a request says of who may: the first chooses
 * which, an Authorization field, the query of a signed link, or a Referer field. */
#include "core/base64.h"
#include "core/check.h"
#include "core/signed_link.h"
#include "http/authorization.h"
#include "http/referer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void credentials(struct span value)
{
    struct http_credentials c;

    if (!http_authorization_parse(value, &c))
        return;
    CHECK(c.name.ptr == c.text && c.name.len <= HTPASSWD_NAME_MAX);
    CHECK(memchr(c.name.ptr, ':', c.name.len) == NULL);
    CHECK(c.password == c.name.ptr + c.name.len + 1 && strlen(c.password) < PASSWORD_SIZE);
    for (const char *at = c.text; *at != '\0'; at++)
        CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
    http_credentials_wipe(&c);
}

/* Whatever else stands in a query, it is good when a signature that is good is added to it, unless
 * it has one, or a time, of its own. */
static void query(struct span text)
{
    static const struct span key = SPAN_LIT("0123456789abcdef"), path = SPAN_LIT("/a");
    static const char more[] = "&expires=1000&signature=";
    char whole[1024] = "?";

    CHECK(signed_link_judge(&key, 1, path, text, 0) == SIGNED_BAD);
    if (text.len > 500)
        return;
    memcpy(whole + 1, text.ptr, text.len);
    size_t len = 1 + text.len;
    memcpy(whole + len, more, sizeof(more));
    len += sizeof(more) - 1;
    signed_link_sign(key, SPAN_LIT("1000"), path, whole + len);
    len += SIGNED_TEXT_LEN;
    enum signed_verdict verdict = signed_link_judge(&key, 1, path, span_make(whole, len), 1000);
    bool own = memmem(text.ptr, text.len, "expires", 7) != NULL ||
               memmem(text.ptr, text.len, "signature", 9) != NULL;
    CHECK(verdict == SIGNED_GOOD || (verdict == SIGNED_BAD && own));
}

static void referer(struct span url)
{
    struct span host = http_referer_host(url);

    if (host.len == 0)
        return;
    CHECK(host.ptr > url.ptr && host.ptr + host.len <= url.ptr + url.len);
    for (size_t i = 0; i < host.len; i++)
        CHECK(strchr("/?#@\\", host.ptr[i]) == NULL || host.ptr[i] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct span text = { (const char *)data + 1, size - 1 };
    if (data[0] % 3 == 0)
        credentials(text);
    else if (data[0] % 3 == 1)
        query(text);
    else
        referer(text);
    return 0;
}
