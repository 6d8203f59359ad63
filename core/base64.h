/* base64.h: RFC 4648, by nettle. Pure. */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

/* Octets of the text that `len` octets become, with their padding. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Decodes `text` (section 4): letters of the alphabet, and the padding that is due, nothing else.
 * The number of octets, or -1: it is malformed, or they are more than `cap`. */
long base64_decode(struct span text, uint8_t *ret_octets, size_t cap);

/* Encodes `len` octets for URLs (section 5), without padding, into BASE64_LEN(len) octets and no
 * NUL. The length of the text. */
size_t base64_encode_url(const uint8_t *octets, size_t len, char *ret_text);

#endif
