/* test_pattern_set.c: the rule, held against one that looks at each pattern in turn. */
#include "match/pattern_set.c"

#include "tests/unit/regex_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { PATTERNS_MAX = 64 };

static struct pattern patterns[PATTERNS_MAX];
static const struct pattern *pointers[PATTERNS_MAX];
static size_t count;

static int setup(void **state)
{
    count = 0;
    return regex_setup(state);
}

static void add_pattern(const char *word, const char *text)
{
    char what[300] = "";

    if (pattern_compile(arena, word, text, what, sizeof(what), &patterns[count]) != 0)
        fail_msg("%s \"%s\" %s", word, text, what);
    pointers[count] = &patterns[count];
    count++;
}

static const struct pattern_set *make(void)
{
    const struct pattern_set *set = NULL;

    assert_int_equal(pattern_set_make(arena, pointers, count, &set), 0);
    return set;
}

/* As the header has it, word by word. */
static int plain_find(struct span path)
{
    int prefix = PATTERN_NONE, glob = PATTERN_NONE;

    for (size_t i = 0; i < count; i++) {
        if (patterns[i].kind == PATTERN_EXACT && span_eq(patterns[i].text, path))
            return (int)i;
        if (!pattern_is_prefix(patterns[i].kind) || !pattern_match(&patterns[i], NULL, path, NULL))
            continue;
        if (prefix == PATTERN_NONE || patterns[i].text.len > patterns[prefix].text.len)
            prefix = (int)i;
    }
    if (prefix != PATTERN_NONE && patterns[prefix].kind == PATTERN_PREFIX_FIRM)
        return prefix;
    for (size_t i = 0; i < count; i++) {
        if (pattern_is_regex(patterns[i].kind) && pattern_match(&patterns[i], room, path, NULL) > 0)
            return (int)i;
        if (patterns[i].kind == PATTERN_GLOB && pattern_match(&patterns[i], NULL, path, NULL) > 0 &&
            (glob == PATTERN_NONE || patterns[i].glob.literals > patterns[glob].glob.literals))
            glob = (int)i;
    }
    /* Not before all of them are seen: an expression behind a glob wins. */
    return glob != PATTERN_NONE ? glob : prefix;
}

static void test_rule(void **state)
{
    static const struct {
        const char *path;
        int index;
    } rows[] = {
        { "/", 0 },
        { "/x", 0 },
        { "/a/b", 1 },
        { "/a", 1 },
        { "/ab", 0 },
        { "/a/b/c", 2 },
        { "/a/x", 3 },
        { "/a/x/", 1 },
        { "/f/a.css", 4 },
        { "/f", 4 },
        { "/a/a.css", 5 },
        { "/a.CSS", 7 },
        { "/a/a.min.css", 5 },
        { "/a/y.js", 6 },
        { "/a/z.jsx", 1 },
        { "/old/12", 8 },
    };
    struct captures captures = { .count = 7 };

    (void)state;
    add_pattern("", "/");
    add_pattern("", "/a/");
    add_pattern("", "/a/b/c/");
    add_pattern("=", "/a/x");
    add_pattern("^~", "/f/");
    add_pattern("", "*.css");
    add_pattern("", "/a/*.js");
    add_pattern("~*", "\\.CSS$|nothing");
    add_pattern("~", "^/old/([0-9]+)$");
    const struct pattern_set *set = make();
    assert_true(pattern_set_has_regex(set));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span path = span_str(rows[i].path);
        int wanted = rows[i].index == 5 ? 7 : rows[i].index; /* the expression is for all case */
        int found = pattern_set_find(set, room, path, &captures);

        if (found != wanted)
            fail_msg("%s: %d", rows[i].path, found);
        assert_int_equal(captures.count != 0, found >= 7);
    }
    assert_true(span_eq(captures.groups[1], SPAN_LIT("12")));
}

static void test_globs(void **state)
{
    (void)state;
    add_pattern("", "*.html");
    add_pattern("", "*.css");
    add_pattern("", "*a.css");
    add_pattern("", "?.css"); /* as many literals as the second */
    const struct pattern_set *set = make();
    assert_false(pattern_set_has_regex(set));
    assert_int_equal(pattern_set_find(set, NULL, SPAN_LIT("/a.css"), NULL), 2);
    assert_int_equal(pattern_set_find(set, NULL, SPAN_LIT("/b.css"), NULL), 1);
    assert_int_equal(pattern_set_find(set, NULL, SPAN_LIT("/b.txt"), NULL), PATTERN_NONE);
}

static void test_bounds(void **state)
{
    char path[3000];

    (void)state;
    add_pattern("", "/");
    add_pattern("=", "/x");
    add_pattern("~", "^/(a+)+$");
    const struct pattern_set *set = make();
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '!';
    assert_int_equal(pattern_set_find(set, room, span_make(path, sizeof(path)), NULL), -E2BIG);
    assert_int_equal(pattern_set_find(set, room, SPAN_LIT("/x"), NULL), 1); /* is not asked */
}

static void test_none(void **state)
{
    (void)state;
    const struct pattern_set *set = make();
    assert_int_equal(pattern_set_find(set, NULL, SPAN_LIT("/"), NULL), PATTERN_NONE);
}

/* Paths and patterns of few characters, so that they meet. */
static uint64_t drawn;

static uint32_t draw(uint32_t below)
{
    drawn = drawn * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(drawn >> 33) % below;
}

static void draw_path(char *text, size_t max, const char *of)
{
    size_t len = draw((uint32_t)max);

    *text++ = '/';
    while (len-- > 0)
        *text++ = of[draw((uint32_t)strlen(of))];
    *text = '\0';
}

static bool is_known(const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(patterns[i].text.ptr, text) == 0)
            return true;
    }
    return false;
}

static void test_against_plain(void **state)
{
    static const char *const words[] = { "", "", "^~", "=", "~" };
    size_t found_some = 0;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        char text[40];

        drawn = round;
        count = 0;
        for (unsigned i = 0; i < 20; i++) {
            const char *word = words[draw(ARRAY_LEN(words))];

            draw_path(text, 6, word[0] == '\0' && draw(2) == 0 ? "ab/*?" : "ab/");
            if (word[0] == '^' || draw(2) == 0)
                strcat(text, "/");
            if (!is_known(text) && strstr(text, "//") == NULL) /* paths are without */
                add_pattern(word, text);
        }
        const struct pattern_set *set = make();
        for (unsigned i = 0; i < 300; i++) {
            struct span path;

            draw_path(text, 9, "ab/");
            path = span_str(text);
            if (pattern_set_find(set, room, path, NULL) != plain_find(path))
                fail_msg("round %u: %s: %d, not %d", round, text,
                         pattern_set_find(set, room, path, NULL), plain_find(path));
            found_some += plain_find(path) != PATTERN_NONE;
        }
    }
    assert_true(found_some > 10000);
}

static const char *const regex_pieces[] = { "a",       "b",      "ab",    "/",    "\\.",
                                            ".*",      "[ab]",   "a?",    "b+",   "(a|b)",
                                            "(?:/|$)", "(b|a/)", "^",     "$",    "|",
                                            "(?i)",    "c",      "[^/]+", "(?!a)" };

static const char *const glob_pieces[] = { "a", "b",  "ab", "/",     "*",      "**",  "?",
                                           ".", ".c", "c",  "{a,b}", "{/a,c}", "[ab]" };

static void draw_of(char *text, const char *const *pieces, size_t pieces_count)
{
    *text = '\0';
    for (unsigned i = 0, all = 1 + draw(5); i < all; i++)
        strcat(text, pieces[draw((uint32_t)pieces_count)]);
}

/* Every pattern that matches alone is among them, and their order is the rule's. */
static void check_all(const struct pattern_set *set, struct span path)
{
    struct pattern_hit hits[PATTERNS_MAX];
    int found = pattern_set_find_all(set, room, path, hits, ARRAY_LEN(hits)), wanted = 0;

    for (size_t i = 0; i < count; i++)
        wanted += pattern_match(&patterns[i], room, path, NULL) == 1;
    assert_int_equal(found, wanted);
    for (int i = 0; i < found; i++) {
        assert_int_equal(pattern_match(&patterns[hits[i].index], room, path, NULL), 1);
        assert_true(i == 0 || hits[i].rank > hits[i - 1].rank);
    }
}

/* Sets of many globs and expressions, which are not all tried, against trying each. */
static void test_prefiltered(void **state)
{
    size_t found_some = 0, left_out = 0;

    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        struct arena *whole = arena;

        drawn = 1000 + round;
        count = 0;
        arena = arena_create();
        for (unsigned i = 0, all = 4 + draw(PATTERNS_MAX - 4); i < all; i++) {
            char text[80] = "", what[300];
            unsigned kind = draw(4);
            const char *word = kind < 2 ? "" : kind == 2 ? "~" : "~*";

            if (word[0] != '\0') {
                strcpy(text, draw(2) == 0 ? "^/" : "");
                draw_of(text + strlen(text), regex_pieces, ARRAY_LEN(regex_pieces));
                strcat(text, draw(3) == 0 ? "$" : "");
            } else {
                draw_of(text, glob_pieces, ARRAY_LEN(glob_pieces));
            }
            if (is_known(text) || strstr(text, "//") != NULL ||
                pattern_compile(arena, word, text, what, sizeof(what), &patterns[count]) != 0)
                continue;
            pointers[count] = &patterns[count];
            count++;
        }
        const struct pattern_set *set = make();
        if (set->prefilter != NULL)
            left_out += set->regexes + set->globs - prefilter_always(set->prefilter);
        for (unsigned i = 0; i < 200; i++) {
            struct captures captures = { .count = 7 };
            char text[12];

            draw_path(text, 9, "abABc/.c");
            int wanted = plain_find(span_str(text));
            int found = pattern_set_find(set, room, span_str(text), &captures);
            if (found != wanted)
                fail_msg("round %u: %s: %d, not %d", round, text, found, wanted);
            assert_int_equal(captures.count != 0,
                             found >= 0 && pattern_is_regex(patterns[found].kind));
            found_some += found != PATTERN_NONE;
            check_all(set, span_str(text));
        }
        arena_destroy(arena);
        arena = whole;
    }
    assert_true(found_some > 20000);
    assert_true(left_out > 4000);
}

/* A path with more literals than can be followed: all patterns are tried, as ever. */
static void test_many_literals(void **state)
{
    char text[40], path[40 * 8] = "";

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "/n%u/.*=%u$", i, i);
        add_pattern("~", text);
        snprintf(path + strlen(path), sizeof(path) - strlen(path), "/n%u/", i);
    }
    const struct pattern_set *set = make();
    assert_int_equal(prefilter_always(set->prefilter), 0);
    strcat(path, "=39");
    assert_int_equal(pattern_set_find(set, room, span_str(path), NULL), 39);
    assert_int_equal(pattern_set_find(set, room, SPAN_LIT("/n7/=7"), NULL), 7);
    /* What begins with no slash is no path, but may be asked for. */
    assert_int_equal(pattern_set_find(set, room, SPAN_LIT("x/n7/=7"), NULL), 7);
    assert_int_equal(pattern_set_find(set, room, span_make("", 0), NULL), PATTERN_NONE);
}

/* Every pattern that matches alone is found, in the order in which one is chosen, backwards. */
static void test_all(void **state)
{
    static const char *const order[] = { "/",        "/a/", "/a/b/", "*",       "*.c",
                                         "/a/b/*.c", "c$",  "b",     "/a/b/x.c" };
    struct pattern_hit hits[16];

    (void)state;
    add_pattern("=", "/a/b/x.c");
    add_pattern("", "/a/b/");
    add_pattern("", "*.c");
    add_pattern("~", "b");
    add_pattern("", "/");
    add_pattern("", "/a/b/*.c");
    add_pattern("~", "c$");
    add_pattern("", "/a/");
    add_pattern("", "*");
    add_pattern("", "/b/");
    add_pattern("", "/a/b/x.c/d/");

    const struct pattern_set *set = make();
    int found = pattern_set_find_all(set, room, SPAN_LIT("/a/b/x.c"), hits, ARRAY_LEN(hits));

    assert_int_equal(found, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_string_equal(patterns[hits[i].index].text.ptr, order[i]);
        assert_true(i == 0 || hits[i].rank > hits[i - 1].rank);
    }
    assert_int_equal(pattern_set_find_all(set, room, SPAN_LIT("/a/b/x.c"), hits, 8), -E2BIG);
    assert_int_equal(pattern_set_find_all(set, room, SPAN_LIT("/a/b/"), hits, 16), 5);
    assert_int_equal(pattern_set_find_all(set, room, SPAN_LIT("/a/b"), hits, 16), 5);
    assert_int_equal(pattern_set_find_all(set, room, SPAN_LIT("/a/b/x.c/d"), hits, 16), 6);
    add_pattern("^~", "/a/b/x/");
    found = pattern_set_find_all(make(), room, SPAN_LIT("/a/b/x/y.c"), hits, ARRAY_LEN(hits));
    assert_int_equal(found, 4);
    assert_string_equal(patterns[hits[3].index].text.ptr, "/a/b/x/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rule, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_all, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_globs, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_none, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_against_plain, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_prefiltered, setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_many_literals, setup, regex_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
