/* test_options.c: every option, what belongs together, and the sentence for every refusal. */
#undef GEARSHIFT_SYSCONFDIR
#define GEARSHIFT_SYSCONFDIR "/tmp/test_options/no/such/etc"
#include "process/options.c"

#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 12 };

static char why[512];

/* Parses a command line written as one string; words are separated by single blanks. */
static int parse(const char *line, struct options *ret_options)
{
    static char text[512];
    static char *argv[ARGUMENTS_MAX + 1];
    int argc = 0;

    snprintf(text, sizeof text, "gearshift%s%s", *line != '\0' ? " " : "", line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_in_range(argc, 0, ARGUMENTS_MAX - 1);
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    why[0] = '\0';
    return options_parse(argc, argv, why, sizeof why, ret_options);
}

static void test_address_of_a_folder(void **state)
{
    (void)state;
    static const struct {
        const char *line, *listen;
    } rows[] = {
        { "www", NULL }, /* `listen` keeps its default, or what the environment says */
        { "--root www", NULL },
        { "www --port 0", "127.0.0.1:0" },
        { "--port 65535 www", "127.0.0.1:65535" },
        { "www -p 85", "127.0.0.1:85" },
        { "-p86 www --listen ::1", "[::1]:86" },
        { "www --listen localhost -p 87", "localhost:87" },
        { "www --listen 0.0.0.0", "0.0.0.0:8080" },
        { "www --listen 0.0.0.0 --port 80", "0.0.0.0:80" },
        { "www --listen 0.0.0.0:81", "0.0.0.0:81" },
        { "www --listen ::1", "[::1]:8080" },
        { "www --listen ::1 --port 82", "[::1]:82" },
        { "www --listen [::1] --port 83", "[::1]:83" },
        { "www --listen [::1]:84", "[::1]:84" },
        { "www --listen=unix:/run/g.sock", "unix:/run/g.sock" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct options options;
        assert_int_equal(parse(rows[i].line, &options), 0);
        assert_int_equal(options.action, OPTIONS_SERVE);
        assert_string_equal(options.source.root, "www");
        if (rows[i].listen == NULL)
            assert_null(options.source.listen);
        else
            assert_string_equal(options.source.listen, rows[i].listen);
        assert_null(options.source.file);
        assert_null(options.source.engine);
        assert_int_equal(options.source.settings_count, 0);
        assert_true(options.source.use_environment);
        options_free(&options);
    }
}

static void test_tls_address_of_a_folder(void **state)
{
    (void)state;
    static const struct {
        const char *line, *listen, *tls_listen;
        bool self_signed;
    } rows[] = {
        { "www --tls-port 0", NULL, "127.0.0.1:0 tls", false },
        { "www --tls-self-signed", NULL, "127.0.0.1:8443 tls", true },
        { "--tls-self-signed --tls-port 1 www --port 2", "127.0.0.1:2", "127.0.0.1:1 tls", true },
        { "www --tls-port 443 --listen 0.0.0.0", "0.0.0.0:8080", "0.0.0.0:443 tls", false },
        { "www --tls-port 443 --listen 0.0.0.0:80", "0.0.0.0:80", "0.0.0.0:443 tls", false },
        { "www --tls-port 443 --listen ::1", "[::1]:8080", "[::1]:443 tls", false },
        { "www --tls-port 443 --listen [::1]", "[::1]:8080", "[::1]:443 tls", false },
        { "www --tls-port 443 --listen [::1]:80", "[::1]:80", "[::1]:443 tls", false },
        { "www --tls-port 443 --listen unix:/a:1", "unix:/a:1", "127.0.0.1:443 tls", false },
        { "-c f --tls-self-signed", NULL, NULL, true },
        { "www", NULL, NULL, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct options options;
        assert_int_equal(parse(rows[i].line, &options), 0);
        assert_int_equal(options.source.tls_self_signed, rows[i].self_signed);
        if (rows[i].listen == NULL)
            assert_null(options.source.listen);
        else
            assert_string_equal(options.source.listen, rows[i].listen);
        if (rows[i].tls_listen == NULL)
            assert_null(options.source.tls_listen);
        else
            assert_string_equal(options.source.tls_listen, rows[i].tls_listen);
        options_free(&options);
    }
}

static void test_actions(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum options_action action;
    } rows[] = {
        { "-c f", OPTIONS_SERVE },
        { "-t -c f", OPTIONS_TEST },
        { "--config f --test", OPTIONS_TEST },
        { "-tc f", OPTIONS_TEST },
        { "-c f --strict -t", OPTIONS_TEST },
        { "-T -c f", OPTIONS_PRINT },
        { "--print --config=f", OPTIONS_PRINT },
        { "-h", OPTIONS_HELP },
        { "--help", OPTIONS_HELP },
        { "-v", OPTIONS_VERSION },
        { "--version", OPTIONS_VERSION },
        { "-V", OPTIONS_BUILD },
        { "--build-info", OPTIONS_BUILD },
        { "-h --no-such-option", OPTIONS_HELP },
        { "a b -h", OPTIONS_HELP },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct options options;
        assert_int_equal(parse(rows[i].line, &options), 0);
        assert_int_equal(options.action, rows[i].action);
        assert_int_equal(options.strict, strstr(rows[i].line, "--strict") != NULL);
        if (options.action < OPTIONS_HELP)
            assert_string_equal(options.source.file, "f");
        assert_null(options.source.listen);
        options_free(&options);
    }
}

static void test_engine_and_settings(void **state)
{
    (void)state;
    struct options options;

    assert_int_equal(parse("-e reactor -o a=1 www --option b=2=3 -oc= -- ", &options), 0);
    assert_string_equal(options.source.engine, "reactor");
    assert_int_equal(options.source.settings_count, 3);
    assert_string_equal(options.source.settings[0], "a=1");
    assert_string_equal(options.source.settings[1], "b=2=3");
    assert_string_equal(options.source.settings[2], "c=");
    assert_string_equal(options.source.root, "www");
    options_free(&options);

    assert_int_equal(parse("-c file www", &options), 0);
    assert_string_equal(options.source.root, "www");
    assert_string_equal(options.source.file, "file");
    options_free(&options);

    assert_int_equal(parse("-- -odd", &options), 0);
    assert_string_equal(options.source.root, "-odd");
    options_free(&options);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } rows[] = {
        { "", "nothing to serve: name a folder, or -c FILE (there is no "
              "/tmp/test_options/no/such/etc/gearshift/server.conf)" },
        { "-t", "nothing to serve: name a folder, or -c FILE (there is no "
                "/tmp/test_options/no/such/etc/gearshift/server.conf)" },
        { "-x", "option -x is unknown or ambiguous" },
        { "-tx www", "option -x is unknown or ambiguous" },
        { "--no-such", "option --no-such is unknown or ambiguous" },
        { "--version=1", "option --version=1 is unknown, ambiguous, or takes no value" },
        { "www --strict", "--strict belongs to -t" },
        { "-T --strict -c f", "--strict belongs to -t" },
        { "-c", "-c needs a value" },
        { "www -o", "-o needs a value" },
        { "www --port", "--port needs a value" },
        { "www -p", "-p needs a value" },
        { "www -p x", "--port takes a number from 0 to 65535, not 'x'" },
        { "www --port x", "--port takes a number from 0 to 65535, not 'x'" },
        { "www --port=", "--port takes a number from 0 to 65535, not ''" },
        { "www --port -1", "--port takes a number from 0 to 65535, not '-1'" },
        { "www --port 65536", "--port takes a number from 0 to 65535, not '65536'" },
        { "www --tls-port x", "--tls-port takes a number from 0 to 65535, not 'x'" },
        { "www --tls-port", "--tls-port needs a value" },
        { "-c f --tls-port 1",
          "--tls-port belongs to a folder: name one, or set `listen` in server.conf" },
        { "--tls-self-signed=1",
          "option --tls-self-signed=1 is unknown, ambiguous, or takes no value" },
        { "www --port 4294967376", "--port takes a number from 0 to 65535, not '4294967376'" },
        { "www --listen 0.0.0.0:1 --port 2", "--listen 0.0.0.0:1 leaves no room for --port" },
        { "www --listen unix:/x --port 2", "--listen unix:/x leaves no room for --port" },
        { "www --listen [::1]:1 --port 2", "--listen [::1]:1 leaves no room for --port" },
        { "-c f --port 2", "--port belongs to a folder: name one, or set `listen` in server.conf" },
        { "-c f --listen ::1",
          "--listen belongs to a folder: name one, or set `listen` in server.conf" },
        { "a b", "one folder can be served from the command line, 'b' is another: use a "
                 "server.conf with locations" },
        { "a --root b", "one folder can be served from the command line, 'a' is another: use a "
                        "server.conf with locations" },
        { "www -o key", "-o takes KEY=VALUE, not 'key'" },
        { "www -o =value", "-o takes KEY=VALUE, not '=value'" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct options options = { .action = OPTIONS_BUILD };
        assert_int_equal(parse(rows[i].line, &options), -EINVAL);
        assert_string_equal(why, rows[i].why);
        assert_int_equal(options.action, OPTIONS_BUILD); /* untouched */
    }
}

static void test_too_long_an_address(void **state)
{
    (void)state;
    char host[300], line[400];
    struct options options;

    memset(host, 'x', sizeof host);
    host[sizeof host - 1] = '\0';
    snprintf(line, sizeof line, "www --listen unix:/%s", host);
    assert_int_equal(parse(line, &options), -EINVAL);
    assert_non_null(strstr(why, "is too long for an address"));
}

/* The help names every option that there is, and what each exit status means. */
static void test_help_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; long_options[i].name != NULL; i++) {
        char name[32];
        snprintf(name, sizeof name, "--%s", long_options[i].name);
        if (strstr(options_help(), name) == NULL)
            fail_msg("%s is not in the help", name);
    }
    static const char *const statuses[] = { " 0 ", " 1 ", " 2 ", " 69 ", " 78 " };
    const char *exits = strstr(options_help(), "exit:");
    assert_non_null(exits);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        assert_non_null(strstr(exits, statuses[i]));
    assert_non_null(strstr(options_help(), options_default_file()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_of_a_folder),
        cmocka_unit_test(test_tls_address_of_a_folder),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_engine_and_settings),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_long_an_address),
        cmocka_unit_test(test_help_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
