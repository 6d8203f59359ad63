/* test_map.c: which entry holds, and what makes no map. */
#include "match/map.c"

#include "tests/unit/regex_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint64_t hash_key[2] = { 5, 6 };
static struct map_fault fault;

/* A map of keys, up to NULL; NULL: it is refused. */
static const struct map *make(unsigned how, const char *const *keys)
{
    struct map_entry entries[32] = { 0 };
    const struct map *map = NULL;
    size_t count = 0;

    for (; keys[count] != NULL; count++)
        entries[count].key = span_str(keys[count]);
    int res = map_make(arena, entries, count, how, hash_key, &fault, &map);
    assert_true(res == 0 || res == -EINVAL);
    return res == 0 ? map : NULL;
}

static int find(const struct map *map, const char *text)
{
    struct captures captures;

    return map_find(map, room, span_str(text), &captures);
}

/* As nginx: the name, the longest below which it lies, the longest that it begins with,
 * expressions. */
static void test_hostnames(void **state)
{
    static const char *const keys[] = { "a.example",   "*.a.example", "*.b.a.example", ".c.example",
                                        "www.*",       "www.c.*",     "~^x",           "default",
                                        "*.Z.example", NULL };
    static const struct {
        const char *name;
        int found;
    } rows[] = {
        { "a.example", 0 },
        { "x.a.example", 1 },
        { "x.y.a.example", 1 },
        { "b.a.example", 1 },
        { "z.b.a.example", 2 },
        { "c.example", 3 },
        { "d.c.example", 3 },
        { "e.d.C.example", 3 },
        { "www.org", 4 },
        { "www.x.org", 4 },
        { "www.c.org", 5 },
        { "www.c.x.org", 5 },
        { "www.c.example", 3 },
        { "xa.example", 6 },
        { ".a.example", 7 },
        { "www.", 7 },
        { "www", 7 },
        { "", 7 },
        { ".", 7 },
        { "..", 7 },
        { "a.z.example", 8 },
        { "*.a.example", 1 },
        { ".c.example", 7 },
    };
    static const char *const twice[] = { "*.c.example", ".c.example", NULL };
    const struct map *map = make(MAP_ANY_CASE | MAP_HOSTNAMES, keys);
    char longest[MAP_KEY_MAX + 2];

    (void)state;
    assert_non_null(map);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (find(map, rows[i].name) != rows[i].found)
            fail_msg("%s: %d", rows[i].name, find(map, rows[i].name));
    }
    memset(longest, 'q', sizeof(longest));
    memcpy(longest + MAP_KEY_MAX - 10, ".a.example", 11);
    assert_int_equal(find(map, longest), 1);
    memcpy(longest + MAP_KEY_MAX - 9, ".a.example", 11);
    assert_int_equal(find(map, longest), 7);
    /* Without it they are texts. */
    map = make(0, keys);
    assert_int_equal(find(map, "x.a.example"), 6);
    assert_int_equal(find(map, ".c.example"), 3);
    assert_null(make(MAP_HOSTNAMES, twice));
    assert_int_equal(fault.entry, 1);
    assert_int_equal(fault.first, 0);
}

static void test_order(void **state)
{
    static const char *const keys[] = { "/a",        "~^/a", "default", "~*^/B(.*)$", "/b1",
                                        "\\default", "\\~x", "",        NULL };
    const struct map *map = make(false, keys);
    struct captures captures;

    (void)state;
    assert_non_null(map);
    assert_int_equal(find(map, "/a"), 0);
    assert_int_equal(find(map, "/A"), 2);
    assert_int_equal(find(map, "/ab"), 1);
    assert_int_equal(find(map, "/b1"), 4);
    assert_int_equal(map_find(map, room, SPAN_LIT("/b2"), &captures), 3);
    assert_true(span_eq(captures.groups[1], SPAN_LIT("2")));
    assert_int_equal(map_find(map, room, SPAN_LIT("/b1"), &captures), 4);
    assert_int_equal(captures.count, 0);
    assert_int_equal(find(map, "default"), 5);
    assert_int_equal(find(map, "~x"), 6);
    assert_int_equal(find(map, ""), 7);
    assert_int_equal(find(map, "else"), 2);
    assert_true(map_has_regex(map));
    assert_non_null(map_regex_of(map, 3));
    assert_null(map_regex_of(map, 0));
}

static void test_any_case(void **state)
{
    static const char *const keys[] = { "/Old/Page", "~^/X", NULL };
    static const char *const twice[] = { "/Old/Page", "/old/page", NULL };
    const struct map *map = make(true, keys);

    (void)state;
    assert_int_equal(find(map, "/OLD/page"), 0);
    assert_int_equal(find(map, "/x"), MAP_NONE); /* an expression says it itself: ~* */
    assert_null(make(true, twice));
    assert_int_equal(fault.entry, 1);
    assert_int_equal(fault.first, 0);
    assert_non_null(make(false, twice));
}

static void test_refusals(void **state)
{
    static const char *const rows[][4] = {
        { "/a", "/b", "/a", NULL },       { "default", "/a", "default", NULL },
        { "/a", "/b", "~(", NULL },       { "/a", "/b", "~", NULL },
        { "/a", "/b", "~*", NULL },       { "/a", "/b", "hostnames", NULL },
        { "/a", "/b", "volatile", NULL }, { "/a", "/b", "include", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (make(true, rows[i]) != NULL || fault.entry != 2 || fault.what == NULL)
            fail_msg("%s", rows[i][2]);
    }
}

static void test_nothing(void **state)
{
    static const char *const keys[] = { NULL };

    (void)state;
    assert_int_equal(find(make(true, keys), "/a"), MAP_NONE);
}

/* 100,000 keys: the way of all of them, and of as many that are not there. */
static void test_many(void **state)
{
    enum { COUNT = 100000 };
    struct map_entry *entries = calloc(COUNT, sizeof(entries[0]));
    char(*texts)[32] = calloc(COUNT, sizeof(texts[0]));
    const struct map *map = NULL;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        int len = snprintf(texts[i], sizeof(texts[i]), "/Old/Article-%d.html", i);

        entries[i].key = span_make(texts[i], (size_t)len);
    }
    assert_int_equal(map_make(arena, entries, COUNT, true, hash_key, &fault, &map), 0);
    for (int i = 0; i < COUNT; i++) {
        texts[i][1] = 'o';
        assert_int_equal(map_find(map, NULL, entries[i].key, NULL), i);
        texts[i][2] = '1';
        assert_int_equal(map_find(map, NULL, entries[i].key, NULL), MAP_NONE);
    }
    free(entries);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_hostnames, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_any_case, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_nothing, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_many, regex_setup, regex_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
