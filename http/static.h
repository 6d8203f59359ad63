/* static.h: from a request's path to its answer: redirects, `try`, directories and their index,
 * sidecars, listings, error pages. A state machine that stops where a file operation is needed and
 * goes on when it is done. Pure. */
#ifndef HTTP_STATIC_H
#define HTTP_STATIC_H

#include "http/exchange.h"

enum http_static_result {
    HTTP_STATIC_DONE, /* the answer is in x->out (x->multipart: its parts follow) */
    HTTP_STATIC_JOB,  /* x->job is to be executed (x->job_state WANTED), then call http_static_run()
                         again */
    HTTP_STATIC_ROOM, /* x->out is to be sent first, then call http_static_run() again */
    HTTP_STATIC_WAIT, /* nothing before x->wait_until_ms, then call http_static_run() again */
    HTTP_STATIC_CLOSE, /* there is no answer: the connection is closed (`return = 444`) */
    HTTP_STATIC_NEXT,  /* between the files of the search alone (search.h): the next step, unless a
                          job is wanted first */
};

/* Begins with the file that x->target names on x->server (GET and HEAD). */
void http_static_begin(struct http_exchange *x);

/* Goes on with `return` or the files of x->search.location: what redirects have left. */
void http_static_begin_answer(struct http_exchange *x);

/* Goes on with the files of x->search.location, where there are any that may be asked for: what
 * redirects and `return` have left. */
void http_static_begin_files(struct http_exchange *x);

/* Goes on at x->search.location, which has files or a `rewrite`, and was asked for, or led to from
 * another one: is it being maintained? May the client, and how often? Then the files. */
void http_static_begin_location(struct http_exchange *x);

/* Likewise, where no maintenance holds them up: whether the client may have them is next. */
void http_static_begin_judging(struct http_exchange *x);

/* Begins with an error answer: the configured page of x->server, else the built-in one. */
void http_static_begin_error(struct http_exchange *x, int status);

/* Goes on until one of the results. */
enum http_static_result http_static_run(struct http_exchange *x);

/* Deals with a finished OPEN, STAT or LIST job of x->job, before http_static_run() goes on: what an
 * OPEN has found is filed at once, under the name that the job was about. */
void http_static_job_done(struct http_exchange *x);

/* Gives back what the search holds: at its end, or when the connection closes in the middle of it.
 * Idempotent. */
void http_static_end(struct http_exchange *x);

#endif
