/* health.h: `gearshift health URL`: asks a server whether it is well, for containers that have no
 * other program in them, and for scripts. What it asks for is what the key `health` answers. */
#ifndef PROCESS_HEALTH_H
#define PROCESS_HEALTH_H

/* Runs the command whose name is argv[0]: one GET by HTTP/1.1, without TLS, over TCP or a unix
 * socket. The exit status: STATUS_OK for an answer 2xx; STATUS_RUNTIME for any other, for none
 * within the time (--timeout, 3 seconds) and where nobody listens; STATUS_USAGE for wrong
 * arguments. */
int health(int argc, char **argv);

#endif
