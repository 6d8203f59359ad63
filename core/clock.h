/* clock.h: the time as a loop sees it: read once a turn, formatted once a second.
 *
 * A loop calls clock_update() after each wait; everyone else reads the members. One clock a thread.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>
#include <time.h>

struct clock {
    uint64_t now_ms;    /* CLOCK_MONOTONIC_COARSE is too coarse for deadlines: CLOCK_MONOTONIC,
                           milliseconds, never 0 */
    uint64_t now_ns;    /* the same reading, in nanoseconds */
    int64_t wall_s;     /* CLOCK_REALTIME, seconds since 1970 */
    int32_t wall_ms;    /* the milliseconds of that second */
    char http_date[32]; /* IMF-fixdate of wall_s, 29 octets and a NUL (RFC 9110 section 5.6.7) */
    char log_date[32];  /* "22/Nov/2026:12:00:00 +0000" of wall_s in local time, NUL-terminated
                           (Common Log Format) */
};

/* Reads both clocks; formats the two strings anew when the second has changed. A zeroed clock may
 * be passed in. */
void clock_update(struct clock *clock);

/* CLOCK_MONOTONIC now, in nanoseconds, read afresh; never 0. */
uint64_t clock_monotonic_ns(void);

/* CLOCK_MONOTONIC now, in milliseconds, read afresh; never 0. */
uint64_t clock_monotonic_ms(void);

enum { CLOCK_UTC_LEN = 19 };

/* Writes `wall_s` as "2026-11-22T12:00:00" in UTC (RFC 3339 without fraction and zone),
 * CLOCK_UTC_LEN octets and a NUL. Years outside 0 to 9999 are clamped to them. Async-signal-safe.
 */
void clock_format_utc(int64_t wall_s, char *ret_text);

#endif
