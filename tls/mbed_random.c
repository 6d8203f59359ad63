/* mbed_random.c: random octets from the kernel. See mbed_random.h. */
#include "tls/mbed_random.h"

#include <errno.h>
#include <mbedtls/entropy.h>
#include <sys/random.h>

int mbed_random(void *none, unsigned char *out, size_t len)
{
    (void)none;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
        }
        out += got;
        len -= (size_t)got;
    }
    return 0;
}
