/* test_literals.c: what is read off expressions and globs, and that every path that one matches has
 * it. */
#include "match/literals.c"

#include "tests/unit/regex_fixture.h"

#include "match/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* "^a,b|x$": texts of each place, HEAD with ^ before them, TAIL with $ behind them. */
static const char *write_needs(const struct literal_needs *needs)
{
    static char text[4096];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < needs->count; i++) {
        for (size_t where = 0; where < LITERAL_AT_COUNT; where++) {
            const struct literals *literals = &needs->branches[i].at[where];

            if (literals_strength(literals) == 0)
                continue;
            for (size_t j = 0; j < literals->count; j++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%.*s%s",
                                        len > 0 ? " " : "", where == LITERAL_HEAD ? "^" : "",
                                        (int)literals->texts[j].len, literals->texts[j].ptr,
                                        where == LITERAL_TAIL ? "$" : "");
        }
    }
    return text;
}

static void test_expressions(void **state)
{
    static const struct {
        const char *text, *needs;
    } rows[] = {
        { "^/old/([a-z]+)$", "^/old/ /old/" },
        { "^/exact$", "^/exact /exact$ /exact" },
        { "\\.css$", ".css$ .css" },
        { "\\.(css|js)$", ".css$ .js$ .css .js" },
        { "\\.(jpe?g|png)$", ".jpeg$ .jpg$ .png$ .jpeg .jpg .png" },
        { "\\.[jt]s$", ".js$ .ts$ .js .ts" },
        { "^/(de|en)/.*\\.html$", "^/de/ ^/en/ .html$ .html" },
        { "/wp-admin", "/wp-admin" },
        { "^/a|\\.b$", "^/a /a .b$ .b" },
        { "(^|/)\\.git(/|$)", ".git/ .git /.git/ /.git" },
        { "^/x+y", "^/x /x" },
        { "^/xy*z", "^/x /x" },
        { "^/xy?z", "^/xyz ^/xz /xyz /xz" },
        { "^/(xy){2,}z", "^/xy /xy" },
        { "^/(xy){0,2}z", "^/ /" },
        { "(?i)^/Old/", "^/Old/ /Old/" },
        { "^(?!/api/).*\\.php$", ".php$ .php" },
        { "^/(?<year>[0-9]{4})/news", "^/ /news" },
        { "(?:one|two)three", "onethree twothree" },
        { "a\\d+bc", "bc" },
        { "^/[^/]+/feed/?$", "^/ /feed/$ /feed$ /feed" },
        { "[[:alpha:]]+-end", "-end" },
        { "[]x]yy", "yy" },
        /* of which nothing is known */
        { "^[a-z]+$", "" },
        { ".*", "" },
        { "", "" },
        { "a|", "a" }, /* one branch; the other has none */
        { "(?x) a b c", "" },
        { "(?m)^abc", "" },
        { "(?:abc", "" },
        { "abc(*ACCEPT)def", "" },
        { "abc\\Kdef", "" },
        { "(abc)\\1", "" },
        { "(?R)?abc", "" },
        { "\\Qabc\\E", "" },
        { "[[:<:]]abc", "" },
        { "[\\Q]\\E]abc", "" },
        { "a{,3}bc", "" },
        { "a{x}bc", "" },
        { "(?#c)abc", "" },
        { "(?(1)a|b)c", "" },
        { "\\x41bc", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct literal_needs needs;

        assert_int_equal(regex_literals(arena, rows[i].text, false, &needs), 0);
        assert_string_equal(write_needs(&needs), rows[i].needs);
    }
}

static void test_case(void **state)
{
    struct literal_needs needs;

    (void)state;
    assert_int_equal(regex_literals(arena, "caf\xe9-x", false, &needs), 0);
    assert_string_equal(write_needs(&needs), "caf\xe9-x");
    assert_int_equal(regex_literals(arena, "caf\xe9-x", true, &needs), 0);
    assert_string_equal(write_needs(&needs), "caf"); /* what else \xe9 is, a locale knows */
}

static void test_globs(void **state)
{
    static const struct {
        const char *text, *needs;
    } rows[] = {
        { "*.css", ".css$" },
        { "*.{css,js}", ".css$ .js$" },
        { "robots.txt", "/robots.txt$" },
        { "logo-*", "/logo-" },
        { "/p1/*.txt", "^/p1/ .txt$" },
        { "/a/*/feed/**", "^/a/ /feed/" },
        { "**/cache/**", "^/ cache/" },
        { "a?c*", "/a" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct literal_needs needs;
        struct pattern pattern;
        char what[300] = "";

        assert_int_equal(pattern_compile(arena, "", rows[i].text, what, sizeof(what), &pattern), 0);
        assert_int_equal(pattern_literals(arena, &pattern, &needs), 0);
        assert_string_equal(write_needs(&needs), rows[i].needs);
    }
}

/* Of what is long, parts are kept; of what has many branches, nothing. */
static void test_bounds(void **state)
{
    char text[REGEX_TEXT_MAX + 1] = "^/";
    struct literal_needs needs;

    (void)state;
    memset(text + 2, 'x', 300);
    strcpy(text + 302, "yz$");
    assert_int_equal(regex_literals(arena, text, false, &needs), 0);
    assert_int_equal(needs.count, 1);
    for (size_t where = 0; where < LITERAL_AT_COUNT; where++) {
        assert_int_equal(needs.branches[0].at[where].count, 1);
        assert_int_equal(needs.branches[0].at[where].texts[0].len, LITERAL_LEN_MAX);
    }
    assert_memory_equal(needs.branches[0].at[LITERAL_HEAD].texts[0].ptr, "/xxx", 4);
    assert_memory_equal(needs.branches[0].at[LITERAL_TAIL].texts[0].ptr + LITERAL_LEN_MAX - 3,
                        "xyz", 3);
    /* 81 texts: the first 27, then nothing more of them */
    assert_int_equal(regex_literals(arena, "^[abc][abc][abc][abc]d$", false, &needs), 0);
    assert_int_equal(needs.branches[0].at[LITERAL_HEAD].count, 27);
    /* A text of nothing but groups takes no time that it matters. */
    memset(text, '\0', sizeof(text));
    for (size_t i = 0; i + 6 < sizeof(text); i += 6)
        memcpy(text + i, "[ab]c?", 6);
    assert_int_equal(regex_literals(arena, text, false, &needs), 0);
    assert_int_equal(needs.count, 1);
}

/* ---- what matches has what is demanded ---- */

static uint64_t drawn;

static uint32_t draw(uint32_t below)
{
    drawn = drawn * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(drawn >> 33) % below;
}

static const char *const pieces[] = {
    "a",           "b",         "A",       "ab",       "/",       "\\.",    ".",      "[ab]",
    "[^a]",        "\\d",       "a?",      "b*",       "(?:ab)+", "a{2}",   "b{0,1}", "(a|b)",
    "(a|bb)",      "(/|^)",     "(b|$)",   "(?i)",     "(?=a)",   "(?!b)",  "(?<=/)", "\\b",
    "[[:alpha:]]", "(a(b|/)?)", "|",       "^",        "$",       "(?:a|)", "\\w",    "[]a]",
    "(?<n>ba)",    "\\K",       "\\Qa\\E", "(?>ab|a)", "(?i:B)",  "+",      "[b-]",   "\\/",
    "[/\\]a]",     "-",         "(?x: a)", "(?s).",    "\xe9",
};

static void draw_expression(char *text)
{
    *text = '\0';
    if (draw(2) == 0)
        strcpy(text, "^/");
    for (unsigned i = 0, count = 1 + draw(6); i < count; i++)
        strcat(text, pieces[draw(ARRAY_LEN(pieces))]);
    if (draw(3) == 0)
        strcat(text, "$");
}

static bool is_there(struct span path, enum literal_at where, struct span text)
{
    if (text.len > path.len)
        return false;
    for (size_t i = 0; i <= path.len - text.len; i++) {
        bool fits =
            where == LITERAL_INSIDE || i == (where == LITERAL_HEAD ? 0 : path.len - text.len);

        if (fits && strncasecmp(path.ptr + i, text.ptr, text.len) == 0)
            return true;
    }
    return false;
}

static bool branch_holds(const struct literal_branch *branch, struct span path)
{
    for (enum literal_at where = 0; where < LITERAL_AT_COUNT; where++) {
        const struct literals *literals = &branch->at[where];
        bool some = literals->count == 0;

        for (size_t i = 0; i < literals->count && !some; i++)
            some = is_there(path, where, literals->texts[i]);
        if (!some)
            return false;
    }
    return true;
}

static bool needs_hold(const struct literal_needs *needs, struct span path)
{
    bool some = needs->count == 0;

    for (size_t i = 0; i < needs->count && !some; i++)
        some = branch_holds(&needs->branches[i], path);
    return some;
}

static void test_needs_hold(void **state)
{
    size_t matched = 0, known = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char text[200], path[12], what[300];
        struct arena *own = arena_create();
        struct literal_needs needs;
        struct pattern pattern;

        drawn = round;
        draw_expression(text);
        if (pattern_compile(own, draw(3) == 0 ? "~*" : "~", text, what, sizeof(what), &pattern) ==
            0) {
            assert_int_equal(pattern_literals(own, &pattern, &needs), 0);
            known += needs.count > 0;
            for (unsigned i = 0; i < 60; i++) {
                size_t len = 1 + draw(8);

                path[0] = '/';
                for (size_t at = 1; at < len; at++)
                    path[at] = "abAB/.-\xe9\n0]"[draw(11)];
                if (pattern_match(&pattern, room, span_make(path, len), NULL) != 1)
                    continue;
                matched++;
                if (!needs_hold(&needs, span_make(path, len)))
                    fail_msg("round %u: %s matches %.*s, and needs %s", round, text, (int)len, path,
                             write_needs(&needs));
            }
        }
        arena_destroy(own);
    }
    assert_true(matched > 20000);
    assert_true(known > 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_expressions, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_case, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_globs, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_bounds, regex_setup, regex_teardown),
        cmocka_unit_test_setup_teardown(test_needs_hold, regex_setup, regex_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
