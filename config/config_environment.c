/* config_environment.c: see config_environment.h. */
#include "config/config_environment.h"
#include "config/config_warn.h"
#include "core/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "GEARSHIFT_"

/* Writes the name in capitals, or in small letters. */
static void copy_case(const char *from, int (*turn)(int), char *to)
{
    do
        *to++ = (char)turn((unsigned char)*from);
    while (*from++ != '\0');
}

int config_environment_read(const struct config_build *build, config_setting_take *take,
                            struct config_block *top, struct config_block *server)
{
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        char *name;
        const char *value;
        int res;

        if (config_key_find(key->name) != key)
            continue; /* a name of two keys: the first, as for -o */
        name = arena_printf(build->scratch, PREFIX "%s", key->name);
        if (name == NULL)
            return -ENOMEM;
        copy_case(name, toupper, name);
        value = getenv(name);
        res = value == NULL ? 0 : take(build, key, name, value, top, server);
        if (res < 0)
            return res;
    }
    return 0;
}

/* Is the variable one of those that Kubernetes sets in each container for a service in the same
 * namespace: GEARSHIFT_SERVICE_HOST, GEARSHIFT_PORT=tcp://..., GEARSHIFT_PORT_80_TCP_ADDR? */
static bool is_of_kubernetes(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT");

    if (strstr(name, "_SERVICE_HOST") != NULL || strstr(name, "_SERVICE_PORT") != NULL)
        return true;
    if (port == NULL)
        return false;
    return (port[5] == '\0' && strstr(value, "://") != NULL) ||
           (port[5] == '_' && isdigit((unsigned char)port[6]));
}

static void warn_of(const struct config_build *build, struct config *config, const char *name)
{
    enum { NAME_SIZE = 128 };
    char lower[NAME_SIZE], upper[NAME_SIZE];
    const char *nearest;

    if (strlen(name) >= sizeof(lower)) {
        config_warn(build, config, "%.100s...: no key of server.conf has this name", name);
        return;
    }
    copy_case(name + strlen(PREFIX), tolower, lower);
    copy_case(name, toupper, upper);
    if (config_key_find(lower) != NULL) { /* GEARSHIFT_Threads; Gearshift_threads is not ours */
        if (strcmp(upper, name) != 0)
            config_warn(build, config, "%s: it is not read; it is written %s", name, upper);
        return;
    }
    nearest = config_nearest(CONFIG_TOP, lower);
    if (nearest == NULL || config_key_find(nearest) == NULL)
        nearest = config_nearest(CONFIG_SERVER, lower);
    if (nearest == NULL || config_key_find(nearest) == NULL) {
        config_warn(build, config, "%s: no key of server.conf has this name", name);
        return;
    }
    copy_case(nearest, toupper, upper);
    config_warn(build, config,
                "%s: no key of server.conf has this name; did you mean \"" PREFIX "%s\"?", name,
                upper);
}

void config_environment_warn(const struct config_build *build, struct config *config)
{
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        const char *equals = strchr(*at, '=');
        char *name;

        if (strncmp(*at, PREFIX, strlen(PREFIX)) != 0 || equals == NULL)
            continue;
        name = arena_printf(build->scratch, "%.*s", (int)(equals - *at), *at);
        if (name != NULL && !is_of_kubernetes(name, equals + 1))
            warn_of(build, config, name);
    }
}
