/* admission.c: a step of the search: who may have what lies at a location. See search.h.
 *
 * It comes before anything is looked for, so that a refusal tells nothing of what is there; and it
 * is about the location that the request names. What the operator has an answer made of, by `try`,
 * `index` or `error_pages`, is not judged again. */
#include "http/search.h"

#include "core/address_set.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "http/real_ip.h"

#include <errno.h>
#include <string.h>

/* Is it a challenge by which a certificate authority asks who has this host (RFC 8555 section 8.3)?
 * It comes from anywhere, with no name and no password, and reads what is made for it. Whoever
 * wants it judged says so in a location below /.well-known/. */
static bool is_challenge(const struct http_exchange *x)
{
    static const struct span challenges = SPAN_LIT("/.well-known/acme-challenge/");
    static const struct span well_known = SPAN_LIT("/.well-known/");
    struct span path = x->target.path, prefix = x->search.location->prefix;

    return path.len > challenges.len && memcmp(path.ptr, challenges.ptr, challenges.len) == 0 &&
           (prefix.len < well_known.len || memcmp(prefix.ptr, well_known.ptr, well_known.len) != 0);
}

static bool address_may(const struct http_exchange *x, const struct client_rules *rules)
{
    const struct peer *client = http_client_of(x, x->peer);
    char text[PEER_TEXT_MAX];

    if (address_set_has(&rules->clients, client))
        return true;
    stats_count(STATS_REFUSED_ADDRESS);
    peer_format(client, text);
    log_repeated(LOG_INFO, "refused by allow and deny", EACCES,
                 "%s is refused by allow and deny of location %s of server %s", text,
                 x->search.location->prefix.ptr, x->server->name);
    return false;
}

enum http_static_result http_admission_judge(struct http_exchange *x)
{
    const struct admission *admission = x->search.location->admission;

    x->search.step = HTTP_SEARCH_TRY;
    if (is_challenge(x))
        return HTTP_STATIC_NEXT;
    if (admission->by_address != NULL && !address_may(x, admission->by_address))
        http_static_begin_error(x, 403);
    return HTTP_STATIC_NEXT;
}
