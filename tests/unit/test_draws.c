/* test_draws.c: numbers do not come again: not from another source, and not in a process that is
 * forked. */
#include "core/draws.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { COUNT = 1000 };

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(uint64_t));
}

static void assert_distinct(uint64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof numbers[0], compare);
    for (size_t i = 1; i < count; i++)
        assert_true(numbers[i - 1] != numbers[i]);
}

static void test_distinct(void **state)
{
    (void)state;
    struct draws *one = NULL, *two = NULL;
    static uint64_t numbers[2 * COUNT];

    assert_int_equal(draws_create(&one), 0);
    assert_int_equal(draws_create(&two), 0);
    for (size_t i = 0; i < COUNT; i++) {
        numbers[2 * i] = draws_next(one);
        numbers[2 * i + 1] = draws_next(two);
    }
    assert_distinct(numbers, ARRAY_LEN(numbers));
    draws_destroy(one);
    draws_destroy(two);
    draws_destroy(NULL);
}

/* Every bit is as often 0 as 1: of 1000, 500 with a deviation of 16; ten of them never. */
static void test_bits(void **state)
{
    (void)state;
    struct draws *draws = NULL;
    unsigned ones[64] = { 0 };

    assert_int_equal(draws_create(&draws), 0);
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t number = draws_next(draws);
        for (unsigned bit = 0; bit < 64; bit++)
            ones[bit] += (unsigned)(number >> bit & 1);
    }
    for (unsigned bit = 0; bit < 64; bit++)
        assert_in_range(ones[bit], COUNT / 2 - 160, COUNT / 2 + 160);
    draws_destroy(draws);
}

static void test_fork(void **state)
{
    (void)state;
    struct draws *draws = NULL;
    uint64_t numbers[9];
    int ends[2];

    assert_int_equal(draws_create(&draws), 0);
    (void)draws_next(draws);
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < 2; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            uint64_t own[3];
            for (int j = 0; j < 3; j++)
                own[j] = draws_next(draws);
            _exit(write(ends[1], own, sizeof own) == (ssize_t)sizeof own ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(read(ends[0], numbers + 3 * i, 24), 24);
    }
    for (int j = 6; j < 9; j++)
        numbers[j] = draws_next(draws);
    assert_distinct(numbers, ARRAY_LEN(numbers));
    close(ends[0]);
    close(ends[1]);
    draws_destroy(draws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
