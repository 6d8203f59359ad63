/* privileges.h: from root to an ordinary user, for good; and the descriptors a process may have.
 *
 * main calls these once, while there is one thread: find while configuring, give for what must be
 * opened again later, drop when everything that needs root is open. Started as an ordinary user,
 * there is nobody to become and only no_new_privs is set. */
#ifndef PROCESS_PRIVILEGES_H
#define PROCESS_PRIVILEGES_H

#include "config/config.h"
#include "core/safe_open.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PRIVILEGES_LOGIN_SIZE 256

/* Whom to become. */
struct privileges {
    bool drop;        /* started as root, and there is a user to become */
    uid_t uid;        /* of that user */
    gid_t gid;        /* the group that is named, else the user's primary one */
    const char *user; /* as it is configured, and borrowed from there; NULL when there is nothing to
                         drop */
    char login[PRIVILEGES_LOGIN_SIZE]; /* the user's name, by which its further groups are found;
                                          "": a number without a name, which has none */
};

/* Decides from config->user ("name", "name:group", either as a number) and config->allow_root. 0,
 * or -errno and one sentence: an unknown user
 * (-ENOENT), root that nobody allowed, or a set-user-ID start (both -EPERM). */
int privileges_find(const struct config *config, char *why, size_t why_size,
                    struct privileges *ret_privileges);

/* May the log that was opened as `file` be given to the user? It must when it is a regular file of
 * root's: then it may have one name only, and the path's last name is no link. 0, or -EMLINK and a
 * sentence that names `path`. Nothing changes. */
int privileges_give_check(const struct privileges *privileges, const char *path,
                          const struct safe_file *file, char *why, size_t why_size);

/* Gives that log to the user (fchown(2)) when it is root's, so that it can be opened again after
 * the drop; its group stays. safe_open() has refused what could be a trap in a folder that the user
 * may write to. Somebody else's file, devices and FIFOs stay whose they are. 0, or -errno and a
 * sentence; 0 at once when nothing is dropped. */
int privileges_give(const struct privileges *privileges, const char *path,
                    const struct safe_file *file, char *why, size_t why_size);

/* Sets groups, group and user (initgroups(3), setresgid(2), setresuid(2)) where the user changes,
 * then no_new_privs, and proves that it took and that root does not come back. Capabilities are
 * given up, whoever the server was started as (capabilities.h); root that serves keeps its own. 0,
 * or -errno and a sentence: the caller must not go on. */
int privileges_drop(const struct privileges *privileges, char *why, size_t why_size);

/* Raises RLIMIT_NOFILE's soft limit (and, where allowed, the hard one) to `needed` descriptors. 0,
 * or -errno and a sentence with the numbers; what could be had is in force then. */
int privileges_raise_files(uint64_t needed, char *why, size_t why_size);

#endif
