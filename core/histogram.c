/* histogram.c: see histogram.h. */
#include "core/histogram.h"

#include "core/check.h"

uint64_t histogram_least(size_t bucket)
{
    CHECK(bucket <= HISTOGRAM_BUCKETS);
    if (bucket < HISTOGRAM_SUB)
        return bucket;
    unsigned shift = (unsigned)(bucket >> HISTOGRAM_SUB_BITS) - 1;
    return (uint64_t)(HISTOGRAM_SUB + (bucket & (HISTOGRAM_SUB - 1))) << shift;
}

uint64_t histogram_middle(size_t bucket)
{
    CHECK(bucket < HISTOGRAM_BUCKETS);
    return histogram_least(bucket) + (histogram_least(bucket + 1) - histogram_least(bucket)) / 2;
}

uint64_t histogram_count(const struct histogram *h)
{
    return histogram_below(h, UINT64_C(1) << HISTOGRAM_BITS);
}

uint64_t histogram_below(const struct histogram *h, uint64_t value)
{
    uint64_t count = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram_least(i) < value; i++)
        count += h->buckets[i];
    return count;
}

uint64_t histogram_at(const struct histogram *h, double part)
{
    uint64_t count = histogram_count(h), seen = 0;

    if (count == 0)
        return 0;
    double rank = part * (double)count;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && (double)seen >= rank)
            return histogram_middle(i);
    }
    UNREACHABLE();
}
