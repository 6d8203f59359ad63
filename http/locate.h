/* locate.h: which location an exchange is answered by. */
#ifndef HTTP_LOCATE_H
#define HTTP_LOCATE_H

#include "http/exchange.h"

/* Finds x->search.location, by x->server and x->target.path, and x->captures. False: a regular
 * expression has hit its bounds; the error log was told, and the answer 500 is begun. */
bool http_locate(struct http_exchange *x);

/* A regular expression of the server's `patterns` ("locations") has hit its bounds: tells the error
 * log, and begins the answer 500. */
void http_locate_gave_up(struct http_exchange *x, const char *patterns);

#endif
