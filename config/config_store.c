/* config_store.c: the types of the table that are stored by offset. */
#include "config/config_store.h"
#include "core/check.h"
#include "core/log_stream.h"
#include "core/log_syslog.h"
#include "config/config.h"
#include "config/config_value.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(enum log_level) == sizeof(unsigned), "a CHOICE is stored as unsigned");
static_assert(sizeof(enum file_symlinks) == sizeof(unsigned), "a CHOICE is stored as unsigned");

int config_fail_item(const struct config_build *build, const struct config_item *item,
                     const struct config_key *key, const char *format, ...)
{
    char what[512], allowed[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    config_key_allowed(key, allowed, sizeof(allowed));
    return config_fail_allowed(build, item->place, key->name, allowed, "%s", what);
}

int config_number(const struct config_build *build, const struct config_key *key,
                  const struct config_item *item, uint64_t *ret_number)
{
    const char *notation = "a number";
    uint64_t unit = 1, number = 0;
    int res;

    if (key->instead != NULL && strcmp(item->text, key->instead) == 0) {
        *ret_number = UINT32_MAX;
        return 0;
    }
    switch (key->type) {
    case CONFIG_COUNT:
        res = config_count_parse(item->text, &number);
        break;
    case CONFIG_SIZE32:
    case CONFIG_SIZE64:
        notation = "a size";
        res = config_size_parse(item->text, &number);
        break;
    case CONFIG_EXPIRES:
        unit = 1000;
        /* fall through */
    case CONFIG_DURATION:
        notation = "a duration";
        res = config_duration_parse(item->text, &number);
        break;
    default:
        UNREACHABLE();
    }
    if (res == -EINVAL)
        return config_fail_item(build, item, key, "\"%.100s\" is not %s", item->text, notation);
    if (res == 0 && number % unit != 0)
        return config_fail_item(build, item, key, "\"%.100s\" is not in whole seconds", item->text);
    number /= unit;
    if (res == -ERANGE || number > key->max)
        return config_fail_item(build, item, key, "\"%.100s\" is too large", item->text);
    if (number < key->min)
        return config_fail_item(build, item, key, "\"%.100s\" is too small", item->text);
    *ret_number = number;
    return 0;
}

int config_text(const struct config_build *build, const struct config_key *key,
                const struct config_item *item, char **ret_text)
{
    int stream = key->streams ? log_stream_number(item->text) : -1;
    bool special = (key->special != NULL && strcmp(item->text, key->special) == 0) || stream >= 0;
    const char *what = NULL;
    char *text;

    if (key->streams && log_syslog_is(item->text)) {
        what = log_syslog_parse(item->text, NULL);
        special = true;
    }
    if (!special && item->text[0] == '\0')
        what = "is empty";
    else if (!special && key->check != NULL)
        what = key->check(item->text);
    if (what != NULL)
        return config_fail_item(build, item, key, "\"%.200s\" %s", item->text, what);
    if ((key->type == CONFIG_PATH || key->type == CONFIG_PATHS) && !special)
        text = config_path(build, item->place, item->text);
    else
        text = arena_strdup(build->arena, stream >= 0 ? log_stream_name(stream) : item->text);
    if (text == NULL)
        return -ENOMEM;
    *ret_text = text;
    return 0;
}

static int choice_parse(const struct config_build *build, const struct config_key *key,
                        const struct config_item *item, unsigned *ret_choice)
{
    for (unsigned i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], item->text) == 0) {
            *ret_choice = i;
            return 0;
        }
    }
    return config_fail_item(build, item, key, "\"%.100s\" is not known", item->text);
}

static int texts_store(const struct config_build *build, const struct config_key *key,
                       const struct config_entry *entry, void *base)
{
    char **texts = arena_array(build->arena, entry->count, sizeof(char *));
    int res = texts == NULL ? -ENOMEM : 0;

    if (key->max > 0 && entry->count > key->max)
        res = config_fail(build, entry->place, key->name,
                          "the list has %zu elements; allowed: %llu at most", entry->count,
                          (unsigned long long)key->max);
    for (size_t i = 0; res == 0 && i < entry->count; i++)
        res = config_text(build, key, &entry->items[i], &texts[i]);
    if (res < 0)
        return res;
    memcpy((char *)base + key->offset, &texts, sizeof(texts));
    memcpy((char *)base + key->count_offset, &entry->count, sizeof(entry->count));
    return 0;
}

int config_store(const struct config_build *build, const struct config_key *key,
                 const struct config_entry *entry, void *base)
{
    const struct config_item *item = entry->items;
    void *member = (char *)base + key->offset;
    unsigned choice = 0;
    uint64_t number = 0;
    char *text = NULL;
    bool on = false;
    int res;

    CHECK(key->offset != CONFIG_NO_OFFSET && entry->is_set);
    if (key->type == CONFIG_TEXTS)
        return texts_store(build, key, entry, base);
    CHECK(entry->count == 1);
    switch (key->type) {
    case CONFIG_BOOL:
        res = config_bool_parse(item->text, &on);
        if (res < 0)
            return config_fail_item(build, item, key, "\"%.100s\" is neither", item->text);
        memcpy(member, &on, sizeof(on));
        return 0;
    case CONFIG_CHOICE:
        res = choice_parse(build, key, item, &choice);
        if (res == 0)
            memcpy(member, &choice, sizeof(choice));
        return res;
    case CONFIG_TEXT:
    case CONFIG_PATH:
        res = config_text(build, key, item, &text);
        if (res == 0)
            memcpy(member, &text, sizeof(text));
        return res;
    case CONFIG_SIZE64:
        res = config_number(build, key, item, &number);
        if (res == 0)
            memcpy(member, &number, sizeof(number));
        return res;
    default:
        res = config_number(build, key, item, &number);
        if (res == 0) {
            uint32_t narrow = (uint32_t)number;

            CHECK(number <= UINT32_MAX);
            memcpy(member, &narrow, sizeof(narrow));
        }
        return res;
    }
}
