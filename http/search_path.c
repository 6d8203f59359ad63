/* search_path.c: what a path names beneath a location's root. See search.h. */
#include "http/search.h"

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
    return true;
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
