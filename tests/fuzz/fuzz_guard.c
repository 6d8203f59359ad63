/* fuzz_guard.c: a request head under arbitrary octets. The first octet of the input chooses the
 * limits and how the rest is chopped. The guard must say the same, whole or chopped, as a naive
 * checker written from RFC 9112 alone; and what the guard passes, http_request_parse() must judge
 * as naive rules do, so that llhttp neither lets pass what is bad nor refuses what is legal. With
 * the memo of heads in front of them, they must say what they say without. Sixteen octets at once
 * are what they are one by one. */
#include "core/check.h"
#include "config/config_keys.h"
#include "http/authority.h"
#include "http/guard.h"
#include "http/head_memo.h"
#include "http/octet_block.h"
#include "http/request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS_MAX = 20, STATUS_OPEN = -1 };

static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct verdict {
    enum http_guard_result result;
    size_t len;
    int status;
};

/* What the naive checker finds in a head that it passes. */
struct naive_head {
    struct span method, target;
    int minor;
    struct span names[FIELDS_MAX], values[FIELDS_MAX];
    size_t fields;
};

static bool is_tchar(char octet)
{
    return octet != '\0' && strchr(tchars, octet) != NULL;
}

static struct verdict refused(int status)
{
    return (struct verdict){ HTTP_GUARD_REFUSED, 0, status };
}

static const struct verdict more = { HTTP_GUARD_MORE, 0, 0 };

/* "METHOD SP target SP HTTP/d.d" without CRLF. Returns 0, 400 or 505. */
static int naive_request_line(struct span line, struct naive_head *head)
{
    size_t spaces[3], count = 0;
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == ' ' && count < 3)
            spaces[count++] = i;
    if (count != 2 || spaces[0] == 0 || spaces[1] == spaces[0] + 1)
        return 400;
    for (size_t i = 0; i < spaces[0]; i++)
        if (!is_tchar(line.ptr[i]))
            return 400;
    struct span version = span_make(line.ptr + spaces[1] + 1, line.len - spaces[1] - 1);
    if (version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0 || version.ptr[6] != '.')
        return 400;
    if (strchr("0123456789", version.ptr[5]) == NULL ||
        strchr("0123456789", version.ptr[7]) == NULL)
        return 400;
    head->method = span_make(line.ptr, spaces[0]);
    head->target = span_make(line.ptr + spaces[0] + 1, spaces[1] - spaces[0] - 1);
    head->minor = version.ptr[7] - '0';
    return version.ptr[5] == '1' ? 0 : 505;
}

/* A line that is one octet longer than it may be: whose fault is that? */
static int naive_long_line(struct span line)
{
    size_t method = 0;
    while (method < line.len && line.ptr[method] != ' ')
        if (!is_tchar(line.ptr[method++]))
            return 400;
    return method == 0 ? 400 : method > 32 ? 501 : 414;
}

/* One octet after the other, with nothing kept but where a line began. */
static struct verdict naive_scan(const char *data, size_t len, const struct http_limits *limits,
                                 struct naive_head *head)
{
    size_t at = 0;
    for (unsigned empty = 0; at < len && data[at] == '\r'; empty++, at += 2) {
        if (at + 1 == len)
            return more;
        if (data[at + 1] != '\n' || empty == 4)
            return refused(400);
    }
    size_t line = at, fields_start = 0, colon = 0;
    for (bool in_fields = false;; at++) {
        if (at == len)
            return more;
        if (data[at] == '\r') {
            if (in_fields && at > line && colon == 0)
                return refused(400);
            if (at + 1 == len)
                return more;
            if (data[at + 1] != '\n')
                return refused(400);
            struct span text = span_make(data + line, at - line);
            if (in_fields && text.len == 0)
                return (struct verdict){ HTTP_GUARD_DONE, at + 2, 0 };
            if (!in_fields) {
                int status = naive_request_line(text, head);
                if (status != 0)
                    return refused(status);
                fields_start = at + 2;
            } else {
                head->names[head->fields] = span_make(data + line, colon - line);
                head->values[head->fields++] = span_make(data + colon + 1, at - colon - 1);
            }
            in_fields = true;
            colon = 0;
            line = at + 2;
            at++;
            continue;
        }
        unsigned char octet = (unsigned char)data[at];
        if (!in_fields) {
            if (octet < 0x20 || octet == 0x7f)
                return refused(400);
            if (at + 1 - line > limits->request_line_max)
                return refused(naive_long_line(span_make(data + line, at + 1 - line)));
            continue;
        }
        if (at == line && head->fields == limits->fields_max)
            return refused(431);
        if (colon == 0 && octet == ':' && at > line)
            colon = at;
        else if (colon == 0 ? !is_tchar((char)octet)
                            : octet == 0x7f || (octet < 0x20 && octet != '\t'))
            return refused(400);
        if (at + 1 - line > limits->field_max || at + 1 - fields_start > limits->head_max)
            return refused(431);
    }
}

static bool naive_is(struct span name, const char *text)
{
    return span_caseeq(name, span_str(text));
}

/* How many lines of that name; *ret_value is the trimmed value of the first. */
static size_t naive_count(const struct naive_head *head, const char *name, struct span *ret_value)
{
    size_t count = 0;
    for (size_t i = 0; i < head->fields; i++)
        if (naive_is(head->names[i], name) && count++ == 0)
            *ret_value = span_trim(head->values[i]);
    return count;
}

/* 0 or 400; STATUS_OPEN: of a form that target.c refuses if llhttp does not. */
static int naive_target(const struct naive_head *head)
{
    struct span target = head->target, host;
    if (memchr(target.ptr, '#', target.len) != NULL)
        return STATUS_OPEN;
    if (span_eq(head->method, SPAN_LIT("CONNECT")))
        return http_authority_parse(target, &host) && target.ptr[0] != '%' ? 0 : STATUS_OPEN;
    if (target.ptr[0] == '/')
        return 0;
    if (span_eq(target, SPAN_LIT("*")))
        return span_eq(head->method, SPAN_LIT("OPTIONS")) ? 0 : STATUS_OPEN;
    size_t scheme = target.len > 7 && naive_is(span_make(target.ptr, 7), "http://")    ? 7
                    : target.len > 8 && naive_is(span_make(target.ptr, 8), "https://") ? 8
                                                                                       : 0;
    if (scheme == 0)
        return 400;
    size_t end = scheme;
    while (end < target.len && target.ptr[end] != '/' && target.ptr[end] != '?')
        end++;
    struct span authority = span_make(target.ptr + scheme, end - scheme);
    return http_authority_parse(authority, &host) ? 0 : 400;
}

/* What http_request_parse() must say of a head that the guard passes; the order of HTTP.md. */
static int naive_judge(const struct naive_head *head, const struct http_limits *limits,
                       uint64_t *ret_length, bool *ret_chunked)
{
    struct span value = { "", 0 }, host;
    int target = naive_target(head);
    if (target == 400)
        return 400;
    size_t hosts = naive_count(head, "host", &value);
    if (hosts > 1 || (hosts == 0 && head->minor > 0) ||
        (hosts == 1 && !http_authority_parse(value, &host)))
        return 400;

    size_t codings = naive_count(head, "transfer-encoding", &value);
    *ret_chunked = codings > 0;
    if (codings > 1 || (codings == 1 && (head->minor == 0 || !naive_is(value, "chunked"))))
        return 400;
    size_t lengths = naive_count(head, "content-length", &value);
    *ret_length = 0;
    if (lengths > 1 || (lengths == 1 && codings == 1))
        return 400;
    if (lengths == 1) {
        char digits[19] = "";
        if (value.len == 0 || value.len > 18)
            return 400;
        memcpy(digits, value.ptr, value.len);
        if (strspn(digits, "0123456789") != value.len || (digits[0] == '0' && value.len > 1))
            return 400;
        *ret_length = strtoull(digits, NULL, 10);
    }
    if (target == STATUS_OPEN)
        return STATUS_OPEN;
    for (size_t i = 0; i < head->fields && head->minor > 0; i++)
        if (naive_is(head->names[i], "expect") &&
            !naive_is(span_trim(head->values[i]), "100-continue"))
            return 417;
    return *ret_length > limits->body_max ? 413 : 0;
}

static bool naive_keeps_alive(const struct naive_head *head)
{
    bool keep = head->minor > 0, close = false;
    for (size_t i = 0; i < head->fields; i++) {
        struct span list = head->values[i];
        size_t start = 0;
        for (size_t end = 0; end <= list.len && naive_is(head->names[i], "connection"); end++) {
            if (end < list.len && list.ptr[end] != ',')
                continue;
            struct span option = span_trim(span_make(list.ptr + start, end - start));
            close |= naive_is(option, "close");
            keep |= naive_is(option, "keep-alive");
            start = end + 1;
        }
    }
    return keep && !close;
}

/* Every line of a field that http_request_field_next() walks, against the naive list. */
static void check_fields(const struct naive_head *head, const struct http_request *request)
{
    static const struct {
        const char *name;
        enum http_field field;
    } fields[] = {
        { "host", HTTP_FIELD_HOST },         { "connection", HTTP_FIELD_CONNECTION },
        { "range", HTTP_FIELD_RANGE },       { "accept-encoding", HTTP_FIELD_ACCEPT_ENCODING },
        { "if-match", HTTP_FIELD_IF_MATCH }, { "if-none-match", HTTP_FIELD_IF_NONE_MATCH },
    };
    for (size_t f = 0; f < ARRAY_LEN(fields); f++) {
        uint32_t cursor = 0;
        struct span value;
        for (size_t i = 0; i < head->fields; i++) {
            if (!naive_is(head->names[i], fields[f].name))
                continue;
            CHECK(http_request_field_next(request, fields[f].field, &cursor, &value));
            CHECK(span_eq(value, span_trim(head->values[i])));
        }
        CHECK(!http_request_field_next(request, fields[f].field, &cursor, &value));
    }
}

static void check_request(const char *data, size_t len, const struct naive_head *head,
                          const struct http_limits *limits)
{
    for (size_t i = 0; i < len; i++) {
        CHECK(data[i] != '\0');
        CHECK(data[i] != '\r' || data[i + 1] == '\n');
        CHECK(data[i] != '\n' || (i > 0 && data[i - 1] == '\r'));
    }
    struct http_request request;
    uint64_t length = 0;
    bool chunked = false;
    int status = http_request_parse(data, len, limits, &request);
    int expected = naive_judge(head, limits, &length, &chunked);
    CHECK(expected == STATUS_OPEN || status == expected);
    CHECK(request.head == data && request.head_len == len);
    CHECK(span_eq(http_request_slice(&request, request.target), head->target));
    if (status != 0)
        return;
    CHECK(request.version_minor == (head->minor > 0));
    CHECK((request.method == HTTP_GET) == span_eq(head->method, SPAN_LIT("GET")));
    CHECK((request.framing == HTTP_FRAMING_CHUNKED) == chunked);
    CHECK(request.content_length == length);
    CHECK(request.keep_alive == naive_keeps_alive(head));
    CHECK(!request.expect_continue || ((chunked || length > 0) && head->minor > 0));
    check_fields(head, &request);
}

/* Scans growing copies, so that a read beyond what has come is seen. */
static struct verdict chopped_scan(const char *data, size_t len, const struct http_limits *limits,
                                   uint32_t seed)
{
    struct http_guard guard;
    struct verdict v = more;
    http_guard_init(&guard);
    for (size_t n = 0; v.result == HTTP_GUARD_MORE;) {
        seed = seed * 1664525 + 1013904223;
        n += seed >> 28;
        n = n < len ? n : len;
        char *copy = malloc(n + 1);
        CHECK(copy != NULL);
        memcpy(copy + 1, data, n);
        v.result = http_guard_scan(&guard, copy + 1, n, limits, &v.len, &v.status);
        free(copy);
        if (n == len)
            break;
    }
    return v;
}

static bool same_slice(struct http_slice a, struct http_slice b)
{
    return a.off == b.off && a.len == b.len;
}

static void check_same(const struct http_request *a, const struct http_request *b)
{
    CHECK(a->head == b->head && a->head_len == b->head_len);
    CHECK(same_slice(a->request_line, b->request_line) && same_slice(a->target, b->target));
    CHECK(same_slice(a->authority, b->authority));
    for (size_t i = 0; i < HTTP_FIELD_COUNT; i++)
        CHECK(same_slice(a->fields[i], b->fields[i]));
    CHECK(a->present == b->present && a->repeated == b->repeated);
    CHECK(a->method == b->method && a->version_minor == b->version_minor);
    CHECK(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
    CHECK(a->framing == b->framing && a->content_length == b->content_length);
}

/* As the connection asks: the memo first. What it knows, the guard and the parser pass, and find
 * the same in it. */
static void ask_memo(struct http_head_memo *memo, const char *data, size_t len,
                     const struct http_limits *limits)
{
    struct http_request known, parsed;
    struct http_guard guard;
    struct verdict v = more;
    size_t known_len;
    bool is_known = http_head_memo_find(memo, data, len, limits, &known_len, &known);
    http_guard_init(&guard);
    v.result = http_guard_scan(&guard, data, len, limits, &v.len, &v.status);
    if (v.result == HTTP_GUARD_DONE)
        v.status = http_request_parse(data + guard.skipped, v.len - guard.skipped, limits, &parsed);
    bool passed = v.result == HTTP_GUARD_DONE && v.status == 0;
    if (is_known) {
        CHECK(passed && guard.skipped == 0 && v.len == known_len);
        check_same(&known, &parsed);
    } else if (passed) {
        http_head_memo_keep(memo, &parsed);
    }
}

/* The head twice, behind itself, cut, with other request lines, and with other octets. */
static void check_memo(const char *data, size_t len, const struct http_limits *limits,
                       uint32_t seed)
{
    static const char *const lines[] = { "GET / HTTP/1.1\r\n",     "HEAD /a?b=%20 HTTP/1.1\r\n",
                                         "GET /\x80 HTTP/1.1\r\n", "GET /a#b HTTP/1.1\r\n",
                                         "GET /a HTTP/1.0\r\n",    "OPTIONS /a HTTP/1.1\r\n" };
    const char *lf = memchr(data, '\n', len);
    const char *fields = lf != NULL ? lf + 1 : data;
    size_t fields_len = len - (size_t)(fields - data);
    struct http_head_memo *memo = http_head_memo_create();
    char *copy = malloc(2 * len + 64);
    CHECK(memo != NULL && copy != NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        size_t line_len = strlen(lines[i]);
        memcpy(copy, lines[i], line_len);
        memcpy(copy + line_len, fields, fields_len);
        for (int times = 0; times < 2; times++)
            ask_memo(memo, copy, line_len + fields_len, limits);
        memcpy(copy + line_len + fields_len, data, len);
        ask_memo(memo, copy, line_len + fields_len + len, limits);
    }
    memcpy(copy, data, len);
    for (int i = 0; i < 8 && len > 0; i++) {
        seed = seed * 1664525 + 1013904223;
        ask_memo(memo, copy, len, limits);
        ask_memo(memo, copy, seed % len, limits);
        copy[(seed >> 8) % len] ^= (char)(1 << (seed >> 28) % 8);
        ask_memo(memo, copy, len, limits);
        memcpy(copy, data, len);
    }
    free(copy);
    http_head_memo_destroy(memo);
}

static uint64_t end_of(const char *name, bool least)
{
    const struct config_key *key = config_key_find(name);
    return least ? key->min : key->max;
}

/* But for the number of fields: the naive checker has room for FIELDS_MAX. */
static void set_limits(struct http_limits *limits, bool least)
{
    limits->request_line_max = (uint32_t)end_of("request_line_max", least);
    limits->field_max = (uint32_t)end_of("header_field_max", least);
    limits->head_max = (uint32_t)end_of("header_max", least);
    limits->fields_max = least ? (uint32_t)end_of("header_count_max", least) : FIELDS_MAX;
    limits->body_max = end_of("body_max", least);
}

static void check_blocks(const char *data, size_t len)
{
#if defined(OCTET_BLOCK)
    for (size_t at = 0; at + OCTET_BLOCK <= len; at++) {
        CHECK(octet_block_line(data + at) == octet_block_stops(data + at, OCTET_RUN_LINE));
        CHECK(octet_block_value(data + at) == octet_block_stops(data + at, OCTET_RUN_VALUE));
        CHECK(octet_block_name(data + at) == octet_block_stops(data + at, OCTET_RUN_NAME));
        CHECK(octet_block_plain(data + at) == octet_block_stops(data + at, OCTET_RUN_PLAIN));
    }
#else
    (void)data;
    (void)len;
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    const char *input = (const char *)data + 1;
    size_t len = size - 1;
    bool small = data[0] & 1;
    struct http_limits limits = { .request_line_max = small ? 30 : 3000,
                                  .field_max = small ? 40 : 3000,
                                  .head_max = small ? 80 : 3000,
                                  .fields_max = small ? 4 : FIELDS_MAX,
                                  .body_max = small ? 10 : 1000 };
    if ((data[0] & 6) == 6) /* the ends of what may be set */
        set_limits(&limits, small);
    struct naive_head head = { .fields = 0 };
    struct verdict want = naive_scan(input, len, &limits, &head);

    struct http_guard guard;
    struct verdict whole = more;
    http_guard_init(&guard);
    whole.result = http_guard_scan(&guard, input, len, &limits, &whole.len, &whole.status);
    CHECK(whole.result == want.result && whole.len == want.len && whole.status == want.status);
    struct verdict chopped = chopped_scan(input, len, &limits, data[0]);
    CHECK(chopped.result == want.result && chopped.len == want.len &&
          chopped.status == want.status);
    if (whole.result == HTTP_GUARD_DONE)
        check_request(input + guard.skipped, whole.len - guard.skipped, &head, &limits);
    check_memo(input, len, &limits, data[0]);
    check_blocks(input, len);
    return 0;
}
