/* pairs.c: connections move between workers with different engines while clients ask, and no client
 * notices. `pairs FROM TO...`: FROM hands over to the first TO, which hands over to FROM, which
 * hands over to the second, and so on; each is a worker as worker.h has it.
 *
 * An engine that serves one client at a time gets one client. */
#include "load.h"
#include "worker.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BETWEEN_MS = 250, END_MS = 15000 };

/* One hand-over. False: the old worker has not ended as it should. */
static bool shift(const struct site *site, struct worker *old, const char *spec)
{
    struct worker next;
    worker_start(&next, site, spec, old);
    worker_retire(old, site, NULL);
    bool ended = worker_await(old, END_MS);
    if (!ended)
        printf("the worker before %s did not end by itself with status 0\n", spec);
    *old = next;
    poll(NULL, 0, BETWEEN_MS);
    return ended;
}

int main(int argc, char **argv)
{
    struct site site;
    struct worker worker;
    struct load load;
    char what[256];
    bool single = false;
    unsigned bad = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: pairs FROM TO...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        single |= strncmp(argv[i], "iterative", 9) == 0;
    const struct load_plan crowd = { .active = 100, .idle = 30, .fresh = 40 };
    struct load_plan plan = single ? (struct load_plan){ .active = 1 } : crowd;
    site_open(&site, 1, false);
    plan.port = site.ports[0];
    worker_start(&worker, &site, argv[1], NULL);
    load_start(&load, &plan);
    poll(NULL, 0, BETWEEN_MS);
    for (int i = 2; i < argc; i++) {
        bad += !shift(&site, &worker, argv[i]);
        bad += !shift(&site, &worker, argv[1]);
    }
    snprintf(what, sizeof(what), "%s and %d others", argv[1], argc - 2);
    bad += load_end(&load, &plan, what);
    bad += !worker_stop(&worker);
    site_close(&site);
    return bad == 0 ? 0 : 1;
}
