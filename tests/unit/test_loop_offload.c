/* test_loop_offload.c: what a loop hands to its workers: file jobs, pieces that are not in the page
 * cache, whole requests; and what may happen to a connection while it is away. Disks are as slow
 * here as the test wants: a gate holds whatever a worker does that may block. */
#include "core/file_job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
    atomic_bool cold;     /* no job can be done without waiting */
    pthread_t loop;       /* the gate holds everybody but this thread */
    atomic_uint arrivals; /* at the gate, or past it */
    atomic_uint by_loop;  /* jobs and reads that the loop's thread did */
} gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER };

static void pass_gate(void)
{
    if (pthread_equal(pthread_self(), gate.loop)) {
        gate.by_loop++;
        return;
    }
    gate.arrivals++;
    pthread_mutex_lock(&gate.mutex);
    while (!gate.open)
        pthread_cond_wait(&gate.opened, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
}

static void set_gate(bool open)
{
    pthread_mutex_lock(&gate.mutex);
    gate.open = open;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
}

static bool gated_try(struct file_job *job)
{
    return !gate.cold && file_job_try(job);
}

static void gated_run(struct file_job *job)
{
    pass_gate();
    file_job_run(job);
}

static ssize_t gated_pread(int fd, void *mem, size_t len, off_t off)
{
    pass_gate();
    return pread(fd, mem, len, off);
}

#define file_job_try(job)        gated_try(job)
#define file_job_run(job)        gated_run(job)
#define pread(fd, mem, len, off) gated_pread(fd, mem, len, off)
#include "loop_fixture.h"

/* Both kinds of work, and several numbers of threads. */
static const struct loop_options options[] = {
    { .workers = 1 },
    { .workers = 4 },
    { .workers = 2, .work_requests = true },
    { .workers = 4, .work_requests = true },
};

static void open_scene(struct scene *scene, const struct loop_options *how, int buffer)
{
    scene_open(scene, AF_INET, buffer);
    scene->options = *how;
    gate.cold = false;
    gate.loop = pthread_self();
    gate.arrivals = gate.by_loop = 0;
    set_gate(true);
}

static void begin(struct scene *scene, const struct loop_options *how)
{
    open_scene(scene, how, 0);
    scene_start(scene);
}

#define TURN_UNTIL(scene, condition)                                                               \
    for (int turns_ = 0; !(condition); turns_++) {                                                 \
        assert_true(turns_ < 5000);                                                                \
        turn_within(scene, 1);                                                                     \
    }

static size_t count_away(const struct loop *loop)
{
    size_t count = 0;
    for (const struct list *at = loop->conns.next; at != &loop->conns; at = at->next)
        count += container_of(at, struct loop_conn, all)->away;
    return count;
}

/* Turns for a while in which nothing is to happen. */
static void linger(struct scene *scene)
{
    for (int i = 0; i < 20; i++)
        turn_within(scene, 1);
}

static void end_clients(struct scene *scene, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    TURN_UNTIL(scene, fake.closed == fake.opened);
    scene_end(scene);
}

/* The same answers as ever, chopped and pipelined, over small buffers. */
static void test_random(void **state)
{
    (void)state;
    srandom(20261123);
    for (size_t i = 0; i < ARRAY_LEN(options) * 2; i++) {
        struct scene scene;
        open_scene(&scene, &options[i / 2], 4096);
        scene.config.send_turn = 5000;
        gate.cold = i % 2;
        scene_start(&scene);
        int fds[3];
        for (size_t k = 0; k < ARRAY_LEN(fds); k++)
            fds[k] = client_connect(&scene);
        for (int round = 0; round < 60; round++) {
            struct {
                char kind;
                size_t len;
            } asked[ARRAY_LEN(fds)][2];
            inject.misses = (unsigned)random() % 3;
            for (size_t k = 0; k < ARRAY_LEN(fds) * 2; k++) {
                char kind = "mvfj"[random() % 4];
                size_t len = 1 + (size_t)random() % (kind == 'j' ? JOB_SIZE : 150000);
                char request[32];
                snprintf(request, sizeof(request), "%c %zu\n", kind, len);
                asked[k / 2][k % 2].kind = kind;
                asked[k / 2][k % 2].len = len;
                for (const char *at = request; *at != '\0'; at++) {
                    assert_int_equal(write(fds[k / 2], at, 1), 1);
                    if (random() % 2)
                        turn_within(&scene, 0);
                }
            }
            for (size_t k = 0; k < ARRAY_LEN(fds) * 2; k++)
                client_expect(&scene, fds[k / 2], asked[k / 2][k % 2].kind == 'f' ? HEAD_SIZE : 0,
                              asked[k / 2][k % 2].len);
            fake.sends_count = 0;
        }
        assert_int_equal(gate.by_loop, 0);
        end_clients(&scene, fds, ARRAY_LEN(fds));
    }
}

/* A job that needs no waiting is done at once, by the loop itself where that does the work. */
static void test_warm_job(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct scene scene;
        begin(&scene, &options[i]);
        set_gate(false);
        int fd = client_connect(&scene);
        client_ask(fd, "j 1000\nj 1\n");
        client_expect(&scene, fd, 0, 1000);
        client_expect(&scene, fd, 0, 1);
        assert_int_equal(gate.arrivals + gate.by_loop, 0);
        end_clients(&scene, &fd, 1);
    }
}

/* A job that has to wait holds up its own connection alone. */
static void test_cold_job(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct scene scene;
        begin(&scene, &options[i]);
        gate.cold = true;
        set_gate(false);
        int fds[2] = { client_connect(&scene), client_connect(&scene) };
        client_ask(fds[0], "m 7\nj 1000\n");
        client_expect(&scene, fds[0], 0, 7); /* what is ready does not wait for the job */
        TURN_UNTIL(&scene, gate.arrivals == 1);
        assert_int_equal(count_away(scene.loop), 1);
        for (int round = 0; round < 5; round++) {
            client_ask(fds[1], "m 100\nf 1000\n");
            client_expect(&scene, fds[1], 0, 100);
            client_expect(&scene, fds[1], HEAD_SIZE, 1000);
        }
        client_ask(fds[0], "m 3\n"); /* an edge, noted and left alone */
        linger(&scene);
        char octet;
        assert_int_equal(read(fds[0], &octet, 1), -1);
        set_gate(true);
        client_expect(&scene, fds[0], 0, 1000);
        client_expect(&scene, fds[0], 0, 3);
        assert_int_equal(gate.by_loop, 0);
        end_clients(&scene, fds, 2);
    }
}

/* Likewise a piece of a file. Its plan is given back when it is there. */
static void test_cold_piece(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct scene scene;
        begin(&scene, &options[i]);
        set_gate(false);
        int fds[2] = { client_connect(&scene), client_connect(&scene) };
        client_ask(fds[1], "m 1\n");
        client_expect(&scene, fds[1], 0, 1);
        fake.sends_count = 0;
        inject.misses = 1;
        client_ask(fds[0], "f 3000000\n");
        TURN_UNTIL(&scene, gate.arrivals == 1);
        assert_int_equal(fake.sends_count, 0);
        client_ask(fds[1], "m 100\nf 1000\nj 10\n");
        client_expect(&scene, fds[1], 0, 100);
        client_expect(&scene, fds[1], HEAD_SIZE, 1000);
        client_expect(&scene, fds[1], 0, 10);
        fake.sends_count = 0;
        assert_int_equal(count_away(scene.loop), 1);
        set_gate(true);
        client_expect(&scene, fds[0], HEAD_SIZE, 3000000);
        assert_int_equal(fake.sends[0].res, -EAGAIN);
        assert_int_equal(gate.by_loop, 0);
        end_clients(&scene, fds, 2);
    }
}

/* Ranges of any size are looked at, a long piece at both ends. */
static void test_probes(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, &options[0], 0);
    scene.config.send_turn = 1 << 20;
    scene_start(&scene);
    int fd = client_connect(&scene);
    client_ask(fd, "f 100\n");
    client_expect(&scene, fd, HEAD_SIZE, 100);
    assert_int_equal(calls.probe, 1);
    client_ask(fd, "f 1000000\n");
    client_expect(&scene, fd, HEAD_SIZE, 1000000);
    assert_int_equal(calls.probe, 3);
    inject.misses = 1;
    client_ask(fd, "f 100\n");
    client_expect(&scene, fd, HEAD_SIZE, 100);
    assert_int_equal(calls.probe, 4);
    assert_int_equal(gate.arrivals, 2);
    end_clients(&scene, &fd, 1);
}

/* A peer that goes away, and a deadline that passes: found out when the job is back. */
static void test_gone_while_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options) * 2; i++) {
        struct scene scene;
        begin(&scene, &options[i / 2]);
        gate.cold = true;
        inject.misses = 1000000;
        set_gate(false);
        int fds[3];
        for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
            fds[k] = client_connect(&scene);
            client_ask(fds[k], i % 2 ? "f 3000000\n" : "j 1000\n");
            TURN_UNTIL(&scene, count_away(scene.loop) == k + 1);
        }
        TURN_UNTIL(&scene, gate.arrivals > 0);
        close(fds[0]);
        client_reset(fds[1]);
        assert_int_equal(shutdown(fds[2], SHUT_WR), 0);
        linger(&scene);
        assert_int_equal(fake.closed, 0);
        assert_int_equal(count_away(scene.loop), 3);
        set_gate(true);
        if (i % 2)
            client_expect(&scene, fds[2], HEAD_SIZE, 3000000);
        else
            client_expect(&scene, fds[2], 0, 1000);
        end_clients(&scene, &fds[2], 1);
    }
}

static void test_deadline_while_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct scene scene;
        open_scene(&scene, &options[i], 0);
        fake.deadline_ms = 1000;
        scene_start(&scene);
        gate.cold = true;
        set_gate(false);
        int fd = client_connect(&scene);
        client_ask(fd, "j 1000\n");
        TURN_UNTIL(&scene, gate.arrivals == 1);
        inject.skew_ms = 5000;
        linger(&scene);
        assert_int_equal(fake.expired + fake.closed, 0);
        set_gate(true);
        client_expect(&scene, fd, 0,
                      1000); /* what is ready is sent before the clock is looked at */
        TURN_UNTIL(&scene, fake.expired == 1);
        end_clients(&scene, &fd, 1);
    }
}

/* The loop does itself what the queue does not take. */
static void test_full_queue(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct scene scene;
        open_scene(&scene, &options[i], 0);
        scene.config.worker_queue = 1;
        scene_start(&scene);
        gate.cold = true;
        set_gate(false);
        unsigned threads = options[i].workers;
        int fds[8];
        for (unsigned k = 0; k < threads + 1; k++) {
            fds[k] = client_connect(&scene);
            client_ask(fds[k], "j 1000\n");
            TURN_UNTIL(&scene, count_away(scene.loop) == k + 1);
            TURN_UNTIL(&scene, gate.arrivals == (k < threads ? k + 1 : threads));
        }
        fds[threads + 1] = client_connect(&scene);
        client_ask(fds[threads + 1], "m 5\nj 1000\nm 5\n");
        client_expect(&scene, fds[threads + 1], 0, 5);
        client_expect(&scene, fds[threads + 1], 0, 1000);
        client_expect(&scene, fds[threads + 1], 0, 5);
        assert_int_equal(gate.by_loop, 1);
        inject.misses = 1;
        client_ask(fds[threads + 1], "f 100000\n");
        client_expect(&scene, fds[threads + 1], HEAD_SIZE, 100000);
        assert_true(gate.by_loop > 1);
        set_gate(true);
        for (unsigned k = 0; k < threads + 1; k++)
            client_expect(&scene, fds[k], 0, 1000);
        end_clients(&scene, fds, threads + 2);
    }
}

/* Draining: who is away ends with the answer that it is away for. */
static void test_drain_while_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        struct scene scene;
        begin(&scene, &options[i]);
        gate.cold = true;
        set_gate(false);
        int fds[2] = { client_connect(&scene), client_connect(&scene) };
        client_ask(fds[0], "j 1000\n");
        TURN_UNTIL(&scene, gate.arrivals == 1 && fake.opened == 2);
        scene.orders.drain = 1;
        assert_false(loop_heed_orders(scene.loop));
        client_expect_end(&scene, fds[1]);
        assert_false(loop_heed_orders(scene.loop));
        set_gate(true);
        client_expect(&scene, fds[0], 0, 1000);
        client_expect_end(&scene, fds[0]);
        assert_true(loop_heed_orders(scene.loop));
        end_clients(&scene, fds, 2);
    }
}

static void *open_gate_later(void *arg)
{
    (void)arg;
    usleep(30000);
    set_gate(true);
    return NULL;
}

/* Stopping waits for what a worker has begun, and for nothing else. */
static void test_stop_while_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options) * 2; i++) {
        struct scene scene;
        begin(&scene, &options[i / 2]);
        gate.cold = true;
        inject.misses = 1000000;
        set_gate(false);
        int fds[8];
        for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
            fds[k] = client_connect(&scene);
            client_ask(fds[k], i % 2 ? "f 3000000\n" : "j 1000\n");
            TURN_UNTIL(&scene, count_away(scene.loop) == k + 1);
        }
        TURN_UNTIL(&scene, gate.arrivals == options[i / 2].workers);
        pthread_t opener;
        assert_int_equal(pthread_create(&opener, NULL, open_gate_later, NULL), 0);
        scene_end(&scene);
        pthread_join(opener, NULL);
        for (size_t k = 0; k < ARRAY_LEN(fds); k++)
            close(fds[k]);
    }
}

/* A burst of requests takes few wake-ups: that it is answered says nothing, so they are counted. */
static void test_batches(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &options[2]);
    int fds[200];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = client_connect(&scene);
    TURN_UNTIL(&scene, fake.opened == ARRAY_LEN(fds));
    settle(&scene);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        client_ask(fds[i], "m 10\n");
    unsigned waits = calls.wait;
    while (fake.sends_count < ARRAY_LEN(fds))
        turn_within(&scene, 1000); /* a wait that ends for want of time would be counted */
    /* One wait brings them all; each announcement stands for up to 16 of them. */
    assert_true(calls.wait - waits <= 2 + ARRAY_LEN(fds) / 16 + 2);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        client_expect(&scene, fds[i], 0, 10);
    end_clients(&scene, fds, ARRAY_LEN(fds));
}

/* As many requests are taken out of their sockets as workers can have in hand, and the next ones in
 * the order in which they came. What waits in a socket is not late, whatever the deadline says; a
 * drain takes it, too. */
static void test_unread(void **state)
{
    (void)state;
    for (int drains = 0; drains < 2; drains++) {
        struct scene scene;
        const size_t taken = 48; /* with two workers */
        int fds[120];
        open_scene(&scene, &options[2], 0);
        fake.deadline_ms = 1000;
        scene.config.worker_queue = ARRAY_LEN(fds);
        scene_start(&scene);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            fds[i] = client_connect(&scene);
        TURN_UNTIL(&scene, fake.opened == ARRAY_LEN(fds));
        settle(&scene);
        gate.cold = true;
        set_gate(false);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            client_ask(fds[i], "j 1000\n");
        TURN_UNTIL(&scene, count_away(scene.loop) == taken);
        if (!drains)
            inject.skew_ms += 5000;
        linger(&scene);
        assert_int_equal(count_away(scene.loop), taken);
        assert_int_equal(pool_used(scene.loop->tasks), taken);
        assert_int_equal(fake.expired + fake.closed + gate.by_loop, 0);
        if (drains) {
            scene.orders.drain = 1;
            assert_false(loop_heed_orders(scene.loop));
            assert_int_equal(count_away(scene.loop), ARRAY_LEN(fds));
        }
        set_gate(true);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            client_expect(&scene, fds[i], 0, 1000);
        assert_int_equal(scene.loop->requests_out, 0);
        end_clients(&scene, fds, ARRAY_LEN(fds));
    }
}

/* Who waits with something in the socket keeps its place, and who has sent nothing makes way. */
static void test_unread_makes_way(void **state)
{
    (void)state;
    struct scene scene;
    int fds[50];
    open_scene(&scene, &options[2], 0);
    fake.makes_way = true;
    scene_start(&scene);
    gate.cold = true;
    set_gate(false);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = client_connect(&scene);
        if (i != 48)
            client_ask(fds[i], "j 1000\n");
        TURN_UNTIL(&scene, fake.opened == i + 1);
    }
    TURN_UNTIL(&scene, count_away(scene.loop) == 48);
    linger(&scene);
    assert_true(loop_make_way(scene.loop));
    assert_int_equal(fake.closed, 1);
    assert_false(loop_make_way(scene.loop));
    client_expect_end(&scene, fds[48]);
    set_gate(true);
    client_expect(&scene, fds[49], 0, 1000);
    end_clients(&scene, fds, ARRAY_LEN(fds));
}

/* Several threads on one environment, and connections that come and go: for ThreadSanitizer. */
static void test_crowd(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &options[3]);
    for (int round = 0; round < 20; round++) {
        int fds[40];
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
            fds[i] = client_connect(&scene);
            client_ask(fds[i], i % 3 == 0   ? "j 100\nm 20\n"
                               : i % 3 == 1 ? "f 70000\n"
                                            : "m 1\nj 9\n");
            gate.cold = random() % 2;
            turn_within(&scene, 0);
        }
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
            if (i % 7 == 0)
                client_reset(fds[i]);
            else if (i % 3 == 1)
                client_expect(&scene, fds[i], HEAD_SIZE, 70000);
            else
                client_expect(&scene, fds[i], 0, i % 3 == 0 ? 100 : 1);
            if (i % 7 != 0)
                close(fds[i]);
        }
        TURN_UNTIL(&scene, fake.closed == fake.opened);
        fake.sends_count = 0;
    }
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_warm_job),
        cmocka_unit_test(test_cold_job),
        cmocka_unit_test(test_cold_piece),
        cmocka_unit_test(test_probes),
        cmocka_unit_test(test_gone_while_away),
        cmocka_unit_test(test_deadline_while_away),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_drain_while_away),
        cmocka_unit_test(test_stop_while_away),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_unread_makes_way),
        cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}
