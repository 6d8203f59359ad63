/* config_glob.c: glob(3), in an order that depends on nothing but the names. */
#include "config/config_glob.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* A folder that is not there holds nothing; one that cannot be read might hold what is meant.
 * glob(3) tells the number that comes with GLOB_ABORTED nowhere else. */
static int is_fault(const char *path, int number)
{
    (void)path;
    errno = number;
    return number != ENOENT && number != ENOTDIR;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths as one text. The order of glob(3) depends on the locale, this one does not. 0 or
 * -ENOMEM. */
static int paths_join(const glob_t *found, char **ret_paths, size_t *ret_len)
{
    size_t len = 0;
    char *text;

    for (size_t i = 0; i < found->gl_pathc; i++)
        len += strlen(found->gl_pathv[i]) + 1;
    text = malloc(len + 1);
    if (text == NULL)
        return -ENOMEM;
    *ret_paths = text;
    *ret_len = len;
    if (found->gl_pathc > 0)
        qsort(found->gl_pathv, found->gl_pathc, sizeof(found->gl_pathv[0]), compare_paths);
    for (size_t i = 0; i < found->gl_pathc; i++) {
        size_t size = strlen(found->gl_pathv[i]) + 1;

        memcpy(text, found->gl_pathv[i], size);
        text += size;
    }
    return 0;
}

int config_glob(const char *pattern, char **ret_paths, size_t *ret_len)
{
    glob_t found = { .gl_pathc = 0 };
    int res;

    errno = 0;
    res = glob(pattern, GLOB_NOSORT, is_fault, &found);
    if (res == GLOB_ABORTED)
        res = errno > 0 ? -errno : -EIO;
    else if (res == GLOB_NOSPACE)
        res = -ENOMEM;
    else /* or nothing matches, and there are no paths */
        res = paths_join(&found, ret_paths, ret_len);
    globfree(&found);
    return res;
}
