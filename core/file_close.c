/* file_close.c: see file_close.h. */
#include "core/file_close.h"
#include "core/thread_start.h"

#include <stdint.h>
#include <unistd.h>

enum { STACK_SIZE = 1 << 16 };

static void *close_aside(void *context)
{
    close((int)(intptr_t)context);
    return NULL;
}

void file_close(int fd, bool remote)
{
    pthread_t thread;

    if (remote && thread_start(STACK_SIZE, close_aside, (void *)(intptr_t)fd, &thread) == 0)
        pthread_detach(thread);
    else
        close(fd);
}
