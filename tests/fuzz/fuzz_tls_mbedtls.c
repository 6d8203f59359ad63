/* fuzz_tls_mbedtls.c: octets from the network into mbed TLS. See fuzz_tls.h. */
#include "tls/mbed_compat.h"

#define TARGET           tls_mbedtls
#define TARGET_PROTOCOLS MBED_PROTOCOLS
#include "fuzz_tls.h"
