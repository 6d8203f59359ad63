/* test_dictionary_names.c: which names are those of one file in two versions. */
#include "process/dictionary_names.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_match(void **state)
{
    static const struct {
        const char *old_name, *new_name;
        bool match;
    } rows[] = {
        { "index.html", "index.html", true },
        { "a", "a", true },
        { "app.3fa1c2.js", "app.9be0d1.js", true },         /* webpack */
        { "index-DiwrgTda.js", "index-B0x_k3-q.js", true }, /* Vite */
        { "index-DiwrgTda.js", "index-DiwxyTza.js", true }, /* letters in common */
        { "4bd1b696-182b6b13bdad92e3.js", "4bd1b696-9911f58e5d0ff6b4.js", true }, /* Next.js */
        { "main.1a2b3c4d.chunk.js", "main.9f8e7d6c.chunk.js", true },
        { "app-5QWERTYU.js.map", "app-7ABCDEFG.js.map", true }, /* esbuild */
        { "app.3fa1c2.js", "app.9be0d1.css", false },
        { "app.3fa1c2.js", "lib.9be0d1.js", false },
        { "3fa1c2d4.js", "9be0d172.js", false },     /* no name but the hash */
        { "app-header.js", "app-footer.js", false }, /* words */
        { "app-Header.js", "app-Footer.js", false },
        { "app.3fa1c2.js", "app.9be0d1a.js", false }, /* another length */
        { "a.1.js", "a.2.js", false },                /* too short */
        { "a.b", "a.c", false },
        { "", "", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (dictionary_names_match(rows[i].old_name, rows[i].new_name) != rows[i].match)
            fail_msg("%s, %s", rows[i].old_name, rows[i].new_name);
}

static void test_suits(void **state)
{
    static const char *const bad[] = { "", ".a", "a.gz", "a.js.br", "a.zst", "a.dcz", "a.dcb" };
    char name[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(dictionary_name_suits(bad[i]));
    assert_true(dictionary_name_suits("a"));
    assert_true(dictionary_name_suits("gz"));
    memset(name, 'x', sizeof(name));
    name[255 - DELTA_SUFFIX_LEN] = '\0';
    assert_true(dictionary_name_suits(name));
    name[255 - DELTA_SUFFIX_LEN] = 'x';
    name[255 - DELTA_SUFFIX_LEN + 1] = '\0';
    assert_false(dictionary_name_suits(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_suits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
