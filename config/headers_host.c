/* headers_host.c: see headers_host.h. */
#include "config/headers_host.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool headers_is_word(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '_';
}

size_t headers_sign_len(struct span text)
{
    size_t len = 1;

    if (text.ptr[0] == '*')
        return 1;
    if (text.ptr[0] != ':' || text.len < 2 || !is_alpha(text.ptr[1]))
        return 0;
    while (len < text.len && headers_is_word(text.ptr[len]))
        len++;
    return len;
}

bool headers_has_sign(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (headers_sign_len(span_make(text.ptr + i, text.len - i)) > 0)
            return true;
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Is `name` the pattern's? '*' is anything, ":name" one label. That of a server may begin with
 * "*", for any number of labels. */
static bool host_is(struct span pattern, struct span name)
{
    while (pattern.len > 0) {
        size_t sign = headers_sign_len(pattern), end = 0;

        if (sign > 0) {
            struct span rest = span_make(pattern.ptr + sign, pattern.len - sign);

            for (; end <= name.len; end++) {
                if (end > 0 && host_is(rest, span_make(name.ptr + end, name.len - end)))
                    return true;
                if (end < name.len && sign > 1 && (name.ptr[end] == '.' || name.ptr[end] == '*'))
                    return false;
            }
            return false;
        }
        if (name.len == 0 || lower(pattern.ptr[0]) != name.ptr[0])
            return false;
        pattern = span_make(pattern.ptr + 1, pattern.len - 1);
        name = span_make(name.ptr + 1, name.len - 1);
    }
    return name.len == 0;
}

/* Could some host of the server's name "*.a.b" or "_" be the pattern's, though not all are? */
static bool host_may_be(struct span pattern, struct span name)
{
    struct span below;

    if (span_eq(name, SPAN_LIT("_")))
        return true;
    if (name.len < 2 || name.ptr[0] != '*')
        return false;
    below = span_make(name.ptr + 1, name.len - 1); /* ".a.b" */
    return headers_has_sign(pattern) ||
           (pattern.len > below.len &&
            span_caseeq(span_make(pattern.ptr + pattern.len - below.len, below.len), below));
}

const char *headers_host_refused(struct span host, bool has_path)
{
    size_t signs = 0, used;

    if (host.len == 0 || host.len > HEADERS_HOST_MAX || !has_path)
        return "has no host and path";
    for (size_t i = 0; i < host.len; i += used) {
        used = headers_sign_len(span_make(host.ptr + i, host.len - i));
        if (used == 0 && host.ptr[i] == ':')
            return "has a port, and lines are for all ports of a host";
        signs += used > 0;
        used += used == 0;
    }
    return signs > HEADERS_HOST_SIGNS_MAX ? "has more than two placeholders in its host" : NULL;
}

enum headers_host_holds headers_host_holds(struct span host, const struct headers_file_hosts *hosts)
{
    size_t all = 0, some = 0;

    for (size_t i = 0; i < hosts->count; i++) {
        struct span name = span_str(hosts->names[i]);

        if (host_is(host, name))
            all++;
        else if (host_may_be(host, name))
            some++;
    }
    if (all + some == 0)
        return HEADERS_HOST_FOR_NONE;
    return all == hosts->count ? HEADERS_HOST_FOR_ALL : HEADERS_HOST_FOR_SOME;
}
