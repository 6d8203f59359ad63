/* maintenance.c: see maintenance.h. The file is found and believed as any other, so that a site
 * that is not being maintained pays a look into the cache. */
#include "http/maintenance.h"

#include "core/address_set.h"
#include "http/real_ip.h"
#include "http/search.h"

#include <stdio.h>

bool http_maintenance_is_due(const struct http_exchange *x)
{
    const struct location *location = x->search.location;

    if (http_target_is_challenge(&x->target))
        return false;
    return location->maintenance.allow_count == 0 ||
           !address_set_has(&location->maintenance.allow, http_client_of(x, x->peer));
}

static void tell_when(struct http_exchange *x, uint32_t retry_after_ms)
{
    if (retry_after_ms > 0)
        snprintf(x->extra, sizeof(x->extra), "Retry-After: %u\r\n", (retry_after_ms + 999) / 1000);
}

enum http_static_result http_maintenance_step(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *location = s->location;
    struct span name = span_str(location->maintenance.file);
    struct file_entry *entry = http_search_look_up(x, name);

    if (entry == NULL)
        return HTTP_STATIC_NEXT;
    if (entry->error != 0 ? http_search_status(entry->error) == 404
                          : entry->meta.kind != FILE_REGULAR) {
        file_entry_unref(entry);
        http_static_begin_judging(x);
        return HTTP_STATIC_NEXT;
    }
    tell_when(x, location->maintenance.retry_after_ms);
    if (entry->error != 0 || entry->meta.size == 0) { /* the page is another's */
        file_entry_unref(entry);
        http_static_begin_error(x, 503);
        return HTTP_STATIC_NEXT;
    }
    http_search_set(&s->entry, entry);
    s->name = name;
    s->status = 503;
    s->found_step = HTTP_SEARCH_MAINTENANCE;
    s->step = HTTP_SEARCH_RESPOND_ERROR;
    return HTTP_STATIC_NEXT;
}
