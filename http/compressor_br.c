/* compressor_br.c: br (RFC 7932) by libbrotlienc. */
#include "http/compressor.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdio.h>

enum {
    QUALITY = 5, /* smaller than gzip, in less time; 11 takes 76 times as long */
    WINDOW = 22  /* 4 MiB; what every client has to take goes to 24 */
};

static int br_open(uint64_t size, void **ret_state)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);

    if (state == NULL)
        return -ENOMEM;
    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, QUALITY);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, WINDOW);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT,
                              size < UINT32_MAX ? (uint32_t)size : UINT32_MAX);
    *ret_state = state;
    return 0;
}

/* It tells no reason when it fails: memory is all that it can lack. */
static int br_run(void *state, struct compressor_io *io, bool last)
{
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;

    if (!BrotliEncoderCompressStream(state,
                                     last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS,
                                     &io->in_len, &in, &io->out_len, &out, NULL))
        return -ENOMEM;
    io->in = (const char *)in;
    io->out = (char *)out;
    return last ? BrotliEncoderIsFinished(state)
                : io->in_len == 0 && !BrotliEncoderHasMoreOutput(state);
}

static void br_close(void *state)
{
    BrotliEncoderDestroyInstance(state);
}

static void br_version(char text[COMPRESSOR_VERSION_MAX])
{
    uint32_t version = BrotliEncoderVersion(); /* 8, 12 and 12 bits */

    snprintf(text, COMPRESSOR_VERSION_MAX, "%u.%u.%u", version >> 24, version >> 12 & 0xfff,
             version & 0xfff);
}

const struct compressor_ops compressor_br = {
    .coding = CODING_BR,
    .name = "br",
    .recipe = "br 5 22",
    .version = br_version,
    .open = br_open,
    .run = br_run,
    .close = br_close,
};
