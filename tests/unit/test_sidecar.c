/* test_sidecar.c: what two requests find out about the sidecars of one file, side by side. A clock
 * and jobs that the test finishes stand for a disk that is slow at the wrong moment. */
#include "http/sidecar.c"

#include "http/file_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROOT = 1, VALID_MS = 1000 };

struct fixture {
    struct config config;
    struct clock clock;
    struct http_env env;
    struct root configured;
    struct http_root root;
    struct location location;
    struct file_entry *page;
    struct http_exchange first, second;
};

static struct fixture f;

/* A search that has found the page. */
static void begin(struct http_exchange *x)
{
    memset(x, 0, sizeof(*x));
    x->env = &f.env;
    x->search.location = &f.location;
    x->search.root = &f.root;
    x->search.name = SPAN_LIT("page");
    x->search.probed_until_ms = UINT64_MAX; /* as where a file is found */
    http_search_set(&x->search.entry, file_entry_ref(f.page));
}

static int set_up(void **state)
{
    struct file_job job;

    (void)state;
    f = (struct fixture){ .config.cache_valid_ms = VALID_MS,
                          .clock.now_ms = 10000,
                          .root = { .id = ROOT, .fd = -1 },
                          .location.symlinks = FILE_SYMLINKS_INSIDE,
                          .location.precompressed = 1u << CODING_BR | 1u << CODING_GZIP };
    f.env.config = &f.config;
    f.env.clock = &f.clock;
    f.root.configured = f.location.root = &f.configured;
    assert_int_equal(file_cache_create(16, 1 << 20, VALID_MS, 60000, &f.env.cache), 0);
    file_cache_ask(f.env.cache, -1, ROOT, FILE_SYMLINKS_INSIDE, "page", 0, 10000, &job);
    job.res = 0;
    job.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    job.meta = (struct file_meta){ .ino = 1, .size = 5, .kind = FILE_REGULAR };
    f.page = file_cache_store(f.env.cache, &job, 10000);
    assert_non_null(f.page);
    begin(&f.first);
    begin(&f.second);
    return 0;
}

/* It has what it needs. */
static void end(struct http_exchange *x)
{
    http_search_set(&x->search.entry, NULL);
    http_search_set(&x->search.opened, NULL); /* others have found out what it wanted to know */
}

static int tear_down(void **state)
{
    (void)state;
    end(&f.first);
    end(&f.second);
    file_entry_unref(f.page);
    file_cache_destroy(f.env.cache);
    return 0;
}

/* Goes on with the probe; it wants this file looked at, at `now_ms`. */
static void wants(struct http_exchange *x, uint64_t now_ms, const char *path)
{
    f.clock.now_ms = now_ms;
    assert_int_equal(http_sidecar_probe(x), HTTP_STATIC_NEXT);
    assert_int_equal(x->job_state, HTTP_JOB_WANTED);
    assert_string_equal(x->job.path, path);
}

/* The look that it wanted ends, at `now_ms`. */
static void ends(struct http_exchange *x, uint64_t now_ms, bool is_there)
{
    f.clock.now_ms = now_ms;
    x->job.res = is_there ? 0 : -ENOENT;
    if (is_there) {
        x->job.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        x->job.meta = (struct file_meta){ .ino = 2, .size = 3, .kind = FILE_REGULAR };
    }
    http_static_job_done(x);
}

/* The probe has seen all, and found these. */
static void finds(struct http_exchange *x, unsigned codings)
{
    assert_int_equal(http_sidecar_probe(x), HTTP_STATIC_NEXT);
    assert_int_equal(x->job_state, HTTP_JOB_NONE);
    assert_int_equal(x->search.found_codings, codings);
}

/* What a request that comes at `now_ms` is told without a look. */
static void next_one_finds(uint64_t now_ms, unsigned codings)
{
    f.clock.now_ms = now_ms;
    end(&f.first);
    begin(&f.first);
    finds(&f.first, codings);
}

enum { BR = 1u << CODING_BR, GZIP = 1u << CODING_GZIP };

static void test_remembered(void **state)
{
    (void)state;
    wants(&f.first, 10000, "page.gz");
    ends(&f.first, 10000, true);
    wants(&f.first, 10000, "page.br");
    ends(&f.first, 10000, false);
    finds(&f.first, GZIP);
    next_one_finds(10999, GZIP);
    end(&f.first);
    begin(&f.first);
    wants(&f.first, 11000, "page.gz");
    ends(&f.first, 11000, false);
}

/* One request looks for page.gz, and is then held up by the look for page.br. Meanwhile page.gz is
 * made, and another request finds it: what the first one saw before does not hide it again. */
static void test_slow_probe_hides_nothing(void **state)
{
    (void)state;
    wants(&f.first, 10000, "page.gz");
    ends(&f.first, 10000, false);
    wants(&f.first, 10000, "page.br");
    wants(&f.second, 11500, "page.gz");
    ends(&f.second, 11500, true);
    wants(&f.second, 11500, "page.br");
    ends(&f.second, 11500, false);
    finds(&f.second, GZIP);
    ends(&f.first, 11600, false);
    finds(&f.first, 0);
    next_one_finds(11700, GZIP);
}

/* Alone, what a slow probe saw at first is believed for no longer than other looks of its age. */
static void test_slow_probe_is_as_old_as_its_first_look(void **state)
{
    (void)state;
    wants(&f.first, 10000, "page.gz");
    ends(&f.first, 10000, false);
    wants(&f.first, 10000, "page.br");
    ends(&f.first, 11600, true);
    finds(&f.first, BR);
    wants(&f.second, 11700, "page.gz");
    ends(&f.second, 11700, true);
}

/* Locations ask for different codings: what is known of the one stays beside what is found of the
 * other, and neither is believed for longer than its own look. */
static void test_codings_of_two_ages(void **state)
{
    (void)state;
    f.location.precompressed = GZIP;
    wants(&f.first, 10000, "page.gz");
    ends(&f.first, 10000, true);
    finds(&f.first, GZIP);
    f.location.precompressed = BR | GZIP;
    wants(&f.second, 10600, "page.br");
    ends(&f.second, 10600, true);
    finds(&f.second, BR | GZIP);
    next_one_finds(10999, BR | GZIP);
    end(&f.first);
    begin(&f.first);
    wants(&f.first, 11001, "page.gz");
    ends(&f.first, 11001, false);
    finds(&f.first, BR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_probe_hides_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_probe_is_as_old_as_its_first_look, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_codings_of_two_ages, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
