/* mbed_dn.h: a distinguished name of mbed TLS as the text of RFC 4514. Pure. */
#ifndef TLS_MBED_DN_H
#define TLS_MBED_DN_H

#include <mbedtls/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* Writes "CN=alice,O=Example", the last part first, as RFC 4514 section 2.1 has it; types without a
 * name as their numbers, values that are no text as '#' and hexadecimal. False: it does not fit
 * into `size` octets with its NUL, or has more than 64 parts. */
bool mbed_dn_print(const mbedtls_x509_name *name, char *ret_text, size_t size);

#endif
