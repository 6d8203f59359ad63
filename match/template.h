/* template.h: a text with variables, compiled once when the configuration is loaded into a list of
 * pieces, and put together for each request. Pure: what a variable stands for is told by whoever
 * has the request (struct template_source).
 *
 * A variable is written $name or ${name}; "$$" is a dollar sign, and so is one that no name
 * follows. What is the same for every request ($engine, $env_NAME) becomes text at once, so a text
 * without other variables is a constant. How values are escaped depends on where they go:
 * template_put.h.
 */
#ifndef MATCH_TEMPLATE_H
#define MATCH_TEMPLATE_H

#include "core/arena.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEMPLATE_VARIABLES_MAX = 32, /* in one text */
    TEMPLATE_TEXT_MAX = 4096,    /* octets of it, and of what it is once constants are in */
    TEMPLATE_NAME_MAX = 64,      /* octets of a variable's name */
    TEMPLATE_VALUE_MAX = 8192    /* octets of one value */
};

/* In the order of template.c's table. */
enum template_variable {
    TEMPLATE_ARGS,            /* the query as sent, without its '?' */
    TEMPLATE_HOST,            /* the host asked for, checked: lower case, no port */
    TEMPLATE_HTTPS,           /* "on", or empty */
    TEMPLATE_IS_ARGS,         /* "?", or empty */
    TEMPLATE_REMOTE_ADDR,     /* the client */
    TEMPLATE_REMOTE_PORT,     /* its port */
    TEMPLATE_REMOTE_USER,     /* as whom it has authenticated itself, or empty */
    TEMPLATE_REQUEST_ID,      /* as X-Request-Id tells it */
    TEMPLATE_REQUEST_METHOD,  /* "GET" */
    TEMPLATE_REQUEST_URI,     /* path and query as sent */
    TEMPLATE_SCHEME,          /* "http", "https" */
    TEMPLATE_SERVER_NAME,     /* the title of the server */
    TEMPLATE_SERVER_PORT,     /* the port that was listened on */
    TEMPLATE_SERVER_PROTOCOL, /* "HTTP/1.1" */
    TEMPLATE_TLS,             /* of the TLS handshake: piece.index is an enum template_tls */
    TEMPLATE_URI,             /* the path, decoded, without dot segments */
    TEMPLATE_NAMED,           /* so many have a name of their own */
    TEMPLATE_ARG,             /* $arg_NAME: a parameter of the query, decoded */
    TEMPLATE_COOKIE,          /* $cookie_NAME */
    TEMPLATE_HTTP,            /* $http_NAME: a field of the request */
    TEMPLATE_CAPTURE,         /* $0 to $9, and groups with names: piece.index is the group */
    TEMPLATE_MAP,             /* a variable that a map defines: piece.index is the map */
    TEMPLATE_NOTHING          /* the text behind the last variable */
};

/* What TEMPLATE_TLS is of; all empty without TLS. */
enum template_tls {
    TEMPLATE_TLS_PROTOCOL,    /* "TLSv1.3" */
    TEMPLATE_TLS_CIPHER,      /* IANA's name */
    TEMPLATE_TLS_SERVER_NAME, /* that the client asked for */
    TEMPLATE_TLS_CLIENT_VERIFY,
    TEMPLATE_TLS_CLIENT_SUBJECT,
    TEMPLATE_TLS_CLIENT_ISSUER,
    TEMPLATE_TLS_CLIENT_SERIAL,
    TEMPLATE_TLS_CLIENT_FINGERPRINT
};

/* A text, and the variable behind it. */
struct template_piece {
    struct span text;
    struct span name; /* ARG, COOKIE, HTTP: which; an HTTP name in lower case with '_' for '-' */
    uint8_t variable; /* enum template_variable */
    uint8_t index;
};

struct template
{
    const struct template_piece *pieces;
    size_t count;
    uint32_t uses;    /* bits 1 << enum template_variable; 0: it is a constant */
    const char *text; /* as written */
};

/* What a name that only the configuration knows stands for. */
enum template_known {
    TEMPLATE_UNKNOWN,
    TEMPLATE_IS_TEXT, /* the same for every request */
    TEMPLATE_IS_MAP,
    TEMPLATE_IS_CAPTURE,
    TEMPLATE_IS_REFUSED /* it is known, and cannot be: *ret_text says why */
};

/* What the place where a text stands knows. All optional. */
struct template_names {
    /* Looks `name` up: TEXT and REFUSED give *ret_text, which lives as long as the template, MAP
     * and CAPTURE give *ret_index. NULL: knows nothing. */
    enum template_known (*find)(void *context, struct span name, const char **ret_text,
                                uint8_t *ret_index);
    /* Name number `i` of those that find() knows, to be suggested; NULL behind the last. */
    const char *(*name_at)(void *context, size_t i);
    void *context;
    bool captures;   /* a regular expression does there: $0 is what it matched */
    unsigned groups; /* of it: $1 to $groups */
};

/* Compiles `text`. All of the result comes from `arena` and lives as long; `names` (NULL: there are
 * none) is borrowed for the call. 0; -ENOMEM; or -EINVAL and in `what` (cut at `what_size`) what is
 * wrong, to stand behind the text: "holds $hots, which is not known; did you mean $host?" */
int template_compile(struct arena *arena, const char *text, const struct template_names *names,
                     char *what, size_t what_size, const struct template **ret_template);

static inline bool template_is_constant(const struct template *template)
{
    return template->uses == 0;
}

static inline bool template_uses(const struct template *template, enum template_variable variable)
{
    return (template->uses >> variable & 1) != 0;
}

/* The text of a constant (checked), NUL-terminated. */
struct span template_constant(const struct template *template);

#endif
