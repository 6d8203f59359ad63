/* config_key_find.c: what is derived from the table of keys alone: the key of a name, the name that
 * is nearest, what a key allows. See config_keys.h. */
#include "config/config_keys.h"
#include "core/check.h"
#include "core/edit_distance.h"
#include "config/config_value.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The keys by their names: ten thousand servers ask half a million times. Chains keep the table's
 * order. */
enum { BUCKETS = 256, NO_KEY = CONFIG_KEYS_COUNT };

static uint16_t first_of[BUCKETS], next_of[CONFIG_KEYS_COUNT];
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static size_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % BUCKETS;
}

static void index_make(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        first_of[i] = NO_KEY;
    for (size_t i = CONFIG_KEYS_COUNT; i-- > 0;) {
        size_t bucket = bucket_of(config_key_at(i)->name);
        next_of[i] = first_of[bucket];
        first_of[bucket] = (uint16_t)i;
    }
}

/* The first key from number `i` on, in its chain, which has this name; NO_KEY: there is none. */
static size_t named_from(size_t i, const char *name)
{
    while (i != NO_KEY && strcmp(config_key_at(i)->name, name) != 0)
        i = next_of[i];
    return i;
}

static size_t first_named(const char *name)
{
    pthread_once(&index_once, index_make);
    return named_from(first_of[bucket_of(name)], name);
}

const struct config_key *config_key_find(const char *name)
{
    size_t i = first_named(name);

    return i != NO_KEY ? config_key_at(i) : NULL;
}

const struct config_key *config_key_in(enum config_block_kind kind, const char *name)
{
    size_t first = first_named(name);

    for (size_t i = first; i != NO_KEY; i = named_from(next_of[i], name)) {
        if ((config_key_at(i)->blocks & 1u << kind) != 0)
            return config_key_at(i);
    }
    return first != NO_KEY ? config_key_at(first) : NULL;
}

unsigned config_key_blocks(const char *name)
{
    unsigned blocks = 0;

    for (size_t i = first_named(name); i != NO_KEY; i = named_from(next_of[i], name))
        blocks |= config_key_at(i)->blocks;
    return blocks;
}

bool config_key_is_list(const struct config_key *key)
{
    return key->type >= CONFIG_TEXTS && key->type < CONFIG_INCLUDE;
}

enum config_block_kind config_block_find(const char *name)
{
    for (unsigned kind = CONFIG_TOP + 1; kind < CONFIG_BLOCK_KINDS; kind++) {
        if (strcmp(config_block_type_at((enum config_block_kind)kind)->name, name) == 0)
            return (enum config_block_kind)kind;
    }
    return CONFIG_TOP;
}

void config_blocks_where(unsigned blocks, char *text, size_t size)
{
    size_t len = 0;

    CHECK(size > 0);
    text[0] = '\0';
    for (unsigned kind = 0; kind < CONFIG_BLOCK_KINDS; kind++) {
        if ((blocks & 1u << kind) != 0 && len < size)
            len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? " or " : "",
                                    config_block_type_at((enum config_block_kind)kind)->where);
    }
}

const char *config_nearest(enum config_block_kind block, const char *name)
{
    size_t len = strlen(name);
    size_t best_distance = SIZE_MAX;
    const char *best = NULL;

    for (size_t i = 0; i < CONFIG_KEYS_COUNT + CONFIG_BLOCK_KINDS; i++) {
        bool is_key = i < CONFIG_KEYS_COUNT;
        enum config_block_kind kind =
            is_key ? CONFIG_TOP : (enum config_block_kind)(i - CONFIG_KEYS_COUNT);
        const char *known = is_key ? config_key_at(i)->name : config_block_type_at(kind)->name;
        unsigned blocks = is_key ? config_key_at(i)->blocks : config_block_type_at(kind)->parents;
        size_t distance = edit_distance(span_str(name), span_str(known));

        if ((blocks & 1u << block) != 0 && distance < best_distance &&
            edit_distance_is_slip(distance, len)) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
}

/* "error, warn, info or debug" */
static void allowed_choices(const char *const *choices, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && len < size; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";

        len += (size_t)snprintf(text + len, size - len, "%s%s", between, choices[i]);
    }
}

void config_key_duration(const struct config_key *key, uint32_t value, char *text, size_t size)
{
    char duration[CONFIG_VALUE_TEXT_MAX];

    config_duration_format(value, duration);
    snprintf(text, size, "%s",
             key->instead != NULL && value == UINT32_MAX ? key->instead : duration);
}

void config_key_allowed(const struct config_key *key, char *text, size_t size)
{
    char min[CONFIG_VALUE_TEXT_MAX], max[CONFIG_VALUE_TEXT_MAX];

    CHECK(size > 0);
    if (key->allowed != NULL) {
        snprintf(text, size, "%s", key->allowed);
        return;
    }
    switch (key->type) {
    case CONFIG_BOOL:
        snprintf(text, size, "on or off");
        return;
    case CONFIG_CHOICE:
        allowed_choices(key->choices, text, size);
        return;
    case CONFIG_COUNT:
        snprintf(text, size, "a number from %llu to %llu", (unsigned long long)key->min,
                 (unsigned long long)key->max);
        return;
    case CONFIG_SIZE32:
    case CONFIG_SIZE64:
        config_size_format(key->min, min);
        config_size_format(key->max, max);
        snprintf(text, size, "a size from %s to %s, as in 512, 16k, 1m or 2g", min, max);
        return;
    case CONFIG_DURATION:
        config_duration_format(key->min, min);
        config_duration_format(key->max, max);
        snprintf(text, size, "a duration from %s to %s, as in 500ms, 10s, 1m, 2h, 1d or 1y%s%s",
                 min, max, key->instead != NULL ? ", or " : "",
                 key->instead != NULL ? key->instead : "");
        return;
    case CONFIG_EXPIRES:
        config_duration_format(key->min * 1000, min);
        config_duration_format(key->max * 1000, max);
        snprintf(text, size, "whole seconds from %s to %s, as in 10s, 1m, 2h, 1d or 1y", min, max);
        return;
    default:
        UNREACHABLE(); /* texts, paths and lists say themselves what they allow */
    }
}
