/* listen_share.c: opens sockets beside the first ones, or counts who holds them. */
#include "engines/listen_share.h"

#include "engines/listen.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* One address. */
static int share_listener(struct listen_share *share, size_t index, enum accept_mode mode,
                          char *why, size_t why_size)
{
    struct listener *first = &share->first[index];
    bool beside = mode == ACCEPT_REUSEPORT && first->config->kind != LISTEN_UNIX;
    if (!beside) {
        atomic_init(&share->holders[index], 1);
        first->holders = &share->holders[index];
    }
    for (unsigned loop = 1; loop < share->loops; loop++) {
        struct listener *listener = &listen_share_of(share, loop)[index];
        if (!beside) {
            atomic_fetch_add(first->holders, 1);
            *listener = *first;
            continue;
        }
        int res = listener_open_beside(first, why, why_size, listener);
        if (res < 0)
            return res;
    }
    return 0;
}

int listen_share_open(struct listener *first, size_t count, unsigned loops, enum accept_mode mode,
                      char *why, size_t why_size, struct listen_share *ret_share)
{
    CHECK(loops > 0);
    struct listen_share share = { .first = first, .count = count, .loops = loops };
    share.others = calloc(count * (loops - 1) + 1, sizeof(share.others[0]));
    share.holders = calloc(count + 1, sizeof(share.holders[0]));
    if (share.others == NULL || share.holders == NULL) {
        snprintf(why, why_size, "listening sockets: out of memory");
        free(share.others);
        free(share.holders);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count * (loops - 1); i++)
        share.others[i].fd = -1;
    for (size_t i = 0; i < count && loops > 1; i++) {
        int res = share_listener(&share, i, mode, why, why_size);
        if (res < 0) {
            listen_share_close(&share);
            return res;
        }
    }
    *ret_share = share;
    return 0;
}

struct listener *listen_share_of(const struct listen_share *share, unsigned index)
{
    CHECK(index < share->loops);
    return index == 0 ? share->first : &share->others[(index - 1) * share->count];
}

void listen_share_close(struct listen_share *share)
{
    if (share->loops == 0)
        return;
    for (size_t i = 0; i < share->count * (share->loops - 1); i++)
        listener_close(&share->others[i]);
    for (size_t i = 0; i < share->count; i++)
        share->first[i].holders = NULL;
    free(share->others);
    free(share->holders);
    *share = (struct listen_share){ 0 };
}
