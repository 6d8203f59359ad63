/* test_file_cache_shared.c: what the caches of two threads know of files together
 * (http/shared_files.h). */
#include "tests/unit/file_cache_fixture.h"

#include "http/shared_files.h"

enum { NAMES_MAX = 64 };

static struct shared_files *shared;

static struct shared_files *make_shared(uint64_t bytes_max, uint64_t content_max)
{
    const struct shared_files_options options = {
        .threads = 2,
        .names_max = NAMES_MAX,
        .bytes_max = bytes_max,
        .content_max = content_max,
        .valid_ms = VALID_MS,
        .inactive_ms = 60000,
        .roots_count = 2,
    };

    assert_int_equal(shared_files_create(&options, &shared), 0);
    return shared;
}

/* Of a thread that has what `shared` knows. */
static struct file_cache *join(uint32_t files_max, uint64_t bytes_max)
{
    struct file_cache *cache = make_cache(files_max, bytes_max);

    file_cache_set_shared(cache, shared);
    return cache;
}

struct two {
    struct file_cache *a, *b;
};

static struct two make_two(void)
{
    make_shared(LARGE, 4096);
    return (struct two){ join(100, LARGE / 4), join(100, LARGE / 4) };
}

static void end_two(struct two *two)
{
    file_cache_destroy(two->a);
    file_cache_destroy(two->b);
    shared_files_destroy(shared);
}

/* What is found has the inode, or is not found: 0. */
static void assert_found(struct file_cache *cache, const char *path, uint64_t now_ms, uint64_t ino)
{
    struct file_entry *entry = find(cache, path, now_ms);

    assert_int_equal(entry != NULL ? entry->meta.ino : 0, ino);
    if (entry != NULL)
        file_entry_unref(entry);
}

static void test_one_looks_for_both(void **state)
{
    struct two two = make_two();

    (void)state;
    keep(two.a, "f", file_found(7, "text"), 0);
    struct file_entry *of_a = find(two.a, "f", 1), *of_b = find(two.b, "f", 1);
    assert_non_null(of_b);
    assert_ptr_not_equal(of_a, of_b);
    assert_ptr_equal(of_a->content, of_b->content); /* the octets are there once */
    assert_int_equal(shared_files_bytes(shared), 4);
    assert_int_equal(of_b->meta.ino, 7);
    file_entry_unref(of_a);
    file_entry_unref(of_b);
    assert_found(two.b, "f", VALID_MS, 0); /* believed as long as by who has looked */
    end_two(&two);
}

static void test_missing_and_empty(void **state)
{
    struct two two = make_two();

    (void)state;
    keep(two.a, "missing", file_failed(ENOENT), 0);
    struct file_entry *entry = find(two.b, "missing", 1);
    assert_non_null(entry);
    assert_int_equal(entry->error, ENOENT);
    file_entry_unref(entry);

    struct file_job empty = file_found(9, NULL), asked = ask(two.a, "empty", 0);
    empty.meta.size = 0;
    asked.content_max = 100;
    file_entry_unref(arrive(two.a, &asked, empty, 0));
    entry = find(two.b, "empty", 1);
    assert_non_null(entry);
    assert_true(entry->error == 0 && entry->meta.size == 0 && entry->fd == -1);
    file_entry_unref(entry);
    end_two(&two);
}

/* A descriptor is its thread's, and an error of the moment nobody's. */
static void test_not_for_all(void **state)
{
    struct two two = make_two();

    (void)state;
    keep(two.a, "large", file_found(7, NULL), 0);
    assert_true(has(two.a, "large", 1));
    assert_false(has(two.b, "large", 1));
    keep(two.a, "passing", file_failed(EMFILE), 0);
    assert_false(has(two.b, "passing", 1));
    assert_int_equal(shared_files_count(shared), 0);
    end_two(&two);
}

/* What one has looked at again, the other believes again, with the fields that it has. */
static void test_looked_at_again(void **state)
{
    struct two two = make_two();

    (void)state;
    keep(two.a, "f", file_found(7, "text"), 0);
    struct file_entry *first = find(two.b, "f", 1);
    keep(two.a, "f", file_found(7, "text"), 1500);
    struct file_entry *second = find(two.b, "f", 1600);
    assert_ptr_equal(first, second);
    file_entry_unref(first);
    file_entry_unref(second);

    keep(two.a, "f", file_found(8, "newer"), 3000);
    assert_found(two.b, "f", 3001, 8);
    end_two(&two);
}

/* A look that has found nothing new has no octets; they are the asker's. */
static void test_unchanged(void **state)
{
    struct two two = make_two();
    struct file_job job;

    (void)state;
    keep(two.a, "f", file_found(7, "text"), 0);
    for (int i = 0; i < 2; i++) {
        uint64_t now_ms = 2000 * (uint64_t)(i + 1);
        struct file_job found = file_found(7, "text");

        job = ask(two.a, "f", now_ms);
        assert_true(job.has_known);
        job.res = 0;
        job.unchanged = true;
        job.meta = found.meta;
        file_job_discard(&found);
        if (i == 1) /* it is gone from there, but not from here */
            shared_files_sweep(shared, 100, 100000);
        assert_int_equal(shared_files_count(shared), i == 0);
        assert_false(file_cache_has_lost(two.a, &job));
        file_entry_unref(file_cache_store(two.a, &job, now_ms));
        assert_found(two.b, "f", now_ms + 1, 7);
        assert_int_equal(shared_files_bytes(shared), 4);
    }
    end_two(&two);
}

/* One asks, and before it is told the other asks and is told of what is newer: what comes late is
 * outdone, whoever was told. */
static void test_late_result(void **state)
{
    struct two two = make_two();

    (void)state;
    struct file_job early = ask(two.a, "f", 0);
    keep(two.b, "f", file_found(8, "newer"), 1);
    struct file_entry *entry = arrive(two.a, &early, file_found(7, "old"), 2);
    assert_int_equal(entry->meta.ino, 8);
    file_entry_unref(entry);
    assert_found(two.a, "f", 3, 8);
    assert_found(two.b, "f", 3, 8);
    end_two(&two);
}

/* What is here no more has left its mark: what was asked for before it was known is for who asked,
 * and nobody else. */
static void test_forgotten(void **state)
{
    struct two two = make_two();

    (void)state;
    struct file_job early = ask(two.a, "f", 0);
    struct file_entry *newer = store(two.b, "f", file_found(8, "newer"), 1);
    file_entry_forget(newer);
    file_entry_unref(newer);
    assert_found(two.b, "f", 2, 0);
    struct file_entry *entry = arrive(two.a, &early, file_found(7, "old"), 2);
    assert_int_equal(entry->meta.ino, 7);
    file_entry_unref(entry);
    assert_found(two.a, "f", 3, 0);
    assert_found(two.b, "f", 3, 0);
    keep(two.a, "f", file_found(9, "newest"), 4);
    assert_found(two.b, "f", 5, 9);
    end_two(&two);
}

/* Likewise what has gone for others. */
static void test_evicted(void **state)
{
    char name[32];

    (void)state;
    make_shared(64, 16);
    struct two two = { join(100, LARGE), join(100, LARGE) };
    struct file_job early = ask(two.a, "f", 0);
    keep(two.b, "f", file_found(8, "newer"), 1);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "g%d", i);
        keep(two.b, name, file_found(1, "sixteen bytes..."), 1);
    }
    struct file_entry *entry = arrive(two.a, &early, file_found(7, "old"), 2);
    assert_int_equal(entry->meta.ino, 7);
    file_entry_unref(entry);
    assert_found(two.a, "f", 3, 0);
    end_two(&two);
}

/* An entry that was made anew since is not what has turned out to be untrue. */
static void test_forget_what_was_replaced(void **state)
{
    struct two two = make_two();

    (void)state;
    struct file_entry *old = store(two.a, "f", file_found(7, "old"), 0);
    keep(two.b, "f", file_found(8, "newer"), 2000);
    file_entry_forget(old);
    file_entry_unref(old);
    assert_found(two.a, "f", 2001, 8);
    end_two(&two);
}

/* A file that has grown is kept by a descriptor: nobody is told of the small one any more, not even
 * who looked at that while it was small, and is told late. */
static void test_grown(void **state)
{
    struct two two = make_two();

    (void)state;
    keep(two.a, "f", file_found(7, "small"), 0);
    assert_found(two.b, "f", 1, 7);
    struct file_job early = ask(two.b, "g", 1400);
    keep(two.a, "f", file_found(8, NULL), 1500);
    assert_found(two.b, "f", 1501, 0);
    assert_int_equal(shared_files_count(shared), 0);

    keep(two.a, "g", file_found(8, NULL), 1500);
    struct file_entry *late = arrive(two.b, &early, file_found(7, "small"), 1501);
    assert_int_equal(late->meta.ino, 7);
    file_entry_unref(late);
    assert_found(two.b, "g", 1502, 0);
    assert_found(two.a, "g", 1502, 8);
    file_cache_reclaim(two.a, 10); /* its own is gone: nothing older comes back */
    assert_found(two.a, "g", 1502, 0);
    end_two(&two);
}

/* All that is kept is within the bound, whichever of the threads keeps it. */
static void test_bytes(void **state)
{
    enum { BYTES_MAX = 4096, CONTENT_MAX = 128, FILES = 2000 };
    char name[32], text[CONTENT_MAX + 1];

    (void)state;
    make_shared(BYTES_MAX, CONTENT_MAX);
    struct two two = { join(100, BYTES_MAX / 4), join(100, BYTES_MAX / 4) };
    for (int i = 0; i < FILES; i++) {
        int size = 1 + rand() % CONTENT_MAX;

        memset(text, 'x', (size_t)size);
        text[size] = '\0';
        snprintf(name, sizeof(name), "f%d", rand() % 300);
        keep(rand() % 2 == 0 ? two.a : two.b, name, file_found((uint64_t)i, text), 0);
        assert_true(shared_files_bytes(shared) <= BYTES_MAX);
    }
    assert_true(shared_files_bytes(shared) > BYTES_MAX / 2);
    end_two(&two);
}

/* A flood of names that are missing pushes no file out. */
static void test_names_have_a_bound_of_their_own(void **state)
{
    struct two two = make_two();
    char name[32];

    (void)state;
    keep(two.a, "f", file_found(7, "text"), 0);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "missing%d", i);
        keep(two.a, name, file_failed(ENOENT), 0);
    }
    assert_true(shared_files_count(shared) <= 1 + NAMES_MAX + 64);
    assert_found(two.b, "f", 1, 7);
    end_two(&two);
}

static void test_sweep(void **state)
{
    struct two two = make_two();

    (void)state;
    keep(two.a, "f", file_found(7, "text"), 0);
    keep(two.a, "g", file_found(8, "text"), 0);
    assert_true(file_cache_sweep(two.b, 100, 1000) <= 11000);
    assert_found(two.b, "f", 900, 7);
    file_cache_sweep(two.a, 100, 60100);
    assert_int_equal(shared_files_count(shared), 1); /* used a second later */
    assert_true(file_cache_sweep(two.a, 100, 100000) == UINT64_MAX);
    assert_int_equal(shared_files_count(shared), 0);
    assert_int_equal(shared_files_bytes(shared), 4); /* kept by b, which has not swept */
    assert_true(file_cache_sweep(two.b, 100, 100000) == UINT64_MAX);
    assert_int_equal(shared_files_bytes(shared), 0);
    end_two(&two);
}

static void test_roots(void **state)
{
    struct file_root_id one = { .dev = 1, .ino = 2, .born_s = 3 }, other = one, unborn = one;

    (void)state;
    other.born_s = 4;
    unborn.born_s = 0;
    make_shared(LARGE, 4096);
    uint64_t id = shared_files_root_id(shared, 0, &one);
    assert_int_equal(shared_files_root_id(shared, 0, &one), id);
    assert_int_not_equal(shared_files_root_id(shared, 1, &one), id); /* rules may differ */
    uint64_t id_of_other = shared_files_root_id(shared, 0, &other);
    assert_int_not_equal(id_of_other, id);
    assert_int_not_equal(shared_files_root_id(shared, 0, &one), id_of_other);
    id = shared_files_root_id(shared, 0, &unborn);
    assert_int_not_equal(shared_files_root_id(shared, 0, &unborn), id);
    shared_files_destroy(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_looks_for_both),
        TEST(test_missing_and_empty),
        TEST(test_not_for_all),
        TEST(test_looked_at_again),
        TEST(test_unchanged),
        TEST(test_late_result),
        TEST(test_forgotten),
        TEST(test_evicted),
        TEST(test_forget_what_was_replaced),
        TEST(test_grown),
        TEST(test_bytes),
        TEST(test_names_have_a_bound_of_their_own),
        TEST(test_sweep),
        TEST(test_roots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
