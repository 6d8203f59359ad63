/* test_config_memory.c: a load in which one allocation fails, each in turn: it ends with -ENOMEM
 * and a sentence, and leaves nothing behind (ASan). */
#include <stddef.h>
#include <stdlib.h>

static void *failing_calloc(size_t count, size_t size);

#define calloc           failing_calloc
#define ARENA_CHUNK_SIZE ((size_t)16)
#include "core/arena.c"
#undef calloc

#include "config_fixture.h"

static size_t calls_left; /* until one fails */

static void *failing_calloc(size_t count, size_t size)
{
    if (calls_left == 0)
        return NULL;
    calls_left--;
    return calloc(count, size);
}

static void test_every_allocation(void **state)
{
    static const char text[] =
        "threads = 2 types = {\"a=b/c\"} include(\"sites/m*.conf\")\n"
        "server a { root = /srv/www alias_hosts = {b} listen = {\"1.1.1.1:1 congestion=reno\",\n"
        "\"unix:/a\"} access_log = x.log headers = {\"A: $engine\"} error_pages = {\"404=/4\"}\n"
        "precompressed = br try = {\"$uri\"} redirect \"/o/\" { to = \"/n/\" }\n"
        "cache \"*.css\" { control = public expires = 1y } location \"/x/\" { alias = /srv/other } "
        "}\nserver t { root = /srv/www listen = \"2.2.2.2:2 tls\" certificate = {a, b} "
        "key = {a, c} }";
    static const char *const settings[] = { "index={\"a\", \"b\"}", "autoindex=on" };
    struct fixture fixture = { .files = { { "/site/server.conf", text },
                                          { "/site/sites/more.conf", "user = x" } },
                               .files_count = 2 };
    const struct config_source sources[] = {
        { .file = "server.conf" },
        { .file = "server.conf",
          .root = "/srv/www",
          .settings = settings,
          .settings_count = ARRAY_LEN(settings),
          .listen = "[::1]:1",
          .tls_listen = "[::1]:2 tls",
          .tls_self_signed = true,
          .engine = "e",
          .use_environment = true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        struct config *config = NULL;
        size_t failures = 0;

        for (calls_left = 0; fixture_load(&fixture, &sources[i], &config) < 0;
             calls_left = failures) {
            assert_null(config);
            assert_string_equal(fixture.why, "there is no memory for the configuration");
            assert_in_range(++failures, 1, 10000);
        }
        assert_in_range(failures, 100, 10000);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
