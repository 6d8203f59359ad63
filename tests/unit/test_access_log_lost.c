/* test_access_log_lost.c: destinations that refuse to be written, take no more, or hang: nobody
 * waits for them, and every line that is lost is told. */
#include "access_log_fixture.h"

static void test_full_disk(void **state)
{
    (void)state;
    struct access_log *log = NULL;

    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(open_log("/dev/full", 4096, &log), 0);
    append(log, &typical);
    append(log, &typical);
    access_log_flush(log);
    assert_false(access_log_pending(log));
    const char *report = strstr(contents(error_path), " error access log /dev/full: ");
    assert_non_null(report);
    assert_non_null(strstr(report, "No space left on device; lines lost: 2\n"));
    /* The next ones are counted, and reported when a minute is over. */
    for (int i = 0; i < 3; i++) {
        append(log, &typical);
        access_log_flush(log);
    }
    assert_null(strstr(contents(error_path), "lost: 1"));
    log->reported_ms -= REPORT_INTERVAL_MS;
    append(log, &typical);
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
        append(log, &typical);
    assert_non_null(strstr(contents(error_path), "; lines lost: 1\n"));
    assert_true(access_log_owes(log));
    access_log_flush(log); /* too early */
    assert_true(access_log_owes(log));
    log->reported_ms -= REPORT_INTERVAL_MS;
    access_log_flush(log);
    assert_non_null(strstr(contents(error_path), "; lines lost: 999\n"));
    assert_false(access_log_owes(log));
    for (int i = 0; i < 20; i++)
        append(log, &typical);
    access_log_close(log);
    assert_non_null(strstr(contents(error_path), "; lines lost: 20\n"));
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

/* A pipe takes a part and then no more: the torn line is lost, and ended before the next one; whole
 * lines wait for room, as many as the buffer holds, and further ones are lost and counted. */
static void test_full_pipe(void **state)
{
    (void)state;
    static char drained[256 * 1024];
    struct access_log *log = NULL;
    size_t line = strlen(combined_line);

    unlink(path);
    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_int_equal(open_log(path, 100 * 1024, &log), 0);
    int room = fcntl(reader, F_GETPIPE_SZ);
    assert_in_range(room, 4096, 90 * 1024);
    assert_int_not_equal((size_t)room % line, 0);
    while (log->used < 90 * 1024)
        append(log, &typical);
    size_t all = log->used / line;
    access_log_flush(log);
    size_t whole = (size_t)room / line;
    assert_int_equal(log->used, (all - whole - 1) * line);
    assert_true(access_log_pending(log) && access_log_owes(log));
    assert_non_null(strstr(contents(error_path), "it does not take lines as fast as they come; "
                                                 "lines lost: 1\n"));

    size_t more = log->hold_max / line + 1000;
    for (size_t i = 0; i < more; i++)
        append(log, &typical);
    assert_in_range(log->used, log->hold_max - line, log->hold_max);
    size_t kept = log->used / line;
    assert_int_equal(log->lost, all - whole - 1 + more - kept);

    assert_int_equal(read(reader, drained, sizeof drained), room);
    size_t lines = 0;
    size_t turns = 0;
    for (; access_log_pending(log); turns++) {
        access_log_flush(log);
        ssize_t n = read(reader, drained, sizeof drained - 1);
        assert_true(n > 0);
        drained[n] = '\0';
        assert_int_equal(drained[0], '\n'); /* the end of the torn one */
        lines += count_lines(drained + 1, (size_t)n - 1);
    }
    assert_in_range(turns, 2, kept);
    assert_int_equal(lines, kept - turns + 1); /* each turn but the last one has torn one */
    assert_false(access_log_pending(log));
    access_log_close(log);
    close(reader);
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

/* A writer's file: nothing is missing, in order, through a rotation and to the end. */
static void test_writer(void **state)
{
    (void)state;
    struct log_writer *writer = NULL;
    struct access_log *log = NULL;
    size_t line = strlen(combined_line);

    unlink(path);
    unlink(rotated_path);
    assert_int_equal(log_writer_create(&writer), 0);
    assert_int_equal(open_with(path, FORM_COMBINED, 10 * line, writer, &log), 0);
    for (int i = 0; i < 5; i++)
        append(log, &typical);
    access_log_flush(log);
    assert_true(access_log_owes(log));
    int error;
    assert_int_equal(rename(path, rotated_path), 0);
    while ((error = access_log_reopen(log, &what)) == -EBUSY)
        assert_true(access_log_reopen_due(log));
    assert_int_equal(error, 0);
    assert_false(access_log_reopen_due(log));
    for (int i = 0; i < 3; i++)
        append(log, &typical);
    access_log_close(log);
    log_writer_destroy(writer);
    assert_int_equal(strlen(contents(rotated_path)), 5 * line);
    assert_int_equal(strlen(contents(path)), 3 * line);
}

/* A write that hangs, as on a disk that does not answer: lines gather as long as there is room, are
 * counted then, and nobody waits. */
static pthread_mutex_t hang = PTHREAD_MUTEX_INITIALIZER;

static void hang_job(struct log_writer_job *job)
{
    (void)job;
    pthread_mutex_lock(&hang);
    pthread_mutex_unlock(&hang);
}

static void test_slow_disk(void **state)
{
    (void)state;
    struct log_writer_job job = { .run = hang_job };
    struct log_writer *writer = NULL;
    struct access_log *log = NULL;
    size_t line = strlen(combined_line);

    unlink(path);
    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(log_writer_create(&writer), 0);
    assert_int_equal(open_with(path, FORM_COMBINED, 10 * line, writer, &log), 0);
    assert_int_equal(pthread_mutex_lock(&hang), 0);
    assert_true(log_writer_begin(writer, &job));
    size_t held = log->hold_max / line;
    for (size_t i = 0; i < 10 + held + 50; i++)
        append(log, &typical);
    assert_int_equal(access_log_reopen(log, &what), -EBUSY);
    assert_false(log_writer_wait(writer, &job, 10));
    assert_string_equal(contents(path), "");
    assert_non_null(strstr(contents(error_path), "it does not take lines as fast as they come; "
                                                 "lines lost: 1\n"));
    assert_int_equal(log->lost, 50 - 1); /* ten lines are the writer's */
    assert_int_equal(pthread_mutex_unlock(&hang), 0);
    access_log_close(log);
    log_writer_destroy(writer);
    assert_int_equal(strlen(contents(path)), (10 + held) * line);
    assert_non_null(strstr(contents(error_path), "; lines lost: 49\n"));
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

/* A disk that is full in the writer's thread. */
static void test_full_disk_of_a_writer(void **state)
{
    (void)state;
    struct log_writer *writer = NULL;
    struct access_log *log = NULL;
    struct rlimit limit, small;

    unlink(path);
    unlink(error_path);
    assert_int_equal(log_open(error_path, LOG_INFO), 0);
    assert_int_equal(log_writer_create(&writer), 0);
    assert_int_equal(open_with(path, FORM_COMBINED, 4096, writer, &log), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = strlen(combined_line) * 3 / 2;
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    for (int i = 0; i < 3; i++)
        append(log, &typical);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    access_log_flush(log);
    bool written = log_writer_wait(writer, &log->job, 20000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(written);
    append(log, &typical);
    access_log_close(log); /* the torn line is ended first */
    log_writer_destroy(writer);
    const char *text = contents(path);
    assert_int_equal(strlen(text), small.rlim_cur + 1 + strlen(combined_line));
    assert_string_equal(text + small.rlim_cur + 1, combined_line);
    assert_int_equal(text[small.rlim_cur], '\n');
    assert_non_null(strstr(contents(error_path), "File too large; lines lost: 2\n"));
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk), cmocka_unit_test(test_lost_lines_are_all_told),
        cmocka_unit_test(test_full_pipe), cmocka_unit_test(test_writer),
        cmocka_unit_test(test_slow_disk), cmocka_unit_test(test_full_disk_of_a_writer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
