/* tls_known.h: what is known of a connection by its TLS handshake. Data alone; the session fills it
 * in (session_tls.c). */
#ifndef HTTP_TLS_KNOWN_H
#define HTTP_TLS_KNOWN_H

#include "core/client_certificate.h"
#include "core/span.h"

/* All borrowed, until the connection is closed. */
struct http_tls {
    const char *protocol, *cipher; /* "TLSv1.3", and IANA's name of the cipher suite */
    struct span server_name;       /* that the client asked for, in lower case; empty: none */
    const struct client_certificate *certificate; /* with which it has proved itself, or NULL */
};

/* "SUCCESS", or "NONE": it has proved nothing, or was not asked. Whoever fails at it never gets so
 * far. nginx's words. */
static inline struct span http_tls_verify(const struct http_tls *tls)
{
    return tls->certificate != NULL ? SPAN_LIT("SUCCESS") : SPAN_LIT("NONE");
}

#endif
