/* control.h: the control socket of a supervisor: a unix socket on which one line asks, and one line
 * of JSON answers, as often as a client likes. Its mode is 0600, and who connects has to be the
 * user whose the supervisor is, or root (unix(7), SO_PEERCRED).
 *
 * Clients, lines, and the time that an idle client may stay are bounded. */
#ifndef PROCESS_CONTROL_H
#define PROCESS_CONTROL_H

#include "core/socket_file.h"
#include "core/span.h"
#include "process/exit_status.h"

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTROL_CLIENTS_MAX = 16,
    CONTROL_LINE_MAX = 4096, /* of a request */
    CONTROL_WORDS_MAX = 32,  /* of a request */
    CONTROL_ANSWER_MAX = 131072,
    CONTROL_POLL_MAX = CONTROL_CLIENTS_MAX + 1
};

#define CONTROL_NO_PLACE                                                                           \
    "the automatic place, for users but root, is beneath XDG_RUNTIME_DIR, which is not set"

#define CONTROL_THE_END UINT_MAX /* a ticket: the end of the server */

struct control;
struct control_client;

/* Called with the words of a line, which are borrowed; the client waits for control_answer(). */
typedef void control_order(void *context, struct control_client *client, int words_count,
                           const char *const *words);

/* Where the socket lies: `setting` is config.control, a path or "auto": beneath /run/gearshift for
 * root, else beneath $XDG_RUNTIME_DIR. False: there is no such place ("off"; no XDG_RUNTIME_DIR). */
bool control_path(const char *setting, char *ret_path, size_t size);

/* Listens at `path`; the folder of an automatic one is made. 0 and a socket that the caller owns, or
 * -errno and a sentence: -EADDRINUSE where another server answers. */
int control_open(const char *path, bool automatic, control_order *order, void *context, char *why,
                 size_t why_size, struct control **ret_control);

/* Fills in at most CONTROL_POLL_MAX entries of poll(2). Returns their number. */
size_t control_poll(struct control *control, struct pollfd *entries);

/* Does what those entries say, and what is due. */
void control_go_on(struct control *control, const struct pollfd *entries, size_t count,
                   uint64_t now_ms);

/* When control_go_on() has something to do, whatever happens; UINT64_MAX: never. */
uint64_t control_due_ms(const struct control *control);

/* Answers: {"status":N,"message":"..."} and, where `more` is not NULL, that text, which begins with
 * a comma, in front of the brace. The client may ask again. */
void control_answer(struct control_client *client, enum exit_status status, const char *message,
                    const char *more);

/* The client is answered when what has `ticket` (above 0) is done, or something later. */
void control_wait(struct control_client *client, unsigned ticket);

/* That is done: answers all who wait for it. NULL is allowed. */
void control_done(struct control *control, unsigned ticket, enum exit_status status,
                  const char *message);

/* --- for another binary that is executed in this process --- */

/* A client: what it waits for, and what has come of a line. */
struct control_passed {
    int fd;
    unsigned ticket;
    struct span line;
};

int control_fd(const struct control *control);
const struct socket_file *control_file(const struct control *control);

/* Client `index` of at most CONTROL_CLIENTS_MAX; borrowed from `control`. False: there is none. */
bool control_client_at(const struct control *control, size_t index, struct control_passed *ret);

/* The control socket of which a predecessor has left `fd` and `file`, which it takes; the caller owns
 * it. NULL: out of memory, and nothing is taken. */
struct control *control_adopt(int fd, const struct socket_file *file, control_order *order,
                              void *context);

/* One of its clients, whose descriptor it takes. */
void control_adopt_client(struct control *control, const struct control_passed *passed);

/* In a worker: closes its descriptors, and frees; the socket stays. NULL is allowed. */
void control_forget(struct control *control);

/* Removes the socket, and frees. NULL is allowed. */
void control_close(struct control *control);

#endif
