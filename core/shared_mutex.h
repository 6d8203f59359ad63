/* shared_mutex.h: a mutex in memory that several processes share. */
#ifndef CORE_SHARED_MUTEX_H
#define CORE_SHARED_MUTEX_H

#include <pthread.h>

/* Makes a mutex for memory that is shared (MAP_SHARED) by processes, of which one may die while it
 * holds it: pthread_mutex_lock(3) then returns EOWNERDEAD, and the mutex is made consistent
 * (pthread_mutex_consistent(3)). 0, or an errno (positive, as of pthread functions). */
int shared_mutex_init(pthread_mutex_t *mutex);

#endif
