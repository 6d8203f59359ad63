/* head_memo.h: fields of request heads that were judged before, so that the same octets are not
 * judged again. Pure but for its key; one a thread.
 *
 * Clients ask for one file after the other with the same fields: what stands behind the request
 * line is often octet for octet what it was the last time, on this connection or another one. What
 * http_guard_scan() and http_request_parse() make of it hangs on nothing else, given a request line
 * of a plain form (GET or HEAD, a path, HTTP/1.1), so it is kept with those octets. It holds no
 * answer and no decision: what a field means for one is looked at anew each time.
 *
 * A text is compared only when a keyed hash of all of it fits, so how long a look takes tells
 * nobody how near a guess has come to what another client has sent. */
#ifndef HTTP_HEAD_MEMO_H
#define HTTP_HEAD_MEMO_H

#include "config/config.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>

struct http_head_memo;

/* An empty memo, some 330 KiB of which only what is used takes memory; NULL: there is none left.
 * The caller owns it. */
struct http_head_memo *http_head_memo_create(void);

/* NULL is allowed. */
void http_head_memo_destroy(struct http_head_memo *memo);

/* Looks whether `data`, which begins where a head begins and of which nothing was scanned, holds a
 * whole head with fields that are known. True: `*ret_len` and `*ret_request` are what
 * http_guard_scan() and http_request_parse() would say under the same limits, which pass it. False:
 * it is to be asked of them. */
bool http_head_memo_find(struct http_head_memo *memo, const char *data, size_t len,
                         const struct http_limits *limits, size_t *ret_len,
                         struct http_request *ret_request);

/* Keeps what was made of the fields of `request`, which the guard and the parser have passed, in
 * the place of others. Not all are kept: what is longer than usual, or has another form, is not.
 * All calls with one memo are under the same limits. */
void http_head_memo_keep(struct http_head_memo *memo, const struct http_request *request);

#endif
