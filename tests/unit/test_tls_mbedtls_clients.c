/* test_tls_mbedtls_clients.c: clients that prove themselves, with mbed TLS. */
#include "core/clock.h"
#include "tls/mbed_client.c"
#include "tls/ticket_keys.h"

#include <openssl/ssl.h>

#define LIBRARY tls_mbedtls
#if MBED_IS_3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#else
static const int versions[] = { TLS1_2_VERSION };
#endif
static const bool resumes = false;

#include "tls_clients.h"
