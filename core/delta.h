/* delta.h: a file in the form that it has for a client that has another one already, its dictionary
 * (RFC 9842): what stands in front of it, and the name of the file that it lies in. Pure. What
 * makes one: delta_make.h.
 *
 * The name is that of the file with ".HASH.dcz" or ".HASH.dcb" behind it, where HASH is the SHA-256
 * of the dictionary in 64 hexadecimal digits, as sha256sum(1) prints it. So a request, which brings
 * that hash, names the file, and no folder has to be searched. */
#ifndef CORE_DELTA_H
#define CORE_DELTA_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum delta_format {
    DELTA_DCB, /* Brotli, section 4 */
    DELTA_DCZ, /* Zstandard, section 5 */
    DELTA_FORMATS
};

enum {
    DELTA_HASH_SIZE = 32,
    DELTA_HEAD_MAX = 40,              /* octets of the longest head */
    DELTA_SUFFIX_LEN = 1 + 64 + 1 + 3 /* octets of what stands behind the file's name */
};

/* "dcb", "dcz"; literals. */
struct span delta_format_name(enum delta_format format);

/* Octets of the head: a magic number and the dictionary's hash. */
size_t delta_head_size(enum delta_format format);

/* Writes the head for the dictionary of that hash; its octets. */
size_t delta_head_put(enum delta_format format, const uint8_t hash[DELTA_HASH_SIZE],
                      uint8_t ret_head[DELTA_HEAD_MAX]);

/* Do the `len` octets at `octets`, the beginning of a file, hold that head, and more behind it
 * where `size`, the file's, is to be believed? */
bool delta_head_is(enum delta_format format, const uint8_t hash[DELTA_HASH_SIZE],
                   const void *octets, size_t len, uint64_t size);

/* Writes what stands behind the file's name: DELTA_SUFFIX_LEN octets, and no NUL. */
void delta_suffix_put(enum delta_format format, const uint8_t hash[DELTA_HASH_SIZE],
                      char ret_suffix[DELTA_SUFFIX_LEN]);

/* Does the name end as that of a delta does? */
bool delta_name_is(struct span name);

#endif
