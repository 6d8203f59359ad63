/* test_tls_openssl_clients.c: clients that prove themselves, with OpenSSL. */
#include "core/clock.h"
#include "tls/openssl_client.c"
#include "tls/ticket_keys.h"

#include <openssl/ssl.h>

#define LIBRARY tls_openssl
static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
static const bool resumes = true;

#include "tls_clients.h"
