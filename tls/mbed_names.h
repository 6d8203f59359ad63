/* mbed_names.h: protocol versions, cipher suites and curves: from the names of the configuration
 * (IANA's) to mbed TLS's numbers. A name that the library does not know is refused. */
#ifndef TLS_MBED_NAMES_H
#define TLS_MBED_NAMES_H

#include "config/config.h"
#include "tls/mbed_compat.h"

/* What the configuration allows and the library has. */
struct mbed_names {
    unsigned protocols; /* enum tls_protocol */
    int *suites;        /* ends with 0 */
    mbed_curve *curves; /* ends with MBED_CURVE_NONE */
};

/* 0, -ENOMEM, or -EINVAL; with a sentence. The caller frees it by mbed_names_free(). */
int mbed_names_read(const struct config *config, char *why, size_t why_size,
                    struct mbed_names *ret_names);

/* IANA's name of a suite that the library calls `library_name` (NULL: none); cut at `size`. */
void mbed_iana_name(const char *library_name, char *ret_name, size_t size);

/* Frees the lists. Zeroes are allowed. */
void mbed_names_free(struct mbed_names *names);

#endif
