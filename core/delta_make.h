/* delta_make.h: makes deltas (delta.h): compresses a file with another one as its dictionary. For
 * the command that makes them beforehand; nothing that serves calls it. Pure, but for time and
 * memory: each library at its best, some 1 MB a second. */
#ifndef CORE_DELTA_MAKE_H
#define CORE_DELTA_MAKE_H

#include "core/delta.h"

enum {
    DELTA_FILE_MAX = 128 << 20, /* octets of a dictionary, and of a file: RFC 9842 section 5 has no
                                   larger window */
    DELTA_VERSION_MAX = 32
};

struct delta_maker {
    enum delta_format format;
    /* Compresses `content`; `dictionary` may be empty. 0 and malloc(3)ed octets without the head,
     * which the caller owns, or -ENOMEM. */
    int (*make)(struct span dictionary, struct span content, char **ret_octets, size_t *ret_len);
    /* The library's version, with a NUL. */
    void (*version)(char ret_text[DELTA_VERSION_MAX]);
};

/* NULL: this build cannot make it, for the reason that delta_maker_missing() tells. */
const struct delta_maker *delta_maker_find(enum delta_format format);

/* The end of a sentence that begins with "this build cannot make dcb: "; static. */
const char *delta_maker_missing(enum delta_format format);

extern const struct delta_maker delta_maker_br, delta_maker_zstd;

#endif
