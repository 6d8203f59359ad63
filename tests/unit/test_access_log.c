/* test_access_log.c: both formats octet for octet, escaping, buffering, rotation, and files that
 * refuse to be written. */
#include "core/access_log.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

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
    if (mkdtemp(folder) == NULL)
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
    return rmdir(folder);
}

/* The whole file, NUL-terminated; valid until the next call. */
static const char *contents(const char *name)
{
    static char text[1024 * 1024];
    FILE *file = fopen(name, "r");

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    return text;
}

static const char *what;

static int open_log(const char *name, size_t buffer_size, struct access_log **ret_log)
{
    return access_log_open(name, geteuid(), ACCESS_COMBINED, buffer_size, ret_log, &what);
}

static struct access_log *begin(enum access_format format, size_t buffer_size)
{
    struct access_log *log = NULL;

    unlink(path);
    assert_int_equal(access_log_open(path, geteuid(), format, buffer_size, &log, &what), 0);
    return log;
}

static void test_formats(void **state)
{
    (void)state;
    struct access_log *log = begin(ACCESS_COMBINED, 4096);

    access_log_append(log, &typical);
    access_log_close(log);
    assert_string_equal(contents(path), combined_line);

    log = begin(ACCESS_JSON, 4096);
    access_log_append(log, &typical);
    access_log_close(log);
    assert_string_equal(contents(path), json_line);
    access_log_close(NULL);
}

static void test_nothing_known(void **state)
{
    (void)state;
    const struct access_record empty = { .log_date = "D", .body_bytes = UINT64_MAX };
    struct access_log *log = begin(ACCESS_COMBINED, 4096);

    access_log_append(log, &empty);
    access_log_close(log);
    assert_string_equal(contents(path), "- - - [D] \"-\" 499 18446744073709551615 \"-\" \"-\"\n");

    log = begin(ACCESS_JSON, 4096);
    access_log_append(log, &empty);
    access_log_close(log);
    assert_string_equal(contents(path),
                        "{\"time\":\"1970-01-01T00:00:00.000Z\",\"peer\":\"\",\"host\":\"\","
                        "\"request\":\"\",\"status\":499,\"body_bytes\":18446744073709551615,"
                        "\"duration_ms\":0,\"referer\":\"\",\"user_agent\":\"\"}\n");
}

/* Undoes the escaping of `text` up to an unescaped '"'; returns the octets' number. */
static size_t unescape(const char *text, const char *prefix, char *out)
{
    size_t len = 0;

    while (*text != '"') {
        if (strncmp(text, prefix, strlen(prefix)) == 0) {
            unsigned octet = 0;
            assert_int_equal(sscanf(text + strlen(prefix), "%2x", &octet), 1);
            out[len++] = (char)octet;
            text += strlen(prefix) + 2;
        } else {
            assert_in_range(*text, 0x20, 0x7e);
            assert_int_not_equal(*text, '\\');
            out[len++] = *text++;
        }
    }
    return len;
}

/* Every octet, at every place within and around the sixteen that are looked at together. */
static void test_every_octet_everywhere(void **state)
{
    (void)state;
    char value[48], back[64];

    for (enum access_format format = ACCESS_COMBINED; format <= ACCESS_JSON; format++) {
        const char *mark = format == ACCESS_JSON ? "\"user_agent\":\"" : "\"-\" \"";
        for (unsigned octet = 0; octet < 256; octet++) {
            const char *prefix = format == ACCESS_COMBINED ? "\\x"
                                 : octet < 0x80            ? "\\u00"
                                                           : "\\\\x"; /* it is not UTF-8 */
            struct access_log *log = begin(format, sizeof value * 1024);
            for (size_t at = 0; at < sizeof value; at++) {
                memset(value, 'a', sizeof value);
                value[at] = (char)octet;
                struct access_record record = { .log_date = "D",
                                                .user_agent = { value, sizeof value } };
                access_log_append(log, &record);
            }
            access_log_close(log);
            const char *line = contents(path);
            for (size_t at = 0; at < sizeof value; at++) {
                memset(value, 'a', sizeof value);
                value[at] = (char)octet;
                const char *field = strstr(line, mark);
                assert_non_null(field);
                assert_int_equal(unescape(field + strlen(mark), prefix, back), sizeof value);
                assert_memory_equal(back, value, sizeof value);
                line = strchr(line, '\n') + 1;
            }
            assert_string_equal(line, "");
        }
    }
}

/* The user agent of one JSON line. */
static void assert_json(const char *octets, size_t len, const char *wanted)
{
    struct access_log *log = begin(ACCESS_JSON, 4096);
    struct access_record record = { .log_date = "D", .user_agent = { octets, len } };
    static const char mark[] = "\"user_agent\":\"";

    access_log_append(log, &record);
    access_log_close(log);
    const char *field = strstr(contents(path), mark);
    assert_non_null(field);
    assert_int_equal(strncmp(field + sizeof mark - 1, wanted, strlen(wanted)), 0);
    assert_string_equal(field + sizeof mark - 1 + strlen(wanted), "\"}\n");
}

/* Characters of each length, the first and the last, and what only looks like one. */
static void test_json_utf_8(void **state)
{
    (void)state;
    static const struct {
        const char *octets, *wanted;
    } rows[] = {
        { "Caf\xc3\xa9", "Caf\\u00E9" },
        { "\xc2\x80\xdf\xbf", "\\u0080\\u07FF" },
        { "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", "\\u0800\\uD7FF\\uE000\\uFFFF" },
        { "\xe2\x82\xac", "\\u20AC" },
        { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\\uD800\\uDC00\\uDBFF\\uDFFF" },
        { "\xf0\x9d\x84\x9e!", "\\uD834\\uDD1E!" },
        { "caf\xe9", "caf\\\\xE9" },
        { "\xc3", "\\\\xC3" },
        { "\xc3(", "\\\\xC3(" },
        { "\xe2\x82", "\\\\xE2\\\\x82" },
        { "\xe2\x82 ", "\\\\xE2\\\\x82 " },
        { "\xc0\xaf", "\\\\xC0\\\\xAF" },
        { "\xe0\x9f\xbf", "\\\\xE0\\\\x9F\\\\xBF" },
        { "\xed\xa0\x80", "\\\\xED\\\\xA0\\\\x80" },
        { "\xf4\x90\x80\x80", "\\\\xF4\\\\x90\\\\x80\\\\x80" },
        { "\xff\xfe", "\\\\xFF\\\\xFE" },
        { "a\\\"\x1b\x7f", "a\\u005C\\u0022\\u001B\\u007F" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_json(rows[i].octets, strlen(rows[i].octets), rows[i].wanted);
    /* At every place within and around the sixteen that are looked at together. */
    for (size_t at = 0; at < 40; at++) {
        char octets[128], wanted[128];
        snprintf(octets, sizeof octets, "%.*s\xf0\x9d\x84\x9e%.*s", (int)at,
                 "........................................", 40 - (int)at,
                 "........................................");
        snprintf(wanted, sizeof wanted, "%.*s\\uD834\\uDD1E%.*s", (int)at,
                 "........................................", 40 - (int)at,
                 "........................................");
        assert_json(octets, strlen(octets), wanted);
    }
}

/* What is cut off is cut off between characters; octets that are not UTF-8 are cut anywhere. */
static void test_cut_between_characters(void **state)
{
    (void)state;
    static char text[SPAN_MAX + 8], wanted[2 * SPAN_MAX];

    for (size_t back = 0; back <= 4; back++) {
        memset(text, 'a', sizeof text);
        memcpy(text + SPAN_MAX - back, "\xf0\x9d\x84\x9e", 4);
        memset(wanted, 'a', SPAN_MAX);
        strcpy(wanted + SPAN_MAX - back, back == 4 ? "\\uD834\\uDD1E" : "");
        assert_json(text, sizeof text, wanted);
    }
    memset(text, 'a', sizeof text);
    memcpy(text + SPAN_MAX - 2, "\xe2\x82!", 3);
    memset(wanted, 'a', SPAN_MAX);
    strcpy(wanted + SPAN_MAX - 2, "\\\\xE2\\\\x82");
    assert_json(text, sizeof text, wanted);
}

static void test_huge_fields_fit(void **state)
{
    (void)state;
    static char huge[3 * SPAN_MAX];

    memset(huge, '\x01', sizeof huge); /* which takes the most room when escaped */
    struct span span = { huge, sizeof huge };
    struct access_record record = { .peer = span,
                                    .host = span,
                                    .request_line = span,
                                    .referer = span,
                                    .user_agent = span,
                                    .log_date = "22/Nov/2026:12:00:00 +0000",
                                    .wall_s = INT64_MAX,
                                    .wall_ms = 999,
                                    .duration_ms = UINT32_MAX,
                                    .status = UINT16_MAX,
                                    .body_bytes = UINT64_MAX };
    for (enum access_format format = ACCESS_COMBINED; format <= ACCESS_JSON; format++) {
        struct access_log *log = begin(format, 100);
        access_log_append(log, &typical);
        access_log_append(log, &record);
        access_log_append(log, &typical);
        access_log_close(log);
        const char *typical_line = format == ACCESS_JSON ? json_line : combined_line;
        const char *text = contents(path);
        size_t typical_len = strlen(typical_line);
        assert_memory_equal(text, typical_line, typical_len);
        const char *end = strchr(text + typical_len, '\n');
        size_t spans = format == ACCESS_JSON ? 5 : 4, escaped = format == ACCESS_JSON ? 6 : 4;
        assert_in_range(end - text, spans * SPAN_MAX * escaped, LINE_MAX_LEN);
        assert_string_equal(end + 1, typical_line);
    }
}

static void test_buffering(void **state)
{
    (void)state;
    size_t line = strlen(combined_line);
    struct access_log *log = begin(ACCESS_COMBINED, 3 * line + 10);

    assert_false(access_log_pending(log));
    for (int i = 0; i < 3; i++) {
        access_log_append(log, &typical);
        assert_true(access_log_pending(log));
        assert_string_equal(contents(path), "");
    }
    /* The fourth does not fit: three leave whole, one stays. */
    access_log_append(log, &typical);
    assert_int_equal(strlen(contents(path)), 3 * line);
    assert_true(access_log_pending(log));
    access_log_flush(log);
    assert_false(access_log_pending(log));
    assert_int_equal(strlen(contents(path)), 4 * line);
    access_log_flush(log);
    access_log_close(log);
    assert_int_equal(strlen(contents(path)), 4 * line);

    /* Without a buffer each line is there at once. */
    log = begin(ACCESS_COMBINED, 0);
    access_log_append(log, &typical);
    assert_string_equal(contents(path), combined_line);
    assert_false(access_log_pending(log));
    access_log_close(log);
    assert_int_equal(strlen(contents(path)), line);

    struct access_log *untouched = NULL;
    assert_int_equal(open_log(path, SIZE_MAX, &untouched), -ENOMEM);
    assert_int_equal(open_log("/no/such/x", 1, &untouched), -ENOENT);
    assert_int_equal(open_log("/", 1, &untouched), -EISDIR);
    assert_null(untouched);
}

static void test_reopen(void **state)
{
    (void)state;
    struct access_log *log = begin(ACCESS_COMBINED, 4096);

    assert_true(fcntl(access_log_fd(log), F_GETFD) & FD_CLOEXEC);
    access_log_append(log, &typical);
    assert_int_equal(rename(path, rotated_path), 0);
    access_log_append(log, &typical);
    assert_int_equal(access_log_reopen(log, &what),
                     0); /* what was buffered belongs to the old file */
    access_log_append(log, &typical);
    access_log_flush(log);
    assert_int_equal(strlen(contents(rotated_path)), 2 * strlen(combined_line));
    assert_string_equal(contents(path), combined_line);

    assert_int_equal(rename(path, rotated_path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(access_log_reopen(log, &what), -EISDIR);
    access_log_append(log, &typical);
    access_log_close(log);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(strlen(contents(rotated_path)), 2 * strlen(combined_line));
}

static void test_full_disk(void **state)
{
    (void)state;
    struct access_log *log = NULL;

    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(open_log("/dev/full", 4096, &log), 0);
    access_log_append(log, &typical);
    access_log_append(log, &typical);
    access_log_flush(log);
    assert_false(access_log_pending(log));
    const char *report = strstr(contents(error_path), " error access log /dev/full: ");
    assert_non_null(report);
    assert_non_null(strstr(report, "No space left on device; lines lost: 2\n"));
    /* The next ones are counted, and reported when a minute is over. */
    for (int i = 0; i < 3; i++) {
        access_log_append(log, &typical);
        access_log_flush(log);
    }
    assert_null(strstr(contents(error_path), "lost: 1"));
    log->reported_ms -= REPORT_INTERVAL_MS;
    access_log_append(log, &typical);
    access_log_flush(log);
    assert_non_null(strstr(contents(error_path), "No space left on device; lines lost: 4\n"));
    access_log_close(log);
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

/* What was lost since the last report is told when the minute is over, though nothing is logged any
 * more, and at the end: no line is forgotten. */
static void test_lost_lines_are_all_told(void **state)
{
    (void)state;
    struct access_log *log = NULL;

    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(open_log("/dev/full", 0, &log), 0);
    for (int i = 0; i < 1000; i++)
        access_log_append(log, &typical);
    assert_non_null(strstr(contents(error_path), "; lines lost: 1\n"));
    assert_true(access_log_owes(log));
    access_log_flush(log); /* too early */
    assert_true(access_log_owes(log));
    log->reported_ms -= REPORT_INTERVAL_MS;
    access_log_flush(log);
    assert_non_null(strstr(contents(error_path), "; lines lost: 999\n"));
    assert_false(access_log_owes(log));
    for (int i = 0; i < 20; i++)
        access_log_append(log, &typical);
    access_log_close(log);
    assert_non_null(strstr(contents(error_path), "; lines lost: 20\n"));
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

/* A pipe takes a part and then no more: the torn line is ended before the next one. */
static void test_torn_line(void **state)
{
    (void)state;
    static char drained[256 * 1024];
    struct access_log *log = NULL;

    unlink(path);
    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_int_equal(open_log(path, 100 * 1024, &log), 0);
    int room = fcntl(reader, F_GETPIPE_SZ);
    assert_in_range(room, 4096, 90 * 1024);
    assert_int_not_equal((size_t)room % strlen(combined_line), 0);
    while (log->used < 90 * 1024)
        access_log_append(log, &typical);
    access_log_flush(log);
    assert_int_equal(read(reader, drained, sizeof drained), room);
    assert_non_null(strstr(contents(error_path), "Resource temporarily unavailable; lines lost: "));

    access_log_append(log, &typical);
    access_log_flush(log);
    ssize_t n = read(reader, drained, sizeof drained - 1);
    assert_true(n > 0);
    drained[n] = '\0';
    assert_int_equal(drained[0], '\n');
    assert_string_equal(drained + 1, combined_line);
    access_log_close(log);
    close(reader);
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_every_octet_everywhere),
        cmocka_unit_test(test_json_utf_8),
        cmocka_unit_test(test_cut_between_characters),
        cmocka_unit_test(test_huge_fields_fit),
        cmocka_unit_test(test_buffering),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_lost_lines_are_all_told),
        cmocka_unit_test(test_torn_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
