/* test_loop_conn.c: one connection as the loop drives it, over real loopback sockets: system calls
 * on the hot path, short writes, ends and resets, jobs, the page cache. */
#include "loop_fixture.h"

static const sa_family_t families[] = { AF_INET, AF_INET6, AF_UNIX };

/* Two system calls a request, and epoll is never asked for anything again. */
static void test_hot_path(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    int fd = client_connect(&scene);
    settle(&scene);
    memset(&calls, 0, sizeof(calls));
    for (int i = 0; i < 50; i++) {
        client_ask(fd, "m 1024\n");
        client_expect(&scene, fd, 0, 1024);
    }
    assert_int_equal(calls.recv, 50);
    assert_int_equal(calls.send, 50);
    assert_int_equal(calls.sendmsg + calls.sendfile + calls.epoll_ctl + calls.accept, 0);
    assert_int_equal(calls.full, 0);
    close(fd);
    settle(&scene);
    assert_int_equal(fake.closed, 1);
    scene_end(&scene);
}

/* One that has moved ends before the process that it came from has closed its copy of the socket:
 * the kernel goes on telling of the socket, to nobody. */
static void test_moved_and_closed(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    loop_unlisten(scene.loop); /* the test accepts, as the predecessor has */
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scene.address = (struct sockaddr_storage){ .ss_family = AF_INET };
    ((struct sockaddr_in *)&scene.address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    scene.address_len = sizeof(struct sockaddr_in);
    assert_int_equal(bind(listener, (struct sockaddr *)&scene.address, scene.address_len), 0);
    assert_int_equal(listen(listener, 1), 0);
    scene.address_len = sizeof(scene.address);
    getsockname(listener, (struct sockaddr *)&scene.address, &scene.address_len);
    int fd = client_connect(&scene);
    int theirs = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(theirs >= 0);

    const struct handover_conn moved = { .fd = dup(theirs), .state.listen = &scene.listen };
    loop_conn_open_moved(scene.loop, &moved);
    settle(&scene);
    client_ask(fd, "m 7\n");
    client_expect(&scene, fd, 0, 7);
    loop_conn_close(scene.loop, container_of(scene.loop->conns.next, struct loop_conn, all));
    settle(&scene);
    assert_int_equal(fake.closed, 1);
    client_ask(fd, "m 7\n"); /* which an edge tells of, since somebody has the socket */
    assert_int_equal(turn_within(&scene, 50), 0);
    close(theirs);
    close(fd);
    close(listener);
    settle(&scene);
    scene_end(&scene);
}

static void test_every_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct scene scene;
        scene_open(&scene, families[i], 0);
        scene_start(&scene);
        int fd = client_connect(&scene);
        client_ask(fd, "m 10\nv 70000\nj 4096\nf 5000\nf 300000\nv 7\nj 1\nm 1\n");
        client_expect(&scene, fd, 0, 10);
        client_expect(&scene, fd, 0, 70000);
        client_expect(&scene, fd, 0, 4096);
        client_expect(&scene, fd, HEAD_SIZE, 5000);
        client_expect(&scene, fd, HEAD_SIZE, 300000);
        client_expect(&scene, fd, 0, 7);
        client_expect(&scene, fd, 0, 1);
        client_expect(&scene, fd, 0, 1);
        close(fd);
        settle(&scene);
        assert_int_equal(fake.closed, 1);
        scene_end(&scene);
    }
}

/* A range that leaves in several pieces leaves in whole segments; one that does not costs nothing.
 */
static void test_cork(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct scene scene;
        scene_open(&scene, families[i], 0);
        scene.config.send_turn = 1 << 16;
        scene_start(&scene);
        int fd = client_connect(&scene);
        settle(&scene);
        memset(&calls, 0, sizeof(calls));
        client_ask(fd, "f 65536\nm 10\n");
        client_expect(&scene, fd, HEAD_SIZE, 65536);
        client_expect(&scene, fd, 0, 10);
        assert_int_equal(calls.corks + calls.uncorks, 0);
        client_ask(fd, "f 300000\nm 10\nf 65537\n");
        client_expect(&scene, fd, HEAD_SIZE, 300000);
        client_expect(&scene, fd, 0, 10);
        client_expect(&scene, fd, HEAD_SIZE, 65537);
        assert_true(calls.sendfile >= 1 + 5 + 2);
        assert_int_equal(calls.corks, 2);
        assert_int_equal(calls.uncorks, 2);
        close(fd);
        settle(&scene);
        scene_end(&scene);
    }
}

/* What is followed by a file, or by what is not planned yet, says so. */
static void test_more(void **state)
{
    (void)state;
    static const struct {
        int pieces;
        size_t file_len;
        bool more;
        unsigned send, sendmsg, sendfile, flagged;
    } cases[] = {
        { 1, 0, false, 1, 0, 0, 0 },  { 1, 0, true, 1, 0, 0, 1 },   { 1, 10, false, 1, 0, 1, 1 },
        { 1, 10, true, 1, 0, 1, 1 },  { 2, 0, false, 0, 1, 0, 0 },  { 2, 0, true, 0, 1, 0, 1 },
        { 2, 10, false, 0, 1, 1, 1 }, { 0, 10, false, 0, 0, 1, 0 },
    };
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct send_plan plan = { .iovcnt = cases[i].pieces,
                                  .file_fd = cases[i].file_len > 0 ? fake.file : -1,
                                  .file_len = cases[i].file_len,
                                  .more = cases[i].more };
        for (int k = 0; k < plan.iovcnt; k++)
            plan.iov[k] = (struct iovec){ fake.pattern, 5 };
        memset(&calls, 0, sizeof(calls));
        bool full = true, corked = false;
        ssize_t len = cases[i].pieces * 5 + (ssize_t)cases[i].file_len;
        assert_int_equal(plan_send(pair[0], &plan, 1000, &corked, &full), len);
        assert_false(full);
        assert_int_equal(calls.send, cases[i].send);
        assert_int_equal(calls.sendmsg, cases[i].sendmsg);
        assert_int_equal(calls.sendfile, cases[i].sendfile);
        assert_int_equal(calls.more, cases[i].flagged);
        char octets[100];
        assert_int_equal(read(pair[1], octets, sizeof(octets)), len);
    }
    close(pair[0]);
    close(pair[1]);
}

/* A socket that takes a few octets at a time. A short count of memory is enough to know that it is
 * full: no send is wasted on hearing EAGAIN, and the edge comes all the same. */
static void test_short_writes(void **state)
{
    (void)state;
    static const char *const requests[] = { "m 1000000\n", "v 1000000\n", "f 1000000\n" };
    for (size_t i = 0; i < ARRAY_LEN(families) * ARRAY_LEN(requests); i++) {
        const char *request = requests[i % ARRAY_LEN(requests)];
        struct scene scene;
        scene_open(&scene, families[i / ARRAY_LEN(requests)], 4096);
        scene_start(&scene);
        int fd = client_connect(&scene);
        client_ask(fd, request);
        client_expect(&scene, fd, request[0] == 'f' ? HEAD_SIZE : 0, 1000000);
        assert_true(fake.sends_count > 1);
        assert_int_equal(calls.full, 0);
        assert_int_equal(calls.epoll_ctl, 3); /* the eventfd, the listener and the connection */
        client_ask(fd, "m 3\n");
        client_expect(&scene, fd, 0, 3);
        close(fd);
        settle(&scene);
        scene_end(&scene);
    }
}

/* sendfile(2) may stop early though the socket has room; there is no edge to wait for then. */
static void test_short_sendfile(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    inject.short_file = 100;
    int fd = client_connect(&scene);
    client_ask(fd, "f 20000\n");
    client_expect(&scene, fd, HEAD_SIZE, 20000);
    assert_int_equal(calls.sendfile, 200);
    close(fd);
    settle(&scene);
    scene_end(&scene);
}

static void test_half_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct scene scene;
        scene_open(&scene, families[i], 4096);
        scene_start(&scene);
        int fd = client_connect(&scene);
        client_ask(fd, "f 500000\nm 5\n");
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        client_expect(&scene, fd, HEAD_SIZE, 500000);
        client_expect(&scene, fd, 0, 5);
        client_expect_end(&scene, fd);
        assert_int_equal(fake.closed, 1);
        close(fd);
        scene_end(&scene);
    }
}

/* More requests than the session has room for, then the end: no edge comes after the first, and all
 * are answered. */
static void test_everything_at_once(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    int fd = client_connect(&scene);
    char requests[500 * 5 + 1] = "";
    for (int i = 0; i < 500; i++)
        memcpy(requests + i * 5, "m 10\n", 6);
    client_ask(fd, requests);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    scene_start(&scene);
    for (int i = 0; i < 500; i++)
        client_expect(&scene, fd, 0, 10);
    client_expect_end(&scene, fd);
    assert_int_equal(fake.closed, 1);
    close(fd);
    scene_end(&scene);
}

static void test_lingering_close(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    int fd = client_connect(&scene);
    client_ask(fd, "m 1000\n");
    client_ask(fd, "c\n");
    client_expect(&scene, fd, 0, 1000);
    client_expect_end(&scene, fd);
    assert_int_equal(fake.closed, 0); /* still reads, or the answer might be lost to a reset */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(write(fd, fake.pattern, 100000), 100000);
        settle(&scene);
    }
    assert_int_equal(fake.closed, 0);
    close(fd);
    settle(&scene);
    assert_int_equal(fake.closed, 1);
    scene_end(&scene);
}

static void test_close_at_once(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    int fd = client_connect(&scene);
    client_ask(fd, "x\n");
    client_expect_end(&scene, fd);
    assert_int_equal(fake.closed, 1);
    close(fd);
    scene_end(&scene);
}

/* Found by whatever the session does next: a send (which raises no SIGPIPE), or a receive. */
static void test_reset(void **state)
{
    (void)state;
    static const char *const requests[] = { "f 4000000\n", "m 4000000\n", "v 4000000\n", "", "m" };
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct scene scene;
        scene_open(&scene, AF_INET, 8192);
        scene_start(&scene);
        int other = client_connect(&scene);
        int fd = client_connect(&scene);
        client_ask(fd, requests[i]);
        settle(&scene);
        char some[1000];
        if (requests[i][0] != '\0' && requests[i][1] != '\0')
            assert_int_equal(client_read(&scene, fd, some, sizeof(some)), sizeof(some));
        client_reset(fd);
        settle(&scene);
        assert_int_equal(fake.closed, 1);
        client_ask(other, "m 10\n");
        client_expect(&scene, other, 0, 10);
        close(other);
        settle(&scene);
        scene_end(&scene);
    }
}

/* The file ends before the range does: the session is told 0, once everything else is sent. */
static void test_file_truncated(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    int whole = fake.file;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(fake.pattern, 1, 100000, file), 100000);
    fflush(file);
    fake.file = fileno(file);
    int fd = client_connect(&scene);
    client_ask(fd, "f 200000\n");
    client_expect(&scene, fd, HEAD_SIZE, 100000);
    client_expect_end(&scene, fd);
    assert_int_equal(fake.sends[fake.sends_count - 1].res, 0);
    fake.file = whole;
    fclose(file);
    close(fd);
    scene_end(&scene);
}

/* A large file is looked at once a span; what is missing is asked for, and sent all the same when
 * the others have had their turn. */
static void test_page_cache_miss(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene); /* pieces of 64 KiB */
    int cold = client_connect(&scene), hot = client_connect(&scene);
    settle(&scene);
    inject.misses = 2;
    client_ask(cold, "f 3000000\n");
    client_ask(hot, "f 65536\n"); /* not large: never looked at */
    turn_within(&scene, 1000);
    client_expect(&scene, cold, HEAD_SIZE, 3000000);
    client_expect(&scene, hot, HEAD_SIZE, 65536);
    assert_in_range(calls.probe, 3, 4); /* a piece cut by a full socket may straddle two spans */
    assert_int_equal(calls.advise, 2);
    assert_int_equal(fake.sends[0].id, 1);
    assert_int_equal(fake.sends[0].res, -EAGAIN);
    assert_int_equal(fake.sends[1].id, 2);
    assert_int_equal(fake.sends[2].id, 1);
    assert_true(fake.sends[2].res > 0);

    /* The next answer is looked at anew. */
    calls.probe = 0;
    client_ask(cold, "f 131072\n");
    client_expect(&scene, cold, HEAD_SIZE, 131072);
    assert_int_equal(calls.probe, 1);
    close(cold);
    close(hot);
    settle(&scene);
    scene_end(&scene);
}

/* A piece that takes many sends is looked at once all the same. */
static void test_one_probe_a_piece(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    scene.config.send_turn = 1 << 20;
    scene_start(&scene);
    inject.short_file = 20000;
    int fd = client_connect(&scene);
    client_ask(fd, "f 1000000\n");
    client_expect(&scene, fd, HEAD_SIZE, 1000000);
    assert_true(calls.sendfile >= 50);
    assert_int_equal(calls.probe, 1);
    close(fd);
    settle(&scene);
    scene_end(&scene);
}

/* Chopped input, small buffers and a slow reader at random; every octet arrives, in order. */
static void test_random(void **state)
{
    (void)state;
    srandom(20261122);
    struct scene scene;
    scene_open(&scene, AF_INET, 4096);
    scene.config.send_turn = 5000;
    scene_start(&scene);
    int fd = client_connect(&scene);
    for (int round = 0; round < 300; round++) {
        char kind = "mvfj"[random() % 4];
        size_t len = 1 + (size_t)random() % (kind == 'j' ? JOB_SIZE : 30000);
        char request[32];
        snprintf(request, sizeof(request), "%c %zu\n", kind, len);
        for (const char *at = request; *at != '\0'; at++) {
            assert_int_equal(write(fd, at, 1), 1);
            if (random() % 2)
                turn_within(&scene, 0);
        }
        client_expect(&scene, fd, kind == 'f' ? HEAD_SIZE : 0, len);
        fake.sends_count = 0;
    }
    close(fd);
    settle(&scene);
    assert_int_equal(fake.closed, 1);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hot_path),
        cmocka_unit_test(test_moved_and_closed),
        cmocka_unit_test(test_every_plan),
        cmocka_unit_test(test_cork),
        cmocka_unit_test(test_more),
        cmocka_unit_test(test_short_writes),
        cmocka_unit_test(test_short_sendfile),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_lingering_close),
        cmocka_unit_test(test_close_at_once),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_file_truncated),
        cmocka_unit_test(test_page_cache_miss),
        cmocka_unit_test(test_one_probe_a_piece),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}
