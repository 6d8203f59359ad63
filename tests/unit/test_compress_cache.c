/* test_compress_cache.c: what is kept of what was compressed, for which file, and what makes way.
 * Files are contents in memory, and one on the disk that is written to. */
#include "http/compress_cache.c"

#include "core/file_open.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROOT = 1, VALID_MS = 1000, NOW_MS = 10000, SIZE = 8000 };

static struct file_cache *files;
static struct compress_cache *cache;

static void set_up(uint64_t bytes_max)
{
    assert_int_equal(file_cache_create(64, 1 << 24, VALID_MS, 60000, &files), 0);
    assert_int_equal(compress_cache_create(bytes_max, files, &cache), 0);
}

static void tear_down(void)
{
    compress_cache_destroy(cache);
    file_cache_destroy(files);
}

/* A file whose content is in memory: `size` times that letter. */
static struct file_entry *file_of(const char *path, uint64_t ino, char letter, size_t size)
{
    struct file_job job;

    file_cache_ask(files, -1, ROOT, FILE_SYMLINKS_INSIDE, path, size, NOW_MS, &job);
    job.res = 0;
    job.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    job.meta = (struct file_meta){
        .dev = 1, .ino = ino, .size = size, .mtime_s = 100, .ctime_s = 100, .kind = FILE_REGULAR
    };
    job.content = malloc(size);
    assert_non_null(job.content);
    memset(job.content, letter, size);
    struct file_entry *entry = file_cache_store(files, &job, NOW_MS);
    assert_non_null(entry);
    return entry;
}

/* Runs all slices. */
static void run_all(struct compression *c)
{
    struct file_source *source = compression_source(c);
    int slices = 0;

    while (source->read(source, NULL, 0) == 1)
        assert_true(++slices < 1000);
}

/* Has it made, if it is not there. NULL: the file is sent as it is. */
static struct file_entry *get(struct file_entry *file, enum coding coding)
{
    struct file_entry *entry = NULL;
    struct compression *c = NULL;

    switch (compress_cache_find(cache, file, coding, true, &entry, &c)) {
    case COMPRESS_READY:
        return entry;
    case COMPRESS_MAKING:
        run_all(c);
        return compress_cache_store(cache, c);
    default:
        return NULL;
    }
}

static bool is_there(struct file_entry *file)
{
    struct file_entry *entry = NULL;
    struct compression *c = NULL;
    enum compress_found found = compress_cache_find(cache, file, CODING_GZIP, false, &entry, &c);

    if (found == COMPRESS_READY)
        file_entry_unref(entry);
    return found == COMPRESS_READY;
}

static void test_once_for_all_names(void **state)
{
    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_of("a", 7, 'a', SIZE), *twin = file_of("b", 7, 'a', SIZE);
    struct file_entry *made = get(file, CODING_GZIP), *same = get(twin, CODING_GZIP);
    assert_non_null(made);
    assert_ptr_equal(made, same);
    assert_true(made->meta.size < SIZE / 2 && made->file_size == SIZE && made->content != NULL);
    assert_int_equal(made->recipe, compressor_recipe(compressor_find(CODING_GZIP)));
    assert_int_equal(made->fd, -1);
    assert_int_equal(compress_cache_entries(cache), 1);
    assert_true(compress_cache_bytes(cache) >= made->meta.size);
    file_entry_unref(made);
    file_entry_unref(same);
    file_entry_unref(file);
    file_entry_unref(twin);
    tear_down();
}

/* Another inode, size or time is another file; so is each entry of one that changed just now. */
static void test_identity(void **state)
{
    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_of("a", 7, 'a', SIZE), *other = file_of("b", 8, 'b', SIZE);
    file_entry_unref(get(file, CODING_GZIP));
    assert_true(is_there(file));
    assert_false(is_there(other));
    other->meta.ino = 7;
    assert_true(is_there(other));
    other->meta.ctime_ns = 1;
    assert_false(is_there(other));
    other->meta = file->meta;
    other->meta.mtime_ns = 1;
    assert_false(is_there(other));
    other->meta = file->meta;
    other->meta.racy = true;
    assert_false(is_there(other));
    file_entry_unref(get(other, CODING_GZIP));
    assert_true(is_there(other));
    file->meta.racy = true;
    assert_false(is_there(file));
    file_entry_unref(file);
    file_entry_unref(other);
    tear_down();
}

static void test_useless_is_remembered(void **state)
{
    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_of("a", 7, 'a', SIZE);
    uint64_t random = 1;
    for (size_t i = 0; i < SIZE; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        file->content[i] = (char)(random >> 56);
    }
    assert_null(get(file, CODING_GZIP));
    assert_int_equal(compress_cache_entries(cache), 1);
    struct file_entry *entry = NULL;
    struct compression *c = NULL;
    assert_int_equal(compress_cache_find(cache, file, CODING_GZIP, true, &entry, &c),
                     COMPRESS_PLAIN);
    assert_int_equal(compress_cache_jobs(cache), 0);
    file_entry_unref(file);
    tear_down();
}

/* What was not used for longest makes way, and nothing that is being sent. */
static void test_bound(void **state)
{
    enum { FILES = 12, BOUND = 3 * (SIZE + 1000) };
    struct file_entry *file[FILES], *sent;

    (void)state;
    set_up(BOUND);
    for (int i = 0; i < FILES; i++)
        file[i] = file_of((char[]){ (char)('a' + i), '\0' }, (uint64_t)i + 1, (char)i, SIZE);
    sent = get(file[0], CODING_GZIP);
    for (int round = 0; round < 50; round++) {
        for (int i = 1; i < FILES; i++) {
            file_entry_unref(get(file[i], CODING_GZIP));
            assert_true(compress_cache_bytes(cache) <= BOUND);
            file_entry_unref(get(file[1], CODING_GZIP));
        }
    }
    assert_true(is_there(file[0]) && is_there(file[1]) && is_there(file[FILES - 1]));
    file_entry_unref(sent);
    for (int i = 0; i < FILES; i++)
        file_entry_unref(file[i]);
    tear_down();
}

/* All of it is being sent: a file is sent as it is, and nothing is begun. */
static void test_all_in_use(void **state)
{
    enum { FILES = 60, BOUND = SIZE + 4000 };
    struct file_entry *file[FILES], *sent[FILES];
    int kept = 0;

    (void)state;
    set_up(BOUND);
    for (int i = 0; i < FILES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i);
        file[i] = file_of(name, (uint64_t)i + 1, (char)i, SIZE);
        sent[i] = get(file[i], CODING_GZIP);
        kept += sent[i] != NULL;
        assert_true(compress_cache_bytes(cache) <= BOUND);
    }
    assert_true(kept > 1 && kept < FILES && sent[FILES - 1] == NULL);
    for (int i = 0; i < FILES; i++) {
        if (sent[i] != NULL)
            file_entry_unref(sent[i]);
    }
    sent[0] = get(file[FILES - 1], CODING_GZIP);
    assert_non_null(sent[0]);
    file_entry_unref(sent[0]);
    struct file_entry *large = file_of("large", 1000, 'l', 2 * BOUND);
    assert_null(get(large, CODING_GZIP));
    file_entry_unref(large);
    for (int i = 0; i < FILES; i++)
        file_entry_unref(file[i]);
    tear_down();
}

/* Those who come meanwhile do the work together; who leaves changes nothing for the others. */
static void test_shared(void **state)
{
    enum { LARGE = 5 * COMPRESSION_STEP };
    struct compression *c[COMPRESS_USERS_MAX + 1] = { NULL };
    struct file_entry *entry = NULL;

    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_of("a", 7, 'a', LARGE);
    for (int i = 0; i < COMPRESS_USERS_MAX; i++)
        assert_int_equal(compress_cache_find(cache, file, CODING_GZIP, true, &entry, &c[i]),
                         COMPRESS_MAKING);
    assert_ptr_equal(c[0], c[1]);
    assert_int_equal(
        compress_cache_find(cache, file, CODING_GZIP, true, &entry, &c[COMPRESS_USERS_MAX]),
        COMPRESS_PLAIN);
    struct file_source *source = compression_source(c[0]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(source->read(source, NULL, 0), 1);
    for (int i = 2; i < COMPRESS_USERS_MAX; i++)
        compress_cache_leave(cache, c[i]);
    assert_int_equal(source->read(source, NULL, 0), 0);
    assert_int_equal(source->read(source, NULL, 0), 0);
    struct file_entry *first = compress_cache_store(cache, c[0]);
    struct file_entry *second = compress_cache_store(cache, c[1]);
    assert_non_null(first);
    assert_ptr_equal(first, second);
    assert_int_equal(compress_cache_jobs(cache), 0);
    file_entry_unref(first);
    file_entry_unref(second);
    file_entry_unref(file);
    tear_down();
}

static void test_jobs_bound(void **state)
{
    struct file_entry *file[COMPRESS_JOBS_MAX + 1], *entry = NULL;
    struct compression *c[COMPRESS_JOBS_MAX + 1] = { NULL };

    (void)state;
    set_up(1 << 20);
    for (int i = 0; i <= COMPRESS_JOBS_MAX; i++)
        file[i] = file_of((char[]){ (char)('a' + i), '\0' }, (uint64_t)i + 1, 'x', SIZE);
    for (int i = 0; i <= COMPRESS_JOBS_MAX; i++)
        assert_int_equal(compress_cache_find(cache, file[i], CODING_GZIP, true, &entry, &c[i]),
                         i < COMPRESS_JOBS_MAX ? COMPRESS_MAKING : COMPRESS_PLAIN);
    assert_int_equal(compress_cache_jobs(cache), COMPRESS_JOBS_MAX);
    for (int i = 0; i < COMPRESS_JOBS_MAX; i++)
        compress_cache_leave(cache, c[i]);
    assert_int_equal(compress_cache_jobs(cache), 0);
    assert_int_equal(compress_cache_bytes(cache), 0);
    for (int i = 0; i <= COMPRESS_JOBS_MAX; i++)
        file_entry_unref(file[i]);
    tear_down();
}

/* ---- a file that is read ---- */

enum { ON_DISK = 3 * COMPRESSION_STEP + 5 };

static struct file_entry *file_on_disk(int fd)
{
    struct file_job job;

    file_cache_ask(files, -1, ROOT, FILE_SYMLINKS_INSIDE, "disk", 0, NOW_MS, &job);
    job.res = file_meta_look(fd, &job.meta);
    assert_int_equal(job.res, 0);
    job.fd = dup(fd);
    struct file_entry *entry = file_cache_store(files, &job, NOW_MS);
    assert_non_null(entry);
    return entry;
}

static int make_file(void)
{
    static char octets[ON_DISK];
    int fd = memfd_create("compressed", MFD_CLOEXEC);

    assert_true(fd >= 0);
    memset(octets, 'd', sizeof(octets));
    assert_int_equal(write(fd, octets, sizeof(octets)), sizeof(octets));
    return fd;
}

/* Does to the file what `change` does, after one slice; nothing comes of it, or something. */
static void check_changed(int (*change)(int fd), bool made)
{
    struct file_entry *entry = NULL;
    struct compression *c = NULL;
    int fd = make_file();

    set_up(1 << 20);
    struct file_entry *file = file_on_disk(fd);
    assert_int_equal(compress_cache_find(cache, file, CODING_GZIP, true, &entry, &c),
                     COMPRESS_MAKING);
    struct file_source *source = compression_source(c);
    assert_int_equal(source->read(source, NULL, 0), 1);
    usleep(20000); /* the kernel's clock has ticked */
    assert_int_equal(change(fd), 0);
    run_all(c);
    entry = compress_cache_store(cache, c);
    assert_int_equal(entry != NULL, made);
    if (entry != NULL)
        file_entry_unref(entry);
    assert_int_equal(compress_cache_entries(cache), made);
    file_entry_unref(file);
    close(fd);
    tear_down();
}

static int leave_it(int fd)
{
    (void)fd;
    return 0;
}

static int overwrite_it(int fd)
{
    return pwrite(fd, "X", 1, 0) == 1 ? 0 : -1;
}

static int shorten_it(int fd)
{
    return ftruncate(fd, COMPRESSION_STEP + 1);
}

static int lengthen_it(int fd)
{
    return ftruncate(fd, ON_DISK + 1);
}

static void test_changed_meanwhile(void **state)
{
    (void)state;
    check_changed(leave_it, true);
    check_changed(overwrite_it, false);
    check_changed(shorten_it, false);
    check_changed(lengthen_it, false);
}

/* An error of the disk is no answer: nothing is kept, and it is tried again. */
static void test_unreadable(void **state)
{
    struct file_entry *entry = NULL;
    struct compression *c = NULL;
    int fd = make_file();

    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_on_disk(fd);
    int kept = dup(file->fd), folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dup2(folder, file->fd) >= 0); /* pread(2): EISDIR */
    assert_null(get(file, CODING_GZIP));
    assert_int_equal(compress_cache_entries(cache), 0);
    assert_true(dup2(kept, file->fd) >= 0);
    assert_int_equal(compress_cache_find(cache, file, CODING_GZIP, true, &entry, &c),
                     COMPRESS_MAKING);
    run_all(c);
    entry = compress_cache_store(cache, c);
    assert_non_null(entry);
    file_entry_unref(entry);
    file_entry_unref(file);
    close(kept);
    close(folder);
    close(fd);
    tear_down();
}

/* ---- a library that fails ---- */

static bool opens;

static int fail_open(uint64_t size, void **ret_state)
{
    (void)size;
    *ret_state = &opens;
    return opens ? 0 : -ENOMEM;
}

static int fail_run(void *state, struct compressor_io *io, bool last)
{
    (void)state;
    (void)io;
    (void)last;
    return -EIO;
}

static void fail_close(void *state)
{
    assert_ptr_equal(state, &opens);
}

static void test_library_fails(void **state)
{
    static const struct compressor_ops ops = {
        .coding = CODING_GZIP, .open = fail_open, .run = fail_run, .close = fail_close
    };
    struct compression *c = NULL;
    int error = 0;

    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_of("a", 7, 'a', SIZE);
    opens = false;
    assert_int_equal(compression_create(&ops, file, SIZE, &c), -ENOMEM);
    opens = true;
    assert_int_equal(compression_create(&ops, file, SIZE, &c), 0);
    run_all(c);
    assert_int_equal(compression_end(c, &error), COMPRESSION_FAILED);
    assert_int_equal(error, EIO);
    compression_unref(c);
    file_entry_unref(file);
    tear_down();
}

/* Jobs of one compression in several threads: each slice is done once. */
static void *run_in_thread(void *c)
{
    run_all(c);
    return NULL;
}

static void test_threads(void **state)
{
    enum { THREADS = 4 };
    struct compression *c = NULL;
    struct file_entry *entry = NULL;
    pthread_t threads[THREADS];
    int fd = make_file();

    (void)state;
    set_up(1 << 20);
    struct file_entry *file = file_on_disk(fd);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(compress_cache_find(cache, file, CODING_GZIP, true, &entry, &c),
                         COMPRESS_MAKING);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_in_thread, c), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        entry = compress_cache_store(cache, c);
        assert_non_null(entry);
        file_entry_unref(entry);
    }
    file_entry_unref(file);
    close(fd);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_for_all_names),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_useless_is_remembered),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_all_in_use),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_jobs_bound),
        cmocka_unit_test(test_changed_meanwhile),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_library_fails),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
