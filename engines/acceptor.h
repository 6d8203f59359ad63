/* acceptor.h: what the acceptors of all engines have in common: who the peer is, and what an error
 * of accept(2) means. Called by loop_accept.c and proactor_accept.c. */
#ifndef ENGINES_ACCEPTOR_H
#define ENGINES_ACCEPTOR_H

#include "core/peer.h"

#include <stdbool.h>

struct sockaddr_storage;

/* The client behind an address that accept(2) or getpeername(2) has told of. */
void acceptor_peer(const struct sockaddr_storage *address, struct peer *ret_peer);

/* Does `error` (positive) concern one connection, which is already gone, so that the next one can
 * be taken at once? Else it is a shortage, or unknown, and would come again: accept(2), "Error
 * handling". */
bool acceptor_lost_one(int error);

/* What helps against the shortage, to be put behind the sentence in the error log: "; ...", or "".
 */
const char *acceptor_advice(int error);

#endif
