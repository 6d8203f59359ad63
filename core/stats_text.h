/* stats_text.h: the counters of core/stats.h as texts. */
#ifndef CORE_STATS_TEXT_H
#define CORE_STATS_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* Who tells; all borrowed. */
struct stats_teller {
    const char *version, *engine;
    int process;
    bool draining;
};

/* JSON (RFC 8259), one object, of one line. `out` may fail: ask ferror(3). Without memory nothing
 * is written. */
void stats_text_json(const struct stats_teller *teller, FILE *out);

/* Prometheus' text format, version 0.0.4. */
void stats_text_prometheus(const struct stats_teller *teller, FILE *out);

#endif
