/* access_log_fixture.h: what the tests of access_log.c have in common, which they include: a
 * folder, both formats, a typical record. */
#ifndef TESTS_UNIT_ACCESS_LOG_FIXTURE_H
#define TESTS_UNIT_ACCESS_LOG_FIXTURE_H

#include "core/access_log.c"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

enum form { FORM_COMBINED, FORM_JSON, FORMS };

static struct arena *arena;
static const struct access_format *formats[FORMS];
static enum form form_now;

static char folder[] = "/tmp/test_access_log.XXXXXX";
static char path[64], error_path[64], rotated_path[64];

static const struct access_record typical = {
    .peer = { "192.0.2.1", 9 },
    .host = { "www.example.org", 15 },
    .request_line = { "GET /index.html HTTP/1.1", 24 },
    .referer = { "http://example.org/", 19 },
    .user_agent = { "Mozilla/5.0 (X11; Linux x86_64)", 31 },
    .log_date = "22/Nov/2026:12:00:00 +0000",
    .wall_s = 1795348800,
    .wall_ms = 7,
    .duration_ms = 12,
    .status = 200,
    .body_bytes = 1024,
};

static const char combined_line[] =
    "192.0.2.1 - - [22/Nov/2026:12:00:00 +0000] \"GET /index.html HTTP/1.1\" 200 1024 "
    "\"http://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n";
static const char json_line[] =
    "{\"time\":\"2026-11-22T12:00:00.007Z\",\"peer\":\"192.0.2.1\",\"host\":\"www.example.org\","
    "\"request\":\"GET /index.html HTTP/1.1\",\"status\":200,\"body_bytes\":1024,"
    "\"duration_ms\":12,\"referer\":\"http://example.org/\","
    "\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64)\"}\n";

static int set_up(void **state)
{
    (void)state;
    char why[256];

    arena = arena_create();
    if (arena == NULL || mkdtemp(folder) == NULL ||
        access_format_compile(arena, "combined", NULL, why, sizeof why, &formats[FORM_COMBINED]) <
            0 ||
        access_format_compile(arena, "json", NULL, why, sizeof why, &formats[FORM_JSON]) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/access.log", folder);
    snprintf(error_path, sizeof error_path, "%s/error.log", folder);
    snprintf(rotated_path, sizeof rotated_path, "%s/access.log.1", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(error_path);
    unlink(rotated_path);
    arena_destroy(arena);
    return rmdir(folder);
}

/* The whole file, NUL-terminated; valid until the next call. */
static const char *contents(const char *name)
{
    static char text[2 * 1024 * 1024];
    FILE *file = fopen(name, "r");

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    return text;
}

static const char *what;

static int open_with(const char *name, enum form form, size_t buffer_size,
                     struct log_writer *writer, struct access_log **ret_log)
{
    const struct access_log_options options = { .path = name,
                                                .owner = geteuid(),
                                                .line_max = formats[form]->line_max,
                                                .buffer_size = buffer_size,
                                                .writer = writer };

    form_now = form;
    return access_log_open(&options, ret_log, &what);
}

static inline int open_log(const char *name, size_t buffer_size, struct access_log **ret_log)
{
    return open_with(name, FORM_COMBINED, buffer_size, NULL, ret_log);
}

static void append(struct access_log *log, const struct access_record *record)
{
    access_log_append(log, formats[form_now], record);
}

static inline struct access_log *begin(enum form format, size_t buffer_size)
{
    struct access_log *log = NULL;

    unlink(path);
    assert_int_equal(open_with(path, format, buffer_size, NULL, &log), 0);
    return log;
}

#endif
