/* admission.c: a step of the search: who may have what lies at a location. See search.h.
 *
 * It comes before anything is looked for, so that a refusal tells nothing of what is there; and it
 * is about the location that the request names, and each that it is led to from there, by `rewrite`
 * or a _redirects. What the operator has an answer made of, by `try`, `index` or `error_pages`, is
 * not judged again. */
#include "http/search.h"

#include "core/address_set.h"
#include "core/log_repeat.h"
#include "core/signed_link.h"
#include "core/stats.h"
#include "http/auth.h"
#include "http/real_ip.h"
#include "http/referer.h"

#include <errno.h>
#include <string.h>

/* Is it a challenge by which a certificate authority asks who has this host (RFC 8555 section 8.3)?
 * It comes from anywhere, with no name and no password, and reads what is made for it. Whoever
 * wants it judged says so in a location below /.well-known/. */
static bool is_challenge(const struct http_exchange *x)
{
    static const struct span well_known = SPAN_LIT("/.well-known/");
    struct span place = x->search.location->pattern.text;

    return http_target_is_challenge(&x->target) &&
           (place.len < well_known.len || memcmp(place.ptr, well_known.ptr, well_known.len) != 0);
}

/* Counts and logs it. Names that were tried are not told: some are passwords. */
static void note_refusal(const struct http_exchange *x, enum stats_counter counter,
                         const char *kind)
{
    char text[PEER_TEXT_MAX];

    stats_count(counter);
    peer_format(http_client_of(x, x->peer), text);
    log_repeated(LOG_INFO, kind, EACCES, "%s is refused at location %s of server %s: %s", text,
                 x->search.location->prefix.ptr, x->server->name, kind);
}

static enum http_static_result refuse(struct http_exchange *x, int status,
                                      enum stats_counter counter, const char *kind)
{
    note_refusal(x, counter, kind);
    http_static_begin_error(x, status);
    return HTTP_STATIC_NEXT;
}

/* What comes of a name and a password. */
static enum http_static_result take_auth(struct http_exchange *x, const struct auth_rules *rules,
                                         enum http_auth_result result)
{
    static const char later[] = "Retry-After: 1\r\n";

    switch (result) {
    case HTTP_AUTH_RIGHT:
        x->search.step = HTTP_SEARCH_TRY;
        return HTTP_STATIC_NEXT;
    case HTTP_AUTH_JOB:
        return HTTP_STATIC_NEXT;
    case HTTP_AUTH_BUSY:
        memcpy(x->extra, later, sizeof(later));
        http_static_begin_error(x, 503);
        return HTTP_STATIC_NEXT;
    case HTTP_AUTH_WRONG:
        note_refusal(x, STATS_REFUSED_CREDENTIALS, "wrong name or password");
        break;
    case HTTP_AUTH_NONE:
        break;
    }
    x->challenge = rules->challenge;
    http_static_begin_error(x, 401);
    return HTTP_STATIC_NEXT;
}

static enum http_static_result refuse_link(struct http_exchange *x, enum signed_verdict verdict)
{
    return verdict == SIGNED_EXPIRED
               ? refuse(x, 410, STATS_REFUSED_SIGNATURE, "a signed link that is over")
               : refuse(x, 403, STATS_REFUSED_SIGNATURE, "no good signature in the link");
}

/* A link is signed for the path that is asked for, or for what it becomes: by a `rewrite` or a rule
 * of a _redirects which look at more than that path, for the latter alone. Else whoever has one
 * link could choose what it opens. */
static enum signed_verdict judge_link(const struct http_exchange *x,
                                      const struct signed_rules *keys)
{
    const struct http_static *s = &x->search;
    int64_t now_s = x->env->clock->wall_s;
    char decoded[HTTP_PATH_MAX];
    struct http_target asked;
    enum signed_verdict verdict =
        signed_link_judge(keys->keys, keys->count, s->uri, x->target.query, now_s);

    if (verdict != SIGNED_BAD || (s->rewrites == 0 && !s->rewritten) || s->led_by_more ||
        http_target_parse(x->target.raw_path, false, decoded, &asked) != 0)
        return verdict;
    return signed_link_judge(keys->keys, keys->count, asked.path, x->target.query, now_s);
}

void http_admission_drop(struct http_exchange *x)
{
    http_auth_drop(x);
}

enum http_static_result http_admission_judge(struct http_exchange *x)
{
    const struct admission *admission = x->search.location->admission;
    const struct client_rules *clients = admission->by_address;
    const struct signed_rules *keys = admission->signed_by;
    const struct auth_rules *auth = admission->auth;
    enum signed_verdict verdict = SIGNED_GOOD;

    if (x->job_state == HTTP_JOB_DONE)
        return take_auth(x, auth, http_auth_end(x));
    if (is_challenge(x)) {
        x->search.step = HTTP_SEARCH_TRY;
        return HTTP_STATIC_NEXT;
    }
    if (admission->referers != NULL && !http_referer_may(x, admission->referers))
        return refuse(x, 403, STATS_REFUSED_REFERER, "not led here by a page of referers");
    bool address =
        clients == NULL || address_set_has(&clients->clients, http_client_of(x, x->peer));
    if (keys != NULL)
        verdict = judge_link(x, keys);
    bool any = x->search.location->satisfy == SATISFY_ANY;
    if (any && ((clients != NULL && address) || (keys != NULL && verdict == SIGNED_GOOD))) {
        x->search.step = HTTP_SEARCH_TRY;
        return HTTP_STATIC_NEXT;
    }
    if (!address && (!any || (auth == NULL && keys == NULL)))
        return refuse(x, 403, STATS_REFUSED_ADDRESS, "allow and deny");
    if (verdict != SIGNED_GOOD && (!any || auth == NULL))
        return refuse_link(x, verdict);
    if (auth != NULL)
        return take_auth(x, auth, http_auth_begin(x, auth));
    x->search.step = HTTP_SEARCH_TRY;
    return HTTP_STATIC_NEXT;
}
