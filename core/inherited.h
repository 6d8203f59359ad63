/* inherited.h: descriptors that whoever started this process has passed by LISTEN_FDS, LISTEN_PID
 * and LISTEN_FDNAMES (sd_listen_fds(3)): listening sockets of a service manager, and all that a
 * predecessor in this very process has left before it executed this binary.
 *
 * Each is somebody's in the end: who has a use for it claims it; the rest is closed and told. Of
 * the process, for its first thread. */
#ifndef CORE_INHERITED_H
#define CORE_INHERITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INHERITED_FIRST = 3, /* the number of the first one (SD_LISTEN_FDS_START) */
    INHERITED_MAX = 65536,
    INHERITED_ADDRESS_MAX = 110 /* bytes of an address as text, with its end */
};

enum inherited_kind {
    INHERITED_IPV4,
    INHERITED_IPV6,
    INHERITED_UNIX, /* these three are stream sockets that listen */
    INHERITED_OTHER
};

struct inherited {
    int fd;
    const char *name;   /* from LISTEN_FDNAMES; "unknown" where that is not set */
    const char *reason; /* INHERITED_OTHER: what it is instead: "a datagram socket" */
    enum inherited_kind kind;
    bool claimed;
    char address[INHERITED_ADDRESS_MAX]; /* numeric, or the path of a unix socket, without a name ""
                                          */
    uint16_t port;
    bool ipv6_only;
};

/* Notes what was passed to this process, makes it close-on-exec, and removes the variables, so that
 * no child takes it for its own. Once, before anything is opened. What LISTEN_PID says is for
 * another process is left alone. */
void inherited_take(void);

/* Number `index`, in the order in which they were passed; NULL behind the last. Those that were
 * forgotten are left out. */
const struct inherited *inherited_at(size_t index);

/* That with the descriptor `fd`, or NULL. */
const struct inherited *inherited_find(int fd);

/* It has an owner now: inherited_close_rest() leaves it alone. */
void inherited_claim(int fd);

/* It is closed, or about to be: nobody finds it any more. */
void inherited_forget(int fd);

/* Closes what nobody has claimed, each with a line in the error log. */
void inherited_close_rest(void);

#endif
