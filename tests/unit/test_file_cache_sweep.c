/* test_file_cache_sweep.c: what the cache lets go of by itself, and when it wants to be asked. */
#include "tests/unit/file_cache_fixture.h"

static void test_sweep_of_the_unused(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    uint64_t due_ms;

    (void)state;
    keep(cache, "used", file_found(1, NULL), 0);
    keep(cache, "unused", file_found(2, "text"), 0);
    keep(cache, "missing", file_failed(ENOENT), 0);
    assert_int_equal(file_cache_sweep(cache, 64, 0), 11000);
    for (due_ms = 11000; due_ms <= 55000; due_ms += 11000) {
        struct file_job job = ask(cache, "used", due_ms);

        file_entry_unref(arrive(cache, &job, file_found(1, NULL), due_ms));
        assert_int_equal(file_cache_sweep(cache, 64, due_ms), due_ms + 11000);
        assert_int_equal(file_cache_files(cache), 3);
    }
    assert_int_equal(file_cache_sweep(cache, 64, 66000), 77000);
    assert_int_equal(file_cache_files(cache), 1);
    assert_int_equal(file_cache_bytes(cache), 0);
    assert_int_equal(file_cache_sweep(cache, 64, 200000), UINT64_MAX);
    assert_int_equal(file_cache_files(cache), 0);
    file_cache_destroy(cache);
}

static void test_sweep_is_bounded(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);

    (void)state;
    keep(cache, "a", file_found(1, NULL), 0);
    keep(cache, "b", file_found(2, NULL), 0);
    keep(cache, "c", file_found(3, NULL), 5000);
    assert_int_equal(file_cache_sweep(cache, 1, 100000), 11000); /* at once: there is more */
    assert_int_equal(file_cache_files(cache), 2);
    assert_int_equal(file_cache_sweep(cache, 1, 100000), 16000);
    assert_int_equal(file_cache_sweep(cache, 1, 100000), UINT64_MAX);
    file_cache_destroy(cache);
}

/* A file without a name gives its disk back, unless somebody is sending it. */
static void test_sweep_of_the_removed(void **state)
{
    char name[] = "/tmp/test_file_cache.XXXXXX";
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job job = file_found(1, NULL);
    struct file_entry *entry;

    (void)state;
    close(job.fd);
    job.fd = mkostemp(name, O_CLOEXEC);
    assert_true(job.fd >= 0);
    entry = store(cache, "removed", job, 0);
    assert_int_equal(file_cache_sweep(cache, 64, 11000), 22000);
    assert_true(has(cache, "removed", 0));
    assert_int_equal(unlink(name), 0);
    assert_int_equal(file_cache_sweep(cache, 64, 22000), UINT64_MAX);
    assert_false(has(cache, "removed", 0));
    assert_true(fcntl(entry->fd, F_GETFD) >= 0);
    file_entry_unref(entry);
    file_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sweep_of_the_unused),
        TEST(test_sweep_is_bounded),
        TEST(test_sweep_of_the_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
