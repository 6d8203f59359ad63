/* sign.h: `gearshift sign`: makes a link that ends by itself (core/signed_link.h), for the keys
 * that `signed` names. For scripts, and to try it out; anything else that knows HMAC can make them,
 * too. */
#ifndef PROCESS_SIGN_H
#define PROCESS_SIGN_H

/* Runs the command whose name is argv[0]. The exit status. */
int sign(int argc, char **argv);

#endif
