/* test_glob.c: what each form matches, what is refused, and that nothing takes long. */
#include "match/glob.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct glob compile(struct arena *arena, const char *text)
{
    const char *what = "";
    struct glob glob = { .count = 0 };

    if (glob_compile(arena, text, &glob, &what) != 0)
        fail_msg("\"%s\" %s", text, what);
    return glob;
}

static void test_matches(void **state)
{
    /* The pattern, paths that it matches, NULL, paths that it does not. */
    static const char *const rows[][12] = {
        { "*.css", "/a.css", "/b/a.css", "/.css", "/a.css.css", NULL, "/a.css/", "/a.cssx",
          "/a.CSS" },
        { "*.{js,css}", "/a.js", "/a/b.css", NULL, "/a.{js,css}", "/a.j", "/js", "/a.js,css" },
        { "/posts/*", "/posts/a", "/posts/", NULL, "/posts/a/b", "/posts", "/x/posts/a" },
        { "/posts/**", "/posts/a", "/posts/", "/posts/a/b/c", NULL, "/posts", "/postsx/a" },
        { "/posts/**/x", "/posts/x", "/posts/a/x", "/posts/a/b/x", NULL, "/posts/ax", "/postsx",
          "/posts/a/bx" },
        { "**/x", "/x", "/a/b/x", NULL, "/ax", "/a/bx", "/x/" },
        { "/**", "/", "/a", "/a/b", NULL },
        { "/a**b/c", "/ab/c", "/axb/c", "/ax/yb/c", NULL, "/ab/b" },
        { "/**/a/**/b/**/c", "/a/b/c", "/x/a/y/z/b/c", NULL, "/ab/c", "/a/b", "/a/xb/c" },
        { "docs/*.html", "/docs/a.html", NULL, "/x/docs/a.html", "/docs/b/a.html" },
        { "a?c", "/abc", "/x/a.c", NULL, "/ac", "/a/c", "/abbc" },
        { "/a?c", "/abc", NULL, "/a/c", "/ac" },
        { "[a-c]x", "/ax", "/cx", NULL, "/dx", "/-x", "/aax" },
        { "[!a-c]x", "/dx", "/-x", NULL, "/ax", "/x" },
        { "[^a-c]x", "/dx", NULL, "/ax", "/x" },
        { "[]a]", "/]", "/a", NULL, "/b" },
        { "[a-]", "/-", "/a", NULL, "/b" },
        { "[\\]a-c]", "/]", "/b", NULL, "/\\" },
        { "v[[:digit:]_]", "/v1", "/v_", NULL, "/va", "/v" },
        { "[[:alnum:]][[:xdigit:]][[:upper:]][[:lower:]][[:alpha:]]", "/9fAaZ", NULL, "/9gAaZ",
          "/9faaZ" },
        { "/a[!x]b", "/a-b", NULL, "/a/b" },
        { "\\*", "/*", "/a/*", NULL, "/a", "/\\*" },
        { "a\\{b,c\\}", "/a{b,c}", NULL, "/ab" },
        { "[{]a,b}", "/{a,b}", NULL, "/a" },
        { "{a,b}", "/a", "/x/b", NULL, "/{a,b}", "/ab" },
        { "x{,y}", "/x", "/xy", NULL, "/xx" },
        { "{a{b,c},d}", "/ab", "/ac", "/d", NULL, "/a", "/ad" },
        { "{a,b}{1,2}", "/a1", "/b2", NULL, "/ab", "/12" },
        { "{a\\,b,c}", "/a,b", "/c", NULL, "/a" },
        { "{/a,b}/c", "/a/c", "/b/c", NULL, "/c", "/x/b/c" },
        { "{x}", "/x", NULL, "/{x}" },
        { "favicon.ico", "/favicon.ico", "/a/favicon.ico", NULL, "/faviconxico" },
        { "/favicon.ico", "/favicon.ico", NULL, "/a/favicon.ico", "/favicon.ico/" },
        { "*", "/", "/a", "/a/b", "/.x", NULL },
        { "***", "/", "/a", "/a/b", NULL },
        { "*a*a*b", "/aab", "/xayazb", NULL, "/ab", "/aabx" },
        { "\xc3\xa4*", "/\xc3\xa4x", NULL, "/\xc3" },
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct glob glob = compile(arena, rows[i][0]);
        bool wanted = true;

        for (size_t j = 1; j < ARRAY_LEN(rows[i]); j++) {
            if (rows[i][j] == NULL && !wanted)
                break;
            if (rows[i][j] == NULL)
                wanted = false;
            else if (glob_match(&glob, span_str(rows[i][j])) != wanted)
                fail_msg("\"%s\" and %s", rows[i][0], rows[i][j]);
        }
    }
    arena_destroy(arena);
}

static void test_refused(void **state)
{
    static const char *const rows[][2] = {
        { "", "is empty" },
        { "[a", "has a [ without its ]" },
        { "[", "has a [ without its ]" },
        { "[]", "has a [ without its ]" },
        { "[!]", "has a [ without its ]" },
        { "[a-", "has a [ without its ]" },
        { "[\\", "has a [ without its ]" },
        { "[a/b]", "has a '/' between [ and ]" },
        { "[b-a]", "has a range between [ and ] that ends before it begins" },
        { "{a", "has a { without its }" },
        { "{a,{b}", "has a { without its }" },
        { "{a,b\\}", "has a { without its }" },
        { "a\\", "ends with a backslash" },
        { "{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}", "has too many braces" },
        { "{1,2,3,4}{1,2,3,4}{1,2,3,4}{1,2,3,4}{1,2}",
          "has braces that make more than 256 patterns of it" },
    };
    struct arena *arena = arena_create();
    char longest[GLOB_TEXT_MAX + 2] = { 0 };
    struct glob glob;
    const char *what;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        what = "";
        assert_int_equal(glob_compile(arena, rows[i][0], &glob, &what), -EINVAL);
        assert_string_equal(what, rows[i][1]);
    }
    assert_int_equal(glob_compile(arena, "[[:odd:]]", &glob, &what), -EINVAL);
    assert_non_null(strstr(what, "a class that is none of"));
    memset(longest, '?', GLOB_TOKENS_MAX + 1);
    assert_int_equal(glob_compile(arena, longest, &glob, &what), -EINVAL);
    assert_non_null(strstr(what, "more than 256 characters"));
    memset(longest, 'a', GLOB_TEXT_MAX + 1);
    assert_int_equal(glob_compile(arena, longest, &glob, &what), -EINVAL);
    assert_string_equal(what, "is longer than 4096 octets");
    arena_destroy(arena);
}

static void test_literals(void **state)
{
    struct arena *arena = arena_create();

    (void)state;
    assert_int_equal(compile(arena, "*.css").literals, 4);
    assert_int_equal(compile(arena, "*.{css,js}").literals, 3); /* the least */
    assert_int_equal(compile(arena, "posts/**").literals, 7);   /* with the '/' before it */
    assert_int_equal(compile(arena, "**").literals, 0);
    assert_true(glob_is_one("a?") && glob_is_one("a\\b") && !glob_is_one("/a/b]"));
    arena_destroy(arena);
}

/* What takes those that go back and forth for ever: a path as long as any, and it takes as long as
 * all of its places that a byte can be at. */
static void test_hard_ones(void **state)
{
    struct arena *arena = arena_create();
    struct glob stars = compile(arena, "**a*a*a*a*a*a*a*a*a*b");
    struct glob segments = compile(arena, "/**/a/**/a/**/a/**/a/**/a/**/b");
    char path[4096];

    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    for (int i = 0; i < 20; i++)
        assert_false(glob_match(&stars, span_make(path, sizeof(path))));
    for (size_t i = 0; i < sizeof(path); i += 2)
        path[i] = '/';
    for (int i = 0; i < 20; i++)
        assert_false(glob_match(&segments, span_make(path, sizeof(path))));
    path[sizeof(path) - 1] = 'b';
    assert_true(glob_match(&segments, span_make(path, sizeof(path))));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_hard_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
