/* capabilities.c: see capabilities.h. capget(2) and capset(2) have no function in the C library. */
#include "process/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAPABILITIES_MAX = 64 }; /* bits of a set */

struct sets {
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static int read_sets(struct sets *ret_sets)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return syscall(SYS_capget, &header, ret_sets->words) == 0 ? 0 : -errno;
}

static int write_sets(const struct sets *sets)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return syscall(SYS_capset, &header, sets->words) == 0 ? 0 : -errno;
}

static bool are_empty(const struct sets *sets)
{
    static const struct sets none;

    return memcmp(sets, &none, sizeof none) == 0;
}

/* Is one in the ambient set? A kernel without that (before 4.3) has none there. */
static bool has_ambient(void)
{
    for (unsigned long i = 0; i < CAPABILITIES_MAX; i++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
            return true;
    }
    return false;
}

static int refuse(int error, char *why, size_t why_size)
{
    snprintf(why, why_size,
             "the capabilities that the server was started with cannot be given up (capset): %s",
             strerror(-error));
    return error;
}

void capabilities_drop_bounding(void)
{
    for (unsigned long i = 0; i < CAPABILITIES_MAX; i++) {
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    }
}

int capabilities_drop_inherited(char *why, size_t why_size)
{
    struct sets sets;
    bool inheritable = false;

    if (has_ambient() && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return refuse(-errno, why, why_size);
    int error = read_sets(&sets);
    for (size_t i = 0; error == 0 && i < _LINUX_CAPABILITY_U32S_3; i++) {
        inheritable = inheritable || sets.words[i].inheritable != 0;
        sets.words[i].inheritable = 0;
    }
    if (error == 0 && inheritable)
        error = write_sets(&sets);
    return error < 0 ? refuse(error, why, why_size) : 0;
}

int capabilities_drop_all(char *why, size_t why_size)
{
    static const struct sets none;
    struct sets sets;

    int error = capabilities_drop_inherited(why, why_size);
    if (error < 0)
        return error;
    error = read_sets(&sets);
    if (error == 0 && !are_empty(&sets)) {
        error = write_sets(&none);
        if (error == 0)
            error = read_sets(&sets);
    }
    if (error < 0)
        return refuse(error, why, why_size);
    if (are_empty(&sets) && !has_ambient())
        return 0;
    snprintf(why, why_size, "capabilities were given up and are still there: refusing to serve");
    return -EPERM;
}
