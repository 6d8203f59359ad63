/* file_system.c: see file_system.h. The types are statfs(2)'s and <linux/magic.h>'s. */
#include "core/file_system.h"
#include "core/check.h"

#include <linux/magic.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Not in that header. */
#define AUFS_TYPE     0x61756673
#define BCACHEFS_TYPE 0xca451a4e
#define CONFIGFS_TYPE 0x62656570
#define FUSECTL_TYPE  0x65735543
#define RESCTRL_TYPE  0x7655821
#define UBIFS_TYPE    0x24051905
#define ZFS_TYPE      0x2fc12fc1

enum { KNOWN_MAX = 16 };

/* File systems that hold real files: st_dev + 1, and a bit more for those that are remote; 0: free.
 * Only these are kept, so that a number that is given to another file system later can at worst
 * hide what is made up, or have somebody wait. */
static atomic_uint_least64_t known[KNOWN_MAX];
static atomic_uint known_next;

static bool is_among(uint32_t type, const uint32_t *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (types[i] == type)
            return true;
    }
    return false;
}

static bool is_made_up_type(uint32_t type)
{
    static const uint32_t types[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC,        DEBUGFS_MAGIC,       TRACEFS_MAGIC,
        SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SELINUX_MAGIC,
        SMACK_MAGIC,      BPF_FS_MAGIC,       BINFMTFS_MAGIC,      NSFS_MAGIC,
        CONFIGFS_TYPE,    FUSECTL_TYPE,       RESCTRL_TYPE,        XENFS_SUPER_MAGIC,
    };

    return is_among(type, types, ARRAY_LEN(types));
}

/* Those without a block device of their own that answer by themselves. What is not known here is
 * taken for remote, which costs a copy and no more. */
static bool is_local_type(uint32_t type)
{
    static const uint32_t types[] = {
        TMPFS_MAGIC,          RAMFS_MAGIC, OVERLAYFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
        HUGETLBFS_MAGIC,      ZFS_TYPE,    BCACHEFS_TYPE,         UBIFS_TYPE,
        ECRYPTFS_SUPER_MAGIC, AUFS_TYPE,
    };

    return is_among(type, types, ARRAY_LEN(types));
}

static uint64_t word_of(dev_t dev, bool remote)
{
    return ((uint64_t)dev + 1) << 1 | remote;
}

bool file_system_is_known(dev_t dev, enum file_system *ret_kind)
{
    bool found = major(dev) != 0; /* a block device */
    bool remote = false;

    for (size_t i = 0; i < KNOWN_MAX && !found; i++) {
        uint64_t word = atomic_load_explicit(&known[i], memory_order_relaxed);

        found = (word | 1) == word_of(dev, true);
        remote = found && (word & 1) != 0;
    }
    if (found)
        *ret_kind = remote ? FILE_SYSTEM_REMOTE : FILE_SYSTEM_LOCAL;
    return found;
}

enum file_system file_system_of(int fd, dev_t dev)
{
    struct statfs fs;
    enum file_system kind;

    if (file_system_is_known(dev, &kind))
        return kind;
    if (fstatfs(fd, &fs) < 0)
        return FILE_SYSTEM_LOCAL;
    if (is_made_up_type((uint32_t)fs.f_type))
        return FILE_SYSTEM_MADE_UP;
    bool remote = !is_local_type((uint32_t)fs.f_type);
    unsigned place = atomic_fetch_add_explicit(&known_next, 1, memory_order_relaxed) % KNOWN_MAX;
    atomic_store_explicit(&known[place], word_of(dev, remote), memory_order_relaxed);
    return remote ? FILE_SYSTEM_REMOTE : FILE_SYSTEM_LOCAL;
}

bool file_system_in_memory(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}
