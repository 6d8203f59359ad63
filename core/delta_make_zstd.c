/* delta_make_zstd.c: dcz, by libzstd: the dictionary is content in front of the file, as `zstd
 * --patch-from` has it. See delta_make.h. */
#include "core/delta_make.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    LEVEL = 19,
    WINDOW_LOG_MIN = 23,  /* 8 MiB, which every client has, */
    WINDOW_LOG_MAX = 27,  /* and 128 MiB, which none exceeds (RFC 9842 section 5) */
    LONG_BEGIN = 4 << 20, /* octets of a file, from which on matches far away are looked for, too */
};

/* The largest window that a client with this dictionary has: 8 MiB, or 1.25 times its size. */
static int window_log(size_t dictionary_len)
{
    int log = WINDOW_LOG_MIN;

    while (log < WINDOW_LOG_MAX && (size_t)1 << (log + 1) <= dictionary_len + dictionary_len / 4)
        log++;
    return log;
}

static bool set(ZSTD_CCtx *c, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(c, parameter, value));
}

static bool begin(ZSTD_CCtx *c, struct span dictionary, size_t len)
{
    return set(c, ZSTD_c_compressionLevel, LEVEL) &&
           set(c, ZSTD_c_windowLog, window_log(dictionary.len)) &&
           (len < LONG_BEGIN || set(c, ZSTD_c_enableLongDistanceMatching, 1)) &&
           (dictionary.len == 0 ||
            !ZSTD_isError(ZSTD_CCtx_refPrefix(c, dictionary.ptr, dictionary.len)));
}

static int zstd_make(struct span dictionary, struct span content, char **ret_octets,
                     size_t *ret_len)
{
    size_t size = ZSTD_compressBound(content.len), len;
    ZSTD_CCtx *c = ZSTD_createCCtx();
    char *octets = malloc(size);
    int res = -ENOMEM;

    CHECK(dictionary.len <= DELTA_FILE_MAX && content.len <= DELTA_FILE_MAX);
    if (c == NULL || octets == NULL || !begin(c, dictionary, content.len))
        goto out;
    len = ZSTD_compress2(c, octets, size, content.ptr, content.len);
    if (ZSTD_isError(len))
        goto out;
    *ret_octets = octets;
    *ret_len = len;
    octets = NULL;
    res = 0;
out:
    free(octets);
    ZSTD_freeCCtx(c);
    return res;
}

static void zstd_version(char ret_text[DELTA_VERSION_MAX])
{
    snprintf(ret_text, DELTA_VERSION_MAX, "%s", ZSTD_versionString());
}

const struct delta_maker delta_maker_zstd = {
    .format = DELTA_DCZ,
    .make = zstd_make,
    .version = zstd_version,
};
