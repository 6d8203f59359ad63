/* test_available_dictionary.c: the field that names a dictionary. What a request gets for it:
 * wire/test_dictionaries. */
#include "http/available_dictionary.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LETTERS_43 "pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4" /* RFC 9842 section 2.2 */

static void test_good(void **state)
{
    static const char *const texts[] = { ":" LETTERS_43 "=:", " :" LETTERS_43 "=:\t",
                                         ":" LETTERS_43 ":" };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t hash[DELTA_HASH_SIZE] = { 0 };

        assert_true(http_available_dictionary_parse(span_str(texts[i]), hash));
        assert_int_equal(hash[0], 0xa5);
        assert_int_equal(hash[1], 0x91);
        assert_int_equal(hash[31], 0x6e);
    }
}

static void test_bad(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        "::",
        LETTERS_43 "=",
        ":" LETTERS_43 "=",
        LETTERS_43 "=:",
        ":" LETTERS_43 "==:",
        ":" LETTERS_43 "A:",
        ":" LETTERS_43 "=:;a",
        ":=" LETTERS_43 ":",
        ":" LETTERS_43 "=:,:" LETTERS_43 "=:",
        "::" LETTERS_43 "::",
        ":pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG-=:",
        ":pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fF==:",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t hash[DELTA_HASH_SIZE] = { 77 };

        if (http_available_dictionary_parse(span_str(texts[i]), hash))
            fail_msg("%s is taken", texts[i]);
        assert_int_equal(hash[0], 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
