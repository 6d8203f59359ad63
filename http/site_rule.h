/* site_rule.h: a step of the search: the rules that a site brings along (`redirects_file`). Part of
 * search.h, for static.c. */
#ifndef HTTP_SITE_RULE_H
#define HTTP_SITE_RULE_H

#include "http/search.h"

/* Is there a rule for the request, whose server has some, that holds? Then x->search.step is the
 * one that answers with it. Before files are looked for those with a '!' hold; once it is known
 * that there is `nothing`, all. Never what a rule itself led to. */
bool http_site_rule_begin(struct http_exchange *x, bool nothing) HTTP_SEARCH_RARE;

/* The step HTTP_SEARCH_SITE_RULE: DONE, ROOM, or NEXT: the step that comes now is begun. */
enum http_static_result http_site_rule_step(struct http_exchange *x) HTTP_SEARCH_RARE;

#endif
