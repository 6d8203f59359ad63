/* compress_types.h: which media types are worth compressing. Pure. */
#ifndef HTTP_COMPRESS_TYPES_H
#define HTTP_COMPRESS_TYPES_H

#include "config/config.h"
#include "core/span.h"

#include <stdbool.h>

/* Is a file of that media type compressed at the location: is it in `compress_types`, or, where
 * none is named there, one of those that gain by it: text, what is text by another name (JSON, XML,
 * JavaScript, SVG), WebAssembly, and fonts and pictures that are not compressed themselves?
 * Parameters of the type do not count, nor does case. */
bool http_compress_suits(const struct location *location, struct span type);

/* Is the type, with parameters or without, in the range: the same type, "type/" and a star, or star
 * slash star? */
bool http_media_range_has(struct span range, struct span type);

#endif
