/* test_regex.c: what is captured, what is refused, and where it is given up; compiled for the
 * processor and interpreted. */
#include "match/regex.c"

#include "tests/unit/regex_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct regex *made(const char *text, bool caseless)
{
    const struct regex *regex = NULL;
    char what[300] = "";

    if (regex_compile(arena, text, caseless, what, sizeof(what), &regex) != 0)
        fail_msg("\"%s\" %s", text, what);
    return regex;
}

static void assert_group(const struct captures *captures, unsigned group, const char *text)
{
    assert_true(captures->count == CAPTURES_MAX);
    if (!span_eq(captures->groups[group], span_str(text)))
        fail_msg("$%u is \"%.*s\", not \"%s\"", group, (int)captures->groups[group].len,
                 captures->groups[group].ptr, text);
}

static void test_captures(void **state)
{
    static const char *const ways[] = { "", "(*NO_JIT)" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct captures captures = { .count = 0 };
        char text[100];

        snprintf(text, sizeof(text), "%s^/old/([a-z]+)(?:-(\\d+))?$", ways[i]);
        const struct regex *regex = made(text, false);
        assert_int_equal(regex_groups(regex), 2);
        assert_int_equal(regex_match(regex, room, SPAN_LIT("/old/abc-12"), &captures), 1);
        assert_group(&captures, 0, "/old/abc-12");
        assert_group(&captures, 1, "abc");
        assert_group(&captures, 2, "12");
        assert_group(&captures, 3, "");
        assert_int_equal(regex_match(regex, room, SPAN_LIT("/old/abc"), &captures), 1);
        assert_group(&captures, 2, "");
        assert_int_equal(regex_match(regex, room, SPAN_LIT("/old/ABC"), NULL), 0);
        assert_int_equal(regex_match(regex, room, SPAN_LIT("/old/abc\n"), NULL), 0);
        assert_int_equal(regex_match(regex, room, SPAN_LIT("/new/abc"), NULL), 0);
        assert_int_equal(regex_match(regex, room, SPAN_LIT("/"), NULL), 0);
    }
    assert_int_equal(regex_match(made("^/OLD/", true), room, SPAN_LIT("/old/x"), NULL), 1);
    assert_false(regex_is_fast(made("(*NO_JIT)a", false)));
}

static void test_many_groups(void **state)
{
    struct captures captures;

    (void)state;
    const struct regex *regex = made("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(?<last>.)", false);
    assert_int_equal(regex_groups(regex), 12);
    assert_int_equal(regex_group_of(regex, "last"), 12);
    assert_int_equal(regex_group_of(regex, "first"), 0);
    assert_int_equal(regex_match(regex, room, SPAN_LIT("abcdefghijkl"), &captures), 1);
    assert_group(&captures, 9, "i");
}

/* What begins an expression is compared first: never what may be missing. */
static void test_heads(void **state)
{
    static const struct {
        const char *text, *head, *matched;
    } rows[] = {
        { "^/old/(a)", "/old/", "/old/a" },
        { "^/old?/", "/ol", "/ol/" },
        { "^/ab*", "/a", "/a" },
        { "^/ab{0}c", "/a", "/ac" },
        { "^/a\\.b$", "/a.b", "/a.b" },
        { "^/a\\-?b", "/a", "/ab" },
        { "^/a|^/b", "", "/b" },
        { "^/a(b|c)", "", "/ac" },
        { "/a", "", "/x/a" },
        { "^/a\\d", "/a", "/a1" },
        { "^", "", "/" },
        { "^/a\\", NULL, NULL },
    };
    struct span head;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows) && rows[i].head != NULL; i++) {
        const struct regex *regex = made(rows[i].text, false);

        head = regex->head;
        if (!span_eq(head, span_str(rows[i].head)))
            fail_msg("\"%s\": \"%.*s\"", rows[i].text, (int)head.len, head.ptr);
        assert_int_equal(regex_match(regex, room, span_str(rows[i].matched), NULL), 1);
    }
    assert_int_equal(made("^/a", true)->head.len, 0);
}

/* Expressions that take longer than the world lasts end, either way. */
static void test_bounds(void **state)
{
    static const char *const rows[] = { "^/(a+)+$", "(*NO_JIT)^/(a+)+$", "^/(?:a|aa)*[bc]$",
                                        "(*NO_JIT)^(.*)*(.*)*(.*)*[xy]$" };
    char path[4000];

    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '!';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int res = regex_match(made(rows[i], false), room, span_make(path, sizeof(path)), NULL);

        if (res != -E2BIG)
            fail_msg("\"%s\": %d", rows[i], res);
    }
    /* What is not that hard is within them. */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(regex_match(made("^/(?:[a-z]+/)*[^/]+\\.(?:jpg|png)!?$", false), room,
                                     span_make(path, sizeof(path)), NULL),
                         0);
}

static void test_refused(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "(a", ", at octet 3" },
        { "ab)", ", at octet 3" },
        { "(*UTF)a", ", at octet 7" },
        { "a[", ", at octet 3" },
    };
    char what[300], longest[REGEX_TEXT_MAX + 2] = { 0 };
    const struct regex *regex;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(regex_compile(arena, rows[i][0], false, what, sizeof(what), &regex),
                         -EINVAL);
        if (strcmp(what, "is empty") != 0 && /* the reason is PCRE2's */
            (strncmp(what, "is no regular expression: ", 26) != 0 ||
             strcmp(what + strlen(what) - strlen(rows[i][1]), rows[i][1]) != 0))
            fail_msg("\"%s\" %s", rows[i][0], what);
    }
    memset(longest, 'a', REGEX_TEXT_MAX + 1);
    assert_int_equal(regex_compile(arena, longest, false, what, sizeof(what), &regex), -EINVAL);
    memset(longest, '(', 60);
    memset(longest + 60, ')', 60);
    longest[120] = '\0';
    assert_int_equal(regex_compile(arena, longest, false, what, sizeof(what), &regex), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_captures, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_many_groups, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_heads, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_bounds, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_refused, regex_setup, regex_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
