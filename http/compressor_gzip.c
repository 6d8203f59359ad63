/* compressor_gzip.c: gzip (RFC 1952) by zlib. Its header has no name and no time. */
#include "http/compressor.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    LEVEL = 6,            /* 9 takes 2.4 times as long, for half a percent less */
    WINDOW_GZIP = 15 + 16 /* 32 KiB, and gzip's header (deflateInit2()) */
};

static int gzip_open(uint64_t size, void **ret_state)
{
    z_stream *z = calloc(1, sizeof(*z));

    (void)size;
    if (z == NULL)
        return -ENOMEM;
    if (deflateInit2(z, LEVEL, Z_DEFLATED, WINDOW_GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return -ENOMEM;
    }
    *ret_state = z;
    return 0;
}

static int gzip_run(void *state, struct compressor_io *io, bool last)
{
    z_stream *z = state;
    int res;

    CHECK(io->in_len <= UINT32_MAX && io->out_len > 0);
    z->next_in = (unsigned char *)(uintptr_t)io->in;
    z->avail_in = (uInt)io->in_len;
    z->next_out = (unsigned char *)io->out;
    z->avail_out = io->out_len < UINT32_MAX ? (uInt)io->out_len : UINT32_MAX;
    res = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
    io->in = (const char *)z->next_in;
    io->in_len = z->avail_in;
    io->out_len -= (size_t)((char *)z->next_out - io->out);
    io->out = (char *)z->next_out;
    if (res != Z_OK && res != Z_STREAM_END && res != Z_BUF_ERROR)
        return -EIO;
    return last ? res == Z_STREAM_END : io->in_len == 0;
}

static void gzip_close(void *state)
{
    deflateEnd(state);
    free(state);
}

static void gzip_version(char text[COMPRESSOR_VERSION_MAX])
{
    snprintf(text, COMPRESSOR_VERSION_MAX, "%s", zlibVersion());
}

const struct compressor_ops compressor_gzip = {
    .coding = CODING_GZIP,
    .name = "gzip",
    .recipe = "gzip 6",
    .version = gzip_version,
    .open = gzip_open,
    .run = gzip_run,
    .close = gzip_close,
};
