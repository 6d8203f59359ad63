/* test_control.c: clients of the control socket that say nothing, half of it, too much, or never
 * read: none of them has the supervisor wait, and none stays for ever. */
#include "process/control.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static char folder[] = "/tmp/gearshift-control-XXXXXX", path[64];
static struct control *control;
static uint64_t now_ms;
static unsigned taken;

/* "wait N" waits for ticket N, "much" is a long answer. */
static void take(void *context, struct control_client *client, int words_count,
                 const char *const *words)
{
    static char more[CONTROL_ANSWER_MAX / 2];

    assert_ptr_equal(context, folder);
    taken++;
    if (words_count == 2 && strcmp(words[0], "wait") == 0) {
        control_wait(client, (unsigned)atoi(words[1]));
        return;
    }
    memset(more, ' ', sizeof more - 1);
    more[0] = ',';
    control_answer(client, STATUS_OK, words[0], strcmp(words[0], "much") == 0 ? more : NULL);
}

static int set_up(void **state)
{
    char why[256];

    (void)state;
    snprintf(folder, sizeof folder, "/tmp/gearshift-control-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/control", folder);
    assert_int_equal(control_open(path, false, take, folder, why, sizeof why, &control), 0);
    now_ms = clock_monotonic_ms();
    taken = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    control_close(control);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* What the supervisor's loop does, until there is nothing to do. */
static void turn(void)
{
    struct pollfd entries[CONTROL_POLL_MAX];

    for (int i = 0; i < 100; i++) {
        size_t count = control_poll(control, entries);
        assert_true(count <= CONTROL_POLL_MAX);
        int told = poll(entries, (nfds_t)count, 0);
        control_go_on(control, entries, told > 0 ? count : 0, now_ms);
        if (told == 0)
            return;
    }
    fail_msg("there is no end to it: a supervisor would spin");
}

static size_t clients(void)
{
    size_t count = 0;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        count += control->clients[i].fd >= 0;
    return count;
}

static int connect_one(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    turn();
}

/* What it has been told so far; "" also at the end. */
static const char *heard(int fd)
{
    static char text[8192];
    ssize_t len = recv(fd, text, sizeof text - 1, 0);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static bool has_ended(int fd)
{
    char octet;
    ssize_t len = recv(fd, &octet, 1, 0);

    return len == 0 || (len < 0 && errno != EAGAIN);
}

static void test_nothing_and_half_a_line(void **state)
{
    (void)state;
    int silent = connect_one(), half = connect_one();

    turn();
    say(half, "answ");
    assert_int_equal(clients(), 2);
    assert_int_equal(control_due_ms(control), now_ms + LINE_MS);
    now_ms += LINE_MS / 2;
    say(half, "e"); /* that is no reason to wait longer */
    now_ms += LINE_MS / 2 - 1;
    turn();
    assert_int_equal(clients(), 2);
    now_ms++;
    turn();
    assert_int_equal(clients(), 0);
    assert_true(has_ended(silent) && has_ended(half));
    assert_int_equal(taken, 0);
    assert_int_equal(control_due_ms(control), UINT64_MAX);
    close(silent);
    close(half);
}

static void test_a_huge_line(void **state)
{
    (void)state;
    char line[2 * CONTROL_LINE_MAX];
    int fd = connect_one();

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    turn();
    say(fd, line);
    assert_non_null(strstr(heard(fd), "the line is too long"));
    assert_true(has_ended(fd));
    assert_int_equal(clients(), 0);
    assert_int_equal(taken, 0);
    close(fd);
}

static void test_who_never_reads(void **state)
{
    (void)state;
    int fd = connect_one();

    turn();
    for (int i = 0; i < 10000 && clients() > 0; i++)
        say(fd, "much\n");
    assert_int_equal(clients(), 0); /* it is sent away when the buffer is full */
    assert_true(taken > 1);
    close(fd);
}

/* Who waits for what takes long has no deadline, and what it says meanwhile is bounded. */
static void test_who_waits(void **state)
{
    (void)state;
    int early = connect_one(), late = connect_one(), talks = connect_one(), leaves = connect_one();

    turn();
    say(early, "wait 1\nafter\n");
    say(late, "wait 2\n");
    say(talks, "wait 2\n");
    say(leaves, "wait 2\n");
    now_ms += 10 * LINE_MS;
    turn();
    assert_int_equal(clients(), 4);
    close(leaves);
    turn();
    assert_int_equal(clients(), 3);
    for (int i = 0; i < CONTROL_LINE_MAX && clients() == 3; i++)
        say(talks, "status\n");
    assert_int_equal(clients(), 2);
    control_done(control, 1, STATUS_OK, "done");
    const char *text = heard(early);
    assert_non_null(strstr(text, "done"));
    assert_non_null(strstr(text, "after")); /* its next line had its turn then */
    assert_string_equal(heard(late), "");
    control_done(control, CONTROL_THE_END, STATUS_RUNTIME, "the end");
    assert_string_equal(heard(late), "{\"status\":1,\"message\":\"the end\"}\n");
    now_ms = clock_monotonic_ms() + LINE_MS + 1; /* and from then on it has one */
    turn();
    assert_int_equal(clients(), 0);
    close(early);
    close(late);
    close(talks);
}

/* Who has ended its side still waits; who has gone does not, whether it has said so before or not.
 */
static void test_who_has_asked_all(void **state)
{
    (void)state;
    int waits = connect_one(), goes = connect_one(), goes_at_once = connect_one();

    turn();
    say(waits, "wait 1\nafter\nwait 2\nha");
    say(goes, "wait 1\n");
    say(goes_at_once, "wait 1\n");
    assert_int_equal(shutdown(waits, SHUT_WR), 0);
    assert_int_equal(shutdown(goes, SHUT_WR), 0);
    turn();
    assert_int_equal(clients(), 3);
    close(goes);
    close(goes_at_once);
    turn();
    assert_int_equal(clients(), 1);
    control_done(control, 1, STATUS_OK, "done");
    const char *text = heard(waits);
    assert_non_null(strstr(text, "done"));
    assert_non_null(strstr(text, "after"));
    turn();
    assert_int_equal(clients(), 1);
    control_done(control, 2, STATUS_OK, "done as well");
    assert_non_null(strstr(heard(waits), "done as well"));
    assert_true(has_ended(waits));
    assert_int_equal(clients(), 0);
    close(waits);
}

static void test_more_than_have_a_place(void **state)
{
    (void)state;
    int fds[CONTROL_CLIENTS_MAX + 1];

    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = connect_one();
    turn();
    assert_int_equal(clients(), CONTROL_CLIENTS_MAX);
    say(fds[CONTROL_CLIENTS_MAX], "last\n");
    assert_string_equal(heard(fds[CONTROL_CLIENTS_MAX]), "");
    close(fds[0]);
    turn();
    assert_non_null(strstr(heard(fds[CONTROL_CLIENTS_MAX]), "last"));
    for (size_t i = 1; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    turn();
    assert_int_equal(clients(), 0);
}

/* The queue of the socket tells all the while; who cannot be accepted is left there for a moment.
 */
static void test_no_descriptor_left(void **state)
{
    (void)state;
    struct rlimit before, none;
    int fd = connect_one();

    say(fd, "late\n"); /* accepted: the next one is not */
    int other = connect_one();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct pollfd entries[CONTROL_POLL_MAX];
    size_t count = control_poll(control, entries);
    entries[0].revents = POLLIN; /* poll(2) itself looks at the limit */
    control_go_on(control, entries, count, now_ms);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(clients(), 1);
    assert_int_equal(control_due_ms(control), now_ms + RETRY_MS);
    turn();
    assert_int_equal(clients(), 1); /* not yet */
    now_ms += RETRY_MS;
    turn();
    turn(); /* it is asked for by the next poll(2) */
    assert_int_equal(clients(), 2);
    close(fd);
    close(other);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_and_half_a_line), TEST(test_a_huge_line),
        TEST(test_who_never_reads),         TEST(test_who_waits),
        TEST(test_who_has_asked_all),       TEST(test_more_than_have_a_place),
        TEST(test_no_descriptor_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
