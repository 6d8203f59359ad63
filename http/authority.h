/* authority.h: Host values and the authority of a URI (RFC 9110 section 7.2, RFC 3986 section 3.2).
 * Pure. */
#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include "core/span.h"

#include <stdbool.h>

/* Checks a Host value or an authority: host [":" port] (RFC 9110 section 7.2): no userinfo, no
 * path characters, no '?', '\', '%' that is no escape, no non-ASCII, no empty label ("a..b", ".");
 * a port is digits (or nothing) up to 65535; "[...]" is a well-formed IPv6 (or IPvFuture) address
 * without a zone. There must be a host: RFC 9112 section 3.2 lets a client leave it empty only for
 * a URI that has none, and there is none such here. On success *ret_host is the name without the
 * port (brackets kept, never empty), into `value`. */
bool http_authority_parse(struct span value, struct span *ret_host);

/* Takes the scheme (http or https) and the authority of a target in absolute form off the front of
 * *target (RFC 9112 section 3.2.2). A path is not needed, a host is (RFC 9110 section 4.2.1). False:
 * another scheme, or no valid authority; nothing has changed. */
bool http_absolute_form_split(struct span *target, struct span *ret_authority,
                              struct span *ret_host);

#endif
