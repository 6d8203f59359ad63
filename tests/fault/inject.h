/* inject.h: what the two halves of the fault library share: inject.c makes calls of the C library
 * fail, inject_uring.c those of liburing.
 *
 * The library is preloaded (ld.so(8), LD_PRELOAD). It does nothing without the environment variable
 * FAULT_PAGE, the name of a file with a struct fault_page, mapped by the test as well: so faults
 * begin and end while the server runs, and the test knows how many there were. */
#ifndef TESTS_FAULT_INJECT_H
#define TESTS_FAULT_INJECT_H

#include <stdbool.h>
#include <stdint.h>

/* faults.py packs and unpacks this. */
struct fault_page {
    uint32_t armed;  /* 0: every call does what it is named for */
    int32_t error;   /* what it fails with; 0: it does less than it was asked for */
    uint32_t every;  /* one in so many fails; 1: all */
    uint32_t random; /* not every n-th, but with a probability of 1 in n */
    uint64_t from;   /* not the first so many */
    uint64_t limit;  /* not after so many faults; 0: no end */
    uint64_t seed;
    uint64_t calls;  /* so many calls were looked at */
    uint64_t faults; /* and so many of them failed */
    uint32_t cold; /* whatever is asked for, it is in no cache of the kernel; counts as no fault */
    char call[32]; /* the one that fails */
    uint32_t ahead_s; /* seconds that the monotonic clock is ahead of what it was, armed or not */
};

/* Is this call to fail? `*ret_error` is set then. */
bool fault_strikes(const char *call, int *ret_error);

/* Is everything to look as if it had to be fetched from a disk? */
bool fault_is_cold(void);

/* A send that has not been made in full is to look like one that found the socket full: whoever
 * polls it by edges is told of the room that there is. */
void fault_tell_of_room(int fd);

/* As a system call fails: -1 and errno. */
bool fault_fails(const char *call);

#endif
