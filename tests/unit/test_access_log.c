/* test_access_log.c: both formats octet for octet, escaping, buffering, rotation. What becomes of
 * lines that cannot be written: test_access_log_lost.c. */
#include "access_log_fixture.h"

static void test_formats(void **state)
{
    (void)state;
    struct access_log *log = begin(FORM_COMBINED, 4096);

    append(log, &typical);
    access_log_close(log);
    assert_string_equal(contents(path), combined_line);

    log = begin(FORM_JSON, 4096);
    append(log, &typical);
    access_log_close(log);
    assert_string_equal(contents(path), json_line);
    access_log_close(NULL);
}

static void test_nothing_known(void **state)
{
    (void)state;
    const struct access_record empty = { .log_date = "D", .body_bytes = UINT64_MAX };
    struct access_log *log = begin(FORM_COMBINED, 4096);

    append(log, &empty);
    access_log_close(log);
    assert_string_equal(contents(path), "- - - [D] \"-\" 499 18446744073709551615 \"-\" \"-\"\n");

    log = begin(FORM_JSON, 4096);
    append(log, &empty);
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

    for (enum form format = FORM_COMBINED; format <= FORM_JSON; format++) {
        const char *mark = format == FORM_JSON ? "\"user_agent\":\"" : "\"-\" \"";
        for (unsigned octet = 0; octet < 256; octet++) {
            const char *prefix = format == FORM_COMBINED ? "\\x"
                                 : octet < 0x80          ? "\\u00"
                                                         : "\\\\x"; /* it is not UTF-8 */
            struct access_log *log = begin(format, sizeof value * 1024);
            for (size_t at = 0; at < sizeof value; at++) {
                memset(value, 'a', sizeof value);
                value[at] = (char)octet;
                struct access_record record = { .log_date = "D",
                                                .user_agent = { value, sizeof value } };
                append(log, &record);
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
    struct access_log *log = begin(FORM_JSON, 4096);
    struct access_record record = { .log_date = "D", .user_agent = { octets, len } };
    static const char mark[] = "\"user_agent\":\"";

    append(log, &record);
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
    static char text[ACCESS_SPAN_MAX + 8], wanted[2 * ACCESS_SPAN_MAX];

    for (size_t back = 0; back <= 4; back++) {
        memset(text, 'a', sizeof text);
        memcpy(text + ACCESS_SPAN_MAX - back, "\xf0\x9d\x84\x9e", 4);
        memset(wanted, 'a', ACCESS_SPAN_MAX);
        strcpy(wanted + ACCESS_SPAN_MAX - back, back == 4 ? "\\uD834\\uDD1E" : "");
        assert_json(text, sizeof text, wanted);
    }
    memset(text, 'a', sizeof text);
    memcpy(text + ACCESS_SPAN_MAX - 2, "\xe2\x82!", 3);
    memset(wanted, 'a', ACCESS_SPAN_MAX);
    strcpy(wanted + ACCESS_SPAN_MAX - 2, "\\\\xE2\\\\x82");
    assert_json(text, sizeof text, wanted);
}

static void test_huge_fields_fit(void **state)
{
    (void)state;
    static char huge[3 * ACCESS_SPAN_MAX];

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
    for (enum form format = FORM_COMBINED; format <= FORM_JSON; format++) {
        struct access_log *log = begin(format, 100);
        append(log, &typical);
        append(log, &record);
        append(log, &typical);
        access_log_close(log);
        const char *typical_line = format == FORM_JSON ? json_line : combined_line;
        const char *text = contents(path);
        size_t typical_len = strlen(typical_line);
        assert_memory_equal(text, typical_line, typical_len);
        const char *end = strchr(text + typical_len, '\n');
        size_t spans = format == FORM_JSON ? 5 : 4, escaped = format == FORM_JSON ? 6 : 4;
        assert_in_range(end - text, spans * ACCESS_SPAN_MAX * escaped,
                        typical_len + formats[format]->line_max);
        assert_string_equal(end + 1, typical_line);
    }
}

static void test_buffering(void **state)
{
    (void)state;
    size_t line = strlen(combined_line);
    struct access_log *log = begin(FORM_COMBINED, 3 * line + 10);

    assert_false(access_log_pending(log));
    for (int i = 0; i < 3; i++) {
        append(log, &typical);
        assert_true(access_log_pending(log));
        assert_string_equal(contents(path), "");
    }
    /* The fourth does not fit: three leave whole, one stays. */
    append(log, &typical);
    assert_int_equal(strlen(contents(path)), 3 * line);
    assert_true(access_log_pending(log));
    access_log_flush(log);
    assert_false(access_log_pending(log));
    assert_int_equal(strlen(contents(path)), 4 * line);
    access_log_flush(log);
    access_log_close(log);
    assert_int_equal(strlen(contents(path)), 4 * line);

    /* Without a buffer each line is there at once. */
    log = begin(FORM_COMBINED, 0);
    append(log, &typical);
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
    struct access_log *log = begin(FORM_COMBINED, 4096);

    assert_true(fcntl(access_log_fd(log), F_GETFD) & FD_CLOEXEC);
    append(log, &typical);
    assert_int_equal(rename(path, rotated_path), 0);
    append(log, &typical);
    assert_int_equal(access_log_reopen(log, &what),
                     0); /* what was buffered belongs to the old file */
    append(log, &typical);
    access_log_flush(log);
    assert_int_equal(strlen(contents(rotated_path)), 2 * strlen(combined_line));
    assert_string_equal(contents(path), combined_line);

    assert_int_equal(rename(path, rotated_path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(access_log_reopen(log, &what), -EISDIR);
    append(log, &typical);
    access_log_close(log);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(strlen(contents(rotated_path)), 2 * strlen(combined_line));
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
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
