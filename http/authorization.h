/* authorization.h: the credentials of a request: Basic, name and password (RFC 7617). Pure. */
#ifndef HTTP_AUTHORIZATION_H
#define HTTP_AUTHORIZATION_H

#include "core/htpasswd.h"
#include "core/password.h"
#include "core/span.h"

#include <stdbool.h>

struct http_credentials {
    struct span name;     /* into text; no ':' and no control character in it */
    const char *password; /* likewise; NUL-terminated */
    char text[HTPASSWD_NAME_MAX + 1 + PASSWORD_SIZE + 4];
};

/* Reads the value of an Authorization field. False: there are no credentials in it that anybody
 * could have: another scheme, malformed, or longer than names and passwords are. Whoever has them
 * wipes them (http_credentials_wipe()), whatever was returned. */
bool http_authorization_parse(struct span value, struct http_credentials *ret_credentials);

void http_credentials_wipe(struct http_credentials *credentials);

#endif
