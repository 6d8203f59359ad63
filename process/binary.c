/* binary.c: see binary.h. */
#include "process/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char running[] = "/proc/self/exe";

static struct {
    char path[PATH_MAX];
    char **arguments;
} noted;

static bool is_this_program(const char *path)
{
    struct stat here, there;

    return stat(path, &there) == 0 && stat(running, &here) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

static bool take(const char *path)
{
    if (strlen(path) >= sizeof noted.path || !is_this_program(path))
        return false;
    snprintf(noted.path, sizeof noted.path, "%s", path);
    return true;
}

/* Takes `name` in folder[0..len) (empty: where we are), where that is this program. */
static bool take_in(const char *folder, size_t len, const char *name)
{
    char here[PATH_MAX] = "", path[2 * PATH_MAX];

    if ((len == 0 || folder[0] != '/') && getcwd(here, sizeof here) == NULL)
        return false;
    if (len >= PATH_MAX || strlen(name) >= PATH_MAX - 3)
        return false;
    snprintf(path, sizeof path, "%s%s%.*s/%s", here, here[0] != '\0' && len > 0 ? "/" : "",
             (int)len, folder, name);
    return take(path);
}

static bool search(const char *name)
{
    const char *folders = getenv("PATH");

    while (folders != NULL) {
        size_t len = strcspn(folders, ":");
        if (take_in(folders, len, name))
            return true;
        folders = folders[len] == ':' ? folders + len + 1 : NULL;
    }
    return false;
}

static void use_running(void)
{
    static const char gone[] = " (deleted)";
    char path[PATH_MAX];

    ssize_t len = readlink(running, path, sizeof path - 1);
    if (len <= 0)
        return;
    path[len] = '\0';
    size_t without = (size_t)len - (sizeof gone - 1);
    if ((size_t)len > sizeof gone - 1 && strcmp(path + without, gone) == 0)
        path[without] = '\0';
    snprintf(noted.path, sizeof noted.path, "%s", path);
}

int binary_note(int argc, char **argv)
{
    noted.arguments = calloc((size_t)argc + 1, sizeof noted.arguments[0]);
    if (noted.arguments == NULL)
        return -ENOMEM;
    memcpy(noted.arguments, argv, (size_t)argc * sizeof argv[0]);
    const char *name = argc > 0 ? argv[0] : "";
    bool found = name[0] == '/'              ? take(name)
                 : strchr(name, '/') != NULL ? take_in("", 0, name)
                                             : search(name);
    if (!found)
        use_running();
    return 0;
}

const char *binary_path(void)
{
    return noted.path;
}

void binary_set_path(const char *path, size_t len)
{
    if (len < sizeof noted.path) {
        memcpy(noted.path, path, len);
        noted.path[len] = '\0';
    }
}

char *const *binary_arguments(void)
{
    return noted.arguments;
}

int binary_open(void)
{
    int fd = open(running, O_PATH | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}
