/* test_context.c: coroutines take turns, keep their registers and their stacks, and end; a stack that is
 * used up ends the process, and one that rests gives its memory back. */
#include "engines/coroutine/context.c"
#include "engines/coroutine/stack.c"

#include <fenv.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { COUNT = 50, TURNS = 100 };

static struct stacks *stacks;

static void make_stacks(size_t count)
{
    char why[200] = "";
    assert_int_equal(stacks_create(count, why, sizeof(why), &stacks), 0);
}

static void make(struct context *context, size_t index, void (*function)(void *), void *argument)
{
    size_t size;
    void *stack = stack_at(stacks, index, &size);
    context_make(context, stack, size, function, argument);
}

struct counter {
    struct context context;
    unsigned id, turns;
    unsigned long sum;
};

/* Keeps values in registers and on its stack across turns. */
static void count(void *argument)
{
    struct counter *counter = argument;
    unsigned long sum = 0, kept[64];
    double real = counter->id;
    for (unsigned i = 0; i < 64; i++)
        kept[i] = counter->id * 1000ul + i;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        sum += turn * counter->id;
        real *= 1.5;
        counter->turns++;
        context_yield(&counter->context);
        real /= 1.5;
    }
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(kept[i], counter->id * 1000ul + i);
    assert_true(real > counter->id - 0.001 && real < counter->id + 0.001);
    counter->sum = sum;
}

static void test_many_take_turns(void **state)
{
    (void)state;
    static struct counter counters[COUNT];
    make_stacks(COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        counters[i].id = i;
        make(&counters[i].context, i, count, &counters[i]);
    }
    for (unsigned turn = 0; turn <= TURNS; turn++) {
        for (unsigned i = 0; i < COUNT; i++) {
            assert_false(counters[i].context.ended);
            context_resume(&counters[i].context);
        }
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(counters[i].context.ended);
        assert_int_equal(counters[i].turns, TURNS);
        assert_int_equal(counters[i].sum, (unsigned long)i * TURNS * (TURNS - 1) / 2);
        context_end(&counters[i].context);
    }
    stacks_destroy(stacks);
}

static void round_up(void *argument)
{
    fesetround(FE_UPWARD);
    context_yield(argument);
    assert_int_equal(fegetround(), FE_UPWARD);
}

/* A callee keeps the control words of the floating-point units, too. */
static void test_control_words(void **state)
{
    (void)state;
    struct context context;
    make_stacks(1);
    make(&context, 0, round_up, &context);
    context_resume(&context);
#ifndef CONTEXT_IS_UCONTEXT
    assert_int_equal(fegetround(), FE_TONEAREST);
#endif
    context_resume(&context);
    assert_true(context.ended);
    fesetround(FE_TONEAREST);
    context_end(&context);
    stacks_destroy(stacks);
}

/* A stack is used again after its function has ended. */
static void test_one_after_the_other(void **state)
{
    (void)state;
    make_stacks(1);
    for (unsigned round = 0; round < COUNT; round++) {
        struct counter counter = { .id = round };
        make(&counter.context, 0, count, &counter);
        while (!counter.context.ended)
            context_resume(&counter.context);
        assert_int_equal(counter.turns, TURNS);
        context_end(&counter.context);
    }
    stacks_destroy(stacks);
}

#ifndef HAS_ASAN /* which has its own frames, and its own report */

static unsigned deep(unsigned depth)
{
    volatile unsigned char room[1024];
    room[0] = (unsigned char)depth;
    room[sizeof(room) - 1] = 1;
    return depth == 0 ? room[0] : deep(depth - 1) + room[sizeof(room) - 1];
}

static void go_deep(void *argument)
{
    unsigned *depth = argument;
    *depth = deep(*depth);
}

static size_t resident(const void *at, size_t size)
{
    unsigned char pages[STACK_SIZE / 4096];
    size_t count = 0;
    assert_int_equal(mincore((void *)(uintptr_t)at, size, pages), 0);
    for (size_t i = 0; i < size / 4096; i++)
        count += pages[i] & 1;
    return count;
}

static void test_trim(void **state)
{
    (void)state;
    struct context context;
    unsigned depth = 60;
    size_t size;
    make_stacks(2);
    void *stack = stack_at(stacks, 1, &size);
    make(&context, 1, go_deep, &depth);
    context_resume(&context);
    assert_int_equal(depth, 60);
    assert_true(resident(stack, size) > 15);
    stack_trim(stacks, 1, NULL);
    assert_int_equal(resident(stack, size), STACK_KEPT / 4096);
    context_end(&context);
    stacks_destroy(stacks);
}

#ifndef GS_QEMU /* which says yes to any advice of madvise(2), and so to a guard */
static void test_overflow_ends_the_process(void **state)
{
    (void)state;
    make_stacks(2);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct context context;
        unsigned depth = STACK_SIZE / 1024 + 8;
        signal(SIGSEGV, SIG_DFL);
        make(&context, 1, go_deep, &depth);
        context_resume(&context);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    stacks_destroy(stacks);
}
#endif

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_take_turns),
        cmocka_unit_test(test_control_words),
        cmocka_unit_test(test_one_after_the_other),
#ifndef HAS_ASAN
        cmocka_unit_test(test_trim),
#ifndef GS_QEMU
        cmocka_unit_test(test_overflow_ends_the_process),
#endif
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
