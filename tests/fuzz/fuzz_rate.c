/* fuzz_rate.c: arbitrary octets as a `limit_requests`: what is taken is a rate that a table can
 * count with. */
#include "config/config_limits.h"
#include "core/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct rate_limit limit = { 0 };

    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (config_text_rate(text) == NULL) {
        config_rate_parse(text, &limit);
        CHECK(limit.interval > 0 && limit.burst <= RATE_SPAN_MAX / 2);
        CHECK(limit.burst % limit.interval == 0);
        CHECK(limit.delay == UINT64_MAX ||
              (limit.delay < limit.burst && limit.delay % limit.interval == 0));
    }
    free(text);
    return 0;
}
