/* decompressor.c: the table of decompressors. See decompressor.h. */
#include "http/decompressor.h"

#include "core/check.h"

static const struct compressor_ops *const decompressors[CODING_COUNT] = {
    [CODING_GZIP] = &decompressor_gzip,
#ifdef GS_BROTLI
    [CODING_BR] = &decompressor_br,
#endif
#ifdef GS_ZSTD
    [CODING_ZSTD] = &decompressor_zstd,
#endif
};

const struct compressor_ops *decompressor_find(enum coding coding)
{
    CHECK((unsigned)coding < CODING_COUNT);
    return decompressors[coding];
}
