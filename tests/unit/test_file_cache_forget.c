/* test_file_cache_forget.c: an entry that turned out to be untrue. */
#include "http/file_cache.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROOT = 100, VALID_MS = 1000 };

/* The job, as if it had found a file with this inode. */
static struct file_entry *arrive(struct file_cache *cache, struct file_job *job, uint64_t ino)
{
    job->res = 0;
    job->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    job->meta = (struct file_meta){ .ino = ino, .size = 1000, .kind = FILE_REGULAR };
    return file_cache_store(cache, job, 10);
}

static struct file_entry *find(struct file_cache *cache)
{
    return file_cache_find(cache, ROOT, FILE_SYMLINKS_INSIDE, SPAN_LIT("f"), 10);
}

/* It is found no more, whoever still uses it, and what was asked for before does not come back in
 * its place; what is asked for afterwards does. */
static void test_forgotten(void **state)
{
    struct file_job early, job, late;
    struct file_cache *cache;

    (void)state;
    assert_int_equal(file_cache_create(16, 1 << 20, VALID_MS, 60000, &cache), 0);
    file_cache_ask(cache, ROOT, ROOT, FILE_SYMLINKS_INSIDE, "f", 0, 0, &early);
    file_cache_ask(cache, ROOT, ROOT, FILE_SYMLINKS_INSIDE, "f", 0, 0, &job);
    struct file_entry *entry = arrive(cache, &job, 1);
    file_entry_unref(find(cache));
    file_entry_forget(entry);
    assert_null(find(cache));
    assert_int_equal(entry->refs, 1);
    assert_true(fcntl(entry->fd, F_GETFD) >= 0);
    file_entry_forget(entry); /* by another one of its users */
    file_entry_unref(arrive(cache, &early, 1));
    assert_null(find(cache));

    file_cache_ask(cache, ROOT, ROOT, FILE_SYMLINKS_INSIDE, "f", 0, 0, &late);
    file_entry_unref(arrive(cache, &late, 2));
    struct file_entry *found = find(cache);
    assert_int_equal(found->meta.ino, 2);
    file_entry_unref(found);
    file_entry_unref(entry);
    file_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_forgotten) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
