/* file_made_up.c: see file_made_up.h. The types are statfs(2)'s and <linux/magic.h>'s. */
#include "core/file_made_up.h"
#include "core/check.h"

#include <linux/magic.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Not in that header. */
#define CONFIGFS_TYPE 0x62656570
#define FUSECTL_TYPE  0x65735543
#define RESCTRL_TYPE  0x7655821

enum { REAL_MAX = 16 };

/* File systems that hold real files: st_dev + 1; 0: free. Only this answer is kept, so that a
 * number that is given to another file system later can at worst hide what is made up. */
static atomic_uint_least64_t real[REAL_MAX];
static atomic_uint real_next;

static bool is_made_up_type(uint32_t type)
{
    static const uint32_t types[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC,        DEBUGFS_MAGIC,       TRACEFS_MAGIC,
        SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SELINUX_MAGIC,
        SMACK_MAGIC,      BPF_FS_MAGIC,       BINFMTFS_MAGIC,      NSFS_MAGIC,
        CONFIGFS_TYPE,    FUSECTL_TYPE,       RESCTRL_TYPE,        XENFS_SUPER_MAGIC,
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i] == type)
            return true;
    }
    return false;
}

bool file_made_up_is_known(dev_t dev)
{
    if (major(dev) != 0) /* a block device */
        return true;
    for (size_t i = 0; i < REAL_MAX; i++) {
        if (atomic_load_explicit(&real[i], memory_order_relaxed) == (uint64_t)dev + 1)
            return true;
    }
    return false;
}

bool file_made_up(int fd, dev_t dev)
{
    struct statfs fs;
    unsigned place;

    if (file_made_up_is_known(dev) || fstatfs(fd, &fs) < 0)
        return false;
    if (is_made_up_type((uint32_t)fs.f_type))
        return true;
    place = atomic_fetch_add_explicit(&real_next, 1, memory_order_relaxed) % REAL_MAX;
    atomic_store_explicit(&real[place], (uint64_t)dev + 1, memory_order_relaxed);
    return false;
}
