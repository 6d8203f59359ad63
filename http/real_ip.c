/* real_ip.c: see real_ip.h. Fields are read from their end: what a client has sent, perhaps with a
 * quote that it never closes, stands in front of what proxies append, and is not looked at before
 * it is reached. */
#include "http/real_ip.h"

#include "config/config_text.h"

#include <string.h>

/* Where the quoted-string (RFC 9110 section 5.6.4) that ends with the '"' at `end` begins;
 * SIZE_MAX: it does not. */
static size_t quote_begin(struct span text, size_t end)
{
    for (size_t i = end; i-- > 0;) {
        size_t escapes = 0;
        if (text.ptr[i] != '"')
            continue;
        while (escapes < i && text.ptr[i - 1 - escapes] == '\\')
            escapes++;
        if (escapes % 2 == 0)
            return i;
    }
    return SIZE_MAX;
}

/* Takes the part behind the last `separator` off `text`, trimmed; all of it, when there is none.
 * `quotes`: one within a quoted-string is none. False: a quote has no beginning. */
static bool take_last(struct span *text, char separator, bool quotes, struct span *ret_part)
{
    size_t at = text->len;

    while (at > 0 && text->ptr[at - 1] != separator) {
        at--;
        if (!quotes || text->ptr[at] != '"')
            continue;
        at = quote_begin(*text, at);
        if (at == SIZE_MAX)
            return false;
    }
    *ret_part = span_trim(span_make(text->ptr + at, text->len - at));
    text->len = at > 0 ? at - 1 : 0;
    return true;
}

/* Is it ":port"? RFC 7239 section 6.2 also allows obfuscated ones: "_" and token characters. */
static bool is_port(struct span text)
{
    if (text.len < 2 || text.ptr[0] != ':')
        return false;
    text = span_make(text.ptr + 1, text.len - 1);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return text.ptr[0] == '_' && config_is_token(text);
    return text.len <= 5;
}

/* An address, with or without a port: "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1". */
static bool node_parse(struct span node, struct peer *ret_peer)
{
    const char *end = NULL;

    if (node.len > 0 && node.ptr[0] == '[') {
        end = memchr(node.ptr, ']', node.len);
        if (end == NULL)
            return false;
        struct span port = span_make(end + 1, node.len - (size_t)(end + 1 - node.ptr));
        return (port.len == 0 || is_port(port)) &&
               peer_parse(span_make(node.ptr + 1, (size_t)(end - node.ptr) - 1), ret_peer) &&
               ret_peer->family == PEER_IPV6;
    }
    end = memchr(node.ptr, '.', node.len) != NULL ? memchr(node.ptr, ':', node.len) : NULL;
    if (end == NULL || node.ptr[0] == ':')
        return peer_parse(node, ret_peer);
    struct span address = span_make(node.ptr, (size_t)(end - node.ptr));
    struct span port = span_make(end, node.len - address.len);
    if (is_port(port) && memchr(address.ptr, '.', address.len) != NULL)
        return peer_parse(address, ret_peer);
    return peer_parse(node, ret_peer); /* "::ffff:192.0.2.1" */
}

/* A token or a quoted-string as the text that it means, in `room`. */
static bool value_read(struct span value, char *room, size_t size, struct span *ret_text)
{
    size_t len = 0;

    if (value.len == 0 || value.ptr[0] != '"') {
        *ret_text = value;
        return config_is_token(value);
    }
    if (value.len < 2 || quote_begin(value, value.len - 1) != 0)
        return false;
    for (size_t i = 1; i + 1 < value.len; i++) {
        if (value.ptr[i] == '\\')
            i++;
        if (len == size)
            return false;
        room[len++] = value.ptr[i];
    }
    *ret_text = span_make(room, len);
    return true;
}

/* The address in the `for` parameter of one element (RFC 7239 section 4). */
static bool element_parse(struct span element, struct peer *ret_peer)
{
    char room[64]; /* longer than any address with a port */
    struct span pair, node;
    unsigned found = 0;

    while (element.len > 0) {
        if (!take_last(&element, ';', true, &pair))
            return false;
        if (pair.len == 0)
            continue; /* the grammar allows it */
        const char *equals = memchr(pair.ptr, '=', pair.len);
        if (equals == NULL)
            return false;
        struct span name = span_make(pair.ptr, (size_t)(equals - pair.ptr));
        if (!span_caseeq(name, SPAN_LIT("for")))
            continue;
        struct span value = span_make(equals + 1, pair.len - name.len - 1);
        if (!value_read(value, room, sizeof(room), &node) || !node_parse(node, ret_peer))
            return false;
        found++;
    }
    return found == 1;
}

/* Goes through one line, from its end. True: the walk goes on in the line before. */
static bool walk_line(struct span line, const struct real_ip *real_ip, struct peer *client)
{
    bool forwarded = real_ip->header == REAL_IP_FORWARDED;
    struct span part;
    struct peer peer;

    while (line.len > 0) {
        if (!take_last(&line, ',', forwarded, &part))
            return false;
        if (part.len == 0)
            continue; /* empty elements of a list count for nothing (RFC 9110 section 5.6.1.2) */
        if (!(forwarded ? element_parse(part, &peer) : node_parse(part, &peer)))
            return false;
        *client = peer;
        if (!real_ip->recursive || !address_set_has(&real_ip->from, client))
            return false;
    }
    return true;
}

void http_real_ip(const struct http_request *request, const struct real_ip *real_ip,
                  struct peer *client)
{
    static const enum http_field fields[] = { [REAL_IP_X_FORWARDED_FOR] =
                                                  HTTP_FIELD_X_FORWARDED_FOR,
                                              [REAL_IP_FORWARDED] = HTTP_FIELD_FORWARDED,
                                              [REAL_IP_X_REAL_IP] = HTTP_FIELD_X_REAL_IP };
    struct span lines[HTTP_REAL_IP_LINES_MAX];
    size_t count = 0;
    uint32_t cursor = 0;

    while (http_request_field_next(request, fields[real_ip->header], &cursor,
                                   &lines[count % HTTP_REAL_IP_LINES_MAX]))
        count++;
    for (size_t i = count; i > 0 && count - i < HTTP_REAL_IP_LINES_MAX; i--)
        if (!walk_line(lines[(i - 1) % HTTP_REAL_IP_LINES_MAX], real_ip, client))
            return;
}
