/* authority.c: the grammar of a host and a port, on octets only: no resolver, no socket header.
 *
 * Called for every request, with its Host. */
#include "http/authority.h"

#include "core/check.h"
#include "core/decimal.h"
#include "http/octet.h"
#include "core/uri_octet.h"

/* Four decimal numbers up to 255 without leading zeros (RFC 3986 section 3.2.2). */
static bool is_ipv4(struct span text)
{
    size_t i = 0;

    for (int part = 0; part < 4; part++) {
        size_t start;
        int value = 0;

        if (part > 0 && (i == text.len || text.ptr[i++] != '.'))
            return false;
        start = i;
        while (i < text.len && i - start < 3 && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            value = value * 10 + (text.ptr[i++] - '0');
        if (i == start || value > 255 || (i - start > 1 && text.ptr[start] == '0'))
            return false;
    }
    return i == text.len;
}

/* Groups of 16 bits, the last two perhaps as an IPv4 address, and at most one "::", which stands
 * for at least one group. No zone: RFC 9110 has none. */
static bool is_ipv6(struct span text)
{
    size_t i = 0, groups = 0;
    bool compressed = text.len >= 2 && text.ptr[0] == ':' && text.ptr[1] == ':';

    if (compressed)
        i = 2;
    while (i < text.len) {
        size_t start = i;

        while (i < text.len && http_octet_is(text.ptr[i], HTTP_OCTET_HEX))
            i++;
        if (i < text.len && text.ptr[i] == '.') {
            groups += 2;
            if (!is_ipv4(span_make(text.ptr + start, text.len - start)))
                return false;
            break;
        }
        groups++;
        if (i == start || i - start > 4)
            return false;
        if (i == text.len)
            break;
        if (text.ptr[i] != ':' || ++i == text.len)
            return false;
        if (text.ptr[i] == ':') {
            if (compressed)
                return false;
            compressed = true;
            i++;
        }
    }
    return compressed ? groups <= 7 : groups == 8;
}

/* "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ). */
static bool is_ipvfuture(struct span text)
{
    size_t i = 1;

    if (text.len == 0 || (text.ptr[0] | 0x20) != 'v')
        return false;
    while (i < text.len && http_octet_is(text.ptr[i], HTTP_OCTET_HEX))
        i++;
    if (i == 1 || i == text.len || text.ptr[i++] != '.' || i == text.len)
        return false;
    while (i < text.len && (uri_octet_is(text.ptr[i], URI_NAME) || text.ptr[i] == ':'))
        i++;
    return i == text.len;
}

/* How many octets at the front of an authority are its host; 0: none, or malformed. A name is
 * labels with a dot between them, and perhaps one at the end; no label is empty (RFC 1034
 * section 3.1). */
static size_t host_len(struct span value)
{
    size_t i = 0, label = 0; /* where the present label of the name begins */

    if (value.ptr[0] == '[') {
        const char *close = memchr(value.ptr, ']', value.len);
        struct span literal;

        if (close == NULL)
            return 0;
        literal = span_make(value.ptr + 1, (size_t)(close - value.ptr) - 1);
        return is_ipv6(literal) || is_ipvfuture(literal) ? literal.len + 2 : 0;
    }
    while (i < value.len && value.ptr[i] != ':') {
        if (value.ptr[i] == '.') {
            if (i++ == label)
                return 0;
            label = i;
        } else if (uri_octet_is(value.ptr[i], URI_NAME)) {
            i++;
        } else if (uri_escape_octet(value.ptr + i, value.ptr + value.len) >= 0) {
            i += 3;
        } else {
            return 0;
        }
    }
    return i;
}

/* ":" and digits up to 65535, or no digits, or nothing at all. */
static bool port_valid(struct span text)
{
    uint16_t port;

    if (text.len > 0 && text.ptr[0] != ':')
        return false;
    return text.len <= 1 || decimal_parse_port(span_make(text.ptr + 1, text.len - 1), &port);
}

bool http_authority_parse(struct span value, struct span *ret_host)
{
    size_t len = value.len > 0 ? host_len(value) : 0;

    if (len == 0 || !port_valid(span_make(value.ptr + len, value.len - len)))
        return false;
    *ret_host = span_make(value.ptr, len);
    return true;
}

bool http_absolute_form_split(struct span *target, struct span *ret_authority,
                              struct span *ret_host)
{
    static const struct span schemes[] = { { "http://", 7 }, { "https://", 8 } };

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = schemes[i].len, start = len;

        if (target->len < len || !span_caseeq(span_make(target->ptr, len), schemes[i]))
            continue;
        while (len < target->len && memchr("/?#", target->ptr[len], 3) == NULL)
            len++;
        struct span authority = span_make(target->ptr + start, len - start);
        if (!http_authority_parse(authority, ret_host))
            return false;
        *target = span_make(target->ptr + len, target->len - len);
        *ret_authority = authority;
        return true;
    }
    return false;
}
