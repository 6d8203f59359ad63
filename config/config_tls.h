/* config_tls.h: the keys of TLS: versions, certificates, and what must hold between them and the
 * addresses. What the files hold, and which ciphers there are, is the library's to judge. */
#ifndef CONFIG_CONFIG_TLS_H
#define CONFIG_CONFIG_TLS_H

#include "config/config.h"
#include "config/config_store.h"

/* "1.2" for TLS_PROTOCOL_1_2. */
const char *config_protocol_name(enum tls_protocol protocol);

/* `tls_protocols` of the top level, all of whose keys are set. 0, or -errno and a sentence. */
int config_protocols_make(const struct config_build *build, const struct config_block *top,
                          struct config *config);

/* `certificate` and `key` of `block`, a server's. 0, or -errno and a sentence. */
int config_certificates_make(const struct config_build *build, const struct config_block *block,
                             struct server *server);

/* `tls_client_ca` and what belongs to it, of `block`, a server's; `defaults`: of a server's keys.
 * 0, or -errno and a sentence. */
int config_client_auth_make(const struct config_build *build, const struct config_block *defaults,
                            const struct config_block *block, struct server *server);

/* Once all servers are made: those with an address with TLS, and no others, have certificates,
 * unless --tls-self-signed makes them. `top` holds the servers' blocks, in their order. 0, or
 * -errno and a sentence. */
int config_check_tls(const struct config_build *build, const struct config_block *top,
                     const struct config *config);

#endif
