/* watch.c: certificates, keys and what belongs to them are taken anew when their files change
 * (`tls_watch`). See supervisor_internal.h.
 *
 * Whoever renews a certificate writes several files, one after the other: a change counts once two
 * looks in a row, some time apart, have seen the same. It is a reload like any other, but for the
 * configuration, which stays as it was read last: half of an edit is not taken by it. What is
 * refused is told once, and tried again when the files change again. */
#include "process/supervisor_internal.h"

#include "core/clock.h"
#include "core/log.h"

enum { SETTLE_MS = 1000 /* between two looks at what is being changed */ };

static bool is_watching(const struct supervisor *s)
{
    return s->current != NULL && !s->stops && !s->drains &&
           s->current->instance.config->tls.watch_ms > 0 &&
           tls_is_wanted(s->current->instance.config);
}

/* Has what was seen now been there a look before, and is it something new? */
static bool is_settled(struct supervisor *s, uint64_t seen)
{
    struct watch *watch = &s->watch;

    if (s->current->instance.files_seen == 0) /* another binary has read them */
        s->current->instance.files_seen = seen;
    if (seen == s->current->instance.files_seen || seen == watch->tried) {
        watch->changing = 0;
        return false;
    }
    bool settled = seen == watch->changing;
    watch->changing = settled ? 0 : seen;
    return settled;
}

void watch_go_on(struct supervisor *s, uint64_t now_ms)
{
    struct watch *watch = &s->watch;

    if (!is_watching(s) || now_ms < watch->due_ms)
        return;
    const struct generation *g = s->current;
    watch->due_ms = now_ms + g->instance.config->tls.watch_ms;
    if (reload_is_busy(s) || upgrade_is_busy(s))
        return;
    uint64_t seen = tls_files_look(g->instance.config);
    if (is_settled(s, seen)) {
        watch->tried = seen;
        log_info("the files of certificates have changed: they are read anew");
        (void)reload_ask(s, false, g->settings + g->borrowed_count,
                         g->source.settings_count - g->borrowed_count);
    } else if (watch->changing != 0 && g->instance.config->tls.watch_ms > SETTLE_MS) {
        watch->due_ms = now_ms + SETTLE_MS;
    }
}

uint64_t watch_due_ms(const struct supervisor *s)
{
    return is_watching(s) ? s->watch.due_ms : UINT64_MAX;
}
