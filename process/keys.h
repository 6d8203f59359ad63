/* keys.h: `gearshift keys`: the keys of server.conf as this binary knows them. For people who have
 * no manual at hand, and for the completions of shells, which so are never of another version. */
#ifndef PROCESS_KEYS_H
#define PROCESS_KEYS_H

/* Runs the command whose name is argv[0]. The exit status. */
int keys(int argc, char **argv);

#endif
