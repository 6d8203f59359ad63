/* ktls.h: the kernel encrypts what is sent on a TCP socket (kTLS): the system calls of it, the same
 * for every engine. What the keys are, and when it begins, the session says (session.h). Linux's
 * Documentation/networking/tls.rst. */
#ifndef ENGINES_KTLS_H
#define ENGINES_KTLS_H

#include "core/send_plan.h"

#include <stddef.h>
#include <sys/types.h>

/* Has this kernel TLS? With the right to do so (CAP_NET_ADMIN) its module is loaded by asking. 0,
 * or -errno and a sentence: what is missing and what to do. */
int ktls_probe(char *why, size_t why_size);

/* From now on the kernel encrypts what is sent on `fd`, by `info`, the value of TLS_TX; `size` 0:
 * there is none. 0, or -errno and nothing has changed. */
int ktls_begin(int fd, const void *info, size_t size);

/* Sends the memory of `plan` as one record of its record_type, without blocking. The octets sent
 * (all), or -errno. */
ssize_t ktls_send_record(int fd, const struct send_plan *plan);

#endif
