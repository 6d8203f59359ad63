/* safe_open.c: opens first, without following, judges the descriptor, and only then hands it out:
 * what was judged is what is written to. */
#include "core/safe_open.h"

#include "core/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TRIES_MAX = 16, /* of somebody who makes and removes the name under our hands */
    ALWAYS = O_CLOEXEC | O_NOCTTY | O_NONBLOCK
};

static const struct {
    unsigned place;
    int flags;
    mode_t mode;
    bool made; /* where it is missing */
    bool no_link;
    bool regular_only;
} uses[] = {
    [SAFE_LOG] = { PLACE_FOLLOW, O_WRONLY | O_APPEND | ALWAYS, 0640, .made = true },
    [SAFE_PID] = { 0, O_RDWR | ALWAYS, 0644, .made = true, .no_link = true, .regular_only = true },
    [SAFE_READ] = { PLACE_FOLLOW | PLACE_READ, O_RDONLY | ALWAYS, 0, .made = false },
    [SAFE_FOLDER] = { PLACE_FOLLOW | PLACE_READ, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                      .made = false },
    [SAFE_STREAM] = { PLACE_FOLLOW, O_WRONLY | O_APPEND | ALWAYS, 0, .made = false },
};

#define IN_SHARED "others than root may write to its folder: "

static const char second_name[] =
    "it has a second name (a hard link), and " IN_SHARED "remove it, or take a folder of root's";
static const char strange_owner[] =
    "it does not belong to the user who serves, and " IN_SHARED
    "give it to that user (chown), remove it, or take a folder of root's";
static const char roots_own[] =
    "it is root's and not empty, and " IN_SHARED
    "give it to the user who serves (chown), remove it, or take a folder of root's";
static const char strange_kind[] =
    "it is neither a regular file nor a FIFO, and " IN_SHARED "take a folder of root's";
static const char led_to_others[] = "a link of an ordinary user's leads to it, who does not own "
                                    "it, and it is not open to everybody: "
                                    "name the file itself";
static const char dangling[] =
    "it is a link to nothing, and what was made through a link would not be given to the user who "
    "serves: name the file itself";
static const char is_link[] = "it is a symbolic link: name the file itself";
static const char not_regular[] = "it is not a regular file";

static int refuse(int error, const char *what, const char **ret_what)
{
    *ret_what = what;
    return error;
}

/* May this be written to, where others may have put it? */
static int judge_written(enum safe_use use, const struct stat *info, uid_t owner,
                         const char **ret_what)
{
    bool regular = S_ISREG(info->st_mode);

    if (!regular && !S_ISFIFO(info->st_mode))
        return refuse(-EPERM, strange_kind, ret_what);
    if (info->st_nlink != 1)
        return refuse(-EMLINK, second_name, ret_what);
    if (info->st_uid == owner)
        return 0;
    if (info->st_uid != 0)
        return refuse(-EPERM, strange_owner, ret_what);
    if (regular && info->st_size != 0 && use != SAFE_PID)
        return refuse(-EPERM, roots_own, ret_what);
    return 0;
}

/* Can everybody read it? Then a link to it gives nothing away. */
static bool is_public(const struct place *place, const struct stat *info)
{
    mode_t wanted = S_IRUSR | S_IRGRP | S_IROTH;

    if (S_ISDIR(info->st_mode))
        wanted |= S_IXUSR | S_IXGRP | S_IXOTH;
    return !place->hidden && (info->st_mode & wanted) == wanted;
}

/* May this be read, where others may have put it, or a link to it? */
static int judge_read(const struct place *place, const struct stat *info, const char **ret_what)
{
    if (place->suspect != PLACE_NOBODY && info->st_uid != place->suspect && !is_public(place, info))
        return refuse(-ELOOP, led_to_others, ret_what);
    if (!S_ISDIR(info->st_mode) && info->st_nlink != 1)
        return refuse(-EMLINK, second_name, ret_what);
    return 0;
}

/* What does root think of the open `fd`? 0, or -errno and a reason. */
static int judge(enum safe_use use, const struct place *place, int fd, uid_t owner,
                 const char **ret_what)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return -errno;
    if (uses[use].regular_only && !S_ISREG(info.st_mode))
        return refuse(-EINVAL, not_regular, ret_what);
    if (!place->judged || (!place->shared && place->suspect == PLACE_NOBODY))
        return 0;
    return (uses[use].flags & O_ACCMODE) != O_RDONLY ? judge_written(use, &info, owner, ret_what)
                                                     : judge_read(place, &info, ret_what);
}

/* What keeps the last name from being a link that is followed. */
static int no_follow(enum safe_use use, const struct place *place)
{
    if (uses[use].no_link)
        return O_NOFOLLOW;
    return !place->judged || place->of_kernel ? 0 : O_NOFOLLOW;
}

/* Opens what is there, or makes it and nothing else. The descriptor or -errno. */
static int open_or_make(enum safe_use use, const struct place *place, bool make, bool *ret_created)
{
    int flags = uses[use].flags | no_follow(use, place);

    *ret_created = false;
    for (int i = 0; i < TRIES_MAX; i++) {
        int fd = openat(place->dir_fd, place->name, flags);
        if (fd >= 0 || errno != ENOENT || !make)
            return fd >= 0 ? fd : -errno;
        fd = openat(place->dir_fd, place->name, flags | O_CREAT | O_EXCL, uses[use].mode);
        *ret_created = fd >= 0;
        if (fd >= 0 || errno != EEXIST)
            return fd >= 0 ? fd : -errno;
    }
    return -EEXIST;
}

static int open_at(enum safe_use use, const struct place *place, uid_t owner, bool make,
                   struct safe_file *ret_file, const char **ret_what)
{
    struct safe_file file = { .linked = place->linked };

    *ret_what = NULL;
    file.fd = open_or_make(use, place, make, &file.created);
    if (file.fd == -ELOOP)
        *ret_what = is_link;
    if (file.fd < 0)
        return file.fd;
    int error = file.created ? 0 : judge(use, place, file.fd, owner, ret_what);
    if (error < 0) {
        close(file.fd);
        return error;
    }
    *ret_file = file;
    return 0;
}

/* May the name be made where it is missing? */
static bool may_make(enum safe_use use, const struct place *place, uid_t owner)
{
    return uses[use].made && (!place->linked || owner == geteuid());
}

int safe_open_at(enum safe_use use, const struct place *place, uid_t owner,
                 struct safe_file *ret_file, const char **ret_what)
{
    bool make = may_make(use, place, owner);

    int error = open_at(use, place, owner, make, ret_file, ret_what);
    if (error == -ENOENT && uses[use].made && !make)
        *ret_what = dangling;
    return error;
}

/* Who is not root: the kernel's own ways, with its own protections. */
static int open_plainly(enum safe_use use, const char *path, struct safe_file *ret_file,
                        const char **ret_what)
{
    int flags = uses[use].flags | (uses[use].made ? O_CREAT : 0);

    *ret_what = NULL;
    int fd = open(path, flags, uses[use].mode);
    if (fd < 0)
        return -errno;
    *ret_file = (struct safe_file){ .fd = fd };
    return 0;
}

int safe_open_by(struct place_memo *memo, enum safe_use use, const char *path, uid_t owner,
                 struct safe_file *ret_file, const char **ret_what)
{
    struct place place;

    CHECK((size_t)use < ARRAY_LEN(uses));
    if (geteuid() != 0 && !uses[use].no_link)
        return open_plainly(use, path, ret_file, ret_what);
    int error = place_open_by(memo, path, uses[use].place, &place, ret_what);
    if (error < 0)
        return error;
    error = safe_open_at(use, &place, owner, ret_file, ret_what);
    place_close(&place);
    return error;
}

int safe_open(enum safe_use use, const char *path, uid_t owner, struct safe_file *ret_file,
              const char **ret_what)
{
    return safe_open_by(NULL, use, path, owner, ret_file, ret_what);
}

int safe_open_guarded(const char *path, struct safe_file *ret_file, const char **ret_what)
{
    struct place place;

    int error = place_open(path, uses[SAFE_FOLDER].place | PLACE_JUDGE, &place, ret_what);
    if (error < 0)
        return error;
    error = safe_open_at(SAFE_FOLDER, &place, 0, ret_file, ret_what);
    place_close(&place);
    return error;
}

int safe_open_listing(const char *path, DIR **ret_dir, const char **ret_what)
{
    struct safe_file folder;

    *ret_what = NULL;
    int error = safe_open(SAFE_FOLDER, path, 0, &folder, ret_what);
    if (error < 0)
        return error;
    int fd = openat(folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    error = fd < 0 ? -errno : 0;
    close(folder.fd);
    if (error < 0)
        return error;
    *ret_dir = fdopendir(fd);
    if (*ret_dir == NULL) {
        close(fd);
        return -ENOMEM;
    }
    return 0;
}

int safe_open_check(enum safe_use use, const char *path, uid_t owner, struct safe_file *ret_file,
                    const char **ret_what)
{
    struct place place;

    int error = place_open(path, uses[use].place, &place, ret_what);
    if (error < 0)
        return error;
    error = open_at(use, &place, owner, false, ret_file, ret_what);
    if (error == -ENOENT && may_make(use, &place, owner)) {
        *ret_file = (struct safe_file){ .fd = -1 };
        error = place_may_create(&place);
    } else if (error == -ENOENT) {
        *ret_what = dangling;
    }
    place_close(&place);
    return error;
}

const char *safe_open_text(int error, const char *what)
{
    return what != NULL ? what : strerror(-error);
}
