/* test_proactor.c: connections of a proactor, under every kind of processor and every shortage: no
 * place for an operation, completions that overflow, no buffer, sockets that are full, receives
 * that are cancelled. */
#include "proactor_fixture.h"

#include "fake_session.h"

static int group_setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    fake.pattern = malloc(PATTERN_SIZE);
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        fake.pattern[i] = (char)('a' + i % 23);
    FILE *file = tmpfile();
    fake.file = file == NULL ? -1 : dup(fileno(file));
    if (fake.file < 0)
        return -1;
    fclose(file);
    return write(fake.file, fake.pattern, PATTERN_SIZE) == PATTERN_SIZE ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    free(fake.pattern);
    return close(fake.file);
}

static void begin(struct scene *scene, enum processor_kind processor, int buffer)
{
    scene_open(scene, processor, buffer);
    fake.opened = fake.closed = fake.expired = fake.ticks = fake.reopens = fake.sends_count = 0;
    fake.deadline_ms = UINT64_MAX;
    fake.reclaimable = 0;
    fake.makes_way = false;
}

static void end(struct scene *scene)
{
    scene_end(scene);
    assert_int_equal(fake.opened, fake.closed);
}

/* All connections end, when what kernel threads do for them has ended. */
static void expect_all_closed(struct scene *scene)
{
    for (int n = 0; n < 2000 && pool_used(scene->proactor->pool) > 0; n++)
        turn_within(scene, 5);
    assert_int_equal(pool_used(scene->proactor->pool), 0);
}

/* Reads an answer of `head` octets 'H' and `len` octets of the pattern. */
static void expect(struct scene *scene, int fd, size_t head, size_t len)
{
    char *data = malloc(head + len + 1);
    assert_int_equal(client_read(scene, fd, data, head + len), head + len);
    for (size_t i = 0; i < head; i++)
        assert_int_equal(data[i], 'H');
    assert_memory_equal(data + head, fake.pattern, len);
    free(data);
}

/* Asks for everything that a session can answer with, and reads it. */
static void converse(struct scene *scene, int fd)
{
    static const struct {
        const char *request;
        size_t head, len;
    } cases[] = {
        { "m 1\n", 0, 1 },       { "m 5000\n", 0, 5000 },       { "v 70\n", 0, 70 },
        { "j 4096\n", 0, 4096 }, { "f 1\n", HEAD_SIZE, 1 },     { "f 300000\n", HEAD_SIZE, 300000 },
        { "j 1\n", 0, 1 },       { "m 1000000\n", 0, 1000000 }, { "v 4000000\n", 0, 4000000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client_ask(fd, cases[i].request);
        expect(scene, fd, cases[i].head, cases[i].len);
    }
    client_ask(fd, "m 10\nf 100000\nj 10\nv 10\nm 3\n");
    expect(scene, fd, 0, 10);
    expect(scene, fd, HEAD_SIZE, 100000);
    for (size_t i = 0; i < 3; i++)
        expect(scene, fd, 0, i < 2 ? 10 : 3);
}

/* Both processors. */
static const enum processor_kind processors[] = { PROCESSOR_IO_URING, PROCESSOR_EPOLL };

/* What a processor can be like. */
struct kind {
    const char *name;
    enum processor_kind processor;
    bool no_single_issuer, no_multishot, tiny;
    enum file_io file_io;
    unsigned no_place_each;
    int buffer; /* of the sockets; 0: large */
};

static const struct kind kinds[] = {
    { .name = "as offered" },
    { .name = "small sockets", .buffer = 4096 },
    { .name = "COOP_TASKRUN", .no_single_issuer = true },
    { .name = "one receive at a time", .no_multishot = true },
    { .name = "neither", .no_single_issuer = true, .no_multishot = true, .buffer = 4096 },
    { .name = "tiny", .tiny = true },
    { .name = "tiny, neither", .tiny = true, .no_single_issuer = true, .no_multishot = true },
    { .name = "no place", .no_place_each = 3 },
    { .name = "tiny, no place", .tiny = true, .no_place_each = 2, .buffer = 4096 },
    { .name = "splice", .file_io = FILE_IO_SPLICE },
    { .name = "splice, small sockets", .file_io = FILE_IO_SPLICE, .buffer = 4096 },
    { .name = "splice, tiny, no place",
      .file_io = FILE_IO_SPLICE,
      .tiny = true,
      .no_place_each = 3 },
    { .name = "epoll", .processor = PROCESSOR_EPOLL },
    { .name = "epoll, small sockets", .processor = PROCESSOR_EPOLL, .buffer = 4096 },
    { .name = "epoll, one receive at a time",
      .processor = PROCESSOR_EPOLL,
      .no_multishot = true,
      .buffer = 4096 },
    { .name = "epoll, tiny", .processor = PROCESSOR_EPOLL, .tiny = true },
    { .name = "epoll, tiny, no place",
      .processor = PROCESSOR_EPOLL,
      .tiny = true,
      .no_place_each = 2,
      .buffer = 4096 },
    { .name = "epoll, splice", .processor = PROCESSOR_EPOLL, .file_io = FILE_IO_SPLICE },
    { .name = "epoll, splice, small sockets, no place",
      .processor = PROCESSOR_EPOLL,
      .file_io = FILE_IO_SPLICE,
      .no_place_each = 3,
      .buffer = 4096 },
};

static void begin_kind(struct scene *scene, const struct kind *kind)
{
    print_message("           %s\n", kind->name);
    begin(scene, kind->processor, kind->buffer);
    scene->config.file_io = kind->file_io;
    if (kind->no_single_issuer)
        scene->shared.options.single_issuer = false;
    if (kind->no_multishot)
        scene->shared.options.recv_multishot = false;
    if (kind->tiny)
        scene->shared.options = tiny(scene->shared.options);
    scene_start(scene);
    inject.no_place_each = kind->no_place_each;
}

static void test_conversation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        begin_kind(&scene, &kinds[i]);
        int fd = client_connect(&scene);
        converse(&scene, fd);
        client_ask(fd, "c\n");
        client_expect_end(&scene, fd);
        close(fd);
        settle(&scene);
        assert_int_equal(pool_used(scene.proactor->pool), 0);
        end(&scene);
    }
}

/* Many at a time: rings that are too small for them run short of everything. */
static void test_crowd(void **state)
{
    (void)state;
    enum { CROWD = 40 };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        int fds[CROWD];
        begin_kind(&scene, &kinds[i]);
        for (size_t k = 0; k < CROWD; k++)
            fds[k] = client_connect(&scene);
        for (size_t round = 0; round < 3; round++) {
            for (size_t k = 0; k < CROWD; k++)
                client_ask(fds[k], "m 1000\nj 50\nf 2000\nv 100\n");
            for (size_t k = 0; k < CROWD; k++) {
                expect(&scene, fds[k], 0, 1000);
                expect(&scene, fds[k], 0, 50);
                expect(&scene, fds[k], HEAD_SIZE, 2000);
                expect(&scene, fds[k], 0, 100);
            }
        }
        if (kinds[i].tiny)
            assert_true(seen.no_buffers > 0);
        for (size_t k = 0; k < CROWD; k++)
            close(fds[k]);
        settle(&scene);
        assert_int_equal(pool_used(scene.proactor->pool), 0);
        assert_int_equal(fake.closed, CROWD);
        end(&scene);
    }
}

/* Who sends while its session has no room: all of it is kept, in order, the receive is stopped, and
 * others have buffers all the while. */
static void flood_with(enum processor_kind processor)
{
    enum { REQUESTS = 3000, LEN = 50 };
    struct scene scene;
    begin(&scene, processor, 4096);
    scene_start(&scene);
    int fd = client_connect(&scene), other = client_connect(&scene);
    converse(&scene, fd); /* the second receive is the lasting one */
    client_ask(fd, "m 4000000\n");
    size_t written = 0;
    char *requests = malloc(LEN * REQUESTS + 1);
    for (size_t i = 0; i < REQUESTS; i++)
        snprintf(requests + LEN * i, LEN + 1, "m %0*d\n", LEN - 3, 1);
    bool full = false; /* what it keeps; the kernel takes its time on a busy machine */
    for (int i = 0; i < 200 || (i < 5000 && !full); i++) {
        ssize_t n = write(fd, requests + written, LEN * REQUESTS - written);
        written += n > 0 ? (size_t)n : 0;
        turn_within(&scene, 1);
        full = seen.cancelled > 0 && scene.proactor->kept_len > PROACTOR_KEPT_SOFT;
    }
    assert_true(full);
    converse(&scene, other);

    expect(&scene, fd, 0, 4000000);
    size_t asked = written / LEN;
    char *data = malloc(asked);
    assert_int_equal(client_read(&scene, fd, data, asked), asked);
    for (size_t i = 0; i < asked; i++)
        assert_int_equal(data[i], fake.pattern[0]);
    assert_int_equal(scene.proactor->kept_len, 0);
    free(data);
    free(requests);
    close(fd);
    close(other);
    settle(&scene);
    end(&scene);
}

static void test_flood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        flood_with(processors[i]);
}

/* The end of the stream comes behind what is kept, and after the answers to it. */
static void end_behind_kept_with(enum processor_kind processor)
{
    struct scene scene;
    begin(&scene, processor, 4096);
    scene_start(&scene);
    int fd = client_connect(&scene);
    converse(&scene, fd);
    client_ask(fd, "m 4000000\n"); /* more than the sockets hold */
    settle(&scene);
    for (int i = 0; i < 100; i++)
        client_ask(fd, "m 2\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    for (int i = 0; i < 1000 && scene.proactor->kept_len == 0; i++)
        turn_within(&scene, 5);
    settle(&scene);
    assert_true(scene.proactor->kept_len > 0);
    expect(&scene, fd, 0, 4000000);
    for (int i = 0; i < 100; i++)
        expect(&scene, fd, 0, 2);
    client_expect_end(&scene, fd);
    close(fd);
    end(&scene);
}

static void test_end_behind_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        end_behind_kept_with(processors[i]);
}

/* Who half-closes and does not read: while there is no room, nothing completes; and when there is,
 * the rest is sent. */
static void test_end_while_full(void **state)
{
    (void)state;
    static const struct {
        char kind;
        size_t head;
    } cases[] = { { 'm', 0 }, { 'v', 0 }, { 'f', HEAD_SIZE } };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        int fds[ARRAY_LEN(cases)];
        size_t len = kinds[i].buffer > 0 ? 400000 : 4000000; /* more than the sockets hold */
        begin_kind(&scene, &kinds[i]);
        for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
            char request[32];
            snprintf(request, sizeof(request), "%c %zu\n", cases[k].kind, len);
            fds[k] = client_connect(&scene);
            client_ask(fds[k], request);
            turn_within(&scene, 1);
            assert_int_equal(shutdown(fds[k], SHUT_WR), 0);
        }
        int quiet = 0; /* turns in a row; the first ones fill the sockets */
        for (int n = 0; n < 2000 && quiet < 10; n++)
            quiet = turn_within(&scene, 5) == 0 ? quiet + 1 : 0;
        assert_int_equal(quiet, 10);
        for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
            expect(&scene, fds[k], cases[k].head, len);
            client_expect_end(&scene, fds[k]);
            close(fds[k]);
        }
        expect_all_closed(&scene);
        end(&scene);
    }
}

/* Room that is told of before the completion of the send that found none is not forgotten. */
static void test_room_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        begin_kind(&scene, &kinds[i]);
        inject.room_first = true;
        int fd = client_connect(&scene);
        for (int n = 0; n < (kinds[i].buffer > 0 ? 1 : 10); n++) {
            client_ask(fd, "m 300000\nv 300000\nf 300000\n");
            expect(&scene, fd, 0, 300000);
            expect(&scene, fd, 0, 300000);
            expect(&scene, fd, HEAD_SIZE, 300000);
        }
        close(fd);
        end(&scene);
    }
}

/* Clients that reset in the middle of whatever is in flight. */
static void test_resets(void **state)
{
    (void)state;
    static const char *const requests[] = { "m 4000000\n", "f 4000000\n", "v 4000000\n",
                                            "j 4096\n",    "c\n",         "",
                                            "m 1\nm 1\n" };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        begin_kind(&scene, &kinds[i]);
        for (size_t k = 0; k < 5 * ARRAY_LEN(requests); k++) {
            int fd = client_connect(&scene);
            client_ask(fd, requests[k % ARRAY_LEN(requests)]);
            for (size_t n = 0; n < k / ARRAY_LEN(requests); n++)
                turn_within(&scene, 1);
            client_reset(fd);
        }
        expect_all_closed(&scene);
        assert_int_equal(scene.proactor->pipes_count, scene.proactor->pipes_idle);
        end(&scene);
    }
}

/* A stop, with everything in flight that can be. */
static void test_stop_in_flight(void **state)
{
    (void)state;
    static const char *const requests[] = { "m 4000000\n",     "f 4000000\n", "v 4000000\n",
                                            "j 4096\n",        "c\n",         "",
                                            "m 4000000\nm 1\n" };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        for (int turns = 0; turns < 4; turns++) {
            struct scene scene;
            int fds[ARRAY_LEN(requests)];
            begin_kind(&scene, &kinds[i]);
            for (size_t k = 0; k < ARRAY_LEN(requests); k++) {
                fds[k] = client_connect(&scene);
                client_ask(fds[k], requests[k]);
            }
            for (int n = 0; n < turns; n++)
                turn_within(&scene, 1);
            end(&scene);
            for (size_t k = 0; k < ARRAY_LEN(requests); k++)
                close(fds[k]);
        }
    }
}

/* What is not in the page cache is read by the ring first, piece by piece. */
static void cold_file_with(enum processor_kind processor)
{
    for (unsigned misses = 1; misses < 60; misses += 7) {
        struct scene scene;
        begin(&scene, processor, 0);
        scene_start(&scene);
        int fd = client_connect(&scene);
        inject.misses = misses;
        client_ask(fd, "f 4000000\nm 5\n");
        expect(&scene, fd, HEAD_SIZE, 4000000);
        expect(&scene, fd, 0, 5);
        assert_int_equal(inject.misses, 0);
        close(fd);
        end(&scene);
    }
}

static void test_cold_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        cold_file_with(processors[i]);
}

/* A deadline passes while a send waits for room: the send is cancelled, then the session closed. */
static void test_deadline_in_flight(void **state)
{
    (void)state;
    static const char *const requests[] = { "m 4000000\n", "f 4000000\n", "" };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        begin_kind(&scene, &kinds[i]);
        fake.deadline_ms = 5000;
        int fds[ARRAY_LEN(requests)];
        for (size_t k = 0; k < ARRAY_LEN(requests); k++) {
            fds[k] = client_connect(&scene);
            client_ask(fds[k], requests[k]);
        }
        settle(&scene);
        assert_int_equal(fake.expired, 0);
        inject.skew_ms = 10000;
        turn_within(&scene, 1);
        settle(&scene);
        assert_int_equal(fake.expired, ARRAY_LEN(requests));
        assert_int_equal(pool_used(scene.proactor->pool), 0);
        for (size_t k = 0; k < ARRAY_LEN(requests); k++)
            close(fds[k]);
        end(&scene);
    }
}

/* Small limits: accepts are armed one by one, and who is too many waits in the backlog. */
static void connections_max_with(enum processor_kind processor)
{
    enum { MAX = 3, CLIENTS = 9 };
    struct scene scene;
    begin(&scene, processor, 0);
    scene.config.connections_max = MAX;
    scene_start(&scene);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_connect(&scene);
        client_ask(fds[i], "m 7\n");
    }
    settle(&scene);
    assert_int_equal(fake.opened, MAX);
    for (int i = 0; i < CLIENTS; i++) {
        expect(&scene, fds[i], 0, 7);
        close(fds[i]);
        assert_true(pool_used(scene.proactor->pool) <= MAX);
    }
    settle(&scene);
    assert_int_equal(fake.closed, CLIENTS);
    end(&scene);
}

static void test_connections_max(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        connections_max_with(processors[i]);
}

/* Who has been idle for longest makes way for who comes too many, one for each. */
static void make_way_with(enum processor_kind processor)
{
    enum { MAX = 3, CLIENTS = 9 };
    struct scene scene;
    begin(&scene, processor, 0);
    scene.config.connections_max = MAX;
    scene_start(&scene);
    fake.makes_way = true;
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_connect(&scene);
        client_ask(fds[i], "m 7\n");
        expect(&scene, fds[i], 0, 7);
        settle(&scene);
        assert_true(pool_used(scene.proactor->pool) <= MAX);
        assert_int_equal(fake.opened, i + 1);
        assert_int_equal(fake.closed, i < MAX ? 0 : i - MAX + 1);
    }
    for (int i = 0; i < CLIENTS; i++) {
        char octet;
        ssize_t n = recv(fds[i], &octet, 1, MSG_DONTWAIT);
        assert_int_equal(n, i < CLIENTS - MAX ? 0 : -1);
        close(fds[i]);
    }
    settle(&scene);
    assert_int_equal(fake.closed, CLIENTS);
    assert_true(list_empty(&scene.proactor->idle));
    assert_int_equal(scene.proactor->leaving, 0);
    end(&scene);
}

static void test_make_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        make_way_with(processors[i]);
}

/* Idle connections cost no turn: nothing completes, and there is no time-out. */
static void idle_with(enum processor_kind processor)
{
    struct scene scene;
    begin(&scene, processor, 0);
    scene_start(&scene);
    int fd = client_connect(&scene);
    client_ask(fd, "m 1\n");
    expect(&scene, fd, 0, 1);
    settle(&scene);
    inject.skew_ms += PROACTOR_TICK_MS; /* the tick that follows work */
    turn_within(&scene, 1);
    assert_int_equal(fake.ticks, 1);
    assert_int_equal(timeout_ms_of(scene.proactor), -1);
    proactor_wake(scene.proactor);
    assert_int_equal(turn_within(&scene, 1000), 1);
    assert_int_equal(timeout_ms_of(scene.proactor), -1);
    close(fd);
    end(&scene);
}

static void test_idle(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(processors); i++)
        idle_with(processors[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_end_behind_kept),
        cmocka_unit_test(test_end_while_full),
        cmocka_unit_test(test_room_first),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_stop_in_flight),
        cmocka_unit_test(test_cold_file),
        cmocka_unit_test(test_deadline_in_flight),
        cmocka_unit_test(test_connections_max),
        cmocka_unit_test(test_make_way),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
