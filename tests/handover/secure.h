/* secure.h: a client's end of TLS over a socket, for load.c. Certificates are not looked at: what
 * is tested is whether a connection lives. */
#ifndef TESTS_HANDOVER_SECURE_H
#define TESTS_HANDOVER_SECURE_H

#include <stddef.h>
#include <sys/types.h>

struct secure;

/* A client over `fd`, which is made non-blocking and stays the caller's. NULL: the tests were built
 * without OpenSSL. */
struct secure *secure_open(int fd);

/* Frees it; the peer is told, as far as there is room. NULL: nothing. */
void secure_close(struct secure *s);

/* As send(2) and recv(2) of a non-blocking socket, with the handshake before them; -1 with EAGAIN:
 * again when something has come. A broken or refused handshake is -1 with EPROTO. */
ssize_t secure_send(struct secure *s, const void *data, size_t len);
ssize_t secure_receive(struct secure *s, void *data, size_t len);

#endif
