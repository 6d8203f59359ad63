/* test_log_syslog.c: destinations as they are written, datagrams as they are sent, and daemons that
 * are slow, gone, or come again. */
#include "core/log_syslog.c"

#include "core/log.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_log_syslog.XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void test_destinations(void **state)
{
    (void)state;
    struct log_syslog syslog;

    assert_true(log_syslog_is("syslog:") && log_syslog_is("syslog:x"));
    assert_false(log_syslog_is("syslog") || log_syslog_is("/syslog:"));

    assert_null(log_syslog_parse("syslog:", &syslog));
    assert_int_equal(syslog.facility, 23);
    assert_int_equal(syslog.severity, 6);
    assert_true(syslog.hostname);
    assert_string_equal(syslog.tag, "gearshift");
    assert_string_equal(((struct sockaddr_un *)(void *)&syslog.address)->sun_path, "/dev/log");

    assert_null(log_syslog_parse(
        "syslog:server=unix:/a/b,facility=local0,severity=ERROR,tag=Web_1,nohostname", &syslog));
    assert_int_equal(syslog.facility, 16);
    assert_int_equal(syslog.severity, 3);
    assert_false(syslog.hostname);
    assert_string_equal(syslog.tag, "Web_1");
    assert_string_equal(((struct sockaddr_un *)(void *)&syslog.address)->sun_path, "/a/b");

    assert_null(log_syslog_parse("syslog:server=192.0.2.1", &syslog));
    assert_int_equal(syslog.address.ss_family, AF_INET);
    assert_int_equal(ntohs(((struct sockaddr_in *)(void *)&syslog.address)->sin_port), 514);
    assert_null(log_syslog_parse("syslog:server=[2001:db8::1]:65535", &syslog));
    assert_int_equal(syslog.address.ss_family, AF_INET6);
    assert_int_equal(ntohs(((struct sockaddr_in6 *)(void *)&syslog.address)->sin6_port), 65535);
    assert_null(log_syslog_parse("syslog:server=[::1]", &syslog));
    assert_null(log_syslog_parse("syslog:server=logs.example.org:1514", &syslog));
    assert_int_equal(syslog.address_len, 0);
    assert_string_equal(syslog.host, "logs.example.org");
    assert_true(log_syslog_aim(&syslog, "192.0.2.7"));
    assert_int_equal(ntohs(((struct sockaddr_in *)(void *)&syslog.address)->sin_port), 1514);
    assert_false(log_syslog_aim(&syslog, "x"));
}

/* 108 octets: one too many. */
#define TEN       "1234567890"
#define FIFTY     TEN TEN TEN TEN TEN
#define LONG_PATH "syslog:server=unix:/" FIFTY FIFTY "1234567"

static void test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "syslog:x",
        "syslog:,",
        "syslog:tag=a,",
        "syslog:tag=",
        "syslog:tag=a-b",
        "syslog:tag=a b",
        "syslog:tag=123456789012345678901234567890123",
        "syslog:facility=local8",
        "syslog:severity=information",
        "syslog:server=",
        "syslog:server=unix:",
        "syslog:server=unix:relative",
        LONG_PATH,
        "syslog:server=:514",
        "syslog:server=h:",
        "syslog:server=h:0",
        "syslog:server=h:65536",
        "syslog:server=h:x",
        "syslog:server=h:99999999999999999999",
        "syslog:server=[::1",
        "syslog:server=[::1]514",
        "syslog:server=[192.0.2.1]:514",
        "syslog:server=[h]:514",
    };
    struct log_syslog syslog = { .facility = 99 };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (log_syslog_parse(texts[i], &syslog) == NULL)
            fail_msg("accepted: %s", texts[i]);
        assert_int_equal(syslog.facility, 99);
    }
}

/* RFC 3164 section 4.1: the day is two columns wide, the time local. */
static void test_prefix(void **state)
{
    (void)state;
    struct log_syslog syslog;
    char text[LOG_SYSLOG_PREFIX_MAX + 1];

    assert_null(log_syslog_parse("syslog:nohostname,tag=web,facility=daemon", &syslog));
    size_t len = log_syslog_prefix(&syslog, 6, 1795348800 - 15 * 86400, 0, text);
    text[len] = '\0';
    assert_string_equal(text, "<30>Nov  7 12:00:00 web: ");
    len = log_syslog_prefix(&syslog, 3, 1795348800, -13 * 3600, text);
    text[len] = '\0';
    assert_string_equal(text, "<27>Nov 21 23:00:00 web: ");
    syslog.hostname = true;
    memset(syslog.tag, 't', LOG_SYSLOG_TAG_MAX);
    syslog.tag[LOG_SYSLOG_TAG_MAX] = '\0';
    len = log_syslog_prefix(&syslog, 3, INT64_MAX - 86400, 86400, text);
    assert_in_range(len, 20, LOG_SYSLOG_PREFIX_MAX);
}

/* The daemon's end. */
static int listen_there(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(at.sun_path, path, strlen(path));
    unlink(path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&at, sizeof at), 0);
    return fd;
}

static void assert_gets(int fd, const char *wanted)
{
    char text[128];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, wanted);
}

static void open_there(struct log_syslog *syslog, int *ret_fd)
{
    char text[128];

    snprintf(text, sizeof text, "syslog:server=unix:%s", path);
    assert_null(log_syslog_parse(text, syslog));
    *ret_fd = log_syslog_open(syslog);
    assert_true(*ret_fd >= 0);
}

static void test_send(void **state)
{
    (void)state;
    struct log_syslog syslog;
    int fd, daemon = listen_there();
    size_t done = 0;

    open_there(&syslog, &fd);
    assert_int_equal(log_syslog_send(&syslog, fd, "one\ntwo\n\n", 9, &done), 0);
    assert_int_equal(done, 9);
    assert_gets(daemon, "one");
    assert_gets(daemon, "two");
    assert_gets(daemon, "");
    assert_int_equal(log_syslog_send(&syslog, fd, "", 0, &done), 0);

    /* One after the other, with the same name: the old one's socket leads nowhere. */
    close(daemon);
    daemon = listen_there();
    assert_int_equal(log_syslog_send(&syslog, fd, "three\n", 6, &done), 0);
    assert_gets(daemon, "three");
    close(daemon);
    assert_int_equal(log_syslog_send(&syslog, fd, "four\n", 5, &done), -ECONNREFUSED);
    assert_int_equal(done, 0);
    unlink(path);
    assert_int_equal(log_syslog_send(&syslog, fd, "five\n", 5, &done), -ENOENT);
    daemon = listen_there();
    assert_int_equal(log_syslog_send(&syslog, fd, "six\n", 4, &done), 0);
    assert_gets(daemon, "six");
    close(daemon);
    close(fd);
}

/* One that does not read: the call comes back, and tells how many lines were taken. */
static void test_full(void **state)
{
    (void)state;
    static char lines[4 * 100000];
    struct log_syslog syslog;
    int fd, daemon = listen_there();
    size_t done = 0, taken = 0;
    char octet[8];

    open_there(&syslog, &fd);
    for (size_t i = 0; i < sizeof lines; i += 4)
        memcpy(lines + i, "abc\n", 4);
    assert_int_equal(log_syslog_send(&syslog, fd, lines, sizeof lines, &done), -EAGAIN);
    assert_in_range(done, 4, sizeof lines - 4);
    assert_int_equal(done % 4, 0);
    while (recv(daemon, octet, sizeof octet, 0) == 3)
        taken++;
    assert_int_equal(taken, done / 4);
    close(daemon);
    close(fd);
}

static void test_long_line(void **state)
{
    (void)state;
    static char line[LOG_SYSLOG_DATAGRAM_MAX + 100];
    static char text[sizeof line];
    struct log_syslog syslog;
    int fd, daemon = listen_there();
    size_t done = 0;

    open_there(&syslog, &fd);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    assert_int_equal(log_syslog_send(&syslog, fd, line, sizeof line, &done), 0);
    assert_int_equal(done, sizeof line);
    assert_int_equal(recv(daemon, text, sizeof text, 0), LOG_SYSLOG_DATAGRAM_MAX);
    close(daemon);
    close(fd);
}

/* The error log: each line has the severity of its level, and what is lost is told. */
static void test_error_log(void **state)
{
    (void)state;
    struct log_syslog syslog;
    char text[256];
    int daemon = listen_there();

    snprintf(text, sizeof text, "syslog:server=unix:%s,nohostname,facility=user", path);
    assert_null(log_syslog_parse(text, &syslog));
    assert_int_equal(log_take_syslog(&syslog, LOG_INFO), 0);
    log_error("a\nb");
    ssize_t n = recv(daemon, text, sizeof text - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_int_equal(strncmp(text, "<11>", 4), 0);
    assert_non_null(strstr(text, " gearshift: "));
    assert_string_equal(strstr(text, " error "), " error a\\x0Ab");
    log_info("b");
    assert_int_equal(recv(daemon, text, sizeof text, 0) > 0, true);
    assert_int_equal(strncmp(text, "<14>", 4), 0);
    close(daemon);
    log_warn("lost");
    daemon = listen_there();
    assert_int_equal(log_reopen(), 0);
    log_warn("c");
    n = recv(daemon, text, sizeof text - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "warn 1 lines of this log are missing before this one"));
    assert_true(recv(daemon, text, sizeof text, 0) > 0);
    close(daemon);
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_destinations), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_prefix),       cmocka_unit_test(test_send),
        cmocka_unit_test(test_full),         cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_error_log),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
