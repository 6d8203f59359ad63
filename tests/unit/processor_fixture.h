/* processor_fixture.h: a processor under test, of either kind, through its table: what is begun,
 * and what has to come of it. */
#ifndef TESTS_UNIT_PROCESSOR_FIXTURE_H
#define TESTS_UNIT_PROCESSOR_FIXTURE_H

#include "engines/proactor/processor.h"

#include "core/check.h"
#include "core/poison.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "uring_missing.h"

enum { BUFFERS = 4, SIZE = 64, DESCRIPTORS_MAX = 400, WAIT_MS = 5000, QUIET_MS = 20 };

static const enum processor_kind kinds[] = { PROCESSOR_IO_URING, PROCESSOR_EPOLL };

/* What a test has of the processor that it is run for. */
struct scene {
    struct processor *processor;
    struct processor_options options;
    int pair[2]; /* of connected sockets; [0] is the server's, O_NONBLOCK */
};

static inline void scene_open(struct scene *scene, enum processor_kind kind)
{
    char why[300] = "";
    const struct processor_ops *ops = processor_find(kind);
    int res = ops->probe(why, sizeof(why), &scene->options);
    if (res < 0)
        uring_is_missing(res, why);
    scene->options.buffers = BUFFERS;
    scene->options.buffer_size = SIZE;
    if (ops->open(&scene->options, DESCRIPTORS_MAX, why, sizeof(why), &scene->processor) < 0)
        fail_msg("%s", why);
    assert_string_equal(scene->processor->ops->name,
                        kind == PROCESSOR_EPOLL ? "epoll" : "io_uring");
    assert_int_equal(processor_enable(scene->processor), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, scene->pair), 0);
    assert_int_equal(fcntl(scene->pair[0], F_SETFL, O_NONBLOCK), 0);
}

static inline void scene_close(struct scene *scene)
{
    processor_forget(scene->processor, scene->pair[0]);
    close(scene->pair[0]);
    if (scene->pair[1] >= 0)
        close(scene->pair[1]);
    processor_close(scene->processor);
}

/* Takes one completion. */
static inline struct completion take_one(struct scene *scene)
{
    struct completion completion;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(processor_wait(scene->processor, WAIT_MS), 0);
        if (processor_take(scene->processor, &completion, 1) == 1)
            return completion;
    }
    fail_msg("nothing completes");
    return completion;
}

/* The next completion is of `token`, with that result. */
static inline struct completion take_of(struct scene *scene, void *token, int res)
{
    struct completion completion = take_one(scene);
    assert_ptr_equal(completion.token, token);
    assert_int_equal(completion.res, res);
    return completion;
}

static inline void expect_nothing(struct scene *scene)
{
    struct completion completion;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(processor_wait(scene->processor, QUIET_MS), 0);
        assert_int_equal(processor_take(scene->processor, &completion, 1), 0);
    }
}

/* A token is an address that nobody looks at. */
static char tokens[8];

static inline void begin(struct scene *scene, void *token, struct operation operation)
{
    assert_true(processor_begin(scene->processor, &operation, token));
}

/* The buffer of a completion holds these octets; it is given back. */
static inline void expect_octets(struct scene *scene, struct completion completion,
                                 const char *text)
{
    size_t len = strlen(text);
    assert_true((completion.flags & COMPLETION_BUFFER) != 0);
    unsigned id = completion_buffer(completion.flags);
    assert_int_equal(completion.res, len);
    assert_memory_equal(processor_buffer(scene->processor, id), text, len);
    processor_give_back(scene->processor, id);
#ifdef POISON_WORKS
    assert_true(IS_POISONED(processor_buffer(scene->processor, id)));
#endif
}

static inline void write_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Runs the test over both. */
static inline void run(void (*test)(struct scene *scene))
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        scene_open(&scene, kinds[i]);
        test(&scene);
        scene_close(&scene);
    }
}

#define BOTH(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        run(name);                                                                                 \
    }

#endif
