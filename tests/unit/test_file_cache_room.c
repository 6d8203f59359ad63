/* test_file_cache_room.c: which entries go for others, and looks that find what is known. */
#include "tests/unit/file_cache_fixture.h"

static char *numbered(const char *prefix, int i)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s%d", prefix, i);
    return path;
}

/* Small files take none of the places of those that are kept open. */
static void test_small_files_have_a_bound_of_their_own(void **state)
{
    enum { FILES = 10000 };
    struct file_cache *cache = make_cache(10, FILES * FILE_CACHE_SMALL_LEAST);

    (void)state;
    for (int i = 0; i < 10; i++)
        keep(cache, numbered("open", i), file_found(1, NULL), 0);
    for (int i = 0; i < FILES; i++)
        keep(cache, numbered("small", i), file_found(1, "text"), 0);
    assert_int_equal(file_cache_files(cache), 10 + FILES);
    for (int i = 0; i < FILES; i++)
        assert_true(has(cache, numbered("small", i), 1));
    keep(cache, "one more", file_found(1, "text"), 1);
    assert_int_equal(file_cache_files(cache), 10 + FILES);
    for (int i = 0; i < 10; i++)
        assert_true(has(cache, numbered("open", i), 1));
    file_cache_destroy(cache);
}

/* Whoever asks for everything once pushes out little of what is asked for again and again. */
static void test_scan(void **state)
{
    enum { FILES = 1000, WANTED = 800 };
    struct file_cache *cache = make_cache(FILES, LARGE);
    size_t left = 0;

    (void)state;
    for (int i = 0; i < WANTED; i++)
        keep(cache, numbered("f", i), file_found(1, NULL), 0);
    for (int i = 0; i < WANTED; i++)
        assert_true(has(cache, numbered("f", i), 1));
    for (int i = 0; i < 50000; i++)
        keep(cache, numbered("scan", i), file_found(1, NULL), 2);
    for (int i = 0; i < WANTED; i++)
        left += has(cache, numbered("f", i), 3);
    assert_true(left >= WANTED * 9 / 10); /* chances are bounded */
    assert_int_equal(file_cache_files(cache), FILES);
    file_cache_destroy(cache);
}

/* What comes back soon after it went is not put where it went from. */
static void test_return(void **state)
{
    struct file_cache *cache = make_cache(100, LARGE);

    (void)state;
    for (int i = 0; i < 101; i++)
        keep(cache, numbered("f", i), file_found(1, NULL), 0);
    assert_false(has(cache, "f0", 1));
    keep(cache, "f0", file_found(1, NULL), 1);
    for (int i = 0; i < 1000; i++)
        keep(cache, numbered("g", i), file_found(1, NULL), 2);
    assert_true(has(cache, "f0", 3));
    file_cache_destroy(cache);
}

/* A look by name that has found what is known: nothing was opened. */
static void test_unchanged(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job job;
    struct file_job found = file_found(7, "text");
    struct file_meta meta = found.meta;
    struct file_entry *entry;

    (void)state;
    file_cache_ask(cache, ROOT, ROOT, INSIDE, "a", 100, 0, &job);
    assert_false(job.has_known);
    file_entry_unref(arrive(cache, &job, found, 0));
    file_cache_ask(cache, ROOT, ROOT, INSIDE, "a", 100, 5000, &job);
    assert_true(job.has_known && file_meta_equal(&job.known, &meta));
    job.res = 0;
    job.unchanged = true;
    job.meta = meta;
    assert_false(file_cache_has_lost(cache, &job));
    entry = file_cache_store(cache, &job, 5001);
    assert_memory_equal(entry->content, "text", 4);
    assert_true(has(cache, "a", 5999));

    /* It was thrown out meanwhile, or another look has found something else. */
    file_cache_ask(cache, ROOT, ROOT, INSIDE, "a", 100, 7000, &job);
    job.res = 0;
    job.unchanged = true;
    job.meta = meta;
    file_entry_forget(entry);
    file_entry_unref(entry);
    assert_true(file_cache_has_lost(cache, &job));
    keep(cache, "a", file_found(8, "news"), 7000);
    assert_false(file_cache_has_lost(cache, &job)); /* it is newer */
    file_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_small_files_have_a_bound_of_their_own),
        TEST(test_scan),
        TEST(test_return),
        TEST(test_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
