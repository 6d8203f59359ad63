/* place.h: the folder in which a name stands, held open, and who else may put names there.
 *
 * Root must not open, create or remove by a name that somebody else may exchange on the way: the
 * class of CVE-2016-1247. So root walks a path folder by folder, from one descriptor to the next,
 * and whatever it does in the end it does to a name in a descriptor. Two questions decide:
 *
 *   shared    May others than root put names into this folder? Nobody may when root owns it and
 *             neither its group nor everybody may write to it (an access control list shows in the
 *             bits of the group, acl(5)). /proc is not shared: the kernel makes its names.
 *   movable   May others exchange the folder itself? They may when it lies in a shared one, unless
 *             that is sticky and both are root's (as /tmp/x). What lies in a movable folder counts
 *             as shared and movable.
 *
 * A link in a folder that is not shared is the administrator's own, and is followed. In a shared
 * one nothing is followed, except for reading: see PLACE_READ. Owners and permissions are always
 * those of a descriptor, so that nothing can be swapped between a look and its use.
 *
 * Who is not root (the user of a desk, and the server once it has dropped root) opens by path, as
 * ever: the kernel looks after him (proc_sys_fs(5), protected_symlinks), and a link can only lead
 * to what is his own to write. For him nothing is shared. */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum place_flags {
    PLACE_FOLLOW = 1, /* the name itself may be a link, too */
    /* What is there will only be read. A link in a shared folder is followed; who made it is
     * remembered in `suspect`: safe_open.h tells what it may lead to. */
    PLACE_READ = 2,
    /* Whoever asks is held to root's rules. */
    PLACE_JUDGE = 4
};

struct place {
    int dir_fd;  /* O_PATH; owned */
    bool judged; /* it was walked to, folder by folder: by root, or with PLACE_JUDGE */
    bool shared, movable;
    bool linked;    /* a link stood where the path's last name is */
    bool hidden;    /* a folder on the way does not let everybody through (counted anew from an
                       absolute link on) */
    bool of_kernel; /* the name is a link of the kernel's, below /proc/PID: to be followed */
    uid_t suspect;  /* PLACE_NOBODY, or who made the links that were followed */
    char name[NAME_MAX + 1]; /* in that folder; may not exist; "." for the folder itself */
};

#define PLACE_NOBODY ((uid_t)-1)

/* Finds the folder of `path`. 0 and a place that the caller closes, or -errno; then `*ret_what` is
 * a sentence's end without a full stop (static) where this file refused (-ELOOP), NULL where the
 * kernel did. Async-signal-safe. */
int place_open(const char *path, unsigned flags, struct place *ret_place, const char **ret_what);

/* The folder that the last path lay in: who opens many of one folder, one after the other, walks to
 * it once. What was judged is what is used, as ever; what others exchange on the way meanwhile is
 * not seen, so it is for a start, and not for long. For one thread. The caller owns it; NULL
 * (memory is short) does as well, only slower. */
struct place_memo;

struct place_memo *place_memo_create(void);
void place_memo_free(struct place_memo *memo); /* NULL is allowed */

/* As place_open(), by `memo`. */
int place_open_by(struct place_memo *memo, const char *path, unsigned flags,
                  struct place *ret_place, const char **ret_what);

/* May a file be created in the folder, as far as its permissions tell? 0 or -errno. */
int place_may_create(const struct place *place);

void place_close(struct place *place);

#endif
