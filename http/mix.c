/* mix.c: see mix.h. Two steps: which blocks match (the key of a mix), and what comes of them. */
#include "http/mix.h"

#include "config/config_fields.h"
#include "config/security_headers.h"
#include "core/arena.h"
#include "core/check.h"
#include "core/log_repeat.h"
#include "http/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LAYERS = 3, /* _headers, the server's blocks, the location's */
    BUCKETS = 1024,
    FIELDS_MAX = 512 /* of one mix */
};

/* Which location and which blocks: a block is its layer and its index. */
struct http_mix_key {
    unsigned location_id;
    uint32_t hash;
    size_t count;
    uint64_t *blocks;
};

struct http_mixes {
    struct arena *arena; /* of all that are kept */
    size_t size;         /* octets of their texts and keys */
    uint64_t numbers;    /* given so far */
    struct http_mix *buckets[BUCKETS];
    uint64_t room[LAYERS * 2 * HTTP_MIX_HITS_MAX]; /* of the key that is looked for */
};

int http_mixes_create(struct http_env *env)
{
    const struct config *config = env->config;
    bool found = false;

    for (size_t i = 0; i < config->servers_count; i++)
        for (size_t j = 0; j < config->servers[i].locations_count; j++)
            found |= config->servers[i].locations[j].has_fields;
    if (!found)
        return 0;
    env->mixes = calloc(1, sizeof(*env->mixes));
    if (env->mixes == NULL)
        return -ENOMEM;
    env->mixes->arena = arena_create();
    return env->mixes->arena != NULL ? 0 : -ENOMEM;
}

void http_mixes_destroy(struct http_mixes *mixes)
{
    if (mixes == NULL)
        return;
    arena_destroy(mixes->arena);
    free(mixes);
}

/* ---- which blocks ---- */

static const struct header_blocks *layer_of(const struct location *location, size_t layer)
{
    const struct header_blocks *layers[LAYERS] = { location->fields_file, location->fields_outer,
                                                   location->fields_own };

    return layers[layer];
}

/* In the order of the rank, of equals those of the first list first; each block once. */
static size_t merge(struct pattern_hit *hits, size_t count)
{
    size_t kept = 0;

    for (size_t i = 1; i < count; i++) {
        struct pattern_hit moved = hits[i];
        size_t at = i;

        for (; at > 0 && hits[at - 1].rank > moved.rank; at--)
            hits[at] = hits[at - 1];
        hits[at] = moved;
    }
    for (size_t i = 0; i < count; i++) {
        bool known = false;

        for (size_t j = 0; j < kept && !known; j++)
            known = hits[j].index == hits[i].index;
        if (!known)
            hits[kept++] = hits[i];
    }
    return kept;
}

/* The blocks of a layer for both paths, in the order in which they hold; their number, or -E2BIG.
 */
static int find_in_layer(struct http_env *env, const struct header_blocks *blocks,
                         struct span asked, struct span file, struct pattern_hit *hits)
{
    int count = 0, more;

    if (file.len > 0 && !span_eq(file, asked))
        count = pattern_set_find_all(blocks->set, env->regexes, file, hits, HTTP_MIX_HITS_MAX);
    if (count < 0)
        return count;
    more = pattern_set_find_all(blocks->set, env->regexes, asked, hits + count, HTTP_MIX_HITS_MAX);
    if (more < 0)
        return more;
    count += more;
    if (blocks->is_file)
        for (int i = 0; i < count; i++)
            hits[i].rank = hits[i].index;
    return (int)merge(hits, (size_t)count);
}

struct span http_mix_path(const struct location *location, bool of_site, struct span path)
{
    size_t cut = location->prefix.len - 1;

    if (!of_site || !location->strip_prefix || location->file.len > 0 || path.len == 0)
        return path;
    return path.len > cut ? span_make(path.ptr + cut, path.len - cut) : SPAN_LIT("/");
}

static void tell(const struct http_env *env, struct span path)
{
    log_repeated(
        LOG_ERROR, "the headers blocks of a path cannot be told", E2BIG,
        "a regular expression of a headers block takes more than regex_steps_max = %u steps "
        "over a path, or more than %d blocks match; the answer is 500: %.*s",
        env->config->limits.regex_steps_max, HTTP_MIX_HITS_MAX,
        path.len < 200 ? (int)path.len : 200, path.ptr);
}

/* Fills in a key in mixes->room. */
static int key_find(struct http_env *env, const struct location *location, struct span asked,
                    struct span file, struct http_mix_key *key)
{
    struct pattern_hit hits[2 * HTTP_MIX_HITS_MAX];

    key->location_id = location->id;
    key->blocks = env->mixes->room;
    key->count = 0;
    key->hash = location->id * UINT32_C(2654435761);
    for (size_t i = 0; i < LAYERS; i++) {
        const struct header_blocks *blocks = layer_of(location, i);
        int count =
            blocks == NULL
                ? 0
                : find_in_layer(env, blocks, http_mix_path(location, blocks->is_file, asked),
                                http_mix_path(location, blocks->is_file, file), hits);

        if (count < 0) {
            tell(env, asked);
            return -E2BIG;
        }
        for (int j = 0; j < count; j++) {
            key->hash = (key->hash ^ (hits[j].index + 1)) * UINT32_C(16777619) + (uint32_t)i;
            key->blocks[key->count++] = (uint64_t)i << 32 | hits[j].index;
        }
    }
    return 0;
}

static bool key_equal(const struct http_mix_key *a, const struct http_mix_key *b)
{
    return a->hash == b->hash && a->location_id == b->location_id && a->count == b->count &&
           memcmp(a->blocks, b->blocks, a->count * sizeof(a->blocks[0])) == 0;
}

/* ---- what comes of them ---- */

/* A field on its way. */
struct mixed {
    const char *name, *value;
    const struct template *varying; /* NULL: the value is `value` */
    const struct pattern *captured;
    bool general; /* of the location's list */
    bool block;   /* of a headers block */
    bool link;    /* a Link of _headers */
    bool of_site; /* of _headers */
};

struct mixing {
    struct arena *arena;
    const struct location *location;
    struct mixed fields[FIELDS_MAX];
    size_t count;
    bool full;
    struct http_mix *mix;
};

/* Removes those of the name; `general`: only the location's own. */
static void remove_fields(struct mixing *m, const char *name, bool general)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++) {
        if (strcasecmp(m->fields[i].name, name) != 0 || (general && !m->fields[i].general))
            m->fields[kept++] = m->fields[i];
    }
    m->count = kept;
}

static void push(struct mixing *m, struct mixed field)
{
    if (m->count == FIELDS_MAX)
        m->full = true;
    else
        m->fields[m->count++] = field;
}

/* Behind the last of the name. False: there is none, or it cannot be. */
static bool append(struct mixing *m, const struct header_rule *rule)
{
    for (size_t i = m->count; i-- > 0;) {
        struct mixed *field = &m->fields[i];
        char *joined;

        if (strcasecmp(field->name, rule->name) != 0)
            continue;
        if (field->varying != NULL || rule->varying != NULL)
            return false; /* in a line of its own, which means the same */
        joined = arena_printf(m->arena, "%s, %s", field->value, rule->value);
        m->full |= joined == NULL;
        if (joined != NULL)
            field->value = joined;
        return true;
    }
    return false;
}

static bool is_for(const struct header_block *block, const char *name, bool error)
{
    switch (block->answers) {
    case FIELD_ANSWERS_USUAL:
        return !error || !config_field_is_caching(name);
    case FIELD_ANSWERS_SUCCESS:
        return !error;
    case FIELD_ANSWERS_ERRORS:
        return error;
    case FIELD_ANSWERS_ALL:
        return true;
    }
    UNREACHABLE();
}

/* Is it what a browser can begin with at once: preload, preconnect? */
static bool is_hint(const char *link)
{
    const char *rest = strchr(link, '>');

    return rest != NULL &&
           (strcasestr(rest, "preload") != NULL || strcasestr(rest, "preconnect") != NULL);
}

static void do_rule(struct mixing *m, const struct header_blocks *blocks,
                    const struct field_rule *rule)
{
    const struct header_rule *field = &rule->field;
    struct mixed mixed = { .name = field->name,
                           .value = field->value,
                           .varying = field->varying,
                           .captured = field->captured };

    mixed.block = !blocks->is_file;
    mixed.of_site = blocks->is_file;
    mixed.link = blocks->is_file && strcasecmp(field->name, "Link") == 0 && is_hint(field->value);
    if (strcasecmp(field->name, "Content-Disposition") == 0)
        m->mix->disposition = true;
    if (mixed.block && http_fields_is_caching(field->name))
        m->mix->caching = true;
    if (rule->deed == FIELD_SET && strcasecmp(field->name, "Content-Type") == 0) {
        m->mix->type = span_str(field->value);
        return;
    }
    if (rule->deed == FIELD_REMOVE || rule->deed == FIELD_SET)
        remove_fields(m, field->name, rule->deed == FIELD_SET && blocks->is_file);
    if (rule->deed == FIELD_REMOVE || (rule->deed == FIELD_APPEND && append(m, field)))
        return;
    push(m, mixed);
}

/* Mixes the fields of answers that are errors, or of those that are none. */
static void mix_fields(struct mixing *m, const struct http_mix_key *key, bool error)
{
    const struct location *location = m->location;

    m->count = 0;
    for (size_t i = 0; i < location->headers_count; i++)
        push(m, (struct mixed){ .name = location->headers[i].name,
                                .value = location->headers[i].value,
                                .varying = location->headers[i].varying,
                                .general = true });
    for (size_t i = 0; i < key->count; i++) {
        const struct header_blocks *blocks = layer_of(location, key->blocks[i] >> 32);
        const struct header_block *block = &blocks->blocks[key->blocks[i] & UINT32_MAX];

        for (size_t j = 0; j < block->count; j++) {
            const struct field_rule *rule = &block->rules[j];

            if (is_for(block, rule->field.name, error) &&
                !config_field_is_others(location, rule->field.name))
                do_rule(m, blocks, rule);
        }
    }
}

/* Which lines are wanted. */
enum lines { LINES_ALL, LINES_CACHED, LINES_OWN_PAGE, LINES_LINKS };

static bool is_wanted(const struct mixed *field, enum lines lines)
{
    if (field->varying != NULL)
        return false;
    switch (lines) {
    case LINES_ALL:
    case LINES_OWN_PAGE:
        return true;
    case LINES_CACHED:
        return !http_fields_is_caching(field->name);
    case LINES_LINKS:
        return field->link;
    }
    UNREACHABLE();
}

static struct span print(struct mixing *m, enum lines lines)
{
    char text[HTTP_MIX_FIELDS_MAX];
    size_t len = 0;
    char *copy;

    for (size_t i = 0; i < m->count; i++) {
        const struct mixed *field = &m->fields[i];
        const char *value = field->value;
        size_t name_len = strlen(field->name), value_len;

        if (!is_wanted(field, lines))
            continue;
        if (lines == LINES_OWN_PAGE && m->location->policy_is_preset && field->general &&
            strcasecmp(field->name, "Content-Security-Policy") == 0)
            value = security_own_pages_policy;
        value_len = strlen(value);
        if (name_len + value_len + 4 > sizeof(text) - len) {
            m->full = true;
            continue;
        }
        memcpy(text + len, field->name, name_len);
        memcpy(text + len + name_len, ": ", 2);
        memcpy(text + len + name_len + 2, value, value_len);
        memcpy(text + len + name_len + 2 + value_len, "\r\n", 2);
        len += name_len + value_len + 4;
    }
    copy = arena_strndup(m->arena, text, len);
    return span_make(copy, copy != NULL ? len : 0);
}

/* Those that are put together for each answer; NULL: no memory. */
static const struct header_rule *keep_varying(struct mixing *m, size_t *ret_count)
{
    struct header_rule *kept = arena_array(m->arena, m->count, sizeof(kept[0]));

    for (size_t i = 0; kept != NULL && i < m->count; i++) {
        const struct mixed *field = &m->fields[i];

        if (field->varying != NULL)
            kept[(*ret_count)++] = (struct header_rule){ .name = (char *)(uintptr_t)field->name,
                                                         .varying = field->varying,
                                                         .captured = field->captured,
                                                         .of_site = field->of_site };
    }
    return kept;
}

static struct span print_hints(struct mixing *m)
{
    struct span links = print(m, LINES_LINKS);
    char *text;

    if (links.len == 0)
        return span_make("", 0);
    text = arena_printf(m->arena, "HTTP/1.1 103 Early Hints\r\n");
    for (size_t i = 0; text != NULL && i < m->location->early_hints_count; i++)
        text = arena_printf(m->arena, "%s%s\r\n", text, m->location->early_hints[i]);
    if (text != NULL)
        text = arena_printf(m->arena, "%s%.*s\r\n", text, (int)links.len, links.ptr);
    return text != NULL ? span_str(text) : span_make(NULL, 0);
}

static int make(struct http_env *env, const struct location *location,
                const struct http_mix_key *key, struct http_mix **ret_mix)
{
    struct http_mixes *mixes = env->mixes;
    struct arena *arena = mixes->arena;
    struct http_mix *mix = arena_alloc(arena, sizeof(*mix));
    struct http_mix_key *kept = arena_alloc(arena, sizeof(*kept));
    struct mixing m = { .arena = arena, .location = location, .count = 0, .mix = mix };

    if (mix == NULL || kept == NULL)
        return -ENOMEM;
    *kept = *key;
    kept->blocks = arena_array(arena, key->count, sizeof(key->blocks[0]));
    if (kept->blocks == NULL)
        return -ENOMEM;
    memcpy(kept->blocks, key->blocks, key->count * sizeof(key->blocks[0]));
    mix->key = kept;
    mix_fields(&m, kept, true);
    mix->errors = print(&m, LINES_ALL);
    mix->own_errors = print(&m, LINES_OWN_PAGE);
    mix->vary_errors = keep_varying(&m, &mix->vary_errors_count);
    mix->caching = mix->disposition = false; /* of what has success */
    mix->type = span_make("", 0);
    mix_fields(&m, kept, false);
    mix->success = print(&m, LINES_ALL);
    mix->cached = print(&m, LINES_CACHED);
    mix->own_success = print(&m, LINES_OWN_PAGE);
    mix->vary_success = keep_varying(&m, &mix->vary_success_count);
    mix->hints = print_hints(&m);
    if (mix->errors.ptr == NULL || mix->own_errors.ptr == NULL || mix->success.ptr == NULL ||
        mix->cached.ptr == NULL || mix->own_success.ptr == NULL || mix->hints.ptr == NULL ||
        mix->vary_success == NULL || mix->vary_errors == NULL)
        return -ENOMEM;
    if (m.full)
        log_repeated(
            LOG_ERROR, "too many header fields by path", E2BIG,
            "the header fields that `headers` blocks and _headers have for one path are more "
            "than %d bytes; some are left out",
            HTTP_MIX_FIELDS_MAX);
    mix->number = ++mixes->numbers;
    mixes->size += sizeof(*mix) + sizeof(*kept) + key->count * sizeof(key->blocks[0]) +
                   mix->success.len + mix->cached.len + mix->errors.len + mix->own_success.len +
                   mix->own_errors.len + mix->hints.len;
    *ret_mix = mix;
    return 0;
}

/* Forgets all mixes. */
static int start_anew(struct http_mixes *mixes)
{
    struct arena *arena = arena_create();

    if (arena == NULL)
        return -ENOMEM;
    arena_destroy(mixes->arena);
    mixes->arena = arena;
    mixes->size = 0;
    memset(mixes->buckets, 0, sizeof(mixes->buckets));
    return 0;
}

int http_mix_find(struct http_env *env, const struct location *location, struct span asked,
                  struct span file, const struct http_mix **ret_mix)
{
    struct http_mixes *mixes = env->mixes;
    struct http_mix **bucket, *mix = NULL;
    struct http_mix_key key;
    int res;

    CHECK(location->has_fields && mixes != NULL);
    res = key_find(env, location, asked, file, &key);
    if (res < 0)
        return res;
    bucket = &mixes->buckets[(key.hash ^ key.hash >> 16) % BUCKETS];
    for (mix = *bucket; mix != NULL; mix = mix->next) {
        if (key_equal(mix->key, &key)) {
            *ret_mix = mix;
            return 0;
        }
    }
    if (mixes->size >= HTTP_MIXES_SIZE_MAX)
        res = start_anew(mixes);
    if (res == 0)
        res = make(env, location, &key, &mix);
    if (res < 0)
        return res;
    mix->next = *bucket;
    *bucket = mix;
    *ret_mix = mix;
    return 0;
}
