/* mix.h: the configured fields of an answer where blocks by path have a say (`headers "*.html"`,
 * and the file _headers): all that match are mixed with what the location says.
 *
 * A mix is made once for each set of blocks that are for the same answer, and kept by the thread
 * under a number: a file's ready-made fields (fields.h) remember it, and the path that it was for,
 * so that a file which is asked for again by the same path costs no matching at all. */
#ifndef HTTP_MIX_H
#define HTTP_MIX_H

#include "http/env.h"

enum {
    HTTP_MIX_FIELDS_MAX = 6 * 1024, /* octets of the lines of a mix; what does not fit is left out,
                                       and the error log told */
    HTTP_MIX_HITS_MAX = 256,        /* blocks of one kind that may be for one path; more: 500 */
    HTTP_MIXES_SIZE_MAX = 1 << 20   /* octets of those that a thread keeps; then it forgets all, and
                                       makes them anew */
};

/* All texts are field lines with CRLF, valid until the next call of http_mix_find(). */
struct http_mix {
    uint64_t number;         /* no other mix of the thread has or had it; above 0 */
    struct span success;     /* of answers below 400 */
    struct span cached;      /* likewise, where a cache block has said Cache-Control and Expires */
    struct span errors;      /* from 400 on */
    struct span own_success; /* of pages that the server makes itself (security_headers.h) */
    struct span own_errors;  /* likewise */
    struct span type;        /* Content-Type of files; empty: theirs */
    bool caching;            /* a headers block has said Cache-Control or Expires */
    bool disposition;        /* Content-Disposition is among them, or removed */
    struct span hints;       /* a whole 103 with Link lines of _headers; empty: it has none */
    /* Fields whose values have variables: of answers below 400, and from 400 on */
    const struct header_rule *vary_success, *vary_errors;
    size_t vary_success_count, vary_errors_count;
    const struct http_mix_key *key; /* private to mix.c */
    struct http_mix *next;
};

struct http_mixes;

/* Makes what keeps them, if a location has such blocks (env->mixes). 0 or -ENOMEM. */
int http_mixes_create(struct http_env *env);

/* NULL is allowed. */
void http_mixes_destroy(struct http_mixes *mixes);

/* The mix at a location that has_fields (checked) for the path asked for, and that of the file that
 * is sent ("": none is). 0; -E2BIG: an expression has hit its bounds, or too many blocks match, and
 * the error log was told; or -ENOMEM. */
int http_mix_find(struct http_env *env, const struct location *location, struct span asked,
                  struct span file, const struct http_mix **ret_mix);

/* The path as the blocks see it, those of server.conf, or (`of_site`) of a _headers: below an alias
 * the latter does not know where it is served. */
struct span http_mix_path(const struct location *location, bool of_site, struct span path);

#endif
