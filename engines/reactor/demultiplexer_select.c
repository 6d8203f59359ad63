/* demultiplexer_select.c: select(2): bit maps of all descriptors, copied in and out and looked
 * through with each wait.
 *
 * The bit maps are ours, as long as the highest descriptor asks for: the kernel takes any length,
 * and only the library's fd_set ends at 1023, where FD_SET() aborts. One shot: a bit is cleared
 * when it is told of. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/stats.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

enum { WORD_BITS = sizeof(unsigned long) * CHAR_BIT };

/* A direction: what is waited for, and what a wait has said. */
struct bit_map {
    unsigned long *wanted, *ready;
};

struct select_set {
    struct demultiplexer base;
    struct descriptor_table sources;
    struct bit_map reads, writes;
    size_t words; /* in each bit map */
    int highest;  /* no descriptor above is registered; -1: none */
    size_t next;  /* word where the next look begins: nobody is always the last */
};

static struct select_set *set_of(struct demultiplexer *d)
{
    return container_of(d, struct select_set, base);
}

static int select_set_probe(size_t sources, char *why, size_t why_size)
{
    (void)sources;
    struct timeval now = { 0 };
    if (select(0, NULL, NULL, NULL, &now) == 0)
        return 0;
    int error = errno;
    snprintf(why, why_size,
             "select: %s; a seccomp filter forbids it: allow select and pselect6, or "
             "take another demultiplexer",
             strerror(error));
    return -error;
}

static int lengthen(unsigned long **map, size_t words, size_t old_words)
{
    unsigned long *longer = realloc(*map, words * sizeof(longer[0]));
    if (longer == NULL)
        return -ENOMEM;
    memset(longer + old_words, 0, (words - old_words) * sizeof(longer[0]));
    *map = longer;
    return 0;
}

static int make_room(struct select_set *set, int fd)
{
    size_t words = set->words > 0 ? set->words : 16;
    while (words <= (size_t)fd / WORD_BITS)
        words *= 2;
    if (words == set->words)
        return 0;
    if (lengthen(&set->reads.wanted, words, set->words) < 0 ||
        lengthen(&set->reads.ready, words, set->words) < 0 ||
        lengthen(&set->writes.wanted, words, set->words) < 0 ||
        lengthen(&set->writes.ready, words, set->words) < 0)
        return -ENOMEM;
    set->words = words;
    return 0;
}

static void select_set_close(struct demultiplexer *d)
{
    struct select_set *set = set_of(d);
    descriptor_table_free(&set->sources);
    free(set->reads.wanted);
    free(set->reads.ready);
    free(set->writes.wanted);
    free(set->writes.ready);
    free(set);
}

static int select_set_open(size_t sources, char *why, size_t why_size,
                           struct demultiplexer **ret_demultiplexer)
{
    (void)sources;
    struct select_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    set->base.ops = &demultiplexer_select;
    set->highest = -1;
    int res = make_room(set, 0);
    if (res < 0) {
        snprintf(why, why_size, "out of memory");
        select_set_close(&set->base);
        return res;
    }
    *ret_demultiplexer = &set->base;
    return 0;
}

static void put_bit(struct bit_map *map, int fd, bool value)
{
    unsigned long bit = 1ul << fd % WORD_BITS, *word = &map->wanted[fd / WORD_BITS];
    *word = value ? *word | bit : *word & ~bit;
}

static void select_set_want(struct demultiplexer *d, struct loop_source *source, uint32_t events)
{
    struct select_set *set = set_of(d);
    put_bit(&set->reads, source->fd, (events & DEMULTIPLEXER_READ) != 0);
    put_bit(&set->writes, source->fd, (events & DEMULTIPLEXER_WRITE) != 0);
}

static int select_set_add(struct demultiplexer *d, struct loop_source *source,
                          enum demultiplexer_role role)
{
    struct select_set *set = set_of(d);
    int res = make_room(set, source->fd);
    if (res == 0)
        res = descriptor_table_set(&set->sources, source->fd, source);
    if (res < 0)
        return res;
    if (source->fd > set->highest)
        set->highest = source->fd;
    if (role != DEMULTIPLEXER_CONNECTION) /* which says what it waits for */
        select_set_want(d, source, DEMULTIPLEXER_READ);
    return 0;
}

static void select_set_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    (void)closes;
    struct select_set *set = set_of(d);
    select_set_want(d, source, 0);
    MUST(descriptor_table_set(&set->sources, source->fd, NULL) == 0);
    while (set->highest >= 0 && descriptor_table_get(&set->sources, set->highest) == NULL)
        set->highest--;
}

/* Tells of the descriptors of one word. */
static int take_word(struct select_set *set, size_t word, struct demultiplexer_event *events,
                     int max)
{
    unsigned long any = set->reads.ready[word] | set->writes.ready[word];
    int n = 0;
    for (; any != 0 && n < max; any &= any - 1) {
        int fd = (int)(word * WORD_BITS) + __builtin_ctzl(any);
        unsigned long bit = any & -any;
        struct loop_source *source = descriptor_table_get(&set->sources, fd);
        CHECK(source != NULL);
        events[n++] = (struct demultiplexer_event){
            source, (set->reads.ready[word] & bit ? DEMULTIPLEXER_READ : 0u) |
                        (set->writes.ready[word] & bit ? DEMULTIPLEXER_WRITE : 0u)
        };
        select_set_want(&set->base, source, 0);
    }
    return n;
}

static int select_set_wait(struct demultiplexer *d, int timeout_ms,
                           struct demultiplexer_event *events, int max)
{
    struct select_set *set = set_of(d);
    size_t words = (size_t)(set->highest + WORD_BITS) / WORD_BITS;
    struct timeval timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
    memcpy(set->reads.ready, set->reads.wanted, words * sizeof(set->reads.ready[0]));
    memcpy(set->writes.ready, set->writes.wanted, words * sizeof(set->writes.ready[0]));
    stats_count(STATS_CALL_WAIT);
    int ready = select(set->highest + 1, (fd_set *)(void *)set->reads.ready,
                       (fd_set *)(void *)set->writes.ready, NULL, timeout_ms < 0 ? NULL : &timeout);
    if (ready < 0)
        return demultiplexer_failed(errno);
    int n = 0;
    size_t at = set->next < words ? set->next : 0;
    for (size_t looked = 0; ready > 0 && looked < words && n < max; looked++) {
        n += take_word(set, at, events + n, max - n);
        at = at + 1 < words ? at + 1 : 0;
    }
    set->next = n == max ? at : 0;
    return n;
}

const struct demultiplexer_ops demultiplexer_select = {
    .name = "select",
    .call = "select",
    .probe = select_set_probe,
    .open = select_set_open,
    .add = select_set_add,
    .want = select_set_want,
    .remove = select_set_remove,
    .wait = select_set_wait,
    .close = select_set_close,
};
