/* disposition.h: Content-Disposition (RFC 6266), with a file's name as RFC 8187 has it. Pure. */
#ifndef HTTP_DISPOSITION_H
#define HTTP_DISPOSITION_H

#include "core/span.h"

#include <stddef.h>

/* Octets of a line for a name of NAME_MAX octets, each of which is escaped. */
enum { HTTP_DISPOSITION_MAX = 1200 };

/* Writes "Content-Disposition: attachment; ...", with CRLF, for the last segment of the path
 * `name`. Plain ASCII is one quoted string. Any other name has a stand-in of ASCII for old clients,
 * and, if it is UTF-8, itself in filename*. A name longer than NAME_MAX has none of both. Returns
 * its length. */
size_t http_disposition_format(struct span name, char ret_text[HTTP_DISPOSITION_MAX]);

#endif
