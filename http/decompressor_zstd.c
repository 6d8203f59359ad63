/* decompressor_zstd.c: zstd (RFC 8878) by libzstd: one frame or several. */
#include "http/decompressor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { WINDOW_MAX = 23 /* 8 MiB (RFC 9659) */ };

struct unzstd {
    ZSTD_DCtx *d;
    bool between; /* a frame has ended, and none has begun */
};

static int unzstd_open(uint64_t size, void **ret_state)
{
    struct unzstd *u = calloc(1, sizeof(*u));

    (void)size;
    if (u == NULL)
        return -ENOMEM;
    u->d = ZSTD_createDCtx();
    if (u->d == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(u->d, ZSTD_d_windowLogMax, WINDOW_MAX))) {
        ZSTD_freeDCtx(u->d);
        free(u);
        return -ENOMEM;
    }
    *ret_state = u;
    return 0;
}

static int unzstd_run(void *state, struct compressor_io *io, bool last)
{
    struct unzstd *u = state;

    for (;;) {
        ZSTD_inBuffer in = { io->in, io->in_len, 0 };
        ZSTD_outBuffer out = { io->out, io->out_len, 0 };
        size_t left;

        if (u->between && io->in_len == 0)
            return 1;
        left = ZSTD_decompressStream(u->d, &out, &in);
        io->in += in.pos;
        io->in_len -= in.pos;
        io->out += out.pos;
        io->out_len -= out.pos;
        if (ZSTD_isError(left))
            return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
        u->between = left == 0;
        if (u->between)
            continue;
        if (io->out_len == 0)
            return 0;
        if (io->in_len == 0)
            return last ? -EBADMSG : 1;
    }
}

static void unzstd_close(void *state)
{
    struct unzstd *u = state;

    ZSTD_freeDCtx(u->d);
    free(u);
}

static void unzstd_version(char text[COMPRESSOR_VERSION_MAX])
{
    snprintf(text, COMPRESSOR_VERSION_MAX, "1"); /* whoever does it, the same octets come of it */
}

const struct compressor_ops decompressor_zstd = {
    .coding = CODING_IDENTITY,
    .name = "zstd",
    .recipe = "unzstd",
    .version = unzstd_version,
    .open = unzstd_open,
    .run = unzstd_run,
    .close = unzstd_close,
};
