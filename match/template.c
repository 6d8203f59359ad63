/* template.c: see template.h. How the pieces become a text: template_put.c. */
#include "match/template.h"

#include "core/check.h"
#include "core/edit_distance.h"
#include "match/captures.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* nginx's names, and those that this server has for the same. The first of several is suggested. */
static const struct {
    struct span name;
    uint8_t variable, index;
} known[] = {
    { SPAN_LIT("args"), TEMPLATE_ARGS, 0 },
    { SPAN_LIT("query"), TEMPLATE_ARGS, 0 },
    { SPAN_LIT("query_string"), TEMPLATE_ARGS, 0 },
    { SPAN_LIT("host"), TEMPLATE_HOST, 0 },
    { SPAN_LIT("https"), TEMPLATE_HTTPS, 0 },
    { SPAN_LIT("is_args"), TEMPLATE_IS_ARGS, 0 },
    { SPAN_LIT("remote_addr"), TEMPLATE_REMOTE_ADDR, 0 },
    { SPAN_LIT("remote_port"), TEMPLATE_REMOTE_PORT, 0 },
    { SPAN_LIT("request_id"), TEMPLATE_REQUEST_ID, 0 },
    { SPAN_LIT("request_method"), TEMPLATE_REQUEST_METHOD, 0 },
    { SPAN_LIT("request_uri"), TEMPLATE_REQUEST_URI, 0 },
    { SPAN_LIT("scheme"), TEMPLATE_SCHEME, 0 },
    { SPAN_LIT("server_name"), TEMPLATE_SERVER_NAME, 0 },
    { SPAN_LIT("server_port"), TEMPLATE_SERVER_PORT, 0 },
    { SPAN_LIT("uri"), TEMPLATE_URI, 0 },
    { SPAN_LIT("path"), TEMPLATE_URI, 0 },
    { SPAN_LIT("document_uri"), TEMPLATE_URI, 0 },
    { SPAN_LIT("remote_user"), TEMPLATE_REMOTE_USER, 0 },
    { SPAN_LIT("server_protocol"), TEMPLATE_SERVER_PROTOCOL, 0 },
    { SPAN_LIT("tls_protocol"), TEMPLATE_TLS, TEMPLATE_TLS_PROTOCOL },
    { SPAN_LIT("tls_cipher"), TEMPLATE_TLS, TEMPLATE_TLS_CIPHER },
    { SPAN_LIT("tls_server_name"), TEMPLATE_TLS, TEMPLATE_TLS_SERVER_NAME },
    { SPAN_LIT("tls_client_verify"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_VERIFY },
    { SPAN_LIT("tls_client_subject"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_SUBJECT },
    { SPAN_LIT("tls_client_issuer"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_ISSUER },
    { SPAN_LIT("tls_client_serial"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_SERIAL },
    { SPAN_LIT("tls_client_fingerprint"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_FINGERPRINT },
    { SPAN_LIT("ssl_protocol"), TEMPLATE_TLS, TEMPLATE_TLS_PROTOCOL },
    { SPAN_LIT("ssl_cipher"), TEMPLATE_TLS, TEMPLATE_TLS_CIPHER },
    { SPAN_LIT("ssl_server_name"), TEMPLATE_TLS, TEMPLATE_TLS_SERVER_NAME },
    { SPAN_LIT("ssl_client_verify"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_VERIFY },
    { SPAN_LIT("ssl_client_s_dn"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_SUBJECT },
    { SPAN_LIT("ssl_client_i_dn"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_ISSUER },
    { SPAN_LIT("ssl_client_serial"), TEMPLATE_TLS, TEMPLATE_TLS_CLIENT_SERIAL },
};

static_assert(TEMPLATE_NOTHING < 32, "enough bits in struct template");

/* A text while it is compiled. */
struct compiler {
    const struct template_names *names;
    struct template_piece *pieces;
    size_t count;
    uint32_t uses;
    char *literal; /* texts, one behind the other; the caller's until they are all there */
    size_t literal_len, literal_begin, literal_cap;
    struct arena *arena;
    char *what;
    size_t what_size;
};

struct span template_constant(const struct template *template)
{
    CHECK(template_is_constant(template) && template->count == 1);
    return template->pieces[0].text;
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

/* The name at the front of *text, behind its '$', which is taken off with its braces; ptr NULL: a
 * brace is not closed; empty: there is none. $12 is $1 and a 2, as in nginx. */
static struct span take_name(struct span *text)
{
    bool braces = text->len > 0 && text->ptr[0] == '{';
    const char *at = text->ptr + braces, *end = text->ptr + text->len;
    const char *begin = at;

    if (!braces && at < end && *at >= '0' && *at <= '9') {
        at++;
    } else {
        while (at < end && is_name_octet(*at))
            at++;
    }
    struct span name = span_make(begin, (size_t)(at - begin));
    if (braces && (at == end || *at++ != '}' || name.len == 0))
        return (struct span){ NULL, 0 };
    *text = span_make(at, (size_t)(end - at));
    return name;
}

/* What stands behind `prefix` in `name`; empty: it does not begin so. */
static struct span behind(struct span name, struct span prefix)
{
    if (name.len <= prefix.len || memcmp(name.ptr, prefix.ptr, prefix.len) != 0)
        return span_make("", 0);
    return span_make(name.ptr + prefix.len, name.len - prefix.len);
}

struct nearest {
    struct span name;
    size_t distance;
};

/* $HOST is far from $host only for who counts octets. */
static void consider(struct nearest *best, struct span name, struct span candidate)
{
    size_t distance = span_caseeq(name, candidate) ? 0 : edit_distance(name, candidate);

    if (distance < best->distance && edit_distance_is_slip(distance, name.len))
        *best = (struct nearest){ candidate, distance };
}

/* Says what was not known, and what may have been meant. */
static int fail_unknown(const struct compiler *c, struct span name)
{
    struct nearest best = { { NULL, 0 }, SIZE_MAX };
    const struct template_names *names = c->names;
    int len = (int)(name.len < TEMPLATE_NAME_MAX ? name.len : TEMPLATE_NAME_MAX);

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        consider(&best, name, known[i].name);
    for (size_t i = 0; names != NULL && names->name_at != NULL; i++) {
        const char *own = names->name_at(names->context, i);

        if (own == NULL)
            break;
        consider(&best, name, span_str(own));
    }
    if (best.name.len > 0)
        snprintf(c->what, c->what_size, "holds $%.*s, which is not known; did you mean $%.*s?", len,
                 name.ptr, (int)best.name.len, best.name.ptr);
    else
        snprintf(c->what, c->what_size,
                 "holds $%.*s, which is not known; known are $host, $uri, $args, $is_args, "
                 "$request_uri, $scheme, $request_method, $remote_addr, $remote_user, "
                 "$server_name, $request_id, $tls_protocol, $tls_client_subject, $arg_NAME, "
                 "$cookie_NAME, $http_NAME, $env_NAME and $engine; a dollar sign itself "
                 "is written $$",
                 len, name.ptr);
    return -EINVAL;
}

static int fail_capture(const struct compiler *c, struct span name)
{
    bool captures = c->names != NULL && c->names->captures;
    unsigned groups = captures ? c->names->groups : 0;

    if (!captures)
        snprintf(c->what, c->what_size,
                 "holds $%.*s, but no regular expression captures anything here; a dollar sign "
                 "itself is written $$",
                 (int)name.len, name.ptr);
    else
        snprintf(c->what, c->what_size, "holds $%.*s, but the expression has %u group%s",
                 (int)name.len, name.ptr, groups, groups == 1 ? "" : "s");
    return -EINVAL;
}

/* Appends to the text in front of the next variable; false: it gets too long. */
static bool put_literal(struct compiler *c, struct span text)
{
    if (text.len > c->literal_cap - c->literal_len)
        return false;
    memcpy(c->literal + c->literal_len, text.ptr, text.len);
    c->literal_len += text.len;
    return true;
}

static int put_constant(struct compiler *c, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return fail(c, "holds a variable of the environment with a control character in it");
    }
    return put_literal(c, span_str(text)) ? 0 : fail(c, "is longer than 4096 octets");
}

/* What begins with a prefix and ends with a name of somebody else's. */
static bool find_prefixed(struct span name, struct template_piece *piece)
{
    static const struct {
        struct span prefix;
        uint8_t variable;
    } prefixes[] = {
        { SPAN_LIT("arg_"), TEMPLATE_ARG },
        { SPAN_LIT("cookie_"), TEMPLATE_COOKIE },
        { SPAN_LIT("http_"), TEMPLATE_HTTP },
    };

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        struct span rest = behind(name, prefixes[i].prefix);

        if (rest.len == 0)
            continue;
        piece->variable = prefixes[i].variable;
        piece->name = rest;
        return true;
    }
    return false;
}

/* The variable of that name: into `piece`, or, a constant, into the text, *ret_text true. */
static int find_variable(struct compiler *c, struct span name, struct template_piece *piece,
                         bool *ret_text)
{
    const struct template_names *names = c->names;
    const char *text = NULL;

    *ret_text = false;
    if (name.len > TEMPLATE_NAME_MAX)
        return fail_unknown(c, name);
    if (name.len == 1 && name.ptr[0] >= '0' && name.ptr[0] <= '9') {
        piece->variable = TEMPLATE_CAPTURE;
        piece->index = (uint8_t)(name.ptr[0] - '0');
        return names != NULL && names->captures && piece->index <= names->groups
                   ? 0
                   : fail_capture(c, name);
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_eq(known[i].name, name)) {
            piece->variable = known[i].variable;
            piece->index = known[i].index;
            return 0;
        }
    }
    switch (names != NULL && names->find != NULL
                ? names->find(names->context, name, &text, &piece->index)
                : TEMPLATE_UNKNOWN) {
    case TEMPLATE_IS_TEXT:
        *ret_text = true;
        return put_constant(c, text);
    case TEMPLATE_IS_MAP:
        piece->variable = TEMPLATE_MAP;
        return 0;
    case TEMPLATE_IS_CAPTURE:
        CHECK(piece->index < CAPTURES_MAX);
        piece->variable = TEMPLATE_CAPTURE;
        return 0;
    case TEMPLATE_IS_REFUSED:
        return fail(c, text);
    case TEMPLATE_UNKNOWN:
        break;
    }
    return find_prefixed(name, piece) ? 0 : fail_unknown(c, name);
}

static int add_piece(struct compiler *c, struct template_piece piece)
{
    if (c->count == TEMPLATE_VARIABLES_MAX && piece.variable != TEMPLATE_NOTHING)
        return fail(c, "holds more than 32 variables");
    if (piece.name.len > 0) {
        char *copy = arena_strndup(c->arena, piece.name.ptr, piece.name.len);

        if (copy == NULL)
            return -ENOMEM;
        for (size_t i = 0; piece.variable == TEMPLATE_HTTP && i < piece.name.len; i++) {
            if (copy[i] >= 'A' && copy[i] <= 'Z')
                copy[i] |= 0x20;
        }
        piece.name.ptr = copy;
    }
    piece.text = span_make(c->literal + c->literal_begin, c->literal_len - c->literal_begin);
    c->literal_begin = c->literal_len;
    if (piece.variable != TEMPLATE_NOTHING)
        c->uses |= UINT32_C(1) << piece.variable;
    c->pieces[c->count++] = piece;
    return 0;
}

/* Text up to the next variable, which is left with its '$' taken off. */
static int take_literal(struct compiler *c, struct span *text, bool *ret_variable)
{
    *ret_variable = false;
    while (text->len > 0) {
        const char *dollar = memchr(text->ptr, '$', text->len);
        size_t len = dollar != NULL ? (size_t)(dollar - text->ptr) : text->len;
        char next = len + 1 < text->len ? text->ptr[len + 1] : '\0';

        if (!put_literal(c, span_make(text->ptr, len)))
            return fail(c, "is longer than 4096 octets");
        if (dollar == NULL) {
            text->len = 0;
            return 0;
        }
        *text = span_make(dollar + 1, text->len - len - 1);
        if (is_name_octet(next) || next == '{') {
            *ret_variable = true;
            return 0;
        }
        if (!put_literal(c, SPAN_LIT("$")))
            return fail(c, "is longer than 4096 octets");
        if (next == '$')
            *text = span_make(text->ptr + 1, text->len - 1);
    }
    return 0;
}

static int compile_pieces(struct compiler *c, struct span text)
{
    for (;;) {
        struct template_piece piece = { .variable = TEMPLATE_NOTHING };
        bool is_variable, is_text;
        int res = take_literal(c, &text, &is_variable);

        if (res < 0 || !is_variable)
            return res < 0 ? res : add_piece(c, piece);
        struct span name = take_name(&text);
        if (name.ptr == NULL)
            return fail(c, "holds a '${' that is not the beginning of ${name}; a dollar sign "
                           "itself is written $$");
        res = find_variable(c, name, &piece, &is_text);
        if (res == 0 && !is_text)
            res = add_piece(c, piece);
        if (res < 0)
            return res;
    }
}

int template_compile(struct arena *arena, const char *text, const struct template_names *names,
                     char *what, size_t what_size, const struct template **ret_template)
{
    struct compiler c = { .names = names,
                          .arena = arena,
                          .literal_cap = TEMPLATE_TEXT_MAX,
                          .what = what,
                          .what_size = what_size };
    char literal[TEMPLATE_TEXT_MAX];
    size_t dollars = 0;

    c.literal = literal;
    if (strlen(text) > TEMPLATE_TEXT_MAX)
        return fail(&c, "is longer than 4096 octets");
    for (const char *at = text; *at != '\0'; at++)
        dollars += *at == '$';
    if (dollars > TEMPLATE_VARIABLES_MAX)
        dollars = TEMPLATE_VARIABLES_MAX;
    struct template *template = arena_alloc(arena, sizeof(*template));
    char *copy = arena_strdup(arena, text);
    c.pieces = arena_array(arena, dollars + 1, sizeof(c.pieces[0]));
    if (template == NULL || copy == NULL || c.pieces == NULL)
        return -ENOMEM;
    int res = compile_pieces(&c, span_str(text));
    if (res < 0)
        return res;
    char *kept = arena_alloc(arena, c.literal_len + 1); /* and the NUL of a constant */
    if (kept == NULL)
        return -ENOMEM;
    memcpy(kept, literal, c.literal_len);
    for (size_t i = 0; i < c.count; i++)
        c.pieces[i].text.ptr = kept + (c.pieces[i].text.ptr - literal);
    *template = (struct template){ c.pieces, c.count, c.uses, copy };
    *ret_template = template;
    return 0;
}
