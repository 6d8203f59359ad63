/* compressor_zstd.c: zstd (RFC 8878) by libzstd, with a window of at most 8 MiB, as RFC 9659 wants
 * it of a content coding. */
#include "http/compressor.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <zstd.h>

enum {
    LEVEL = 6,      /* smaller than gzip at its best, in a quarter of that time */
    WINDOW_MAX = 22 /* 4 MiB */
};

static bool set(ZSTD_CCtx *c, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(c, parameter, value));
}

/* The size is announced, so that small files take little memory. */
static int zstd_open(uint64_t size, void **ret_state)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();

    if (c == NULL)
        return -ENOMEM;
    if (!set(c, ZSTD_c_compressionLevel, LEVEL) ||
        (size > 1u << WINDOW_MAX && !set(c, ZSTD_c_windowLog, WINDOW_MAX)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(c, size))) {
        ZSTD_freeCCtx(c);
        return -ENOMEM;
    }
    *ret_state = c;
    return 0;
}

static int zstd_run(void *state, struct compressor_io *io, bool last)
{
    ZSTD_inBuffer in = { io->in, io->in_len, 0 };
    ZSTD_outBuffer out = { io->out, io->out_len, 0 };
    size_t left = ZSTD_compressStream2(state, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);

    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    if (ZSTD_isError(left))
        return -EIO;
    return last ? left == 0 : io->in_len == 0;
}

static void zstd_close(void *state)
{
    ZSTD_freeCCtx(state);
}

static void zstd_version(char text[COMPRESSOR_VERSION_MAX])
{
    snprintf(text, COMPRESSOR_VERSION_MAX, "%s", ZSTD_versionString());
}

const struct compressor_ops compressor_zstd = {
    .coding = CODING_ZSTD,
    .name = "zstd",
    .recipe = "zstd 6 22",
    .version = zstd_version,
    .open = zstd_open,
    .run = zstd_run,
    .close = zstd_close,
};
