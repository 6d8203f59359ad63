/* env.h: what all HTTP connections of one thread share. Made by the session environment; no
 * globals. */
#ifndef HTTP_ENV_H
#define HTTP_ENV_H

#include "core/clock.h"
#include "config/config.h"
#include "config/session_limits.h"
#include "core/access_log.h"
#include "core/log.h"
#include "core/pool.h"
#include "core/span.h"
#include "http/compress_cache.h"
#include "http/file_cache.h"
#include "http/mime.h"
#include "http/roots.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_OUT_SIZE = 32 * 1024,    /* octets of heads and small bodies that gather for one send */
    HTTP_RESPONSE_ROOM =
        9 * 1024, /* free octets with which an answer is begun while others wait to be sent */
    HTTP_COPY_MAX =
        4 * 1024, /* a body up to this size is copied behind its head; a larger one is lent */
    HTTP_VARYING_MAX =
        6 * 1024, /* header fields of one location whose values have variables, together */
    HTTP_LOCATION_FIELDS_MAX = 4096, /* header fields configured for one location, together */
    HTTP_HEAD_END_MAX = 4096, /* the fields of an answer that hang on the request, together */
    HTTP_RECLAIM_COUNT = 32,  /* cached files closed at once when descriptors run out */
    HTTP_SWEEP_COUNT = 64,    /* cached files, and roots, that one sweep looks at */
    HTTP_READ_SIZE =
        128 * 1024, /* octets of one READ job, where files are not sent by descriptor */
    HTTP_READ_ENCRYPTED =
        64 * 1024, /* ... on an address with TLS: what is encrypted for one send */
    HTTP_READ_SHORT =
        8 * 1024, /* a file range up to this size is read in any case: copying it twice costs less
                     than a sendfile(2) beside the send(2) of its head */
};

struct http_auth;
struct http_head_memo;
struct http_mixes;

/* In env->needs, beside enum access_need: answers have fields that hang on the request. */
#define HTTP_NEEDS_ANSWER_FIELDS (1u << 31)

/* Likewise: some have fields whose values have variables. */
#define HTTP_NEEDS_VALUES (1u << 30)

struct http_answer_fields;

/* Who looks on while requests are answered, to explain them. */
struct http_watch {
    /* The variable of maps[map] is asked for: `key` is what was looked up, `entry` the index that
     * holds, -1: none. May be called several times for one answer. */
    void (*map)(void *context, unsigned map, struct span key, int entry);
    void *context;
};

struct http_env {
    const struct config *config; /* borrowed */
    struct session_limits limits;
    const struct clock *clock; /* borrowed */
    bool file_segments;        /* the engine sends file ranges itself */
    struct file_cache *cache;
    const _Atomic uint32_t *told; /* file_cache_told() */
    bool closes; /* the cache may have descriptors to close (file_cache_close_some()) */
    struct compress_cache *compressed; /* NULL: no location says `compress` or `precompressed` */
    struct http_auth *auth;            /* NULL: no location asks for a password */
    struct http_roots *roots;
    struct http_head_memo *heads; /* fields that were judged before (head_memo.h) */
    struct mime_table *mime;
    struct pool *exchanges; /* struct http_exchange, one a busy connection */
    struct pool *inputs;    /* input_size octets, one a connection with unprocessed input */
    struct pool *reads; /* HTTP_READ_SIZE octets; HTTP_OUT_READS a connection that reads a file */
    struct regex_room *regexes; /* for all regular expressions; NULL: there are none */
    struct pool *captures;      /* struct captures, one a busy connection; NULL: likewise */
    struct pool *ranges; /* ranges_max struct http_range, one a connection that is answered with
                            several */
    size_t input_size;
    struct log_writer *log_writer; /* of all access logs; NULL: whoever serves writes them */
    struct access_log **access_logs;
    size_t access_logs_count; /* as many as the configuration has, or none */
    unsigned needs; /* enum access_need: of all formats of the access logs together, and whether
                       answers tell their id */
    struct draws *draws;          /* NULL: nobody asks for a request id or a sample */
    struct span *location_fields; /* by location id: the configured field lines, with CRLF */
    struct http_mixes *mixes;     /* of fields by path (mix.h); NULL: no location has such */
    struct http_answer_fields *answer_fields; /* what hangs on the request; NULL: nothing does */
    char *values_text; /* HTTP_COPY_MAX octets of a text with variables, while it is put together;
                          NULL: no text has any */
    char *logged_text; /* ACCESS_SPAN_MAX octets for each of the most others of a log's format,
                          while a line is written; NULL: no format has any */
    uint64_t listing_log_ms;           /* when a directory was last complained about; 0: never */
    struct arena *listing_arena;       /* of the page that is built in, */
    struct listing_page *listing_page; /* NULL: no location lists */
    size_t listings_size;              /* octets that unfinished listings hold */
    uint64_t boundaries;               /* multipart boundaries drawn so far */
    int64_t stamp_s;                   /* the second for which `stamp` was made */
    struct span stamp;                 /* "Server: ...\r\nDate: ...\r\n", in stamp_text */
    uint64_t decompress_log_ms;        /* when a sidecar was last complained about; 0: never */
    const struct http_watch *watch;    /* borrowed; NULL: nobody looks on */
    char stamp_text[80];
    char head_end[HTTP_VARYING_MAX +
                  HTTP_HEAD_END_MAX]; /* what ends the head that is being put
                      together, where that takes more than a constant (response.c) */
};

/* Makes an environment that holds no more than `limits` (copied); `config` and `clock` are borrowed
 * and outlive it. 0, or -errno and a sentence. The caller owns it. */
int http_env_create(const struct config *config, const struct session_limits *limits,
                    const struct clock *clock, bool file_segments, char *why, size_t why_size,
                    struct http_env **ret_env);

/* Every connection must be closed. NULL is allowed. */
void http_env_destroy(struct http_env *env);

/* Writes out the access logs, and gives back memory that only a burst has needed; `reopen`: opens
 * the logs again as well. True: once more in a second, whether anything happens or not. */
bool http_env_tick(struct http_env *env, bool reopen);

/* Writes out and closes the access logs, since the process ends without http_env_destroy(). Nothing
 * is answered any more. */
void http_env_end_logs(struct http_env *env);

/* Lets go of files and roots that nobody has asked for of late, a bounded number of them. When it
 * is to be called again, on the clock's scale of now_ms; UINT64_MAX: not before another request. */
uint64_t http_env_sweep(struct http_env *env);

/* Descriptors have run out: closes files that are only kept in the cache. Returns how many. */
size_t http_env_reclaim(struct http_env *env);

/* The Server and Date field lines of this second. */
struct span http_env_stamp(struct http_env *env);

#endif
