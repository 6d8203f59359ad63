/* client_certificate.h: what a client has proved of itself in a TLS handshake, as texts: for the
 * access log and whatever else asks. The TLS library that verified the certificate fills it in. */
#ifndef CORE_CLIENT_CERTIFICATE_H
#define CORE_CLIENT_CERTIFICATE_H

enum {
    CLIENT_NAME_MAX = 1024,  /* octets of a name, with the NUL; a certificate with a longer one is
                                refused: what is cut might be taken for another's */
    CLIENT_SERIAL_MAX = 128, /* likewise */
    CLIENT_FINGERPRINT_SIZE = 65
};

struct client_certificate {
    char subject[CLIENT_NAME_MAX]; /* RFC 4514: "CN=alice,O=Example" */
    char issuer[CLIENT_NAME_MAX];
    char serial[CLIENT_SERIAL_MAX];            /* hexadecimal, in upper case */
    char fingerprint[CLIENT_FINGERPRINT_SIZE]; /* SHA-256 of the certificate, in lower case */
};

#endif
