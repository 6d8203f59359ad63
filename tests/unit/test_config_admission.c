/* test_config_admission.c: who may have what lies at a location: lists, files, and what a location
 * takes from its server. */
#include "config/config_admission.c"

#include "config_fixture.h"

#include "core/htpasswd.h"

#include "config/server_find.h"

#define SHA "{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw="

static const struct location *at(const struct config *config, size_t server, const char *prefix)
{
    const struct server *found = &config->servers[server];

    for (size_t i = 0; i < found->locations_count; i++) {
        if (span_eq(found->locations[i].prefix, span_str(prefix)))
            return &found->locations[i];
    }
    fail_msg("no location %s", prefix);
    return NULL;
}

static bool may(const struct location *location, const char *address)
{
    struct peer peer = { .family = PEER_UNIX };

    if (strcmp(address, "unix:") != 0)
        assert_true(peer_parse(span_str(address), &peer));
    return location->admission == NULL ||
           address_set_has(&location->admission->by_address->clients, &peer);
}

static void test_lists(void **state)
{
    static const struct {
        const char *text, *inside[4], *outside[4];
    } rows[] = {
        { "", { "1.2.3.4", "::1", "unix:" }, { 0 } },
        { "allow = \"10.0.0.0/8\"",
          { "10.1.2.3", "::ffff:10.1.2.3" },
          { "11.0.0.1", "::1", "unix:" } },
        { "deny = \"10.0.0.0/8\"", { "11.0.0.1", "::1", "unix:" }, { "10.1.2.3" } },
        { "deny = all", { 0 }, { "11.0.0.1", "::1", "unix:" } },
        { "allow = all deny = \"10.0.0.0/8\"", { "11.0.0.1", "::1", "unix:" }, { "10.1.2.3" } },
        { "allow = {\"10.0.0.0/8\"} deny = {\"10.13.0.0/16\"}",
          { "10.1.2.3" },
          { "10.13.1.1", "1.1.1.1" } },
        { "deny = {all, \"10.13.0.0/16\"} allow = {\"10.13.7.0/24\", \"unix:\"}",
          { "10.13.7.1", "unix:" },
          { "10.13.1.1", "1.1.1.1", "::1" } },
        { "deny = all allow = {\"0.0.0.0/0\"}", { "10.13.7.1" }, { "unix:", "::1" } },
        { "allow = all deny = all", { 0 }, { "unix:", "::1", "1.1.1.1" } },
        { "allow = \"10.0.0.0/8\" deny = \"10.0.0.0/8\"", { 0 }, { "10.1.2.3", "1.1.1.1" } },
        { "allow = \"file:list\"", { "10.1.2.3", "2001:db8::9" }, { "1.1.1.1" } },
        { "deny = {\"file:list\", \"1.1.1.1\"}", { "9.9.9.9" }, { "10.1.2.3", "1.1.1.1" } },
        { "allow = {\"file:none\"}", { 0 }, { "9.9.9.9", "::1", "unix:" } },
        { "deny = {\"file:none\"}", { "9.9.9.9", "::1", "unix:" }, { 0 } },
        { "allow = {} deny = {}", { "9.9.9.9", "::1", "unix:" }, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture fixture = { .files[1] = { "/site/list", "10.0.0.0/8 # c\n2001:db8::/32" },
                                   .files[2] = { "/site/none", "# nobody\n" },
                                   .files_count = 3 };
        char text[512];
        struct config *config;

        snprintf(text, sizeof(text), "server a { root = /srv/www %s }", rows[i].text);
        config = fixture_config(&fixture, text);
        for (size_t j = 0; j < 4 && rows[i].inside[j] != NULL; j++)
            if (!may(at(config, 0, "/"), rows[i].inside[j]))
                fail_msg("%s refuses %s", rows[i].text, rows[i].inside[j]);
        for (size_t j = 0; j < 4 && rows[i].outside[j] != NULL; j++)
            if (may(at(config, 0, "/"), rows[i].outside[j]))
                fail_msg("%s admits %s", rows[i].text, rows[i].outside[j]);
        config_free(config);
    }
}

/* A location that says either says both; what is said alike is made once. */
static void test_inheritance(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www allow = \"10.0.0.0/8\" deny = \"10.1.0.0/16\"\n"
                  "location \"/same/\" { index = x }\n"
                  "location \"/open/\" { allow = {} }\n"
                  "location \"/deny/\" { deny = \"1.1.1.1\" }\n"
                  "location \"/allow/\" { allow = \"10.1.0.0/16\" } }\n"
                  "server b { root = /srv/www allow = \"10.0.0.0/8\" deny = \"10.1.0.0/16\" }\n"
                  "server c { root = /srv/www deny = \"10.0.0.0/8\" }\n"
                  "server d { root = /srv/www location \"/x/\" { deny = all archive = zip } }\n"
                  "server e { root = /srv/www archive = zip deny = all location \"/x/\" { } }\n"
                  "server f { root = /srv/www location \"/x/\" { archive = zip }\n"
                  "location \"/y/**/*.z\" { deny = all } location ~ \"^/(a|b)/\" { deny = all } }");

    (void)state;
    assert_ptr_equal(at(config, 0, "/same/")->admission->by_address,
                     at(config, 0, "/")->admission->by_address);
    assert_ptr_equal(at(config, 1, "/")->admission->by_address,
                     at(config, 0, "/")->admission->by_address);
    assert_null(at(config, 0, "/open/")->admission);
    assert_null(at(config, 3, "/")->admission);
    assert_false(may(at(config, 0, "/same/"), "10.1.1.1"));
    assert_true(may(at(config, 0, "/deny/"), "10.1.1.1"));
    assert_false(may(at(config, 0, "/deny/"), "1.1.1.1"));
    assert_true(may(at(config, 0, "/allow/"), "10.1.1.1"));
    assert_false(may(at(config, 0, "/allow/"), "10.2.1.1"));
    assert_false(may(at(config, 2, "/"), "10.2.1.1"));
    config_free(config);
}

#define CLIENTS                                                                                    \
    "; allowed: an address (192.0.2.1, 2001:db8::1), a network (10.0.0.0/8, 2001:db8::/32), "      \
    "unix:, all, or file:PATH for a file with one of them a line"

static void test_refused(void **state)
{
    static const struct refusal rows[] = {
        { "server a { root = /srv/www\nallow = localhost }",
          "server.conf:2: allow: \"localhost\" is no address" CLIENTS },
        { "server a { root = /srv/www\ndeny = \"10.0.0.1/8\" }",
          "server.conf:2: deny: \"10.0.0.1/8\" is an address within a network, not the network's "
          "own: the bits behind the prefix must be 0" CLIENTS },
        { "server a { root = /srv/www deny = \"\" }",
          "server.conf:1: deny: \"\" is empty" CLIENTS },
        { "server a { root = /srv/www deny = \"file:\" }",
          "server.conf:1: deny: \"file:\" names no file" CLIENTS },
        { "server a { root = /srv/www archive = zip location \"/x/\" { deny = all archive = {} } }",
          "server.conf:1: archive: an archive of location \"/\" would hold what location \"/x/\" "
          "keeps from some; set archive = {} there" },
        { "server a { root = /srv/www location \"/a/\" { archive = zip } location \"/a/**/*.x\" { "
          "deny = all } }",
          "server.conf:1: archive: an archive of location \"/a/\" would hold what location "
          "\"/a/**/*.x\" keeps from some; set archive = {} there" },
        { "server a { root = /srv/www location \"/a/\" { archive = zip } location ~ \"^/(a|b)/x\" "
          "{ deny = all } }",
          "server.conf:1: archive: an archive of location \"/a/\" would hold what location "
          "\"^/(a|b)/x\" keeps from some; set archive = {} there" },
        { "server a { root = /srv/www deny = \"file:nowhere\" }",
          "server.conf:1: deny: /site/nowhere cannot be read: No such file or directory" },
        { "server a { root = /srv/www\n\ndeny = {\"1.1.1.1\", \"file:bad\"} }",
          "/site/bad:3: deny: \"1.1.1\" is no address; allowed: one address, or one network, a "
          "line, and comments behind '#'" },
    };
    struct fixture fixture = { .files[1] = { "/site/bad", "1.1.1.1\n\n1.1.1\n" },
                               .files_count = 2 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_auth(void **state)
{
    struct fixture fixture = { .files[1] = { "/site/users",
                                             "a:" SHA "\n# c\nb:" SHA ":comment\r\n" },
                               .files[2] = { "/site/one", "c:" SHA },
                               .files_count = 3 };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www auth \"All \\\"of\\\" it\" { users = users }\n"
                  "location \"/same/\" { index = x }\n"
                  "location \"/open/\" { auth = off }\n"
                  "location \"/some/\" { auth \"Some\" { users = one } satisfy = any } }\n"
                  "server b { root = /srv/www location \"/x/\" { auth \"X\" { users = users } } }");
    const struct auth_rules *all = at(config, 0, "/")->admission->auth;

    (void)state;
    assert_true(config->has_auth);
    assert_string_equal(all->path, "/site/users");
    assert_string_equal(
        all->challenge,
        "WWW-Authenticate: Basic realm=\"All \\\"of\\\" it\", charset=\"UTF-8\"\r\n");
    assert_int_equal(all->users->count, 2);
    assert_ptr_equal(at(config, 0, "/same/")->admission->auth->users, all->users);
    assert_ptr_equal(at(config, 1, "/x/")->admission->auth->users, all->users);
    assert_null(at(config, 0, "/open/")->admission);
    assert_null(at(config, 1, "/")->admission);
    assert_string_equal(at(config, 0, "/some/")->admission->auth->realm, "Some");
    assert_int_equal(at(config, 0, "/some/")->satisfy, SATISFY_ANY);
    assert_int_equal(at(config, 0, "/same/")->satisfy, SATISFY_ALL);
    config_free(config);
}

static void test_links(void **state)
{
    struct fixture fixture = { .files[1] = { "/site/k", "0123456789abcdef\r\n" },
                               .files_count = 2 };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www signed = {k, k} referers = {none, \"*.b.c\", "
                  "server_names, d}\n"
                  "location \"/open/\" { signed = {} referers = {} }\n"
                  "location \"/same/\" { } }");
    const struct admission *all = at(config, 0, "/same/")->admission;

    (void)state;
    assert_int_equal(all->signed_by->count, 2);
    assert_int_equal(all->signed_by->keys[1].len, 16);
    assert_true(all->referers->none && all->referers->server_names && !all->referers->blocked);
    assert_int_equal(all->referers->hosts_count, 2);
    assert_string_equal(all->referers->hosts[0], "*.b.c");
    assert_null(at(config, 0, "/open/")->admission);
    assert_false(config->has_auth);
    config_free(config);
}

static void test_referers_by_expression(void **state)
{
    static const char *const refused[][2] = { { "~", "has no expression" },
                                              { "~* ", "has no expression" },
                                              { "~ (", "missing closing" } };
    struct fixture fixture = { .files_count = 1 };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www referers = {none, '~\\.x/', '~* ^B/', c} }");
    const struct referer_rules *rules = at(config, 0, "/")->admission->referers;

    (void)state;
    assert_int_equal(rules->regexes_count, 2);
    assert_int_equal(rules->hosts_count, 1);
    assert_int_equal(rules->count, 4);
    assert_true(config->has_regex);
    config_free(config);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char text[200];

        snprintf(text, sizeof(text), "server a { root = /srv/www\nreferers = '%s' }",
                 refused[i][0]);
        config = NULL;
        assert_int_not_equal(fixture_load_text(&fixture, text, &config), 0);
        if (strstr(fixture.why, refused[i][1]) == NULL ||
            strstr(fixture.why, "server.conf:2: referers: ") == NULL)
            fail_msg("%s", fixture.why);
    }
}

static void test_auth_refused(void **state)
{
    static const struct refusal rows[] = {
        { "server a { root = /srv/www\nauth \"x\" { } }",
          "server.conf:2: auth: \"x\" does not say whom it lets in; add users = "
          "\"/path/of/a/file\" to it" },
        { "server a { root = /srv/www\nauth \"\" { users = good } }",
          "server.conf:2: auth: \"\" is empty; allowed: a name for what is kept, which browsers "
          "show" },
        { "server a { root = /srv/www\nauth \"x\" { users = good }\nauth \"y\" { users = good } }",
          "server.conf:3: auth: auth stands here twice; take one of them away" },
        { "server a { root = /srv/www\nauth = off\nauth \"y\" { users = good } }",
          "server.conf:3: auth: auth stands here twice; take one of them away" },
        { "server a { root = /srv/www\nauth = on }",
          "server.conf:2: auth: \"on\" is not known; allowed: off" },
        { "server a { root = /srv/www\nauth \"x\" { users = none } }",
          "server.conf:2: users: /site/none cannot be read: No such file or directory" },
        { "server a { root = /srv/www auth \"x\" { users = plain } }",
          "/site/plain:2: users: \"bob\" has a password that is not hashed; allowed: name:hash, as "
          "made by htpasswd -B or mkpasswd -m yescrypt" },
        { "server a { root = /srv/www auth \"x\" { users = twice } }",
          "/site/twice:3: users: \"a\" stands twice, first in line 1; take one of the lines away" },
        { "server a { root = /srv/www auth \"x\" { users = line } }",
          "/site/line:1: users: the line has no ':' between a name and a hash; allowed: name:hash, "
          "as made by htpasswd -B or mkpasswd -m yescrypt" },
        { "server a { root = /srv/www\nsigned = short }",
          "server.conf:2: signed: /site/short does not hold a key of 16 to 1024 bytes; make one "
          "with openssl rand -hex 32" },
        { "server a { root = /srv/www\nsigned = none }",
          "server.conf:2: signed: /site/none cannot be read: No such file or directory" },
        { "server a { root = /srv/www\nsigned = {k, k, k, k, k} }",
          "server.conf:2: signed: the list has 5 elements; allowed: 4 at most" },
        { "server a { root = /srv/www\nreferers = \"http://x/\" }",
          "server.conf:2: referers: \"http://x/\" is no host name; allowed: none, blocked, "
          "server_names, a host name, *.name for those below it, or ~ or ~* and a regular "
          "expression" },
    };
    struct fixture fixture = { .files[1] = { "/site/good", "a:" SHA },
                               .files[2] = { "/site/plain", "a:" SHA "\nbob:secret\n" },
                               .files[3] = { "/site/twice", "a:" SHA "\n\na:" SHA "\n" },
                               .files[4] = { "/site/line", "secret" },
                               .files[5] = { "/site/short", "0123456789abcde\n" },
                               .files[6] = { "/site/k", "0123456789abcdef" },
                               .files_count = 7 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_auth),
        cmocka_unit_test(test_links),        cmocka_unit_test(test_referers_by_expression),
        cmocka_unit_test(test_auth_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
