/* explain.h: `gearshift explain URL`, and `gearshift -T --explain URL`: what the server would
 * answer to a request, and why, without serving: nothing is listened on, no log and no pid file is
 * opened, and a server that runs does not notice. docs/explain.md shows it. */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include <stdbool.h>

/* Is it what the arguments ask for? */
bool explain_is_asked(int argc, char **argv);

/* Does it. The exit status: 0, whatever the answer is; 1: the system refused something; 2: wrong
 * arguments; 78: wrong configuration. */
int explain(int argc, char **argv);

#endif
