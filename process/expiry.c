/* expiry.c: once a day the error log is told of certificates that end soon, or have ended while
 * they were in use; when they are read, it is told by whoever reads them. See
 * supervisor_internal.h. */
#include "process/supervisor_internal.h"

#include "core/log.h"
#include "core/stats_read.h"
#include "tls/pem_file.h"

#include <time.h>

enum { DAY_MS = 24 * 3600 * 1000 };

/* How many were told of. */
static size_t warn(int64_t now_s)
{
    size_t count = 0;

    for (size_t i = 0; i < STATS_CERTIFICATES; i++) {
        struct stats_validity validity;
        char text[128];

        if (!stats_certificate_at(i, &validity) ||
            !pem_expiry_text(validity.since_s, validity.until_s, now_s, text, sizeof text))
            continue;
        log_warn("%s: %s", validity.name, text);
        count++;
    }
    return count;
}

void expiry_go_on(struct supervisor *s, uint64_t now_ms)
{
    if (s->expiry_ms != 0 && now_ms < s->expiry_ms)
        return;
    if (s->expiry_ms != 0)
        warn((int64_t)time(NULL));
    s->expiry_ms = now_ms + DAY_MS;
}

uint64_t expiry_due_ms(const struct supervisor *s)
{
    return s->expiry_ms != 0 ? s->expiry_ms : UINT64_MAX;
}
