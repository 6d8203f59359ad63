/* histogram: counts of times in buckets that grow with the time, as HdrHistogram's do: 128 to each
 * power of two, so that a percentile is at most 0.8 % above the true one, whatever its size. It
 * allocates nothing. */
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_FINE_BITS = 7, /* 128 buckets to a power of two */
    HISTOGRAM_POWERS = 34,   /* up to 2^41 ns, 36 minutes; longer times count as that */
    HISTOGRAM_BUCKETS = (HISTOGRAM_POWERS + 1) << HISTOGRAM_FINE_BITS,
};

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max_ns; /* of all added, to the nanosecond */
};

/* Adds one time. */
void histogram_add(struct histogram *histogram, uint64_t ns);

/* The time that `percent` (0 to 100) of those added do not exceed, rounded up to the end of its
 * bucket, never above the largest added. 0 where none was added. */
uint64_t histogram_percentile_ns(const struct histogram *histogram, double percent);

#endif
