/* test_config_source.c: the command line over the environment over the file over the defaults; the
 * server that DIR makes; and where a sentence says that a setting came from. */
#include "config/config_source.c"

#include "config_fixture.h"

#include <ctype.h>

/* Loads from the file (NULL: none), a folder (NULL: none), and up to three -o. */
static struct config *load(struct fixture *fixture, const char *text, const char *root,
                           const char *const settings[3])
{
    struct config_source source = { .file = text != NULL ? "conf/g.conf" : NULL,
                                    .root = root,
                                    .settings = settings,
                                    .use_environment = true };
    struct config *config = NULL;

    while (source.settings_count < 3 && settings[source.settings_count] != NULL)
        source.settings_count++;
    fixture->files[0] = (struct fixture_file){ "/site/conf/g.conf", text };
    fixture->files_count = text != NULL;
    if (fixture_load(fixture, &source, &config) < 0)
        return NULL;
    return config;
}

static void test_precedence(void **state)
{
    static const char *const none[3] = { NULL };
    static const char *const settings[3] = { "threads=4", "threads=5", NULL };
    static const char text[] = "threads = 2\nserver a { root = /srv/www }";
    struct fixture fixture = { 0 };
    struct config *config;

    (void)state;
    config = load(&fixture, text, NULL, none);
    assert_int_equal(config->threads, 2);
    assert_string_equal(config_place(config, "threads"), "conf/g.conf:1");
    config_free(config);

    setenv("GEARSHIFT_THREADS", "3", 1);
    config = load(&fixture, text, NULL, none);
    assert_int_equal(config->threads, 3);
    assert_string_equal(config_place(config, "threads"), "GEARSHIFT_THREADS");
    config_free(config);

    config = load(&fixture, text, NULL, settings);
    assert_int_equal(config->threads, 5);
    assert_string_equal(config_place(config, "threads"), "-o threads");
    config_free(config);
    unsetenv("GEARSHIFT_THREADS");
}

static void test_environment_off(void **state)
{
    const struct config_source source = { .root = "/srv/www" };
    struct fixture fixture = { 0 };
    struct config *config = NULL;

    (void)state;
    setenv("GEARSHIFT_THREADS", "3", 1);
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_int_equal(config->threads, 0);
    config_free(config);
    unsetenv("GEARSHIFT_THREADS");
}

/* Global keys of the file hold, its servers do not; relative paths begin at the working directory.
 */
static void test_folder(void **state)
{
    static const char *const settings[3] = { "autoindex=on", "access_log=logs/a.log",
                                             "headers={\"A: b, c\", 'D: \"e\"'}" };
    struct fixture fixture = { 0 };
    struct config *config = load(&fixture,
                                 "threads = 2 pid_file = x.pid\n"
                                 "server a { root = /none listen = {\"1.1.1.1:1\"} }\n"
                                 "server b { root = /none }",
                                 "www", settings);
    const struct location *location;

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->threads, 2);
    assert_string_equal(config->pid_file, "/site/conf/x.pid");
    assert_int_equal(config->servers_count, 1);
    assert_int_equal(config->listens_count, 1);
    assert_string_equal(config->listens[0].text, "127.0.0.1:8080");
    location = &config->servers[0].locations[0];
    assert_string_equal(location->root->path, "/site/www");
    assert_true(location->autoindex);
    assert_string_equal(config->access_logs[config->servers[0].access_log].path,
                        "/site/logs/a.log");
    assert_int_equal(location->headers_count, 3);
    assert_string_equal(location->headers[1].value, "b, c");
    assert_string_equal(location->headers[2].value, "\"e\"");
    config_free(config);
}

static void test_listen_and_engine(void **state)
{
    static const char *const settings[1] = { "listen=4.4.4.4:4" };
    struct config_source source = { .root = "/srv/www",
                                    .listen = "[::1]:3",
                                    .engine = "other",
                                    .settings = settings,
                                    .use_environment = true };
    struct fixture fixture = { 0 };
    struct config *config = NULL;

    (void)state;
    setenv("GEARSHIFT_LISTEN", "2.2.2.2:2 backlog=3", 1);
    setenv("GEARSHIFT_ENGINE", "third", 1);
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_string_equal(config->listens[0].text, "[::1]:3");
    assert_string_equal(config->engine, "other");
    assert_string_equal(config_place(config, "engine"), "--engine");
    config_free(config);

    source.settings_count = 1;
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_string_equal(config->listens[0].text, "4.4.4.4:4");
    config_free(config);

    source.settings_count = 0;
    source.listen = source.engine = NULL;
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_string_equal(config->listens[0].text, "2.2.2.2:2");
    assert_int_equal(config->listens[0].backlog, 3);
    assert_string_equal(config->engine, "third");
    config_free(config);
    unsetenv("GEARSHIFT_LISTEN");
    unsetenv("GEARSHIFT_ENGINE");
}

/* The address of --tls-port stands behind whatever the others are. */
static void test_tls_listen(void **state)
{
    static const char *const settings[2] = { "certificate=a.pem", "listen=4.4.4.4:4" };
    struct config_source source = {
        .root = "/srv/www", .tls_listen = "1.1.1.1:1 tls", .settings = settings, .settings_count = 1
    };
    struct fixture fixture = { 0 };
    struct config *config = NULL;

    (void)state;
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_int_equal(config->listens_count, 2);
    assert_string_equal(config->listens[0].text, "127.0.0.1:8080");
    assert_false(config->listens[0].tls);
    assert_string_equal(config->listens[1].text, "1.1.1.1:1");
    assert_true(config->listens[1].tls);
    assert_string_equal(config->servers[0].certificates[0].chain_path, "/site/a.pem");
    config_free(config);

    source.listen = "[::1]:3";
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_string_equal(config->listens[0].text, "[::1]:3");
    assert_string_equal(config->listens[1].text, "1.1.1.1:1");
    config_free(config);

    source.settings_count = 2;
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_int_equal(config->listens_count, 2);
    assert_string_equal(config->listens[0].text, "4.4.4.4:4");
    config_free(config);

    source.settings_count = 0;
    source.tls_self_signed = true;
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_true(config->tls.self_signed);
    config_free(config);

    source.tls_self_signed = false;
    assert_int_equal(fixture_load(&fixture, &source, &config), -EINVAL);
    assert_string_equal(
        fixture.why,
        "the folder to serve: \"localhost\" has no certificate for 1.1.1.1:1, which has TLS; add "
        "certificate and key to it, or, for trying out, start with --tls-self-signed");
    source.tls_listen = "[::1]:3 tls";
    assert_int_equal(fixture_load(&fixture, &source, &config), -EINVAL);
    assert_ptr_equal(strstr(fixture.why, "--tls-port: \"[::1]:3\" has tls behind it in one place"),
                     fixture.why);
}

/* What is no list is taken as it is; "" and {} empty a list. */
static void test_lists(void **state)
{
    static const char *const settings[3] = { "index=", "try={}", "precompressed={br, \"gzip\"}" };
    static const char *const plain[3] = { "index=a, b.html", "default_type=text/plain; x=\"y\"",
                                          NULL };
    struct fixture fixture = { 0 };
    struct config *config = load(&fixture, NULL, "/srv/www", settings);
    const struct location *location = &config->servers[0].locations[0];

    (void)state;
    assert_int_equal(location->index_count, 0);
    assert_int_equal(location->try_count, 0);
    assert_int_equal(location->precompressed, 1u << CODING_BR | 1u << CODING_GZIP);
    config_free(config);

    config = load(&fixture, NULL, "/srv/www", plain);
    location = &config->servers[0].locations[0];
    assert_int_equal(location->index_count, 1);
    assert_string_equal(location->index[0], "a, b.html");
    assert_string_equal(config->default_type, "text/plain; x=\"y\"");
    config_free(config);
}

static void test_refused(void **state)
{
    static const struct {
        const char *root, *setting, *why;
    } rows[] = {
        { "/srv/www", "worker_queue=0",
          "-o worker_queue: \"0\" is too small; allowed: a number from 1 to 1048576" },
        { "/srv/www", "threads", "-o threads: = is missing; write -o key=value" },
        { "/srv/www", "treads=1", "-o treads: no key has this name; did you mean \"threads\"?" },
        { "/srv/www", "indx=a", "-o indx: no key has this name; did you mean \"index\"?" },
        { "/srv/www", "=1", "-o : no key has this name; server.conf(5) lists all" },
        { "/srv/www", "server=1", "-o server: no key has this name; server.conf(5) lists all" },
        { "/srv/www", "to=/x", "-o to: it cannot be set here; set it in the file" },
        { "/srv/www", "include=x", "-o include: it cannot be set here; set it in the file" },
        { NULL, "include=x", "-o include: it cannot be set here; set it in the file" },
        { NULL, "index=a",
          "-o index: it belongs to a server, and can be set here where there is one server alone, "
          "not 2; set it in a server block of the file" },
        { "/srv/www", "index={a b}",
          "-o index: the list goes on with \"b\"; its values are separated by commas and } ends "
          "it" },
        { "/srv/www", "index={a} threads = 2", "-o index: \"threads\" stands behind the value" },
        { "/srv/www", "index={a",
          "-o index: the list goes on with the end of the value; its values are separated by "
          "commas "
          "and } ends it" },
        { "/srv/www", "default_type=a\nb", "-o default_type: the value holds a control character" },
        { "/srv/www", "root=/none",
          "-o root: \"/none\" cannot be served: No such file or directory; allowed: the path of a "
          "directory" },
        { "/none", "threads=1",
          "the folder to serve: \"/none\" cannot be served: No such file or directory; allowed: "
          "the path "
          "of a directory" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const settings[3] = { rows[i].setting };
        const char *text = rows[i].root == NULL
                               ? "server a { root = /srv/www } server b { root = /srv/www }"
                               : NULL;

        if (load(&fixture, text, rows[i].root, settings) != NULL)
            fail_msg("accepted: %s", rows[i].setting);
        assert_string_equal(fixture.why, rows[i].why);
    }
}

static void test_environment_refused(void **state)
{
    static const char *const none[3] = { NULL };
    struct fixture fixture = { 0 };

    (void)state;
    setenv("GEARSHIFT_HEADER_TIMEOUT", "10", 1);
    assert_null(load(&fixture, NULL, "/srv/www", none));
    assert_string_equal(
        fixture.why, "GEARSHIFT_HEADER_TIMEOUT: \"10\" is not a duration; allowed: a duration from "
                     "10ms to 1d, as in 500ms, 10s, 1m, 2h, 1d or 1y");
    unsetenv("GEARSHIFT_HEADER_TIMEOUT");

    /* A key of servers, where it is not clear whose. */
    setenv("GEARSHIFT_INDEX", "a.html", 1);
    assert_null(
        load(&fixture, "server a { root = /srv/www } server b { root = /srv/www }", NULL, none));
    assert_ptr_equal(strstr(fixture.why, "GEARSHIFT_INDEX: it belongs to a server"), fixture.why);
    unsetenv("GEARSHIFT_INDEX");
    setenv("GEARSHIFT_TO", "/x", 1);
    assert_null(load(&fixture, NULL, "/srv/www", none));
    assert_string_equal(fixture.why, "GEARSHIFT_TO: it cannot be set here; set it in the file");
    unsetenv("GEARSHIFT_TO");
}

/* The only server of a file is set by the environment, over what it says, and by -o over that. */
static void test_only_server(void **state)
{
    static const char text[] = "server a { root = /srv/www index = {b.html} access_log = /log }";
    static const char *const none[3] = { NULL }, *const index[3] = { "index=c.html", NULL };
    struct fixture fixture = { 0 };
    struct config *config;

    (void)state;
    setenv("GEARSHIFT_INDEX", "a.html", 1);
    setenv("GEARSHIFT_ACCESS_LOG", "stdout", 1);
    config = load(&fixture, text, NULL, none);
    assert_non_null(config);
    assert_string_equal(config->servers[0].locations[0].index[0], "a.html");
    assert_string_equal(config->access_logs[config->servers[0].access_log].path, "stdout");
    assert_non_null(strstr(config->server_set_by, "GEARSHIFT_INDEX"));
    assert_non_null(strstr(config->server_set_by, "GEARSHIFT_ACCESS_LOG"));
    config_free(config);
    config = load(&fixture, text, NULL, index);
    assert_string_equal(config->servers[0].locations[0].index[0], "c.html");
    assert_non_null(strstr(config->server_set_by, "-o index"));
    config_free(config);
    unsetenv("GEARSHIFT_INDEX");
    unsetenv("GEARSHIFT_ACCESS_LOG");
}

/* Every key can be set, or is refused with a sentence; none is read over. */
static void test_every_key_by_environment(void **state)
{
    static const char *const none[3] = { NULL };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        char name[128];

        snprintf(name, sizeof name, "GEARSHIFT_%s", config_key_at(i)->name);
        for (char *at = name; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        setenv(name, "\x01", 1);
        assert_null(load(&fixture, NULL, "/srv/www", none));
        assert_ptr_equal(strstr(fixture.why, name), fixture.why);
        unsetenv(name);
    }
}

/* Others warn, but for those of Kubernetes. */
static void test_environment_unknown(void **state)
{
    static const struct {
        const char *name, *value, *warning;
    } rows[] = {
        { "GEARSHIFT_THREAD", "2",
          "GEARSHIFT_THREAD: no key of server.conf has this name; did you mean "
          "\"GEARSHIFT_THREADS\"?" },
        { "GEARSHIFT_INDX", "a",
          "GEARSHIFT_INDX: no key of server.conf has this name; did you mean "
          "\"GEARSHIFT_INDEX\"?" },
        { "GEARSHIFT_NONSENSE", "1", "GEARSHIFT_NONSENSE: no key of server.conf has this name" },
        { "GEARSHIFT_Threads", "1",
          "GEARSHIFT_Threads: it is not read; it is written GEARSHIFT_THREADS" },
        { "GEARSHIFT_SERVICE_HOST", "10.0.0.1", NULL },
        { "GEARSHIFT_SERVICE_PORT_HTTP", "80", NULL },
        { "GEARSHIFT_PORT", "tcp://10.0.0.1:80", NULL },
        { "GEARSHIFT_PORT_80_TCP_ADDR", "10.0.0.1", NULL },
    };
    static const char *const none[3] = { NULL };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        setenv(rows[i].name, rows[i].value, 1);
        struct config *config = load(&fixture, NULL, "/srv/www", none);

        assert_non_null(config);
        if (rows[i].warning == NULL) {
            assert_null(config->warnings);
        } else {
            assert_non_null(config->warnings);
            assert_string_equal(config->warnings->text, rows[i].warning);
        }
        config_free(config);
        unsetenv(rows[i].name);
    }
}

static void test_no_file(void **state)
{
    const struct config_source source = { .file = "none.conf" };
    struct fixture fixture = { 0 };
    struct config *config = NULL;

    (void)state;
    assert_int_equal(fixture_load(&fixture, &source, &config), -ENOENT);
    assert_null(config);
    assert_string_equal(fixture.why,
                        "none.conf: the configuration cannot be read: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_server),
        cmocka_unit_test(test_every_key_by_environment),
        cmocka_unit_test(test_environment_unknown),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_environment_off),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_listen_and_engine),
        cmocka_unit_test(test_tls_listen),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_environment_refused),
        cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
