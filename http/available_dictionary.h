/* available_dictionary.h: the Available-Dictionary field (RFC 9842 section 2.2): the hash of what a
 * client has to decompress with. Pure. */
#ifndef HTTP_AVAILABLE_DICTIONARY_H
#define HTTP_AVAILABLE_DICTIONARY_H

#include "core/delta.h"

/* Reads the value of the field: a Byte Sequence (RFC 9651 section 3.3.5) of 32 octets, such as
 * ":pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:", whose padding may be left out. False: it is
 * something else, parameters included, for which there are none; the field is to be ignored then.
 */
bool http_available_dictionary_parse(struct span value, uint8_t ret_hash[DELTA_HASH_SIZE]);

#endif
