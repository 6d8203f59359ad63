/* map.c: a table of keys, and a list of expressions. See map.h. */
#include "match/map.h"

#include "core/check.h"
#include "match/text_table.h"

#include <errno.h>

/* An expression among the entries. */
struct map_regex {
    const struct regex *regex;
    uint32_t entry;
};

struct map {
    struct text_table table; /* of indices into keys */
    struct map_regex *regexes;
    size_t regexes_count;
    int fallback; /* index of the default, or MAP_NONE */
    unsigned how;
    /* Keys behind those of the entries: of ".a.b", whose own one is "a.b", "*.a.b". */
    uint32_t *more_entries; /* whose they are */
    uint32_t count;         /* of entries */
};

static char lower(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet | 0x20) : octet;
}

/* What is being made. */
struct maker {
    struct arena *arena;
    struct map *map;
    const struct map_entry *entries;
    struct span *keys;
    size_t more; /* keys behind those of the entries, so far */
    struct map_fault *fault;
};

static int fail(const struct maker *m, size_t entry, const char *what, size_t first)
{
    *m->fault = (struct map_fault){ entry, what, first };
    return -EINVAL;
}

static bool is_regex(struct span key)
{
    return key.len > 0 && key.ptr[0] == '~';
}

static int add_regex(const struct maker *m, size_t entry)
{
    struct span key = m->entries[entry].key;
    bool caseless = key.len > 1 && key.ptr[1] == '*';
    size_t skipped = caseless ? 2 : 1;
    const struct regex *regex = NULL;
    char what[300];

    if (memchr(key.ptr, '\0', key.len) != NULL)
        return fail(m, entry, "holds a NUL", SIZE_MAX);
    if (key.len == skipped)
        return fail(m, entry, "is an empty expression, which would match everything; write default",
                    SIZE_MAX);
    char *text = arena_strndup(m->arena, key.ptr + skipped, key.len - skipped);
    if (text == NULL)
        return -ENOMEM;
    int res = regex_compile(m->arena, text, caseless, what, sizeof(what), &regex);
    if (res == -EINVAL) {
        const char *kept = arena_strdup(m->arena, what);

        return kept != NULL ? fail(m, entry, kept, SIZE_MAX) : -ENOMEM;
    }
    if (res == 0)
        m->map->regexes[m->map->regexes_count++] = (struct map_regex){ regex, (uint32_t)entry };
    return res;
}

/* nginx's words that are no keys. */
static const char *refuse_word(struct span key)
{
    if (span_eq(key, SPAN_LIT("hostnames")))
        return "is nginx's word for names of hosts that are patterns; write hostnames = on into "
               "the map's block; a key of that name is \\hostnames";
    if (span_eq(key, SPAN_LIT("volatile")))
        return "is nginx's word for a map that is not cached, which none is here: leave it out; a "
               "key of that name is \\volatile";
    if (span_eq(key, SPAN_LIT("include")))
        return "is nginx's word for another file; write file = \"PATH\" into the map's block; a "
               "key of that name is \\include";
    return NULL;
}

/* ".a.b": two keys of one entry. */
static bool is_name_and_below(const struct maker *m, size_t entry)
{
    struct span key = m->entries[entry].key;

    return (m->map->how & MAP_HOSTNAMES) != 0 && key.len > 1 && key.ptr[0] == '.';
}

static uint32_t entry_of(const struct map *map, uint32_t key)
{
    return key < map->count ? key : map->more_entries[key - map->count];
}

static int add_entry(struct maker *m, size_t entry)
{
    struct span key = m->entries[entry].key;
    struct map *map = m->map;
    const char *what = refuse_word(key);

    if (what != NULL)
        return fail(m, entry, what, SIZE_MAX);
    if (map_key_is_default(key)) {
        if (map->fallback != MAP_NONE)
            return fail(m, entry, "stands twice", (size_t)map->fallback);
        map->fallback = (int)entry;
        return 0;
    }
    if (is_regex(key))
        return add_regex(m, entry);
    uint32_t first = text_table_add(&map->table, (uint32_t)entry);
    if (first == TEXT_TABLE_NONE && is_name_and_below(m, entry)) {
        uint32_t index = map->count + (uint32_t)m->more;

        map->more_entries[m->more++] = (uint32_t)entry;
        first = text_table_add(&map->table, index);
    }
    return first == TEXT_TABLE_NONE ? 0 : fail(m, entry, "stands twice", entry_of(map, first));
}

/* The keys that go into the table: without a backslash in front, in lower case if it does not
 * matter; all in one piece of memory. */
static int copy_keys(struct maker *m, size_t count, size_t *ret_hashed, size_t *ret_regexes)
{
    size_t octets = 0, more = 0;
    char *out;

    *ret_hashed = *ret_regexes = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_regex(m->entries[i].key))
            ++*ret_regexes;
        else
            octets += m->entries[i].key.len + 1;
        more += is_name_and_below(m, i);
    }
    *ret_hashed = count - *ret_regexes + more;
    out = arena_alloc(m->arena, octets);
    m->keys = arena_array(m->arena, count + more, sizeof(m->keys[0]));
    m->map->more_entries = arena_array(m->arena, more, sizeof(m->map->more_entries[0]));
    if (out == NULL || m->keys == NULL || m->map->more_entries == NULL)
        return -ENOMEM;
    more = 0;
    for (size_t i = 0; i < count; i++) {
        struct span key = m->entries[i].key;

        if (is_regex(key))
            continue;
        if (key.len > 0 && key.ptr[0] == '\\')
            key = span_make(key.ptr + 1, key.len - 1);
        if (is_name_and_below(m, i)) { /* "*.a.b", of which "a.b" is the end */
            *out++ = '*';
            m->keys[count + more++] = span_make(out - 1, key.len + 1);
            m->keys[i] = span_make(out + 1, key.len - 1);
        } else {
            m->keys[i] = span_make(out, key.len);
        }
        for (size_t at = 0; at < key.len; at++)
            *out++ = (m->map->how & MAP_ANY_CASE) != 0 ? lower(key.ptr[at]) : key.ptr[at];
    }
    return 0;
}

int map_make(struct arena *arena, const struct map_entry *entries, size_t count, unsigned how,
             const uint64_t hash_key[2], struct map_fault *ret_fault, const struct map **ret_map)
{
    struct map *map = arena_alloc(arena, sizeof(*map));
    struct maker m = { .arena = arena, .map = map, .entries = entries, .fault = ret_fault };
    size_t hashed, regexes;
    int res;

    CHECK(count <= MAP_ENTRIES_MAX);
    if (map == NULL)
        return -ENOMEM;
    map->how = how;
    map->count = (uint32_t)count;
    map->fallback = MAP_NONE;
    res = copy_keys(&m, count, &hashed, &regexes);
    if (res == 0)
        res = text_table_make(arena, m.keys, hashed, hash_key, &map->table);
    if (res == 0 && regexes > MAP_REGEXES_MAX)
        for (size_t i = count; i-- > 0;) {
            if (is_regex(entries[i].key))
                return fail(&m, i, "is one of more than 1000 expressions, which are tried in turn",
                            SIZE_MAX);
        }
    map->regexes = arena_array(arena, regexes, sizeof(map->regexes[0]));
    if (map->regexes == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < count; i++)
        res = add_entry(&m, i);
    if (res == 0)
        *ret_map = map;
    return res;
}

/* As text_table_find(), for the octets from `from` to `to` with a star in the place of `star`. */
static uint32_t find_starred(const struct map *map, char *from, char *to, char *star)
{
    char octet = *star;
    uint32_t found;

    *star = '*';
    found = text_table_find(&map->table, span_make(from, (size_t)(to - from)));
    *star = octet;
    return found;
}

/* The index of the key that a name lies below, the longest, or begins with; or TEXT_TABLE_NONE. A
 * star is written into `name`, and taken out again. */
static uint32_t find_pattern(const struct map *map, char *name, size_t len)
{
    uint32_t found = TEXT_TABLE_NONE;

    for (size_t i = 1; found == TEXT_TABLE_NONE && i < len; i++) {
        if (name[i] == '.')
            found = find_starred(map, name + i - 1, name + len, name + i - 1);
    }
    for (size_t i = len; found == TEXT_TABLE_NONE && i-- > 1;) {
        if (name[i] == '.' && i + 1 < len)
            found = find_starred(map, name, name + i + 2, name + i + 1);
    }
    return found;
}

/* The entry of the key, or TEXT_TABLE_NONE. */
static uint32_t find_key(const struct map *map, struct span text)
{
    char room[MAP_KEY_MAX];
    bool named = (map->how & MAP_HOSTNAMES) != 0;
    uint32_t found;

    if (text.len > (named ? (size_t)MAP_KEY_MAX : map->table.len_max))
        return TEXT_TABLE_NONE;
    if (map->how != 0) {
        CHECK(text.len <= MAP_KEY_MAX);
        for (size_t i = 0; i < text.len; i++)
            room[i] = (map->how & MAP_ANY_CASE) != 0 ? lower(text.ptr[i]) : text.ptr[i];
        text.ptr = room;
    }
    found = text_table_find(&map->table, text);
    if (found == TEXT_TABLE_NONE && named)
        found = find_pattern(map, room, text.len);
    return found != TEXT_TABLE_NONE ? entry_of(map, found) : found;
}

int map_find(const struct map *map, struct regex_room *room, struct span text,
             struct captures *ret_captures)
{
    uint32_t entry = find_key(map, text);

    if (ret_captures != NULL)
        ret_captures->count = 0;
    if (entry != TEXT_TABLE_NONE)
        return (int)entry;
    for (size_t i = 0; i < map->regexes_count; i++) {
        int res = regex_match(map->regexes[i].regex, room, text, ret_captures);

        if (res != 0)
            return res < 0 ? res : (int)map->regexes[i].entry;
    }
    return map->fallback;
}

int map_default(const struct map *map)
{
    return map->fallback;
}

const struct regex *map_regex_of(const struct map *map, size_t entry)
{
    for (size_t i = 0; i < map->regexes_count; i++) {
        if (map->regexes[i].entry == entry)
            return map->regexes[i].regex;
    }
    return NULL;
}

bool map_has_regex(const struct map *map)
{
    return map->regexes_count > 0;
}
