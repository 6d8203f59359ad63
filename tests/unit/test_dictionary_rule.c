/* test_dictionary_rule.c: elements of `use_as_dictionary`. */
#include "config/dictionary_rule.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_good(void **state)
{
    static const struct {
        const char *text, *pattern, *match, *dests;
    } rows[] = {
        { "/app.*.js", "/app.*.js", "/app.*.js", "" },
        { " /a*  match=/b?v=* ", "/a*", "/b?v=*", "" },
        { "*.html match=/:page/* dest=document,iframe", "*.html", "/:page/*", "document,iframe" },
        { "/x dest=script", "/x", "/x", "script" },
        { "/x[ab]{c,d} match=/x*", "/x[ab]{c,d}", "/x*", "" },
        { "/", "/", "/", "" },
        { "/caf%C3%A9/*", "/caf%C3%A9/*", "/caf%C3%A9/*", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dictionary_rule rule;

        assert_null(dictionary_rule_parse(rows[i].text, &rule));
        assert_true(span_eq(rule.pattern, span_str(rows[i].pattern)));
        assert_true(span_eq(rule.match, span_str(rows[i].match)));
        assert_true(span_eq(rule.dests, span_str(rows[i].dests)));
        assert_int_equal(rule.match_said, strstr(rows[i].text, "match=") != NULL);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *what;
    } rows[] = {
        { "", "is empty" },
        { "  ", "is empty" },
        { "*.js", "does not begin with '/'" },
        { "/a?.js", "more than *" },
        { "/a[12].js", "more than *" },
        { "/**.js", "has **" },
        { "/a match=", "does not begin" },
        { "/a match=b", "does not begin" },
        { "/a match=//other.example/a", "does not begin" },
        { "/a match=https://other.example/a", "does not begin" },
        { "/a match=/(.*)", "an expression" },
        { "/a match=/{b}?", "has one of" },
        { "/a match=/b\"", "has one of" },
        { "/a match=/b\\", "has one of" },
        { "/a match=/b#c", "has one of" },
        { "/a match=/*?", "has **" },
        { "/a match=/*+", "has **" },
        { "/caf\xc3\xa9", "that no URL has" },
        { "/a match=/b match=/c", "not one match" },
        { "/a dest=script dest=style", "not one match" },
        { "/a id=x", "not one match" },
        { "/a dest=", "no destination" },
        { "/a dest=script,", "no destination" },
        { "/a dest=,script", "no browser" },
        { "/a dest=Script", "no browser" },
        { "/a dest=script,page", "no browser" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *what = dictionary_rule_check(rows[i].text);

        if (what == NULL || strstr(what, rows[i].what) == NULL)
            fail_msg("%s: %s", rows[i].text, what != NULL ? what : "is taken");
    }
}

static void test_dests(void **state)
{
    struct span dests = SPAN_LIT("a,bc"), dest;

    (void)state;
    assert_true(dictionary_rule_next_dest(&dests, &dest));
    assert_true(span_eq(dest, SPAN_LIT("a")));
    assert_true(dictionary_rule_next_dest(&dests, &dest));
    assert_true(span_eq(dest, SPAN_LIT("bc")));
    assert_false(dictionary_rule_next_dest(&dests, &dest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_dests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
