/* cert_names.h: from the name that a client asks for to the certificates that are for it: exactly,
 * or by a star for its first label (RFC 6125 section 6.4.3). One step, however many there are.
 * Knows no TLS library: certificates are numbers here. Read-only once made, and shared by all
 * threads. */
#ifndef TLS_CERT_NAMES_H
#define TLS_CERT_NAMES_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of each kind a name has one at most; which kind is sent, the client's algorithms decide. */
enum cert_kind { CERT_ECDSA, CERT_RSA, CERT_OTHER, CERT_KINDS };

enum { CERT_NONE = -1 };

struct cert_choice {
    int32_t certificates[CERT_KINDS]; /* their numbers, or CERT_NONE */
};

struct cert_names;

/* An empty one, or NULL: no memory. The caller owns it. */
struct cert_names *cert_names_create(void);

/* NULL is allowed. */
void cert_names_destroy(struct cert_names *names);

/* `certificate` (not negative) is for `name` ("www.example.org", "*.example.org"; copied, compared
 * without case), and valid since `since` (any scale). Before cert_names_finish(). 0 or -ENOMEM. */
int cert_names_add(struct cert_names *names, struct span name, enum cert_kind kind, int64_t since,
                   int32_t certificate);

/* All are added: of those of a kind for the same name the one that is valid since the latest time
 * is taken, and of equals the one with the smallest number. 0 or -ENOMEM. */
int cert_names_finish(struct cert_names *names);

/* What is for `host` (any octets); NULL: nothing. Borrowed. */
const struct cert_choice *cert_names_find(const struct cert_names *names, struct span host);

/* Different names. */
size_t cert_names_count(const struct cert_names *names);

#endif
