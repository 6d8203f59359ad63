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
    case ESTALE: /* a server of files has another one there by now, also at a second look; or it, */
    case ETIMEDOUT: /* or the process of a FUSE, is down */
    case ENOTCONN:
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
        return 503;
    default:
        return 500;
    }
}
