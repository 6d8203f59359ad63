/* request.c: see request.h. llhttp finds the spans; request_judge.c judges what they say. The only
 * file that includes llhttp.h, so that another parser could take its place. Called by the
 * connection once for every head that the guard has passed. */
#include "http/request.h"

#include "core/check.h"
#include "http/request_judge.h"

#include <string.h>

/* llhttp.h gives its methods the names of ours. */
#define HTTP_GET     LLHTTP_GET
#define HTTP_HEAD    LLHTTP_HEAD
#define HTTP_OPTIONS LLHTTP_OPTIONS
#define HTTP_CONNECT LLHTTP_CONNECT
#include <llhttp.h>
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_OPTIONS
#undef HTTP_CONNECT

/* As shipped, llhttp 8 is loose; which way it is compiled shows only in this macro, so whoever
 * compiles this file with it has compiled llhttp with it (cmake/Llhttp.cmake). */
#if LLHTTP_VERSION_MAJOR < 9 && LLHTTP_STRICT_MODE != 1
#error "compile llhttp and this file with -DLLHTTP_STRICT_MODE=1"
#endif

enum { VERSION_LEN = sizeof("HTTP/1.1") - 1 };

/* Lower case, in the order of enum http_field. */
static const struct span field_names[HTTP_FIELD_COUNT] = {
    [HTTP_FIELD_HOST] = { "host", 4 },
    [HTTP_FIELD_CONNECTION] = { "connection", 10 },
    [HTTP_FIELD_CONTENT_LENGTH] = { "content-length", 14 },
    [HTTP_FIELD_TRANSFER_ENCODING] = { "transfer-encoding", 17 },
    [HTTP_FIELD_EXPECT] = { "expect", 6 },
    [HTTP_FIELD_RANGE] = { "range", 5 },
    [HTTP_FIELD_IF_RANGE] = { "if-range", 8 },
    [HTTP_FIELD_IF_MATCH] = { "if-match", 8 },
    [HTTP_FIELD_IF_NONE_MATCH] = { "if-none-match", 13 },
    [HTTP_FIELD_IF_MODIFIED_SINCE] = { "if-modified-since", 17 },
    [HTTP_FIELD_IF_UNMODIFIED_SINCE] = { "if-unmodified-since", 19 },
    [HTTP_FIELD_ACCEPT] = { "accept", 6 },
    [HTTP_FIELD_ACCEPT_ENCODING] = { "accept-encoding", 15 },
    [HTTP_FIELD_REFERER] = { "referer", 7 },
    [HTTP_FIELD_USER_AGENT] = { "user-agent", 10 },
    [HTTP_FIELD_FORWARDED] = { "forwarded", 9 },
    [HTTP_FIELD_X_FORWARDED_FOR] = { "x-forwarded-for", 15 },
    [HTTP_FIELD_X_REAL_IP] = { "x-real-ip", 9 },
    [HTTP_FIELD_ORIGIN] = { "origin", 6 },
    [HTTP_FIELD_AVAILABLE_DICTIONARY] = { "available-dictionary", 20 },
};

/* Methods answered 405: those of IANA's registry that a server of files does not perform. PRI is
 * left out, since it is reserved never to be used (RFC 9113 section 3.4). */
static const char *const known_methods[] = {
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "ACL",
    "BIND",
    "REBIND",
    "UNBIND",
    "CHECKIN",
    "CHECKOUT",
    "LABEL",
    "LINK",
    "UNLINK",
    "MERGE",
    "MKACTIVITY",
    "REPORT",
    "SEARCH",
    "MKCALENDAR",
    "UPDATE",
    "MKREDIRECTREF",
    "UNCHECKOUT",
    "MKWORKSPACE",
    "ORDERPATCH",
    "UPDATEREDIRECTREF",
    "BASELINE-CONTROL",
    "VERSION-CONTROL",
};

/* What the callbacks share. */
struct parse {
    struct http_request *request;
    struct span name;         /* of a field line whose value has not begun; else empty */
    struct http_slice *value; /* where the value being reported goes; NULL: nowhere */
    struct http_slice target; /* as llhttp sees it */
    bool complete;            /* llhttp has seen the end of the head */
};

static uint32_t offset_in_head(const struct http_request *request, const char *at, size_t len)
{
    CHECK(at >= request->head && at + len <= request->head + request->head_len);
    return (uint32_t)(at - request->head);
}

/* Do 8 or 4 octets of a token differ from those of a name in lower case? Tokens hold no octet but a
 * capital that the bit 0x20 turns into a letter, and '-' has that bit: one OR folds case. */
static inline uint64_t differ_8(const char *at, const char *lower)
{
    uint64_t a, b;
    memcpy(&a, at, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a | 0x2020202020202020U) ^ b;
}

static inline uint32_t differ_4(const char *at, const char *lower)
{
    uint32_t a, b;
    memcpy(&a, at, sizeof(a));
    memcpy(&b, lower, sizeof(b));
    return (a | 0x20202020U) ^ b;
}

/* `field` if the token at `at`, of the length of its name, is its name, else COUNT. The last word
 * overlaps the one before. Inlined with a constant `field`. */
static inline __attribute__((always_inline)) enum http_field field_if(const char *at,
                                                                      enum http_field field)
{
    const char *lower = field_names[field].ptr;
    size_t len = field_names[field].len;
    uint64_t differ;
    if (len < 8) {
        differ = differ_4(at, lower) | differ_4(at + len - 4, lower + len - 4);
    } else {
        differ = differ_8(at, lower) | differ_8(at + len - 8, lower + len - 8);
        if (len > 16)
            differ |= differ_8(at + 8, lower + 8);
    }
    return differ == 0 ? field : HTTP_FIELD_COUNT;
}

/* Which field is it? Looks at the length and one octet before it compares. */
static enum http_field field_find(struct span name)
{
    const char *at = name.ptr;
    switch (name.len) {
    case 4:
        return field_if(at, HTTP_FIELD_HOST);
    case 5:
        return field_if(at, HTTP_FIELD_RANGE);
    case 6:
        return (at[0] | 0x20) == 'a'   ? field_if(at, HTTP_FIELD_ACCEPT)
               : (at[0] | 0x20) == 'o' ? field_if(at, HTTP_FIELD_ORIGIN)
                                       : field_if(at, HTTP_FIELD_EXPECT);
    case 7:
        return field_if(at, HTTP_FIELD_REFERER);
    case 8:
        return (at[3] | 0x20) == 'm' ? field_if(at, HTTP_FIELD_IF_MATCH)
                                     : field_if(at, HTTP_FIELD_IF_RANGE);
    case 9:
        return (at[0] | 0x20) == 'f' ? field_if(at, HTTP_FIELD_FORWARDED)
                                     : field_if(at, HTTP_FIELD_X_REAL_IP);
    case 10:
        return (at[0] | 0x20) == 'u' ? field_if(at, HTTP_FIELD_USER_AGENT)
                                     : field_if(at, HTTP_FIELD_CONNECTION);
    case 13:
        return field_if(at, HTTP_FIELD_IF_NONE_MATCH);
    case 14:
        return field_if(at, HTTP_FIELD_CONTENT_LENGTH);
    case 15:
        return (at[0] | 0x20) == 'a' ? field_if(at, HTTP_FIELD_ACCEPT_ENCODING)
                                     : field_if(at, HTTP_FIELD_X_FORWARDED_FOR);
    case 17:
        return (at[0] | 0x20) == 't' ? field_if(at, HTTP_FIELD_TRANSFER_ENCODING)
                                     : field_if(at, HTTP_FIELD_IF_MODIFIED_SINCE);
    case 19:
        return field_if(at, HTTP_FIELD_IF_UNMODIFIED_SINCE);
    case 20:
        return field_if(at, HTTP_FIELD_AVAILABLE_DICTIONARY);
    default:
        return HTTP_FIELD_COUNT;
    }
}

/* Adds octets that llhttp reports to what it has reported of the same part before. */
static void slice_extend(const struct http_request *request, struct http_slice *slice,
                         const char *at, size_t len)
{
    uint32_t off = offset_in_head(request, at, len);
    if (slice->len == 0)
        slice->off = off;
    CHECK(off == slice->off + slice->len);
    slice->len += (uint32_t)len;
}

/* The name of a field line is whole: notes the field, if it is one that means something. */
static void name_done(struct parse *parse)
{
    struct http_request *request = parse->request;
    struct span name = parse->name;
    enum http_field field = field_find(name);
    parse->name.len = 0;
    parse->value = NULL;
    if (field == HTTP_FIELD_COUNT)
        return;
    uint32_t bit = 1U << field;
    if (request->present & bit) {
        request->repeated |= bit;
        return;
    }
    request->present |= bit;
    parse->value = &request->fields[field];
    parse->value->off = offset_in_head(request, name.ptr, name.len) + (uint32_t)name.len;
}

/* What stands for a raw octet of a target in front of llhttp; see feed_target(). */
static const char stand_in[] = "x";

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct parse *parse = parser->data;
    if (at == stand_in)
        parse->target.len += (uint32_t)len;
    else if (len > 0)
        slice_extend(parse->request, &parse->target, at, len);
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    struct parse *parse = parser->data;
    if (len == 0)
        return 0;
    if (parse->name.len == 0) {
        parse->name = span_make(at, len);
    } else if (at == parse->name.ptr + parse->name.len) {
        parse->name.len += len;
    } else { /* the last line had no value at all */
        name_done(parse);
        parse->name = span_make(at, len);
    }
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    struct parse *parse = parser->data;
    if (parse->name.len > 0)
        name_done(parse);
    if (parse->value != NULL && len > 0)
        slice_extend(parse->request, parse->value, at, len);
    return 0;
}

/* Stops llhttp here: the body is body.c's, and what follows belongs to the next request, whatever
 * an Upgrade field says. */
static int on_headers_complete(llhttp_t *parser)
{
    struct parse *parse = parser->data;
    if (parse->name.len > 0)
        name_done(parse);
    parse->complete = true;
    parser->upgrade = 0;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

static void parse_begin(llhttp_t *parser, struct parse *parse)
{
    struct http_request *request = parse->request;
    *parse = (struct parse){ .request = request };
    memset(request->fields, 0, sizeof(request->fields));
    request->present = request->repeated = 0;
    llhttp_init(parser, HTTP_REQUEST, &settings);
    parser->data = parse;
}

/* Has llhttp, stopped at `end`, seen the same target and the same end of the head as the guard? */
static bool parse_agrees(const llhttp_t *parser, const struct parse *parse, const char *end)
{
    const struct http_slice *target = &parse->request->target;
    return parse->complete && llhttp_get_error_pos(parser) == end &&
           parse->target.off == target->off && parse->target.len == target->len;
}

/* The head as it was sent. */
static bool parse_as_sent(struct parse *parse)
{
    llhttp_t parser;
    const struct http_request *request = parse->request;
    parse_begin(&parser, parse);
    return llhttp_execute(&parser, request->head, request->head_len) == HPE_PAUSED &&
           parse_agrees(&parser, parse, request->head + request->head_len);
}

/* Hands llhttp a target and the SP behind it, with a letter in the place of each octet from 80 on:
 * strict as it is, it knows none. They can stand in a path or a query only, which target.c judges,
 * so never in front, and never where a host is told. */
static bool feed_target(llhttp_t *parser, const char *target, size_t len, bool is_connect)
{
    const char *at = target, *end = target + len + 1;
    while (at < end) {
        const char *run = at;
        while (at < end && (unsigned char)*at < 0x80)
            at++;
        if (at > run && llhttp_execute(parser, run, (size_t)(at - run)) != HPE_OK)
            return false;
        for (; at < end && (unsigned char)*at >= 0x80; at++)
            if (at == target || is_connect || llhttp_execute(parser, stand_in, 1) != HPE_OK)
                return false;
    }
    return true;
}

/* llhttp refuses some heads that are legal: with a method that it does not know (or knows from
 * RTSP), with octets from 80 on in the target, with a version of 1.2 or above, with HTAB behind the
 * value of Content-Length or Transfer-Encoding. This hands it the same head with those parts in
 * their plain spelling, in several pieces; spans still point into the original. What these parts
 * say is judged here, not by llhttp. */
static bool parse_plain(struct parse *parse)
{
    static const char line_end[] = "\r\n", get[] = "GET ", connect[] = "CONNECT ",
                      version[] = "HTTP/1.1\r\n";
    const struct http_request *request = parse->request;
    const char *head = request->head, *end = head + request->head_len - 2;
    bool is_connect = request->method == HTTP_CONNECT;
    llhttp_t parser;
    parse_begin(&parser, parse);
    bool passed =
        llhttp_execute(&parser, is_connect ? connect : get,
                       is_connect ? sizeof(connect) - 1 : sizeof(get) - 1) == HPE_OK &&
        feed_target(&parser, head + request->target.off, request->target.len, is_connect) &&
        llhttp_execute(&parser, version, sizeof(version) - 1) == HPE_OK;
    const char *line = head + request->request_line.len + 2;
    while (passed && line < end) {
        const char *lf = memchr(line, '\n', (size_t)(end - line));
        CHECK(lf != NULL);
        const char *text_end = lf - 1;
        while (text_end[-1] == ' ' || text_end[-1] == '\t')
            text_end--;
        passed = llhttp_execute(&parser, line, (size_t)(text_end - line)) == HPE_OK &&
                 llhttp_execute(&parser, line_end, 2) == HPE_OK;
        line = lf + 1;
    }
    return passed && llhttp_execute(&parser, end, 2) == HPE_PAUSED &&
           parse_agrees(&parser, parse, end + 2);
}

static enum http_method method_find(const char *at, size_t len)
{
    struct span method = span_make(at, len);
    if (span_eq(method, SPAN_LIT("GET")))
        return HTTP_GET;
    if (span_eq(method, SPAN_LIT("HEAD")))
        return HTTP_HEAD;
    if (span_eq(method, SPAN_LIT("OPTIONS")))
        return HTTP_OPTIONS;
    if (span_eq(method, SPAN_LIT("CONNECT")))
        return HTTP_CONNECT;
    for (size_t i = 0; i < ARRAY_LEN(known_methods); i++)
        if (span_eq(method, span_str(known_methods[i])))
            return HTTP_METHOD_KNOWN;
    return HTTP_METHOD_UNKNOWN;
}

/* Takes the request line apart; the guard has judged its form. Returns 0 or 505. */
static int request_line_split(struct http_request *request)
{
    const char *head = request->head;
    const char *end = memchr(head, '\r', request->head_len);
    CHECK(end != NULL && end - head >= (ptrdiff_t)sizeof("M t HTTP/1.1") - 1);
    request->request_line = (struct http_slice){ 0, (uint32_t)(end - head) };
    const char *version = end - VERSION_LEN;
    const char *method_end = memchr(head, ' ', (size_t)(version - head));
    CHECK(method_end != NULL && method_end + 1 < version - 1);
    request->method = method_find(head, (size_t)(method_end - head));
    request->target = (struct http_slice){ (uint32_t)(method_end + 1 - head),
                                           (uint32_t)(version - 1 - (method_end + 1)) };
    request->version_minor = version[7] > '0';
    return version[5] == '1' ? 0 : 505;
}

int http_request_parse(const char *head, size_t len, const struct http_limits *limits,
                       struct http_request *ret_request)
{
    CHECK(len <= UINT32_MAX && len >= sizeof("M t HTTP/1.1\r\n\r\n") - 1);
    CHECK(memcmp(head + len - 4, "\r\n\r\n", 4) == 0);
    struct http_request *request = ret_request;
    *request = (struct http_request){ .head = head, .head_len = (uint32_t)len };
    int status = request_line_split(request);
    if (status != 0)
        return status;

    struct parse parse = { .request = request };
    if (!parse_as_sent(&parse) && !parse_plain(&parse))
        return 400;
    for (uint32_t left = request->present; left != 0; left &= left - 1) {
        struct http_slice *slice = &request->fields[__builtin_ctz(left)];
        struct span value = span_trim(http_request_slice(request, *slice));
        *slice = (struct http_slice){ (uint32_t)(value.ptr - head), (uint32_t)value.len };
    }

    return http_request_judge(request, limits);
}

static bool is_named(const char *line, struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char octet = line[i];
        if (octet >= 'A' && octet <= 'Z')
            octet = (char)(octet + ('a' - 'A'));
        if ((octet == '-' ? '_' : octet) != name.ptr[i])
            return false;
    }
    return line[name.len] == ':';
}

struct span http_request_named(const struct http_request *request, struct span name)
{
    const char *at = request->head;
    const char *end = at + request->head_len;

    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        if (lf == NULL)
            break;
        at = lf + 1; /* the request line is none of the fields */
        const char *line_end = at < end ? memchr(at, '\r', (size_t)(end - at)) : NULL;
        if (line_end != NULL && (size_t)(line_end - at) > name.len && is_named(at, name)) {
            at += name.len + 1;
            return span_trim(span_make(at, (size_t)(line_end - at)));
        }
    }
    return span_make("", 0);
}

bool http_request_field_next(const struct http_request *request, enum http_field field,
                             uint32_t *cursor, struct span *ret_value)
{
    const char *end = request->head + request->head_len - 2;
    if (*cursor == 0) {
        if (!http_request_has(request, field))
            return false;
        *ret_value = http_request_field(request, field);
        *cursor = request->repeated >> field & 1
                      ? request->fields[field].off + request->fields[field].len
                      : request->head_len;
        return true;
    }
    /* The cursor stands behind a value, in the same line; the next lines are looked at. */
    const char *at = request->head + *cursor;
    size_t name_len = field_names[field].len;
    while (at < end) {
        const char *line = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        if (line >= end)
            break;
        at = line;
        const char *line_end = memchr(line, '\r', (size_t)(end - line));
        if ((size_t)(line_end - line) <= name_len || line[name_len] != ':' ||
            field_find(span_make(line, name_len)) != field)
            continue;
        line += name_len + 1;
        *ret_value = span_trim(span_make(line, (size_t)(line_end - line)));
        *cursor = (uint32_t)(line_end - request->head);
        return true;
    }
    *cursor = request->head_len;
    return false;
}

#define VERSION_TEXT(major, minor, patch)  VERSION_TEXT_(major, minor, patch)
#define VERSION_TEXT_(major, minor, patch) "llhttp " #major "." #minor "." #patch

const char *http_parser_version(void)
{
    return VERSION_TEXT(LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
}
