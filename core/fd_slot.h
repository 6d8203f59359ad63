/* fd_slot.h: a place where a process that may open a file leaves its descriptor, and where others,
 * who may not, take copies of it: as many as they like, whenever they like. A pair of unix sockets,
 * of which everybody has inherited one end: the descriptor is in a message (SCM_RIGHTS, unix(7))
 * that is looked at and never taken out (MSG_PEEK). */
#ifndef CORE_FD_SLOT_H
#define CORE_FD_SLOT_H

struct fd_slot {
    int in, out; /* owned; -1: closed */
};

/* A slot that there is not: fd_slot_close() has nothing to do. */
#define FD_SLOT_NONE ((struct fd_slot){ -1, -1 })

/* An empty slot. 0, or -errno. */
int fd_slot_open(struct fd_slot *slot);

/* Leaves `fd`, which stays the caller's, in place of what was there. 0, or -errno and the old one
 * stays. */
int fd_slot_put(const struct fd_slot *slot, int fd);

/* A copy of what is there, close-on-exec, the caller's; it shares file status flags with all
 * others. -ENOENT: nothing is; or another -errno. Async-signal-safe. */
int fd_slot_get(const struct fd_slot *slot);

/* From now on this process takes copies only. */
void fd_slot_only_get(struct fd_slot *slot);

/* Closes both ends here. */
void fd_slot_close(struct fd_slot *slot);

#endif
