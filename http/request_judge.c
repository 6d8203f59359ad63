/* request_judge.c: see request_judge.h. One function a field, each with the RFC section that rules
 * it; they are called in the order of HTTP.md "Reading a request", numbers 5 to 8. */
#include "http/request_judge.h"

#include "core/check.h"
#include "http/authority.h"

#include <string.h>
#include <strings.h>

enum { CONTENT_LENGTH_DIGITS_MAX = 18 };

/* Host, and the form of the target as far as it decides which host is meant (RFC 9112 section 3.2).
 * Returns 0 or 400. */
static int judge_host(struct http_request *request)
{
    bool has_host = http_request_has(request, HTTP_FIELD_HOST);
    struct span host = { NULL, 0 }, authority;
    if (request->repeated >> HTTP_FIELD_HOST & 1 || (!has_host && request->version_minor > 0))
        return 400;
    if (has_host && !http_authority_parse(http_request_field(request, HTTP_FIELD_HOST), &host))
        return 400;
    struct span target = http_request_slice(request, request->target);
    if (target.ptr[0] != '/' && request->method != HTTP_CONNECT) {
        if (span_eq(target, SPAN_LIT("*"))) {
            if (request->method != HTTP_OPTIONS && request->method != HTTP_METHOD_UNKNOWN)
                return 400;
        } else if (!http_absolute_form_split(&target, &authority, &host)) {
            return 400;
        }
    }
    if (host.len > 0)
        request->authority =
            (struct http_slice){ (uint32_t)(host.ptr - request->head), (uint32_t)host.len };
    return 0;
}

/* Content-Length: digits only, no leading zero. */
static bool content_length_parse(struct span value, uint64_t *ret_length)
{
    if (value.len == 0 || value.len > CONTENT_LENGTH_DIGITS_MAX ||
        (value.ptr[0] == '0' && value.len > 1))
        return false;
    uint64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned digit = (unsigned)value.ptr[i] - '0';
        if (digit > 9)
            return false;
        length = length * 10 + digit;
    }
    *ret_length = length;
    return true;
}

/* How the body is framed (RFC 9112 section 6). Returns 0 or 400. */
static int judge_framing(struct http_request *request)
{
    const uint32_t length_bit = 1U << HTTP_FIELD_CONTENT_LENGTH,
                   coding_bit = 1U << HTTP_FIELD_TRANSFER_ENCODING;
    request->framing = HTTP_FRAMING_NONE;
    if ((request->present & (length_bit | coding_bit)) == 0)
        return 0;
    if (request->repeated & (length_bit | coding_bit))
        return 400;
    if (request->present & coding_bit) {
        struct span coding = http_request_field(request, HTTP_FIELD_TRANSFER_ENCODING);
        if (request->present & length_bit || request->version_minor == 0 ||
            !span_caseeq(coding, SPAN_LIT("chunked")))
            return 400;
        request->framing = HTTP_FRAMING_CHUNKED;
        return 0;
    }
    if (!content_length_parse(http_request_field(request, HTTP_FIELD_CONTENT_LENGTH),
                              &request->content_length))
        return 400;
    request->framing = HTTP_FRAMING_LENGTH;
    return 0;
}

/* Expect (RFC 9110 section 10.1.1): not looked at on HTTP/1.0. Returns 0 or 417. */
static int judge_expect(struct http_request *request)
{
    if (!http_request_has(request, HTTP_FIELD_EXPECT) || request->version_minor == 0)
        return 0;
    uint32_t cursor = 0;
    struct span value;
    while (http_request_field_next(request, HTTP_FIELD_EXPECT, &cursor, &value))
        if (!span_caseeq(value, SPAN_LIT("100-continue")))
            return 417;
    request->expect_continue =
        request->framing == HTTP_FRAMING_CHUNKED || request->content_length > 0;
    return 0;
}

/* Connection: close wins over keep-alive, wherever it stands (RFC 9112 section 9.3). */
static bool keeps_alive(const struct http_request *request)
{
    bool keep_alive = request->version_minor > 0;
    if (!http_request_has(request, HTTP_FIELD_CONNECTION))
        return keep_alive;
    uint32_t cursor = 0;
    struct span rest;
    while (http_request_field_next(request, HTTP_FIELD_CONNECTION, &cursor, &rest)) {
        while (rest.len > 0) {
            const char *comma = memchr(rest.ptr, ',', rest.len);
            size_t len = comma != NULL ? (size_t)(comma - rest.ptr) : rest.len;
            struct span option = span_trim(span_make(rest.ptr, len));
            if (span_caseeq(option, SPAN_LIT("close")))
                return false;
            if (span_caseeq(option, SPAN_LIT("keep-alive")))
                keep_alive = true;
            len += comma != NULL;
            rest = span_make(rest.ptr + len, rest.len - len);
        }
    }
    return keep_alive;
}

int http_request_judge(struct http_request *request, const struct http_limits *limits)
{
    int status = judge_host(request);
    if (status == 0)
        status = judge_framing(request);
    if (status == 0)
        status = judge_expect(request);
    if (status != 0)
        return status;
    if (request->content_length > limits->body_max)
        return 413;
    request->keep_alive = keeps_alive(request);
    return 0;
}
