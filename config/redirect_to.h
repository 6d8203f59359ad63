/* redirect_to.h: the notation of a redirect's `to`: text, in which $host, $uri and $query stand for
 * those of the request. Pure. The configuration checks it (config_text.c, config_rules.c), and
 * http/redirect.c fills it in. */
#ifndef CONFIG_REDIRECT_TO_H
#define CONFIG_REDIRECT_TO_H

#include "core/span.h"

enum redirect_variable {
    REDIRECT_END, /* no more of them */
    REDIRECT_HOST,
    REDIRECT_URI,
    REDIRECT_QUERY,
    REDIRECT_UNKNOWN /* '$' and another name */
};

/* Takes the text before the next variable off the front of *to, and that variable, which is
 * returned. A '$' with no letter, digit or '_' behind it is text. */
enum redirect_variable redirect_to_next(struct span *to, struct span *ret_text);

#endif
