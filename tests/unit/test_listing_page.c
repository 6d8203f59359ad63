/* test_listing_page.c: templates of listings that are taken, and those that are refused, with their
 * line. */
#include "config/listing_page.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int parse_text(struct arena *arena, const char *text, struct listing_page **ret_page,
                      int *ret_line, char *why)
{
    why[0] = '\0';
    return listing_page_parse(arena, span_str(text), ret_page, ret_line, why, 256);
}

static void test_steps(void **state)
{
    struct arena *arena = arena_create();
    struct listing_page *page = NULL;
    char why[256];
    int line = 0;

    (void)state;
    assert_int_equal(parse_text(arena,
                                "a{{ path }}{{! no\nmatter }}b{{#entries}}<{{href}}{{^folder}}"
                                "f{{/folder}}>{{/entries}}{",
                                &page, &line, why),
                     0);
    static const struct {
        enum listing_step_kind kind;
        enum listing_name name;
        const char *text;
        unsigned end;
    } steps[] = {
        { LISTING_TEXT, 0, "a", 0 },
        { LISTING_VALUE, LISTING_PATH, NULL, 0 },
        { LISTING_TEXT, 0, "b", 0 },
        { LISTING_BEGIN, LISTING_ENTRIES, NULL, 11 },
        { LISTING_TEXT, 0, "<", 0 },
        { LISTING_VALUE, LISTING_HREF, NULL, 0 },
        { LISTING_BEGIN, LISTING_FOLDER, NULL, 9 },
        { LISTING_TEXT, 0, "f", 0 },
        { LISTING_END, LISTING_FOLDER, NULL, 0 },
        { LISTING_TEXT, 0, ">", 0 },
        { LISTING_END, LISTING_ENTRIES, NULL, 0 },
        { LISTING_TEXT, 0, "{", 0 },
    };
    assert_int_equal(page->count, sizeof(steps) / sizeof(steps[0]));
    for (size_t i = 0; i < page->count; i++) {
        assert_int_equal(page->steps[i].kind, steps[i].kind);
        if (steps[i].kind == LISTING_TEXT)
            assert_true(span_eq(page->steps[i].text, span_str(steps[i].text)));
        else
            assert_int_equal(page->steps[i].name, steps[i].name);
        assert_int_equal(page->steps[i].end, steps[i].end);
    }
    assert_true(page->steps[6].inverted && !page->steps[3].inverted);
    arena_destroy(arena);
}

#define ENTRIES "{{#entries}}{{/entries}}"

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *why;
    } cases[] = {
        { "", 1, "{{#entries}} ... {{/entries}} is missing" },
        { "\n\n{{nothing}}" ENTRIES, 3, "{{nothing}} is no placeholder" },
        { "{{}}" ENTRIES, 1, "{{}} is no placeholder" },
        { "\n{{name}}" ENTRIES, 2, "{{name}} has no value here" },
        { "{{#entries}}\n{{path}}{{/entries}}", 2, "{{path}} has no value here" },
        { "{{#entries}}{{#entries}}{{/entries}}{{/entries}}", 1, "that may stand here" },
        { ENTRIES "\n" ENTRIES, 2, "a second time" },
        { ENTRIES "{{#readme}}\n", 2, "{{#readme}} is never closed" },
        { ENTRIES "\n{{/readme}}", 2, "{{/readme}} ends no section; open here: none" },
        { "{{#entries}}{{/readme}}", 1, "open here: entries" },
        { "{{^entries}}{{/entries}}", 1, "{{#empty}}" },
        { ENTRIES "\n{{ path }", 2, "never closed by }}" },
        { "{{#folder}}{{/folder}}" ENTRIES, 1, "that may stand here" },
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct listing_page *page = NULL;
        char why[256];
        int line = 0;

        assert_int_equal(parse_text(arena, cases[i].text, &page, &line, why), -EINVAL);
        if (strstr(why, cases[i].why) == NULL || line != cases[i].line)
            fail_msg("%s: %d: %s", cases[i].text, line, why);
    }
    arena_destroy(arena);
}

static void test_bounds(void **state)
{
    struct arena *arena = arena_create();
    struct listing_page *page = NULL;
    char *text = malloc(LISTING_PAGE_MAX + 2), why[256];
    size_t len;
    int line = 0;

    (void)state;
    memset(text, 'x', LISTING_PAGE_MAX + 1);
    memcpy(text, ENTRIES, strlen(ENTRIES));
    text[LISTING_PAGE_MAX + 1] = '\0';
    assert_int_equal(parse_text(arena, text, &page, &line, why), -EINVAL);
    text[LISTING_PAGE_MAX] = '\0';
    assert_int_equal(parse_text(arena, text, &page, &line, why), 0);
    len = (size_t)sprintf(text, "{{#entries}}%0*d{{/entries}}", LISTING_ENTRY_TEXT_MAX + 1, 0);
    assert_int_equal(parse_text(arena, text, &page, &line, why), -EINVAL);
    assert_non_null(strstr(why, "of text"));
    len = (size_t)sprintf(text, "{{#entries}}");
    for (int i = 0; i <= LISTING_VALUES_MAX; i++)
        len += (size_t)sprintf(text + len, "{{name}}");
    sprintf(text + len, "{{/entries}}");
    assert_int_equal(parse_text(arena, text, &page, &line, why), -EINVAL);
    assert_non_null(strstr(why, "values"));
    for (len = 0; len < 17 * 12; len += 12)
        memcpy(text + len, "{{#preview}}", 12);
    text[len] = '\0';
    assert_int_equal(parse_text(arena, text, &page, &line, why), -EINVAL);
    assert_non_null(strstr(why, "deep"));
    free(text);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
