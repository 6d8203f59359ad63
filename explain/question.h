/* question.h: what is asked of `gearshift explain`, and the request that it stands for. */
#ifndef EXPLAIN_QUESTION_H
#define EXPLAIN_QUESTION_H

#include "config/config.h"
#include "core/arena.h"
#include "core/peer.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

/* All borrowed from the arguments. */
struct explain_question {
    const char *url, *method; /* method NULL: GET */
    const char *from, *at;    /* the client's address; an address as in `listen`; NULL: any */
    const char **fields;      /* "Name: value" */
    size_t fields_count;
    bool json;
    /* What is not about the question: for options_parse() */
    char **rest;
    int rest_count;
};

/* A URL taken apart. */
struct explain_url {
    const char *scheme;    /* "http" or "https", a literal; of a path alone: the address's */
    struct span authority; /* as in Host; empty: a path alone */
    struct span host;      /* of it, or of the address's first server */
    struct span target;    /* what stands in the request line */
    bool has_port;
    uint16_t port;
};

/* Reads the arguments, of which argv[0] is the command's name; `ret_question` has room in `arena`.
 * 0, or -errno and a sentence. */
int explain_question_read(int argc, char **argv, struct arena *arena, char *why, size_t why_size,
                          struct explain_question *ret_question);

/* Takes the URL apart. 0, or -EINVAL and a sentence. */
int explain_url_read(const char *text, char *why, size_t why_size, struct explain_url *ret_url);

/* The address of the configuration that the URL leads to: the one that `at` names, or that has its
 * port; for a URL without a port, and where none has it by default, any of its scheme. A path alone
 * leads to the first. NULL, and a sentence: there is none. */
const struct listen_config *explain_listen_find(const struct config *config,
                                                const struct explain_question *question,
                                                const struct explain_url *url, char *why,
                                                size_t why_size);

/* The octets of the request, in the arena; NULL: no memory. `host`: for a URL that has none. */
const char *explain_request_write(struct arena *arena, const struct explain_question *question,
                                  const struct explain_url *url, const char *host);

#endif
