/* multi_reactor.c: the engine `multi-reactor`: several epoll loops, one a thread, that share
 * nothing but the configuration. Three ways for a new connection to find its loop:
 *
 *   handoff    an acceptor, in the calling thread, deals connections to those who have fewest
 *   reuseport  every loop has a listening socket; the kernel distributes by a hash of the addresses
 *   shared     one socket in every loop; the kernel wakes one of those that sleep (EPOLLEXCLUSIVE)
 *
 * With the last two the calling thread runs a loop itself, so one thread is exactly `reactor`.
 * Signals reach that thread only; wake() is for all. */
#include "core/cpus.h"
#include "engines/crew.h"
#include "engines/engine.h"
#include "engines/listen_share.h"
#include "engines/reactor/demultiplexer.h"
#include "engines/reactor/loop.h"

#include "core/check.h"
#include "core/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MULTI_REACTOR_MAGIC 0x34a7100bu

enum { ARRIVALS_MAX = 1024 /* dealt to a loop and not taken yet; more: the acceptor pauses */ };

/* One loop. */
struct reactor {
    struct engine_config cfg; /* with this loop's share of the limits */
    struct loop *loop;
};

struct engine {
    unsigned magic; /* MULTI_REACTOR_MAGIC */
    struct engine_config cfg;
    struct cpus cpus;
    struct reactor *reactors;
    unsigned count;
    struct listen_share listeners; /* zero with handoff */
    /* handoff */
    struct loop *acceptor;
    unsigned next;     /* who gets a connection when all have equally many */
    atomic_bool waits; /* the acceptor, for room */
};

/* ---- what loops say to each other ---- */

static bool anyone_has_room(const struct engine *e)
{
    for (unsigned i = 0; i < e->count; i++) {
        if (loop_can_adopt(e->reactors[i].loop))
            return true;
    }
    return false;
}

/* Looks again after having said that it waits: whoever made room in between has not seen that. */
static bool acceptor_has_room(void *context)
{
    struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    if (anyone_has_room(e))
        return true;
    atomic_store(&e->waits, true);
    return anyone_has_room(e);
}

static void reactor_made_room(void *context)
{
    struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    if (atomic_load(&e->waits) && atomic_exchange(&e->waits, false))
        loop_ask(e->acceptor, LOOP_ASK_ACCEPT);
}

/* Who gets the next connection. */
static struct loop *acceptor_choose(struct engine *e)
{
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    struct loop *chosen = NULL;
    unsigned chosen_index = 0;
    for (unsigned i = 0; i < e->count; i++) {
        unsigned index = (e->next + i) % e->count;
        struct loop *loop = e->reactors[index].loop;
        if (loop_can_adopt(loop) && (chosen == NULL || loop_adopted(loop) < loop_adopted(chosen))) {
            chosen = loop;
            chosen_index = index;
        }
    }
    CHECK(chosen != NULL);
    e->next = (chosen_index + 1) % e->count;
    return chosen;
}

static void acceptor_deal(void *context, int fd, const struct listen_config *listen,
                          const struct peer *peer)
{
    loop_adopt(acceptor_choose(context), fd, listen, peer);
}

static unsigned acceptor_room(void *context)
{
    const struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    unsigned room = 0;
    for (unsigned i = 0; i < e->count; i++)
        room += loop_room(e->reactors[i].loop);
    return room;
}

static void acceptor_deal_moved(void *context, const struct handover_conn *moved)
{
    loop_adopt_moved(acceptor_choose(context), moved);
}

static void ask_others(struct engine *e, const struct loop *loop, unsigned ask)
{
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    for (unsigned i = 0; i < e->count; i++) {
        if (e->reactors[i].loop != loop)
            loop_ask(e->reactors[i].loop, ask);
    }
}

/* Asked for each client that waits at an acceptor without room; in turn, so that no loop bears it
 * alone. */
static void acceptor_make_way(void *context)
{
    struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    for (unsigned i = 0; i < e->count; i++) {
        struct loop *loop = e->reactors[(e->next + i) % e->count].loop;
        if (loop_has_idle(loop)) {
            e->next = (e->next + i + 1) % e->count;
            loop_ask(loop, LOOP_ASK_MAKE_WAY);
            return;
        }
    }
}

static bool reactors_all_full(void *context)
{
    const struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    for (unsigned i = 0; i < e->count; i++) {
        if (!loop_is_full(e->reactors[i].loop))
            return false;
    }
    return true;
}

static void reactor_blocked(void *context, const struct loop *loop)
{
    ask_others(context, loop, LOOP_ASK_ACCEPT);
}

static void reactor_starved(void *context, const struct loop *loop)
{
    ask_others(context, loop, LOOP_ASK_RECLAIM);
}

/* It tries again as soon as a loop has given something back. */
static void acceptor_starved(void *context, const struct loop *loop)
{
    struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    atomic_store(&e->waits, true);
    reactor_starved(context, loop);
}

static const struct loop_hooks acceptor_hooks = {
    .has_room = acceptor_has_room,
    .make_way = acceptor_make_way,
    .deal = acceptor_deal,
    .room = acceptor_room,
    .deal_moved = acceptor_deal_moved,
    .starved = acceptor_starved,
};

static const struct loop_hooks dealt_hooks = {
    .made_room = reactor_made_room,
    .starved = reactor_starved,
};

static const struct loop_hooks peer_hooks = {
    .all_full = reactors_all_full,
    .blocked = reactor_blocked,
    .starved = reactor_starved,
};

/* ---- create and destroy ---- */

static int make_reactors(struct engine *e, char *why, size_t why_size)
{
    bool handoff = e->cfg.config->accept_mode == ACCEPT_HANDOFF;
    const struct loop_options options = {
        .workers = loop_file_workers(e->cfg.config, engine_multi_reactor.file_jobs_by_default),
        .arrivals_max = handoff ? ARRIVALS_MAX : 0,
        .hooks = handoff        ? &dealt_hooks
                 : e->count > 1 ? &peer_hooks
                                : NULL,
        .hooks_context = e,
    };
    int shared = session_share_files(e->cfg.config, e->count, &e->cfg.limits, why, why_size);
    if (shared < 0)
        return shared;
    for (unsigned i = 0; i < e->count; i++) {
        struct reactor *reactor = &e->reactors[i];
        *reactor = (struct reactor){ .cfg = e->cfg };
        reactor->cfg.limits = session_limits_share(&e->cfg.limits, i, e->count);
        if (handoff)
            reactor->cfg.listeners_count = reactor->cfg.inboxes_count = 0;
        else
            reactor->cfg.listeners =
                listen_share_of(&e->listeners, i, &reactor->cfg.listeners_count);
        int res = loop_create(&reactor->cfg, &options, why, why_size, &reactor->loop);
        if (res < 0)
            return res;
    }
    if (!handoff)
        return 0;
    const struct loop_options acceptor = {
        .accept_only = true,
        .hooks = &acceptor_hooks,
        .hooks_context = e,
    };
    return loop_create(&e->cfg, &acceptor, why, why_size, &e->acceptor);
}

static void multi_reactor_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    for (unsigned i = 0; e->reactors != NULL && i < e->count; i++)
        loop_destroy(e->reactors[i].loop);
    loop_destroy(e->acceptor);
    session_unshare_files(&e->cfg.limits);
    listen_share_close(&e->listeners);
    free(e->reactors);
    cpus_free(&e->cpus);
    e->magic = 0;
    free(e);
}

/* Only epoll wakes one of several loops for a client. */
static int check_sharing(const struct engine *e, char *why, size_t why_size)
{
    const struct config *config = e->cfg.config;
    const struct demultiplexer_ops *ops = demultiplexer_of(config->demultiplexer);
    if (e->count == 1 || config->accept_mode == ACCEPT_HANDOFF || ops->shares)
        return 0;
    if (config->accept_mode == ACCEPT_SHARED) {
        snprintf(why, why_size,
                 "accept = shared needs demultiplexer = epoll; with %s set accept = reuseport or "
                 "handoff",
                 ops->name);
        return -EINVAL;
    }
    return 0;
}

static int multi_reactor_create(const struct engine_config *cfg, char *why, size_t why_size,
                                struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    int res = e == NULL ? -ENOMEM : cpus_find(&e->cpus);
    if (res == 0) {
        e->count = cfg->config->threads > 0 ? cfg->config->threads : e->cpus.threads;
        e->reactors = calloc(e->count, sizeof(e->reactors[0]));
        res = e->reactors == NULL ? -ENOMEM : 0;
    }
    if (res < 0) {
        snprintf(why, why_size, "the threads cannot be prepared: %s", strerror(-res));
        if (e != NULL)
            cpus_free(&e->cpus);
        free(e);
        return res;
    }
    e->magic = MULTI_REACTOR_MAGIC;
    e->cfg = *cfg;
    if (cfg->limits.connections_max < e->count) {
        snprintf(
            why, why_size,
            "connections_max = %u leaves nothing for some of %u threads: set threads to it, or "
            "to less",
            cfg->limits.connections_max, e->count);
        res = -EINVAL;
    }
    if (res == 0)
        res = check_sharing(e, why, why_size);
    if (res == 0 && cfg->config->accept_mode != ACCEPT_HANDOFF)
        res = listen_share_open(cfg->listeners, cfg->listeners_count, e->count,
                                cfg->config->accept_mode, why, why_size, &e->listeners);
    if (res == 0)
        res = make_reactors(e, why, why_size);
    if (res < 0) {
        multi_reactor_destroy(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

/* ---- run ---- */

static void stop_all(struct engine *e)
{
    if (e->acceptor != NULL)
        loop_ask(e->acceptor, LOOP_ASK_STOP);
    ask_others(e, NULL, LOOP_ASK_STOP);
}

static void end_all(void *context)
{
    stop_all(context);
}

static int reactor_serve(void *context, unsigned index)
{
    struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    return loop_run(e->reactors[index].loop);
}

/* What the acceptor has dealt is served to its end. */
static int acceptor_serve(void *context)
{
    struct engine *e = context;
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    int res = loop_run(e->acceptor);
    for (unsigned i = 0; i < e->count; i++)
        loop_end_adoption(e->reactors[i].loop);
    return res;
}

static int multi_reactor_run(struct engine *e)
{
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    static const char *const modes[] = { "handoff", "reuseport", "shared" };
    const struct crew_job job = {
        .name = "reactor",
        .serve = reactor_serve,
        .end_all = end_all,
        .context = e,
        .pin = e->cfg.config->pin ? &e->cpus : NULL,
    };
    log_info("multi-reactor: %u threads, accept = %s; %u CPUs allowed, %u can run at a time",
             e->count, modes[e->cfg.config->accept_mode], e->cpus.count, e->cpus.threads);
    return crew_run(&job, e->count, e->acceptor != NULL ? acceptor_serve : NULL);
}

static void multi_reactor_wake(struct engine *e)
{
    CHECK_OBJ(e, MULTI_REACTOR_MAGIC);
    if (e->acceptor != NULL)
        loop_wake(e->acceptor);
    for (unsigned i = 0; i < e->count; i++)
        loop_wake(e->reactors[i].loop);
}

static int multi_reactor_probe(const struct config *config, char *why, size_t why_size)
{
    return engine_reactor.probe(config, why, why_size);
}

const struct engine_ops engine_multi_reactor = {
    .name = "multi-reactor",
    .summary = "several epoll loops, one a thread, that share nothing hot",
    .cost = "a table of files for each thread: what the others have looked at is asked for at each "
            "miss",
    .settings = ENGINE_SETTING_THREADS | ENGINE_SETTING_PIN | ENGINE_SETTING_ACCEPT |
                ENGINE_SETTING_DEMULTIPLEXER | ENGINE_SETTING_WORKER_QUEUE |
                ENGINE_SETTING_FILE_WORKERS | ENGINE_SETTING_CACHE_SHARED,
    .file_jobs = 1u << FILE_JOBS_INLINE | 1u << FILE_JOBS_WORKERS | LOOP_FILE_EXECUTORS,
    .file_jobs_by_default = FILE_JOBS_WORKERS,
    .probe = multi_reactor_probe,
    .create = multi_reactor_create,
    .run = multi_reactor_run,
    .wake = multi_reactor_wake,
    .destroy = multi_reactor_destroy,
};
