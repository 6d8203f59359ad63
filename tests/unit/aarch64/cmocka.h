/* cmocka.h: what test_context.c uses of cmocka, which Debian does not have for another machine than
 * its own beside a compiler for that. */
#ifndef TESTS_AARCH64_CMOCKA_H
#define TESTS_AARCH64_CMOCKA_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct CMUnitTest {
    const char *name;
    void (*function)(void **state);
};

#define cmocka_unit_test(function)                                                                 \
    {                                                                                              \
#function, function                                                                        \
    }

#define assert_true(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define assert_false(condition)      assert_true(!(condition))
#define assert_int_equal(one, other) assert_true((long long)(one) == (long long)(other))

/* How many have failed: none, since the first failure ends the process. */
static inline int run_all(const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tests[i].function(NULL);
        printf("ok   %s\n", tests[i].name);
        fflush(stdout);
    }
    return 0;
}

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    run_all((tests), sizeof(tests) / sizeof((tests)[0]))

#endif
