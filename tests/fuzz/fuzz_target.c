/* fuzz_target.c: request-targets and authorities. The first octet chooses the authority form.
 *
 * Whatever comes in, what goes on to the files is a clean path below "/", and asking for it again
 * leads to the same path. */
#include "http/target.h"

#include "core/check.h"
#include "core/uri_encode.h"
#include "core/uri_octet.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct span inner, const char *start, size_t len)
{
    return inner.ptr >= start && inner.len <= len && inner.ptr + inner.len <= start + len;
}

/* Begins with '/', and has no segment that is empty or of dots. */
static void check_path(struct span path, bool trailing_slash)
{
    size_t start = 1;

    CHECK(path.len >= 1 && path.len < HTTP_PATH_MAX && path.ptr[0] == '/');
    CHECK(trailing_slash == (path.ptr[path.len - 1] == '/'));
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') {
            CHECK(path.ptr[i] != '\0');
            continue;
        }
        struct span segment = span_make(path.ptr + start, i - start);
        CHECK(segment.len > 0 || i == path.len);
        CHECK(!span_eq(segment, SPAN_LIT(".")) && !span_eq(segment, SPAN_LIT("..")));
        start = i + 1;
    }
}

/* Encoded, it is a target that leads to itself. */
static void check_round_trip(struct span path)
{
    static char encoded[3 * HTTP_PATH_MAX], decoded[HTTP_PATH_MAX];
    long len = uri_path_encode(path, encoded, sizeof(encoded));
    struct http_target target;

    CHECK(len >= (long)path.len);
    CHECK(http_target_parse(span_make(encoded, (size_t)len), false, decoded, &target) == 0);
    CHECK(span_eq(target.path, path) && target.query.len == 0);
    CHECK(uri_path_encode(path, encoded, (size_t)len - 1) < 0);
}

/* Fit for a field: visible US-ASCII, and the same query to whoever decodes it. */
static void check_query(struct span query)
{
    static char encoded[3 * HTTP_PATH_MAX];
    long len = uri_query_encode(query, encoded, sizeof(encoded));

    if (len < 0)
        return;
    size_t at = 0;
    for (size_t i = 0; i < (size_t)len; i++) {
        CHECK(encoded[i] > ' ' && encoded[i] < 0x7f);
        if (encoded[i] == query.ptr[at]) {
            at++;
            continue;
        }
        int octet = uri_escape_octet(encoded + i, encoded + len);
        CHECK((char)octet == query.ptr[at++]);
        i += 2;
    }
    CHECK(at == query.len);
}

static void check_authority(struct span value)
{
    struct span host;

    if (!http_authority_parse(value, &host))
        return;
    CHECK(host.len <= value.len && host.ptr == value.ptr);
    CHECK(host.len > 0 && host.ptr[0] != '.');
    CHECK(host.ptr[0] == '[' || memmem(host.ptr, host.len, "..", 2) == NULL);
    for (size_t i = 0; i < host.len; i++)
        CHECK(host.ptr[i] > ' ' && host.ptr[i] < 0x7f &&
              memchr("/?#@\\\"<>{}|^`", host.ptr[i], 13) == NULL);
    for (size_t i = host.len + 1; i < value.len; i++)
        CHECK(value.ptr[i] >= '0' && value.ptr[i] <= '9');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char decoded[HTTP_PATH_MAX];
    struct http_target target;

    if (size < 1)
        return 0;

    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    bool is_connect = data[0] == 'C';

    check_authority(span_make(text, len));
    decoded[0] = '!';
    int status = http_target_parse(span_make(text, len), is_connect, decoded, &target);
    if (status != 0) {
        CHECK(status == 400 || status == 404);
        return 0;
    }
    CHECK((target.form == HTTP_TARGET_AUTHORITY) == is_connect);
    if (target.form == HTTP_TARGET_AUTHORITY || target.form == HTTP_TARGET_ASTERISK)
        return 0;
    CHECK((target.form == HTTP_TARGET_ABSOLUTE) == (target.authority.len > 0));
    CHECK(is_within(target.raw_path, text, len) && is_within(target.query, text, len));
    CHECK(target.query.ptr == target.raw_path.ptr + target.raw_path.len);
    CHECK(target.query.ptr + target.query.len == text + len);
    CHECK(target.query.len == 0 || target.query.ptr[0] == '?');
    check_path(target.path, target.trailing_slash);
    check_round_trip(target.path);
    check_query(target.query);
    if (target.path.ptr == decoded)
        CHECK(!span_eq(target.path, target.raw_path));
    else
        CHECK(decoded[0] == '!' && target.path.ptr == target.raw_path.ptr);
    return 0;
}
