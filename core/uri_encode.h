/* uri_encode.h: percent-encoding of what a request holds, to be written into a URL. Pure. Nothing
 * of what comes out can end a header field or an attribute in HTML, or be a blank. */
#ifndef CORE_URI_ENCODE_H
#define CORE_URI_ENCODE_H

#include "core/span.h"

/* Percent-encodes `path` for a Location field or a link: everything but unreserved characters, '/'
 * and "!$()*+,=:@", so that the result needs no escaping in HTML either. Returns the length, or
 * -ENOSPC when `cap` octets do not suffice. Never writes a NUL. */
long uri_path_encode(struct span path, char *ret_text, size_t cap);

/* Likewise, of a target's path, for a Location field: "%2F" stays as it is, and so names the same
 * elsewhere, too, where it may be told from a slash. */
long uri_location_encode(struct span path, char *ret_text, size_t cap);

/* Percent-encodes of a query, as http_target_parse() has passed it, what RFC 3986 (section 3.4)
 * does not allow there: what a client sent raw. Escapes stay as they are. For a Location field.
 * Returns the length, or -ENOSPC when `cap` octets do not suffice. Never writes a NUL. */
long uri_query_encode(struct span query, char *ret_text, size_t cap);

#endif
