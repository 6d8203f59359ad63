/* fuzz_accept.c: Accept-Encoding and Accept, the same octets as both. The first octet says which
 * codings are available. */
#include "http/accept.h"

#include "core/check.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool codings_equal(const struct http_codings *a, const struct http_codings *b)
{
    return memcmp(a->weight, b->weight, sizeof(a->weight)) == 0;
}

/* Best first, nothing twice, nothing that is not there or not wanted, identity always. */
static void check_order(const struct http_codings *codings, unsigned available)
{
    enum coding order[CODING_COUNT];
    size_t count = http_codings_order(codings, available, order);
    unsigned seen = 0;

    CHECK(count >= 1 && count <= CODING_COUNT);
    for (size_t i = 0; i < count; i++) {
        unsigned bit = 1u << order[i];

        CHECK((seen & bit) == 0 && (order[i] == CODING_IDENTITY || (available & bit) != 0));
        CHECK(order[i] == CODING_IDENTITY || codings->weight[order[i]] > 0);
        CHECK(i == 0 || codings->weight[order[i]] <= codings->weight[order[i - 1]]);
        seen |= bit;
    }
    CHECK(seen & 1u << CODING_IDENTITY);
}

/* Letters of the other case mean the same. */
static void check_case(struct span value, const struct http_codings *codings)
{
    char *swapped = malloc(value.len + 1);
    struct http_codings other;

    CHECK(swapped != NULL);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i], lower = (char)(c | 0x20);

        swapped[i] = lower >= 'a' && lower <= 'z' ? (char)(c ^ 0x20) : c;
    }
    http_codings_init(&other);
    http_codings_parse(&other, span_make(swapped, value.len));
    CHECK(codings_equal(codings, &other));
    CHECK(http_accept_prefers_json(span_make(swapped, value.len)) ==
          http_accept_prefers_json(value));
    free(swapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_codings codings, twice;

    if (size < 1)
        return 0;

    struct span value = span_make((const char *)data + 1, size - 1);
    http_codings_init(&codings);
    http_codings_parse(&codings, value);
    for (size_t i = 0; i < CODING_COUNT; i++)
        CHECK(codings.weight[i] <= 1000);
    check_order(&codings, data[0]);
    /* The first of a name counts, so the same line again changes nothing. */
    twice = codings;
    http_codings_parse(&twice, value);
    CHECK(codings_equal(&codings, &twice));
    check_case(value, &codings);
    return 0;
}
