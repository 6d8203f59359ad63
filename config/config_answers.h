/* config_answers.h: answers that no file is looked for, as the configuration has them. Part of
 * config.h. */
#ifndef CONFIG_CONFIG_ANSWERS_H
#define CONFIG_CONFIG_ANSWERS_H

#include "core/address_set.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern;
struct pattern_set;
struct template;

/* `return = "301 https://$host$request_uri"` */
struct config_return {
    int status;       /* CONFIG_STATUS_CLOSE: the connection is closed without an answer */
    bool is_redirect; /* `text` is a URL; one that comes to nothing is no answer at all */
    const struct template *text; /* the body or the URL; NULL: neither */
    const char *written;
};

#define CONFIG_STATUS_CLOSE 444

/* `maintenance = "maintenance.html"` */
struct maintenance {
    char *file; /* below the root; "": none */
    uint32_t retry_after_ms;
    char **allow_texts; /* who is served all the same, as written */
    size_t allow_count;
    struct address_set allow;
};

/* `redirect "/old/" { to = "/new/" status = 301 }` */
struct redirect {
    struct span from; /* exact path; ending in '/': a prefix, and the rest is appended to `to` */
    char *to;         /* absolute path or absolute URL, as written */
    int status;       /* 301, 302, 303, 307, 308 */
    const struct template *target; /* what `to` says */
    bool keeps_rest;               /* the rest of the path is appended */
    bool keeps_query;              /* so is the query */

    /* Where the title is more than that. */
    const struct pattern *pattern; /* a glob or an expression, whose text `from` is; NULL: none */
    bool exact;                    /* `from` is a path, even if it ends in '/' */
    bool firm;                     /* no pattern is asked for what this prefix covers */
    struct span query; /* only with this query, without its '?', as sent; ptr NULL: with any */
};

/* Is it for all that lies below `from`, too? */
static inline bool redirect_is_prefix(const struct redirect *redirect)
{
    struct span from = redirect->from;

    return redirect->pattern == NULL && !redirect->exact && from.len > 0 &&
           from.ptr[from.len - 1] == '/';
}

/* Redirects or rewrites by patterns. */
struct redirect_patterns {
    struct redirect *items; /* in the order of the file */
    size_t count;
    const struct pattern_set *set; /* of all of them; NULL: there are none */
};

#endif
