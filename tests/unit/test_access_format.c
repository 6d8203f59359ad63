/* test_access_format.c: formats as they are compiled, every variable as it is written, and that no
 * value can end a line or make it longer than was reckoned. */
#include "core/access_format.c"

#include "core/access_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct client_certificate certificate = { "CN=\"a\"", "O=ca", "0A", "00ff" };

static const struct access_more typical_more = {
    .method = { "GET", 3 },
    .target = { "/a%20b?x=1", 10 },
    .uri = { "/a b", 4 },
    .protocol = { "HTTP/1.1", 8 },
    .args = { "x=1", 3 },
    .host = { "www.example.org", 15 },
    .server_name = { "example.org", 11 },
    .scheme = { "https", 5 },
    .tls_server_name = { "www.example.org", 15 },
    .tls_verify = { "SUCCESS", 7 },
    .certificate = &certificate,
    .tls_protocol = { "TLSv1.3", 7 },
    .tls_cipher = { "TLS_AES_128_GCM_SHA256", 22 },
    .request_id = { "0123456789abcdef0123456789abcdef", 32 },
    .http = { { "one", 3 }, { "two", 3 } },
    .sent = { [ACCESS_SENT_ETAG] = { "\"e\"", 3 }, [ACCESS_SENT_CONTENT_TYPE] = { "a/b", 3 } },
    .bytes_sent = 1300,
    .request_length = 99,
    .connection = 7,
    .connection_requests = 2,
    .server_port = 443,
    .remote_port = 50000,
};

static const struct access_record typical = {
    .peer = { "192.0.2.1", 9 },
    .host = { "www.example.org", 15 },
    .request_line = { "GET /a%20b?x=1 HTTP/1.1", 23 },
    .referer = { "http://r/", 9 },
    .user_agent = { "agent", 5 },
    .log_date = "22/Nov/2026:12:00:00 -0330",
    .wall_s = 1795348800,
    .wall_ms = 7,
    .duration_ms = 12345,
    .status = 200,
    .body_bytes = 1024,
    .more = &typical_more,
};

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create();
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static const struct access_format *compile(const char *text)
{
    const struct access_format *format = NULL;
    char why[1024] = "";

    if (access_format_compile(arena, text, NULL, why, sizeof why, &format) != 0)
        fail_msg("%s: %s", text, why);
    assert_string_equal(format->text, text);
    return format;
}

/* The line without its LF; valid until the next call. */
static const char *line_of(const char *text, const struct access_record *record)
{
    static char *line;
    const struct access_format *format = compile(text);
    struct access_stamp stamp = { 0 };

    free(line);
    line = malloc(format->line_max + 1);
    assert_non_null(line);
    char *end = access_line_put(line, format, record, &stamp);
    assert_in_range(end - line, 1, format->line_max);
    assert_int_equal(end[-1], '\n');
    end[-1] = '\0';
    return line;
}

static void test_every_variable(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } rows[] = {
        { "args", "x=1" },
        { "authority", "www.example.org" },
        { "body_bytes_sent", "1024" },
        { "bytes_sent", "1300" },
        { "connection", "7" },
        { "connection_requests", "2" },
        { "document_uri", "/a b" },
        { "host", "www.example.org" },
        { "https", "on" },
        { "is_args", "?" },
        { "msec", "1795348800.007" },
        { "path", "/a b" },
        { "query", "x=1" },
        { "query_string", "x=1" },
        { "remote_addr", "192.0.2.1" },
        { "remote_port", "50000" },
        { "remote_user", "-" },
        { "request", "GET /a%20b?x=1 HTTP/1.1" },
        { "request_id", "0123456789abcdef0123456789abcdef" },
        { "request_length", "99" },
        { "request_method", "GET" },
        { "request_time", "12.345" },
        { "request_time_ms", "12345" },
        { "request_uri", "/a%20b?x=1" },
        { "scheme", "https" },
        { "server_name", "example.org" },
        { "server_port", "443" },
        { "server_protocol", "HTTP/1.1" },
        { "ssl_cipher", "TLS_AES_128_GCM_SHA256" },
        { "ssl_client_i_dn", "O=ca" },
        { "ssl_client_s_dn", "CN=\\x22a\\x22" },
        { "ssl_client_serial", "0A" },
        { "ssl_client_verify", "SUCCESS" },
        { "ssl_protocol", "TLSv1.3" },
        { "ssl_server_name", "www.example.org" },
        { "status", "200" },
        { "time_iso8601", "2026-11-22T12:00:00-03:30" },
        { "time_local", "22/Nov/2026:12:00:00 -0330" },
        { "time_utc", "2026-11-22T12:00:00.007Z" },
        { "tls_cipher", "TLS_AES_128_GCM_SHA256" },
        { "tls_client_fingerprint", "00ff" },
        { "tls_client_issuer", "O=ca" },
        { "tls_client_serial", "0A" },
        { "tls_client_subject", "CN=\\x22a\\x22" },
        { "tls_client_verify", "SUCCESS" },
        { "tls_protocol", "TLSv1.3" },
        { "tls_server_name", "www.example.org" },
        { "uri", "/a b" },
        { "http_referer", "http://r/" },
        { "http_user_agent", "agent" },
        { "http_x_any", "one" },
        { "sent_http_etag", "\\x22e\\x22" },
        { "sent_http_content_type", "a/b" },
        { "sent_http_location", "-" },
    };
    char format[128], wanted[128], own[ACCESS_NAME_MAX + 1] = "";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(format, sizeof format, "<${%s}> $%s", rows[i].name, rows[i].name);
        snprintf(wanted, sizeof wanted, "<%s> %s", rows[i].wanted, rows[i].wanted);
        assert_string_equal(line_of(format, &typical), wanted);
    }
    snprintf(wanted, sizeof wanted, "%d", (int)getpid());
    assert_string_equal(line_of("$pid", &typical), wanted);
    assert_int_equal(gethostname(own, sizeof own - 1), 0);
    snprintf(wanted, sizeof wanted, "%s 200", own);
    assert_string_equal(line_of("$hostname $status", &typical), wanted);
    /* 48 rows are named, and these two. */
    assert_int_equal(ACCESS_NAMED, 48 + 2);
    assert_string_equal(line_of("$$ $$status $$$status $$", &typical), "$ $status $200 $");
}

static void test_nothing_known(void **state)
{
    (void)state;
    static const struct access_more no_more = { 0 };
    const struct access_record empty = { .log_date = "D", .more = &no_more };
    static const char all[] =
        "$args|$host|$https|$is_args|$remote_port|$remote_user|$request_method|"
        "$server_port|$ssl_cipher|$uri|$http_x|$sent_http_etag|$status";
    char as_json[sizeof all + 16];

    assert_string_equal(line_of(all, &empty), "-|-|-|-|-|-|-|-|-|-|-|-|499");
    snprintf(as_json, sizeof as_json, "escape=json %s", all);
    assert_string_equal(line_of(as_json, &empty), "||||||||||||499");
    snprintf(as_json, sizeof as_json, "escape=default %s", all);
    assert_string_equal(line_of(as_json, &empty), "-|-|-|-|-|-|-|-|-|-|-|-|499");
    assert_string_equal(line_of("[$time_iso8601]", &empty), "[]");
}

static void test_two_fields(void **state)
{
    (void)state;
    const struct access_format *format = compile("$http_x_a $http_b $http_x_a $http_referer");

    assert_int_equal(format->fields_count, 2);
    assert_true(span_eq(format->fields[0], SPAN_LIT("x_a")));
    assert_true(span_eq(format->fields[1], SPAN_LIT("b")));
    assert_string_equal(line_of("$http_x_a $http_b $http_x_a", &typical), "one two one");
}

static int take(void *context, struct span name, size_t index, char *what, size_t what_size)
{
    size_t *taken = context;

    if (name.ptr[0] == 'n') {
        snprintf(what, what_size, "no $%.*s here", (int)name.len, name.ptr);
        return -EINVAL;
    }
    assert_int_equal(index, (*taken)++);
    return 0;
}

/* Names that somebody else knows. */
static void test_others(void **state)
{
    (void)state;
    static const struct span values[] = { { "of \"a\"\n", 7 }, { "", 0 } };
    const struct access_format *format = NULL;
    struct access_more more = { .others = values };
    struct access_record record = typical;
    struct access_stamp stamp = { 0 };
    char why[256] = "", line[256], text[2048] = "", *end;
    size_t taken = 0, len = 0;
    struct access_names names = { take, &taken };

    record.more = &more;
    assert_int_equal(access_format_compile(arena, "$arg_A $status ${Other} $arg_A", &names, why,
                                           sizeof why, &format),
                     0);
    assert_int_equal(taken, 2);
    assert_int_equal(format->others_count, 2);
    assert_true(span_eq(format->others[0], SPAN_LIT("arg_A")));
    assert_true(span_eq(format->others[1], SPAN_LIT("Other")));
    assert_int_equal(format->needs, ACCESS_NEEDS_MORE);
    end = access_line_put(line, format, &record, &stamp);
    end[-1] = '\0';
    assert_string_equal(line, "of \\x22a\\x22\\x0A 200 - of \\x22a\\x22\\x0A");

    assert_int_equal(access_format_compile(arena, "$none", &names, why, sizeof why, &format),
                     -EINVAL);
    assert_string_equal(why, "no $none here");
    for (int i = 0; i <= ACCESS_OTHERS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "$x%d ", i);
    taken = 0;
    assert_int_equal(access_format_compile(arena, text, &names, why, sizeof why, &format), -EINVAL);
    assert_non_null(strstr(why, "more than 16 different variables"));
    assert_true(access_format_knows(SPAN_LIT("status")));
    assert_true(access_format_knows(SPAN_LIT("sent_http_x")));
    assert_false(access_format_knows(SPAN_LIT("arg_x")));
}

/* What a line costs to be filled in, and nothing that it does not show. */
static void test_needs(void **state)
{
    (void)state;
    assert_int_equal(compile("combined")->needs, 0);
    assert_int_equal(compile("json")->needs, 0);
    assert_int_equal(compile("$time_iso8601 $request_time $pid $http_referer")->needs, 0);
    assert_int_equal(compile("$host")->needs, ACCESS_NEEDS_MORE);
    assert_int_equal(compile("$request_id")->needs, ACCESS_NEEDS_MORE | ACCESS_NEEDS_REQUEST_ID);
    assert_int_equal(compile("$http_cookie")->needs, ACCESS_NEEDS_MORE | ACCESS_NEEDS_HTTP);
    assert_int_equal(compile("$sent_http_etag")->needs, ACCESS_NEEDS_MORE | ACCESS_NEEDS_SENT);
}

static void assert_refused(const char *text, const char *begin)
{
    const struct access_format *format = NULL;
    char why[1024] = "";

    assert_int_equal(access_format_compile(arena, text, NULL, why, sizeof why, &format), -EINVAL);
    assert_null(format);
    if (strncmp(why, begin, strlen(begin)) != 0)
        fail_msg("of %s\n   got: %s\nwanted: %s", text, why, begin);
}

static void test_refused(void **state)
{
    (void)state;
    static char text[ACCESS_FORMAT_MAX + 2];

    assert_refused("$remote_adr", "$remote_adr is not known; known: $args $authority ");
    assert_refused("$sent_http_x_powered_by", "$sent_http_x_powered_by is not known; known: ");
    assert_refused("$http_", "$http_ is not known; known: ");
    assert_refused("$status $", "a '$' stands in it that begins no name");
    assert_refused("$Status", "$Status is not known; known: ");
    assert_refused("${status", "a '$' stands in it that begins no name");
    assert_refused("${}", "a '$' stands in it that begins no name");
    assert_refused("", "it names no variable");
    assert_refused("main", "it names no variable");
    assert_refused("escape=json x", "it names no variable");
    assert_refused("escape=none $status", "it begins with an escape that is not known");
    assert_refused("$status\n$status", "a control character stands in it");
    assert_refused("$status\r", "a control character stands in it");
    compile("$status\t$request");

    memset(text, 'x', sizeof text - 1);
    memcpy(text, "$pid ", 5);
    assert_refused(text, "it is longer than 4096 octets");
    text[ACCESS_FORMAT_MAX] = '\0';
    compile(text);
}

/* One more than there may be. */
static void test_bounds(void **state)
{
    (void)state;
    char text[ACCESS_FORMAT_MAX] = "";
    size_t len = 0;

    for (int i = 0; i < ACCESS_PIECES_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "$uri ");
    assert_int_equal(compile(text)->count, ACCESS_PIECES_MAX + 1);
    snprintf(text + len, sizeof text - len, "$uri");
    assert_refused(text, "more than 64 variables");

    len = 0;
    for (int i = 0; i < ACCESS_FIELDS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "$http_x%d ", i);
    assert_int_equal(compile(text)->fields_count, ACCESS_FIELDS_MAX);
    snprintf(text + len, sizeof text - len, "$http_y");
    assert_refused(text, "more than 16 different $http_NAME");
    /* The same machine's name as often as it finds room. */
    for (len = 0; len + 10 < sizeof text; len += 9)
        memcpy(text + len, "$hostname", 10);
    memcpy(text + len - 9, "$pid", 5);
    compile(text);
}

/* All values are huge and of what takes the most room, or would end the line. */
static void test_hostile_values(void **state)
{
    (void)state;
    static char huge[3 * ACCESS_SPAN_MAX];
    static const char *const formats[] = {
        "combined",
        "json",
        "$args $authority $document_uri $host $query_string $remote_addr $request $request_id "
        "$request_method $request_uri $scheme $server_name $server_protocol $ssl_cipher "
        "$ssl_protocol $uri $http_referer $http_user_agent $http_a $http_b $sent_http_location "
        "$bytes_sent $connection $request_length",
    };
    struct span span = { huge, sizeof huge };
    struct access_more more = { .bytes_sent = UINT64_MAX,
                                .connection = UINT64_MAX,
                                .request_length = UINT64_MAX };
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
                                    .body_bytes = UINT64_MAX,
                                    .more = &more };

    more.method = more.target = more.uri = more.protocol = more.args = more.host = span;
    more.server_name = more.scheme = more.tls_protocol = more.tls_cipher = more.request_id = span;
    for (size_t i = 0; i < ACCESS_FIELDS_MAX; i++)
        more.http[i] = span;
    for (size_t i = 0; i < ACCESS_SENT_COUNT; i++)
        more.sent[i] = span;
    for (unsigned octet = 0; octet < 256; octet++) {
        if (octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\' && octet != 'a')
            continue;
        memset(huge, (int)octet, sizeof huge);
        for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
            char text[1024];
            snprintf(text, sizeof text, "%s", formats[i]);
            for (const char *at = line_of(text, &record); *at != '\0'; at++) {
                if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
                    fail_msg("octet %u in %s", octet, formats[i]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_variable), cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_two_fields),     cmocka_unit_test(test_needs),
        cmocka_unit_test(test_others),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounds),         cmocka_unit_test(test_hostile_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
