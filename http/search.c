/* search.c: what the steps of the search (search.h) ask without a job: the status of an errno, the path
 * beneath the root. */
#include "http/search.h"

#include <errno.h>
#include <string.h>

int http_search_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV: /* a link that leaves the root */
    case EISDIR:
        return 404;
    case EACCES:
    case EPERM:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

bool http_search_map_path(const struct location *location, struct span uri, struct span *ret_name)
{
    struct span prefix = location->prefix;
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
