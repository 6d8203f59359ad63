/* keys.c: see keys.h. Prints the table of config_keys.c. */
#include "process/keys.h"

#include "config/config_keys.h"
#include "core/check.h"
#include "process/refuse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 512 };

static bool is_set_in_lines(const struct config_key *key)
{
    return key->type != CONFIG_INCLUDE;
}

/* Can -o and the environment set it? */
static bool is_setting(const struct config_key *key)
{
    return is_set_in_lines(key) && (key->blocks & (1u << CONFIG_TOP | 1u << CONFIG_SERVER)) != 0;
}

/* A line each, with what it does behind a tab: what shells want. `settings`: of those alone that -o
 * can set. A name that stands for two keys is printed once then. */
static void print_all(bool settings)
{
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if (!settings || (is_setting(key) && config_key_find(key->name) == key))
            printf("%s\t%s\n", key->name, key->help);
    }
}

static void print_key(const struct config_key *key)
{
    char text[TEXT_SIZE];

    printf("%s: %s\n", key->name, key->help);
    config_blocks_where(key->blocks, text, sizeof text);
    printf("    stands   %s\n", text);
    if (is_set_in_lines(key)) {
        config_key_allowed(key, text, sizeof text);
        printf("    allowed  %s%s\n", config_key_is_list(key) ? "a list; each element: " : "",
               text);
    } else {
        printf("    allowed  %s\n", key->allowed);
    }
    if (key->fallback != NULL && config_key_is_list(key))
        printf("    default  {%s}\n", key->fallback);
    else if (key->fallback != NULL)
        printf("    default  %s\n", key->fallback[0] != '\0' ? key->fallback : "\"\"");
}

/* The words that it takes, a line each; none where it takes others. */
static void print_values(const struct config_key *key)
{
    if (key->type == CONFIG_BOOL)
        printf("on\noff\n");
    for (size_t i = 0; key->type == CONFIG_CHOICE && key->choices[i] != NULL; i++)
        printf("%s\n", key->choices[i]);
    if (key->special != NULL && key->special[0] != '\0')
        printf("%s\n", key->special);
    if (key->instead != NULL)
        printf("%s\n", key->instead);
}

static int print_named(const char *name, bool values)
{
    bool found = false;

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if (strcmp(key->name, name) != 0)
            continue;
        if (values && !found)
            print_values(key);
        else if (!values)
            print_key(key);
        found = true;
    }
    if (found)
        return STATUS_OK;
    for (unsigned kind = 0; kind < CONFIG_BLOCK_KINDS; kind++) {
        const char *nearest = config_nearest((enum config_block_kind)kind, name);

        if (nearest != NULL && config_key_find(nearest) != NULL)
            return refuse(STATUS_USAGE, "no key is called '%s'; did you mean \"%s\"?", name,
                          nearest);
    }
    return refuse(STATUS_USAGE, "no key is called '%s'; gearshift keys lists them", name);
}

int keys(int argc, char **argv)
{
    bool settings = argc == 2 && strcmp(argv[1], "--settings") == 0;
    bool values = argc == 3 && strcmp(argv[1], "--values") == 0;
    int status = STATUS_OK;

    if (argc == 1 || settings)
        print_all(settings);
    else if (values || (argc == 2 && argv[1][0] != '-'))
        status = print_named(argv[argc - 1], values);
    else
        return refuse(STATUS_USAGE,
                      "usage: gearshift keys [--settings | [--values] KEY]   tells what may stand "
                      "in server.conf");
    return status;
}
