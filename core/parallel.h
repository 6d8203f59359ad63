/* parallel.h: one piece of work, done by several threads that are gone when it is done. */
#ifndef CORE_PARALLEL_H
#define CORE_PARALLEL_H

enum { PARALLEL_THREADS_MAX = 16 };

/* Calls `work` with `context` in `threads` threads (at most PARALLEL_THREADS_MAX), the calling one
 * among them, and returns when all have returned: none is left. They share out among themselves
 * what is to be done, by an atomic counter in `context` as a rule; so where a thread cannot be
 * started the others do it all. Signals are blocked in the others (core/thread_start.h). */
void parallel_run(unsigned threads, void (*work)(void *context), void *context);

#endif
