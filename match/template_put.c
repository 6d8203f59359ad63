/* template_put.c: one function a place, an octet at a time. */
#include "match/template_put.h"

#include "core/check.h"
#include "core/hex.h"
#include "core/uri_encode.h"

#include <errno.h>
#include <string.h>

bool template_is_clients(enum template_variable variable)
{
    switch (variable) {
    case TEMPLATE_ARGS:
    case TEMPLATE_REQUEST_URI:
    case TEMPLATE_URI:
    case TEMPLATE_ARG:
    case TEMPLATE_COOKIE:
    case TEMPLATE_HTTP:
    case TEMPLATE_CAPTURE:
    case TEMPLATE_REMOTE_USER:
    case TEMPLATE_SERVER_PROTOCOL:
    case TEMPLATE_TLS:
        return true;
    default:
        return false;
    }
}

/* What stands for the octet in a field: itself, or %XX. */
static struct span field_octet(char octet, char escape[8])
{
    if (octet >= ' ' && octet < 0x7f && strchr("\"\\,;<>", octet) == NULL)
        return span_make(NULL, 0);
    escape[0] = '%';
    hex_put(escape + 1, (unsigned char)octet);
    return span_make(escape, 3);
}

static struct span html_octet(char octet, char escape[8])
{
    (void)escape;
    switch (octet) {
    case '&':
        return SPAN_LIT("&amp;");
    case '<':
        return SPAN_LIT("&lt;");
    case '>':
        return SPAN_LIT("&gt;");
    case '"':
        return SPAN_LIT("&quot;");
    case '\'':
        return SPAN_LIT("&#39;");
    default:
        return span_make(NULL, 0);
    }
}

static struct span json_octet(char octet, char escape[8])
{
    if (((unsigned char)octet >= ' ' && octet != '"' && octet != '\\' && octet != 0x7f))
        return span_make(NULL, 0);
    memcpy(escape, "\\u00", 4);
    hex_put(escape + 4, (unsigned char)octet);
    return span_make(escape, 6);
}

static long put_escaped(struct span value, struct span (*escape_of)(char octet, char escape[8]),
                        char *ret_text, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < value.len; i++) {
        char room[8];
        struct span escape = escape_of(value.ptr[i], room);

        if (escape.len == 0)
            escape = span_make(value.ptr + i, 1);
        if (escape.len > cap - len)
            return -ENOSPC;
        memcpy(ret_text + len, escape.ptr, escape.len);
        len += escape.len;
    }
    return (long)len;
}

static long put_plain(struct span text, char *ret_text, size_t cap)
{
    if (text.len > cap)
        return -ENOSPC;
    if (text.len > 0)
        memcpy(ret_text, text.ptr, text.len);
    return (long)text.len;
}

/* A path in a field is one of a URL there, as in Link; a comma would end an element of a list. */
static long put_path_in_field(struct span path, char *ret_text, size_t cap)
{
    size_t len = 0;

    for (;;) {
        const char *comma = path.len > 0 ? memchr(path.ptr, ',', path.len) : NULL;
        size_t before = comma != NULL ? (size_t)(comma - path.ptr) : path.len;
        long put = uri_location_encode(span_make(path.ptr, before), ret_text + len, cap - len);

        if (put < 0 || (comma != NULL && cap - len - (size_t)put < 3))
            return -ENOSPC;
        len += (size_t)put;
        if (comma == NULL)
            return (long)len;
        memcpy(ret_text + len, "%2C", 3);
        len += 3;
        path = span_make(comma + 1, path.len - before - 1);
    }
}

static long put_in_field(enum template_variable variable, struct span value, char *ret_text,
                         size_t cap)
{
    return variable == TEMPLATE_URI ? put_path_in_field(value, ret_text, cap)
                                    : put_escaped(value, field_octet, ret_text, cap);
}

static long put_value(enum template_place place, enum template_variable variable, struct span value,
                      char *ret_text, size_t cap)
{
    switch (place) {
    case TEMPLATE_FIELD:
        return template_is_clients(variable) ? put_in_field(variable, value, ret_text, cap)
                                             : put_plain(value, ret_text, cap);
    case TEMPLATE_HTML:
        return put_escaped(value, html_octet, ret_text, cap);
    case TEMPLATE_JSON:
        return put_escaped(value, json_octet, ret_text, cap);
    case TEMPLATE_TEXT:
    case TEMPLATE_PATH:
        return put_plain(value, ret_text, cap);
    }
    UNREACHABLE();
}

struct span template_value(const struct template_source *source, const struct template_piece *piece,
                           char *scratch, size_t cap)
{
    const struct captures *captures = source->captures;

    if (captures == NULL || piece->variable != TEMPLATE_CAPTURE)
        return source->value(source->context, piece, scratch, cap);
    return piece->index < captures->count ? captures->groups[piece->index] : SPAN_LIT("");
}

static long put_map(const struct template_piece *piece, const struct template_source *source,
                    enum template_place place, char *ret_text, size_t cap)
{
    struct template_mapped mapped;
    struct template_source inner = *source;
    char key[TEMPLATE_KEY_MAX];

    source->map(source->context, piece, key, &mapped);
    if (mapped.template == NULL)
        return put_value(place, TEMPLATE_MAP, mapped.text, ret_text, cap);
    inner.captures = &mapped.captures;
    inner.captures_raw = mapped.raw;
    return template_put(mapped.template, &inner, place, ret_text, cap);
}

static long put_variable(const struct template_piece *piece, const struct template_source *source,
                         enum template_place place, char *ret_text, size_t cap)
{
    char scratch[TEMPLATE_VALUE_MAX];
    struct span value = template_value(source, piece, scratch, sizeof(scratch));

    if (value.ptr == NULL)
        return -ENOSPC;
    return put_value(place, (enum template_variable)piece->variable, value, ret_text, cap);
}

long template_put(const struct template *template, const struct template_source *source,
                  enum template_place place, char *ret_text, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < template->count; i++) {
        const struct template_piece *piece = &template->pieces[i];
        long put = source->captures == NULL
                       ? put_plain(piece->text, ret_text + len, cap - len)
                       : put_value(place, TEMPLATE_MAP, piece->text, ret_text + len, cap - len);

        if (put < 0)
            return put;
        len += (size_t)put;
        if (piece->variable == TEMPLATE_NOTHING)
            continue;
        put = piece->variable == TEMPLATE_MAP && source->map != NULL
                  ? put_map(piece, source, place, ret_text + len, cap - len)
                  : put_variable(piece, source, place, ret_text + len, cap - len);
        if (put < 0)
            return put;
        len += (size_t)put;
    }
    return (long)len;
}

bool template_path_is_clean(struct span path)
{
    size_t start = 1;

    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') {
            if (path.ptr[i] == '\0')
                return false;
            continue;
        }
        struct span segment = span_make(path.ptr + start, i - start);
        if ((segment.len == 0 && i < path.len) || span_eq(segment, SPAN_LIT(".")) ||
            span_eq(segment, SPAN_LIT("..")))
            return false;
        start = i + 1;
    }
    return true;
}
