/* sidecar.c: steps of the search: which sidecars a file has (`precompressed`), and which of them is
 * sent. See search.h. */
#include "http/search.h"

#include "core/check.h"

#include <string.h>

struct span http_sidecar_path(struct http_exchange *x, enum coding coding)
{
    struct http_static *s = &x->search;
    struct span suffix = http_coding_suffix(coding);
    if (s->name.ptr != x->path) {
        memcpy(x->path, s->name.ptr, s->name.len);
        s->name.ptr = x->path;
    }
    memcpy(x->path + s->name.len, suffix.ptr, suffix.len);
    return span_make(x->path, s->name.len + suffix.len);
}

/* The step behind those for sidecars, when none is sent. */
static void go_on_without(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (s->entry->error != 0)
        s->step = http_decompress_can(x) ? HTTP_SEARCH_DECOMPRESS : HTTP_SEARCH_NOT_FOUND;
    else
        s->step = s->location->compress != 0 ? HTTP_SEARCH_COMPRESS : HTTP_SEARCH_RESPOND;
}

/* Keeps with the entry what has been found out about its sidecars, beside what is known of others.
 * A probe of several files may take long, and other requests find something out meanwhile: of two
 * findings the one that is believed for longer was looked for later, and stays; together they are
 * believed for as long as the older one. */
static void remember_sidecars(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct file_entry *entry = s->entry;
    uint64_t now_ms = x->env->clock->now_ms;
    uint8_t news = s->probed_codings;
    if (s->probed_until_ms <= now_ms)
        return;
    if (entry->sidecars_until_ms <= now_ms || entry->sidecars_told != s->probed_told) {
        entry->sidecars_known = entry->sidecars = 0;
        entry->sidecars_until_ms = s->probed_until_ms;
        entry->sidecars_told = s->probed_told;
    } else if (s->probed_until_ms < entry->sidecars_until_ms) {
        news = (uint8_t)(news & ~entry->sidecars_known);
        if (news != 0)
            entry->sidecars_until_ms = s->probed_until_ms;
    }
    entry->sidecars_known |= news;
    entry->sidecars = (uint8_t)((entry->sidecars & ~news) | (s->found_codings & news));
}

/* Looks for one sidecar. False: a job is wanted first. */
static bool probe(struct http_exchange *x, enum coding coding)
{
    struct http_static *s = &x->search;
    uint8_t bit = (uint8_t)(1u << coding);
    struct file_entry *entry = http_search_look_up(x, http_sidecar_path(x, coding));
    if (entry == NULL)
        return false;
    if (file_entry_is_passing(entry)) {
        /* Not there for this answer, which must not be taken for that of others; and nothing to be
         * remembered. */
        s->unsure_codings |= bit;
        s->unsure_error = entry->error;
        s->varies = true;
    } else {
        s->probed_codings |= bit;
        if (entry->look.fresh_until_ms < s->probed_until_ms)
            s->probed_until_ms = entry->look.fresh_until_ms;
        if (file_entry_is_file(entry))
            s->found_codings |= bit;
    }
    file_entry_unref(entry);
    return true;
}

enum http_static_result http_sidecar_probe(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    unsigned wanted = s->location->precompressed & ~(1u << CODING_IDENTITY);
    bool believed = s->entry->sidecars_until_ms > x->env->clock->now_ms &&
                    s->entry->sidecars_told == s->probed_told;
    unsigned known = believed ? s->entry->sidecars_known : 0;
    for (unsigned coding = 0; wanted >> coding != 0; coding++) {
        unsigned done = known | s->probed_codings | s->unsure_codings;
        if ((wanted & ~done & 1u << coding) != 0 && !probe(x, (enum coding)coding))
            return HTTP_STATIC_NEXT;
    }
    if (s->probed_codings != 0)
        remember_sidecars(x);
    s->found_codings |= (uint8_t)(wanted & known & ~s->probed_codings & s->entry->sidecars);
    s->varies |= s->found_codings != 0;
    if (s->found_codings != 0)
        s->step = HTTP_SEARCH_SIDECAR;
    else
        go_on_without(x);
    return HTTP_STATIC_NEXT;
}

enum http_static_result http_sidecar_choose(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (!s->codings_ordered) {
        struct http_codings codings;
        http_codings_init(&codings);
        uint32_t cursor = 0;
        struct span value;
        while (http_request_field_next(&x->request, HTTP_FIELD_ACCEPT_ENCODING, &cursor, &value))
            http_codings_parse(&codings, value);
        s->codings_count = (uint8_t)http_codings_order(&codings, s->found_codings, s->codings);
        s->coding_index = 0;
        s->codings_ordered = true;
    }
    for (; s->coding_index < s->codings_count; s->coding_index++) {
        enum coding coding = s->codings[s->coding_index];
        if (coding == CODING_IDENTITY && s->entry->error == 0)
            break;
        if (coding == CODING_IDENTITY)
            continue; /* it would be liked better, but it is not there */
        struct file_entry *entry = http_search_look_up(x, http_sidecar_path(x, coding));
        if (entry == NULL)
            return HTTP_STATIC_NEXT;
        if (file_entry_is_file(entry)) {
            http_search_set(&s->sidecar, entry);
            break;
        }
        file_entry_unref(entry); /* gone since it was probed */
    }
    if (s->sidecar != NULL)
        s->step = HTTP_SEARCH_RESPOND;
    else
        go_on_without(x);
    return HTTP_STATIC_NEXT;
}
