/* admission.h: who may have what lies at a location, as data: a part of struct config, made by
 * config_admission.c, and read by http/admission.c. */
#ifndef CONFIG_ADMISSION_H
#define CONFIG_ADMISSION_H

#include "core/address_set.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

struct htpasswd;

/* Who may by address: `allow` and `deny`. */
struct client_rules {
    struct address_set clients; /* those who may */
    char **allow, **deny;       /* as written, but for paths, which are absolute */
    size_t allow_count, deny_count;
};

/* Who may by name and password: an `auth` block. */
struct auth_rules {
    char *realm, *path;
    const struct htpasswd *users; /* what the file held when it was loaded */
    const char *challenge;        /* the field of a 401, with CRLF */
};

/* Keys in one `signed`: the one that links are made with, and those before it. */
#define CONFIG_SIGNED_MAX 4

/* Who may by a link that somebody has signed (core/signed_link.h). */
struct signed_rules {
    char *paths[CONFIG_SIGNED_MAX];
    struct span keys[CONFIG_SIGNED_MAX];
    size_t count;
};

/* Names in one `referers`, and expressions: each is compared with every request's. */
#define CONFIG_REFERERS_MAX         1000
#define CONFIG_REFERERS_REGEXES_MAX 100

struct regex;

/* Which pages may lead here: `referers`. */
struct referer_rules {
    bool none, blocked, server_names; /* words in it */
    char **hosts;                     /* the others */
    size_t hosts_count;
    const struct regex **regexes; /* of what stands behind http:// and https:// */
    size_t regexes_count;
    char **texts; /* as written */
    size_t count;
};

enum satisfy { SATISFY_ALL, SATISFY_ANY };

/* Who may have what lies at a location. */
struct admission {
    const struct client_rules *by_address; /* NULL: whatever the address is, */
    const struct auth_rules *auth;         /* without a password, */
    const struct signed_rules *signed_by;  /* by any link, */
    const struct referer_rules *referers;  /* wherever it stands */
};

#endif
