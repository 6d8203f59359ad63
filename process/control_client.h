/* control_client.h: `gearshift reload`, `status`, `shift` and the like: says one line to a server's
 * control socket (control.h), waits until it is done, and tells how it went. */
#ifndef PROCESS_CONTROL_CLIENT_H
#define PROCESS_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Is that word an order? */
bool control_client_knows(const char *word);

/* `argv` begins with the order. `--control PATH`, or `-c FILE` whose `control` names the socket, say
 * where; else it is the automatic place. `--json` prints the answer as it came. Returns the exit
 * status: the server's, or STATUS_USAGE, or STATUS_RUNTIME where no server answers. */
int control_client(int argc, char **argv);

/* Connects to the control socket at `path`, or, where that is NULL, at the one that configuration file
 * `file` names, or, where that is NULL, too, at the automatic place. STATUS_OK and a descriptor of the
 * caller's, or a status, and a sentence on standard error. */
int control_client_connect(const char *path, const char *file, int *ret_fd);

/* Reads one line of an answer, without its end, waiting for it. STATUS_OK, or a status, and a sentence
 * on standard error. */
int control_client_read(int fd, char *line, size_t size);

#endif
