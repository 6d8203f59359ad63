/* compressor.h: content codings behind one table: gzip by zlib, br by libbrotlienc, zstd by
 * libzstd, each as far as it is built in. Octets in, octets out; no I/O.
 *
 * The same file gives the same octets, whoever compresses it and when: threads and processes each
 * compress for themselves, and a client may have one range from here and the next from there. So
 * levels are fixed, and input comes in steps of one size (compression.c). */
#ifndef HTTP_COMPRESSOR_H
#define HTTP_COMPRESSOR_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPRESSOR_VERSION_MAX = 32 };

/* What a run takes, and where it puts what it makes; it moves both on. */
struct compressor_io {
    const char *in;
    size_t in_len;
    char *out;
    size_t out_len; /* octets of room */
};

struct compressor_ops {
    enum coding coding;
    const char *name;   /* in Content-Encoding and server.conf */
    const char *recipe; /* level and window, as a text: with another one the octets are others */
    /* Writes the library's version, since another one may make other octets. */
    void (*version)(char text[COMPRESSOR_VERSION_MAX]);
    /* Begins with a file of `size` octets (> 0). 0 and a state that close() frees, or -ENOMEM. */
    int (*open)(uint64_t size, void **ret_state);
    /* Takes of `io` what it can; `last`: no more comes behind it. 1: all is taken, and, with
     * `last`, all is made; 0: the room is used up; -ENOMEM, or -EIO: the library refuses. */
    int (*run)(void *state, struct compressor_io *io, bool last);
    void (*close)(void *state);
};

/* NULL: it is not built in. */
const struct compressor_ops *compressor_find(enum coding coding);

/* What is built in: 1 << coding. */
unsigned compressor_codings(void);

/* Sixteen bits that tell the version and the recipe of one from those of another; not 0. They are
 * part of the tag of what it makes. */
uint16_t compressor_recipe(const struct compressor_ops *ops);

extern const struct compressor_ops compressor_gzip, compressor_br, compressor_zstd;

#endif
