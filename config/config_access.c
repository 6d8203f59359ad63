/* config_access.c: see config_access.h. */
#include "config/config_access.h"

#include "config/config_pattern.h"
#include "config/config_store.h"
#include "config/config_value.h"
#include "config/config_values.h"
#include "config/host_name.h"
#include "core/check.h"
#include "core/log_syslog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const rule_keys[] = { "access_log_format", "access_log_sample",
                                         "access_log_status", "access_log_skip" };

/* What is said of a key: in the server, else at the top level, where every key says something. */
static const struct config_entry *said(const struct config_block *top,
                                       const struct config_block *block, const char *key)
{
    const struct config_entry *entry = config_entry_at(block, key);

    return entry->is_set ? entry : config_entry_at(top, key);
}

/* ---- syslog ---- */

/* A host is looked up once, now: what is sent later never waits for a name server. */
static int aim(const struct config_build *build, struct config_place place, const char *key,
               struct log_syslog *syslog)
{
    struct host_addresses addresses = { .count = 0 };
    const char *what = "names are not looked up";
    int res = -ENOENT;

    if (!host_name_is_valid(syslog->host))
        return config_fail(build, place, key, "\"%.200s\" is no host name and no address",
                           syslog->host);
    if (build->files->resolve != NULL)
        res = build->files->resolve(syslog->host, &addresses, &what);
    if (res == -ENOMEM)
        return res;
    if (res < 0 || addresses.count == 0)
        return config_fail(build, place, key, "\"%.200s\" has no addresses: %s", syslog->host,
                           what);
    MUST(log_syslog_aim(syslog, addresses.at[0].text));
    return 0;
}

/* The destination that `text` tells, which config_text() has passed; NULL: it is no syslog. */
static int syslog_make(const struct config_build *build, struct config_place place, const char *key,
                       const char *text, const struct log_syslog **ret_syslog)
{
    int res = 0;

    if (!log_syslog_is(text))
        return 0;
    struct log_syslog *syslog = arena_alloc(build->arena, sizeof(*syslog));
    if (syslog == NULL)
        return -ENOMEM;
    MUST(log_syslog_parse(text, syslog) == NULL);
    if (syslog->address_len == 0)
        res = aim(build, place, key, syslog);
    if (res == 0)
        *ret_syslog = syslog;
    return res;
}

int config_error_log_make(const struct config_build *build, const struct config_block *top,
                          struct config *config)
{
    const struct config_entry *entry = config_entry_at(top, "error_log");

    return syslog_make(build, entry->place, "error_log", config->error_log, &config->error_syslog);
}

/* ---- which log ---- */

static int log_make(const struct config_build *build, const struct config_block *top,
                    const struct config_block *block, struct config *config, struct server *server)
{
    const struct config_key *key = config_key_find("access_log");
    const struct config_entry *entry = said(top, block, key->name);
    char *path = config->access_log;
    int res = 0;

    if (config_entry_at(block, key->name)->is_set)
        res = config_text(build, key, entry->items, &path);
    if (res < 0)
        return res;
    server->access_log = CONFIG_NO_LOG;
    if (strcmp(path, key->special) == 0)
        return 0;

    struct name_table *known = &build->shared->access_logs;
    const struct name_slot *slot =
        name_table_find(known, name_hash(span_str(path)), span_str(path));
    if (slot != NULL) {
        server->access_log = slot->index;
        return 0;
    }
    struct access_log_config *log = &config->access_logs[config->access_logs_count];
    *log = (struct access_log_config){ .path = path };
    res = syslog_make(build, entry->items->place, key->name, path, &log->syslog);
    if (res < 0)
        return res;
    server->access_log = config->access_logs_count++;
    name_table_add(known, span_str(path), server->access_log);
    return 0;
}

/* ---- which lines ---- */

/* Marks what "4xx" or "404" names; config_text_statuses() has passed it. */
static void mark_statuses(struct access_rules *rules, const char *text)
{
    bool is_class = text[1] == 'x';
    unsigned first = (unsigned)(text[0] - '0') * 100;
    unsigned last = first + 99;

    if (!is_class) {
        first += (unsigned)(text[1] - '0') * 10 + (unsigned)(text[2] - '0');
        last = first;
    }
    for (unsigned status = first; status <= last; status++)
        rules->status_bits[status / 64] |= UINT64_C(1) << status % 64;
}

static int texts_make(const struct config_build *build, const char *key,
                      const struct config_entry *entry, char ***ret_texts, size_t *ret_count)
{
    const struct config_key *of = config_key_find(key);
    char **texts = arena_array(build->arena, entry->count, sizeof(char *));
    int res = texts == NULL ? -ENOMEM : 0;

    if (of->max > 0 && entry->count > of->max)
        return config_fail(build, entry->place, key,
                           "the list has %zu elements; allowed: %llu at most", entry->count,
                           (unsigned long long)of->max);
    for (size_t i = 0; res == 0 && i < entry->count; i++)
        res = config_text(build, of, &entry->items[i], &texts[i]);
    *ret_texts = texts;
    *ret_count = entry->count;
    return res;
}

/* A format's variables that headers and redirects have, too. */
struct others {
    struct config_scope scope;
    const struct template **templates;
};

static int take_other(void *context, struct span name, size_t index, char *what, size_t what_size)
{
    struct others *others = context;
    char text[ACCESS_NAME_MAX + sizeof("${}")];
    int len = snprintf(what, what_size, "it ");

    snprintf(text, sizeof(text), "${%.*s}", (int)name.len, name.ptr);
    return config_template_of(&others->scope, text, what + len, what_size - (size_t)len,
                              &others->templates[index]);
}

static int format_make(const struct config_build *build, const struct config_entry *entry,
                       struct config *config, struct access_rules *rules)
{
    const struct config_item *item = entry->items;
    struct others others = { { .build = build, .config = config, .logged = true },
                             arena_array(build->arena, ACCESS_OTHERS_MAX, sizeof(char *)) };
    const struct access_names names = { take_other, &others };
    char what[900];
    int res = others.templates == NULL ? -ENOMEM
                                       : access_format_compile(build->arena, item->text, &names,
                                                               what, sizeof(what), &rules->format);

    rules->others = others.templates;

    if (res == -EINVAL)
        return config_fail(build, item->place, "access_log_format", "%s", what);
    return res;
}

/* A path without an end that tells is meant with what lies below it: of what is not logged that can
 * hardly be wrong. */
static int skip_pattern(const struct config_build *build, const struct config_item *item,
                        struct config *config, struct pattern *ret_pattern)
{
    static const char key[] = "access_log_skip";
    struct config_item below = *item;
    size_t len = strlen(item->text);

    if (item->text[0] != '/' || item->text[len - 1] == '/' || glob_is_one(item->text))
        return config_item_pattern(build, config, item, key, ret_pattern);
    below.text = arena_printf(build->scratch, "%s/", item->text);
    return below.text == NULL ? -ENOMEM
                              : config_item_pattern(build, config, &below, key, ret_pattern);
}

static int skips_make(const struct config_build *build, const struct config_entry *entry,
                      struct config *config, struct access_rules *rules)
{
    struct pattern *patterns = arena_array(build->arena, entry->count, sizeof(patterns[0]));
    const struct pattern **set = arena_array(build->scratch, entry->count, sizeof(set[0]));
    size_t count = 0;

    if (patterns == NULL || set == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < entry->count; i++) {
        struct pattern *pattern = &patterns[count];
        int res = skip_pattern(build, &entry->items[i], config, pattern);
        bool known = false;

        if (res < 0)
            return res;
        for (size_t j = 0; j < count; j++)
            known |= (set[j]->kind == pattern->kind ||
                      (pattern_is_prefix(set[j]->kind) && pattern_is_prefix(pattern->kind))) &&
                     span_eq(set[j]->text, pattern->text);
        if (!known)
            set[count++] = pattern;
    }
    return count == 0 ? 0 : pattern_set_make(build->arena, set, count, &rules->skip_set);
}

static int rules_make(const struct config_build *build, const struct config_block *top,
                      const struct config_block *block, struct config *config,
                      struct access_rules **ret_rules)
{
    struct access_rules *rules = arena_alloc(build->arena, sizeof(*rules));

    if (rules == NULL)
        return -ENOMEM;
    int res = format_make(build, said(top, block, rule_keys[0]), config, rules);
    if (res == 0)
        res = config_text(build, config_key_find(rule_keys[1]),
                          said(top, block, rule_keys[1])->items, &rules->sample);
    if (res == 0)
        res = texts_make(build, rule_keys[2], said(top, block, rule_keys[2]), &rules->statuses,
                         &rules->statuses_count);
    if (res == 0)
        res = texts_make(build, rule_keys[3], said(top, block, rule_keys[3]), &rules->skip,
                         &rules->skip_count);
    if (res == 0)
        res = skips_make(build, said(top, block, rule_keys[3]), config, rules);
    if (res < 0)
        return res;
    MUST(config_sample_parse(rules->sample, &rules->sample_below));
    for (size_t i = 0; i < rules->statuses_count; i++)
        mark_statuses(rules, rules->statuses[i]);
    if (rules->statuses_count == 0)
        memset(rules->status_bits, 0xff, sizeof(rules->status_bits));
    rules->filters = rules->sample_below < CONFIG_SAMPLE_ALL || rules->statuses_count > 0 ||
                     rules->skip_count > 0;
    *ret_rules = rules;
    return 0;
}

/* Does the server say anything about its lines? */
static bool has_own_rules(const struct config_block *block)
{
    for (size_t i = 0; i < ARRAY_LEN(rule_keys); i++) {
        if (config_entry_at(block, rule_keys[i])->is_set)
            return true;
    }
    return false;
}

int config_access_make(const struct config_build *build, const struct config_block *top,
                       const struct config_block *block, struct config *config,
                       struct server *server)
{
    struct access_rules **common = &build->shared->access;
    int res = log_make(build, top, block, config, server);

    if (res == 0 && *common == NULL)
        res = rules_make(build, top, top, config, common);
    if (res < 0)
        return res;
    struct access_rules *rules = *common;
    if (has_own_rules(block))
        res = rules_make(build, top, block, config, &rules);
    if (res < 0)
        return res;
    server->access = rules;
    if (server->access_log != CONFIG_NO_LOG) {
        struct access_log_config *log = &config->access_logs[server->access_log];
        if (log->line_max < rules->format->line_max)
            log->line_max = rules->format->line_max;
    }
    return 0;
}
