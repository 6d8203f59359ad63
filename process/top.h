/* top.h: `gearshift top`: what a server does now, once a second, from its control socket. */
#ifndef PROCESS_TOP_H
#define PROCESS_TOP_H

/* `argv` begins with "top". `--control PATH` or `-c FILE` say where the server is, as for the
 * orders (control_client.h); `-n N` ends after N looks. A terminal gets a screen, anything else a
 * line a look. Returns the exit status. */
int top(int argc, char **argv);

#endif
