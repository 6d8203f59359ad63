/* thread_start.h: starts a thread: the one place where that is done. */
#ifndef CORE_THREAD_START_H
#define CORE_THREAD_START_H

#include <pthread.h>
#include <stddef.h>

/* Starts one with a stack of `stack_size` octets (0: the default). All signals are blocked in it:
 * handlers run in threads that were there before, and no system call of this one is interrupted. 0
 * or -errno (pthread_create(3)). The caller joins it (pthread_join(3)). */
int thread_start(size_t stack_size, void *(*function)(void *context), void *context,
                 pthread_t *ret_thread);

#endif
