/* worker.h: a worker: an engine in a process of its own, over listening sockets that the test
 * program holds, as a supervisor does. */
#ifndef TESTS_HANDOVER_WORKER_H
#define TESTS_HANDOVER_WORKER_H

#include "engines/handover.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SITE_ADDRESSES_MAX = 3, SMALL_SIZE = 512, BIG_SIZE = 24 << 20 };

/* What all workers serve: a folder with small.txt and big.bin. Each answer has a field X-Worker
 * with the process that is the worker. */
struct site {
    char folder[64];
    unsigned addresses; /* plain ones */
    bool tls;           /* one more, with TLS */
    int fds[SITE_ADDRESSES_MAX];
    uint16_t ports[SITE_ADDRESSES_MAX];
};

struct worker {
    pid_t pid;
    struct handover *out;
    int inbox_end; /* of it: the successor's; -1: not this process's any more */
};

void site_open(struct site *site, unsigned addresses, bool tls);
void site_close(struct site *site);

/* Starts a worker with `spec`: an engine, then "KEY=VALUE" each, between spaces. `predecessor`: who
 * hands over to it; NULL: nobody. Waits until it serves; ends the test if it does not. */
void worker_start(struct worker *w, const struct site *site, const char *spec,
                  const struct worker *predecessor);

/* It can have about so many descriptors more than it has. */
void worker_limit_files(const struct worker *w, unsigned more);

/* Orders it to retire. Its address i is `map[i]` in the successor; NULL: the same. */
void worker_retire(struct worker *w, const struct site *site, const int *map);

/* Waits until it has ended. True: by itself, with status 0, within `ms`; else it is killed. */
bool worker_await(struct worker *w, unsigned ms);

/* Stops it, and waits. False: not with status 0. */
bool worker_stop(struct worker *w);

#endif
