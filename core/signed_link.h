/* signed_link.h: links that whoever has a key may hand out, and that end by themselves:
 *
 *   /films/a.mp4?expires=1767225600&signature=...
 *
 * The signature is HMAC-SHA256 of "1767225600 /films/a.mp4" (the time as it is written in the link,
 * a blank, the path with its percent-escapes decoded), in base64 for URLs without padding (RFC 4648
 * section 5). Pure. */
#ifndef CORE_SIGNED_LINK_H
#define CORE_SIGNED_LINK_H

#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

/* Octets of a key, and of a signature's text. */
enum { SIGNED_KEY_MIN = 16, SIGNED_KEY_MAX = 1024, SIGNED_TEXT_LEN = 43 };

enum signed_verdict { SIGNED_GOOD, SIGNED_BAD, SIGNED_EXPIRED };

/* The key in a file's text: all of it but for the line's end. */
struct span signed_link_key(struct span text);

/* Writes the signature, and no NUL. `expires` are the digits of a time. */
void signed_link_sign(struct span key, struct span expires, struct span path,
                      char ret_text[SIGNED_TEXT_LEN]);

/* Judges a path and the query behind it ('?' and all, or empty), at `now_s` seconds since 1970.
 * Both parameters stand in it once; others, in any order, do not matter. GOOD where one of `count`
 * keys has signed it, and EXPIRED where that is so and it is over. */
enum signed_verdict signed_link_judge(const struct span *keys, size_t count, struct span path,
                                      struct span query, int64_t now_s);

#endif
