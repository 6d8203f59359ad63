/* test_config_keys.c: the table itself, and the two references that are held to it: every key with
 * its type, default, place and allowed values in docs/server.conf.md and man/server.conf.5, and no
 * key that does not exist. */
#include "config/config_keys.c"

#include "config_fixture.h"

/* A file of the source tree, which is two folders above this file. The caller frees it. */
static char *tree_file(const char *name)
{
    char path[4096];
    char *text = NULL;
    size_t size = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%.*s../../%s", (int)(strrchr(__FILE__, '/') + 1 - __FILE__),
             __FILE__, name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    if (getdelim(&text, &size, '\0', file) <= 0)
        fail_msg("%s is empty", path);
    fclose(file);
    return text;
}

static const char *type_name(const struct config_key *key)
{
    static const char *const names[] = {
        [CONFIG_BOOL] = "on or off",    [CONFIG_COUNT] = "number",
        [CONFIG_SIZE32] = "size",       [CONFIG_SIZE64] = "size",
        [CONFIG_DURATION] = "duration", [CONFIG_CHOICE] = "choice",
        [CONFIG_TEXT] = "text",         [CONFIG_PATH] = "path",
        [CONFIG_EXPIRES] = "duration",  [CONFIG_INCLUDE] = "statement",
    };

    return config_key_is_list(key) ? "list" : names[key->type];
}

/* The default as one would write it in the file. */
static void default_format(const struct config_key *key, char *text, size_t size)
{
    if (key->fallback == NULL)
        snprintf(text, size, "none");
    else if (config_key_is_list(key))
        snprintf(text, size, "{%s}", key->fallback);
    else
        snprintf(text, size, "%s", key->fallback[0] != '\0' ? key->fallback : "\"\"");
}

/* Each key has its heading, followed by the facts, once; and there are no more headings. `format`
 * takes name, type, default, place and what is allowed. */
static void check_reference(const char *name, const char *format, const char *heading)
{
    char *text = tree_file(name);
    size_t headings = 0;

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        char where[128], allowed[256], fallback[128], facts[1024];
        const char *found;

        config_blocks_where(key->blocks, where, sizeof(where));
        config_key_allowed(key, allowed, sizeof(allowed));
        default_format(key, fallback, sizeof(fallback));
        snprintf(facts, sizeof(facts), format, key->name, type_name(key), fallback, where, allowed);
        found = strstr(text, facts);
        if (found == NULL)
            fail_msg("%s lacks\n%s", name, facts);
        if (strstr(found + 1, facts) != NULL)
            fail_msg("%s has twice\n%s", name, facts);
    }
    for (const char *at = text; (at = strstr(at, heading)) != NULL; at++)
        headings++;
    assert_int_equal(headings, CONFIG_KEYS_COUNT);
    free(text);
}

static void test_markdown(void **state)
{
    (void)state;
    check_reference("docs/server.conf.md",
                    "\n### `%s`\n\nType: %s. Default: `%s`. Stands %s.\nAllowed: %s.\n\n",
                    "\n### ");
}

static void test_manual(void **state)
{
    (void)state;
    check_reference("man/server.conf.5",
                    "\n.It Ic %s\nType: %s.\nDefault: %s.\nStands %s.\n.br\nAllowed: %s.\n.Pp\n",
                    "\n.It Ic ");
}

/* Every example of the reference is understood, in the block that it belongs to. */
static void test_examples(void **state)
{
    char *text = tree_file("docs/server.conf.md");
    struct fixture fixture = { .files = { { "", "" },
                                          { "/site/sites/example.conf", "" },
                                          { "/site/listing.html", "{{#entries}}{{/entries}}" },
                                          { "/etc/gearshift/htpasswd", "" },
                                          { "/etc/gearshift/links.key", "0123456789abcdef" } },
                               .files_count = 5 };

    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        char heading[512], where[128], fallback[128], statement[512], whole[1024];
        const char *begin, *end;
        const char *form = "server a { root = /srv/www\n %s\n }";
        const char *folder;

        config_blocks_where(key->blocks, where, sizeof(where));
        default_format(key, fallback, sizeof(fallback));
        snprintf(heading, sizeof(heading), "\n### `%s`\n\nType: %s. Default: `%s`. Stands %s.\n",
                 key->name, type_name(key), fallback, where);
        begin = strstr(text, heading);
        if (begin == NULL)
            fail_msg("no%s", heading);
        begin = strstr(begin, "```\n") + 4;
        end = strstr(begin, "\n```");
        snprintf(statement, sizeof(statement), "%.*s", (int)(end - begin), begin);
        folder = strstr(statement, "/srv/iso");
        if (folder != NULL)
            memcpy(strstr(statement, "/srv/iso"), "/srv/www", 8);
        if ((key->blocks & 1u << CONFIG_TOP) != 0)
            form = "%s\nserver a { root = /srv/www }";
        else if (key->blocks == 1u << CONFIG_LOCATION)
            form = "server a { location \"/x/\" { %s } }";
        else if (key->blocks == 1u << CONFIG_REDIRECT)
            form = strcmp(key->name, "to") == 0 ? "server a { redirect \"/x\" { %s } }"
                                                : "server a { redirect \"/x\" { to = /y %s } }";
        else if (key->blocks == 1u << CONFIG_CACHE)
            form = "server a { root = /srv/www cache \"x\" { %s } }";
        else if (key->blocks == 1u << CONFIG_FIELDS)
            form = strcmp(key->name, "answers") == 0
                       ? "server a { root = /srv/www headers \"x\" { remove = A %s } }"
                       : "server a { root = /srv/www headers \"x\" { %s } }";
        else if (key->blocks == 1u << CONFIG_AUTH)
            form = "server a { root = /srv/www auth \"x\" { %s } }";
        else if (strcmp(key->name, "root") == 0)
            form = "server a { %s }";
        assert_int_equal(strncmp(statement, key->name, strlen(key->name)), 0);
        snprintf(whole, sizeof(whole), form, statement);
        config_free(fixture_config(&fixture, whole));
    }
    free(text);
}

/* The configuration that is shipped. */
static void test_shipped(void **state)
{
    char *text = tree_file("server.conf");
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, text);
    const struct location *location = &config->servers[0].locations[0];

    (void)state;
    assert_int_equal(config->listens_count, 1);
    assert_string_equal(config->listens[0].text, "127.0.0.1:8080");
    assert_string_equal(location->root->path, "/site/www");
    assert_int_equal(location->headers_count, 2);
    assert_string_equal(location->headers[1].name, "Server-Timing");
    assert_string_equal(location->headers[1].value, "engine;desc=\"reactor\"");
    assert_int_equal(config->access_logs_count, 0);
    config_free(config);
    free(text);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        char allowed[256];

        assert_true(key->name[0] != '\0' && key->help[0] != '\0' && key->group[0] != '\0');
        assert_true(key->blocks != 0 && key->blocks < 1u << CONFIG_BLOCK_KINDS);
        assert_true(key->min <= key->max);
        assert_int_equal(key->choices != NULL, key->type == CONFIG_CHOICE);
        assert_int_equal(config_key_index(key), i);
        for (unsigned kind = 0; kind < CONFIG_BLOCK_KINDS;
             kind++) /* a name stands once in a block */
            if ((key->blocks & 1u << kind) != 0)
                assert_ptr_equal(config_key_in((enum config_block_kind)kind, key->name), key);
        if (strcmp(key->name, "auth") != 0 &&
            strcmp(key->name, "headers") != 0) /* auth = off, auth "x" { } */
            assert_int_equal(config_block_find(key->name), CONFIG_TOP);
        assert_int_equal(strspn(key->name, "abcdefghijklmnopqrstuvwxyz_46"), strlen(key->name));
        config_key_allowed(key, allowed, sizeof(allowed));
        assert_true(allowed[0] != '\0' && strlen(allowed) + 1 < sizeof(allowed));
    }
    assert_int_equal(config_key_blocks("control"), 1u << CONFIG_TOP | 1u << CONFIG_CACHE);
    assert_ptr_equal(config_key_in(CONFIG_SERVER, "control"), config_key_find("control"));
    assert_int_equal(config_key_blocks("none"), 0);
    assert_null(config_key_in(CONFIG_TOP, "none"));
    assert_null(config_key_find("none"));
    assert_null(config_key_find(""));
}

static void test_nearest(void **state)
{
    static const struct {
        enum config_block_kind block;
        const char *name, *nearest;
    } rows[] = {
        { CONFIG_TOP, "thread", "threads" },
        { CONFIG_TOP, "keep_alive_timeout", "keepalive_timeout" },
        { CONFIG_TOP, "cache_file", "cache_files" },
        { CONFIG_TOP, "servr", "server" },
        { CONFIG_TOP, "indxe", NULL }, /* stands elsewhere */
        { CONFIG_SERVER, "indxe", "index" },
        { CONFIG_SERVER, "server_name", NULL },
        { CONFIG_SERVER, "auto_index", "autoindex" },
        { CONFIG_LOCATION, "aliass", "alias" },
        { CONFIG_CACHE, "expire", "expires" },
        { CONFIG_REDIRECT, "x", NULL },
        { CONFIG_TOP, "", NULL },
        { CONFIG_TOP, "a_name_that_is_longer_than_any_key_could_ever_be", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *nearest = config_nearest(rows[i].block, rows[i].name);

        if (rows[i].nearest == NULL && nearest == NULL)
            continue;
        if (rows[i].nearest == NULL || nearest == NULL || strcmp(nearest, rows[i].nearest) != 0)
            fail_msg("%s: %s", rows[i].name, nearest != NULL ? nearest : "none");
    }
}

/* Cut, never beyond the end. */
static void test_cut(void **state)
{
    char text[8];

    (void)state;
    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(text, 'x', sizeof(text));
        config_key_allowed(config_key_find("log_level"), text, size);
        assert_int_equal(strlen(text), size - 1);
        assert_int_equal(memcmp(text, "error, w", size - 1), 0);
        config_blocks_where(config_key_find("root")->blocks, text, size);
        assert_int_equal(strlen(text), size - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),   cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_manual),  cmocka_unit_test(test_examples),
        cmocka_unit_test(test_shipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
