/* netstring.h: netstrings (https://cr.yp.to/proto/netstrings.txt), "5:hello,": octets of any kind,
 * which tell their own length, so that a reader can pass over what it does not know. */
#ifndef CORE_NETSTRING_H
#define CORE_NETSTRING_H

#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Appends one. What fails shows in ferror(3). */
void netstring_put(FILE *out, struct span octets);

/* Appends one that holds a number in decimal. */
void netstring_put_number(FILE *out, int64_t number);

/* Takes the first one of *rest. False: there is none, or it is malformed. */
bool netstring_take(struct span *rest, struct span *ret_octets);

/* The same for one that holds nothing but a number. */
bool netstring_take_number(struct span *rest, int64_t *ret_number);

#endif
