/* self_signed.h: the certificates that were made for trying out (--tls-self-signed), with their
 * keys, so that the configurations after a reload have the same ones: a browser that was told to
 * trust one is not to be asked again. They are kept in DER, which every library reads, until half
 * of their time is over.
 *
 * One table for the process, at most SELF_SIGNED_MAX; the oldest makes room. For one thread: that
 * which makes contexts. */
#ifndef TLS_SELF_SIGNED_H
#define TLS_SELF_SIGNED_H

#include "config/config.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SELF_SIGNED_MAX = 32,
    SELF_SIGNED_DAYS = 30,       /* it is valid for so long, */
    SELF_SIGNED_KEPT_DAYS = 15,  /* and given to new configurations for so long */
    SELF_SIGNED_KEY_SIZE = 1024, /* bytes of DER that the key of one has at most */
};

struct self_signed {
    struct span names;       /* of the server, each with a line feed behind it */
    struct span certificate; /* DER */
    struct span key;         /* DER: SEC 1 */
    int64_t made_s;          /* time(2) */
};

/* That which was made for a server with the same names in the same order, borrowed until the next
 * self_signed_keep(). False: there is none, or it is too old at `now_s` (time(2)). */
bool self_signed_find(const struct server *server, int64_t now_s, struct self_signed *ret);

/* Keeps one that was made at `now_s`, as copies. Without memory it is not kept. */
void self_signed_keep(const struct server *server, struct span certificate, struct span key,
                      int64_t now_s);

/* Number `index` of those that are kept, borrowed likewise. False: behind the last. */
bool self_signed_at(size_t index, struct self_signed *ret);

/* Keeps one of which another program of this process has told. */
void self_signed_adopt(const struct self_signed *passed);

#endif
