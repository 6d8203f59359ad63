/* sim_engine.h: a seeded engine for one session: chopped receives, short sends, late and failing
 * file jobs, a clock of its own. No socket. */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_options {
    uint64_t seed;
    bool chop;          /* receive and send in pieces of random sizes; false: as much as fits */
    bool file_segments; /* the engine sends file ranges itself */
    bool faults;        /* jobs and sends fail at random, time jumps, the peer goes away */
    bool ktls;          /* with TLS: "the kernel" encrypts, when the session asks for it */
    bool tls_chatter;   /* with TLS: the peer changes its keys now and then */
    unsigned drain_in;  /* session_drain() after so many steps; 0: never */
};

struct sim_result {
    char *sent; /* malloc(3)ed: what the peer received */
    size_t sent_len;
    bool closed_by_session; /* it asked for CLOSE before the peer's end of stream was reported */
    size_t unread;          /* octets of the input that were never taken */
};

/* Runs one session on the configuration's first address that is sent `input`, then end of stream,
 * to its end. Where that address has TLS, all of it is wrapped in fake_tls.h's, and result.sent is
 * what was in it. Aborts when a rule of the seam is broken, or it does not come to an end. */
void sim_run(const struct config *config, const struct sim_options *options, const char *input,
             size_t input_len, struct sim_result *ret_result);

/* splitmix64: the next number of a seeded sequence. */
uint64_t sim_random(uint64_t *state);

#endif
