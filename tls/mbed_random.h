/* mbed_random.h: the random source that mbed TLS is given: the kernel's. It needs no lock, no seed
 * and no state that a fork could double. */
#ifndef TLS_MBED_RANDOM_H
#define TLS_MBED_RANDOM_H

#include <stddef.h>

/* Fills `len` octets (getrandom(2)); `none` is not used. 0, or MBEDTLS_ERR_ENTROPY_SOURCE_FAILED.
 * Has the type that the library wants (f_rng). */
int mbed_random(void *none, unsigned char *out, size_t len);

#endif
