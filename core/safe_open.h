/* safe_open.h: every file that root opens or creates by a name: what may be there, and what is
 * refused before a single octet is written, truncated or given away.
 *
 * Where others than root may put names into the folder (place.h: it is shared), what stands there
 * may be somebody's trap. There root takes, for writing, what it has just made itself (O_EXCL); a
 * regular file or FIFO that has one name and belongs to `owner`, the user who will serve; and a
 * FIFO or an empty regular file of root's with one name. One that is not empty may be any file of
 * root's that was moved there, or whose other name is gone since: it is not written to, nor given
 * away. A pid file is overwritten all the same: it is never given away, and who can put it there
 * can as well remove it.
 *
 * For reading: a file with one name; and what was reached through somebody's link there must be
 * that somebody's own, or open to everybody with all folders above it, lest root reads for him what
 * he may not.
 *
 * In a folder of root's own everything is the administrator's, links, devices and FIFOs too:
 * /dev/stdout, /dev/null. Who is not root opens as open(2) does. */
#ifndef CORE_SAFE_OPEN_H
#define CORE_SAFE_OPEN_H

#include "core/place.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>

/* What for. All are close-on-exec, never a controlling terminal, and never block. */
enum safe_use {
    SAFE_LOG,  /* for append, made with 0640 where it is missing */
    SAFE_PID,  /* to be overwritten, made with 0644; no link at the end, even for an ordinary user;
                  nothing but a regular file */
    SAFE_READ, /* for reading */
    SAFE_FOLDER, /* a folder, O_PATH */
    SAFE_STREAM, /* as SAFE_LOG, and what is there: AppArmor would log that it denies making
                    /proc/self/fd/2, though nobody makes it */
};

struct safe_file {
    int fd; /* owned; -1: there is none (safe_open_check()) */
    bool created;
    bool linked; /* the path's last name is a link */
};

/* Opens `path` as root, or as who we are. `owner` will serve in the end; for reading it does not
 * matter. 0 and a file, or -errno; then `*ret_what` is the end of a sentence, static, or NULL where
 * strerror(3) says it (safe_open_text()). Async-signal-safe. */
int safe_open(enum safe_use use, const char *path, uid_t owner, struct safe_file *ret_file,
              const char **ret_what);

/* As safe_open(), walking by `memo` (place.h; or NULL). */
int safe_open_by(struct place_memo *memo, enum safe_use use, const char *path, uid_t owner,
                 struct safe_file *ret_file, const char **ret_what);

/* Opens a folder (SAFE_FOLDER) by root's rules, whoever we are: for what root opened at the start
 * and the user who serves opens again. As safe_open(). */
int safe_open_guarded(const char *path, struct safe_file *ret_file, const char **ret_what);

/* Opens a folder (SAFE_FOLDER), to read the names in it: `ret_dir` is the caller's (closedir(3)).
 * As safe_open(). */
int safe_open_listing(const char *path, DIR **ret_dir, const char **ret_what);

/* The same for a name in a place that was opened with PLACE_FOLLOW (SAFE_LOG) or without
 * (SAFE_PID). */
int safe_open_at(enum safe_use use, const struct place *place, uid_t owner,
                 struct safe_file *ret_file, const char **ret_what);

/* Would safe_open() succeed? Creates nothing. 0, and the file where there is one (fd -1: it would
 * be made); or as safe_open(). For SAFE_LOG and SAFE_PID. */
int safe_open_check(enum safe_use use, const char *path, uid_t owner, struct safe_file *ret_file,
                    const char **ret_what);

/* `what`, or what strerror(3) says of `error` (-errno). */
const char *safe_open_text(int error, const char *what);

#endif
