/* sim_engine.h: a seeded engine for the sessions of one environment: chopped receives, short sends,
 * late and failing file jobs, a clock of its own, and whose turn it is. No socket. */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the test does meanwhile. Each may be NULL. */
struct sim_hooks {
    void *context;
    /* How many octets of a client's input have come so far: for one that waits for answers. Never
     * less than before. Plain HTTP only. */
    size_t (*input_there)(void *context, size_t client);
    /* Something was added to what the client has received. */
    void (*sent)(void *context, size_t client);
    /* After each step: `random` is the run's own sequence, to draw from. */
    void (*step)(void *context, uint64_t *random);
};

struct sim_options {
    uint64_t seed;
    bool chop;             /* receive and send in pieces of random sizes; false: as much as fits */
    bool file_segments;    /* the engine sends file ranges itself */
    bool faults;           /* jobs and sends fail at random, time jumps, the peer goes away */
    bool ktls;             /* with TLS: "the kernel" encrypts, when the session asks for it */
    bool tls_chatter;      /* with TLS: the peer changes its keys now and then */
    unsigned drain_in;     /* session_drain() after so many steps of each; 0: never */
    unsigned pause_max_ms; /* at most so long between two steps, with or without faults */
    const struct sim_hooks *hooks; /* or NULL */
};

struct sim_result {
    char *sent; /* malloc(3)ed: what the peer received */
    size_t sent_len;
    bool closed_by_session; /* it asked for CLOSE before the peer's end of stream was reported */
    size_t unread;          /* octets of the input that were never taken */
};

struct sim_client {
    /* In */
    size_t listen;     /* which of the configuration's addresses it connects to */
    const char *input; /* what it sends, then end of stream; borrowed */
    size_t input_len;
    /* Out */
    struct sim_result result;
};

/* Runs `count` (above 0) sessions of one environment side by side, each to its end. Where an
 * address has TLS, all of the input is wrapped in fake_tls.h's, and result.sent is what was in it;
 * where it is for proxies, a header of theirs comes in front.
 * Aborts when a rule of the seam is broken, or it does not come to an end. */
void sim_run_all(const struct config *config, const struct sim_options *options,
                 struct sim_client *clients, size_t count);

/* Likewise one session alone, on the configuration's first address. */
void sim_run(const struct config *config, const struct sim_options *options, const char *input,
             size_t input_len, struct sim_result *ret_result);

/* splitmix64: the next number of a seeded sequence. */
uint64_t sim_random(uint64_t *state);

#endif
