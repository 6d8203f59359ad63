/* succession.h: what one binary leaves to another that is executed in its place, in the same
 * process: descriptors by LISTEN_FDS (passed.h), and a memory file among them that tells what each
 * of them is for, and whatever else is not to be lost.
 *
 * That file is a sequence of netstrings, each of which is a record: a sequence of netstrings, of
 * which the first one is the record's name. A reader passes over records that it does not know, and
 * over fields behind those that it does, so that either binary may be the newer one. A descriptor
 * is the number that it has over there; -1: there is none.
 *
 *   version 1                 first; who does not know it takes nothing
 *   binary PATH               where the program lies (binary.h)
 *   supervisor STARTED_MS TICKETS GENERATION
 *   text PATH OCTETS          a file of the configuration that is in force, as it was read
 *   setting TEXT              ... and what was set above it (KEY=VALUE)
 *   asked TEXT                what a shift that waits is to set
 *   listener FD KIND HOST PORT IPV6_ONLY DEFERRED BESIDE INHERITED [FOLDER NAME DEVICE INODE]   the
 * brackets: of a unix socket; BESIDE: the listener that it shares an address with, in this order,
 * or -1; INHERITED: its name, or empty control FD FOLDER NAME DEVICE INODE client FD TICKET OCTETS
 * of the control socket, and the begin of its next line pid-file FD FOLDER NAME ticket-keys FD
 *   counters FD
 *   self-signed NAMES CERTIFICATE KEY MADE_S   (tls/self_signed.h)
 *   log-slot IN OUT           of the workers (core/fd_slot.h): of each access log, and the error
 * log worker PID READY CHANNEL INBOX MEMORY STDERR PULSE failed STATUS SENTENCE    why the other
 * binary did not come to serve */
#ifndef PROCESS_SUCCESSION_H
#define PROCESS_SUCCESSION_H

#include "process/exit_status.h"
#include "process/passed.h"

#include <stdbool.h>

struct supervisor;

/* Names of descriptors in LISTEN_FDNAMES. */
#define SUCCESSION_STATE  "gearshift-state"
#define SUCCESSION_BINARY "gearshift-binary"

/* Writes it, with a descriptor of the binary that runs now where `with_binary`, and `failed` (NULL:
 * nothing failed). 0 and what is to be passed, in *ret_passed, for passed_execute(); or -errno. In
 * either case the caller calls succession_discard(). */
int succession_write(const struct supervisor *s, bool with_binary, enum exit_status status,
                     const char *failed, struct passed *ret_passed);

/* Closes what was made for it. */
void succession_discard(struct passed *passed);

/* Has a predecessor left something? After inherited_take(). */
bool succession_waits(void);

/* Takes it over: the supervisor goes on where the other binary has left off, with the generation
 * that serves, and asks for one of its own. Returns STATUS_OK; or, where it cannot and the other
 * binary cannot be executed again either, a status and s->why. */
enum exit_status succession_take(struct supervisor *s);

#endif
