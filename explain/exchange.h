/* exchange.h: one request, answered in memory by the code that serves (http/conn.h), and what was
 * seen on the way: which server and location it came to, and each file that was looked for. No
 * socket, and nothing of what it does is counted, limited or logged by a server that runs. */
#ifndef EXPLAIN_EXCHANGE_H
#define EXPLAIN_EXCHANGE_H

#include "config/config.h"
#include "core/arena.h"
#include "core/file_job.h"
#include "core/peer.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXPLAIN_LOOKS_MAX = 4096,     /* files that are told; more are looked for, and not told */
    EXPLAIN_MAPS_MAX = 256,       /* looks into maps, likewise */
    EXPLAIN_HEAD_MAX = 256 * 1024 /* octets that are read in search of the head's end */
};

/* In which step of the search a file was looked for. */
enum explain_step {
    EXPLAIN_STEP_PATH,       /* the path itself, or a candidate of `try` */
    EXPLAIN_STEP_INDEX,      /* `index` in a directory */
    EXPLAIN_STEP_SIDECAR,    /* `precompressed` */
    EXPLAIN_STEP_ERROR_PAGE, /* `error_pages` */
    EXPLAIN_STEP_LIST,       /* a directory, to list it */
};

struct explain_look {
    enum explain_step step;
    size_t index;     /* PATH: of the candidate; INDEX: of the name */
    const char *root; /* path of the root, */
    const char *name; /* and beneath it, without a slash at the front; "." is the root itself */
    int error;        /* an errno; 0: it is there */
    enum file_kind kind;
    uint64_t size;
};

/* A variable of a map that the answer asked for. */
struct explain_mapped {
    const char *variable; /* without '$' */
    struct span key;      /* what was looked up */
    struct span value;    /* as written in the entry that holds; ptr NULL: none does */
    const char *place;    /* of that entry: "server.conf:12", or "" */
    bool is_default;      /* it is the default */
};

/* The request. All borrowed. */
struct explain_request {
    const struct listen_config *listen;
    const struct server *named; /* by the name in a TLS handshake; NULL: there is none */
    struct peer client;         /* who connects */
    struct span head;           /* all octets of the request */
};

/* What came of it; in the arena, but for what is the configuration's. */
struct explain_answer {
    int status;        /* 0: it was closed without an answer */
    struct span head;  /* the lines of the final answer, without the empty one at the end */
    struct span hints; /* those of an interim answer (103); len 0: there was none */
    const struct server *server;     /* NULL: it was refused before that was known */
    const struct location *location; /* of the path, as rewritten; NULL: not known */
    struct peer client;              /* whom a trusted proxy names, else who connects */
    unsigned rewrites;               /* how often its path was rewritten, */
    struct span path;                /* and what it has become */
    bool ruled;                      /* a rule of a _redirects had something looked for */
    const struct explain_look *looks;
    size_t looks_count;
    const struct explain_mapped *maps; /* each once */
    size_t maps_count;
};

/* Has the request answered. The roots of `config` are open. 0, or -errno and a sentence. */
int explain_exchange(const struct config *config, const struct explain_request *request,
                     struct arena *arena, char *why, size_t why_size,
                     struct explain_answer *ret_answer);

#endif
