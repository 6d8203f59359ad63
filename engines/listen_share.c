/* listen_share.c: deals sockets out, opens those that are missing, or counts who holds one. */
#include "engines/listen_share.h"

#include "engines/listen.h"

#include "core/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void deal(struct listen_share *share, unsigned loop, const struct listener *listener,
                 size_t origin)
{
    size_t at = loop * share->count + share->counts[loop]++;
    CHECK(share->counts[loop] <= share->count);
    share->dealt[at] = *listener;
    share->origins[at] = origin;
}

/* One socket, for all loops: the first one's is the caller's. */
static void deal_to_all(struct listen_share *share, size_t index)
{
    struct listener listener = share->given[index];
    listener.holders = &share->holders[index];
    atomic_init(listener.holders, share->loops);
    for (unsigned loop = 0; loop < share->loops; loop++)
        deal(share, loop, &listener, loop == 0 ? index : SIZE_MAX);
}

static bool is_first_of_its_address(const struct listen_share *share, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (share->given[i].config == share->given[index].config)
            return false;
    }
    return true;
}

/* Those of the address of `first`, one after another to the loops in turn; who has got none is
 * given a new one. */
static int deal_address(struct listen_share *share, size_t first, char *why, size_t why_size)
{
    const struct listen_config *config = share->given[first].config;
    unsigned loop = 0;
    for (size_t i = first; i < share->count; i++) {
        if (share->given[i].config == config)
            deal(share, loop++ % share->loops, &share->given[i], i);
    }
    for (; loop < share->loops; loop++) {
        struct listener listener;
        int res = listener_open_beside(&share->given[first], why, why_size, &listener);
        if (res < 0)
            return res;
        deal(share, loop, &listener, SIZE_MAX); /* what fails from here on closes it */
        res = listener_begin(&listener, why, why_size);
        if (res < 0)
            return res;
    }
    return 0;
}

static int deal_all(struct listen_share *share, enum accept_mode mode, char *why, size_t why_size)
{
    for (size_t i = 0; i < share->count; i++) {
        int res = 0;
        if (mode != ACCEPT_REUSEPORT || share->given[i].config->kind == LISTEN_UNIX)
            deal_to_all(share, i);
        else if (is_first_of_its_address(share, i))
            res = deal_address(share, i, why, why_size);
        if (res < 0)
            return res;
    }
    return 0;
}

int listen_share_open(struct listener *given, size_t count, unsigned loops, enum accept_mode mode,
                      char *why, size_t why_size, struct listen_share *ret_share)
{
    CHECK(loops > 0);
    struct listen_share share = { .given = given, .count = count, .loops = loops };
    share.dealt = calloc(count * loops + 1, sizeof(share.dealt[0]));
    share.origins = calloc(count * loops + 1, sizeof(share.origins[0]));
    share.counts = calloc(loops, sizeof(share.counts[0]));
    share.holders = calloc(count + 1, sizeof(share.holders[0]));
    int res = -ENOMEM;
    if (share.dealt != NULL && share.origins != NULL && share.counts != NULL &&
        share.holders != NULL)
        res = loops > 1 ? deal_all(&share, mode, why, why_size) : 0;
    else
        snprintf(why, why_size, "listening sockets: out of memory");
    if (res < 0)
        listen_share_close(&share);
    else
        *ret_share = share;
    return res;
}

struct listener *listen_share_of(const struct listen_share *share, unsigned index,
                                 size_t *ret_count)
{
    CHECK(index < share->loops);
    *ret_count = share->loops == 1 ? share->count : share->counts[index];
    return share->loops == 1 ? share->given : &share->dealt[index * share->count];
}

void listen_share_close(struct listen_share *share)
{
    if (share->loops == 0)
        return;
    for (unsigned loop = share->loops; share->counts != NULL && loop-- > 0;) {
        for (size_t i = 0; i < share->counts[loop]; i++) {
            size_t at = loop * share->count + i;
            if (share->origins[at] == SIZE_MAX) {
                listener_close(&share->dealt[at]);
                continue;
            }
            struct listener *given = &share->given[share->origins[at]];
            *given = share->dealt[at];
            given->holders = NULL;
        }
    }
    free(share->dealt);
    free(share->origins);
    free(share->counts);
    free(share->holders);
    *share = (struct listen_share){ 0 };
}
