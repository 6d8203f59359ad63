/* fuzz_etag.c: lists of entity tags. Input: the tag of the representation, LF, the list. */
#include "http/etag.h"

#include "core/check.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool matches_with(struct span before, struct span list, struct span after, struct span etag,
                         enum http_etag_compare how)
{
    size_t len = before.len + list.len + after.len;
    char *text = malloc(len + 1);
    bool matches;

    CHECK(text != NULL);
    memcpy(text, before.ptr, before.len);
    if (list.len > 0)
        memcpy(text + before.len, list.ptr, list.len);
    memcpy(text + before.len + list.len, after.ptr, after.len);
    matches = http_etag_list_matches(span_make(text, len), etag, how);
    free(text);
    return matches;
}

/* Whatever comes later in a list takes back no match; whatever well-formed stands before it hides
 * none. An asterisk is alone or nothing. */
static void check_list(struct span list, struct span etag, enum http_etag_compare how)
{
    if (!http_etag_list_matches(list, etag, how) || span_eq(span_trim(list), SPAN_LIT("*")))
        return;
    CHECK(etag.len > 0);
    CHECK(matches_with(SPAN_LIT(""), list, SPAN_LIT(" , \"other\""), etag, how));
    CHECK(matches_with(SPAN_LIT(""), list, SPAN_LIT(",garbage"), etag, how));
    CHECK(matches_with(SPAN_LIT(" ,\"a,b\"\t,, W/\"\" , "), list, SPAN_LIT(""), etag, how));
    CHECK(!matches_with(SPAN_LIT("garbage,"), list, SPAN_LIT(""), etag, how));
}

static bool is_tag(struct span text)
{
    bool weak = text.len >= 2 && text.ptr[0] == 'W' && text.ptr[1] == '/';
    struct span opaque = weak ? span_make(text.ptr + 2, text.len - 2) : text;

    if (opaque.len < 2 || opaque.ptr[0] != '"' || opaque.ptr[opaque.len - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < opaque.len; i++)
        if ((uint8_t)opaque.ptr[i] <= ' ' || opaque.ptr[i] == '"' || opaque.ptr[i] == 0x7f)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *lf = size > 0 ? memchr(text, '\n', size) : NULL;

    if (lf == NULL)
        return 0;

    struct span etag = span_make(text, (size_t)(lf - text));
    struct span list = span_make(lf + 1, size - etag.len - 1);
    bool weak = http_etag_list_matches(list, etag, HTTP_ETAG_WEAK);
    bool strong = http_etag_list_matches(list, etag, HTTP_ETAG_STRONG);

    CHECK(weak || !strong);
    check_list(list, etag, HTTP_ETAG_WEAK);
    check_list(list, etag, HTTP_ETAG_STRONG);
    if (is_tag(etag)) {
        CHECK(http_etag_list_matches(etag, etag, HTTP_ETAG_WEAK));
        CHECK(http_etag_list_matches(etag, etag, HTTP_ETAG_STRONG) == (etag.ptr[0] == '"'));
    }
    return 0;
}
