/* search_status.c: what an errno of opening a file is answered with. See search.h. */
#include "http/search.h"

#include <errno.h>

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
