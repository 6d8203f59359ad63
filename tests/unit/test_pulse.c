/* test_pulse.c: who has been asked answers once, in its next turn; who has not, owes nothing. */
#include "core/pulse.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct pulse *make(void)
{
    struct pulse *pulse = pulse_create(NULL);

    if (pulse == NULL)
        abort();
    return pulse;
}

static void test_two_loops(void **state)
{
    (void)state;
    struct pulse *pulse = make();
    struct pulse_beat one = { 0 }, two = { 0 };

    pulse_ask(pulse);
    assert_false(pulse_is_answered(pulse)); /* none has begun */
    pulse_join(&one, pulse);
    pulse_join(&two, pulse);
    assert_true(pulse_is_answered(pulse));
    pulse_ask(pulse);
    assert_false(pulse_is_answered(pulse));
    pulse_turn(&one);
    pulse_turn(&one); /* counts once */
    assert_false(pulse_is_answered(pulse));
    pulse_turn(&two);
    assert_true(pulse_is_answered(pulse));
    pulse_ask(pulse);
    pulse_turn(&one);
    pulse_leave(&one); /* takes its answer along */
    assert_false(pulse_is_answered(pulse));
    pulse_turn(&two);
    assert_true(pulse_is_answered(pulse));
    pulse_ask(pulse);
    pulse_leave(&two);
    assert_true(pulse_is_answered(pulse)); /* there is none any more */
    pulse_destroy(pulse);
}

/* From when it is made, until it says that it does no more, once, or ends. */
static void test_who_accepts(void **state)
{
    (void)state;
    struct pulse *pulse = make();
    struct pulse_beat acceptor = { 0 }, both = { 0 }, other = { 0 };

    assert_false(pulse_is_accepting(pulse));
    pulse_listen(&acceptor, pulse);
    pulse_listen(&both, pulse);
    pulse_join(&acceptor, pulse);
    pulse_join(&both, pulse);
    pulse_join(&other, pulse);
    pulse_unlisten(&other);
    pulse_unlisten(&acceptor);
    pulse_unlisten(&acceptor);
    assert_true(pulse_is_accepting(pulse));
    pulse_leave(&both);
    assert_false(pulse_is_accepting(pulse));
    pulse_leave(&acceptor);
    pulse_leave(&other);
    assert_false(pulse_is_accepting(pulse));
    pulse_destroy(pulse);
}

static void test_nobody_watches(void **state)
{
    (void)state;
    struct pulse_beat beat = { 0 };

    pulse_listen(&beat, NULL);
    pulse_join(&beat, NULL);
    pulse_turn(&beat);
    pulse_unlisten(&beat);
    pulse_leave(&beat);
    pulse_destroy(NULL);
}

static void test_another_process(void **state)
{
    (void)state;
    struct pulse *pulse = make();
    int status;

    pulse_ask(pulse);
    pid_t pid = fork();
    if (pid == 0) {
        struct pulse_beat beat = { 0 };
        pulse_join(&beat, pulse);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(pulse_is_answered(pulse));
    pulse_ask(pulse);
    assert_false(pulse_is_answered(pulse));
    pulse_destroy(pulse);
}

/* By its descriptor: what one says, the other sees. What has another size or version is not taken.
 */
static void test_another_program(void **state)
{
    (void)state;
    int memory = -1, other;
    shared_memory_keep_descriptors();
    struct pulse *pulse = pulse_create(&memory);
    void *larger = shared_memory_make("test", 2 * sizeof(*pulse), &other);

    if (pulse == NULL || larger == NULL)
        abort();
    assert_true(memory >= 0 && other >= 0);
    struct pulse *again = pulse_adopt(memory);
    if (again == NULL)
        abort();
    pulse_ask(pulse);
    assert_int_equal(atomic_load(&again->asked), 1);
    pulse_destroy(again);
    pulse->version = VERSION + 1;
    errno = 0;
    assert_null(pulse_adopt(memory));
    assert_int_equal(errno, EPROTO);
    assert_null(pulse_adopt(other));
    assert_int_equal(errno, EPROTO);
    munmap(larger, 2 * sizeof(*pulse));
    pulse_destroy(pulse);
    close(memory);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_loops),       cmocka_unit_test(test_who_accepts),
        cmocka_unit_test(test_nobody_watches),  cmocka_unit_test(test_another_process),
        cmocka_unit_test(test_another_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
