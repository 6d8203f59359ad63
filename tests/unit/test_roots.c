/* test_roots.c: which directory a configured root is: what is believed, kept, replaced and let go.
 * Looks are real ones, at links and folders that are switched in between. */
#include "http/roots.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { VALID_MS = 1000, START_MS = 5000 };

static char folder[64], path[128];
static struct root configured;
static struct config config;

static int first_free_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

static int fd_at_start;

static const char *at(const char *name)
{
    static char text[2][160];
    static unsigned turn;
    char *to = text[turn++ % 2];

    snprintf(to, sizeof(text[0]), "%s/%s", folder, name);
    return to;
}

static void switch_to(const char *release)
{
    assert_int_equal(symlink(release, at("next")), 0);
    assert_int_equal(rename(at("next"), path), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_roots.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(at("1"), 0755), 0);
    assert_int_equal(mkdir(at("2"), 0755), 0);
    snprintf(path, sizeof(path), "%s/current", folder);
    switch_to("1");
    configured = (struct root){ .path = path, .fd = -1 };
    config = (struct config){ .roots = &configured, .roots_count = 1, .cache_valid_ms = VALID_MS };
    fd_at_start = first_free_fd();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    rmdir(at("1"));
    rmdir(at("2"));
    rmdir(folder);
    return first_free_fd() == fd_at_start ? 0 : -1;
}

static struct http_roots *make_roots(void)
{
    struct http_roots *roots = NULL;

    assert_int_equal(http_roots_create(&config, NULL, &roots), 0);
    return roots;
}

static struct file_job asked(struct http_roots *roots, uint64_t now_ms)
{
    struct file_job job;

    http_roots_ask(roots, &configured, now_ms, &job);
    return job;
}

/* The look ends, as it does or with `error`. */
static struct http_root *ended(struct http_roots *roots, struct file_job *job, int error,
                               int *ret_error)
{
    if (error != 0)
        job->res = -error;
    else if (job->res == -EINPROGRESS)
        file_job_run(job);
    return http_roots_store(roots, job, ret_error);
}

static struct http_root *look(struct http_roots *roots, uint64_t now_ms)
{
    struct file_job job = asked(roots, now_ms);
    int error = 0;

    return ended(roots, &job, 0, &error);
}

static bool is_release(const struct http_root *root, const char *release)
{
    struct stat have, want;

    assert_int_equal(fstat(root->fd, &have), 0);
    assert_int_equal(stat(at(release), &want), 0);
    return have.st_ino == want.st_ino;
}

static void test_believed_for_a_while(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root, *again;

    (void)state;
    assert_null(http_roots_find(roots, &configured, START_MS));
    root = look(roots, START_MS);
    assert_true(is_release(root, "1"));
    again = http_roots_find(roots, &configured, START_MS + VALID_MS * 4 / 5);
    assert_ptr_equal(again, root);
    assert_null(http_roots_find(roots, &configured, START_MS + VALID_MS));
    http_root_unref(again);
    again = look(roots, START_MS + VALID_MS); /* the same directory: nothing known is lost */
    assert_ptr_equal(again, root);
    http_root_unref(again);
    http_root_unref(root);
    http_roots_destroy(roots);
}

/* Of those who ask shortly before it is not believed any more, one looks. */
static void test_one_looks_early(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root = look(roots, START_MS), *again;
    struct file_job job;
    int error = 0;

    (void)state;
    const uint64_t late_ms = START_MS + VALID_MS - 1;
    assert_null(http_roots_find(roots, &configured, late_ms));
    job = asked(roots, late_ms);
    for (int i = 0; i < 3; i++) {
        again = http_roots_find(roots, &configured, late_ms);
        assert_ptr_equal(again, root);
        http_root_unref(again);
    }
    assert_null(http_roots_find(roots, &configured, late_ms + 1)); /* it took too long */
    assert_null(http_roots_find(roots, &configured, late_ms + 1));
    switch_to("2");
    again = ended(roots, &job, 0, &error);
    assert_true(is_release(again, "2"));
    http_root_unref(root);
    root = http_roots_find(roots, &configured, late_ms + VALID_MS / 2);
    assert_ptr_equal(again, root);
    http_root_unref(again);
    http_root_unref(root);
    http_roots_destroy(roots);
}

/* Something is missing beneath it: a few in a millisecond look, until a look of that time has told.
 */
static void test_doubted(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root = look(roots, START_MS), *again;
    struct file_job job;
    int error = 0;

    (void)state;
    assert_false(http_root_doubt(root, START_MS));
    for (unsigned i = 0; i < DOUBTS_MAX; i++)
        assert_true(http_root_doubt(root, START_MS + 1));
    assert_false(http_root_doubt(root, START_MS + 1));
    assert_true(http_root_doubt(root, START_MS + 2));
    job = asked(roots, START_MS + 2);
    again = ended(roots, &job, 0, &error); /* it is the same one */
    assert_ptr_equal(again, root);
    http_root_unref(again);
    assert_false(http_root_doubt(root, START_MS + 2));

    switch_to("2");
    assert_true(http_root_doubt(root, START_MS + 3));
    job = asked(roots, START_MS + 3);
    again = ended(roots, &job, 0, &error); /* though the old one is still believed */
    assert_true(is_release(again, "2"));
    http_root_unref(again);
    http_root_unref(root);
    http_roots_destroy(roots);
}

static void test_switched(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *first = look(roots, START_MS), *second;

    (void)state;
    switch_to("2");
    second = look(roots, START_MS + 1);
    assert_ptr_not_equal(first, second);
    assert_int_not_equal(first->id, second->id);
    assert_true(is_release(second, "2"));
    assert_true(is_release(first, "1")); /* its users have it still */
    http_root_unref(first);
    http_root_unref(second);
    http_roots_destroy(roots);
}

/* A folder with the old one's inode number would be taken for it, were that not held. */
static void test_made_anew(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *first, *second;

    (void)state;
    for (int i = 0; i < 50; i++) {
        first = look(roots, START_MS);
        assert_int_equal(rmdir(at("1")), 0);
        assert_int_equal(mkdir(at("1"), 0755), 0);
        second = look(roots, START_MS + 1);
        assert_int_not_equal(first->id, second->id);
        assert_true(is_release(second, "1"));
        http_root_unref(first);
        http_root_unref(second);
    }
    http_roots_destroy(roots);
}

static void test_gone(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root = look(roots, START_MS);
    struct file_job job;
    int error = 0;

    (void)state;
    http_root_unref(root);
    assert_int_equal(unlink(path), 0);
    job = asked(roots, START_MS + 1);
    assert_null(ended(roots, &job, 0, &error));
    assert_int_equal(error, ENOENT);
    assert_null(http_roots_find(roots, &configured, START_MS + 1));
    switch_to("2");
    root = look(roots, START_MS + 1);
    assert_true(is_release(root, "2"));
    http_root_unref(root);
    http_roots_destroy(roots);
}

/* Looks end in another order than they were asked for in. */
static void test_late_looks(void **state)
{
    struct http_roots *roots = make_roots();
    struct file_job early = asked(roots, START_MS), late;
    struct http_root *root, *newer;
    int error = 0;

    (void)state;
    file_job_run(&early);
    switch_to("2");
    late = asked(roots, START_MS + 1);
    newer = ended(roots, &late, 0, &error);
    assert_true(is_release(newer, "2"));
    root = ended(roots, &early, 0, &error); /* who asked early is given what is known by now */
    assert_ptr_equal(root, newer);
    http_root_unref(root);

    early = asked(roots, START_MS + 2);
    file_job_run(&early);
    switch_to("1");
    late = asked(roots, START_MS + 3);
    http_root_unref(ended(roots, &late, 0, &error));
    (void)http_roots_reclaim(roots, 1); /* it is known no more; what is older is not put there */
    root = ended(roots, &early, 0, &error);
    assert_true(is_release(root, "2"));
    assert_null(http_roots_find(roots, &configured, START_MS + 3));
    http_root_unref(root);
    http_root_unref(newer);
    http_roots_destroy(roots);
}

/* The look that was asked for first is the one that looks last, and its release is sent: the other
 * one does not put the old release back. `valid_ms` 0: who asked second gets what he found. */
static void check_later_question(uint32_t valid_ms)
{
    config.cache_valid_ms = valid_ms;
    struct http_roots *roots = make_roots();
    struct file_job first = asked(roots, START_MS), second = asked(roots, START_MS);
    struct file_job third = asked(roots, START_MS);
    int error = 0;

    file_job_run(&second);
    file_job_run(&third);
    switch_to("2");
    struct http_root *newer = ended(roots, &first, 0, &error);
    assert_true(is_release(newer, "2"));
    struct http_root *root = ended(roots, &second, 0, &error);
    assert_true(is_release(root, valid_ms > 0 ? "2" : "1"));
    http_root_unref(root);
    (void)http_roots_reclaim(roots, 1);
    http_root_unref(newer);
    root = http_roots_find(roots, &configured, START_MS);
    if (root != NULL) {
        assert_true(is_release(root, "2"));
        http_root_unref(root);
    }
    (void)http_roots_reclaim(roots, 1); /* now nobody uses it; what was sent is not forgotten */
    config.cache_valid_ms = VALID_MS;
    root = ended(roots, &third, 0, &error);
    assert_true(is_release(root, "1"));
    http_root_unref(root);
    assert_null(http_roots_find(roots, &configured, START_MS));
    root = look(roots, START_MS);
    assert_true(is_release(root, "2"));
    http_root_unref(root);
    root = http_roots_find(roots, &configured, START_MS);
    assert_true(is_release(root, "2"));
    http_root_unref(root);
    http_roots_destroy(roots);
    switch_to("1");
}

static void test_later_question_answered_earlier(void **state)
{
    (void)state;
    check_later_question(VALID_MS);
    check_later_question(0);
}

static void test_cannot_be_looked_up(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root = look(roots, START_MS), *kept;
    struct file_job job = asked(roots, START_MS + 1);
    int error = 0;

    (void)state;
    kept = ended(roots, &job, EACCES, &error);
    assert_ptr_equal(kept, root);
    assert_int_equal(configured.told_ms, START_MS + 1);
    assert_int_equal(http_roots_sweep(roots, 64, START_MS + 10 * VALID_MS), UINT64_MAX);
    http_root_unref(kept);
    http_root_unref(root);
    job = asked(roots, START_MS + 20 * VALID_MS); /* not let go: it could not be had again */
    kept = ended(roots, &job, EACCES, &error);
    assert_ptr_equal(kept, root);
    assert_int_equal(configured.told_ms, START_MS + 1); /* told once */
    http_root_unref(kept);

    http_root_unref(look(roots, START_MS + 21 * VALID_MS));
    assert_int_equal(configured.told_ms, START_MS + 1);
    http_root_unref(look(roots, START_MS + TOLD_MS + 2));
    assert_int_equal(configured.told_ms, 0);
    http_roots_destroy(roots);
}

/* What root opened at the start serves where the user cannot look. */
static void test_closed_from_the_start(void **state)
{
    struct http_roots *roots = make_roots();
    struct file_job job = asked(roots, START_MS);
    struct http_root *root;
    int error = 0;

    (void)state;
    configured.fd = open(at("2"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    root = ended(roots, &job, EACCES, &error);
    assert_true(is_release(root, "2"));
    http_root_unref(root);
    assert_int_equal(http_roots_sweep(roots, 64, START_MS + 10 * VALID_MS), UINT64_MAX);
    root = look(roots, START_MS + VALID_MS); /* it can be looked up after all */
    assert_true(is_release(root, "1"));
    http_root_unref(root);
    http_roots_destroy(roots);
    close(configured.fd);
    configured.fd = -1;
}

static void test_sweep(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root = look(roots, START_MS);

    (void)state;
    assert_int_equal(http_roots_sweep(roots, 64, START_MS), START_MS + VALID_MS);
    assert_int_equal(http_roots_sweep(roots, 0, START_MS + VALID_MS), START_MS + VALID_MS);
    assert_int_equal(http_roots_sweep(roots, 64, START_MS + VALID_MS), UINT64_MAX);
    assert_true(is_release(root, "1")); /* a request is using it */
    http_root_unref(root);
    assert_int_equal(first_free_fd(), fd_at_start);
    root = look(roots, START_MS + VALID_MS);
    http_root_unref(http_roots_find(roots, &configured, START_MS + VALID_MS + 500));
    /* Not while it is asked for: the next look may fail. */
    assert_int_equal(http_roots_sweep(roots, 64, START_MS + 2 * VALID_MS),
                     START_MS + 2 * VALID_MS + 500);
    assert_int_equal(http_roots_reclaim(roots, 1), 0);
    http_root_unref(root);
    assert_int_equal(http_roots_reclaim(roots, 1), 1);
    http_roots_destroy(roots);
}

/* What the file cache keeps is found again, but not under a directory that came meanwhile. */
static void test_let_go_and_asked_again(void **state)
{
    struct http_roots *roots = make_roots();
    struct http_root *root = look(roots, START_MS);
    uint64_t id = root->id;

    (void)state;
    http_root_unref(root);
    assert_int_equal(http_roots_sweep(roots, 64, START_MS + VALID_MS), UINT64_MAX);
    root = look(roots, START_MS + 2 * VALID_MS);
    assert_true(is_release(root, "1"));
    assert_int_equal(root->id, id);
    http_root_unref(root);
    assert_int_equal(http_roots_reclaim(roots, 1), 1);
    switch_to("2");
    root = look(roots, START_MS + 3 * VALID_MS);
    assert_int_not_equal(root->id, id);
    http_root_unref(root);
    assert_int_equal(http_roots_reclaim(roots, 1), 1);
    http_roots_destroy(roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_believed_for_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_looks_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_doubted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_switched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_looks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_later_question_answered_earlier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_be_looked_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed_from_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_let_go_and_asked_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
