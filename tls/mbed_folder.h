/* mbed_folder.h: a folder of many certificates, chosen by the name that a client asks for
 * (cert_folder.h, cert_names.h), with mbed TLS. Read-only once read, and shared by all threads. */
#ifndef TLS_MBED_FOLDER_H
#define TLS_MBED_FOLDER_H

#include "config/config.h"
#include "core/span.h"
#include "tls/cert_names.h"
#include "tls/mbed_identity.h"

#include <stddef.h>

struct mbed_folder;

/* Reads the folder of `config`. What is wrong with one certificate is a line in the error log. 0,
 * or -errno and a sentence. The caller owns it (mbed_folder_free()). */
int mbed_folder_read(const struct config *config, char *why, size_t why_size,
                     struct mbed_folder **ret_folder);

/* NULL is allowed. */
void mbed_folder_free(struct mbed_folder *folder);

/* What is for `host`, or, where nothing is, for the name of `server`: up to CERT_KINDS identities,
 * which stay the folder's. Their number. */
size_t mbed_folder_find(struct mbed_folder *folder, struct span host, const struct server *server,
                        struct mbed_identity **ret_identities);

#endif
