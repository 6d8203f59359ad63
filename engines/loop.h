/* loop.h: one epoll loop: accepts, drives sessions, keeps deadlines, run queue and deferred frees.
 * What the reactors are made of.
 *
 * Sees only session.h: neither HTTP nor TLS. One thread runs a loop; loop_wake() may come from
 * anywhere. */
#ifndef ENGINES_LOOP_H
#define ENGINES_LOOP_H

#include "engines/engine.h"

#include <stddef.h>

struct loop;

/* A loop over cfg's listeners, its own session environment, connection pool and timers. The process
 * ignores SIGPIPE (checked: sendfile(2) has no MSG_NOSIGNAL). *cfg is copied, what it points to is
 * borrowed. 0, or -errno and a sentence. The caller owns it. */
int loop_create(const struct engine_config *cfg, char *why, size_t why_size,
                struct loop **ret_loop);

/* Serves until cfg->requests says stop, or drain and everything is done. 0, or -errno after a line
 * in the error log. */
int loop_run(struct loop *loop);

/* Makes the loop look at cfg->requests. Async-signal-safe. */
void loop_wake(struct loop *loop);

/* Closes every connection and frees. NULL is allowed. */
void loop_destroy(struct loop *loop);

#endif
