/* test_server_find.c: names of servers, exact, with an asterisk, and unknown. */
#include "config/server_find.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

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

static struct arena *arena;

static struct listen_config listen_at(struct server **at, size_t count)
{
    struct listen_config listen = { .servers = at, .servers_count = count };

    assert_int_equal(server_names_make(arena, &listen), 0);
    return listen;
}

static void test_names(void **state)
{
    (void)state;
    const struct listen_config listen = listen_at(all, 3);
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
        { ".first.example", 0 },
        { ".deep.first.example", 0 },
        { "..org", 2 },
        { "notfirst.example", 0 },
        { "www.deep.first.example.net", 0 },
        { "", 0 },
        { ".", 0 },
        { "..", 0 },
        { "a.", 0 },
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
    const struct listen_config listen = listen_at(turned, 2);
    assert_ptr_equal(server_find(&listen, SPAN_LIT("nobody.example")), &servers[2]);
    assert_ptr_equal(server_find(&listen, SPAN_LIT("")), &servers[2]);
    assert_ptr_equal(server_find(&listen, SPAN_LIT("first.example")), &servers[0]);
}

static void test_one_server_answers_to_all(void **state)
{
    (void)state;
    struct server *one[] = { &servers[1] };
    const struct listen_config listen = listen_at(one, 1);
    assert_ptr_equal(server_find(&listen, SPAN_LIT("first.example")), &servers[1]);
}

/* The rule without a table: each name is compared with each host. */
static const struct server *naive_find(const struct listen_config *listen, struct span host)
{
    const struct server *best = listen->servers[0];
    size_t best_len = 0;

    for (size_t i = 0; i < listen->servers_count; i++) {
        for (size_t j = 0; j < listen->servers[i]->hosts_count; j++) {
            struct span name = span_str(listen->servers[i]->hosts[j]);
            struct span end = span_make(name.ptr + 1, name.len - 1);

            if (span_caseeq(name, host) && name.ptr[0] != '*')
                return listen->servers[i];
            if (name.ptr[0] == '*' && host.len > end.len && name.len > best_len &&
                span_caseeq(end, span_make(host.ptr + host.len - end.len, end.len))) {
                best = listen->servers[i];
                best_len = name.len;
            }
        }
    }
    return best;
}

/* Labels of few letters, so that names lie below one another, and so do hosts. */
static void random_name(char *text, unsigned labels)
{
    for (unsigned i = 0; i < labels; i++) {
        *text++ = (char)("abAB"[rand() % 4]);
        if (rand() % 2 == 0)
            *text++ = (char)("ab"[rand() % 2]);
        *text++ = i + 1 < labels ? '.' : '\0';
    }
}

static void test_against_naive(void **state)
{
    enum { SERVERS = 200, HOST_SIZE = 64 };
    static char texts[SERVERS][HOST_SIZE];
    static char *hosts[SERVERS];
    static struct server many[SERVERS];
    static struct server *listed[SERVERS];
    size_t count = 0, found_others = 0;

    (void)state;
    srand(7);
    for (size_t i = 0; i < SERVERS; i++) {
        char *text = texts[count];
        bool taken = false;

        memcpy(text, "*.", 2);
        random_name(text + (i % 2) * 2, 1 + (unsigned)rand() % 4);
        for (char *at = text; *at != '\0'; at++)
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at);
        for (size_t j = 0; j < count; j++)
            taken |= strcmp(texts[j], text) == 0;
        if (taken)
            continue;
        hosts[count] = text;
        many[count] = (struct server){ .hosts = &hosts[count], .hosts_count = 1 };
        listed[count] = &many[count];
        count++;
    }
    const struct listen_config listen = listen_at(listed, count);
    for (unsigned i = 0; i < 100000; i++) {
        char host[HOST_SIZE];

        random_name(host, 1 + (unsigned)rand() % 6);
        const struct server *want = naive_find(&listen, span_str(host));
        assert_ptr_equal(server_find(&listen, span_str(host)), want);
        found_others += want != &many[0];
    }
    assert_true(found_others > 10000);
}

/* Whatever a client sends as a host ends. */
static void test_long_hosts(void **state)
{
    static char host[8000];
    const struct listen_config listen = listen_at(all, 3);

    (void)state;
    for (size_t i = 0; i < sizeof(host); i++)
        host[i] = i % 2 == 0 ? 'a' : '.';
    assert_ptr_equal(server_find(&listen, span_make(host, sizeof(host))), &servers[0]);
    memcpy(host + sizeof(host) - 4, ".org", 4);
    assert_ptr_equal(server_find(&listen, span_make(host, sizeof(host))), &servers[2]);
}

static int make_arena(void **state)
{
    (void)state;
    arena = arena_create();
    return arena == NULL;
}

static int end_arena(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_names_get_the_first_of_the_address),
        cmocka_unit_test(test_one_server_answers_to_all),
        cmocka_unit_test(test_against_naive),
        cmocka_unit_test(test_long_hosts),
    };
    return cmocka_run_group_tests(tests, make_arena, end_arena);
}
