/* test_loop_accept.c: taking connections: bursts, limits, and descriptors that run out. */
#include "loop_fixture.h"
#include "few_descriptors.h"

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
    scene.cfg.limits.connections_max = 4;
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

/* Who has been idle for longest makes way for who comes too many; who has sent something does not,
 * though no edge has told of it yet; and nobody does while nobody waits. */
static void test_make_way(void **state)
{
    (void)state;
    enum { MAX = 3 };
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    scene.cfg.limits.connections_max = MAX;
    scene_start(&scene);
    fake.makes_way = true;
    int fds[2 * MAX];
    for (int i = 0; i < MAX; i++) {
        fds[i] = client_connect(&scene);
        client_ask(fds[i], "m 7\n");
        settle(&scene);
        client_expect(&scene, fds[i], 0, 7);
    }
    settle(&scene);
    assert_int_equal(fake.opened, MAX);
    assert_int_equal(fake.closed, 0);
    assert_int_equal(calls.log, 0);

    client_ask(fds[0], "m 9\n"); /* no longer the longest idle */
    client_expect(&scene, fds[0], 0, 9);
    settle(&scene);
    fds[MAX] = client_connect(&scene);
    settle(&scene);
    assert_int_equal(fake.opened, MAX + 1);
    assert_int_equal(fake.closed, 1);
    assert_int_equal(calls.log, 1);
    char octet;
    assert_int_equal(read(fds[1], &octet, 1), 0);

    client_ask(fds[2], "m 5\n"); /* the longest idle, if that were not under way */
    assert_true(loop_make_way(scene.loop));
    assert_int_equal(fake.closed, 2);
    assert_int_equal(read(fds[0], &octet, 1), 0);
    client_expect(&scene, fds[2], 0, 5);

    for (int i = 0; i <= MAX; i++)
        close(fds[i]);
    settle(&scene);
    assert_int_equal(pool_used(scene.loop->pool), 0);
    assert_true(list_empty(&scene.loop->idle));
    assert_false(loop_make_way(scene.loop));
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

        /* Told each time; log_repeat.c limits the lines. */
        for (unsigned lines = 2; lines <= 3; lines++) {
            inject.accept_error = errors[i];
            int next = client_connect(&scene);
            settle(&scene);
            assert_int_equal(calls.log, lines);
            inject.skew_ms += LOG_REPEAT_MS;
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
    struct rlimit old;
    CHECK(few_descriptors(2, &old));
    settle(&scene);
    CHECK(fake.opened == 2);

    /* Three clients wait and the listener is readable: a few tries, no spinning. */
    unsigned waits = calls.wait, accepts = calls.accept;
    uint64_t begun_ms = clock_monotonic_ms(), end_ms = begun_ms + 450;
    while (clock_monotonic_ms() < end_ms)
        turn_within(&scene, (int)(end_ms - clock_monotonic_ms()) + 1);
    unsigned tries = (unsigned)((clock_monotonic_ms() - begun_ms) / LOOP_ACCEPT_RETRY_MS) + 1;
    CHECK(calls.wait - waits <= tries + 1);
    CHECK(calls.accept - accepts >= 1 && calls.accept - accepts <= tries);
    CHECK(calls.log >= 2 && calls.log <= tries + 1); /* told each time: log_repeat.c limits lines */

    /* Those who have a connection are served all the while, and who waits follows when one goes. */
    char answer[7];
    for (int i = 0; i < 5; i++) {
        CHECK(client_read(&scene, fds[i], answer, sizeof(answer)) == sizeof(answer));
        CHECK(fake.opened == (i < 3 ? (unsigned)i + 2 : 5));
        CHECK(shutdown(fds[i], SHUT_RDWR) == 0); /* which gives no descriptor back here */
        while (fake.closed < (unsigned)i + 1)
            turn_within(&scene, 1000);
        if (i < 3) /* in the same turn: no pause had to end for it */
            CHECK(fake.opened == (unsigned)i + 3);
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

/* ---- two loops with one listener ---- */

struct sharing {
    struct scene scene; /* the first loop; its listener is the second one's, too */
    struct listener listener;
    struct engine_config cfg;
    struct loop *other;
    atomic_uint holders;
};

/* As an engine would: whoever stands back has the other one look. */
static void sharing_blocked(void *context, const struct loop *loop)
{
    struct sharing *sharing = context;
    loop_ask(loop == sharing->other ? sharing->scene.loop : sharing->other, LOOP_ASK_ACCEPT);
}

static bool sharing_all_full(void *context)
{
    const struct sharing *sharing = context;
    return loop_is_full(sharing->scene.loop) && loop_is_full(sharing->other);
}

static const struct loop_hooks sharing_hooks = { .blocked = sharing_blocked,
                                                 .all_full = sharing_all_full };

static void sharing_begin(struct sharing *sharing, unsigned first_max, unsigned other_max)
{
    struct scene *scene = &sharing->scene;
    scene_open(scene, AF_INET, 0);
    scene->listen.backlog = 64;
    scene->cfg.limits.connections_max = first_max;
    atomic_init(&sharing->holders, 2);
    scene->listener.holders = &sharing->holders;
    scene->options = (struct loop_options){ .hooks = &sharing_hooks, .hooks_context = sharing };
    scene_start(scene);

    sharing->listener = scene->listener;
    sharing->cfg = scene->cfg;
    sharing->cfg.limits.connections_max = other_max;
    sharing->cfg.listeners = &sharing->listener;
    char why[200] = "";
    assert_int_equal(loop_create(&sharing->cfg, &scene->options, why, sizeof(why), &sharing->other),
                     0);
}

static void sharing_end(struct sharing *sharing)
{
    loop_destroy(sharing->other);
    listener_close(&sharing->listener);
    assert_int_equal(sharing->holders, sharing->scene.listener.fd < 0 ? 0 : 1);
    scene_end(&sharing->scene);
}

/* A turn of each, as loop_run() does it, without sleeping. Did anything happen? */
static bool both_turn(struct sharing *sharing)
{
    struct loop *loops[] = { sharing->scene.loop, sharing->other };
    int events = 0;
    for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
        assert_false(loop_heed_orders(loops[i]));
        int n = loops[i]->demultiplexer->ops->wait(loops[i]->demultiplexer, 0, loops[i]->events,
                                                   LOOP_EVENTS_MAX);
        assert_true(n >= 0);
        loop_turn(loops[i], n);
        events += n + (loop_timeout_ms(loops[i]) == 0);
    }
    return events > 0;
}

static void both_settle(struct sharing *sharing)
{
    for (int turns = 0; both_turn(sharing); turns++)
        assert_true(turns < 100); /* they do not wake each other for ever */
}

/* Together they take as many as both may have, whoever the kernel wakes; who is full stands back,
 * and steps forward when it has room. */
static void test_shared_and_full(void **state)
{
    (void)state;
    struct sharing sharing;
    sharing_begin(&sharing, 2, 3);
    int fds[12];
    for (int i = 0; i < 12; i++) {
        fds[i] = client_connect(&sharing.scene);
        both_settle(&sharing);
        assert_int_equal(fake.opened, i < 5 ? i + 1 : 5);
    }
    assert_int_equal(pool_used(sharing.scene.loop->pool), 2);
    assert_int_equal(pool_used(sharing.other->pool), 3);
    assert_false(sharing.scene.loop->listeners[0].registered);
    assert_false(sharing.other->listeners[0].registered);
    unsigned waits = calls.accept;
    both_settle(&sharing);
    assert_int_equal(calls.accept, waits);
    for (int i = 0; i < 12; i++) {
        close(fds[i]);
        both_settle(&sharing);
        assert_int_equal(fake.opened, i < 7 ? 6 + i : 12);
    }
    assert_int_equal(fake.closed, 12);
    assert_true(sharing.scene.loop->listeners[0].registered);
    assert_true(sharing.other->listeners[0].registered);
    sharing_end(&sharing);
}

/* Idle connections of both make way, but only when neither has room; one for each client. */
static void test_shared_and_make_way(void **state)
{
    (void)state;
    struct sharing sharing;
    sharing_begin(&sharing, 2, 3);
    fake.makes_way = true;
    int fds[12];
    for (int i = 0; i < 12; i++) {
        fds[i] = client_connect(&sharing.scene);
        both_settle(&sharing);
        assert_int_equal(fake.opened, i + 1);
        assert_int_equal(fake.closed, i < 5 ? 0 : i - 4);
    }
    assert_int_equal(pool_used(sharing.scene.loop->pool), 2);
    assert_int_equal(pool_used(sharing.other->pool), 3);
    for (int i = 0; i < 12; i++)
        close(fds[i]);
    both_settle(&sharing);
    assert_int_equal(fake.closed, 12);
    sharing_end(&sharing);
}

/* A client that woke the one without descriptors is taken by the other one at once. */
static void test_shared_and_out_of_descriptors(void **state)
{
    (void)state;
    struct sharing sharing;
    sharing_begin(&sharing, 10, 10);
    inject.accept_error = EMFILE;
    int fd = client_connect(&sharing.scene);
    both_settle(&sharing);
    assert_int_equal(fake.opened, 1);
    assert_int_equal(
        sharing.scene.loop->listeners[0].registered + sharing.other->listeners[0].registered, 1);
    inject.skew_ms += LOOP_ACCEPT_RETRY_MS;
    both_settle(&sharing);
    assert_true(sharing.scene.loop->listeners[0].registered);
    assert_true(sharing.other->listeners[0].registered);
    close(fd);
    both_settle(&sharing);
    sharing_end(&sharing);
}

/* Whoever has taken its share goes to the end of those that the kernel wakes; a burst is not cut.
 */
static void test_shared_burst(void **state)
{
    (void)state;
    struct sharing sharing;
    sharing_begin(&sharing, 1000, 1000);
    static int fds[BURST];
    for (int i = 0; i < BURST; i++)
        fds[i] = client_connect(&sharing.scene);
    both_settle(&sharing);
    assert_int_equal(fake.opened, BURST);
    for (int i = 0; i < BURST; i++)
        close(fds[i]);
    both_settle(&sharing);
    assert_int_equal(fake.closed, BURST);
    sharing_end(&sharing);
}

/* The socket lives until the last one lets go, who takes what waits. */
static void test_shared_drain(void **state)
{
    (void)state;
    struct sharing sharing;
    sharing_begin(&sharing, 10, 10);
    loop_unlisten(sharing.scene.loop);
    assert_int_equal(sharing.holders, 1);
    assert_int_equal(sharing.scene.listener.fd, -1);
    int fd = client_connect(&sharing.scene);
    client_ask(fd, "m 7\n");
    loop_unlisten(sharing.other);
    assert_int_equal(sharing.holders, 0);
    assert_int_equal(fake.opened, 1);
    both_settle(&sharing);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        connect(late, (struct sockaddr *)&sharing.scene.address, sharing.scene.address_len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(late);
    close(fd);
    both_settle(&sharing);
    sharing_end(&sharing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_burst_of_one_portion),
        cmocka_unit_test(test_peer_address),
        cmocka_unit_test(test_connections_max),
        cmocka_unit_test(test_make_way),
        cmocka_unit_test(test_lost_connections),
        cmocka_unit_test(test_resource_errors),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_emfile),
        cmocka_unit_test(test_shared_and_full),
        cmocka_unit_test(test_shared_and_make_way),
        cmocka_unit_test(test_shared_and_out_of_descriptors),
        cmocka_unit_test(test_shared_burst),
        cmocka_unit_test(test_shared_drain),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}
