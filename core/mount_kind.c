/* mount_kind.c: see mount_kind.h. */
#include "core/mount_kind.h"

#include "core/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a line "36 35 98:0 /in/it /where options shared:1 - ext4 /dev/sda1 rw": is it that of the
 * mount? Then its type. */
static bool read_line(const char *line, uint64_t mount, char *kind, size_t size)
{
    char *end;
    const char *type = strstr(line, " - ");

    if (strtoull(line, &end, 10) != mount || end == line || type == NULL)
        return false;
    type += 3;
    snprintf(kind, size, "%.*s", (int)strcspn(type, " \n"), type);
    return true;
}

void mount_kind(uint64_t mount, char *kind, size_t size)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;

    CHECK(size > 0);
    kind[0] = '\0';
    if (file == NULL)
        return;
    while (getline(&line, &room, file) > 0 && !read_line(line, mount, kind, size))
        ;
    free(line);
    fclose(file);
}

bool mount_kind_tells(const char *kind)
{
    static const char *const tell[] = { "ext2",   "ext3",     "ext4",   "xfs",   "btrfs",
                                        "tmpfs",  "ramfs",    "f2fs",   "zfs",   "bcachefs",
                                        "jfs",    "reiserfs", "nilfs2", "erofs", "squashfs",
                                        "vfat",   "exfat",    "ntfs3",  "udf",   "iso9660",
                                        "rootfs", "devtmpfs" };

    for (size_t i = 0; i < ARRAY_LEN(tell); i++)
        if (strcmp(kind, tell[i]) == 0)
            return true;
    return false;
}
