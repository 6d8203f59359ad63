/* uring_missing.h: what a test does that gets no ring. Included behind cmocka.h. */
#ifndef TESTS_UNIT_URING_MISSING_H
#define TESTS_UNIT_URING_MISSING_H

#include <errno.h>

/* There is no ring: -errno, and the sentence of uring_probe(). Where the kernel refuses any, as by
 * the seccomp filter of a container, the test is skipped; otherwise it fails. Does not return. */
static inline void uring_is_missing(int res, const char *why)
{
    if (res != -EPERM && res != -EACCES && res != -ENOSYS)
        fail_msg("%s", why);
    print_message("skipped: %s\n", why);
    skip();
}

#endif
