/* decompressor_gzip.c: gzip (RFC 1952) by zlib: one member or several, as gzip(1) takes them, with
 * zeros behind the last as tape drives leave them. */
#include "http/decompressor.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW_GZIP = 15 + 16 /* 32 KiB, and gzip's header alone (inflateInit2()) */ };

struct gunzip {
    z_stream z;
    bool between; /* a member has ended, and none has begun */
};

static int gunzip_open(uint64_t size, void **ret_state)
{
    struct gunzip *g = calloc(1, sizeof(*g));

    (void)size;
    if (g == NULL)
        return -ENOMEM;
    if (inflateInit2(&g->z, WINDOW_GZIP) != Z_OK) {
        free(g);
        return -ENOMEM;
    }
    *ret_state = g;
    return 0;
}

/* Goes on behind a member: with another one, or past zeros. */
static void begin_member(struct gunzip *g, struct compressor_io *io)
{
    while (io->in_len > 0 && io->in[0] == '\0') {
        io->in++;
        io->in_len--;
    }
    if (io->in_len == 0)
        return;
    inflateReset(&g->z);
    g->between = false;
}

static int run_once(struct gunzip *g, struct compressor_io *io)
{
    z_stream *z = &g->z;
    int res;

    CHECK(io->in_len <= UINT32_MAX && io->out_len > 0);
    z->next_in = (unsigned char *)(uintptr_t)io->in;
    z->avail_in = (uInt)io->in_len;
    z->next_out = (unsigned char *)io->out;
    z->avail_out = io->out_len < UINT32_MAX ? (uInt)io->out_len : UINT32_MAX;
    res = inflate(z, Z_NO_FLUSH);
    io->in = (const char *)z->next_in;
    io->in_len = z->avail_in;
    io->out_len -= (size_t)((char *)z->next_out - io->out);
    io->out = (char *)z->next_out;
    if (res == Z_STREAM_END)
        g->between = true;
    return res == Z_OK || res == Z_STREAM_END || res == Z_BUF_ERROR ? 0
           : res == Z_MEM_ERROR                                     ? -ENOMEM
                                                                    : -EBADMSG;
}

static int gunzip_run(void *state, struct compressor_io *io, bool last)
{
    struct gunzip *g = state;

    for (;;) {
        int res;

        if (g->between)
            begin_member(g, io);
        if (g->between)
            return 1;
        res = run_once(g, io);
        if (res < 0)
            return res;
        if (g->between)
            continue;
        if (io->out_len == 0)
            return 0; /* perhaps there is more */
        if (io->in_len == 0)
            return last ? -EBADMSG : 1;
    }
}

static void gunzip_close(void *state)
{
    struct gunzip *g = state;

    inflateEnd(&g->z);
    free(g);
}

static void gunzip_version(char text[COMPRESSOR_VERSION_MAX])
{
    snprintf(text, COMPRESSOR_VERSION_MAX, "1"); /* whoever does it, the same octets come of it */
}

const struct compressor_ops decompressor_gzip = {
    .coding = CODING_IDENTITY,
    .name = "gzip",
    .recipe = "gunzip",
    .version = gunzip_version,
    .open = gunzip_open,
    .run = gunzip_run,
    .close = gunzip_close,
};
