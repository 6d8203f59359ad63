/* thread_start.c: see thread_start.h. */
#include "core/thread_start.h"

#include "core/check.h"

#include <signal.h>

static int start_with(const pthread_attr_t *attributes, void *(*function)(void *context),
                      void *context, pthread_t *ret_thread)
{
    sigset_t all, old;
    sigfillset(&all);
    MUST(pthread_sigmask(SIG_BLOCK, &all, &old) == 0);
    int res = -pthread_create(ret_thread, attributes, function, context);
    MUST(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    return res;
}

int thread_start(size_t stack_size, void *(*function)(void *context), void *context,
                 pthread_t *ret_thread)
{
    if (stack_size == 0)
        return start_with(NULL, function, context, ret_thread);
    pthread_attr_t attributes;
    int res = -pthread_attr_init(&attributes);
    if (res < 0)
        return res;
    res = -pthread_attr_setstacksize(&attributes, stack_size);
    if (res == 0)
        res = start_with(&attributes, function, context, ret_thread);
    pthread_attr_destroy(&attributes);
    return res;
}
