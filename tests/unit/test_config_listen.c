/* test_config_listen.c: addresses and their parameters, and which servers share them. */
#include "config/config_listen.c"

#include "config/server_find.h"
#include "config_fixture.h"

#define ALLOWED                                                                                    \
    "; allowed: a.b.c.d:port, [IPv6]:port, host:port, :port for all addresses, unix:/path or "     \
    "systemd:name, then any of tls, "                                                              \
    "proxy_protocol, deferred, backlog=1..65535, congestion=name and ipv6only=on|off"

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *address, *host;
        enum listen_kind kind;
        unsigned port;
        int backlog;
        const char *congestion;
        bool ipv6_only;
    } rows[] = {
        { "127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", LISTEN_IPV4, 8080, 511, NULL, false },
        { "0.0.0.0:0", "0.0.0.0:0", "0.0.0.0", LISTEN_IPV4, 0, 511, NULL, false },
        { " 1.2.3.4:65535\tbacklog=1  congestion=reno ", "1.2.3.4:65535", "1.2.3.4", LISTEN_IPV4,
          65535, 1, "reno", false },
        { "[::]:80 deferred", "[::]:80", "::", LISTEN_IPV6, 80, 511, NULL, true },
        { "[0:0::1]:080 ipv6only=off", "[::1]:80", "::1", LISTEN_IPV6, 80, 511, NULL, false },
        { "unix:/run/g.sock backlog=65535", "unix:/run/g.sock", "/run/g.sock", LISTEN_UNIX, 0,
          65535, NULL, false },
        { "unix:run/./g.sock", "unix:/site/run/g.sock", "/site/run/g.sock", LISTEN_UNIX, 0, 511,
          NULL, false },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct listen_config *listen;
        struct config *config;
        char text[256];

        snprintf(text, sizeof(text), "server a { root = /srv/www listen = {\"%s\"} }",
                 rows[i].text);
        config = fixture_config(&fixture, text);
        assert_int_equal(config->listens_count, 1);
        listen = &config->listens[0];
        assert_string_equal(listen->text, rows[i].address);
        assert_string_equal(listen->host, rows[i].host);
        assert_int_equal(listen->kind, rows[i].kind);
        assert_int_equal(listen->port, rows[i].port);
        assert_int_equal(listen->backlog, rows[i].backlog);
        assert_int_equal(listen->ipv6_only, rows[i].ipv6_only);
        assert_int_equal(listen->deferred, strstr(rows[i].text, "deferred") != NULL);
        assert_int_equal(listen->congestion == NULL, rows[i].congestion == NULL);
        if (listen->congestion != NULL)
            assert_string_equal(listen->congestion, rows[i].congestion);
        config_free(config);
    }
}

/* With the slash before it, one more than a sockaddr_un holds. */
#define DIGITS_107                                                                                 \
    "012345678901234567890123456789012345678901234567890123456789"                                 \
    "01234567890123456789012345678901234567890123456"

static void test_refused(void **state)
{
    static const struct {
        const char *text, *what;
    } rows[] = {
        { "", "\"\" is empty" },
        { "808o", "\"808o\" has no port" },
        { "65536", "\"65536\" is no port from 0 to 65535" },
        { ":", "\"\" is no port from 0 to 65535" },
        { "127.0.0.1", "\"127.0.0.1\" has no port" },
        { "127.0.0.1:", "\"\" is no port from 0 to 65535" },
        { "127.0.0.1:65536", "\"65536\" is no port from 0 to 65535" },
        { "127.0.0.1:http", "\"http\" is no port from 0 to 65535" },
        { "localhost", "\"localhost\" has no port" },
        { "**:80", "\"**\" is neither an IPv4 address nor the name of a host" },
        { "1.2.3:80", "\"1.2.3\" is neither an IPv4 address nor the name of a host" },
        { "::1:80", "\"::1\" is neither an IPv4 address nor the name of a host" },
        { "a/b:80", "\"a/b\" is neither an IPv4 address nor the name of a host" },
        { "[one.test]:80", "\"one.test\" is no IPv6 address" },
        { "one.test:80 ipv6only=on", "\"ipv6only=on\" is no parameter of \"one.test:80\"" },
        { "[::1]", "\"[::1]\" has no port behind ]" },
        { "[::1:80", "\"[::1:80\" has no port behind ]" },
        { "[1.2.3.4]:80", "\"1.2.3.4\" is no IPv6 address" },
        { "unix:", "\"unix:\" has no path behind unix:" },
        { "1.2.3.4:80 backlog=0", "backlog \"0\" is no number from 1 to 65535" },
        { "1.2.3.4:80 backlog", "backlog \"\" is no number from 1 to 65535" },
        { "1.2.3.4:80 backlog=65536", "backlog \"65536\" is no number from 1 to 65535" },
        { "1.2.3.4:80 congestion=", "congestion \"\" is no name of a congestion control" },
        { "1.2.3.4:80 congestion=0123456789012345",
          "congestion \"0123456789012345\" is no name of a congestion control" },
        { "1.2.3.4:80 ipv6only=on", "\"ipv6only=on\" is no parameter of \"1.2.3.4:80\"" },
        { "[::1]:80 ipv6only=yes", "ipv6only \"yes\" is neither on nor off" },
        { "1.2.3.4:80 deferred=on", "\"deferred=on\" is no parameter of \"1.2.3.4:80\"" },
        { "unix:/a deferred", "\"deferred\" is no parameter of \"unix:/a\"" },
        { "unix:/a congestion=reno", "\"congestion=reno\" is no parameter of \"unix:/a\"" },
        { "1.2.3.4:80 ssl", "\"ssl\" is no parameter of \"1.2.3.4:80\"" },
        { "1.2.3.4:80 tls=on", "\"tls=on\" is no parameter of \"1.2.3.4:80\"" },
        { "unix:/" DIGITS_107,
          "\"/" DIGITS_107 "\" is longer than 107 characters, the most for a unix socket" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512], why[1024];
        struct refusal row = { text, why };

        snprintf(text, sizeof(text), "server a { root = /srv/www\nlisten = {\"%s\"} }",
                 rows[i].text);
        snprintf(why, sizeof(why), "server.conf:2: listen: %s%s", rows[i].what, ALLOWED);
        fixture_refuse(&fixture, &row, 1);
    }
}

static void test_shared(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "server a { root = /srv/www listen = {\"1.1.1.1:1 backlog=9\", "
                                 "\"2.2.2.2:2\"} }\n"
                                 "server b { root = /srv/www listen = {\"1.1.1.1:1\"} }\n"
                                 "server c { root = /srv/www listen = {\"3.3.3.3:3\", "
                                 "\"1.1.1.1:01 backlog=9\"} }\n"
                                 "server b { root = /srv/www listen = {\"2.2.2.2:2\"} }\n");

    (void)state;
    assert_int_equal(config->listens_count, 3);
    assert_int_equal(config->listens[0].servers_count, 3);
    assert_ptr_equal(config->listens[0].servers[0], &config->servers[0]);
    assert_ptr_equal(config->listens[0].servers[1], &config->servers[1]);
    assert_ptr_equal(config->listens[0].servers[2], &config->servers[2]);
    assert_int_equal(config->listens[0].backlog, 9);
    assert_int_equal(config->listens[1].servers_count, 2);
    assert_ptr_equal(config->listens[1].servers[1], &config->servers[3]);
    assert_string_equal(config->listens[2].text, "3.3.3.3:3");
    config_free(config);
}

static void test_shared_refused(void **state)
{
    static const struct refusal rows[] = {
        { "server a { root = /srv/www listen = {} }",
          "server.conf:1: listen: the list is empty; name at least one address, or leave listen "
          "out" },
        { "server a { root = /srv/www listen = {\"[::1]:1\",\n\"[0::1]:1\"} }",
          "server.conf:2: listen: \"[::1]:1\" stands twice in one server" ALLOWED },
        { "server a { root = /srv/www listen = \"1.1.1.1:1 backlog=5\" }\n"
          "server b { root = /srv/www listen = \"1.1.1.1:1 backlog=6\" }",
          "server.conf:2: listen: \"1.1.1.1:1 backlog=6\" has other parameters than where it is "
          "named "
          "first; parameters need to stand there only" ALLOWED },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

/* A name is all of its addresses. */
static void test_names(void **state)
{
    static const struct refusal refused[] = {
        { "server a { root = /srv/www listen = \"none.test:80\" }",
          "server.conf:1: listen: \"none.test\" has no addresses: no such host is known" },
        { "server a { root = /srv/www listen = {\"one.test:80\",\n\"192.0.2.1:80\"} }",
          "server.conf:2: listen: \"192.0.2.1:80\" stands twice in one server: it is an address of "
          "one.test" ALLOWED },
        { "server a { root = /srv/www listen = {\"one.test:80\",\n\"two.test:80\"} }",
          "server.conf:2: listen: \"192.0.2.1:80\" stands twice in one server: it is an address of "
          "two.test" ALLOWED },
        { "server a { root = /srv/www listen = {\"0.0.0.0:80\",\n\"two.test:80\"} }",
          "server.conf:2: listen: \"192.0.2.1:80\" and \"0.0.0.0:80\" (server.conf:1) overlap: "
          "connections to one address would come in at both: take one of them out" },
    };
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "server a { root = /srv/www listen = {\"two.test:80 backlog=9\", "
                                 "\"one.test:81\"} }\n"
                                 "server b { root = /srv/www listen = {\"192.0.2.1:80\"} }");

    (void)state;
    assert_int_equal(config->listens_count, 3);
    assert_string_equal(config->listens[0].text, "192.0.2.1:80");
    assert_string_equal(config->listens[0].name, "two.test");
    assert_int_equal(config->listens[0].servers_count, 2);
    assert_string_equal(config->listens[1].text, "[2001:db8::1]:80");
    assert_int_equal(config->listens[1].kind, LISTEN_IPV6);
    assert_int_equal(config->listens[1].backlog, 9);
    assert_true(config->listens[1].ipv6_only);
    assert_int_equal(config->listens[1].servers_count, 1);
    assert_string_equal(config->listens[2].text, "192.0.2.1:81");
    config_free(config);
    /* A blank before a name hides nothing: there is room for each of its addresses. */
    config = fixture_config(&fixture, "server a { root = /srv/www listen = \" two.test:80\" }");
    assert_int_equal(config->listens_count, 2);
    config_free(config);
    fixture_refuse(&fixture, refused, ARRAY_LEN(refused));
}

/* A port alone is all addresses, of both kinds. */
static void test_all_addresses(void **state)
{
    static const char *const rows[] = { "8080", "\":8080\"", "\"*:8080\"", "\" \t8080\"" };
    static const struct refusal refused[] = {
        { "server a { root = /srv/www listen = {80,\n\"127.0.0.1:80\"} }",
          "server.conf:2: listen: \"127.0.0.1:80\" and \"0.0.0.0:80\" (server.conf:1) overlap: "
          "connections to one address would come in at both: take one of them out" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config *config;
        char text[128];

        snprintf(text, sizeof(text), "server a { root = /srv/www listen = %s }", rows[i]);
        config = fixture_config(&fixture, text);
        assert_int_equal(config->listens_count, 2);
        assert_string_equal(config->listens[0].text, "0.0.0.0:8080");
        assert_string_equal(config->listens[1].text, "[::]:8080");
        assert_true(config->listens[1].ipv6_only);
        config_free(config);
    }
    fixture_refuse(&fixture, refused, ARRAY_LEN(refused));
}

/* A server for all other names is the default of its addresses, wherever it stands. */
static void test_default_server(void **state)
{
    static const struct refusal refused[] = {
        { "server _ { }\nserver b { root = /srv/www alias_hosts = {_} }",
          "server.conf:2: server: the name \"_\" is taken, at 127.0.0.1:8080, by the server at "
          "server.conf:1; give one of the two another name, or another address" },
        { "server _ { listen = {\"1.1.1.1:1\",\n\"1.1.1.1:1\"} }",
          "server.conf:2: listen: \"1.1.1.1:1\" stands twice in one server" ALLOWED },
    };
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "server a { root = /srv/www listen = {\"1.1.1.1:1\", 2} }\n"
                                 "server b { root = /srv/www listen = {\"1.1.1.1:1\"} }\n"
                                 "server \"_\" { listen = \"1.1.1.1:1\" }\n"
                                 "server c { root = /srv/www listen = {\"1.1.1.1:1\"} }");
    const struct listen_config *listen = &config->listens[0];

    (void)state;
    assert_int_equal(listen->servers_count, 4);
    assert_string_equal(listen->servers[0]->name, "_");
    assert_string_equal(listen->servers[1]->name, "a");
    assert_string_equal(listen->servers[2]->name, "b");
    assert_string_equal(listen->servers[3]->name, "c");
    assert_string_equal(config->listens[1].servers[0]->name, "a");
    assert_null(listen->servers[0]->locations[0].root);
    assert_string_equal(server_find(listen, SPAN_LIT("b"))->name, "b");
    assert_string_equal(server_find(listen, SPAN_LIT("x"))->name, "_");
    assert_string_equal(server_find(listen, SPAN_LIT(""))->name, "_");
    config_free(config);
    fixture_refuse(&fixture, refused, ARRAY_LEN(refused));
}

/* What the kernel would refuse to have side by side, and what it has. */
static void test_overlap(void **state)
{
#define SERVER(listen) "server a { root = /srv/www\nlisten = {" listen "} }\n"
    static const struct refusal refused[] = {
        { SERVER("\"127.0.0.1:80\"") SERVER("\"[::]:80 ipv6only=off\""),
          "server.conf:4: listen: \"[::]:80\" and \"127.0.0.1:80\" (server.conf:2) overlap: "
          "connections to one address would come in at both: take one of them out, or set "
          "ipv6only=on" },
        { SERVER("\"[::]:80 ipv6only=off\",\n\"127.0.0.1:80\""),
          "server.conf:3: listen: \"127.0.0.1:80\" and \"[::]:80\" (server.conf:2) overlap: "
          "connections to one address would come in at both: take one of them out, or set "
          "ipv6only=on" },
        { SERVER("\"0.0.0.0:80\",\n\"1.2.3.4:80\""),
          "server.conf:3: listen: \"1.2.3.4:80\" and \"0.0.0.0:80\" (server.conf:2) overlap: "
          "connections to one address would come in at both: take one of them out" },
        { SERVER("\"[::1]:80\",\n\"[::]:80\""),
          "server.conf:3: listen: \"[::]:80\" and \"[::1]:80\" (server.conf:2) overlap: "
          "connections to one address would come in at both: take one of them out" },
        { SERVER("\"0.0.0.0:80\",\n\"[::]:80 ipv6only=off\""),
          "server.conf:3: listen: \"[::]:80\" and \"0.0.0.0:80\" (server.conf:2) overlap: "
          "connections to one address would come in at both: take one of them out, or set "
          "ipv6only=on" },
        { SERVER("\"1.2.3.4:80\",\n\"[::ffff:1.2.3.4]:80 ipv6only=off\""),
          "server.conf:3: listen: \"[::ffff:1.2.3.4]:80\" and \"1.2.3.4:80\" (server.conf:2) "
          "overlap: connections to one address would come in at both: take one of them out, or set "
          "ipv6only=on" },
    };
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, SERVER("\"127.0.0.1:80\", \"[::]:80\", \"127.0.0.2:80\", \"0.0.0.0:81\","
                         "\"[::]:81\", \"0.0.0.0:0\", \"127.0.0.1:0\", \"[::]:0 ipv6only=off\","
                         "\"unix:/a\", \"unix:/b\""));

    (void)state;
    assert_int_equal(config->listens_count, 10);
    config_free(config);
    fixture_refuse(&fixture, refused, ARRAY_LEN(refused));
}

/* An address has TLS for all of its servers, and each of them says so; but with port 0 there are
 * two ports. */
static void test_tls(void **state)
{
    static const char text[] =
        "server a { root = /srv/www certificate = a.pem listen = {\"1.1.1.1:1 tls backlog=9\", "
        "\"1.1.1.1:2\", \"127.0.0.1:0\", \"127.0.0.1:0 tls\", \"unix:/a tls\"} }\n"
        "server b { root = /srv/www certificate = b.pem listen = {\"1.1.1.1:1 tls\", "
        "\"127.0.0.1:0 tls\"} }";
    static const struct {
        const char *text;
        bool tls;
        size_t servers;
    } rows[] = {
        { "1.1.1.1:1", true, 2 },   { "1.1.1.1:2", false, 1 }, { "127.0.0.1:0", false, 1 },
        { "127.0.0.1:0", true, 2 }, { "unix:/a", true, 1 },
    };
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, text);

    (void)state;
    assert_int_equal(config->listens_count, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(config->listens[i].text, rows[i].text);
        assert_int_equal(config->listens[i].tls, rows[i].tls);
        assert_int_equal(config->listens[i].servers_count, rows[i].servers);
    }
    assert_int_equal(config->listens[0].backlog, 9);
    config_free(config);
}

static void test_tls_refused(void **state)
{
#define DIFFERS                                                                                    \
    " has tls behind it in one place and not in another; what an address begins with is the same " \
    "for all of its servers" ALLOWED
    static const struct refusal rows[] = {
        { "server a { root = /srv/www certificate = a listen = \"1.1.1.1:1 tls\" }\n"
          "server b { root = /srv/www listen = \"1.1.1.1:1\" }",
          "server.conf:2: listen: \"1.1.1.1:1\"" DIFFERS },
        { "server a { root = /srv/www listen = \"1.1.1.1:1\" }\n"
          "server b { root = /srv/www certificate = a listen = \"1.1.1.1:1 tls\" }",
          "server.conf:2: listen: \"1.1.1.1:1\"" DIFFERS },
        { "server a { root = /srv/www certificate = a listen = {\"unix:/a\", \"unix:/a tls\"} }",
          "server.conf:1: listen: \"unix:/a\"" DIFFERS },
        { "server a { root = /srv/www certificate = a listen = {\"1.1.1.1:0 tls\",\n"
          "\"1.1.1.1:0 tls\"} }",
          "server.conf:2: listen: \"1.1.1.1:0\" stands twice in one server" ALLOWED },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

/* Likewise proxy_protocol, with TLS or without; and somebody has to be trusted. */
static void test_proxy_protocol(void **state)
{
    static const char text[] =
        "trusted = {\"unix:\", \"10.0.0.0/8\"}\n"
        "server a { root = /srv/www certificate = a key = a listen = {\"1.1.1.1:1 "
        "proxy_protocol\", "
        "\"127.0.0.1:0\", \"127.0.0.1:0 proxy_protocol\", \"127.0.0.1:0 proxy_protocol tls\", "
        "\"127.0.0.1:0 tls\", \"unix:/a proxy_protocol backlog=3\"} }\n"
        "server b { root = /srv/www listen = {\"1.1.1.1:1 proxy_protocol\", "
        "\"127.0.0.1:0 proxy_protocol\"} }";
    static const struct {
        bool proxy, tls;
        size_t servers;
    } rows[] = {
        { true, false, 2 }, { false, false, 1 }, { true, false, 2 },
        { true, true, 1 },  { false, true, 1 },  { true, false, 1 },
    };
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, text);

    (void)state;
    assert_int_equal(config->listens_count, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(config->listens[i].proxy_protocol, rows[i].proxy);
        assert_int_equal(config->listens[i].tls, rows[i].tls);
        assert_int_equal(config->listens[i].servers_count, rows[i].servers);
    }
    assert_int_equal(config->trusted.ipv4_count, 2); /* where one network begins, and ends */
    assert_int_equal(config->real_ip.from.ipv4_count, 0);
    config_free(config);
}

static void test_proxy_protocol_refused(void **state)
{
#define ADDRESSES                                                                                  \
    "; allowed: an address (192.0.2.1, 2001:db8::1), a network (10.0.0.0/8, 2001:db8::/32) or "    \
    "unix: for all who come by a unix socket"
    static const struct refusal rows[] = {
        { "trusted = \"10.0.0.1\" server a { root = /srv/www listen = \"1.1.1.1:1 proxy_protocol\" "
          "}\n"
          "server b { root = /srv/www listen = \"1.1.1.1:1\" }",
          "server.conf:2: listen: \"1.1.1.1:1\" has proxy_protocol behind it in one place and not "
          "in "
          "another; what an address begins with is the same for all of its servers" ALLOWED },
        { "server a { root = /srv/www\nlisten = \"1.1.1.1:1 proxy_protocol\" }",
          "server.conf:2: \"1.1.1.1:1\" has proxy_protocol behind it, but nobody may send a PROXY "
          "header; set trusted = {\"192.0.2.1\"} at the top level, with the addresses of the "
          "proxies (unix: for those that come by a unix socket)" },
        { "trusted = {\"10.0.0.0/8\",\n\"10.1.2.3/8\"} server a { root = /srv/www }",
          "server.conf:2: trusted: \"10.1.2.3/8\" is an address within a network, not the "
          "network's "
          "own: the bits behind the prefix must be 0" ADDRESSES },
        { "real_ip_from = proxy.test server a { root = /srv/www }",
          "server.conf:1: real_ip_from: \"proxy.test\" is no address" ADDRESSES },
        { "real_ip_header = X-Client server a { root = /srv/www }",
          "server.conf:1: real_ip_header: \"X-Client\" is not known; allowed: X-Forwarded-For, "
          "Forwarded or X-Real-IP" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_shared_refused),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_all_addresses),
        cmocka_unit_test(test_default_server),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_tls_refused),
        cmocka_unit_test(test_proxy_protocol),
        cmocka_unit_test(test_proxy_protocol_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
