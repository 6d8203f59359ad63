/* use_dictionary.h: the Use-As-Dictionary field (RFC 9842 section 2.1): which files a client is to
 * keep, and for which requests. Pure. */
#ifndef HTTP_USE_DICTIONARY_H
#define HTTP_USE_DICTIONARY_H

#include "config/config.h"
#include "config/dictionary_rule.h"

/* More than the longest line has. */
#define HTTP_USE_DICTIONARY_MAX (2 * DICTIONARY_RULE_MAX)

/* Writes the line for the file of that name beneath the root, with CRLF, where the location's
 * use_as_dictionary matches its path, into HTTP_USE_DICTIONARY_MAX octets. Its length; 0: none. */
size_t http_use_dictionary_put(const struct location *location, struct span name, char *ret_line);

#endif
