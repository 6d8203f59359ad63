/* test_natural.c: the order of names: of each pair, and of all of them. */
#include "core/natural.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* Each is before all that follow. */
static const char *const names[] = {
    "",
    "-",
    "1",
    "01",
    "1a",
    "2",
    "10",
    "10a",
    "99999999999999999999",
    "100000000000000000000",
    "A",
    "a",
    "a-1",
    "a.txt",
    "a0",
    "a00",
    "a1",
    "a01",
    "a01b",
    "a1c",
    "a2",
    "a10",
    "aa",
    "B",
    "File2",
    "file2",
    "file02",
    "file02.txt",
    "file10",
    "fileA",
    "Z",
    "\xc3\xa4",
    "\xff",
};

#define COUNT (sizeof(names) / sizeof(names[0]))

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void test_order(void **state)
{
    (void)state;
    for (int i = 0; i < (int)COUNT; i++) {
        for (int j = 0; j < (int)COUNT; j++) {
            int found = sign(natural_compare(names[i], names[j]));

            if (found != sign(i - j))
                fail_msg("'%s' and '%s': %d", names[i], names[j], found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
