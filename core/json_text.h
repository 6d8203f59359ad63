/* json_text.h: octets that strangers chose as the text of a JSON string (RFC 8259 section 7), in
 * printable ASCII, so that neither a parser nor a terminal is misled. Pure. */
#ifndef CORE_JSON_TEXT_H
#define CORE_JSON_TEXT_H

#include "core/span.h"

#include <stddef.h>

enum {
    JSON_CHAR_MAX = 12
}; /* octets that json_put_char() writes at most, and 6 for each it reads */

/* Writes the character at the front of `text`, which is not empty: as it is, where it is printable
 * ASCII but '"' and '\'; else as \uHHHH, one beyond U+FFFF as a pair of surrogates. An octet that
 * is not UTF-8 becomes the text \xHH, which is \\xHH in JSON. Returns the end of what was written,
 * and in *ret_used how many octets of `text` that was. */
char *json_put_char(char *out, struct span text, size_t *ret_used);

#endif
