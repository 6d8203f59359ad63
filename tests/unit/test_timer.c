/* test_timer.c: the timing wheel, by hand at its edges and at random against a model that keeps a
 * plain array. */
#include "engines/timer.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

enum { START_MS = 1000003, REACH_MS = TIMER_SLOTS * TIMER_TICK_MS };

struct owner {
    struct timer_node node;
    uint64_t deadline_ms; /* UINT64_MAX: none */
    uint64_t fired_ms;    /* when last; 0: never */
    unsigned fired;
};

struct scene {
    struct timer_wheel wheel;
    uint64_t now_ms;
    unsigned fired;
};

static void scene_init(struct scene *scene, uint64_t now_ms)
{
    timer_wheel_init(&scene->wheel, now_ms);
    scene->now_ms = now_ms;
    scene->fired = 0;
}

static void owner_init(struct owner *owner)
{
    *owner = (struct owner){ .deadline_ms = UINT64_MAX };
    timer_node_init(&owner->node);
}

static void note_fire(struct timer_node *node, void *context)
{
    struct scene *scene = context;
    struct owner *owner = container_of(node, struct owner, node);
    assert_int_equal(node->armed_ms, 0);
    owner->fired++;
    owner->fired_ms = scene->now_ms;
    scene->fired++;
}

/* As a loop does: a deadline that has moved away is armed again. */
static void lazy_fire(struct timer_node *node, void *context)
{
    struct scene *scene = context;
    struct owner *owner = container_of(node, struct owner, node);
    if (owner->deadline_ms > scene->now_ms)
        timer_arm(&scene->wheel, node, owner->deadline_ms);
    else
        note_fire(node, context);
}

static void advance_to(struct scene *scene, uint64_t now_ms,
                       void (*fire)(struct timer_node *node, void *context))
{
    scene->now_ms = now_ms;
    timer_advance(&scene->wheel, now_ms, fire, scene);
}

static void test_empty_never_wakes(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, START_MS);
    assert_int_equal(timer_timeout_ms(&scene.wheel, START_MS), -1);
    advance_to(&scene, START_MS + 10 * REACH_MS, note_fire);
    assert_int_equal(scene.fired, 0);
    assert_int_equal(timer_timeout_ms(&scene.wheel, scene.now_ms), -1);
}

/* Never before its deadline, and at most one tick behind it. */
static void test_fires_in_time(void **state)
{
    (void)state;
    static const uint64_t ahead_ms[] = { 0,
                                         1,
                                         50,
                                         96,
                                         97,
                                         98,
                                         99,
                                         100,
                                         101,
                                         999,
                                         60000,
                                         6400,
                                         REACH_MS - TIMER_TICK_MS,
                                         102300,
                                         196,
                                         6397,
                                         6497,
                                         12797,
                                         12800 };
    for (size_t i = 0; i < ARRAY_LEN(ahead_ms); i++) {
        struct scene scene;
        struct owner owner;
        scene_init(&scene, START_MS);
        owner_init(&owner);
        uint64_t deadline_ms = START_MS + ahead_ms[i];
        timer_arm(&scene.wheel, &owner.node, deadline_ms);
        assert_int_equal(scene.wheel.count, 1);
        for (uint64_t now = START_MS; scene.fired == 0; now++) {
            int timeout = timer_timeout_ms(&scene.wheel, now);
            assert_true(timeout > 0);
            assert_true(now + (uint64_t)timeout <= deadline_ms + TIMER_TICK_MS);
            advance_to(&scene, now + 1, note_fire);
        }
        assert_true(owner.fired_ms >= deadline_ms);
        assert_true(owner.fired_ms <= deadline_ms + TIMER_TICK_MS);
        assert_int_equal(scene.wheel.count, 0);
        assert_int_equal(timer_timeout_ms(&scene.wheel, scene.now_ms), -1);
    }
}

/* Sleeping exactly as long as the wheel says fires exactly then. */
static void test_timeout_is_exact(void **state)
{
    (void)state;
    for (uint64_t ahead_ms = 1; ahead_ms < REACH_MS; ahead_ms += 337) {
        struct scene scene;
        struct owner owner;
        scene_init(&scene, START_MS);
        owner_init(&owner);
        timer_arm(&scene.wheel, &owner.node, START_MS + ahead_ms);
        uint64_t wake_ms = START_MS + (uint64_t)timer_timeout_ms(&scene.wheel, START_MS);
        advance_to(&scene, wake_ms - 1, note_fire);
        assert_int_equal(owner.fired, 0);
        assert_int_equal(timer_timeout_ms(&scene.wheel, wake_ms - 1), 1);
        assert_int_equal(timer_timeout_ms(&scene.wheel, wake_ms + 7), 0);
        advance_to(&scene, wake_ms, note_fire);
        assert_int_equal(owner.fired, 1);
    }
}

static void test_later_deadline_touches_nothing(void **state)
{
    (void)state;
    struct scene scene;
    struct owner owner;
    scene_init(&scene, START_MS);
    owner_init(&owner);
    timer_arm(&scene.wheel, &owner.node, START_MS + 1000);
    uint64_t armed_ms = owner.node.armed_ms;
    struct list *neighbour = owner.node.link.next;
    timer_arm(&scene.wheel, &owner.node, START_MS + 50000);
    assert_int_equal(owner.node.armed_ms, armed_ms);
    assert_ptr_equal(owner.node.link.next, neighbour);

    timer_arm(&scene.wheel, &owner.node, START_MS + 500);
    assert_true(owner.node.armed_ms < armed_ms);
    assert_int_equal(scene.wheel.count, 1);
    advance_to(&scene, START_MS + 600, note_fire);
    assert_int_equal(owner.fired, 1);
    advance_to(&scene, START_MS + 2000, note_fire);
    assert_int_equal(owner.fired, 1);
}

static void test_never_disarms(void **state)
{
    (void)state;
    struct scene scene;
    struct owner owner;
    scene_init(&scene, START_MS);
    owner_init(&owner);
    timer_arm(&scene.wheel, &owner.node, UINT64_MAX);
    assert_int_equal(scene.wheel.count, 0);
    timer_arm(&scene.wheel, &owner.node, START_MS + 1000);
    timer_arm(&scene.wheel, &owner.node, UINT64_MAX);
    assert_int_equal(scene.wheel.count, 0);
    assert_int_equal(timer_timeout_ms(&scene.wheel, START_MS), -1);
    timer_disarm(&scene.wheel, &owner.node);
    advance_to(&scene, START_MS + 5000, note_fire);
    assert_int_equal(owner.fired, 0);
}

/* Behind the wheel's end: looked at there, and armed again, until the true deadline. */
static void test_far_deadline(void **state)
{
    (void)state;
    static const uint64_t ahead_ms[] = { REACH_MS, REACH_MS + 1, 3 * REACH_MS + 77,
                                         UINT64_MAX / 2 };
    for (size_t i = 0; i < ARRAY_LEN(ahead_ms); i++) {
        struct scene scene;
        struct owner owner;
        scene_init(&scene, START_MS);
        owner_init(&owner);
        owner.deadline_ms = START_MS + ahead_ms[i];
        timer_arm(&scene.wheel, &owner.node, owner.deadline_ms);
        unsigned wakes = 0;
        while (owner.fired == 0 && wakes < 10) {
            int timeout = timer_timeout_ms(&scene.wheel, scene.now_ms);
            assert_true(timeout > 0 && timeout <= REACH_MS);
            advance_to(&scene, scene.now_ms + (uint64_t)timeout, lazy_fire);
            wakes++;
        }
        if (ahead_ms[i] > 10 * (uint64_t)REACH_MS) {
            assert_int_equal(owner.fired, 0);
            continue;
        }
        assert_int_equal(owner.fired, 1);
        assert_true(owner.fired_ms >= owner.deadline_ms);
        assert_true(owner.fired_ms <= owner.deadline_ms + TIMER_TICK_MS);
        assert_true(wakes <= ahead_ms[i] / REACH_MS + 2);
    }
}

/* A process that was stopped for hours finds everything due, once. */
static void test_long_pause(void **state)
{
    (void)state;
    struct scene scene;
    struct owner owners[TIMER_SLOTS];
    scene_init(&scene, START_MS);
    for (unsigned i = 0; i < ARRAY_LEN(owners); i++) {
        owner_init(&owners[i]);
        timer_arm(&scene.wheel, &owners[i].node, START_MS + i * TIMER_TICK_MS);
    }
    advance_to(&scene, START_MS + 50 * (uint64_t)REACH_MS, note_fire);
    for (unsigned i = 0; i < ARRAY_LEN(owners); i++)
        assert_int_equal(owners[i].fired, 1);
    assert_int_equal(scene.wheel.count, 0);

    /* And it goes on from there. */
    timer_arm(&scene.wheel, &owners[0].node, scene.now_ms + 250);
    advance_to(&scene, scene.now_ms + 350, note_fire);
    assert_int_equal(owners[0].fired, 2);
}

static void test_clock_backwards(void **state)
{
    (void)state;
    struct scene scene;
    struct owner owner;
    scene_init(&scene, START_MS);
    owner_init(&owner);
    timer_arm(&scene.wheel, &owner.node, START_MS + 300);
    advance_to(&scene, START_MS - 5000, note_fire);
    assert_int_equal(owner.fired, 0);
    advance_to(&scene, START_MS + 400, note_fire);
    assert_int_equal(owner.fired, 1);
}

static struct owner *victim, *forever;

/* Takes out one that is due in the same call, and arms itself for a moment that has passed. */
static void meddling_fire(struct timer_node *node, void *context)
{
    struct scene *scene = context;
    note_fire(node, context);
    if (victim != NULL)
        timer_disarm(&scene->wheel, &victim->node);
    if (forever != NULL && node == &forever->node)
        timer_arm(&scene->wheel, node, scene->now_ms - 1);
}

static void test_fire_may_arm_and_disarm(void **state)
{
    (void)state;
    struct scene scene;
    struct owner first, second;
    scene_init(&scene, START_MS);
    owner_init(&first);
    owner_init(&second);
    timer_arm(&scene.wheel, &first.node, START_MS + 100);
    timer_arm(&scene.wheel, &second.node, START_MS + 300);
    victim = &second;
    forever = &first;
    advance_to(&scene, START_MS + 1000, meddling_fire);
    assert_int_equal(first.fired, 1); /* armed again, but not fired in the same call */
    assert_int_equal(second.fired, 0);
    assert_int_equal(scene.wheel.count, 1);
    advance_to(&scene, START_MS + 1100, meddling_fire);
    assert_int_equal(first.fired, 2);
    victim = forever = NULL;
    advance_to(&scene, START_MS + 1200, meddling_fire);
    assert_int_equal(first.fired, 3);
    assert_int_equal(scene.wheel.count, 0);
}

enum { OWNERS = 300, ROUNDS = 200000 };

/* What the model says about an owner whose deadline may have moved while it was armed. */
static void check_owner(const struct scene *scene, const struct owner *owner)
{
    if (owner->deadline_ms == UINT64_MAX) {
        assert_int_equal(owner->node.armed_ms, 0);
        return;
    }
    assert_true(owner->node.armed_ms != 0);
    assert_true(owner->node.armed_ms <= owner->deadline_ms + TIMER_TICK_MS ||
                owner->node.armed_ms <= scene->now_ms + TIMER_TICK_MS);
    /* Overdue by more than a tick: it was missed. */
    assert_true(owner->deadline_ms + TIMER_TICK_MS >= scene->now_ms);
}

static uint64_t random_ahead(void)
{
    static const uint64_t spans_ms[] = { 50, 1000, 10000, 60000, REACH_MS, 4 * REACH_MS };
    return (uint64_t)random() % spans_ms[(size_t)random() % ARRAY_LEN(spans_ms)];
}

/* Fires only what the model holds to be due; the model then forgets it. */
static void model_fire(struct timer_node *node, void *context)
{
    struct scene *scene = context;
    struct owner *owner = container_of(node, struct owner, node);
    assert_true(owner->deadline_ms != UINT64_MAX);
    if (owner->deadline_ms > scene->now_ms) {
        timer_arm(&scene->wheel, node, owner->deadline_ms);
        return;
    }
    scene->fired++;
    owner->deadline_ms = UINT64_MAX;
}

static void test_random_against_model(void **state)
{
    (void)state;
    struct scene scene;
    static struct owner owners[OWNERS];
    srandom(20261122);
    scene_init(&scene, START_MS);
    for (unsigned i = 0; i < OWNERS; i++)
        owner_init(&owners[i]);

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct owner *owner = &owners[random() % OWNERS];
        switch (random() % 8) {
        case 0:
            owner->deadline_ms = UINT64_MAX;
            timer_disarm(&scene.wheel, &owner->node);
            break;
        case 1: /* as far as the wheel says one may sleep */
        {
            int timeout = timer_timeout_ms(&scene.wheel, scene.now_ms);
            advance_to(&scene, scene.now_ms + (uint64_t)(timeout < 0 ? 1000 : timeout), model_fire);
            break;
        }
        case 2:
            advance_to(&scene, scene.now_ms + (uint64_t)random() % 30, model_fire);
            break;
        default:
            owner->deadline_ms = scene.now_ms + random_ahead();
            timer_arm(&scene.wheel, &owner->node, owner->deadline_ms);
        }
        uint64_t armed = 0;
        for (unsigned i = 0; i < OWNERS && round % 16 == 0; i++) {
            check_owner(&scene, &owners[i]);
            armed += owners[i].node.armed_ms != 0;
        }
        if (round % 16 == 0)
            assert_int_equal(scene.wheel.count, armed);
    }
    assert_true(scene.fired > 1000);
    advance_to(&scene, scene.now_ms + 10 * (uint64_t)REACH_MS, model_fire);
    assert_int_equal(scene.wheel.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_never_wakes),
        cmocka_unit_test(test_fires_in_time),
        cmocka_unit_test(test_timeout_is_exact),
        cmocka_unit_test(test_later_deadline_touches_nothing),
        cmocka_unit_test(test_never_disarms),
        cmocka_unit_test(test_far_deadline),
        cmocka_unit_test(test_long_pause),
        cmocka_unit_test(test_clock_backwards),
        cmocka_unit_test(test_fire_may_arm_and_disarm),
        cmocka_unit_test(test_random_against_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
