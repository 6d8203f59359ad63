/* stats_place.c: which place of the region is for which name. One process writes names, before it
 * forks those that count there; places are never given to another name, so a count goes on when its
 * server comes back. */
#include "core/stats_region.h"

#include "core/check.h"
#include "core/stats_read.h"

#include <stdio.h>
#include <string.h>

#define TEN(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7, (n) + 8, (n) + 9

uint8_t stats_server_places[STATS_SERVERS] = { TEN(0),  TEN(10), TEN(20), TEN(30), TEN(40),
                                               TEN(50), 60,      61,      62,      63 };
uint8_t stats_listen_places[STATS_LISTENS] = { TEN(0), TEN(10), TEN(20), 30, 31 };

static struct stats_place *places_of(enum stats_kind kind)
{
    return kind == STATS_KIND_SERVER ? stats_region->servers : stats_region->listens;
}

static size_t count_of(enum stats_kind kind)
{
    return kind == STATS_KIND_SERVER ? STATS_SERVERS : STATS_LISTENS;
}

/* Is it, or can it be, the place of that name, which is cut to what fits? */
static bool takes(struct stats_place *place, const char *name)
{
    if (!atomic_load(&place->used)) {
        snprintf(place->name, sizeof place->name, "%s", name);
        atomic_store(&place->used, true);
        return true;
    }
    return strncmp(place->name, name, sizeof place->name - 1) == 0;
}

void stats_name(enum stats_kind kind, size_t index, const char *name)
{
    size_t last = count_of(kind) - 1, place = 0;

    if (stats_region == NULL)
        return;
    if (index >= last)
        place = last;
    while (place < last && !takes(&places_of(kind)[place], name))
        place++;
    if (place == last)
        (void)takes(&places_of(kind)[last], "others");
    uint8_t *places = kind == STATS_KIND_SERVER ? stats_server_places : stats_listen_places;
    places[index < last ? index : last] = (uint8_t)place;
}

const char *stats_place_name(enum stats_kind kind, size_t place)
{
    CHECK(place < count_of(kind));
    if (stats_region == NULL || !atomic_load(&places_of(kind)[place].used))
        return NULL;
    return places_of(kind)[place].name;
}
