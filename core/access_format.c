/* access_format.c: see access_format.h. */
#include "core/access_format.h"

#include "core/check.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char combined[] = "$remote_addr - $remote_user [$time_local] \"$request\" $status "
                               "$body_bytes_sent \"$http_referer\" \"$http_user_agent\"";
static const char json[] =
    "escape=json {\"time\":\"$time_utc\",\"peer\":\"$remote_addr\",\"host\":\"$authority\","
    "\"request\":\"$request\",\"status\":$status,\"body_bytes\":$body_bytes_sent,"
    "\"duration_ms\":$request_time_ms,\"referer\":\"$http_referer\","
    "\"user_agent\":\"$http_user_agent\"}";

enum kind { NUMBER, NAME, SPAN };

static const struct variable {
    const char *name;
    uint8_t kind;
    uint8_t needs;
} variables[] = {
    [ACCESS_ARGS] = { "args", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_AUTHORITY] = { "authority", SPAN, 0 },
    [ACCESS_BODY_BYTES_SENT] = { "body_bytes_sent", NUMBER, 0 },
    [ACCESS_BYTES_SENT] = { "bytes_sent", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_CONNECTION] = { "connection", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_CONNECTION_REQUESTS] = { "connection_requests", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_DOCUMENT_URI] = { "document_uri", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_HOST] = { "host", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_HOSTNAME] = { "hostname", NUMBER, 0 }, /* a text by the time that it is written */
    [ACCESS_HTTPS] = { "https", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_IS_ARGS] = { "is_args", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_MSEC] = { "msec", NUMBER, 0 },
    [ACCESS_PATH] = { "path", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_PID] = { "pid", NUMBER, 0 },
    [ACCESS_QUERY] = { "query", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_QUERY_STRING] = { "query_string", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_REMOTE_ADDR] = { "remote_addr", SPAN, 0 },
    [ACCESS_REMOTE_PORT] = { "remote_port", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_REMOTE_USER] = { "remote_user", NAME, 0 },
    [ACCESS_REQUEST] = { "request", SPAN, 0 },
    [ACCESS_REQUEST_ID] = { "request_id", SPAN, ACCESS_NEEDS_MORE | ACCESS_NEEDS_REQUEST_ID },
    [ACCESS_REQUEST_LENGTH] = { "request_length", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_REQUEST_METHOD] = { "request_method", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_REQUEST_TIME] = { "request_time", NUMBER, 0 },
    [ACCESS_REQUEST_TIME_MS] = { "request_time_ms", NUMBER, 0 },
    [ACCESS_REQUEST_URI] = { "request_uri", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SCHEME] = { "scheme", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SERVER_NAME] = { "server_name", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SERVER_PORT] = { "server_port", NUMBER, ACCESS_NEEDS_MORE },
    [ACCESS_SERVER_PROTOCOL] = { "server_protocol", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_CIPHER] = { "ssl_cipher", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_CLIENT_I_DN] = { "ssl_client_i_dn", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_CLIENT_S_DN] = { "ssl_client_s_dn", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_CLIENT_SERIAL] = { "ssl_client_serial", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_CLIENT_VERIFY] = { "ssl_client_verify", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_PROTOCOL] = { "ssl_protocol", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_SSL_SERVER_NAME] = { "ssl_server_name", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_STATUS] = { "status", NUMBER, 0 },
    [ACCESS_TIME_ISO8601] = { "time_iso8601", NUMBER, 0 },
    [ACCESS_TIME_LOCAL] = { "time_local", NUMBER, 0 },
    [ACCESS_TIME_UTC] = { "time_utc", NUMBER, 0 },
    [ACCESS_TLS_CIPHER] = { "tls_cipher", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_CLIENT_FINGERPRINT] = { "tls_client_fingerprint", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_CLIENT_ISSUER] = { "tls_client_issuer", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_CLIENT_SERIAL] = { "tls_client_serial", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_CLIENT_SUBJECT] = { "tls_client_subject", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_CLIENT_VERIFY] = { "tls_client_verify", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_PROTOCOL] = { "tls_protocol", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_TLS_SERVER_NAME] = { "tls_server_name", SPAN, ACCESS_NEEDS_MORE },
    [ACCESS_URI] = { "uri", SPAN, ACCESS_NEEDS_MORE },
};
static_assert(ARRAY_LEN(variables) == ACCESS_NAMED, "each has its name");

static const char *const sent_names[] = {
    [ACCESS_SENT_CACHE_CONTROL] = "cache-control",
    [ACCESS_SENT_CONNECTION] = "connection",
    [ACCESS_SENT_CONTENT_ENCODING] = "content-encoding",
    [ACCESS_SENT_CONTENT_LENGTH] = "content-length",
    [ACCESS_SENT_CONTENT_RANGE] = "content-range",
    [ACCESS_SENT_CONTENT_TYPE] = "content-type",
    [ACCESS_SENT_ETAG] = "etag",
    [ACCESS_SENT_LAST_MODIFIED] = "last-modified",
    [ACCESS_SENT_LOCATION] = "location",
};
static_assert(ARRAY_LEN(sent_names) == ACCESS_SENT_COUNT, "each has its name");

/* A format while it is compiled. */
struct compiler {
    const struct access_names *names;
    struct arena *arena;
    struct access_piece *pieces;
    struct span *fields, *others;
    struct access_format *format;
    char *literal; /* texts, one behind the other; room for the whole format and a host name */
    size_t literal_len, literal_begin;
    char *what;
    size_t what_size;
};

const char *access_format_name_at(size_t i)
{
    return i < ACCESS_NAMED ? variables[i].name : NULL;
}

int access_sent_find(struct span name)
{
    for (int i = 0; i < ACCESS_SENT_COUNT; i++) {
        if (span_caseeq(span_str(sent_names[i]), name))
            return i;
    }
    return -1;
}

/* The words of what was not known, and all that is. */
static int fail_unknown(const struct compiler *c, struct span name)
{
    size_t len = (size_t)snprintf(c->what, c->what_size, "$%.*s is not known; known:",
                                  (int)(name.len < 40 ? name.len : 40), name.ptr);
    for (size_t i = 0; i < ACCESS_NAMED && len < c->what_size; i++)
        len += (size_t)snprintf(c->what + len, c->what_size - len, " $%s", variables[i].name);
    if (len < c->what_size)
        snprintf(c->what + len, c->what_size - len,
                 " $http_NAME; $sent_http_NAME of cache_control, connection, content_encoding, "
                 "content_length, content_range, content_type, etag, last_modified, location");
    return -EINVAL;
}

static int fail(const struct compiler *c, const char *what)
{
    snprintf(c->what, c->what_size, "%s", what);
    return -EINVAL;
}

static bool is_name_octet(char octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= '0' && octet <= '9') || octet == '_';
}

/* The name at the front of *text, behind its '$', which is taken off; empty: there is none. */
static struct span take_name(struct span *text)
{
    bool braces = text->len > 0 && text->ptr[0] == '{';
    const char *at = text->ptr + braces, *end = text->ptr + text->len;
    const char *begin = at;

    while (at < end && is_name_octet(*at))
        at++;
    struct span name = span_make(begin, (size_t)(at - begin));
    if (braces && (at == end || *at++ != '}'))
        return span_make("", 0);
    *text = span_make(at, (size_t)(end - at));
    return name;
}

/* What stands behind `prefix` in `name`; empty: it does not begin so. */
static struct span behind(struct span name, const char *prefix)
{
    size_t len = strlen(prefix);

    if (name.len <= len || memcmp(name.ptr, prefix, len) != 0)
        return span_make("", 0);
    return span_make(name.ptr + len, name.len - len);
}

/* $http_NAME. */
static int find_field(struct compiler *c, struct span name, struct access_piece *piece)
{
    struct access_format *format = c->format;

    if (span_eq(name, SPAN_LIT("referer"))) {
        piece->variable = ACCESS_REFERER;
        return 0;
    }
    if (span_eq(name, SPAN_LIT("user_agent"))) {
        piece->variable = ACCESS_USER_AGENT;
        return 0;
    }
    size_t i = 0;
    while (i < format->fields_count && !span_eq(c->fields[i], name))
        i++;
    if (i == ACCESS_FIELDS_MAX)
        return fail(c, "more than 16 different $http_NAME; allowed: 16");
    if (i == format->fields_count) {
        char *copy = arena_strndup(c->arena, name.ptr, name.len);
        if (copy == NULL)
            return -ENOMEM;
        c->fields[format->fields_count++] = span_make(copy, name.len);
    }
    piece->variable = ACCESS_HTTP;
    piece->index = (uint8_t)i;
    format->needs |= ACCESS_NEEDS_MORE | ACCESS_NEEDS_HTTP;
    return 0;
}

/* $sent_http_NAME. */
static int find_sent(struct compiler *c, struct span name, struct span whole,
                     struct access_piece *piece)
{
    char field[ACCESS_NAME_MAX];

    if (name.len > sizeof field)
        return fail_unknown(c, whole);
    for (size_t i = 0; i < name.len; i++)
        field[i] = (char)(name.ptr[i] == '_' ? '-' : name.ptr[i]);
    int sent = access_sent_find(span_make(field, name.len));
    if (sent < 0)
        return fail_unknown(c, whole);
    piece->variable = ACCESS_SENT;
    piece->index = (uint8_t)sent;
    c->format->needs |= ACCESS_NEEDS_MORE | ACCESS_NEEDS_SENT;
    return 0;
}

/* What this file does not know. */
static int find_other(struct compiler *c, struct span name, struct access_piece *piece)
{
    struct access_format *format = c->format;
    size_t i = 0;

    if (c->names == NULL)
        return fail_unknown(c, name);
    while (i < format->others_count && !span_eq(c->others[i], name))
        i++;
    if (i == ACCESS_OTHERS_MAX)
        return fail(c, "more than 16 different variables of queries, cookies, maps and the "
                       "environment; allowed: 16");
    if (i == format->others_count) {
        char *copy = arena_strndup(c->arena, name.ptr, name.len);
        int res = copy == NULL ? -ENOMEM
                               : c->names->take(c->names->context, name, i, c->what, c->what_size);
        if (res < 0)
            return res;
        c->others[format->others_count++] = span_make(copy, name.len);
    }
    piece->variable = ACCESS_OTHER;
    piece->index = (uint8_t)i;
    format->needs |= ACCESS_NEEDS_MORE;
    return 0;
}

bool access_format_knows(struct span name)
{
    for (uint8_t i = 0; i < ACCESS_NAMED; i++) {
        if (span_eq(span_str(variables[i].name), name))
            return true;
    }
    return behind(name, "http_").len > 0 || behind(name, "sent_http_").len > 0;
}

static int find_variable(struct compiler *c, struct span name, struct access_piece *piece)
{
    struct span field = behind(name, "http_"), sent = behind(name, "sent_http_");

    if (name.len > ACCESS_NAME_MAX)
        return fail_unknown(c, name);
    if (field.len > 0)
        return find_field(c, field, piece);
    if (sent.len > 0)
        return find_sent(c, sent, name, piece);
    for (uint8_t i = 0; i < ACCESS_NAMED; i++) {
        if (!span_eq(span_str(variables[i].name), name))
            continue;
        piece->variable = i;
        c->format->needs |= variables[i].needs;
        return 0;
    }
    return find_other(c, name, piece);
}

/* Appends to the text in front of the next variable. Room is there for all of it (compile()). */
static void put_literal(struct compiler *c, struct span text)
{
    memcpy(c->literal + c->literal_len, text.ptr, text.len);
    c->literal_len += text.len;
}

/* What is the same on every line is text. */
static bool put_constant(struct compiler *c, uint8_t variable)
{
    char name[ACCESS_NAME_MAX + 1] = "";

    if (variable != ACCESS_HOSTNAME)
        return false;
    if (gethostname(name, sizeof name - 1) != 0)
        name[0] = '\0';
    for (char *at = name; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '"' || *at == '\\')
            *at = '?';
    }
    put_literal(c, span_str(name));
    return true;
}

static int add_piece(struct compiler *c, struct access_piece piece)
{
    struct access_format *format = c->format;

    if (format->count == ACCESS_PIECES_MAX && piece.variable != ACCESS_NOTHING)
        return fail(c, "more than 64 variables; allowed: 64");
    piece.text = span_make(c->literal + c->literal_begin, c->literal_len - c->literal_begin);
    c->literal_begin = c->literal_len;
    c->pieces[format->count++] = piece;
    enum kind kind = piece.variable > ACCESS_NAMED ? SPAN : variables[piece.variable].kind;
    format->line_max += piece.text.len;
    if (piece.variable != ACCESS_NOTHING)
        format->line_max += kind == SPAN   ? (size_t)ACCESS_SPAN_MAX * ACCESS_ESCAPE_MAX
                            : kind == NAME ? (size_t)ACCESS_USER_MAX * ACCESS_ESCAPE_MAX
                                           : (size_t)ACCESS_NUMBER_MAX;
    return 0;
}

/* Text up to the next variable, or the end; "$$" is a dollar sign in it. 0, or -EINVAL: it holds
 * what would end or forge a line. */
static int take_literal(struct compiler *c, struct span *text)
{
    while (text->len > 0) {
        char octet = text->ptr[0];
        bool is_dollar = octet == '$', is_text = text->len > 1 && text->ptr[1] == '$';

        if (is_dollar && !is_text)
            return 0;
        if ((unsigned char)octet < 0x20 && octet != '\t')
            return fail(c, "a control character stands in it; allowed: none but a tab, since a "
                           "request is one line");
        put_literal(c, span_make(text->ptr, 1));
        *text = span_make(text->ptr + 1 + is_dollar, text->len - 1 - is_dollar);
    }
    return 0;
}

static int compile_pieces(struct compiler *c, struct span text)
{
    size_t variables_count = 0;

    while (text.len > 0) {
        struct access_piece piece = { .variable = ACCESS_NOTHING };
        int res = take_literal(c, &text);
        if (res < 0)
            return res;
        if (text.len == 0)
            break;
        text = span_make(text.ptr + 1, text.len - 1);
        struct span name = take_name(&text);
        if (name.len == 0)
            return fail(c, "a '$' stands in it that begins no name; allowed: $name or ${name} of "
                           "letters, digits and '_', and $$ for a dollar sign");
        res = find_variable(c, name, &piece);
        variables_count++;
        if (res == 0 && !put_constant(c, piece.variable))
            res = add_piece(c, piece);
        if (res < 0)
            return res;
    }
    if (variables_count == 0)
        return fail(c, "it names no variable; allowed: combined, json, or a text with variables "
                       "such as \"$remote_addr $status $request\"");
    c->format->line_max += 1 + ACCESS_COPY; /* the LF */
    return c->literal_len > c->literal_begin
               ? add_piece(c, (struct access_piece){ .variable = ACCESS_NOTHING })
               : 0;
}

/* Takes "escape=json " off the front. */
static int take_escape(struct compiler *c, struct span *text)
{
    struct span word = behind(*text, "escape=");

    if (word.len == 0)
        return 0;
    struct span default_rest = behind(word, "default "), json_rest = behind(word, "json ");
    if (default_rest.len == 0 && json_rest.len == 0)
        return fail(c,
                    "it begins with an escape that is not known; allowed: \"escape=default \" or "
                    "\"escape=json \" in front of the format (never none: a client could write "
                    "lines of its own)");
    c->format->escape = json_rest.len > 0 ? ACCESS_ESCAPE_JSON : ACCESS_ESCAPE_DEFAULT;
    *text = json_rest.len > 0 ? json_rest : default_rest;
    return 0;
}

int access_format_compile(struct arena *arena, const char *text, const struct access_names *names,
                          char *what, size_t what_size, const struct access_format **ret_format)
{
    struct span body = strcmp(text, "combined") == 0 ? SPAN_LIT(combined)
                       : strcmp(text, "json") == 0   ? SPAN_LIT(json)
                                                     : span_str(text);
    struct compiler c = { .names = names, .arena = arena, .what = what, .what_size = what_size };

    if (body.len > ACCESS_FORMAT_MAX)
        return fail(&c, "it is longer than 4096 octets; allowed: 4096");
    size_t literals =
        body.len + (body.len / strlen("$hostname") + 1) * ACCESS_NAME_MAX + ACCESS_COPY;
    c.format = arena_alloc(arena, sizeof(*c.format));
    c.pieces = arena_array(arena, ACCESS_PIECES_MAX + 1, sizeof(c.pieces[0]));
    c.fields = arena_array(arena, ACCESS_FIELDS_MAX, sizeof(c.fields[0]));
    c.others = arena_array(arena, ACCESS_OTHERS_MAX, sizeof(c.others[0]));
    c.literal = arena_alloc(arena, literals);
    char *copy = arena_strdup(arena, text);
    if (c.format == NULL || c.pieces == NULL || c.fields == NULL || c.others == NULL ||
        c.literal == NULL || copy == NULL)
        return -ENOMEM;
    *c.format = (struct access_format){
        .pieces = c.pieces, .fields = c.fields, .others = c.others, .text = copy
    };
    int res = take_escape(&c, &body);
    if (res == 0)
        res = compile_pieces(&c, body);
    if (res == 0)
        *ret_format = c.format;
    return res;
}
