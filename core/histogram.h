/* histogram.h: how many of which length: log-linear buckets, as HdrHistogram has them. Each power
 * of two is divided into 16, so that the middle of a bucket is within 3.2 % of every value in it.
 * Pure.
 */
#ifndef CORE_HISTOGRAM_H
#define CORE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_SUB_BITS = 4,
    HISTOGRAM_SUB = 1 << HISTOGRAM_SUB_BITS, /* buckets of one power of two */
    HISTOGRAM_BITS =
        42, /* values are below 2^42: 73 minutes in nanoseconds; larger: the last one */
    HISTOGRAM_BUCKETS = (HISTOGRAM_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB
};

/* Counts by bucket, and what all values add up to; read from several threads' (stats.h). */
struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t sum;
};

/* The bucket of a value. */
static inline size_t histogram_bucket(uint64_t value)
{
    if (value < HISTOGRAM_SUB)
        return (size_t)value;
    if (value >> HISTOGRAM_BITS != 0)
        return HISTOGRAM_BUCKETS - 1;
    unsigned high = 63u - (unsigned)__builtin_clzll(value);
    unsigned shift = high - HISTOGRAM_SUB_BITS;
    return ((size_t)(shift + 1) << HISTOGRAM_SUB_BITS) +
           ((size_t)(value >> shift) & (HISTOGRAM_SUB - 1));
}

/* The least value of a bucket; of HISTOGRAM_BUCKETS: the first that has none of its own. */
uint64_t histogram_least(size_t bucket);

/* The middle of a bucket. */
uint64_t histogram_middle(size_t bucket);

/* How many values there are. */
uint64_t histogram_count(const struct histogram *h);

/* How many values are in buckets that end at `value`, a power of two, or below it. */
uint64_t histogram_below(const struct histogram *h, uint64_t value);

/* The value that the share `part` of all (0 to 1) does not exceed: the middle of its bucket. 0 when
 * there is none. */
uint64_t histogram_at(const struct histogram *h, double part);

#endif
