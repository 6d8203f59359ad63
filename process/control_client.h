/* control_client.h: `gearshift reload`, `status`, `shift` and the like: says one line to a server's
 * control socket (control.h), waits until it is done, and tells how it went. */
#ifndef PROCESS_CONTROL_CLIENT_H
#define PROCESS_CONTROL_CLIENT_H

#include <stdbool.h>

/* Is that word an order? */
bool control_client_knows(const char *word);

/* `argv` begins with the order. `--control PATH`, or `-c FILE` whose `control` names the socket, say
 * where; else it is the automatic place. `--json` prints the answer as it came. Returns the exit
 * status: the server's, or STATUS_USAGE, or STATUS_RUNTIME where no server answers. */
int control_client(int argc, char **argv);

#endif
