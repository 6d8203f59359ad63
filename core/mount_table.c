/* mount_table.c: see mount_table.h. */
#include "core/mount_table.h"

#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool mount_type_tells(const char *type)
{
    static const char *const tell[] = { "ext2",   "ext3",     "ext4",   "xfs",   "btrfs",
                                        "tmpfs",  "ramfs",    "f2fs",   "zfs",   "bcachefs",
                                        "jfs",    "reiserfs", "nilfs2", "erofs", "squashfs",
                                        "vfat",   "exfat",    "ntfs3",  "udf",   "iso9660",
                                        "rootfs", "devtmpfs" };

    for (size_t i = 0; i < ARRAY_LEN(tell); i++)
        if (strcmp(type, tell[i]) == 0)
            return true;
    return false;
}

/* A line "36 35 98:0 /in/it /where options shared:1 - ext4 /dev/sda1 rw", whose names have no
 * blanks (proc(5)). It is written into. False: it is none. */
static bool read_line(char *line, struct mount_kind *ret_mount)
{
    char *end, *type = strstr(line, " - ");

    *ret_mount = (struct mount_kind){ .mount = strtoull(line, &end, 10) };
    if (type == NULL || end == line || *end != ' ')
        return false;
    type += 3;
    type[strcspn(type, " \n")] = '\0';
    ret_mount->tells = mount_type_tells(type);
    snprintf(ret_mount->type, sizeof(ret_mount->type), "%s", type);
    return true;
}

FILE *mount_table_open(void)
{
    return fopen("/proc/self/mountinfo", "re");
}

static int add(struct mount_table *table, const struct mount_kind *mount)
{
    if ((table->count & (table->count - 1)) == 0) { /* room for the next power of two */
        size_t room = table->count == 0 ? 1 : 2 * table->count;
        struct mount_kind *mounts = realloc(table->mounts, room * sizeof(mounts[0]));

        if (mounts == NULL)
            return -ENOMEM;
        table->mounts = mounts;
    }
    table->mounts[table->count++] = *mount;
    return 0;
}

int mount_table_read(FILE *mountinfo, struct mount_table *ret_table)
{
    struct mount_kind mount;
    char *line = NULL;
    size_t room = 0;
    int res = 0;

    *ret_table = (struct mount_table){ 0 };
    rewind(mountinfo);
    while (res == 0 && getline(&line, &room, mountinfo) > 0)
        if (read_line(line, &mount))
            res = add(ret_table, &mount);
    if (res == 0 && ferror(mountinfo))
        res = -EIO;
    free(line);
    return res;
}

struct mount_kind *mount_table_find(const struct mount_table *table, uint64_t mount)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->mounts[i].mount == mount)
            return &table->mounts[i];
    return NULL;
}

void mount_table_free(struct mount_table *table)
{
    free(table->mounts);
    *table = (struct mount_table){ 0 };
}
