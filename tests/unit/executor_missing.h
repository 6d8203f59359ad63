/* executor_missing.h: where a test of an executor of file reads cannot run. Included behind
 * cmocka.h.
 */
#ifndef TESTS_UNIT_EXECUTOR_MISSING_H
#define TESTS_UNIT_EXECUTOR_MISSING_H

#include "engines/files/file_executor.h"

#include <errno.h>

/* Says so. glibc's threads of POSIX AIO make threads that ThreadSanitizer never hears of, and its
 * allocator crashes in them. io_uring may be forbidden, as by the seccomp filter of a container. */
static inline bool executor_is_missing(const struct file_executor_ops *ops)
{
    char why[600] = "";
#ifdef __SANITIZE_THREAD__
    if (ops == &file_executor_posix_aio) {
        print_message("skipped: ThreadSanitizer cannot bear glibc's threads of POSIX AIO\n");
        return true;
    }
#endif
    int res = ops->probe(1, why, sizeof(why));
    if (res == -EPERM || res == -ENOSYS || res == -EACCES) {
        print_message("skipped: %s\n", why);
        return true;
    }
    if (res < 0)
        fail_msg("%s", why);
    return false;
}

#endif
