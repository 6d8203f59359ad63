/* compressor.c: the table of codings. See compressor.h. */
#include "http/compressor.h"

#include "core/check.h"

#include <stddef.h>

static const struct compressor_ops *const compressors[CODING_COUNT] = {
    [CODING_GZIP] = &compressor_gzip,
#ifdef GS_BROTLI
    [CODING_BR] = &compressor_br,
#endif
#ifdef GS_ZSTD
    [CODING_ZSTD] = &compressor_zstd,
#endif
};

const struct compressor_ops *compressor_find(enum coding coding)
{
    CHECK((unsigned)coding < CODING_COUNT);
    return compressors[coding];
}

unsigned compressor_codings(void)
{
    unsigned codings = 0;

    for (unsigned coding = 0; coding < CODING_COUNT; coding++)
        codings |= compressors[coding] != NULL ? 1u << coding : 0;
    return codings;
}

/* FNV-1a, 32 bits. */
static uint32_t add_text(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x01000193u;
    return hash;
}

uint16_t compressor_recipe(const struct compressor_ops *ops)
{
    char version[COMPRESSOR_VERSION_MAX];
    uint32_t hash;

    ops->version(version);
    hash = add_text(add_text(0x811c9dc5u, version), ops->recipe);

    uint16_t folded = (uint16_t)(hash ^ hash >> 16);

    return folded != 0 ? folded : 1;
}
