/* search_path.c: what a path names beneath a location's root. See search.h. */
#include "http/search.h"

#include "config/config_headers.h"

#include <string.h>

bool http_search_map_path(const struct location *location, struct span uri, struct span *ret_name)
{
    struct span prefix = location->prefix;
    if (location->file.len > 0) {
        *ret_name = location->file;
        return span_eq(uri, prefix);
    }
    if (location->strip_prefix) {
        if (uri.len < prefix.len - 1 || memcmp(uri.ptr, prefix.ptr, prefix.len - 1) != 0)
            return false;
        uri.ptr += prefix.len - 1;
        uri.len -= prefix.len - 1;
    }
    if (uri.len > 0 && uri.ptr[0] == '/') {
        uri.ptr++;
        uri.len--;
    }
    if (uri.len > 0 && uri.ptr[uri.len - 1] == '/')
        uri.len--;
    *ret_name = uri;
    return !http_search_is_withheld(location, uri);
}

bool http_search_is_withheld(const struct location *location, struct span name)
{
    return location->headers_file && span_eq(name, SPAN_LIT(CONFIG_HEADERS_FILE));
}

bool http_search_is_hidden(struct span uri)
{
    static const char well_known[] = "/.well-known";
    size_t len = sizeof(well_known) - 1;
    if (uri.len >= len && memcmp(uri.ptr, well_known, len) == 0 &&
        (uri.len == len || uri.ptr[len] == '/')) {
        uri.ptr += len;
        uri.len -= len;
    }
    const char *found = memmem(uri.ptr, uri.len, "/.", 2);
    return found != NULL;
}

bool http_search_expand_try(struct http_exchange *x, const char *pattern)
{
    struct span path = x->target.path;
    size_t len = 0;
    while (*pattern != '\0') {
        struct span piece = { pattern, 1 };
        if (strncmp(pattern, "$uri", 4) == 0) {
            piece = path;
            pattern += 3;
            /* "$uri/index.html" for "/docs/": one slash. */
            if (pattern[1] == '/' && piece.len > 0 && piece.ptr[piece.len - 1] == '/')
                piece.len--;
        }
        pattern++;
        if (len + piece.len >= sizeof(x->try_text))
            return false;
        memcpy(x->try_text + len, piece.ptr, piece.len);
        len += piece.len;
    }
    x->search.uri = span_make(x->try_text, len);
    return true;
}
