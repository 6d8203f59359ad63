/* cert_folder.h: a folder of many certificates (`tls_certificates`): which files belong together.
 *
 *   NAME.pem                            certificate, chain and key in one file
 *   NAME.crt, NAME.key                  certificate and chain; key
 *   NAME/fullchain.pem, NAME/privkey.pem     as certbot's live/ and many an acme client have them
 *
 * What else is there, a README or a key alone, is passed over, and so are names that begin with a
 * dot. What is in the files is the library's to read. */
#ifndef TLS_CERT_FOLDER_H
#define TLS_CERT_FOLDER_H

#include "config/config.h"
#include "core/arena.h"
#include "tls/cert_names.h"

#include <stddef.h>

enum { CERT_FOLDER_MAX = 100000 /* names in the folder; more: it is refused */ };

/* Lists `folder`, in the order of names. The paths lie in `arena`. 0, or -errno and a sentence: it
 * cannot be read, or holds too much. */
int cert_folder_list(const char *folder, struct arena *arena, char *why, size_t why_size,
                     struct certificate **ret_pairs, size_t *ret_count);

/* Once `count` certificates were read: warns of servers with TLS whose name none of them is for,
 * and that have none of their own. 0, or -EINVAL and a sentence: there are none at all. */
int cert_folder_check(const struct config *config, const struct cert_names *names, size_t count,
                      char *why, size_t why_size);

#endif
