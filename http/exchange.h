/* exchange.h: what a connection needs while it is busy: the request being read or answered, and
 * what is to be sent. Comes from a pool when the first octet of a request arrives and goes back
 * when everything is sent, so an idle connection has none. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "core/access_format.h"
#include "core/buf.h"
#include "core/file_job.h"
#include "core/peer.h"
#include "http/accept.h"
#include "http/body.h"
#include "http/env.h"
#include "http/guard.h"
#include "http/out.h"
#include "http/pace.h"
#include "http/range.h"
#include "http/request.h"
#include "http/send_window.h"
#include "http/target.h"
#include "http/tls_known.h"
#include "match/captures.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_EXCHANGE_MAGIC 0x6e7c4a6eu

/* DONE: a step of a listing, or of what is compressed. What other jobs bring is dealt with on
 * arrival. */
enum {
    HTTP_ID_MAX = 128,      /* octets of a request's id */
    HTTP_SENT_MAX = 1024,   /* octets of an answer's fields that are kept for the access log */
    HTTP_REWRITES_MAX = 10, /* of one request, as nginx has it */
    /* Two of each location that it may come to: the first, by a rule of a _redirects, by rewrites
     */
    HTTP_COUNTED_MAX = 2 * (2 + HTTP_REWRITES_MAX)
};

enum http_job_state { HTTP_JOB_NONE, HTTP_JOB_WANTED, HTTP_JOB_DONE };

/* The search for what to answer with (static.c); everything that must survive a job. */
struct http_static {
    uint8_t step;         /* private to static.c */
    uint8_t coding_index; /* next in codings[] */
    uint8_t codings_count;
    bool codings_ordered;   /* codings[] holds what the client takes, best first */
    uint8_t probed_codings; /* sidecars looked for on behalf of this request: 1 << coding, */
    uint8_t found_codings;  /* and those that are there */
    uint8_t unsure_codings; /* sidecars that could not be looked for at this moment */
    bool varies;            /* what is answered depends on Accept-Encoding */
    uint8_t found_step;     /* the step that found `entry` */
    uint8_t made_coding;    /* of `made`: enum coding */
    uint8_t lookups_untrue; /* how often what was found was no longer so when it was to be sent */
    bool checked;           /* what is to be sent was looked at, and is as it was found */
    bool untagged;          /* its hash was tried to be made in vain (content_hash.h) */
    bool rewritten;         /* `uri` comes from a rule of a _redirects */
    bool damaged;           /* a sidecar that might have been the answer cannot be read */
    bool led_by_more;       /* `uri` hangs on more than the path asked for: on a query, say */
    bool root_is_asked;     /* `root` was looked up since this request began */
    uint16_t try_index, index_index;
    uint8_t rewrites; /* how often target.path was rewritten (rewrite.h) */
    int unsure_error; /* why: an errno */
    int status;       /* 0, or the error status that is being answered */
    enum coding codings[CODING_COUNT];
    /* Until when the oldest of the looks for probed_codings is believed (clock.now_ms). */
    uint64_t probed_until_ms;
    uint32_t probed_told; /* *file_cache_told() before sidecars were looked for */
    const struct location *location;
    const struct location *rewritten_by; /* the last location that has rewritten it, or NULL */
    struct http_root *root;     /* the location's, as this request found it at first: a reference,
                                   or NULL */
    struct span uri;            /* decoded path looked for now; in target.path or try_text */
    struct span name;           /* the same beneath the root; in uri or path */
    struct file_entry *entry;   /* a reference, or NULL; with an error ENOENT while only its
                                   sidecars may be there */
    struct file_entry *sidecar; /* a reference, or NULL */
    struct file_entry *made;    /* what was compressed of `entry`: a reference, or NULL */
    struct compression *compression;   /* that is waited for: a user's reference, or NULL */
    struct compression *hashing;       /* its tag, likewise: a user's reference, or NULL */
    struct verification *verification; /* of a password (auth.h), or NULL; owned */
    struct delta_probe *delta_probe;   /* a look at a delta's head, or NULL; owned */
    struct http_listing *listing;      /* of the directory that is being listed, or NULL; owned */
    struct file_entry *opened; /* what the last job has found, until it is asked for or the search
                                  goes elsewhere: a reference, or NULL */
};

/* The parts of a multipart/byteranges answer that are not in `out` yet. */
struct http_multipart {
    struct file_entry *entry; /* a reference; NULL: no multipart answer in progress */
    size_t next, count;
    struct span type; /* media type of every part, borrowed from the table */
    const char *charset;
    uint64_t boundary;
    struct http_range *ranges; /* `count` of them, from `pool`; owned while entry is not NULL */
    struct pool *pool;         /* borrowed */
};

enum { HTTP_TIMED_MAX = 4 }; /* of answers to pipelined requests, more are not timed */

/* An answer that is timed until it is sent; octets are on the scale of out.queued. */
struct http_timed {
    uint64_t begun_ns; /* its request's first octet */
    uint64_t end;      /* UINT64_MAX: when `out` is empty */
    bool first_sent;   /* and noted */
};

struct http_exchange {
    unsigned magic;
    struct http_env *env;

    /* Reading */
    struct http_guard guard;
    struct http_request request;
    struct http_body body;
    struct buf in;    /* input kept between reports: the present request's head, then what is not
                         processed yet; no memory while empty */
    size_t head_kept; /* octets at the start of `in` that are the head of the request in progress */
    uint64_t begun_ms;      /* first octet of the present request */
    uint64_t begun_ns;      /* likewise */
    uint64_t body_begun_ms; /* end of its head */
    uint64_t body_taken;    /* octets of its body, so far */
    uint64_t wait_until_ms; /* for how long it waits before it is answered (limit.h) */

    /* Answering */
    const struct peer *peer;            /* the client; borrowed from the connection */
    const struct listen_config *listen; /* where it came in; borrowed */
    const struct server *server;        /* by Host; the listener's first until that is known */
    struct http_target target;
    struct http_static search;
    struct file_job job;
    uint8_t job_state;   /* enum http_job_state */
    bool keep_alive;     /* after the present answer */
    bool body_omitted;   /* HEAD */
    int status;          /* of the present answer */
    uint64_t body_len;   /* octets of its body */
    uint64_t body_start; /* on the scale of out.queued: where its body begins */
    uint8_t timed_count; /* of timed[] */
    bool from_proxy;     /* the present head is a trusted proxy's: `client` is who asked */
    struct peer client;  /* valid with from_proxy */
    bool log_due;        /* its line in the access log is written when it is sent */
    char extra[64];      /* a field line for an error answer (Allow, Content-Range), or "" */
    /* For fields that hang on the request (answer_fields.h) */
    bool secure;                  /* it came by TLS */
    const struct http_tls *tls;   /* borrowed from the connection; NULL: not by TLS */
    bool proxied;                 /* by a proxy, which told of the client in a PROXY header */
    const struct location *asked; /* the location of the path asked for; NULL: not known */

    /* Matching: what the regular expression of the request's location has captured in target.path;
     * NULL: that has none. It lies in `captures_room`, owned, or NULL until one is looked for. */
    const struct captures *captures;
    struct captures *captures_room;

    /* Who it is, where a location asks for it */
    const char *user;      /* of the configuration; NULL: nobody knows */
    const char *challenge; /* for a 401; likewise */

    /* Sending */
    struct http_out out;
    struct http_timed timed[HTTP_TIMED_MAX]; /* answers in `out`, the oldest first */
    struct http_multipart multipart;
    struct http_send_window window; /* of the minimum rate; its `sent` is out.sent */
    struct http_pace pace;          /* of the greatest rate */

    /* Limits that have counted the present request: struct rate_limit.zone (limit.h) */
    uint8_t counted_count;
    uint64_t counted[HTTP_COUNTED_MAX];

    /* Of the present request, for its line in the access log and its id; with env->needs. */
    uint64_t answer_start; /* on the scale of out.queued: where its answer begins */
    uint8_t id_len;        /* octets of `id`; 0: it has none yet */
    uint16_t sent_len;     /* octets in sent_text */
    struct http_slice sent[ACCESS_SENT_COUNT]; /* fields of its answer, in sent_text */

    char id[HTTP_ID_MAX];
    char sent_text[HTTP_SENT_MAX];
    char decoded[HTTP_PATH_MAX];  /* target.path, when decoding changed something */
    char try_text[HTTP_PATH_MAX]; /* search.uri, when it comes from `try` or an error page */
    char path[HTTP_PATH_MAX + 8]; /* the job's path, NUL-terminated */
    _Alignas(16) char memory[HTTP_OUT_SIZE]; /* out's */
};

/* Octets being processed: the head of the request in progress, kept for as long as it is answered,
 * and what is not processed yet. They lie in a receive buffer lent by the engine, or in x->in; not
 * necessarily next to each other. */
struct http_input {
    struct span head, rest;
};

/* An exchange from the pool, with nothing known and nothing to send; NULL when all are out. The
 * caller owns it. */
struct http_exchange *http_exchange_create(struct http_env *env);

/* Gives back all that it holds, and itself. */
void http_exchange_destroy(struct http_exchange *x);

/* What of x->in is to be processed; the request's head is there again. */
struct http_input http_exchange_input(struct http_exchange *x);

/* Keeps what is still needed of `input` in x->in, which it may lie in itself; gives the memory back
 * when nothing is. False: no memory to be had. */
bool http_exchange_keep(struct http_exchange *x, const struct http_input *input);

/* Deals with a finished READ job: its octets take the place of the start of the range that they
 * were read from. False: the range cannot be read. */
bool http_exchange_read_done(struct http_exchange *x, bool file_segments);

/* Where captures may be put, which move along with the head (http_exchange_keep()); NULL: no
 * configured pattern captures anything. */
struct captures *http_exchange_captures(struct http_exchange *x);

/* Is more than `len` octets ready to be sent from memory, or does a READ job bring some? */
bool http_exchange_sends_more(const struct http_exchange *x, uint64_t len);

/* Wants the next piece of the file range that is to be read by a job, if there is one, and a buffer
 * is free (see http_out_next_read()); at most `len_max` octets, which is at most HTTP_READ_SIZE. */
void http_exchange_want_read(struct http_exchange *x, bool file_segments, size_t len_max);

#endif
