/* security_headers.c: the table of the presets. See security_headers.h; docs/server.conf.md repeats
 * it, and a test compares the two. */
#include "config/security_headers.h"

#include "core/check.h"
#include "core/span.h"

#include <assert.h>
#include <string.h>

static const struct security_field basic[] = {
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "strict-origin-when-cross-origin" },
    { "X-Frame-Options", "SAMEORIGIN" },
    { "Cross-Origin-Opener-Policy", "same-origin-allow-popups" },
};

static const struct security_field strict[] = {
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "X-Frame-Options", "DENY" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Permissions-Policy",
      "accelerometer=(), bluetooth=(), camera=(), display-capture=(), geolocation=(), "
      "gyroscope=(), "
      "hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()" },
    { "Content-Security-Policy", "default-src 'self'; base-uri 'self'; form-action 'self'; "
                                 "frame-ancestors 'none'; object-src 'none'" },
};

static_assert(ARRAY_LEN(basic) <= SECURITY_FIELDS_MAX && ARRAY_LEN(strict) <= SECURITY_FIELDS_MAX,
              "SECURITY_FIELDS_MAX");

const char security_own_pages_policy[] =
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src "
    "'unsafe-inline'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const struct security_field *security_fields(enum security_headers preset, size_t *ret_count)
{
    switch (preset) {
    case SECURITY_HEADERS_OFF:
        *ret_count = 0;
        return basic;
    case SECURITY_HEADERS_BASIC:
        *ret_count = ARRAY_LEN(basic);
        return basic;
    case SECURITY_HEADERS_STRICT:
        *ret_count = ARRAY_LEN(strict);
        return strict;
    }
    UNREACHABLE();
}

const char *security_field_value(enum security_headers preset, const char *name)
{
    size_t count;
    const struct security_field *fields = security_fields(preset, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(fields[i].name, name) == 0)
            return fields[i].value;
    }
    return NULL;
}

const char *security_hsts(enum security_headers preset)
{
    return preset == SECURITY_HEADERS_STRICT ? "max-age=31536000" : "";
}
