/* test_log_repeat.c: lines about faults that come by the thousand: the first ones are written, and
 * no other is forgotten. */
#include "core/log_repeat.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_log_repeat.XXXXXX";
static char log_path[64];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(log_path, sizeof log_path, "%s/error.log", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(log_path);
    return rmdir(folder);
}

static int begin(void **state)
{
    (void)state;
    log_repeat_end();
    unlink(log_path);
    return log_open(log_path, LOG_INFO);
}

/* How often `text` stands in the log. */
static unsigned count(const char *text)
{
    static char contents[256 * 1024];
    FILE *file = fopen(log_path, "r");

    assert_non_null(file);
    contents[fread(contents, 1, sizeof contents - 1, file)] = '\0';
    fclose(file);
    unsigned found = 0;
    for (const char *at = contents; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

static void happen(const char *kind, int error, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        log_repeated(LOG_ERROR, kind, error, "%s: file %u: %s", kind, i, strerror(error));
}

/* Time passes. */
static void pass(uint64_t ms)
{
    for (unsigned i = 0; i < PERIODS_MAX; i++)
        if (repeats->periods[i].kind != NULL)
            repeats->periods[i].end_ms -= ms;
}

static void test_few_lines_are_all_written(void **state)
{
    (void)state;
    happen("cannot open", EIO, LOG_REPEAT_LINES);
    assert_int_equal(count(" error cannot open: file "), LOG_REPEAT_LINES);
    assert_true(log_repeat_tick());
    pass(LOG_REPEAT_MS);
    assert_false(log_repeat_tick());
    assert_int_equal(count("left out"), 0);
}

static void test_the_others_are_counted(void **state)
{
    (void)state;
    happen("cannot open", EIO, 20000);
    assert_int_equal(count("cannot open: file "), LOG_REPEAT_LINES);
    assert_true(log_repeat_tick());
    assert_int_equal(count("left out"), 0);
    pass(LOG_REPEAT_MS);
    assert_false(log_repeat_tick());
    assert_int_equal(
        count(" error cannot open: Input/output error: 19990 more such lines were left "
              "out within 60 seconds\n"),
        1);
    happen("cannot open", EIO, 1);
    assert_int_equal(count("cannot open: file "), LOG_REPEAT_LINES + 1);
}

/* The next fault comes before anybody looks. */
static void test_a_period_ends_with_the_next_fault(void **state)
{
    (void)state;
    happen("cannot open", EIO, LOG_REPEAT_LINES + 7);
    pass(LOG_REPEAT_MS);
    happen("cannot open", EIO, 1);
    assert_int_equal(count(": 7 more such lines"), 1);
    assert_int_equal(count("cannot open: file "), LOG_REPEAT_LINES + 1);
}

static void test_faults_are_told_apart(void **state)
{
    (void)state;
    happen("cannot open", EIO, 100);
    happen("cannot open", ENOMEM, 2);
    happen("cannot read", EIO, 3);
    assert_int_equal(count(": Cannot allocate memory\n"), 2);
    assert_int_equal(count("cannot read: file "), 3);
    log_repeat_end();
    assert_int_equal(count("left out"), 1);
    assert_int_equal(count("cannot open: Input/output error: 90 more"), 1);
}

/* More kinds than there are places: what finds none is written. */
static void test_a_full_table(void **state)
{
    (void)state;
    for (int error = 1; error <= PERIODS_MAX; error++)
        happen("kind", error, 1);
    happen("another", EIO, 50);
    assert_int_equal(count("another: file "), 50);
}

static void *happen_often(void *kind)
{
    happen(kind, EIO, 5000);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, happen_often, "shared"), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    log_repeat_end();
    assert_int_equal(count("shared: file "), LOG_REPEAT_LINES);
    assert_int_equal(count(": 19990 more such lines"), 1);
}

static void test_errno_is_kept(void **state)
{
    (void)state;
    errno = EDOM;
    log_fault("cannot open", EIO);
    assert_int_equal(errno, EDOM);
    assert_int_equal(count(" error cannot open: Input/output error\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_few_lines_are_all_written, begin),
        cmocka_unit_test_setup(test_the_others_are_counted, begin),
        cmocka_unit_test_setup(test_a_period_ends_with_the_next_fault, begin),
        cmocka_unit_test_setup(test_faults_are_told_apart, begin),
        cmocka_unit_test_setup(test_a_full_table, begin),
        cmocka_unit_test_setup(test_threads, begin),
        cmocka_unit_test_setup(test_errno_is_kept, begin),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
