/* delta.c: see delta.h. */
#include "core/delta.h"

#include "core/check.h"

#include <assert.h>
#include <string.h>

static const struct {
    struct span name;
    uint8_t magic[8];
    size_t magic_len;
} formats[DELTA_FORMATS] = {
    [DELTA_DCB] = { { "dcb", 3 }, { 0xff, 'D', 'C', 'B' }, 4 },
    /* A skippable frame of 32 octets (RFC 8878 section 3.1.2), so that zstd(1) reads it, too. */
    [DELTA_DCZ] = { { "dcz", 3 }, { 0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0 }, 8 },
};

static_assert(sizeof(formats[0].magic) + DELTA_HASH_SIZE == DELTA_HEAD_MAX, "the longest head");

struct span delta_format_name(enum delta_format format)
{
    CHECK((unsigned)format < DELTA_FORMATS);
    return formats[format].name;
}

size_t delta_head_size(enum delta_format format)
{
    CHECK((unsigned)format < DELTA_FORMATS);
    return formats[format].magic_len + DELTA_HASH_SIZE;
}

size_t delta_head_put(enum delta_format format, const uint8_t hash[DELTA_HASH_SIZE],
                      uint8_t ret_head[DELTA_HEAD_MAX])
{
    size_t size = delta_head_size(format);

    memcpy(ret_head, formats[format].magic, formats[format].magic_len);
    memcpy(ret_head + formats[format].magic_len, hash, DELTA_HASH_SIZE);
    return size;
}

bool delta_head_is(enum delta_format format, const uint8_t hash[DELTA_HASH_SIZE],
                   const void *octets, size_t len, uint64_t size)
{
    uint8_t head[DELTA_HEAD_MAX];
    size_t head_size = delta_head_put(format, hash, head);

    return len >= head_size && size > head_size && memcmp(octets, head, head_size) == 0;
}

void delta_suffix_put(enum delta_format format, const uint8_t hash[DELTA_HASH_SIZE],
                      char ret_suffix[DELTA_SUFFIX_LEN])
{
    static const char digits[] = "0123456789abcdef";
    struct span name = delta_format_name(format);
    char *out = ret_suffix;

    *out++ = '.';
    for (size_t i = 0; i < DELTA_HASH_SIZE; i++) {
        *out++ = digits[hash[i] >> 4];
        *out++ = digits[hash[i] & 15];
    }
    *out++ = '.';
    memcpy(out, name.ptr, name.len);
    CHECK(out + name.len == ret_suffix + DELTA_SUFFIX_LEN);
}

bool delta_name_is(struct span name)
{
    const char *suffix;
    struct span end;

    if (name.len <= DELTA_SUFFIX_LEN)
        return false;
    suffix = name.ptr + name.len - DELTA_SUFFIX_LEN;
    end = span_make(suffix + DELTA_SUFFIX_LEN - 3, 3);
    if (suffix[0] != '.' || suffix[DELTA_SUFFIX_LEN - 4] != '.' ||
        (!span_eq(end, formats[DELTA_DCB].name) && !span_eq(end, formats[DELTA_DCZ].name)))
        return false;
    for (size_t i = 1; i < 1 + 2 * DELTA_HASH_SIZE; i++)
        if ((suffix[i] < '0' || suffix[i] > '9') && (suffix[i] < 'a' || suffix[i] > 'f'))
            return false;
    return true;
}
