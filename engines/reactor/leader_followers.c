/* leader_followers.c: the engine `leader-followers` (POSA2, chapter 5): N threads take turns at one
 * epoll set. Whoever takes an event carries it through: receives, processes, sends, and waits
 * again; no hand-over between threads. They share one loop and one session environment under a lock
 * (loop_turns.c).
 *
 * The calling thread is one of them, so one thread is nearly `reactor`. Signals reach it only. */
#include "engines/crew.h"
#include "engines/engine.h"
#include "engines/reactor/loop.h"

#include "core/check.h"
#include "core/cpus.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEADER_FOLLOWERS_MAGIC 0x1eadf011u

struct engine {
    unsigned magic; /* LEADER_FOLLOWERS_MAGIC */
    bool pins;
    unsigned threads;
    struct cpus cpus;
    struct loop *loop;
};

static int leader_followers_probe(const struct config *config, char *why, size_t why_size)
{
    (void)config;
    return engine_reactor.probe(NULL, why, why_size);
}

static void leader_followers_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, LEADER_FOLLOWERS_MAGIC);
    loop_destroy(e->loop);
    cpus_free(&e->cpus);
    e->magic = 0;
    free(e);
}

static int leader_followers_create(const struct engine_config *cfg, char *why, size_t why_size,
                                   struct engine **ret_engine)
{
    const struct loop_options options = { .turns = true };
    struct engine *e = calloc(1, sizeof(*e));
    int res = e == NULL ? -ENOMEM : cpus_find(&e->cpus);
    if (res < 0) {
        snprintf(why, why_size, "the threads cannot be prepared: %s", strerror(-res));
        free(e);
        return res;
    }
    e->magic = LEADER_FOLLOWERS_MAGIC;
    e->pins = cfg->config->pin;
    e->threads = cfg->config->threads > 0 ? cfg->config->threads : e->cpus.threads;
    res = loop_create(cfg, &options, why, why_size, &e->loop);
    if (res < 0) {
        leader_followers_destroy(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

static int take_turns(void *context, unsigned index)
{
    (void)index;
    struct engine *e = context;
    CHECK_OBJ(e, LEADER_FOLLOWERS_MAGIC);
    return loop_take_turns(e->loop);
}

/* A thread has failed, or cannot be started. */
static void end_all(void *context)
{
    struct engine *e = context;
    loop_ask(e->loop, LOOP_ASK_STOP);
}

static int leader_followers_run(struct engine *e)
{
    CHECK_OBJ(e, LEADER_FOLLOWERS_MAGIC);
    const struct crew_job job = {
        .name = "follower",
        .serve = take_turns,
        .end_all = end_all,
        .context = e,
        .pin = e->pins ? &e->cpus : NULL,
    };
    log_info("leader-followers: %u threads; %u CPUs allowed, %u can run at a time", e->threads,
             e->cpus.count, e->cpus.threads);
    return crew_run(&job, e->threads, NULL);
}

static void leader_followers_wake(struct engine *e)
{
    CHECK_OBJ(e, LEADER_FOLLOWERS_MAGIC);
    loop_wake(e->loop);
}

const struct engine_ops engine_leader_followers = {
    .name = "leader-followers",
    .summary = "threads that take turns at one epoll set, one lock for what they share",
    .cost = "epoll_ctl and a lock's way for each request: a tenth to a fifth more CPU; a lock that "
            "all share",
    .settings = ENGINE_SETTING_THREADS | ENGINE_SETTING_PIN,
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .shares_env = true,
    .probe = leader_followers_probe,
    .create = leader_followers_create,
    .run = leader_followers_run,
    .wake = leader_followers_wake,
    .destroy = leader_followers_destroy,
};
