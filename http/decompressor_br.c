/* decompressor_br.c: br (RFC 7932) by libbrotlidec. */
#include "http/decompressor.h"

#include <brotli/decode.h>
#include <errno.h>
#include <stdio.h>

static int unbr_open(uint64_t size, void **ret_state)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);

    (void)size;
    if (state == NULL)
        return -ENOMEM;
    *ret_state = state;
    return 0;
}

static int unbr_run(void *state, struct compressor_io *io, bool last)
{
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(state, &io->in_len, &in, &io->out_len, &out, NULL);

    io->in = (const char *)in;
    io->out = (char *)out;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        return io->in_len == 0 ? 1 : -EBADMSG;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return last ? -EBADMSG : 1;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return 0;
    default:
        return BrotliDecoderGetErrorCode(state) <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES
                   ? -ENOMEM
                   : -EBADMSG;
    }
}

static void unbr_close(void *state)
{
    BrotliDecoderDestroyInstance(state);
}

static void unbr_version(char text[COMPRESSOR_VERSION_MAX])
{
    snprintf(text, COMPRESSOR_VERSION_MAX, "1"); /* whoever does it, the same octets come of it */
}

const struct compressor_ops decompressor_br = {
    .coding = CODING_IDENTITY,
    .name = "br",
    .recipe = "unbr",
    .version = unbr_version,
    .open = unbr_open,
    .run = unbr_run,
    .close = unbr_close,
};
