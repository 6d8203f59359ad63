/* config_location.c: simple keys are taken from the innermost layer that says something; header
 * fields, error pages and cache rules add up. */
#include "config/config_location.h"
#include "core/archive.h"
#include "core/check.h"
#include "config/config_admission.h"
#include "config/config_browser.h"
#include "config/config_cache.h"
#include "config/config_clean_urls.h"
#include "config/config_fields.h"
#include "config/config_headers.h"
#include "config/config_limits.h"
#include "config/config_notes.h"
#include "config/config_return.h"
#include "config/config_rewrite.h"
#include "config/config_rules.h"
#include "config/config_store.h"
#include "config/security_headers.h"
#include "config/listing_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS_COUNT 3

/* Layer `index`, the outermost first; NULL when it is missing. */
static const struct config_block *layer_at(const struct config_layers *layers, size_t index)
{
    const struct config_block *all[LAYERS_COUNT] = { layers->defaults, layers->server,
                                                     layers->location };

    return all[index];
}

/* What layer `index` says about the key; NULL when nothing. */
static const struct config_entry *entry_in(const struct config_layers *layers, size_t index,
                                           const struct config_key *key)
{
    const struct config_block *block = layer_at(layers, index);

    const struct config_entry *entry =
        block != NULL ? config_entry_by(block, config_key_index(key)) : NULL;

    return entry != NULL && entry->is_set ? entry : NULL;
}

/* What the innermost layer says that says something; NULL: nobody does. */
static const struct config_entry *entry_in_force(const struct config_layers *layers,
                                                 const struct config_key *key)
{
    const struct config_entry *entry = NULL;

    for (size_t i = LAYERS_COUNT; entry == NULL && i-- > 0;)
        entry = entry_in(layers, i, key);
    return entry;
}

/* The items of all layers together. */
static size_t items_count(const struct config_layers *layers, const struct config_key *key)
{
    size_t count = 0;

    for (size_t i = 0; i < LAYERS_COUNT; i++) {
        const struct config_entry *entry = entry_in(layers, i, key);

        count += entry != NULL ? entry->count : 0;
    }
    return count;
}

/* Replaces the field of that name in its place, or appends it. An empty value, which removes what
 * is inherited, keeps the place until all layers are in. */
static void header_merge(struct location *location, const struct header_rule *rule)
{
    size_t i = 0;

    while (i < location->headers_count && strcasecmp(location->headers[i].name, rule->name) != 0)
        i++;
    location->headers[i] = *rule;
    location->headers_count += i == location->headers_count;
}

static void headers_compact(struct location *location)
{
    size_t kept = 0;

    for (size_t i = 0; i < location->headers_count; i++) {
        if (location->headers[i].value[0] != '\0')
            location->headers[kept++] = location->headers[i];
    }
    location->headers_count = kept;
}

/* One layer's header fields. A name stands once in a layer, or the second would hide the first. */
static int headers_add(const struct config_scope *scope, const struct config_key *key,
                       const struct config_entry *entry, struct location *location)
{
    const struct config_build *build = scope->build;
    size_t octets = 0;
    int res = 0;

    for (size_t i = 0; i < entry->count; i++) {
        const char *text = entry->items[i].text;
        size_t len = strcspn(text, ":");
        struct header_rule rule;

        res = config_header_parse(scope, key, &entry->items[i], &rule);
        if (res < 0)
            return res;
        for (size_t j = 0; j < i; j++) {
            if (span_caseeq(span_make(entry->items[j].text, strcspn(entry->items[j].text, ":")),
                            span_make(text, len)))
                return config_fail_item(build, &entry->items[i], key,
                                        "\"%.*s\" stands twice in the list", (int)len, text);
        }
        header_merge(location, &rule);
    }
    for (size_t i = 0; i < location->headers_count; i++)
        octets += strlen(location->headers[i].name) + strlen(location->headers[i].value) + 4;
    if (octets > CONFIG_FIELDS_SIZE_MAX)
        return config_fail(build, entry->place, key->name,
                           "with those inherited, the fields have %zu octets; allowed: %d", octets,
                           CONFIG_FIELDS_SIZE_MAX);
    return 0;
}

static int headers_make(const struct config_scope *scope, const struct config_layers *layers,
                        struct location *location)
{
    const struct config_build *build = scope->build;
    const struct config_key *key = config_key_find("headers");
    int res = 0;

    location->headers = arena_array(build->arena, items_count(layers, key) + SECURITY_FIELDS_MAX,
                                    sizeof(location->headers[0]));
    if (location->headers == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < LAYERS_COUNT; i++) {
        const struct config_entry *entry = entry_in(layers, i, key);

        if (entry != NULL)
            res = headers_add(scope, key, entry, location);
        if (res == 0 && i == 0) /* above the default, below what is said */
            res = config_security_headers_add(build, location);
    }
    headers_compact(location);
    for (size_t i = 0; i < location->headers_count; i++)
        location->has_varying |= location->headers[i].varying != NULL;
    return res;
}

static int error_pages_make(const struct config_scope *scope, const struct config_layers *layers,
                            struct location *location)
{
    const struct config_build *build = scope->build;
    const struct config_key *key = config_key_find("error_pages");
    struct error_page *pages =
        arena_array(build->arena, items_count(layers, key), sizeof(pages[0]));
    size_t count = 0;

    if (pages == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < LAYERS_COUNT; i++) {
        const struct config_entry *entry = entry_in(layers, i, key);
        size_t inherited = count;

        for (size_t j = 0; entry != NULL && j < entry->count; j++) {
            struct error_page page;
            size_t at = 0;
            int res = config_error_page_parse(scope, key, &entry->items[j], &page);

            if (res < 0)
                return res;
            while (at < count && pages[at].status != page.status)
                at++;
            if (at >= inherited && at < count)
                return config_fail_item(build, &entry->items[j], key, "%d stands twice in the list",
                                        page.status);
            pages[at] = page;
            count += at == count;
        }
    }
    location->error_pages = pages;
    location->error_pages_count = count;
    return 0;
}

static bool has_type(const struct location *location, const char *extension)
{
    for (size_t i = 0; i < location->types_count; i++) {
        if (strcmp(location->types[i].name, extension) == 0)
            return true;
    }
    return false;
}

/* The innermost layer comes first, and hides what those around it say of the same extension. */
static int types_make(const struct config_build *build, const struct config_layers *layers,
                      struct location *location)
{
    const struct config_key *key = config_key_in(CONFIG_LOCATION, "types");

    location->types =
        arena_array(build->arena, items_count(layers, key), sizeof(location->types[0]));
    if (location->types == NULL)
        return -ENOMEM;
    for (size_t i = LAYERS_COUNT; i-- > 0;) {
        const struct config_entry *entry = entry_in(layers, i, key);
        size_t inner = location->types_count;

        for (size_t j = 0; entry != NULL && j < entry->count; j++) {
            struct header_rule type;
            int res = config_type_parse(build, key, &entry->items[j], &type);

            if (res < 0)
                return res;
            for (size_t k = inner; k < location->types_count; k++) {
                if (strcmp(location->types[k].name, type.name) == 0)
                    return config_fail_item(build, &entry->items[j], key,
                                            "\"%.100s\" stands twice in the list", type.name);
            }
            if (!has_type(location, type.name))
                location->types[location->types_count++] = type;
        }
    }
    return 0;
}

/* The codings that the key of that name lists, as bits. */
static int codings_make(const struct config_build *build, const struct config_layers *layers,
                        const char *name, unsigned *ret_codings)
{
    const struct config_key *key = config_key_find(name);
    const struct config_entry *entry = entry_in_force(layers, key);

    for (size_t i = 0; i < entry->count; i++) {
        unsigned bit = 0;
        int res = config_coding_parse(build, key, &entry->items[i], &bit);

        if (res < 0)
            return res;
        if ((*ret_codings & bit) != 0)
            return config_fail_item(build, &entry->items[i], key, "\"%s\" stands twice in the list",
                                    entry->items[i].text);
        *ret_codings |= bit;
    }
    return 0;
}

/* What the location's block says by patterns, beside what its server does. */
static int cache_make(const struct config_build *build, const struct config_layers *layers,
                      struct config *config, struct location *location)
{
    const struct config_entry *download = entry_in_force(layers, config_key_find("download"));
    int res = layers->location == NULL
                  ? 0
                  : config_cache_make(build, layers->location, config, &location->cache_own);

    location->cache_outer = layers->cache;
    if (res == 0 && layers->location != NULL)
        res = config_fields_make(build, layers->location, config, &location->fields_own);
    location->fields_outer = layers->fields;
    if (res == 0)
        res = config_fields_check(build, layers->location, location->fields_own, location);
    if (res == 0)
        res = config_fields_check(build, layers->server, location->fields_outer, location);
    if (res == 0 && location->headers_file && location->root != NULL)
        res = config_headers_file_make(build, config, layers->of, location);
    location->has_fields = location->fields_own != NULL || location->fields_outer != NULL ||
                           location->fields_file != NULL;
    location->fields_vary = location->has_fields && config_fields_vary(location);
    if (location->fields_vary) /* those of a _headers are counted nowhere else */
        config->template_uses |= UINT32_C(1) << TEMPLATE_CAPTURE;
    if (res == 0 && location->download_count > 0)
        res = config_download_make(build, download, config, location);
    return res;
}

/* The root of that path; it is looked at once. */
static int root_find(const struct config_build *build, const struct config_key *key,
                     const struct config_item *item, char *path, struct config *config,
                     struct root **ret_root)
{
    struct name_table *known = &build->shared->roots;
    const struct name_slot *slot;
    size_t i = config->roots_count;
    int res;

    slot = name_table_find(known, name_hash(span_str(path)), span_str(path));
    if (slot != NULL) {
        i = slot->index;
    } else {
        res = build->files->directory(build->files->context, path);
        if (res < 0) {
            config_fail_item(build, item, key, "\"%.400s\" cannot be served: %s", path,
                             res == -ETIMEDOUT ? "who has it, as a server of files, does not answer"
                                               : strerror(-res));
            return res;
        }
        name_table_add(known, span_str(path), i);
        config->roots[config->roots_count++] = (struct root){ .path = path, .fd = -1 };
    }
    *ret_root = &config->roots[i];
    return 0;
}

/* `alias` of a path alone is a file: `path` is cut into its folder and its name. */
static int alias_file(const struct config_build *build, const struct config_key *key,
                      const struct config_item *item, char *path, struct location *location)
{
    char *slash = strrchr(path, '/');

    CHECK(slash != NULL);
    if (slash[1] == '\0' || build->files->directory(build->files->context, path) == 0)
        return config_fail_advise(build, item->place, key->name,
                                  "name the file that the path stands for, or end the location's "
                                  "title with '/' and take = away",
                                  "\"%.400s\" is a directory", path);
    location->file = span_str(slash + 1);
    if (slash == path) { /* the root's own folder keeps its '/' */
        char *name = arena_strdup(build->arena, slash + 1);

        if (name == NULL)
            return -ENOMEM;
        location->file = span_str(name);
        slash++;
    }
    *slash = '\0';
    return 0;
}

static int alias_make(const struct config_build *build, const struct config_key *key,
                      const struct config_entry *entry, struct config *config,
                      struct location *location)
{
    enum pattern_kind kind = location->pattern.kind;
    char *path = NULL;
    int res;

    if (kind != PATTERN_EXACT && !pattern_is_prefix(kind))
        return config_fail_advise(build, entry->place, key->name,
                                  "take root, below which the whole path is looked up",
                                  "its location is for a %s, so there is no prefix to take off the "
                                  "path",
                                  pattern_kind_name(kind));
    res = config_text(build, key, entry->items, &path);
    if (res == 0 && kind == PATTERN_EXACT)
        res = alias_file(build, key, entry->items, path, location);
    location->strip_prefix = true;
    return res < 0 ? res : root_find(build, key, entry->items, path, config, &location->root);
}

static int root_make(const struct config_build *build, const struct config_layers *layers,
                     struct config *config, struct location *location)
{
    const struct config_key *root = config_key_find("root"), *alias = config_key_find("alias");
    const struct config_entry *entry = entry_in(layers, 2, alias);
    char *path = NULL;
    int res;

    if (entry != NULL && entry_in(layers, 2, root) != NULL)
        return config_fail_advise(build, entry->place, "alias", "take one of the two away",
                                  "root is set beside it");
    if (entry != NULL)
        return alias_make(build, alias, entry, config, location);
    entry = entry_in_force(layers, root);
    if (entry == NULL)
        return 0;
    res = config_text(build, root, entry->items, &path);
    return res < 0 ? res : root_find(build, root, entry->items, path, config, &location->root);
}

/* What was said of a key by its server or by itself; NULL: nothing. */
static const struct config_entry *entry_said(const struct config_layers *layers, const char *name)
{
    const struct config_key *key = config_key_find(name);
    const struct config_entry *entry = entry_in(layers, 2, key);

    return entry != NULL ? entry : entry_in(layers, 1, key);
}

static int browser_make(const struct config_build *build, const struct config_layers *layers,
                        struct location *location)
{
    int res = config_security_headers_finish(build, entry_said(layers, "hsts"), location);

    if (res == 0)
        res = config_early_hints_check(build, entry_said(layers, "early_hints"), location);
    if (res == 0)
        res = config_dictionaries_finish(
            build, entry_said(layers, "use_as_dictionary"),
            entry_in(layers, 2, config_key_find("use_as_dictionary")) != NULL, location);
    if (res < 0 || location->cors_count == 0)
        return res;
    return config_cors_check(build, entry_said(layers, "cors"), location);
}

/* `try`'s texts are checked already as far as they are paths. */
static int try_make(const struct config_scope *scope, const struct config_layers *layers,
                    struct location *location)
{
    const struct config_entry *entry = entry_in_force(layers, config_key_find("try"));
    int res = config_clean_urls_make(scope->build, entry, location);

    if (res < 0)
        return res;
    location->try_templates =
        arena_array(scope->build->arena, location->try_count, sizeof(location->try_templates[0]));
    if (location->try_templates == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < location->try_count; i++)
        res = config_template(scope, i < entry->count ? entry->items[i].place : entry->place, "try",
                              location->try_uris[i], &location->try_templates[i]);
    return res;
}

/* No location inherits it from its server, or what is served beside it would have to say so. */
static int answer_make(const struct config_scope *scope, const struct config_layers *layers,
                       struct location *location)
{
    const struct config_entry *entry =
        entry_in(layers, layers->location != NULL ? 2 : 1, config_key_find("return"));

    return entry == NULL ? 0 : config_return_parse(scope, entry->items, &location->answer);
}

/* What requests are led to instead. */
static int elsewhere_make(const struct config_scope *scope, const struct config_layers *layers,
                          struct location *location)
{
    const struct config_entry *entry =
        entry_in(layers, LAYERS_COUNT - 1, config_key_find("rewrite"));
    struct maintenance *maintenance = &location->maintenance;
    int res = entry != NULL ? config_rewrite_parse(scope, entry->items, location) : 0;

    return res < 0 ? res
                   : address_set_make(scope->build->arena, maintenance->allow_texts,
                                      maintenance->allow_count, &maintenance->allow);
}

/* Reads and parses the template at `path`, which `entry` names. */
static int template_read(const struct config_build *build, const struct config_entry *entry,
                         const char *path, struct listing_page **ret_page)
{
    static const char key[] = "autoindex_template";
    const struct config_place place = entry->items[0].place;
    char *text = NULL, *copy, why[256];
    size_t len = 0;
    int line = 0;
    int res = build->files->read(build->files->context, path, &text, &len);

    if (res < 0) {
        config_fail(build, place, key, "\"%.400s\" cannot be read: %s", path, strerror(-res));
        return res;
    }
    copy = arena_strndup(build->arena, text, len);
    free(text);
    if (copy == NULL)
        return -ENOMEM;
    res = listing_page_parse(build->arena, span_make(copy, len), ret_page, &line, why, sizeof(why));
    if (res == -EINVAL)
        return config_fail(build, place, key, "%.400s:%d: %s", path, line, why);
    return res;
}

/* What listings are made of; a template that several locations name is read once. */
static int template_make(const struct config_build *build, const struct config_layers *layers,
                         struct config *config, struct location *location)
{
    const char *path = location->autoindex_template;
    struct listing_template *template = config->templates;
    int res = 0;

    if (path[0] == '\0')
        return 0;
    while (template != NULL && strcmp(template->path, path) != 0)
        template = template->next;
    if (template == NULL) {
        template = arena_array(build->arena, 1, sizeof(*template));
        if (template == NULL)
            return -ENOMEM;
        template->path = path;
        res = template_read(build, entry_in_force(layers, config_key_find("autoindex_template")),
                            path, &template->page);
        template->next = config->templates;
        config->templates = template;
    }
    location->autoindex_page = template->page;
    return res;
}

/* Where the location's settings were said that fields and answers come of, for who explains them.
 */
static void settings_note(const struct config_build *build, const struct config_layers *layers,
                          const struct location *location)
{
    const struct {
        const char *key;
        const void *what;
    } rows[] = {
        { "return", location->answer },
        { "rewrite", location->rewrite },
        { "hsts", location->hsts },
        { "cors", location->cors },
        { "early_hints", location->early_hints },
        { "download", location->download },
        { "security_headers", location->headers },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct config_entry *entry = entry_in_force(layers, config_key_find(rows[i].key));

        if (entry != NULL && entry->is_set)
            config_note(build, rows[i].what, entry->place);
    }
}

int config_location_make(const struct config_build *build, const struct config_layers *layers,
                         struct config *config, struct location *location)
{
    const struct config_scope scope = {
        .build = build,
        .config = config,
        .regex = pattern_is_regex(location->pattern.kind) ? location->pattern.regex : NULL,
    };
    int res = 0;

    for (size_t i = 0; res == 0 && i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if ((key->blocks & 1u << CONFIG_LOCATION) == 0 || key->offset == CONFIG_NO_OFFSET)
            continue;
        res = config_store(build, key, entry_in_force(layers, key), location);
    }
    if (res == 0)
        res = root_make(build, layers, config, location);
    if (res == 0)
        res = headers_make(&scope, layers, location);
    if (res == 0)
        res = error_pages_make(&scope, layers, location);
    if (res == 0)
        res = try_make(&scope, layers, location);
    if (res == 0)
        res = browser_make(build, layers, location);
    if (res == 0)
        res = answer_make(&scope, layers, location);
    if (res == 0)
        res = elsewhere_make(&scope, layers, location);
    if (res == 0)
        res = codings_make(build, layers, "precompressed", &location->precompressed);
    if (res == 0)
        res = codings_make(build, layers, "compress", &location->compress);
    if (res == 0)
        res = codings_make(build, layers, "deltas", &location->deltas);
    if (res == 0)
        res = types_make(build, layers, location);
    if (res == 0)
        res = cache_make(build, layers, config, location);
    if (res == 0)
        res = config_admission_make(build, layers, location);
    if (res == 0)
        res = config_limits_make(build, layers->server->title, location);
    config->limits_any |= location->limits.requests_any || location->limits.rate_client != 0;
    if (res == 0)
        res = template_make(build, layers, config, location);
    for (size_t i = 0; res == 0 && i < location->archive_count; i++)
        location->archive |=
            1u << (strcmp(location->archive_texts[i], "zip") == 0 ? ARCHIVE_ZIP : ARCHIVE_TAR);
    if (res == 0)
        settings_note(build, layers, location);
    return res;
}
