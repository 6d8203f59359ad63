/* auth.h: whether a request's name and password are those of a file (`auth`).
 *
 * To find out takes as long as the hash is meant to: tens of milliseconds of a CPU. So it is a file
 * job, done by whoever does those; so many at a time and no more are done for one thread; and who
 * was right a while ago is known by a keyed digest of what was said, which is no password to
 * whoever reads the memory. Who was wrong is not: each guess costs what a guess costs. */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include "http/exchange.h"

struct http_auth; /* of one thread */
struct verification;

enum http_auth_result {
    HTTP_AUTH_NONE,  /* there are no credentials */
    HTTP_AUTH_RIGHT, /* x->user is who it is */
    HTTP_AUTH_WRONG,
    HTTP_AUTH_JOB,  /* x->job is to be done (WANTED); then http_auth_end() */
    HTTP_AUTH_BUSY, /* not now: others are looked at, or there is no memory */
};

/* Makes one for at most `verifications_max` at a time. 0 or -errno. The caller owns it. */
int http_auth_create(const struct config *config, uint32_t verifications_max,
                     struct http_auth **ret_auth);

/* No verification is left. NULL is allowed. */
void http_auth_destroy(struct http_auth *auth);

/* Are the credentials of the request good for `rules`? */
enum http_auth_result http_auth_begin(struct http_exchange *x, const struct auth_rules *rules);

/* The job that http_auth_begin() wanted is done (x->job_state DONE): RIGHT, WRONG or BUSY. */
enum http_auth_result http_auth_end(struct http_exchange *x);

/* Gives up what is verified for x; no job of it is in flight. */
void http_auth_drop(struct http_exchange *x);

#endif
