/* fuzz_tls_openssl.c: octets from the network into OpenSSL. See fuzz_tls.h. */
#define TARGET           tls_openssl
#define TARGET_PROTOCOLS (TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3)
#include "fuzz_tls.h"
