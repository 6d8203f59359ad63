/* reasons.h: why an answer is as it is: each choice by the function that makes it when it is
 * served, and the line of the configuration that it goes back to. */
#ifndef EXPLAIN_REASONS_H
#define EXPLAIN_REASONS_H

#include "explain/exchange.h"
#include "match/captures.h"

enum { EXPLAIN_WHY_MAX = 400 };

/* A text, and where the configuration says it: "server.conf:12", or "". */
struct explain_reason {
    const char *text;
    const char *place;
};

/* A field of the answer. */
struct explain_field {
    struct span name, value;
    struct explain_reason why; /* text "": the server sets it by itself */
};

/* A location whose pattern matches, too. */
struct explain_loser {
    const struct location *location;
    const char *place;
    bool unknown; /* its expression has hit its bounds: nobody knows */
};

/* All of it; in the arena, or borrowed. */
struct explanation {
    const struct config *config;
    const char *method, *scheme;
    struct span authority, target; /* as asked */
    struct span path;              /* decoded; empty: the target has none */
    const char *client;
    struct explain_answer answer;
    const struct listen_config *listen;
    struct explain_reason server, location, redirect; /* text "": there is none */
    const struct redirect *redirected;                /* that answers; NULL: none does */
    struct captures captures;
    const struct explain_loser *losers;
    size_t losers_count;
    const struct explain_look *file, *sidecar; /* what is sent; NULL: none, or made */
    struct explain_reason body;                /* what is sent: "the file", "a listing" ... */
    const struct explain_field *fields;
    size_t fields_count;
    const struct explain_reason *access, *limits; /* a text "" ends each */
    const struct explain_reason *led;             /* by what it is led to its answer: likewise */
    const struct explain_reason *answering;       /* the one of these that is the answer, or NULL */
};

/* Finds the reasons of ret->answer; what stands before it in the struct is filled in. `host` as it
 * was asked for, without port. 0 or -ENOMEM. */
int explain_reasons(struct arena *arena, struct span host, struct explanation *ret);

#endif
