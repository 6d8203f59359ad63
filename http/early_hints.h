/* early_hints.h: what a browser is told before the answer (RFC 8297), and with it: Link fields of
 * pages. Pure. */
#ifndef HTTP_EARLY_HINTS_H
#define HTTP_EARLY_HINTS_H

#include "http/answer_fields.h"

/* Makes the texts of the location ready. 0 or -ENOMEM. */
int http_early_hints_prepare(const struct location *location, struct http_answer_fields *fields);

/* The Link lines of pages at the location, with CRLF; empty where it has none. */
struct span http_early_hints_links(const struct http_env *env, const struct location *location);

/* May a 103 go before the answer: is the request a GET of HTTP/1.1 that says that a browser
 * navigates (Sec-Fetch-Mode: navigate), whose proxies know what an interim answer is? */
bool http_early_hints_wanted(const struct http_exchange *x);

/* The 103 that goes before a 200 with such lines, where it may; else empty. */
struct span http_early_hints_interim(const struct http_exchange *x,
                                     const struct location *location);

/* Does this type have the Link lines: is it HTML? */
bool http_early_hints_suits(struct span type);

#endif
