/* test_cpus.c: the affinity mask, quotas as the kernel writes them, groups in groups, and how many
 * event loops follow from both. */
#include "core/check.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/cpus.c"

static void test_parse_quota(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned milli;
    } rows[] = {
        { "max 100000", 0 },
        { "100000 100000", 1000 },
        { "150000 100000", 1500 },
        { "1000 100000", 10 },
        { "1 100000", 1 },
        { "200000 50000", 4000 },
        { "333333 100000", 3334 },
        { "", 0 },
        { "max", 0 },
        { "100000", 0 },
        { "100000 ", 0 },
        { "100000 0", 0 },
        { "0 100000", 0 },
        { "100000 100000 x", 0 },
        { "x 100000", 0 },
        { "99999999999999999999999 100000", 0 },
        { "18446744073709551615 1", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (parse_quota(rows[i].line) != rows[i].milli)
            fail_msg("%s: %u", rows[i].line, parse_quota(rows[i].line));
    }
}

static void test_task_limits(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned count;
    } rows[] = { { "max", 0 },  { "4915", 4915 }, { "1", 1 },
                 { "", 0 },     { "12 x", 0 },    { "99999999999999999999999", 0 },
                 { "-1", 0 },   { "0", 0 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (parse_count(rows[i].line) != rows[i].count)
            fail_msg("%s: %u", rows[i].line, parse_count(rows[i].line));
    }
}

static void test_threads(void **state)
{
    (void)state;
    static const struct {
        unsigned count, quota_milli, threads;
    } rows[] = {
        { 1, 0, 1 },    { 8, 0, 8 },    { 8, 1000, 1 },  { 8, 1001, 2 }, { 8, 1500, 2 },
        { 8, 8000, 8 }, { 8, 7001, 8 }, { 8, 99000, 8 }, { 2, 1, 1 },    { 1, 50000, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(threads_of(rows[i].count, rows[i].quota_milli), rows[i].threads);
    assert_int_equal(cpus_threads(7), 7);
    assert_true(cpus_threads(0) >= 1);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The smallest quota of a group and those around it. */
static void test_quota_of_groups(void **state)
{
    (void)state;
    char mount[] = "/tmp/test-cpus-XXXXXX", path[PATH_MAX];
    assert_non_null(mkdtemp(mount));
    for (const char *const *name = (const char *const[]){ "a", "a/b", "a/b/c", NULL }; *name;
         name++) {
        snprintf(path, sizeof(path), "%s/%s", mount, *name);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_int_equal(find_quota(mount, "/a/b/c"), 0); /* no file at all, as in the root group */
    put(mount, "a/b/c/cpu.max", "max 100000\n");
    put(mount, "a/b/cpu.max", "max 100000\n");
    put(mount, "a/cpu.max", "max 100000\n");
    assert_int_equal(find_quota(mount, "/a/b/c"), 0);
    put(mount, "a/cpu.max", "250000 100000\n");
    assert_int_equal(find_quota(mount, "/a/b/c"), 2500);
    put(mount, "a/b/c/cpu.max", "400000 100000\n");
    assert_int_equal(find_quota(mount, "/a/b/c"), 2500);
    put(mount, "a/b/cpu.max", "50000 100000\n");
    assert_int_equal(find_quota(mount, "/a/b/c"), 500);
    assert_int_equal(find_quota(mount, "/a"), 2500);
    assert_int_equal(find_quota(mount, "/"), 0);
    put(mount, "cpu.max", "30000 100000\n"); /* a container sees its own group as the root */
    assert_int_equal(find_quota(mount, "/"), 300);
    assert_int_equal(find_quota("/nowhere", "/"), 0);
    for (const char *const *name =
             (const char *const[]){ "cpu.max", "a/cpu.max", "a/b/cpu.max", "a/b/c/cpu.max", "a/b/c",
                                    "a/b", "a", "", NULL };
         *name; name++) {
        snprintf(path, sizeof(path), "%s/%s", mount, *name);
        assert_int_equal(remove(path), 0);
    }
}

static void test_mask(void **state)
{
    (void)state;
    struct cpus cpus;
    assert_int_equal(cpus_find(&cpus), 0);
    assert_true(cpus.count >= 1 && cpus.threads >= 1 && cpus.threads <= cpus.count);
    for (unsigned i = 1; i < cpus.count; i++)
        assert_true(cpus.ids[i - 1] < cpus.ids[i]);

    /* Each in turn, and round again; then the mask has that one only. */
    for (unsigned i = 0; i <= cpus.count; i++) {
        assert_int_equal(cpus_pin(&cpus, i), 0);
        struct cpus pinned;
        assert_int_equal(cpus_find(&pinned), 0);
        assert_int_equal(pinned.count, 1);
        assert_int_equal(pinned.threads, 1);
        assert_int_equal(pinned.ids[0], cpus.ids[i % cpus.count]);
        cpus_free(&pinned);
    }
    cpus_free(&cpus);
    assert_null(cpus.ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_quota),
        cmocka_unit_test(test_task_limits),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_quota_of_groups),
        cmocka_unit_test(test_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
