/* test_loop_accept.c: taking connections: bursts, limits, and descriptors that run out. */
#include "loop_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

enum { BURST = 200 };

/* A burst is taken in portions, without a new edge between them. */
static void test_burst(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    int fds[BURST];
    for (int i = 0; i < BURST; i++) {
        fds[i] = client_connect(&scene);
        client_ask(fds[i], "m 7\n");
    }
    scene_start(&scene);
    turn_within(&scene, 1000);
    assert_int_equal(fake.opened, LOOP_ACCEPT_MAX);
    assert_int_equal(loop_timeout_ms(scene.loop), 0);
    settle(&scene);
    assert_int_equal(fake.opened, BURST);
    for (int i = 0; i < BURST; i++) {
        client_expect(&scene, fds[i], 0, 7);
        close(fds[i]);
    }
    settle(&scene);
    assert_int_equal(fake.closed, BURST);
    scene_end(&scene);
}

/* A portion that takes exactly what waits leaves the listener in the queue, and finds it empty. */
static void test_burst_of_one_portion(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    int fds[LOOP_ACCEPT_MAX];
    for (int i = 0; i < LOOP_ACCEPT_MAX; i++)
        fds[i] = client_connect(&scene);
    settle(&scene);
    assert_int_equal(fake.opened, LOOP_ACCEPT_MAX);
    int last = client_connect(&scene);
    settle(&scene);
    assert_int_equal(fake.opened, LOOP_ACCEPT_MAX + 1);
    for (int i = 0; i < LOOP_ACCEPT_MAX; i++)
        close(fds[i]);
    close(last);
    settle(&scene);
    scene_end(&scene);
}

static void test_peer_address(void **state)
{
    (void)state;
    static const struct {
        sa_family_t family;
        enum peer_family peer;
        const char *text;
    } cases[] = {
        { AF_INET, PEER_IPV4, "127.0.0.1" },
        { AF_INET6, PEER_IPV6, "::1" },
        { AF_UNIX, PEER_UNIX, "unix:" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene scene;
        scene_open(&scene, cases[i].family, 0);
        scene_start(&scene);
        int fd = client_connect(&scene);
        settle(&scene);
        struct sockaddr_storage own = { 0 };
        socklen_t own_len = sizeof(own);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &own_len), 0);
        char text[PEER_TEXT_MAX];
        peer_format(&fake.peer, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(fake.peer.family, cases[i].peer);
        if (cases[i].family != AF_UNIX) /* the port lies at the same place in both */
            assert_int_equal(fake.peer.port, ntohs(((struct sockaddr_in *)&own)->sin_port));
        close(fd);
        settle(&scene);
        scene_end(&scene);
    }
}

/* Who comes too many waits in the backlog, costs nothing there, and is taken when one goes. */
static void test_connections_max(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    scene.config.connections_max = 4;
    scene_start(&scene);
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = client_connect(&scene);
        client_ask(fds[i], "m 7\n");
    }
    settle(&scene);
    assert_int_equal(fake.opened, 4);
    assert_int_equal(calls.accept, 4);
    assert_int_equal(calls.log, 1);
    inject.skew_ms += LOOP_TICK_MS;
    turn_within(&scene, 0);
    assert_int_equal(loop_timeout_ms(scene.loop), -1);

    for (int i = 0; i < 8; i++) {
        client_expect(&scene, fds[i], 0, 7);
        close(fds[i]);
        settle(&scene);
        assert_int_equal(fake.opened, i < 4 ? 5 + i : 8);
    }
    assert_int_equal(calls.log, 1); /* within the same minute */
    scene_end(&scene);
}

/* A connection that is gone before it is accepted keeps nobody else out. */
static void test_lost_connections(void **state)
{
    (void)state;
    static const int errors[] = { ECONNABORTED, EINTR, EPERM, EPROTO, ENETUNREACH };
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct scene scene;
        scene_begin(&scene);
        inject.accept_error = errors[i];
        int fd = client_connect(&scene);
        settle(&scene);
        assert_int_equal(fake.opened, 1);
        assert_int_equal(calls.log, 0);
        close(fd);
        settle(&scene);
        scene_end(&scene);
    }
}

/* What will not go away by itself at once: a pause, one line in the log, then again. */
static void test_resource_errors(void **state)
{
    (void)state;
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL };
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct scene scene;
        scene_begin(&scene);
        inject.accept_error = errors[i];
        int fd = client_connect(&scene);
        settle(&scene);
        assert_int_equal(fake.opened, 0);
        assert_int_equal(calls.accept, 1);
        int timeout_ms = loop_timeout_ms(scene.loop);
        assert_true(timeout_ms > 0 && timeout_ms <= LOOP_ACCEPT_RETRY_MS);
        inject.skew_ms += LOOP_ACCEPT_RETRY_MS;
        settle(&scene);
        assert_int_equal(fake.opened, 1);

        /* Again within a minute: silent. After it: told. */
        for (unsigned lines = 1; lines <= 2; lines++) {
            inject.accept_error = errors[i];
            int next = client_connect(&scene);
            settle(&scene);
            assert_int_equal(calls.log, lines);
            inject.skew_ms += LOOP_LOG_EVERY_MS;
            settle(&scene);
            close(next);
            settle(&scene);
        }
        close(fd);
        settle(&scene);
        scene_end(&scene);
    }
}

/* Descriptors that are only kept for later give way to a connection, without a pause. */
static void test_reclaim(void **state)
{
    (void)state;
    static const int errors[] = { EMFILE, ENFILE };
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct scene scene;
        scene_begin(&scene);
        inject.accept_error = errors[i];
        fake.reclaimable = 1;
        int fd = client_connect(&scene);
        turn_within(&scene, 1000);
        assert_int_equal(fake.opened, 1);
        assert_int_equal(fake.reclaimable, 0);
        assert_int_equal(calls.log, 0);
        close(fd);
        settle(&scene);
        scene_end(&scene);
    }
}

/* Runs in a process of its own, whose descriptors run out for good after two connections. */
static void run_out_of_descriptors(void)
{
    struct scene scene;
    scene_begin(&scene);
    int fds[5];
    for (int i = 0; i < 5; i++) {
        fds[i] = client_connect(&scene);
        client_ask(fds[i], "m 7\n");
    }
    struct rlimit limit = { (rlim_t)fds[4] + 3, (rlim_t)fds[4] + 3 };
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    settle(&scene);
    CHECK(fake.opened == 2);

    /* Three clients wait and the listener is readable: a few tries, no spinning. */
    unsigned waits = calls.wait, accepts = calls.accept;
    uint64_t end_ms = clock_monotonic_ms() + 450;
    while (clock_monotonic_ms() < end_ms)
        turn_within(&scene, (int)(end_ms - clock_monotonic_ms()) + 1);
    CHECK(calls.wait - waits <= 6);
    CHECK(calls.accept - accepts >= 3 && calls.accept - accepts <= 5);
    CHECK(calls.log == 1);

    /* Those who have a connection are served all the while, and who waits follows when one goes. */
    char answer[7];
    for (int i = 0; i < 5; i++) {
        CHECK(client_read(&scene, fds[i], answer, sizeof(answer)) == sizeof(answer));
        CHECK(fake.opened == (i < 3 ? (unsigned)i + 2 : 5));
        uint64_t begun_ms = clock_monotonic_ms();
        CHECK(shutdown(fds[i], SHUT_RDWR) == 0); /* which gives no descriptor back here */
        while (fake.closed < (unsigned)i + 1)
            turn_within(&scene, 1000);
        if (i < 3)
            CHECK(fake.opened == (unsigned)i + 3 && clock_monotonic_ms() - begun_ms < 50);
    }
    loop_destroy(scene.loop);
}

static void test_emfile(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_out_of_descriptors();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_burst_of_one_portion),
        cmocka_unit_test(test_peer_address),
        cmocka_unit_test(test_connections_max),
        cmocka_unit_test(test_lost_connections),
        cmocka_unit_test(test_resource_errors),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_emfile),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}
