/* test_config_load.c: every value out of its range, the defaults, and what has to hold between
 * settings; each refusal with its whole sentence. */
#include "config/config_load.c"
#include "config/config_roots.h"

#include "config_fixture.h"

#include <pthread.h>
#include <sys/types.h>

#define SITE "server \"a.example\" { root = /srv/www }\n"

static void test_defaults(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, SITE);
    const struct location *location = &config->servers[0].locations[0];

    (void)state;
    assert_string_equal(config->engine, "reactor");
    assert_false(config->engine_fallback);
    assert_int_equal(config->threads, 0);
    assert_false(config->pin);
    assert_int_equal(config->accept_mode, ACCEPT_REUSEPORT);
    assert_int_equal(config->coalesce_us, 50);
    assert_int_equal(config->workers, 0);
    assert_int_equal(config->worker_queue, 1024);
    assert_int_equal(config->pool_work, POOL_WORK_REQUEST);
    assert_int_equal(config->file_workers, 2);
    assert_string_equal(config->user, "nobody");
    assert_false(config->allow_root);
    assert_null(config->pid_file);
    assert_string_equal(config->error_log, "stderr");
    assert_int_equal(config->log_level, LOG_INFO);
    assert_int_equal(config->access_logs_count, 0);
    assert_int_equal(config->access_log_buffer, 65536);
    assert_int_equal(config->connections_max, 10240);
    assert_int_equal(config->limits.request_line_max, 8192);
    assert_int_equal(config->limits.field_max, 8192);
    assert_int_equal(config->limits.head_max, 32768);
    assert_int_equal(config->limits.fields_max, 100);
    assert_int_equal(config->limits.body_max, 1048576);
    assert_int_equal(config->limits.chunk_overhead_max, 16384);
    assert_int_equal(config->limits.ranges_max, 200);
    assert_int_equal(config->limits.keepalive_requests, 0);
    assert_int_equal(config->limits.autoindex_max, 200000);
    assert_int_equal(config->limits.autoindex_readme_max, 32768);
    assert_int_equal(config->limits.listing_memory, 67108864);
    assert_int_equal(config->limits.archive_entries_max, 20000);
    assert_true(config->limits.archive_bytes_max == UINT64_C(16) << 30);
    assert_int_equal(config->limits.small_file_max, 16384);
    assert_int_equal(config->deadlines.header_ms, 10000);
    assert_int_equal(config->deadlines.body_ms, 30000);
    assert_int_equal(config->deadlines.keepalive_ms, 75000);
    assert_int_equal(config->deadlines.send_ms, 60000);
    assert_int_equal(config->deadlines.send_rate_min, 100);
    assert_int_equal(config->deadlines.linger_ms, 5000);
    assert_int_equal(config->deadlines.drain_ms, 30000);
    assert_int_equal(config->send_turn, 1048576);
    assert_int_equal(config->file_io, FILE_IO_AUTO);
    assert_int_equal(config->cache_files_max, 4096);
    assert_int_equal(config->cache_bytes_max, 67108864);
    assert_true(config->cache_shared);
    assert_int_equal(config->cache_valid_ms, 1000);
    assert_int_equal(config->cache_watches_max, 8192);
    assert_int_equal(config->compress_bytes_max, 67108864);
    assert_int_equal(config->limits.compress_min, 1024);
    assert_int_equal(config->limits.compress_max, 8388608);
    assert_string_equal(config->mime_types, "/etc/mime.types");
    assert_int_equal(config->types_count, 0);
    assert_string_equal(config->default_type, "application/octet-stream");
    assert_string_equal(config->listens[0].text, "127.0.0.1:8080");
    assert_string_equal(config->servers[0].name, "a.example");
    assert_int_equal(config->servers[0].access_log, CONFIG_NO_LOG);
    assert_int_equal(config->locations_count, 1);
    assert_int_equal(config->roots_count, 1);
    assert_int_equal(config->roots[0].fd, -1);
    assert_int_equal(location->index_count, 1);
    assert_string_equal(location->index[0], "index.html");
    assert_int_equal(location->try_count, 0);
    assert_int_equal(location->autoindex_exclude_count, 0);
    assert_string_equal(location->autoindex_template, "");
    assert_null(location->autoindex_page);
    assert_int_equal(location->archive, 0);
    assert_false(location->autoindex || location->dotfiles || location->strip_prefix);
    assert_int_equal(location->symlinks, FILE_SYMLINKS_INSIDE);
    assert_int_equal(location->precompressed, 0);
    assert_int_equal(location->compress, 0);
    assert_int_equal(location->compress_types_count, 0);
    assert_int_equal(location->headers_count, 1);
    assert_string_equal(location->headers[0].name, "X-Content-Type-Options");
    assert_string_equal(location->headers[0].value, "nosniff");
    assert_string_equal(location->charset, "utf-8");
    assert_string_equal(config_place(config, "threads"), "default");
    config_free(config);
}

/* Unless it is set, it is one for each CPU, but not in each of several processes, and no more than
 * there are connections. */
static void test_threads(void **state)
{
    static const struct {
        const char *text;
        uint32_t threads;
    } rows[] = {
        { "", 0 },
        { "processes = 0", 0 },
        { "processes = 2", 1 },
        { "processes = 2 threads = 0", 0 },
        { "connections_max = 1 threads = 0", 0 },
        { "connections_max = 1 threads = 4", 4 },
    };
    struct fixture fixture = { 0 };
    struct config *config;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];

        snprintf(text, sizeof(text), "%s\n" SITE, rows[i].text);
        config = fixture_config(&fixture, text);
        assert_int_equal(config->threads, rows[i].threads);
        config_free(config);
    }
    config = fixture_config(&fixture, "connections_max = 1\n" SITE);
    assert_int_equal(cpus_threads(config->threads), 1);
    config_free(config);
}

/* By their values, however they are written, and texts by their letters. */
static void test_changed(void **state)
{
    static const struct {
        const char *text, *key;
        bool changed;
    } rows[] = {
        { "", "pin", false },
        { "pin = off", "pin", false },
        { "pin = on", "pin", true },
        { "workers = 00", "workers", false },
        { "workers = 1", "workers", true },
        { "accept = reuseport", "accept", false },
        { "accept = shared", "accept", true },
        { "send_turn = 1024k", "send_turn", false },
        { "cache_bytes = 65536k", "cache_bytes", false },
        { "cache_bytes = 1g", "cache_bytes", true },
        { "cache_valid = 1000ms", "cache_valid", false },
        { "cache_valid = notify", "cache_valid", true },
        { "user = 'nobody'", "user", false },
        { "user = ''", "user", true },
        { "pid_file = ''", "pid_file", false },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];
        struct config *config;

        snprintf(text, sizeof(text), "%s\n" SITE, rows[i].text);
        config = fixture_config(&fixture, text);
        if (config_is_changed(config, rows[i].key) != rows[i].changed)
            fail_msg("%s", rows[i].text);
        config_free(config);
    }
}

/* Every number, size and duration: below its range, above it, and not in the notation. */
static void test_ranges(void **state)
{
    struct fixture fixture = { 0 };
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        const char *unit = key->type == CONFIG_DURATION ? "ms" : "";
        char text[256], why[512], allowed[256];
        struct refusal row = { text, why };

        if (key->type > CONFIG_DURATION || key->type == CONFIG_BOOL ||
            (key->blocks & 1u << CONFIG_TOP) == 0)
            continue;
        config_key_allowed(key, allowed, sizeof(allowed));
        snprintf(text, sizeof(text), "\n%s = %llu%s\n" SITE, key->name,
                 (unsigned long long)key->max + 1, unit);
        snprintf(why, sizeof(why), "server.conf:2: %s: \"%llu%s\" is too large; allowed: %s",
                 key->name, (unsigned long long)key->max + 1, unit, allowed);
        fixture_refuse(&fixture, &row, 1);
        snprintf(text, sizeof(text), "%s = 1z\n" SITE, key->name);
        snprintf(why, sizeof(why), "server.conf:1: %s: \"1z\" is not a %s; allowed: %s", key->name,
                 key->type == CONFIG_COUNT      ? "number"
                 : key->type == CONFIG_DURATION ? "duration"
                                                : "size",
                 allowed);
        fixture_refuse(&fixture, &row, 1);
        if (key->min > 0) {
            snprintf(text, sizeof(text), "%s = 0\n" SITE, key->name);
            snprintf(why, sizeof(why), "server.conf:1: %s: \"0\" is too small; allowed: %s",
                     key->name, allowed);
            fixture_refuse(&fixture, &row, 1);
        }
        snprintf(text, sizeof(text), "%s = %llu%s\n" SITE, key->name, (unsigned long long)key->max,
                 unit);
        config_free(fixture_config(&fixture, text));
        checked++;
    }
    assert_in_range(checked, 50, CONFIG_KEYS_COUNT); /* not an empty loop */
}

static void test_top_refused(void **state)
{
    static const struct refusal rows[] = {
        { "", "server.conf: there is nothing to serve; add a block server \"www.example.org\" { "
              "... }" },
        { "allow_root = yes\n" SITE,
          "server.conf:1: allow_root: \"yes\" is neither; allowed: on or off" },
        { "log_level = notice\n" SITE,
          "server.conf:1: log_level: \"notice\" is not known; allowed: "
          "error, warn, info or debug" },
        { "engine = \"\"\n" SITE, "server.conf:1: engine: \"\" is empty; allowed: the name of an "
                                  "engine, see gearshift -V" },
        { "user = \"a b\"\n" SITE,
          "server.conf:1: user: \"a b\" is not one word; allowed: user or user:group, names or "
          "numbers, or \"\" to change nothing" },
        { "error_log = \"\"\n" SITE, "server.conf:1: error_log: \"\" is empty; allowed: stderr, "
                                     "stdout, syslog:... or a path" },
        { "default_type = html\n" SITE,
          "server.conf:1: default_type: \"html\" is no media type: '/' "
          "is missing; allowed: type/subtype" },
        { "types = {\"css\"}\n" SITE, "server.conf:1: types: \"css\" has no '='; allowed: "
                                      "\"extension=type/subtype\"" },
        { "types = {\".css=text/css\"}\n" SITE, "server.conf:1: types: \".css=text/css\" has no "
                                                "extension, without a dot, before the '='; "
                                                "allowed: \"extension=type/subtype\"" },
        { "types = {\"*=text/css\"}\n" SITE,
          "server.conf:1: types: \"*\" is for a server or a location; here it is default_type; "
          "allowed: \"extension=type/subtype\"" },
        { "types = {\"css=text\"}\n" SITE,
          "server.conf:1: types: \"text\" is no media type: '/' is "
          "missing; allowed: \"extension=type/subtype\"" },
        { "types = {\"css=a/b\", \"CSS=a/c\"}\n" SITE,
          "server.conf:1: types: \"css\" stands twice in the list; allowed: "
          "\"extension=type/subtype\"" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_server_refused(void **state)
{
    static const struct refusal rows[] = {
        { "server a { }",
          "server.conf:1: server: \"a\" has no root; add root = \"/path/of/a/directory\" to it" },
        { "server a {\n root = /srv/none }", "server.conf:2: root: \"/srv/none\" cannot be served: "
                                             "No such file or directory; allowed: "
                                             "the path of a directory" },
        { "server a {\n root = /srv/file }", "server.conf:2: root: \"/srv/file\" cannot be served: "
                                             "Not a directory; allowed: the path of "
                                             "a directory" },
        { "server a { root = \"\" }",
          "server.conf:1: root: \"\" is empty; allowed: the path of a directory" },
        { "server \"main site\" { root = /srv/www }",
          "server.conf:1: server: \"main site\" is no host name; allowed: a host name, or *.name "
          "for "
          "those below it" },
        { "server a { root = /srv/www\nalias_hosts = {b, \"c d\"} }",
          "server.conf:2: alias_hosts: \"c d\" is no host name; allowed: a host name, or *.name "
          "for "
          "those below it" },
        { "server a { root = /srv/www alias_hosts = {b, A} }",
          "server.conf:1: server: \"a\" stands twice among its title and alias_hosts; take one of "
          "them away" },
        { "server a { root = /srv/www alias_hosts = {c} }\n"
          "server b { root = /srv/www alias_hosts = {C} }",
          "server.conf:2: server: the name \"c\" is taken, at 127.0.0.1:8080, by the server at "
          "server.conf:1; give one of the two another name, or another address" },
        { "server a { root = /srv/www\naccess_log = none }",
          "server.conf:2: access_log: \"none\" would be a file of that name, for which one writes "
          "./ before it; allowed: off, stdout, stderr, syslog:... or a path" },
        { "error_log = Off\n" SITE,
          "server.conf:1: error_log: \"Off\" would be a file of that name, for which one writes ./ "
          "before it; allowed: stderr, stdout, syslog:... or a path" },
        { "pid_file = none\n" SITE,
          "server.conf:1: pid_file: \"none\" would be a file of that name, for which one writes ./ "
          "before it; allowed: a path, or \"\" for none" },
        { "mime_types = false\n" SITE,
          "server.conf:1: mime_types: \"false\" would be a file of that name, for which one writes "
          "./ before it; allowed: a path, or \"\" for the built-in types alone" },
        { "server a { root = /srv/www access_log = \"\" }",
          "server.conf:1: access_log: \"\" is empty; allowed: off, stdout, stderr, syslog:... or a "
          "path" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_location_refused(void **state)
{
    static const struct refusal rows[] = {
        { "server a {\n location \"/x/\" { } }",
          "server.conf:2: location: \"/x/\" has no directory to serve; add root, alias, return or "
          "rewrite to it, or "
          "root to its server" },
        { "server a {\n location \"/\" { } }",
          "server.conf:1: server: \"a\" has no root; add root = \"/path/of/a/directory\" to it" },
        { "server a { location \"/x/\" {\nroot = /srv/www\nalias = /srv/www } }",
          "server.conf:3: alias: root is set beside it; take one of the two away" },
        { "server a { root = /srv/www\nindex = {\"a/b\"} }",
          "server.conf:2: index: \"a/b\" is no name of a file in the directory itself; allowed: a "
          "file "
          "name without '/'" },
        { "server a { root = /srv/www\ntry = {\"$uri\", \"=404\"} }",
          "server.conf:2: try: \"=404\" is no path; when no entry leads to a file, the answer is "
          "404 "
          "by itself; allowed: \"$uri\", \"$uri\" with something behind it, or a path that begins "
          "with '/', with variables" },
        { "server a { root = /srv/www\nsymlinks = off }",
          "server.conf:2: symlinks: \"off\" is not known; allowed: inside, deny, owner or any" },
        { "server a { root = /srv/www\nprecompressed = {gzip, br, deflate} }",
          "server.conf:2: precompressed: \"deflate\" is no content coding known here; allowed: "
          "zstd, "
          "br or gzip" },
        { "server a { root = /srv/www\nprecompressed = {br, br} }",
          "server.conf:2: precompressed: \"br\" stands twice in the list; allowed: zstd, br or "
          "gzip" },
        { "server a { root = /srv/www\ncompress = {br, br} }",
          "server.conf:2: compress: \"br\" stands twice in the list; allowed: zstd, br or gzip" },
        { "server a { root = /srv/www\ncompress_types = {\"text/*; q=1\"} }",
          "server.conf:2: compress_types: \"text/*; q=1\" is no media type without parameters; "
          "allowed: a media type, such as text/html, or all of a kind, such as text/*" },
        { "server a { root = /srv/www\nprecompressed = identity }",
          "server.conf:2: precompressed: \"identity\" is no content coding known here; allowed: "
          "zstd, "
          "br or gzip" },
        { "server a { root = /srv/www\nprecompressed = {gzip, dcz} }",
          "server.conf:2: precompressed: \"dcz\" is made with a dictionary, and belongs in deltas; "
          "allowed: zstd, br or gzip" },
        { "server a { root = /srv/www\ndeltas = {dcz, br} }",
          "server.conf:2: deltas: \"br\" is made without a dictionary; allowed: dcz or dcb" },
        { "server a { root = /srv/www\nuse_as_dictionary = {\"/a.*\", \"*.js\"} }",
          "server.conf:2: use_as_dictionary: \"*.js\" does not begin with '/'; begin with it, or "
          "tell by match=/path for which requests it is; allowed: a pattern such as "
          "\"/app.*.js\", and behind it match=/path for other requests than those and dest=script "
          "or the like if wanted" },
        { "server a { root = /srv/www\nuse_as_dictionary = \"/[a.js match=/b\" }",
          "server.conf:2: use_as_dictionary: \"/[a.js match=/b\" has a [ without its ]" },
        { "server a { root = /srv/www location \"/x/\" { alias = /srv/www\n"
          "use_as_dictionary = \"/a\" } }",
          "server.conf:2: use_as_dictionary: with alias, \"/a\" is not the path that clients ask "
          "for; add match=/path to it, the path in the URL" },
        { "server a { root = /srv/www\ncharset = \"utf-8; x\" }",
          "server.conf:2: charset: \"utf-8; x\" is no name of a charset; allowed: a name of "
          "letters, "
          "digits, '-' and '_', or \"\" for none" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

/* config_roots_open() on a real file system. */
static void test_roots_open(void **state)
{
    char folder[] = "/tmp/test_config_load.XXXXXX";
    struct config *config = NULL;
    struct config_source source = { .root = folder };
    char why[512] = "";
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(config_load(&source, why, sizeof(why), &config), 0);
    assert_int_equal(config_roots_open(config, why, sizeof(why)), 0);
    assert_int_equal(fstat(config->roots[0].fd, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    config_free(config);

    assert_int_equal(config_load(&source, why, sizeof(why), &config), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(config_roots_open(config, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, folder));
    config_free(config);
    config_free(NULL);

    config = NULL;
    assert_int_equal(config_load(&source, why, sizeof(why), &config), -ENOENT);
    assert_null(config);
    assert_non_null(strstr(why, "the folder to serve: "));

    source = (struct config_source){ .file = "/tmp" };
    assert_int_equal(config_load(&source, why, sizeof(why), &config), -EISDIR);
    assert_string_equal(why, "/tmp: the configuration cannot be read: Is a directory");
}

/* Long enough to be read in several pieces. */
static void test_file_read(void **state)
{
    char path[] = "/tmp/test_config_load.XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    struct config *config = NULL;
    struct config_source source = { .file = path };
    char why[512] = "";

    (void)state;
    assert_non_null(file);
    for (int i = 0; i < 20000; i++)
        fprintf(file, "# line %d\n", i);
    fprintf(file, "threads = 7\nserver a { root = \"/\" }\n");
    fclose(file);
    assert_int_equal(config_load(&source, why, sizeof(why), &config), 0);
    assert_int_equal(config->threads, 7);
    assert_non_null(strstr(config_place(config, "threads"), ":20001"));
    config_free(config);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(config_load(&source, why, sizeof(why), &config), -EINVAL);
    assert_int_equal(unlink(path), 0);
}

enum { TURNS = 100 };

/* Loads one text that is right and one that is not, again and again; NULL, or what was wrong. */
static void *load_often(void *ret)
{
    struct fixture fixture = { 0 };

    for (int i = 0; i < TURNS; i++) {
        struct config *config = NULL;

        if (fixture_load_text(&fixture, "threads = 7\n" SITE, &config) != 0 ||
            config->threads != 7 || strcmp(config_place(config, "threads"), "server.conf:1") != 0)
            return ret;
        config_free(config);
        if (fixture_load_text(&fixture, "/* \n */ threads = \"7\n", &config) != -EINVAL ||
            strcmp(fixture.why, "server.conf:2:15: a string has no closing quote on its line") != 0)
            return ret;
    }
    return NULL;
}

/* Configurations are loaded beside one another, half-way ones too, and share nothing. */
static void test_beside_one_another(void **state)
{
    static char wrong[] = "wrong";
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_often, wrong), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *result = wrong;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Real files by a pattern: in the order of their names, and what matched at first is what a second
 * reading takes, too, as it does with what the files held. */
static void test_files_by_pattern(void **state)
{
    static const char *const names[] = { "10.conf", "9.conf", "a.conf", "main" };
    char folder[] = "/tmp/test_config_load.XXXXXX", path[128], why[512] = "";
    struct config_texts texts = { 0 };
    struct config_source source = { .file = path, .texts = &texts };
    struct config *config = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/main", folder);
    put_file(folder, "main", "include \"?*.conf\" include \"none/*.conf\" include \"main/*\"");
    put_file(folder, "9.conf", "server nine { root = / }");
    put_file(folder, "10.conf", "server ten { root = / }");
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(config_load(&source, why, sizeof(why), &config), 0);
        assert_int_equal(config->servers_count, 2);
        assert_string_equal(config->servers[0].name, "ten");
        assert_string_equal(config->servers[1].name, "nine");
        config_free(config);
        put_file(folder, "a.conf", "server a { root = / }");
    }
    source.texts = NULL;
    assert_int_equal(config_load(&source, why, sizeof(why), &config), 0);
    assert_int_equal(config->servers_count, 3);
    config_free(config);
    config_texts_free(&texts);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),         cmocka_unit_test(test_changed),
        cmocka_unit_test(test_threads),          cmocka_unit_test(test_beside_one_another),
        cmocka_unit_test(test_ranges),           cmocka_unit_test(test_top_refused),
        cmocka_unit_test(test_server_refused),   cmocka_unit_test(test_location_refused),
        cmocka_unit_test(test_roots_open),       cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_files_by_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
