/* test_tls_openssl_stack.c: the stack that a handshake takes with OpenSSL. */
#include "tls/tls.h"

#include <openssl/ssl.h>

#define LIBRARY tls_openssl
static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

#include "tls_stack.h"
