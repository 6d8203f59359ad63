/* acceptor.h: what the acceptors of all engines have in common: who the peer is, what an error of
 * accept(2) means, and who waits. Called by loop_accept.c, loop_idle.c and their like of the
 * proactor. */
#ifndef ENGINES_ACCEPTOR_H
#define ENGINES_ACCEPTOR_H

#include "core/peer.h"

#include <stdbool.h>

struct config;
struct listener;
struct sockaddr_storage;

/* The client behind an address that accept(2) or getpeername(2) has told of. */
void acceptor_peer(const struct sockaddr_storage *address, struct peer *ret_peer);

/* Does `error` (positive) concern one connection, which is already gone, so that the next one can
 * be taken at once? Else it is a shortage, or unknown, and would come again: accept(2), "Error
 * handling". */
bool acceptor_lost_one(int error);

/* Does a client wait at the listening socket `fd` now? */
bool acceptor_has_caller(int fd);

/* Has another process room that accepts from the same socket, so that a client who waits there
 * needs nobody here to make way? By all connections of all processes: those of a generation that
 * retires count, too. */
bool acceptor_others_have_room(const struct listener *listener, const struct config *config);

/* Has the client of `fd` sent something that nobody has received yet? */
bool acceptor_has_input(int fd);

#endif
