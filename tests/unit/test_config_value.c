/* test_config_value.c: numbers with units, there and back. */
#include "config/config_value.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct row {
    const char *text;
    int res;
    uint64_t value;
};

static void check(int (*parse)(const char *, uint64_t *), const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 4711; /* untouched on failure */

        if (parse(rows[i].text, &value) != rows[i].res ||
            value != (rows[i].res == 0 ? rows[i].value : 4711))
            fail_msg("\"%s\" gave %" PRIu64, rows[i].text, value);
    }
}

static void test_count(void **state)
{
    static const struct row rows[] = {
        { "0", 0, 0 },
        { "007", 0, 7 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "99999999999999999999999", -ERANGE, 0 },
        { "99999999999999999999999x", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "+1", -EINVAL, 0 },
        { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },
        { "0x10", -EINVAL, 0 },
        { "1k", -EINVAL, 0 },
        { "1.5", -EINVAL, 0 },
    };

    (void)state;
    check(config_count_parse, rows, ARRAY_LEN(rows));
}

static void test_size(void **state)
{
    static const struct row rows[] = {
        { "0", 0, 0 },
        { "0k", 0, 0 },
        { "1023", 0, 1023 },
        { "16k", 0, 16384 },
        { "16K", 0, 16384 },
        { "1m", 0, 1048576 },
        { "2g", 0, UINT64_C(2) << 30 },
        { "3T", 0, UINT64_C(3) << 40 },
        { "16777215t", 0, UINT64_C(16777215) << 40 },
        { "16777216t", -ERANGE, 0 },
        { "99999999999999999999k", -ERANGE, 0 },
        { "k", -EINVAL, 0 },
        { "1kb", -EINVAL, 0 },
        { "1 k", -EINVAL, 0 },
        { "1kk", -EINVAL, 0 },
        { "-1k", -EINVAL, 0 },
        { "1s", -EINVAL, 0 },
        { "", -EINVAL, 0 },
    };

    (void)state;
    check(config_size_parse, rows, ARRAY_LEN(rows));
}

static void test_duration(void **state)
{
    static const struct row rows[] = {
        { "0", 0, 0 },
        { "500ms", 0, 500 },
        { "10s", 0, 10000 },
        { "1m", 0, 60000 },
        { "2h", 0, 7200000 },
        { "1d", 0, 86400000 },
        { "1y", 0, UINT64_C(365) * 86400000 },
        { "10", -EINVAL, 0 },
        { "10S", -EINVAL, 0 },
        { "1.5s", -EINVAL, 0 },
        { "s", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { "1h30m", -EINVAL, 0 },
        { "600000000y", -ERANGE, 0 },
    };

    (void)state;
    check(config_duration_parse, rows, ARRAY_LEN(rows));
}

static void test_bool(void **state)
{
    static const char *const bad[] = { "", "ON", "yes", "true", "1", "on ", "offf" };
    bool on = false;

    (void)state;
    assert_int_equal(config_bool_parse("on", &on), 0);
    assert_true(on);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(config_bool_parse(bad[i], &on), -EINVAL);
    assert_true(on);
    assert_int_equal(config_bool_parse("off", &on), 0);
    assert_false(on);
}

static void test_format(void **state)
{
    static const uint64_t values[] = { 0,
                                       1,
                                       999,
                                       1000,
                                       1024,
                                       60000,
                                       86400000,
                                       1 << 20,
                                       UINT64_MAX,
                                       (uint64_t)UINT32_MAX * 1000,
                                       UINT64_C(365) * 86400000 };
    char text[CONFIG_VALUE_TEXT_MAX];

    (void)state;
    config_size_format(65536, text);
    assert_string_equal(text, "64k");
    config_size_format(1000, text);
    assert_string_equal(text, "1000");
    config_duration_format(60000, text);
    assert_string_equal(text, "1m");
    config_duration_format(61000, text);
    assert_string_equal(text, "61s");
    config_duration_format(0, text);
    assert_string_equal(text, "0");
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        uint64_t back = ~values[i];

        config_size_format(values[i], text);
        assert_int_equal(config_size_parse(text, &back), 0);
        assert_true(back == values[i]);
        back = ~values[i];
        config_duration_format(values[i], text);
        assert_int_equal(config_duration_parse(text, &back), 0);
        assert_true(back == values[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),    cmocka_unit_test(test_size),
        cmocka_unit_test(test_duration), cmocka_unit_test(test_bool),
        cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
