/* decompressor.h: what compressor.h has, the other way round: gzip by zlib, br by libbrotlidec,
 * zstd by libzstd, each as far as it is built in. Octets in, octets out; no I/O.
 *
 * Their run() says -EBADMSG of octets that are not in the coding, and, with `last`, of those that
 * end before they should. How much may come of them is the caller's to bound; a window takes 8 MiB
 * at most (RFC 9659, RFC 7932 section 9.1). */
#ifndef HTTP_DECOMPRESSOR_H
#define HTTP_DECOMPRESSOR_H

#include "http/compressor.h"

/* NULL: it is not built in. Its `coding` is CODING_IDENTITY, which it makes. */
const struct compressor_ops *decompressor_find(enum coding coding);

extern const struct compressor_ops decompressor_gzip, decompressor_br, decompressor_zstd;

#endif
