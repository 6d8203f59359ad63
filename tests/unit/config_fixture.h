/* config_fixture.h: a configuration from text, in a world of a few files and folders. Included by
 * the test_config_*.c files. */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include "core/check.h"
#include "config/config.h"
#include "config/config_load.h"
#include "config/host_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture_file {
    const char *path, *text;
};

/* The working directory is /site. */
struct fixture {
    struct fixture_file files[12];
    size_t files_count;
    char why[2048];
};

static inline int fixture_read(void *context, const char *path, char **ret_text, size_t *ret_len)
{
    const struct fixture *fixture = context;

    for (size_t i = 0; i < fixture->files_count; i++) {
        if (strcmp(fixture->files[i].path, path) != 0)
            continue;
        *ret_text = strdup(fixture->files[i].text);
        *ret_len = strlen(fixture->files[i].text);
        return *ret_text != NULL ? 0 : -ENOMEM;
    }
    return -ENOENT;
}

/* The files of the fixture are in the order of their names. */
static inline int fixture_match(void *context, const char *pattern, char **ret_paths,
                                size_t *ret_len)
{
    const struct fixture *fixture = context;
    size_t len = 0;
    FILE *stream = open_memstream(ret_paths, ret_len);

    if (stream == NULL)
        return -ENOMEM;
    if (strstr(pattern, "/closed/") != NULL) {
        fclose(stream);
        free(*ret_paths);
        return -EACCES;
    }
    for (size_t i = 0; i < fixture->files_count; i++) {
        const char *path = fixture->files[i].path;

        if (fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0)
            len += fwrite(path, 1, strlen(path) + 1, stream);
    }
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(len, *ret_len);
    return 0;
}

static inline int fixture_directory(void *context, const char *path)
{
    static const char *const folders[] = { "/site/www", "/site/more", "/site/conf/www", "/srv/www",
                                           "/srv/other" };

    (void)context;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (strcmp(folders[i], path) == 0)
            return 0;
    }
    return strcmp(path, "/srv/file") == 0 ? -ENOTDIR : -ENOENT;
}

/* The hosts of a fixture: one address, or two. */
static inline int fixture_resolve(const char *name, struct host_addresses *ret_addresses,
                                  const char **ret_what)
{
    if (strcmp(name, "one.test") == 0) {
        *ret_addresses = (struct host_addresses){ 1, { { false, "192.0.2.1" } } };
        return 0;
    }
    if (strcmp(name, HOST_NAME_ANY) == 0) {
        *ret_addresses = (struct host_addresses){ 2, { { false, "0.0.0.0" }, { true, "::" } } };
        return 0;
    }
    if (strcmp(name, "two.test") == 0) {
        *ret_addresses =
            (struct host_addresses){ 2, { { false, "192.0.2.1" }, { true, "2001:db8::1" } } };
        return 0;
    }
    *ret_what = "no such host is known";
    return -ENOENT;
}

/* Loads `source` among the fixture's files. */
static inline int fixture_load(struct fixture *fixture, const struct config_source *source,
                               struct config **ret_config)
{
    const struct config_files files = { .read = fixture_read,
                                        .match = fixture_match,
                                        .directory = fixture_directory,
                                        .context = fixture,
                                        .working_directory = "/site",
                                        .resolve = fixture_resolve };

    memset(fixture->why, 0, sizeof(fixture->why));
    return config_load_from(source, &files, fixture->why, sizeof(fixture->why), ret_config);
}

/* Loads `text` as server.conf in the working directory. */
static inline int fixture_load_text(struct fixture *fixture, const char *text,
                                    struct config **ret_config)
{
    const struct config_source source = { .file = "server.conf" };

    fixture->files[0] = (struct fixture_file){ "/site/server.conf", text };
    if (fixture->files_count == 0)
        fixture->files_count = 1;
    return fixture_load(fixture, &source, ret_config);
}

/* Likewise, of a text that is right. The caller frees the configuration. */
static inline struct config *fixture_config(struct fixture *fixture, const char *text)
{
    struct config *config = NULL;
    int res = fixture_load_text(fixture, text, &config);

    if (res < 0)
        fail_msg("refused: %s\n%s", fixture->why, text);
    assert_non_null(config);
    return config;
}

/* A text that is refused, and the sentence. */
struct refusal {
    const char *text, *why;
};

/* Loads each, and compares the whole sentence. */
static inline void fixture_refuse(struct fixture *fixture, const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config *config = NULL;
        int res = fixture_load_text(fixture, rows[i].text, &config);

        if (res == 0)
            fail_msg("accepted: %s", rows[i].text);
        assert_null(config);
        if (strcmp(fixture->why, rows[i].why) != 0)
            fail_msg("of %s\n     got: %s\nexpected: %s", rows[i].text, fixture->why, rows[i].why);
    }
}

#endif
