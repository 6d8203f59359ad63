/* test_session_limits.c: limits that threads share among them. */
#include "config/session_limits.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { THREADS = 4 };

static void test_shares(void **state)
{
    (void)state;
    static const struct {
        uint32_t connections, files, shares[THREADS], files_each;
        uint64_t bytes, bytes_each;
    } rows[] = {
        { 10, 10, { 3, 3, 2, 2 }, 3, 10, 3 },
        { 4, 0, { 1, 1, 1, 1 }, 0, 0, 0 },
        { 8, 8, { 2, 2, 2, 2 }, 2, 8, 2 },
        { 4194303, 1, { 1048576, 1048576, 1048576, 1048575 }, 1, UINT64_MAX, UINT64_MAX / 4 + 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned index = 0; index < THREADS; index++) {
            const struct config config = { .connections_max = rows[i].connections,
                                           .cache_files_max = rows[i].files,
                                           .cache_bytes_max = rows[i].bytes,
                                           .compress_bytes_max = rows[i].bytes };
            const struct session_limits whole = session_limits_of(&config);
            const struct session_limits share = session_limits_share(&whole, index, THREADS);
            assert_int_equal(share.connections_max, rows[i].shares[index]);
            assert_int_equal(share.cache_files_max, rows[i].files_each);
            assert_int_equal(share.cache_bytes_max, rows[i].bytes_each);
            assert_int_equal(share.compress_bytes_max, rows[i].bytes_each);
            assert_true(share.has_logs);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
