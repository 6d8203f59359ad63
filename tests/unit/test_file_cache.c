/* test_file_cache.c: what the cache believes, keeps, replaces and throws out. */
#include "tests/unit/file_cache_fixture.h"

static void test_store_and_find(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_entry *stored = store(cache, "a/b", file_found(7, "text"), 5000);
    struct file_entry *found;

    (void)state;
    assert_int_equal(stored->error, 0);
    assert_int_equal(stored->fd, -1); /* all of it is in memory */
    assert_int_equal(stored->meta.ino, 7);
    assert_memory_equal(stored->content, "text", 4);
    assert_null(stored->fields);
    assert_int_equal(stored->etag_len, 0);
    found = find(cache, "a/b", 5000);
    assert_ptr_equal(found, stored);
    assert_int_equal(found->refs, 3);
    file_entry_unref(found);
    file_entry_unref(stored);
    assert_true(has(cache, "a/b", 5999));
    assert_false(has(cache, "a/b", 6000));
    assert_false(has(cache, "a/c", 5000));
    assert_false(has(cache, "a/", 5000));
    assert_false(has(cache, "a/b/", 5000));
    assert_false(has(cache, "", 5000));
    assert_int_equal(file_cache_files(cache), 1);
    assert_int_equal(file_cache_bytes(cache), 4);
    file_cache_destroy(cache);
    file_cache_destroy(NULL);
}

static void test_keys(void **state)
{
    static const char nul_inside[] = "a\0b";
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job job;
    struct file_entry *entry;

    (void)state;
    keep(cache, ".", file_found(2, NULL), 0); /* a job's name of the root itself */
    assert_true(has(cache, "", 0));
    assert_null(file_cache_find(cache, ROOT + 1, INSIDE, SPAN_LIT(""), 0));
    assert_null(file_cache_find(cache, ROOT, FILE_SYMLINKS_DENY, SPAN_LIT(""), 0));
    assert_null(file_cache_find(cache, ROOT, INSIDE, span_make(nul_inside, 3), 0));

    /* Same root and path, under the other rule: another entry. */
    file_cache_ask(cache, ROOT, ROOT, FILE_SYMLINKS_DENY, ".", 0, 0, &job);
    entry = arrive(cache, &job, file_found(1, NULL), 0);
    assert_int_equal(entry->meta.ino, 1);
    assert_true(file_entry_is(entry, ROOT, FILE_SYMLINKS_DENY, SPAN_LIT("")));
    assert_false(file_entry_is(entry, ROOT, INSIDE, SPAN_LIT("")));
    assert_false(file_entry_is(entry, ROOT + 1, FILE_SYMLINKS_DENY, SPAN_LIT("")));
    assert_false(file_entry_is(entry, ROOT, FILE_SYMLINKS_DENY, SPAN_LIT("a")));
    file_entry_unref(entry);
    entry = find(cache, "", 0);
    assert_int_equal(entry->meta.ino, 2);
    file_entry_unref(entry);
    assert_int_equal(file_cache_files(cache), 2);
    file_cache_destroy(cache);
}

static void test_unchanged_keeps_the_entry(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_entry *first = store(cache, "f", file_found(1, "text"), 0);
    struct file_entry *second;

    (void)state;
    first->fields = calloc(1, sizeof(*first->fields));
    second = store(cache, "f", file_found(1, "text"), 3000);
    assert_ptr_equal(second, first);
    assert_non_null(second->fields);
    file_entry_unref(second);
    assert_true(has(cache, "f", 3999));
    /* Its content could not be read this time: the one that is here is still right. */
    struct file_job job = file_found(1, NULL);
    job.meta.size = 4;
    second = store(cache, "f", job, 4000);
    assert_ptr_equal(second, first);
    assert_non_null(second->content);
    file_entry_unref(second);
    file_entry_unref(first);
    assert_int_equal(file_cache_files(cache), 1);
    assert_int_equal(file_cache_bytes(cache), 4);
    file_cache_destroy(cache);
}

/* After `before`, `after` makes another entry. */
static void check_replaced(struct file_job before, struct file_job after)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_entry *first = store(cache, "f", before, 0);
    struct file_entry *second = store(cache, "f", after, 500);

    assert_ptr_not_equal(second, first);
    assert_false(first->cached);
    assert_int_equal(first->refs, 1); /* its user's: descriptor and content live on */
    if (first->error == 0 && first->content == NULL)
        assert_true(fcntl(first->fd, F_GETFD) >= 0);
    assert_int_equal(file_cache_files(cache), 1);
    assert_int_equal(file_cache_bytes(cache), file_entry_content_size(second));
    file_entry_unref(first);
    file_entry_unref(second);
    file_cache_destroy(cache);
}

static void test_changed_replaces_the_entry(void **state)
{
    struct file_job racy = file_found(1, "text");

    (void)state;
    check_replaced(file_found(1, "text"), file_found(2, "text"));
    check_replaced(file_found(1, "text"), file_found(1, "texts"));
    check_replaced(file_found(1, "text"), file_failed(ENOENT));
    check_replaced(file_failed(ENOENT), file_found(1, "text"));
    check_replaced(file_failed(ENOENT), file_failed(EACCES));
    racy.meta.racy = true;
    check_replaced(racy, file_found(1, "text"));
    /* Content that has become available is taken. */
    struct file_job bare = file_found(1, NULL);
    bare.meta.size = 4;
    check_replaced(bare, file_found(1, "text"));
}

/* Looks end in another order than they were asked for in: the newer one stands, and whoever asked
 * the older one is told of it, too. */
static void test_late_results(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job first = ask(cache, "f", 0), second = ask(cache, "f", 10);
    struct file_job gone = ask(cache, "f", 20);
    struct file_entry *newer = arrive(cache, &second, file_found(2, "new"), 5000);
    struct file_entry *older = arrive(cache, &first, file_found(1, "old"), 5001);

    (void)state;
    assert_ptr_equal(older, newer);
    assert_int_equal(newer->meta.ino, 2);
    file_entry_unref(older);
    /* Asked for when that would have been believed, had it been known. */
    older = arrive(cache, &gone, file_failed(ENOENT), 5002);
    assert_ptr_equal(older, newer);
    file_entry_unref(older);
    gone = ask(cache, "f", 5002);
    older = arrive(cache, &gone, file_failed(ENOENT), 5003);
    assert_int_equal(older->error, ENOENT);
    file_entry_unref(older);
    file_entry_unref(newer);
    assert_int_equal(file_cache_files(cache), 1);
    file_cache_destroy(cache);
}

/* Of two looks that were under way at the same time, the one that was asked for first may have been
 * the later one: then it has told of the newer file, which has been sent. The other one must not
 * put the older file back. */
static void test_later_question_answered_earlier(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job first = ask(cache, "f", 0), second = ask(cache, "f", 10);
    struct file_entry *newer = arrive(cache, &first, file_found(2, "new"), 20);
    struct file_entry *entry = arrive(cache, &second, file_found(1, "old"), 30);

    (void)state;
    assert_ptr_equal(entry, newer);
    assert_true(has(cache, "f", VALID_MS - 1));
    assert_false(has(cache, "f", VALID_MS)); /* nothing was confirmed */
    file_entry_unref(entry);
    file_entry_unref(newer);
    file_cache_destroy(cache);
}

/* ... Where the first one is too old for who has asked second, he gets what was found for him, and
 * nobody else does, until a look has been asked for afterwards. */
static void test_in_doubt(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job first = ask(cache, "f", 0), second = ask(cache, "f", VALID_MS);
    struct file_job third = ask(cache, "f", VALID_MS), fourth = ask(cache, "f", VALID_MS);
    struct file_entry *entry;

    (void)state;
    file_entry_unref(arrive(cache, &first, file_found(2, "new"), VALID_MS));
    entry = arrive(cache, &second, file_found(1, "old"), VALID_MS);
    assert_int_equal(entry->meta.ino, 1);
    assert_false(has(cache, "f", VALID_MS));
    file_entry_unref(entry);
    entry = arrive(cache, &third, file_found(1, "old"), VALID_MS); /* says it as early */
    assert_false(has(cache, "f", VALID_MS));
    file_entry_unref(entry);
    entry = arrive(cache, &fourth, file_found(2, "new"), VALID_MS);
    assert_int_equal(entry->meta.ino, 2);
    assert_false(has(cache, "f", VALID_MS));
    file_entry_unref(entry);
    assert_int_equal(file_cache_files(cache), 1);
    keep(cache, "f", file_found(2, "new"), VALID_MS);
    assert_true(has(cache, "f", VALID_MS));
    file_cache_destroy(cache);
}

/* ... also when what the newer one told has been thrown out meanwhile. */
static void test_late_results_of_evicted_entries(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job first = ask(cache, "f", 0);
    struct file_entry *entry;

    (void)state;
    keep(cache, "f", file_found(2, NULL), 10);
    assert_int_equal(file_cache_reclaim(cache, 1), 1);
    entry = arrive(cache, &first, file_found(1, "old"), 20);
    assert_int_equal(entry->meta.ino, 1); /* it is what was there when it was asked */
    file_entry_unref(entry);
    assert_false(has(cache, "f", 20));
    keep(cache, "f", file_found(3, "newest"), 30);
    assert_true(has(cache, "f", 30));
    file_cache_destroy(cache);
}

/* What is believed is believed from the question on, however long the answer takes. */
static void test_belief_begins_with_the_question(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_job asked = ask(cache, "f", 100);

    (void)state;
    file_entry_unref(arrive(cache, &asked, file_found(1, "text"), 900));
    assert_true(has(cache, "f", 1099));
    assert_false(has(cache, "f", 1100));
    asked = ask(cache, "f", 1100);
    file_entry_unref(arrive(cache, &asked, file_found(1, "text"), 2000)); /* unchanged */
    assert_true(has(cache, "f", 2099));
    assert_false(has(cache, "f", 2100));
    file_cache_destroy(cache);
}

static void test_errors(void **state)
{
    static const struct {
        int error;
        bool kept;
    } cases[] = {
        { ENOENT, true },  { ENOTDIR, true },      { EACCES, true },  { ELOOP, true },
        { EXDEV, true },   { ENAMETOOLONG, true }, { EMFILE, false }, { ENFILE, false },
        { ENOMEM, false }, { EIO, false },         { EINTR, false },  { EAGAIN, false },
        { ESTALE, false }, { ETIMEDOUT, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct file_cache *cache = make_cache(16, LARGE);
        struct file_entry *entry = store(cache, "f", file_failed(cases[i].error), 0);

        assert_int_equal(entry->error, cases[i].error);
        assert_int_equal(entry->fd, -1);
        assert_int_equal(has(cache, "f", 0), cases[i].kept);
        assert_int_equal(file_cache_files(cache), cases[i].kept);
        file_entry_unref(entry);
        file_cache_destroy(cache);
    }
}

/* A moment's trouble does not push out what was known. */
static void test_passing_error_leaves_the_entry(void **state)
{
    struct file_cache *cache = make_cache(16, LARGE);
    struct file_entry *first = store(cache, "f", file_found(1, "text"), 0);
    struct file_entry *second = store(cache, "f", file_failed(EMFILE), 2000);

    (void)state;
    assert_int_equal(second->error, EMFILE);
    file_entry_unref(second);
    assert_false(has(cache, "f", 2000));
    second = store(cache, "f", file_found(1, "text"), 2001);
    assert_ptr_equal(second, first);
    file_entry_unref(second);
    file_entry_unref(first);
    file_cache_destroy(cache);
}

static void test_other_kinds(void **state)
{
    struct file_cache *cache = make_cache(4, LARGE);
    struct file_job fifo = file_failed(0);
    struct file_entry *entry;

    (void)state;
    fifo.meta.kind = FILE_OTHER;
    entry = store(cache, "fifo", fifo, 0);
    assert_int_equal(entry->error, 0);
    assert_int_equal(entry->fd, -1);
    file_entry_unref(entry);
    assert_true(has(cache, "fifo", 0));
    assert_int_equal(cache->negative.count, 1);
    file_cache_destroy(cache);
}

static char *numbered(const char *prefix, int i)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s%d", prefix, i);
    return path;
}

static void test_least_recently_used_goes_first(void **state)
{
    struct file_cache *cache = make_cache(10, LARGE);

    (void)state;
    for (int i = 0; i < 10; i++)
        keep(cache, numbered("f", i), file_found(1, NULL), 0);
    assert_true(has(cache, "f0", 1)); /* used: has a second chance */
    assert_true(has(cache, "f2", 1));
    keep(cache, "new1", file_found(1, NULL), 2);
    keep(cache, "new2", file_found(1, NULL), 2);
    assert_int_equal(file_cache_files(cache), 10);
    assert_false(has(cache, "f1", 3));
    assert_false(has(cache, "f3", 3));
    assert_true(has(cache, "f0", 3));
    assert_true(has(cache, "f2", 3));
    file_cache_destroy(cache);
}

/* With every entry in use, something goes all the same, and soon. */
static void test_second_chances_are_bounded(void **state)
{
    enum { FILES = 4 * FILE_SHELF_CHANCES_MAX };
    struct file_cache *cache = make_cache(FILES, LARGE);
    size_t left = 0;

    (void)state;
    for (int i = 0; i < FILES; i++)
        keep(cache, numbered("f", i), file_found(1, NULL), 0);
    for (int i = 0; i < FILES; i++)
        assert_true(has(cache, numbered("f", i), 1));
    keep(cache, "new", file_found(1, NULL), 1);
    assert_true(has(cache, "new", 1));
    assert_int_equal(file_cache_files(cache), FILES);
    assert_false(has(cache, numbered("f", FILE_SHELF_CHANCES_MAX), 1));
    for (int i = 0; i < FILES; i++)
        left += has(cache, numbered("f", i), 1);
    assert_int_equal(left, FILES - 1);
    file_cache_destroy(cache);
}

static void test_flood_of_missing_names(void **state)
{
    struct file_cache *cache = make_cache(100, LARGE);

    (void)state;
    for (int i = 0; i < 75; i++)
        keep(cache, numbered("f", i), file_found(1, NULL), 0);
    for (int i = 0; i < 10000; i++)
        keep(cache, numbered("wp-admin-", i), file_failed(ENOENT), 1);
    assert_int_equal(cache->negative.count, 25);
    assert_int_equal(file_cache_files(cache), 100);
    for (int i = 0; i < 75; i++)
        assert_true(has(cache, numbered("f", i), 2));
    assert_true(has(cache, "wp-admin-9999", 2));
    assert_false(has(cache, "wp-admin-9974", 2));

    /* Those still believed stay; afterwards files take their places. */
    for (int i = 0; i < 10; i++)
        keep(cache, numbered("g", i), file_found(1, NULL), 3);
    assert_int_equal(cache->negative.count, 25);
    for (int i = 0; i < 10; i++)
        keep(cache, numbered("h", i), file_found(1, NULL), 1 + VALID_MS);
    assert_int_equal(cache->negative.count, 15);
    assert_int_equal(file_cache_files(cache), 100);
    for (int i = 0; i < 1000; i++)
        keep(cache, numbered("i", i), file_found(1, NULL), 1 + VALID_MS);
    assert_int_equal(cache->negative.count, 0);
    assert_int_equal(file_cache_files(cache), 100);
    assert_true(has(cache, "i999", 2));
    file_cache_destroy(cache);
}

static void test_small_caches(void **state)
{
    (void)state;
    for (uint32_t files_max = 0; files_max < 9; files_max++) {
        struct file_cache *cache = make_cache(files_max, 20);
        unsigned random = files_max;

        for (int i = 0; i < 3000; i++) {
            struct file_entry *entry;

            random = random * 1103515245 + 12345;
            entry = store(cache, numbered("f", (int)(random >> 16) % 12),
                          random >> 8 & 1 ? file_found(random >> 10 & 3, "0123456789")
                                          : file_failed(ENOENT),
                          (uint64_t)i * 100);
            file_entry_unref(entry);
            assert_true(file_cache_files(cache) <= 2 * files_max); /* and small ones */
            assert_true(file_cache_bytes(cache) <= 20);
            assert_int_equal(file_cache_bytes(cache) % 10, 0);
            assert_int_equal(cache->live, file_cache_files(cache));
            assert_true(cache->negative.count <= cache->negative.count_max);
        }
        assert_int_equal(file_cache_files(cache) > 0, files_max > 0);
        file_cache_destroy(cache);
    }
}

static void test_bytes_max(void **state)
{
    struct file_cache *cache = make_cache(16, 10);
    struct file_entry *entry;

    (void)state;
    keep(cache, "a", file_found(1, "aaaa"), 0);
    keep(cache, "b", file_found(2, "bbbb"), 0);
    assert_int_equal(file_cache_bytes(cache), 8);
    keep(cache, "c", file_found(3, "cc"), 0);
    assert_int_equal(file_cache_bytes(cache), 10);
    entry = find(cache, "a", 0); /* pinned, and used: b goes */
    keep(cache, "d", file_found(4, "d"), 0);
    assert_int_equal(file_cache_bytes(cache), 7);
    assert_false(has(cache, "b", 0));
    keep(cache, "e", file_found(5, "eeeeeeeeee"), 0);
    assert_int_equal(file_cache_bytes(cache), 10);
    assert_int_equal(file_cache_files(cache), 1);
    assert_memory_equal(entry->content, "aaaa", 4);
    file_entry_unref(entry);

    /* What can never fit is sent from its descriptor, and is not a new entry each time. */
    entry = store(cache, "big", file_found(6, "01234567890"), 0);
    assert_null(entry->content);
    assert_true(entry->fd >= 0);
    file_entry_unref(store(cache, "big", file_found(6, "01234567890"), 5000));
    assert_int_equal(entry->refs, 2);
    assert_int_equal(file_cache_bytes(cache), 10);
    file_entry_unref(entry);
    file_cache_destroy(cache);
}

static void test_no_cache(void **state)
{
    struct file_cache *cache = make_cache(0, LARGE);
    struct file_entry *entry = store(cache, "f", file_found(1, "text"), 0);

    (void)state;
    assert_int_equal(entry->refs, 1);
    assert_memory_equal(entry->content, "text", 4);
    assert_false(has(cache, "f", 0));
    assert_int_equal(file_cache_files(cache), 0);
    assert_int_equal(file_cache_bytes(cache), 0);
    file_entry_unref(entry);
    file_cache_destroy(cache);
}

/* Users outlive the table; not the cache. */
static void test_users_of_evicted_entries(void **state)
{
    struct file_cache *cache = make_cache(4, 4 * FILE_CACHE_SMALL_LEAST);
    struct file_entry *users[50];

    (void)state;
    for (int i = 0; i < 50; i++)
        users[i] = store(cache, numbered("f", i), file_found((uint64_t)i, "text"), 0);
    assert_int_equal(file_cache_files(cache), 4);
    assert_int_equal(file_cache_bytes(cache), 16);
    assert_int_equal(cache->live, 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(users[i]->meta.ino, i);
        assert_memory_equal(users[i]->content, "text", 4);
        file_entry_unref(users[i]);
    }
    assert_int_equal(cache->live, 4);
    file_cache_destroy(cache);
}

static void test_caches_differ_in_their_key(void **state)
{
    struct file_cache *a = make_cache(1, 0);
    struct file_cache *b = make_cache(1, 0);

    (void)state;
    assert_memory_not_equal(a->key, b->key, sizeof(a->key));
    file_cache_destroy(a);
    file_cache_destroy(b);
}

/* A thousand hosts have an "index.html" each. */
static void test_roots_differ_in_their_hash(void **state)
{
    struct file_cache *cache = make_cache(2, 0);
    struct file_entry *entries[2];

    (void)state;
    for (uint64_t root = 0; root < 2; root++) {
        struct file_job job;

        file_cache_ask(cache, ROOT, ROOT + root, INSIDE, "x", 0, 0, &job);
        entries[root] = arrive(cache, &job, file_failed(ENOENT), 0);
    }
    assert_true(entries[0]->node.name.hash != entries[1]->node.name.hash);
    file_entry_unref(entries[0]);
    file_entry_unref(entries[1]);
    file_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_and_find),
        TEST(test_keys),
        TEST(test_unchanged_keeps_the_entry),
        TEST(test_changed_replaces_the_entry),
        TEST(test_late_results),
        TEST(test_later_question_answered_earlier),
        TEST(test_in_doubt),
        TEST(test_late_results_of_evicted_entries),
        TEST(test_belief_begins_with_the_question),
        TEST(test_errors),
        TEST(test_passing_error_leaves_the_entry),
        TEST(test_other_kinds),
        TEST(test_least_recently_used_goes_first),
        TEST(test_second_chances_are_bounded),
        TEST(test_flood_of_missing_names),
        TEST(test_small_caches),
        TEST(test_bytes_max),
        TEST(test_no_cache),
        TEST(test_users_of_evicted_entries),
        TEST(test_caches_differ_in_their_key),
        TEST(test_roots_differ_in_their_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
