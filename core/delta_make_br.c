/* delta_make_br.c: dcb, by libbrotlienc of 1.1 or later. See delta_make.h. */
#include "core/delta_make.h"

#include "core/check.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_LOG = 24 /* 16 MiB, and no more: RFC 9842 section 4 */ };

static bool begin(BrotliEncoderState *state, const BrotliEncoderPreparedDictionary *dictionary,
                  size_t len)
{
    return BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY) &&
           BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, WINDOW_LOG) &&
           BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT, (uint32_t)len) &&
           (dictionary == NULL || BrotliEncoderAttachPreparedDictionary(state, dictionary));
}

/* All of it at once, into memory that it is known to fit into. */
static int run(BrotliEncoderState *state, struct span content, char *octets, size_t size,
               size_t *ret_len)
{
    const uint8_t *in = (const uint8_t *)content.ptr;
    uint8_t *out = (uint8_t *)octets;
    size_t in_len = content.len, out_len = size;

    if (!BrotliEncoderCompressStream(state, BROTLI_OPERATION_FINISH, &in_len, &in, &out_len, &out,
                                     NULL) ||
        !BrotliEncoderIsFinished(state))
        return -ENOMEM;
    *ret_len = size - out_len;
    return 0;
}

static int br_make(struct span dictionary, struct span content, char **ret_octets, size_t *ret_len)
{
    /* What cannot be compressed is stored: some octets for each 16 MiB. */
    size_t size = content.len + content.len / 1024 + 1024;
    BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    BrotliEncoderPreparedDictionary *prepared = NULL;
    char *octets = malloc(size);
    int res = -ENOMEM;

    CHECK(dictionary.len <= DELTA_FILE_MAX && content.len <= DELTA_FILE_MAX);
    if (dictionary.len > 0) {
        prepared = BrotliEncoderPrepareDictionary(BROTLI_SHARED_DICTIONARY_RAW, dictionary.len,
                                                  (const uint8_t *)dictionary.ptr,
                                                  BROTLI_MAX_QUALITY, NULL, NULL, NULL);
        if (prepared == NULL)
            goto out;
    }
    if (state == NULL || octets == NULL || !begin(state, prepared, content.len))
        goto out;
    res = run(state, content, octets, size, ret_len);
    if (res < 0)
        goto out;
    *ret_octets = octets;
    octets = NULL;
out:
    free(octets);
    if (state != NULL)
        BrotliEncoderDestroyInstance(state);
    if (prepared != NULL)
        BrotliEncoderDestroyPreparedDictionary(prepared);
    return res;
}

static void br_version(char ret_text[DELTA_VERSION_MAX])
{
    uint32_t version = BrotliEncoderVersion();

    snprintf(ret_text, DELTA_VERSION_MAX, "%u.%u.%u", version >> 24, version >> 12 & 0xfff,
             version & 0xfff);
}

const struct delta_maker delta_maker_br = {
    .format = DELTA_DCB,
    .make = br_make,
    .version = br_version,
};
