/* fuzz_map.c: arbitrary octets as a file of a map. Of what is accepted, each key finds its own
 * entry; what is refused has a line and a sentence. */
#include "match/map.h"

#include "core/check.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MAX = 200 };

/* The entries of the text; -1: it is refused. */
static int read_entries(struct arena *arena, struct span text, struct map_entry *entries)
{
    static struct map_reader reader; /* 8 KiB that need no clearing */
    struct map_line line;
    int count = 0, res = 0;

    map_reader_init(&reader, text);
    while (count < ENTRIES_MAX && (res = map_reader_next(&reader, &line)) > 0) {
        char *key = arena_strndup(arena, line.key.ptr, line.key.len);

        CHECK(key != NULL && line.value.ptr != NULL);
        CHECK(line.number > 0 && line.number <= reader.number);
        entries[count].line = line.number;
        entries[count++].key = span_make(key, line.key.len);
    }
    if (res == 0 || count == ENTRIES_MAX)
        return count;
    CHECK(res == -EINVAL && reader.what != NULL && reader.number > 0);
    return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t hash_key[2] = { 1, 2 };
    struct map_entry entries[ENTRIES_MAX] = { 0 };
    struct arena *arena = arena_create();
    struct regex_room *room = NULL;
    const struct map *map = NULL;
    struct map_fault fault;
    int count;

    CHECK(arena != NULL && regex_room_create(1000, &room) == 0);
    count =
        size > 0 ? read_entries(arena, span_make((const char *)data + 1, size - 1), entries) : -1;
    unsigned how = size > 0 ? data[0] & (MAP_ANY_CASE | MAP_HOSTNAMES) : 0;
    if (count >= 0 && map_make(arena, entries, (size_t)count, how, hash_key, &fault, &map) == 0) {
        for (int i = 0; i < count; i++) {
            struct span key = entries[i].key;
            struct captures captures;

            if (map_key_is_default(key) || map_regex_of(map, (size_t)i) != NULL)
                continue;
            /* ".a.b" is no name, but a name and all below it. */
            bool below = (how & MAP_HOSTNAMES) != 0 && key.len > 1 && key.ptr[0] == '.';
            if (below || (key.len > 0 && key.ptr[0] == '\\'))
                key = span_make(key.ptr + 1, key.len - 1);
            CHECK(map_find(map, room, key, &captures) == i && captures.count == 0);
        }
        int found = map_find(map, room, SPAN_LIT("/nobody/has/this"), NULL);
        CHECK(found == -E2BIG || found == MAP_NONE || (found >= 0 && found < count));
    } else if (count >= 0) {
        CHECK(fault.entry < (size_t)count && fault.what != NULL);
        CHECK(fault.first == SIZE_MAX || fault.first < fault.entry);
    }
    regex_room_destroy(room);
    arena_destroy(arena);
    return 0;
}
