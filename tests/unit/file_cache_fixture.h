/* file_cache_fixture.h: made-up jobs, real descriptors, so that a leak or a double close shows. For
 * the tests of http/file_cache.c. Once a program. */
#ifndef TESTS_UNIT_FILE_CACHE_FIXTURE_H
#define TESTS_UNIT_FILE_CACHE_FIXTURE_H

#include "http/file_cache_internal.h"

#include "core/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROOT = 100, VALID_MS = 1000, LARGE = 1 << 20 };

#define INSIDE FILE_SYMLINKS_INSIDE

static inline int first_free_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

static int fd_at_start;

static inline int set_up(void **state)
{
    (void)state;
    fd_at_start = first_free_fd();
    return 0;
}

/* Every test gives back every descriptor; memory is LeakSanitizer's to check. */
static inline int tear_down(void **state)
{
    (void)state;
    return first_free_fd() == fd_at_start ? 0 : -1;
}

static inline struct file_cache *make_cache(uint32_t files_max, uint64_t bytes_max)
{
    struct file_cache *cache;

    assert_int_equal(file_cache_create(files_max, bytes_max, VALID_MS, 60000, &cache), 0);
    return cache;
}

/* A finished job: a regular file with the inode `ino` and `content` (NULL: none is kept). */
static inline struct file_job file_found(uint64_t ino, const char *content)
{
    struct file_job job;

    file_job_init_open(&job, ROOT, "unused", INSIDE, 0);
    job.res = 0;
    job.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(job.fd >= 0);
    job.meta = (struct file_meta){ .ino = ino, .size = 1000, .kind = FILE_REGULAR };
    if (content != NULL) {
        job.meta.size = strlen(content);
        job.content = strdup(content);
    }
    return job;
}

static inline struct file_job file_failed(int error)
{
    struct file_job job;

    file_job_init_open(&job, ROOT, "unused", INSIDE, 0);
    job.res = -error;
    return job;
}

/* The results `found`, of the question `asked`, arrive. */
static inline struct file_entry *arrive(struct file_cache *cache, const struct file_job *asked,
                                        struct file_job found, uint64_t now_ms)
{
    struct file_job job = *asked;
    struct file_entry *entry;

    job.res = found.res;
    job.fd = found.fd;
    job.meta = found.meta;
    job.content = found.content;
    entry = file_cache_store(cache, &job, now_ms);
    assert_non_null(entry);
    assert_int_equal(job.fd, -1);
    assert_null(job.content);
    return entry;
}

static inline struct file_job ask(struct file_cache *cache, const char *path, uint64_t now_ms)
{
    struct file_job job;

    file_cache_ask(cache, ROOT, ROOT, INSIDE, path, 0, now_ms, &job);
    return job;
}

/* Asks, and is told at once. */
static inline struct file_entry *store(struct file_cache *cache, const char *path,
                                       struct file_job job, uint64_t now_ms)
{
    struct file_job asked = ask(cache, path, now_ms);

    return arrive(cache, &asked, job, now_ms);
}

/* Stores and lets go. */
static inline void keep(struct file_cache *cache, const char *path, struct file_job job,
                        uint64_t now_ms)
{
    file_entry_unref(store(cache, path, job, now_ms));
}

static inline struct file_entry *find(struct file_cache *cache, const char *path, uint64_t now_ms)
{
    return file_cache_find(cache, ROOT, INSIDE, span_str(path), now_ms);
}

/* Is it found? Counts as a use. */
static inline bool has(struct file_cache *cache, const char *path, uint64_t now_ms)
{
    struct file_entry *entry = find(cache, path, now_ms);

    if (entry == NULL)
        return false;
    file_entry_unref(entry);
    return true;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
