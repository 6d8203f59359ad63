/* test_listing_query.c: what a listing takes of a query, and what it leaves. */
#include "http/listing_query.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        const char *query;
        enum dir_key key;
        bool descending, preview;
    } cases[] = {
        { "", DIR_BY_NAME, false, false },
        { "?", DIR_BY_NAME, false, false },
        { "?&;&", DIR_BY_NAME, false, false },
        { "?sort=size", DIR_BY_SIZE, false, false },
        { "?sort=time&order=desc", DIR_BY_TIME, true, false },
        { "?order=desc", DIR_BY_NAME, true, false },
        { "?sort=size&order=desc&preview=on", DIR_BY_SIZE, true, true },
        { "?C=S;O=D", DIR_BY_SIZE, true, false },
        { "?C=M&O=A", DIR_BY_TIME, false, false },
        { "?sort=size&sort=time", DIR_BY_TIME, false, false },
        { "?sort=sizes&xsort=size&sort=&order", DIR_BY_NAME, false, false },
        { "?sort=namedirfirst&order=asc", DIR_BY_NAME, false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_listing_form form = { .key = DIR_BY_NAME };

        http_listing_query(span_str(cases[i].query), &form);
        assert_int_equal(form.key, cases[i].key);
        assert_int_equal(form.descending, cases[i].descending);
        assert_int_equal(form.preview, cases[i].preview);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
