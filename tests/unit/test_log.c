/* test_log.c: the error log: form of a line, levels, escaping, cutting, rotation, failures. */
#include "core/log.c"

#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_log.XXXXXX";
static char log_path[64], rotated_path[64];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(log_path, sizeof log_path, "%s/error.log", folder);
    snprintf(rotated_path, sizeof rotated_path, "%s/error.log.1", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(log_path);
    unlink(rotated_path);
    return rmdir(folder);
}

/* The whole file, NUL-terminated; valid until the next call. */
static const char *contents(const char *path)
{
    static char text[256 * 1024];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    return text;
}

static void begin(enum log_level level)
{
    unlink(log_path);
    assert_int_equal(log_open(log_path, level), 0);
}

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;

    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

#define DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

static void test_line(void **state)
{
    (void)state;
    struct stat info;

    begin(LOG_DEBUG);
    log_error("first %d", 1);
    log_warn("second %s", "2");
    log_info("third");
    log_debug("fourth");
    log_line(LOG_ERROR, "100% as it is: %s");
    assert_true(matches(contents(log_path),
                        "^" DATE " error first 1\n" DATE " warn second 2\n" DATE
                        " info third\n" DATE " debug fourth\n" DATE " error 100% as it is: %s\n$"));
    assert_int_equal(stat(log_path, &info), 0);
    assert_int_equal(info.st_mode & 0777 & ~0640u, 0);
    assert_true(fcntl(log_fd(), F_GETFD) & FD_CLOEXEC);
}

static void test_levels(void **state)
{
    (void)state;
    static const int expected[] = { 1, 2, 3, 4 };

    for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        int lines = 0;
        begin(level);
        log_error("x");
        log_warn("x");
        log_info("x");
        log_debug("x");
        for (const char *c = contents(log_path); *c != '\0'; c++)
            lines += *c == '\n';
        assert_int_equal(lines, expected[level]);
    }
}

static void test_a_message_is_one_line(void **state)
{
    (void)state;
    begin(LOG_INFO);
    log_error("a\nb\r\x1b[31mc\x7f\td \xc3\xa9 \"\\");
    assert_true(matches(contents(log_path), "^" DATE " error a\\\\x0Ab\\\\x0D\\\\x1B\\[31mc\\\\x7F"
                                            "\\\\x09d \xc3\xa9 \"\\\\\n$"));
}

/* A name from a disk may be of any octets: what is not UTF-8 is escaped, and so is what a terminal
 * would obey or take for the end of a line. */
static void test_octets_that_are_not_utf_8(void **state)
{
    (void)state;
    begin(LOG_INFO);
    log_error(
        "caf\xe9 \xff\xc3 \xe2\x82\xac \xc2\x9b[1m \xe2\x80\xa8 \xf0\x9d\x84\x9e \xed\xa0\x80");
    assert_true(matches(contents(log_path),
                        "^" DATE
                        " error caf\\\\xE9 \\\\xFF\\\\xC3 \xe2\x82\xac \\\\xC2\\\\x9B\\[1m "
                        "\\\\xE2\\\\x80\\\\xA8 \xf0\x9d\x84\x9e \\\\xED\\\\xA0\\\\x80\n$"));
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    static char message[20000];

    for (size_t len = 4000; len < 4200; len++) {
        memset(message, len % 2 ? '\n' : 'm', len);
        message[len] = '\0';
        begin(LOG_INFO);
        log_error("%s", message);
        log_line(LOG_ERROR, message);
        log_error("next");
        const char *text = contents(log_path);
        const char *first_end = strchr(text, '\n'), *second_end = strchr(first_end + 1, '\n');
        assert_in_range(first_end - text, 4000, LOG_LINE_MAX);
        assert_in_range(second_end - first_end, 4000, LOG_LINE_MAX);
        assert_true(matches(second_end + 1, "^" DATE " error next\n$"));
    }
}

static void test_reopen(void **state)
{
    (void)state;
    begin(LOG_INFO);
    int fd = log_fd();
    log_error("before");
    assert_int_equal(rename(log_path, rotated_path), 0);
    log_error("between");
    assert_int_equal(log_reopen(), 0);
    assert_int_equal(log_fd(), fd);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    log_error("after");
    assert_true(matches(contents(rotated_path), "error before\n.*error between\n$"));
    assert_true(matches(contents(log_path), "^" DATE " error after\n$"));

    /* What cannot be opened again leaves the old file in use. */
    assert_int_equal(rename(log_path, rotated_path), 0);
    assert_int_equal(mkdir(log_path, 0700), 0);
    assert_int_equal(log_reopen(), -EISDIR);
    log_error("still");
    assert_int_equal(rmdir(log_path), 0);
    assert_true(matches(contents(rotated_path), "error after\n.*error still\n$"));
}

static void test_open_failures_change_nothing(void **state)
{
    (void)state;
    begin(LOG_INFO);
    assert_int_equal(log_open("/no/such/folder/x.log", LOG_INFO), -ENOENT);
    assert_int_equal(log_open("/", LOG_INFO), -EISDIR);
    log_error("here");
    assert_true(matches(contents(log_path), " error here\n$"));
    errno = EBADF;
    log_error("%m"); /* errno comes in and goes out unharmed */
    assert_int_equal(errno, EBADF);
    assert_true(matches(contents(log_path), " error Bad file descriptor\n$"));
}

/* Lines that do not fit beneath `ulimit -f` are counted, and told of when there is room again: by
 * rotation, here. What was written in part ends its line. */
static void test_lost_lines_are_told(void **state)
{
    (void)state;
    struct rlimit limit, small;

    begin(LOG_INFO);
    log_error("first");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){ .rlim_cur = strlen(contents(log_path)) + 30,
                             .rlim_max = limit.rlim_max };
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    errno = EIO;
    log_error("second");
    log_error("third");
    log_warn("fourth");
    assert_int_equal(errno, EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_error("fifth");
    log_error("sixth");
    assert_true(matches(contents(log_path),
                        "error first\n[0-9TZ:. -]{24} [a-z]*\n" DATE
                        " warn 3 lines of this log are missing before this one: [^\n]*\n" DATE
                        " error fifth\n" DATE " error sixth\n$"));
}

static void test_stderr(void **state)
{
    (void)state;
    begin(LOG_INFO);
    assert_int_equal(log_open("stderr", LOG_ERROR), 0);
    assert_int_equal(log_fd(), STDERR_FILENO);
    assert_int_equal(log_reopen(), 0);
    assert_true(fcntl(STDERR_FILENO, F_GETFD) >= 0);
}

/* A FIFO that nobody reads is refused at once, rather than waited for. */
static void test_fifo_does_not_block(void **state)
{
    (void)state;
    const char *what = NULL;

    unlink(log_path);
    assert_int_equal(mkfifo(log_path, 0600), 0);
    assert_int_equal(log_file_open(log_path, geteuid(), &what), -ENXIO);
    assert_null(what);
}

/* What main opened is taken, and opened again by its path; then the old descriptor is closed. */
static void test_take(void **state)
{
    (void)state;
    const char *what = NULL;

    begin(LOG_INFO);
    int old = log_fd();
    unlink(log_path);
    int fd = log_file_open(log_path, geteuid(), &what);
    log_take(fd, log_path, geteuid(), LOG_ERROR);
    assert_int_equal(log_fd(), fd);
    assert_int_equal(fcntl(old, F_GETFD), -1);
    log_error("here");
    log_warn("below the level");
    assert_int_equal(rename(log_path, rotated_path), 0);
    assert_int_equal(log_reopen(), 0);
    log_error("there");
    assert_true(matches(contents(rotated_path), "^" DATE " error here\n$"));
    assert_true(matches(contents(log_path), "^" DATE " error there\n$"));
}

enum { THREADS = 4, LINES = 200 };

static void *write_lines(void *argument)
{
    for (int i = 0; i < LINES; i++)
        log_error("thread %d line %d %0*d", *(int *)argument, i, 200, 7);
    return NULL;
}

static void test_threads_and_rotation(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS], lines = 0;

    begin(LOG_INFO);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < 50; i++)
        assert_int_equal(log_reopen(), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const char *text = contents(log_path);
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        int number = -1, line = -1;
        assert_non_null(end);
        assert_int_equal(sscanf(text + 25, "error thread %d line %d", &number, &line), 2);
        assert_int_equal(end[-1], '7');
        text = end + 1;
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_a_message_is_one_line),
        cmocka_unit_test(test_octets_that_are_not_utf_8),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_open_failures_change_nothing),
        cmocka_unit_test(test_lost_lines_are_told),
        cmocka_unit_test(test_stderr),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_fifo_does_not_block),
        cmocka_unit_test(test_threads_and_rotation),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
