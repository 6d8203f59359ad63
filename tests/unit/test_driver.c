/* test_driver.c: the driver of engines that block, over operations of the test's own: one thread,
 * the client's side of a socket pair in the test's hand. */
#include "fake_session.h"

#include "engines/blocking/driver.c"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { SCRATCH_SIZE = 256, STEPS_OF_CLIENT = 64 };

/* What the client does when the driver waits, one step a wait. */
struct client {
    int fd;
    const char *says[STEPS_OF_CLIENT]; /* sent, one a wait; NULL: nothing more */
    unsigned said;
    unsigned asks_from; /* from this wait on `asks` are made */
    unsigned asks;
    bool takes;     /* reads what it gets */
    size_t taken;   /* octets */
    unsigned waits; /* operations that could wait */
};

static struct {
    struct driver driver;
    struct client client;
    struct clock clock;
    struct session_env env;
    bool inside; /* between enter() and leave() */
    unsigned jobs, files, ways, random;
    uint64_t forward_ms; /* what a wait takes at least */
    int pair[2];
    _Alignas(16) unsigned char session[1 << 14];
    unsigned char scratch[SCRATCH_SIZE];
} scene;

static unsigned asks_now(void)
{
    return scene.client.waits >= scene.client.asks_from ? scene.client.asks : 0;
}

static void take_all(void)
{
    static char buffer[1 << 16];
    ssize_t n;
    while (scene.client.takes &&
           (n = recv(scene.client.fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
        scene.client.taken += (size_t)n;
}

static void client_step(void)
{
    struct client *c = &scene.client;
    c->waits++;
    take_all();
    if (c->said < STEPS_OF_CLIENT && c->says[c->said] != NULL) {
        size_t len = strlen(c->says[c->said]);
        if (len == 0)
            assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
        else
            assert_int_equal(send(c->fd, c->says[c->said], len, MSG_NOSIGNAL), len);
        c->said++;
    }
    assert_true(c->waits < 100000); /* it spins */
}

static void fake_enter(struct driver *d)
{
    (void)d;
    assert_false(scene.inside);
    scene.inside = true;
}

static void fake_leave(struct driver *d)
{
    (void)d;
    assert_true(scene.inside);
    scene.inside = false;
}

static unsigned fake_asks(struct driver *d)
{
    (void)d;
    return asks_now();
}

static ssize_t fake_receive(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds)
{
    assert_false(scene.inside);
    assert_true(len > 0 && len <= SCRATCH_SIZE);
    assert_int_equal((heeds & DRIVER_ASK_END) != 0, until_ms != 0 && session_is_idle(d->session));
    ssize_t n = recv(d->fd, d->scratch, len, MSG_DONTWAIT);
    if (n < 0 && until_ms != 0) {
        client_step();
        scene.clock.now_ms += scene.forward_ms;
    }
    return n < 0 ? -errno : n;
}

static unsigned fake_wait(struct driver *d, unsigned what, uint64_t until_ms, unsigned heeds)
{
    (void)d, (void)until_ms, (void)heeds;
    assert_false(scene.inside);
    client_step();
    scene.clock.now_ms += scene.forward_ms;
    return scene.client.takes ? what : what & DRIVER_READABLE;
}

static void fake_run_job(struct driver *d, struct file_job *job)
{
    (void)d;
    assert_false(scene.inside);
    scene.jobs++;
    file_job_run(job);
}

static void fake_before_file(struct driver *d, const struct send_plan *plan)
{
    (void)d;
    assert_true(!scene.inside && plan->file_len > 0);
    scene.files++;
}

static void fake_give_way(struct driver *d)
{
    (void)d;
    assert_false(scene.inside);
    scene.ways++;
    take_all();
}

static const struct driver_ops fake_ops = { fake_enter,       fake_leave, fake_asks,
                                            fake_receive,     fake_wait,  fake_run_job,
                                            fake_before_file, NULL,       fake_give_way };

static void open_scene(void)
{
    memset(&scene, 0, sizeof(scene));
    scene.clock.now_ms = 1000;
    scene.env.clock = &scene.clock;
    fake.deadline_ms = UINT64_MAX;
    fake.opened = fake.closed = fake.expired = fake.sends_count = 0;
    fake.makes_way = true;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, scene.pair), 0);
    scene.client.fd = scene.pair[1];
    scene.client.takes = true;
}

/* Drives one connection to its end. */
static void drive(void)
{
    static const struct listen_config listen;
    const struct peer peer = { .family = PEER_UNIX };
    assert_true(session_size() <= sizeof(scene.session));
    scene.driver = (struct driver){
        .ops = &fake_ops,
        .session = session_open(scene.session, &scene.env, &listen, &peer),
        .clock = &scene.clock,
        .fd = scene.pair[0],
        .scratch = scene.scratch,
        .scratch_size = sizeof(scene.scratch),
        .send_turn = 1 << 16,
    };
    driver_run(&scene.driver);
    assert_false(scene.inside);
    assert_int_equal(fake.closed, 1);
    close(scene.pair[0]);
    take_all();
    close(scene.pair[1]);
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *says[4];
        size_t len;
        unsigned jobs, files;
    } cases[] = {
        { { "m 100\n", "" }, 100, 0, 0 },
        { { "v 700\n", "m 1\n", "" }, 701, 0, 0 },
        { { "f 1000\n", "" }, HEAD_SIZE + 1000, 0, 1 },
        { { "f 1000000\n", "" }, HEAD_SIZE + 1000000, 0, 16 },
        { { "j 500\n", "" }, 500, 1, 0 },
        { { "j 500\nm 3\nj 1\n", "" }, 504, 2, 0 },
        { { "m 4000000\n", "m 2\n", "" }, 4000002, 0, 0 },
        { { "m", " 12", "\n", "" }, 12, 0, 0 },
        { { "m 5\nc\n", "" }, 5, 0, 0 },
        { { "m 5\n", "x\n" }, 5, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_scene();
        memcpy(scene.client.says, cases[i].says, sizeof(cases[i].says));
        drive();
        assert_int_equal(scene.client.taken, cases[i].len);
        assert_int_equal(scene.jobs, cases[i].jobs);
        assert_true(scene.files >= cases[i].files);
        assert_int_equal(fake.expired, 0);
    }
}

/* Requests that never let it wait: others get their turn now and then. */
static void test_gives_way(void **state)
{
    (void)state;
    char many[SCRATCH_SIZE * 4] = "";
    open_scene();
    for (int i = 0; i < 100; i++)
        strcat(many, "m 1\n");
    scene.client.says[0] = many;
    scene.client.says[1] = "";
    drive();
    assert_int_equal(scene.client.taken, 100);
    assert_in_range(scene.ways, 100 / STEPS_MAX, 100);
}

static void test_client_that_takes_nothing(void **state)
{
    (void)state;
    open_scene();
    fake.deadline_ms = 100;
    scene.forward_ms = 40;
    scene.client.takes = false;
    scene.client.says[0] = "m 4000000\n";
    drive();
    assert_int_equal(fake.expired, 1);
    assert_in_range(scene.client.waits, 3, 6);
}

static void test_deadline(void **state)
{
    (void)state;
    open_scene();
    fake.deadline_ms = 100;
    scene.forward_ms = 30;
    scene.client.says[0] = "m 1\n";
    drive();
    assert_int_equal(fake.expired, 1);
    assert_int_equal(scene.client.taken, 1);
    assert_in_range(scene.clock.now_ms, 1000 + 100, 1000 + 200);
}

/* What is asked, of whom, and how many octets are answered first. */
static void test_asks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *says[4];
        unsigned ask, from;
        bool idle; /* sessions without work say that they are */
        size_t len;
        bool ends; /* by what was asked, and not by the client's end */
    } cases[] = {
        { "idle makes way", { "m 1\n", NULL }, DRIVER_ASK_END, 2, true, 1, true },
        { "idle drains", { "m 1\n", NULL }, DRIVER_ASK_DRAIN, 2, true, 1, true },
        { "what has come is answered", { "m 7\n", NULL }, DRIVER_ASK_DRAIN, 1, true, 7, true },
        { "likewise", { "m 7\nm 8\n", NULL }, DRIVER_ASK_END, 1, true, 15, true },
        { "new ones drain", { NULL }, DRIVER_ASK_DRAIN, 0, false, 0, true },
        { "new ones do not make way",
          { "m 9\n", "m 1\n", "" },
          DRIVER_ASK_END,
          0,
          false,
          10,
          false },
        { "the answer is sent to its end",
          { "m 2000000\n", NULL },
          DRIVER_ASK_DRAIN,
          2,
          true,
          2000000,
          true },
        { "stops", { "m 1\n", "m 1\n", "" }, DRIVER_ASK_STOP, 1, true, 0, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_scene();
        fake.makes_way = cases[i].idle;
        memcpy(scene.client.says, cases[i].says, sizeof(cases[i].says));
        scene.client.asks = cases[i].ask;
        scene.client.asks_from = cases[i].from;
        drive();
        if (scene.client.taken != cases[i].len)
            fail_msg("%s: %zu", cases[i].name, scene.client.taken);
        assert_int_equal(
            scene.client.said < STEPS_OF_CLIENT && scene.client.says[scene.client.said] == NULL &&
                scene.client.said > 0 && strlen(scene.client.says[scene.client.said - 1]) == 0,
            !cases[i].ends);
    }
}

/* The drain begins while the rest of a request comes: its answer is the last one, and says so. */
static void test_the_last_answer_is_known(void **state)
{
    (void)state;
    for (unsigned from = 1; from <= 2; from++) {
        open_scene();
        fake.last_ones = 0;
        scene.client.says[0] = "m ";
        scene.client.says[1] = "5\n";
        scene.client.asks = DRIVER_ASK_DRAIN;
        scene.client.asks_from = from;
        drive();
        assert_int_equal(scene.client.taken, 5);
        assert_int_equal(fake.last_ones, 1);
    }
}

/* It makes way for others, and a request comes first: its answer says that it is the last one, so
 * that the client does not send another one into a connection that is being closed. */
static void test_who_makes_way_is_told(void **state)
{
    (void)state;
    static const char *const says[][3] = { { "m 5\n", NULL }, { "m 1\n", "m ", "4\n" } };
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        open_scene();
        fake.last_ones = 0;
        memcpy(scene.client.says, says[i], sizeof(says[i]));
        scene.client.asks = DRIVER_ASK_END;
        scene.client.asks_from = i == 0 ? 1 : 2;
        drive();
        assert_int_equal(scene.client.taken, 5);
        assert_int_equal(fake.last_ones, 1);
    }
}

/* A client that always has another request ends all the same when it is asked to. */
static void test_who_never_rests_ends(void **state)
{
    (void)state;
    open_scene();
    for (int i = 0; i < STEPS_OF_CLIENT; i++)
        scene.client.says[i] = "m 1\nm";
    for (int i = 1; i < STEPS_OF_CLIENT; i++)
        scene.client.says[i] = " 1\nm";
    scene.client.asks = DRIVER_ASK_END;
    scene.client.asks_from = 2;
    drive();
    assert_in_range(scene.client.taken, 1, LOOKS_MAX + 4);
}

static void test_reset(void **state)
{
    (void)state;
    open_scene();
    scene.client.says[0] = "m 4000000\n";
    scene.client.takes = false;
    fake.deadline_ms = 1000;
    scene.forward_ms = 100;
    close(scene.client.fd); /* before anything */
    scene.pair[1] = dup(scene.pair[0]);
    scene.client.fd = scene.pair[1];
    drive();
    assert_int_equal(fake.closed, 1);
}

static int set_up(void **state)
{
    (void)state;
    char name[] = "/tmp/test-driver-XXXXXX";
    fake.pattern = malloc(PATTERN_SIZE);
    assert_non_null(fake.pattern);
    memset(fake.pattern, 'p', PATTERN_SIZE);
    fake.file = mkstemp(name);
    assert_true(fake.file >= 0);
    unlink(name);
    assert_int_equal(write(fake.file, fake.pattern, PATTERN_SIZE), PATTERN_SIZE);
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(fake.pattern);
    close(fake.file);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_gives_way),
        cmocka_unit_test(test_client_that_takes_nothing),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_asks),
        cmocka_unit_test(test_the_last_answer_is_known),
        cmocka_unit_test(test_who_makes_way_is_told),
        cmocka_unit_test(test_who_never_rests_ends),
        cmocka_unit_test(test_reset),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
