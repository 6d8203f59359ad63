/* search.c: what the steps of the search (search.h) ask without a job: the status of an errno. The path
 * beneath the root: search_path.c. */
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
