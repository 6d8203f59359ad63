/* mount_kind.h: does the file system of a mount tell inotify(7) of all changes? Those of this
 * machine's own disks and memory do; not those where another machine, a program or a lower layer
 * makes changes. */
#ifndef CORE_MOUNT_KIND_H
#define CORE_MOUNT_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looks the mount of that number (statx(2), STATX_MNT_ID) up in /proc/self/mountinfo (proc(5)),
 * which waits for no file server. `kind`: the name of its type, or "" where there is no such mount
 * or no /proc. */
void mount_kind(uint64_t mount, char *kind, size_t size);

/* Pure. */
bool mount_kind_tells(const char *kind);

#endif
