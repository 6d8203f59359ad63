/* security_headers.h: the fields that `security_headers` stands for. Pure.
 *
 * They lie below those that `headers` names: any of them is replaced, or removed, by its name. */
#ifndef CONFIG_SECURITY_HEADERS_H
#define CONFIG_SECURITY_HEADERS_H

#include "config/config.h"

#include <stddef.h>

struct security_field {
    const char *name, *value;
};

enum { SECURITY_FIELDS_MAX = 8 };

/* The fields of a preset, in a table of `*ret_count`. */
const struct security_field *security_fields(enum security_headers preset, size_t *ret_count);

/* The value that the preset has for the field of that name (compared without case); NULL: none. */
const char *security_field_value(enum security_headers preset, const char *name);

/* Strict-Transport-Security where nothing else is said; "": none. */
const char *security_hsts(enum security_headers preset);

/* The Content-Security-Policy of pages that the server makes itself (errors, listings), where that
 * of the preset holds for the site: they have a style and a script in them, load pictures of the
 * same site, and nothing else. */
extern const char security_own_pages_policy[];

#endif
