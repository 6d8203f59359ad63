/* mounts.c: see mounts.h. */
#include "core/mounts.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types as mount(8) has them. What is not here is taken for local: who lies about that is found by
 * its number at the first look (file_system.h). */
static bool is_remote_type(const char *type)
{
    static const char *const types[] = {
        "nfs",      "nfs4",   "cifs", "smb3",   "9p",   "ceph",     "afs",    "fuse",
        "virtiofs", "lustre", "gpfs", "vboxsf", "coda", "orangefs", "beegfs", "autofs",
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(type, types[i]) == 0)
            return true;
    }
    return strncmp(type, "fuse.", 5) == 0;
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

static void add(struct mounts *mounts, const char *point)
{
    char **points = realloc(mounts->points, (mounts->count + 1) * sizeof(points[0]));
    char *copy = strdup(point);

    if (points != NULL)
        mounts->points = points;
    if (points == NULL || copy == NULL) {
        free(copy);
        return;
    }
    unescape(copy);
    points[mounts->count++] = copy;
}

void mounts_find_remote(struct mounts *ret_mounts)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t size = 0;

    *ret_mounts = (struct mounts){ .count = 0 };
    while (file != NULL && getline(&line, &size, file) > 0) {
        char *type = strstr(line, " - "), *rest = line, *point = NULL;

        if (type == NULL)
            continue;
        *type = '\0';
        type = strtok_r(type + 3, " ", &(char *){ NULL });
        for (int i = 0; i < 5; i++) /* id, parent, device, root, mount point */
            point = strsep(&rest, " ");
        if (type != NULL && point != NULL && is_remote_type(type))
            add(ret_mounts, point);
    }
    free(line);
    if (file != NULL)
        fclose(file);
}

bool mounts_are_below(const struct mounts *mounts, const char *path)
{
    size_t len = strcmp(path, "/") == 0 ? 0 : strlen(path);

    for (size_t i = 0; i < mounts->count; i++) {
        if (strncmp(mounts->points[i], path, len) == 0 && mounts->points[i][len] == '/')
            return true;
    }
    return false;
}

void mounts_free(struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        free(mounts->points[i]);
    free(mounts->points);
}
