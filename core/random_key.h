/* random_key.h: what a stranger cannot guess: a key for siphash.h, so that nobody can aim texts at
 * one place of a table. */
#ifndef CORE_RANDOM_KEY_H
#define CORE_RANDOM_KEY_H

#include <stdint.h>

/* Draws a key: of getrandom(2), which fails only under a filter; then it is what the kernel gave
 * the process at its start (getauxval(3), AT_RANDOM). */
void random_key(uint64_t ret_key[2]);

#endif
