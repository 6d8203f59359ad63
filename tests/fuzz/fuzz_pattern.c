/* fuzz_pattern.c: patterns and paths. Input: lines; the first is a path, each other one a pattern
 * with the byte of its kind before it. Whatever they are, a set of them says what each of them says
 * alone, and none takes long. */
#include "match/pattern_set.h"

#include "core/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATTERNS_MAX = 16, STEPS_MAX = 2000 };

struct patterns {
    struct pattern at[PATTERNS_MAX];
    const struct pattern *pointers[PATTERNS_MAX];
    size_t count;
};

static bool is_there(const struct patterns *patterns, const struct pattern *pattern)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (span_eq(patterns->at[i].text, pattern->text))
            return true;
    return false;
}

/* The configuration lets no such prefix through. */
static bool is_odd(struct span text)
{
    return memmem(text.ptr, text.len, "//", 2) != NULL;
}

static void add(struct arena *arena, struct patterns *patterns, struct span line)
{
    static const char *const words[] = { "", "=", "^~", "~", "~*" };
    char what[400], *text;
    struct pattern pattern;

    if (line.len == 0 || patterns->count == PATTERNS_MAX)
        return;
    const char *word = words[(uint8_t)line.ptr[0] % ARRAY_LEN(words)];
    text = arena_strndup(arena, line.ptr + 1, line.len - 1);
    CHECK(text != NULL);
    what[0] = '\0';
    if (pattern_compile(arena, word, text, what, sizeof(what), &pattern) != 0) {
        CHECK(what[0] != '\0');
        return;
    }
    if (is_there(patterns, &pattern) || is_odd(pattern.text))
        return;
    patterns->at[patterns->count] = pattern;
    patterns->pointers[patterns->count] = &patterns->at[patterns->count];
    patterns->count++;
}

/* A pattern that says that it captures has spans in the path. */
static void check_captures(const struct captures *captures, struct span path)
{
    for (unsigned i = 0; i < captures->count; i++) {
        struct span group = captures->groups[i];

        CHECK(group.len == 0 ||
              (group.ptr >= path.ptr && group.ptr + group.len <= path.ptr + path.len));
    }
}

/* The same as when each glob and expression is tried in turn, unless one of those that were left
 * out cannot be told within its bounds. */
static void check_in_turn(const struct patterns *patterns, struct regex_room *room,
                          struct span path, int found)
{
    int expression = PATTERN_NONE, glob = PATTERN_NONE;

    if (found == -E2BIG || (found >= 0 && patterns->at[found].kind == PATTERN_EXACT) ||
        (found >= 0 && patterns->at[found].kind == PATTERN_PREFIX_FIRM))
        return;
    for (size_t i = 0; i < patterns->count; i++) {
        const struct pattern *pattern = &patterns->at[i];
        bool regex = pattern_is_regex(pattern->kind);
        int matches;

        if (!regex && pattern->kind != PATTERN_GLOB)
            continue;
        matches = pattern_match(pattern, room, path, NULL);
        if (regex && matches == 1 && expression == PATTERN_NONE)
            expression = (int)i;
        if (!regex && matches == 1 &&
            (glob == PATTERN_NONE || pattern->glob.literals > patterns->at[glob].glob.literals))
            glob = (int)i;
    }
    if (expression != PATTERN_NONE || glob != PATTERN_NONE)
        CHECK(found == (expression != PATTERN_NONE ? expression : glob));
    else
        CHECK(found == PATTERN_NONE || pattern_is_prefix(patterns->at[found].kind));
}

static void check_found(const struct patterns *patterns, struct regex_room *room, struct span path,
                        int found)
{
    if (found >= 0)
        CHECK(pattern_match(patterns->pointers[found], room, path, NULL) == 1);
    for (size_t i = 0; i < patterns->count && found != -E2BIG; i++) {
        struct captures captures = { .count = 0 };
        const struct pattern *pattern = patterns->pointers[i];
        int matches = pattern_match(pattern, room, path, &captures);

        check_captures(&captures, path);
        if (matches == 1 && pattern->kind == PATTERN_EXACT)
            CHECK(found == (int)i);
        if (matches == 1) /* or another one */
            CHECK(found != PATTERN_NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct patterns patterns = { .count = 0 };
    struct arena *arena = arena_create();
    const struct pattern_set *set = NULL;
    struct captures captures = { .count = 0 };
    struct regex_room *room = NULL;
    struct span path = { "", 0 };
    bool is_path = true;

    CHECK(arena != NULL && regex_room_create(STEPS_MAX, &room) == 0);
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        struct span line = span_make(at, (size_t)((lf != NULL ? lf : end) - at));

        if (is_path)
            path = line;
        else
            add(arena, &patterns, line);
        is_path = false;
        at += line.len + (lf != NULL);
    }
    if (path.len > 0 && path.ptr[0] == '/') {
        CHECK(pattern_set_make(arena, patterns.pointers, patterns.count, &set) == 0);
        int found = pattern_set_find(set, room, path, &captures);
        CHECK(found >= PATTERN_NONE || found == -E2BIG);
        check_captures(&captures, path);
        check_found(&patterns, room, path, found);
        check_in_turn(&patterns, room, path, found);
    }
    regex_room_destroy(room);
    arena_destroy(arena);
    return 0;
}
