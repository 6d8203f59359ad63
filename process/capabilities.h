/* capabilities.h: the capabilities of a thread (capabilities(7)), given up once everything that
 * needs them is open. A change of user empties some of the sets, and only of a process that was
 * root: one that systemd starts as a user with AmbientCapabilities=, or that has file capabilities,
 * keeps all of them. By system call: what there is to do is less than what libcap would need to be
 * told. */
#ifndef PROCESS_CAPABILITIES_H
#define PROCESS_CAPABILITIES_H

#include <stddef.h>

/* Empties the bounding set as far as the kernel lets us (CAP_SETPCAP), so that no program that is
 * executed later gets any. Where it does not, no_new_privs has the same effect. Called before the
 * change of user. */
void capabilities_drop_bounding(void);

/* Empties the ambient and the inheritable set: of root that serves, which keeps the others. 0, or
 * -errno and a sentence. */
int capabilities_drop_inherited(char *why, size_t why_size);

/* Empties the effective, permitted, inheritable and ambient set, and proves that they are empty.
 * Called while there is one thread. 0, or -errno and a sentence: the caller must not go on. */
int capabilities_drop_all(char *why, size_t why_size);

#endif
