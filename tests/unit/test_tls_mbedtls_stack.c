/* test_tls_mbedtls_stack.c: the stack that a handshake takes with mbed TLS. */
#include "tls/mbed_compat.h"
#include "tls/tls.h"

#include <openssl/ssl.h>

#define LIBRARY tls_mbedtls
#if MBED_IS_3
static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#else
static const int versions[] = { TLS1_2_VERSION };
#endif

#include "tls_stack.h"
