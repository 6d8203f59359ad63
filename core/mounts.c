/* mounts.c: see mounts.h. */
#include "core/mounts.h"

#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_among(const char *type, const char *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(type, types[i]) == 0)
            return true;
    }
    return false;
}

/* Types as mount(8) has them. What is not here is taken for local: who lies about that is found by
 * its number at the first look (file_system.h). */
static bool is_remote(const char *type)
{
    static const char *const types[] = {
        "nfs",      "nfs4",   "cifs", "smb3",   "9p",   "ceph",     "afs",    "fuse",
        "virtiofs", "lustre", "gpfs", "vboxsf", "coda", "orangefs", "beegfs", "autofs",
    };

    return is_among(type, types, ARRAY_LEN(types)) || strncmp(type, "fuse.", 5) == 0;
}

/* What is not here is not relied on. */
static bool tells(const char *type)
{
    static const char *const types[] = {
        "ext2",  "ext3",     "ext4", "xfs",      "btrfs",  "tmpfs",    "ramfs",    "f2fs",
        "zfs",   "bcachefs", "jfs",  "reiserfs", "nilfs2", "erofs",    "squashfs", "vfat",
        "exfat", "ntfs3",    "udf",  "iso9660",  "rootfs", "devtmpfs",
    };

    return is_among(type, types, ARRAY_LEN(types));
}

static bool is_escape(const char *at)
{
    return at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && strspn(at + 1, "01234567") >= 3;
}

/* "\040" and its like become the octets that they stand for. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0'; to++) {
        if (is_escape(at)) {
            *to = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = '\0';
}

/* A line "36 35 98:0 /in/it /where options shared:1 - ext4 /dev/sda1 rw", whose names have no
 * blanks (proc(5)). It is written into, and `point` is in it. False: it is none. */
static bool read_line(char *line, struct mount *ret_mount)
{
    char *end, *rest = line, *point = NULL, *type = strstr(line, " - ");

    *ret_mount = (struct mount){ .number = strtoull(line, &end, 10) };
    if (type == NULL || end == line || *end != ' ')
        return false;
    *type = '\0';
    type += 3;
    type[strcspn(type, " \n")] = '\0';
    for (int i = 0; i < 5; i++) /* number, parent, device, root, mount point */
        point = strsep(&rest, " ");
    ret_mount->remote = point != NULL && is_remote(type);
    ret_mount->point = ret_mount->remote ? point : NULL;
    ret_mount->tells = tells(type);
    snprintf(ret_mount->type, sizeof(ret_mount->type), "%s", type);
    return true;
}

FILE *mounts_open(void)
{
    return fopen("/proc/self/mountinfo", "re");
}

static int add(struct mounts *mounts, const struct mount *mount)
{
    char *point = NULL;

    if ((mounts->count & (mounts->count - 1)) == 0) { /* room for the next power of two */
        size_t room = mounts->count == 0 ? 1 : 2 * mounts->count;
        struct mount *all = realloc(mounts->all, room * sizeof(all[0]));

        if (all == NULL)
            return -ENOMEM;
        mounts->all = all;
    }
    if (mount->remote) {
        point = strdup(mount->point);
        if (point == NULL)
            return -ENOMEM;
        unescape(point);
        mounts->remote_count++;
    }
    mounts->all[mounts->count] = *mount;
    mounts->all[mounts->count++].point = point;
    return 0;
}

int mounts_read(FILE *mountinfo, struct mounts *ret_mounts)
{
    struct mount mount;
    char *line = NULL;
    size_t room = 0;
    int res = 0;

    *ret_mounts = (struct mounts){ 0 };
    rewind(mountinfo);
    while (res == 0 && getline(&line, &room, mountinfo) > 0) {
        if (read_line(line, &mount))
            res = add(ret_mounts, &mount);
    }
    if (res == 0 && ferror(mountinfo))
        res = -EIO;
    free(line);
    return res;
}

void mounts_read_once(struct mounts *ret_mounts)
{
    FILE *mountinfo = mounts_open();

    *ret_mounts = (struct mounts){ 0 };
    if (mountinfo == NULL)
        return;
    (void)mounts_read(mountinfo, ret_mounts);
    fclose(mountinfo);
}

struct mount *mounts_find(const struct mounts *mounts, uint64_t number)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->all[i].number == number)
            return &mounts->all[i];
    }
    return NULL;
}

bool mounts_remote_below(const struct mounts *mounts, const char *path)
{
    size_t len = strcmp(path, "/") == 0 ? 0 : strlen(path);

    for (size_t i = 0; i < mounts->count; i++) {
        const char *point = mounts->all[i].point;

        if (point != NULL && strncmp(point, path, len) == 0 && point[len] == '/')
            return true;
    }
    return false;
}

void mounts_free(struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        free(mounts->all[i].point);
    free(mounts->all);
    *mounts = (struct mounts){ 0 };
}
