/* answer.h: answers that no file is looked for: `redirect` and `return`, whatever the method is.
 * Pure. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "http/static.h"

/* Is the request, whose server is chosen, answered with a redirect or a return, whatever its method
 * and its body? Fills in x->target; where that is none, it is not. */
bool http_answer_of_head(struct http_exchange *x);

/* The answer of x->search.location, which has one: DONE, ROOM, CLOSE, or NEXT: an error page is
 * due, or, where a redirect leads nowhere, x->search.step is the one that looks for files. */
enum http_static_result http_answer_return(struct http_exchange *x);

#endif
