/* histogram: see histogram.h. The bucket of a time is its highest bit and the seven below it. */
#include "histogram.h"

static unsigned bucket_of(uint64_t ns)
{
    if (ns >= (uint64_t)1 << (HISTOGRAM_POWERS + HISTOGRAM_FINE_BITS))
        return HISTOGRAM_BUCKETS - 1;
    if (ns < 1 << HISTOGRAM_FINE_BITS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_FINE_BITS;
    return ((shift + 1) << HISTOGRAM_FINE_BITS) + (unsigned)(ns >> shift) -
           (1 << HISTOGRAM_FINE_BITS);
}

/* The longest time that falls into a bucket. */
static uint64_t end_of(unsigned bucket)
{
    if (bucket < 1 << HISTOGRAM_FINE_BITS)
        return bucket;
    unsigned shift = (bucket >> HISTOGRAM_FINE_BITS) - 1;
    uint64_t fine = (bucket & ((1U << HISTOGRAM_FINE_BITS) - 1)) + (1U << HISTOGRAM_FINE_BITS);
    return ((fine + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->buckets[bucket_of(ns)]++;
    histogram->count++;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

uint64_t histogram_percentile_ns(const struct histogram *histogram, double percent)
{
    double wanted = (double)histogram->count * percent / 100;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return i == HISTOGRAM_BUCKETS - 1 || end_of(i) > histogram->max_ns ? histogram->max_ns
                                                                               : end_of(i);
    }
    return histogram->max_ns;
}
