/* site_redirects.h: the rules of a `_redirects` file, ready for requests. Part of config.h, for
 * those who look inside. */
#ifndef CONFIG_SITE_REDIRECTS_H
#define CONFIG_SITE_REDIRECTS_H

#include "match/redirect_rules.h"
#include "match/template.h"

#include <stdbool.h>

/* The file in the root of a server, which is served to nobody. */
#define CONFIG_REDIRECTS_FILE "_redirects"

struct site_redirects {
    const char *written;                /* "on", or the path of the file */
    const struct redirect_rules *rules; /* finds an index into targets */
    const struct template **targets;    /* where each leads; NULL: nowhere */
    bool any_force;                     /* a rule holds even where there is a file */
};

#endif
