/* stats_certificates.c: until when the certificates that are in use are valid. Written by the one
 * process that reads them, before it forks those that serve; a place is never given to another
 * file. */
#include "core/stats_region.h"

#include "core/check.h"
#include "core/stats_read.h"

#include <stdio.h>
#include <string.h>

static void put(struct stats_certificate *certificate, int64_t since_s, int64_t until_s)
{
    certificate->next_since_s = since_s;
    certificate->next_until_s = until_s;
    certificate->round = stats_region->certificates_round;
}

/* Is it, or can it be, the place of that name, which is cut to what fits? */
static bool takes(struct stats_certificate *certificate, const char *name)
{
    if (!atomic_load(&certificate->place.used)) {
        snprintf(certificate->place.name, sizeof certificate->place.name, "%s", name);
        atomic_store(&certificate->place.used, true);
        return true;
    }
    return strncmp(certificate->place.name, name, sizeof certificate->place.name - 1) == 0;
}

void stats_certificate(const char *name, int64_t since_s, int64_t until_s)
{
    struct stats_certificate *last;

    if (stats_region == NULL)
        return;
    for (size_t i = 0; i < STATS_CERTIFICATES - 1; i++) {
        if (takes(&stats_region->certificates[i], name)) {
            put(&stats_region->certificates[i], since_s, until_s);
            return;
        }
    }
    last = &stats_region->certificates[STATS_CERTIFICATES - 1];
    (void)takes(last, "others");
    if (last->round != stats_region->certificates_round || until_s < last->next_until_s)
        put(last, since_s, until_s);
}

void stats_certificates_begin(void)
{
    if (stats_region != NULL)
        stats_region->certificates_round++;
}

void stats_certificates_end(void)
{
    for (size_t i = 0; stats_region != NULL && i < STATS_CERTIFICATES; i++) {
        struct stats_certificate *certificate = &stats_region->certificates[i];
        bool used =
            certificate->place.used && certificate->round == stats_region->certificates_round;

        atomic_store(&certificate->since_s, used ? certificate->next_since_s : 0);
        atomic_store(&certificate->until_s, used ? certificate->next_until_s : 0);
    }
}

bool stats_certificate_at(size_t index, struct stats_validity *ret_validity)
{
    CHECK(index < STATS_CERTIFICATES);
    if (stats_region == NULL || !atomic_load(&stats_region->certificates[index].place.used))
        return false;
    struct stats_certificate *certificate = &stats_region->certificates[index];
    *ret_validity = (struct stats_validity){ .name = certificate->place.name,
                                             .since_s = atomic_load(&certificate->since_s),
                                             .until_s = atomic_load(&certificate->until_s) };
    return ret_validity->until_s != 0;
}
