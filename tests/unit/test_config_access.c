/* test_config_access.c: what a server says of its log, what it takes from the top level, and where
 * a log goes that goes to syslog. */
#include "config/config_access.c"

#include "config_fixture.h"

#include <netinet/in.h>

static bool is_logged(const struct access_rules *rules, unsigned status)
{
    return (rules->status_bits[status / 64] >> status % 64 & 1) != 0;
}

static void test_defaults(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, "server a { root = /srv/www }\n"
                                                     "server b { root = /srv/www }\n");
    const struct access_rules *rules = config->servers[0].access;

    (void)state;
    assert_ptr_equal(rules, config->servers[1].access);
    assert_false(rules->filters);
    assert_true(is_logged(rules, 100) && is_logged(rules, 499) && is_logged(rules, 599));
    assert_int_equal(rules->sample_below, CONFIG_SAMPLE_ALL);
    assert_string_equal(rules->format->text, "combined");
    assert_false(config->request_id);
    config_free(config);
}

static void test_inheritance(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "access_log = /l access_log_format = \"$status\" access_log_sample = 1/4\n"
                  "access_log_skip = {/healthz}\n"
                  "server a { root = /srv/www }\n"
                  "server b { root = /srv/www access_log_status = {4xx, 503} }\n"
                  "server c { root = /srv/www access_log_format = \"$uri\" access_log_sample = 1\n"
                  "           access_log_skip = {} }\n"
                  "server d { root = /srv/www access_log = /m }\n");
    const struct server *servers = config->servers;

    (void)state;
    assert_true(servers[0].access->filters);
    assert_int_equal(servers[0].access->sample_below, CONFIG_SAMPLE_ALL / 4);
    assert_int_equal(servers[0].access->skip_count, 1);
    assert_ptr_equal(servers[0].access, servers[3].access);

    const struct access_rules *b = servers[1].access;
    assert_string_equal(b->format->text, "$status");
    assert_int_equal(b->sample_below, CONFIG_SAMPLE_ALL / 4);
    assert_string_equal(b->skip[0], "/healthz");
    for (unsigned status = 0; status < CONFIG_STATUS_END; status++)
        assert_int_equal(is_logged(b, status), (status >= 400 && status < 500) || status == 503);

    assert_string_equal(servers[2].access->format->text, "$uri");
    assert_false(servers[2].access->filters);

    /* One file takes the lines of several formats, the longest one too. */
    assert_int_equal(config->access_logs_count, 2);
    assert_int_equal(servers[0].access_log, servers[2].access_log);
    assert_int_equal(config->access_logs[0].line_max, servers[2].access->format->line_max);
    assert_int_equal(config->access_logs[1].line_max, servers[3].access->format->line_max);
    assert_true(config->access_logs[1].line_max < config->access_logs[0].line_max);
    config_free(config);
}

static void test_syslog(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "error_log = \"syslog:\"\n"
                                 "access_log = \"syslog:server=two.test:1514,tag=web\"\n"
                                 "server a { root = /srv/www }\n"
                                 "server b { root = /srv/www access_log = /file }\n");
    const struct log_syslog *syslog = config->access_logs[0].syslog;
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&syslog->address;

    (void)state;
    assert_int_equal(config->error_syslog->address.ss_family, AF_UNIX);
    assert_string_equal(config->access_logs[0].path, "syslog:server=two.test:1514,tag=web");
    assert_string_equal(syslog->tag, "web");
    assert_int_equal(in->sin_family, AF_INET);
    assert_int_equal(ntohs(in->sin_port), 1514);
    assert_int_equal(ntohl(in->sin_addr.s_addr), 0xc0000201);
    assert_null(config->access_logs[1].syslog);
    config_free(config);
}

static void test_refused(void **state)
{
    struct fixture fixture = { 0 };
    static const struct refusal rows[] = {
        { "\naccess_log_sample = 0 server a { root = /srv/www }",
          "server.conf:2: access_log_sample: \"0\" is no such share; allowed: a share above 0, at "
          "most 1: 0.01 or 1/100" },
        { "server a { root = /srv/www\naccess_log_status = {6xx} }",
          "server.conf:2: access_log_status: \"6xx\" is neither; allowed: a class or a status, as "
          "in 4xx or 503" },
        { "server a { root = /srv/www access_log_skip = {\"/a/*\"} }",
          "server.conf:1: access_log_skip: \"/a/*\" is for what lies in that folder, and not for "
          "what lies in folders in it; write \"/a/\" for all that lies below, or \"/a/?*\" for "
          "that "
          "folder alone" },
        { "access_log_format = main server a { root = /srv/www }",
          "server.conf:1: access_log_format: it names no variable; allowed: combined, json, or a "
          "text with variables such as \"$remote_addr $status $request\"" },
        { "access_log = \"syslog:server=none.test\" server a { root = /srv/www }",
          "server.conf:1: access_log: \"none.test\" has no addresses: no such host is known" },
        { "error_log = \"syslog:facility=x\" server a { root = /srv/www }",
          "server.conf:1: error_log: \"syslog:facility=x\" has a facility that is not known (kern, "
          "user, mail, daemon, auth, authpriv, ..., local0 to local7); allowed: stderr, stdout, "
          "syslog:... or a path" },
    };
    struct config *config = NULL;

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
    assert_int_equal(fixture_load_text(&fixture,
                                       "server a { root = /srv/www\n"
                                       "access_log_format = \"$remote_adr\" }",
                                       &config),
                     -EINVAL);
    assert_non_null(strstr(fixture.why, "server.conf:2: access_log_format: it holds $remote_adr, "
                                        "which is not known; did you mean $remote_addr?"));
    assert_int_equal(fixture_load_text(&fixture,
                                       "server a { root = /srv/www\n"
                                       "access_log_format = \"$statu $arg_x\" }",
                                       &config),
                     -EINVAL);
    assert_non_null(strstr(fixture.why, "did you mean $status?")); /* of the log's own */
    assert_int_equal(fixture_load_text(&fixture,
                                       "server a { root = /srv/www\n"
                                       "access_log_format = \"$1 $status\" }",
                                       &config),
                     -EINVAL);
    assert_non_null(strstr(fixture.why, "no regular expression captures anything here"));
    assert_int_equal(fixture_load_text(&fixture,
                                       "server a { root = /srv/www\n"
                                       "headers = \"X: $status\" }",
                                       &config),
                     -EINVAL);
    assert_non_null(strstr(fixture.why, "holds $status, which only access_log_format knows"));
}

static void test_samples(void **state)
{
    static const struct {
        const char *text;
        uint64_t below; /* 0: refused */
    } rows[] = {
        { "1", CONFIG_SAMPLE_ALL },
        { "1.0", CONFIG_SAMPLE_ALL },
        { "1/1", CONFIG_SAMPLE_ALL },
        { "0.5", CONFIG_SAMPLE_ALL / 2 },
        { ".25", CONFIG_SAMPLE_ALL / 4 },
        { "1/2", CONFIG_SAMPLE_ALL / 2 },
        { "1/1000000000", 4 },
        { "0.000000001", 4 },
        { "0", 0 },
        { "0.0", 0 },
        { "1.1", 0 },
        { "2", 0 },
        { "1/0", 0 },
        { "1/", 0 },
        { "1/2x", 0 },
        { "1/1000000001", 0 },
        { "99999999999999999999", 0 },
        { "0.00000000000000000001", 0 },
        { "1/99999999999999999999", 0 },
        { "", 0 },
        { ".", 0 },
        { "-1", 0 },
        { "0.1.", 0 },
        { "1%", 0 },
        { " 1", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t below = 0;
        if (config_sample_parse(rows[i].text, &below) != (rows[i].below > 0) ||
            below != rows[i].below)
            fail_msg("%s: %llu", rows[i].text, (unsigned long long)below);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_syslog),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
