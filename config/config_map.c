/* config_map.c: entries are collected from a block and its files, found by a map (match/map.h), and
 * their values compiled. See config_map.h. */
#include "config/config_map.h"

#include "config/config_store.h"
#include "config/config_text.h"
#include "config/config_values.h"
#include "config/map_values.h"
#include "core/check.h"
#include "match/template_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A map while it is made. Texts lie in the scratch arena. */
struct maker {
    const struct config_scope *scope;
    const struct config_block *block;
    struct config_map *map;
    struct map_entry *entries; /* malloc(3), and so are */
    struct span *values;       /* those of the same index */
    size_t count, room;
};

static struct config_place place_of(const struct maker *m, size_t entry)
{
    return (struct config_place){ m->entries[entry].file, (int)m->entries[entry].line, 1 };
}

/* The key of an entry, for a sentence. */
static const char *key_of(const struct maker *m, size_t entry)
{
    struct span key = m->entries[entry].key;
    const char *text = arena_strndup(m->scope->build->scratch, key.ptr, key.len);

    return text != NULL ? text : "";
}

static int grow(struct maker *m)
{
    size_t room = m->room > 0 ? 2 * m->room : 64;
    struct map_entry *entries = realloc(m->entries, room * sizeof(entries[0]));

    if (entries != NULL)
        m->entries = entries;
    struct span *values = realloc(m->values, room * sizeof(values[0]));
    if (values != NULL)
        m->values = values;
    if (entries == NULL || values == NULL)
        return -ENOMEM;
    m->room = room;
    return 0;
}

static int add(struct maker *m, struct span key, struct span value, struct config_place place)
{
    if (m->count == m->scope->config->map_entries_max)
        return config_fail_advise(m->scope->build, place, "map", "raise map_entries_max",
                                  "there are more than %u entries in $%.64s", (unsigned)m->count,
                                  m->map->name);
    if (m->count == m->room && grow(m) < 0)
        return -ENOMEM;
    m->entries[m->count] = (struct map_entry){ key, place.file, (size_t)place.line };
    m->values[m->count++] = value;
    return 0;
}

/* ---- where entries come from ---- */

static int add_written(struct maker *m)
{
    const struct config_block *block = m->block;
    struct arena *arena = m->scope->build->arena;
    struct config_map_entry *written = arena_array(arena, block->pairs_count, sizeof(written[0]));
    int res = 0;

    if (written == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < block->pairs_count; i++) {
        const struct config_pair *pair = &block->pairs[i];

        if (strlen(pair->key) > MAP_KEY_MAX || strlen(pair->value) > MAP_VALUE_MAX)
            return config_fail(m->scope->build, pair->place, "map",
                               "an entry has a key or a value of more than 4096 bytes");
        written[i].key = arena_strdup(arena, pair->key);
        written[i].value = arena_strdup(arena, pair->value);
        if (written[i].key == NULL || written[i].value == NULL)
            return -ENOMEM;
        res = add(m, span_str(pair->key), span_str(pair->value), pair->place);
    }
    m->map->entries = written;
    m->map->entries_count = block->pairs_count;
    return res;
}

/* The entries of a file's text. */
static int add_lines(struct maker *m, const char *path, struct span text)
{
    struct arena *scratch = m->scope->build->scratch;
    struct map_reader *reader = arena_alloc(scratch, sizeof(*reader));
    struct map_line line;
    int res;

    if (reader == NULL)
        return -ENOMEM;
    map_reader_init(reader, text);
    while ((res = map_reader_next(reader, &line)) > 0) {
        struct config_place place = { path, (int)line.number, 1 };
        char *key = arena_strndup(scratch, line.key.ptr, line.key.len);
        char *value = arena_strndup(scratch, line.value.ptr, line.value.len);

        if (key == NULL || value == NULL)
            return -ENOMEM;
        res = add(m, span_make(key, line.key.len), span_make(value, line.value.len), place);
        if (res < 0)
            return res;
    }
    if (res < 0)
        return config_fail(m->scope->build, (struct config_place){ path, (int)reader->number, 1 },
                           "map", "the line %s", reader->what);
    return 0;
}

static int add_file(struct maker *m, const struct config_item *item)
{
    const struct config_build *build = m->scope->build;
    const char *what = NULL;
    char *path = NULL, *text = NULL;
    size_t len = 0;
    int res = config_text(build, config_key_in(CONFIG_MAP, "file"), item, &path);

    if (res < 0)
        return res;
    m->map->files[m->map->files_count++] = path;
    res = config_data_read(build, path, &text, &len, &what);
    if (res == -ENOMEM)
        return res;
    if (res < 0)
        return config_fail(build, item->place, "file", "%.400s cannot be read: %s", path,
                           what != NULL ? what : strerror(-res));
    res = add_lines(m, path, span_make(text, len));
    free(text);
    return res;
}

static int add_files(struct maker *m)
{
    const struct config_entry *files = config_entry_at(m->block, "file");
    int res = 0;

    m->map->files = arena_array(m->scope->build->arena, files->count, sizeof(m->map->files[0]));
    if (m->map->files == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < files->count; i++)
        res = add_file(m, &files->items[i]);
    return res;
}

/* ---- what they say ---- */

/* A value with variables; or one that only looks so: "$$". */
static int compile_value(struct maker *m, size_t entry, struct config_map_value *value)
{
    struct config_scope scope = *m->scope;
    const char *text = m->values[entry].ptr; /* with a NUL behind it */
    const struct template *template = NULL;

    scope.regex = map_regex_of(m->map->map, entry);
    int res = config_template(&scope, place_of(m, entry), "map", text, &template);
    if (res < 0)
        return res;
    if (template_is_constant(template)) {
        value->text = template_constant(template);
        return 0;
    }
    /* What would be a host that the client names: put together it would come to nothing. */
    bool is_url = strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
    const char *what = is_url ? template_url_check(template) : NULL;
    if (what != NULL)
        return config_fail(scope.build, place_of(m, entry), "map", "\"%.200s\" %s", text, what);
    value->template = template;
    for (size_t i = 0; i < template->count; i++) {
        const struct template_piece *piece = &template->pieces[i];
        unsigned depth =
            piece->variable == TEMPLATE_MAP ? scope.config->maps[piece->index].depth + 1 : 1;

        m->map->depth = depth > m->map->depth ? depth : m->map->depth;
    }
    return 0;
}

static const char *refuse_value(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return "holds a control character";
    }
    return NULL;
}

/* Entries of one file share its name. */
static int keep_place(const struct maker *m, size_t entry, struct config_map_value *values)
{
    const char *file = m->entries[entry].file;

    if (entry > 0 && file == m->entries[entry - 1].file)
        values[entry].file = values[entry - 1].file;
    else
        values[entry].file = arena_strdup(m->scope->build->arena, file != NULL ? file : "");
    values[entry].line = m->entries[entry].line;
    return values[entry].file != NULL ? 0 : -ENOMEM;
}

/* Texts are copied in one piece: of many short ones, each its own would take as much again. */
static int values_make(struct maker *m)
{
    struct arena *arena = m->scope->build->arena;
    struct config_map_value *values = arena_array(arena, m->count, sizeof(values[0]));
    size_t octets = 0;
    int res = 0;

    for (size_t i = 0; i < m->count; i++)
        octets += m->values[i].len;
    char *out = arena_alloc(arena, octets);
    if (values == NULL || out == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < m->count; i++) {
        struct span value = m->values[i];
        const char *what = refuse_value(value);

        if (what != NULL)
            return config_fail(m->scope->build, place_of(m, i), "map", "the value of \"%.200s\" %s",
                               key_of(m, i), what);
        if (keep_place(m, i, values) < 0)
            return -ENOMEM;
        if (value.len > 0 && memchr(value.ptr, '$', value.len) != NULL) {
            res = compile_value(m, i, &values[i]);
            continue;
        }
        if (value.len > 0)
            memcpy(out, value.ptr, value.len);
        values[i].text = span_make(out, value.len);
        out += value.len;
    }
    m->map->values = values;
    m->map->count = m->count;
    return res;
}

/* ---- all of one ---- */

static int fail_entry(const struct maker *m, const struct map_fault *fault)
{
    const struct config_build *build = m->scope->build;
    const char *key = key_of(m, fault->entry);

    if (fault->first == SIZE_MAX)
        return config_fail(build, place_of(m, fault->entry), "map", "\"%.200s\" %s", key,
                           fault->what);
    return config_fail_advise(build, place_of(m, fault->entry), "map", "take one of them away",
                              "\"%.200s\" %s, first at %.400s:%zu", key, fault->what,
                              m->entries[fault->first].file, m->entries[fault->first].line);
}

/* The name behind the '$' of the second title, which nothing else has. */
static int name_make(struct maker *m)
{
    const struct config_scope *scope = m->scope;
    const char *written = m->block->result, *name = written + 1, *end = name;
    const struct template_names none = { 0 };
    const struct template *template = NULL;
    char what[512];

    while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') || *end == '_' ||
           (end > name && *end >= '0' && *end <= '9'))
        end++;
    if (written[0] != '$' || end == name || *end != '\0' || end - name > TEMPLATE_NAME_MAX)
        return config_fail_advise(scope->build, m->block->place, "map",
                                  "write map \"$uri\" \"$name\", of letters, digits and '_'",
                                  "\"%.100s\" is no variable that it could define", written);
    for (size_t i = 0; i < scope->config->maps_count; i++) {
        if (strcmp(scope->config->maps[i].name, name) == 0)
            return config_fail_advise(scope->build, m->block->place, "map",
                                      "give one of them another name",
                                      "$%s is defined by a map before it", name);
    }
    if (strncmp(name, "env_", 4) == 0 || strcmp(name, "engine") == 0 ||
        strcmp(name, "hostname") == 0 || strcmp(name, "node") == 0 ||
        access_format_knows(span_str(name)) ||
        template_compile(scope->build->scratch, written, &none, what, sizeof(what), &template) == 0)
        return config_fail_advise(scope->build, m->block->place, "map", "give it another name",
                                  "$%s is a variable already", name);
    m->map->name = arena_strdup(scope->build->arena, name);
    return m->map->name != NULL ? 0 : -ENOMEM;
}

static int source_make(struct maker *m)
{
    struct config_map *map = m->map;
    const struct config_block *block = m->block;
    int res = config_template(m->scope, block->place, "map", block->title, &map->source);

    if (res < 0)
        return res;
    if (template_is_constant(map->source))
        return config_fail_advise(m->scope->build, block->place, "map",
                                  "write what is looked up, such as \"$uri\" or \"$host\"",
                                  "\"%.100s\" holds no variable", block->title);
    map->depth = 1;
    for (size_t i = 0; i < map->source->count; i++) {
        const struct template_piece *piece = &map->source->pieces[i];

        if (piece->variable == TEMPLATE_MAP &&
            m->scope->config->maps[piece->index].depth >= map->depth)
            map->depth = m->scope->config->maps[piece->index].depth + 1;
    }
    return 0;
}

static int map_fill(struct maker *m, const struct config_block *defaults)
{
    const struct config_build *build = m->scope->build;
    static const char *const switches[] = { "ignore_case", "hostnames" };
    struct map_fault fault;
    int res = name_make(m);

    if (res == 0)
        res = source_make(m);
    for (size_t i = 0; res == 0 && i < ARRAY_LEN(switches); i++) {
        const struct config_entry *entry = config_entry_at(m->block, switches[i]);

        if (!entry->is_set)
            entry = config_entry_at(defaults, switches[i]);
        res = config_store(build, config_key_in(CONFIG_MAP, switches[i]), entry, m->map);
    }
    if (res == 0)
        res = add_written(m);
    if (res == 0)
        res = add_files(m);
    if (res < 0)
        return res;
    res =
        map_make(build->arena, m->entries, m->count,
                 (m->map->ignore_case ? MAP_ANY_CASE : 0) | (m->map->hostnames ? MAP_HOSTNAMES : 0),
                 build->hash_key, &fault, &m->map->map);
    if (res == -EINVAL)
        return fail_entry(m, &fault);
    if (res == 0)
        res = values_make(m);
    if (res == 0 && m->map->depth > CONFIG_MAP_DEPTH_MAX)
        return config_fail(build, m->block->place, "map",
                           "$%s looks at a map that looks at another, and so on, more than %d deep",
                           m->map->name, CONFIG_MAP_DEPTH_MAX);
    return res;
}

/* Takes the blocks of maps out of `top`, which has `count`. NULL: no memory. */
static struct config_block **take_blocks(const struct config_build *build, struct config_block *top,
                                         size_t count)
{
    struct config_block **taken = arena_array(build->scratch, count, sizeof(taken[0]));
    size_t kept = 0, maps = 0;

    for (size_t i = 0; taken != NULL && i < top->blocks_count; i++) {
        struct config_block *block = top->blocks[i];

        if (block->kind == CONFIG_MAP)
            taken[maps++] = block;
        else
            top->blocks[kept++] = block;
    }
    if (taken != NULL)
        top->blocks_count = kept;
    return taken;
}

int config_maps_make(const struct config_build *build, struct config_block *top,
                     const struct config_block *defaults, struct config *config)
{
    const struct config_scope scope = { .build = build, .config = config };
    size_t count = config_blocks_of(top, CONFIG_MAP);
    struct config_map *maps = arena_array(build->arena, count, sizeof(maps[0]));
    struct config_block **blocks = take_blocks(build, top, count);
    int res = 0;

    if (maps == NULL || blocks == NULL)
        return -ENOMEM;
    if (count > CONFIG_MAPS_MAX)
        return config_fail(build, blocks[CONFIG_MAPS_MAX]->place, "map",
                           "there are %zu maps; allowed: %d at most", count, CONFIG_MAPS_MAX);
    config->maps = maps;
    for (size_t i = 0; res == 0 && i < count; i++) {
        struct maker m = { .scope = &scope, .block = blocks[i], .map = &maps[i] };

        res = map_fill(&m, defaults);
        free(m.entries);
        free(m.values);
        if (res == 0) {
            config->has_regex |= map_has_regex(maps[i].map);
            config->maps_count++;
        }
    }
    return res;
}
