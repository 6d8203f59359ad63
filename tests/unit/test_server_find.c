/* test_server_find.c: names of servers, exact, with an asterisk, and unknown. */
#include "core/server_find.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char *first_hosts[] = { "first.example", "*.first.example" };
static char *deep_hosts[] = { "*.deep.first.example" };
static char *www_hosts[] = { "www.deep.first.example", "*.org" };
static struct server servers[] = {
    { .hosts = first_hosts, .hosts_count = 2 },
    { .hosts = deep_hosts, .hosts_count = 1 },
    { .hosts = www_hosts, .hosts_count = 2 },
};
static struct server *all[] = { &servers[0], &servers[1], &servers[2] };

static void test_names(void **state)
{
    (void)state;
    const struct listen_config listen = { .servers = all, .servers_count = 3 };
    static const struct {
        const char *host;
        size_t server;
    } rows[] = {
        { "first.example", 0 },
        { "FIRST.Example", 0 },
        { "first.example.", 0 },
        { "a.first.example", 0 },
        { "a.b.first.example", 0 },
        { "deep.first.example", 0 },
        { "a.deep.first.example", 1 },   /* the longest wildcard, not the first one */
        { "A.B.deep.first.example", 1 }, /* an asterisk stands for several labels */
        { "www.deep.first.example", 2 }, /* an exact name before any wildcard */
        { "gnu.org", 2 },
        { "gnu.ORG.", 2 },
        { "org", 0 }, /* an asterisk stands for one label at least */
        { ".org", 0 },
        { "notfirst.example", 0 },
        { "www.deep.first.example.net", 0 },
        { "", 0 },
        { ".", 0 },
        { "*.org", 2 }, /* no name in the world, but it lies below org */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct server *found = server_find(&listen, span_str(rows[i].host));
        if (found != &servers[rows[i].server])
            print_error("%s\n", rows[i].host);
        assert_ptr_equal(found, &servers[rows[i].server]);
    }
}

static void test_unknown_names_get_the_first_of_the_address(void **state)
{
    (void)state;
    struct server *turned[] = { &servers[2], &servers[0] };
    const struct listen_config listen = { .servers = turned, .servers_count = 2 };
    assert_ptr_equal(server_find(&listen, SPAN_LIT("nobody.example")), &servers[2]);
    assert_ptr_equal(server_find(&listen, SPAN_LIT("")), &servers[2]);
    assert_ptr_equal(server_find(&listen, SPAN_LIT("first.example")), &servers[0]);
}

static void test_one_server_answers_to_all(void **state)
{
    (void)state;
    struct server *one[] = { &servers[1] };
    const struct listen_config listen = { .servers = one, .servers_count = 1 };
    assert_ptr_equal(server_find(&listen, SPAN_LIT("first.example")), &servers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_names_get_the_first_of_the_address),
        cmocka_unit_test(test_one_server_answers_to_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
