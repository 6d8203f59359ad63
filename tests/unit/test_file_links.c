/* test_file_links.c: links that leave the root and come back, links judged by their owner, and
 * links that lead anywhere; by openat2 with the walk behind it, and by the walk alone. */
#include "tests/unit/file_tree.h"

#include <pthread.h>

enum { ROUNDS = 3000 };

#define INSIDE FILE_SYMLINKS_INSIDE
#define OWNER  FILE_SYMLINKS_OWNER
#define ANY    FILE_SYMLINKS_ANY

static void expect(const char *path, enum file_symlinks symlinks, int res, const char *content)
{
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        char have[32];
        int kind;

        use_walk(walks[way]);
        int got = run_open_job(path, symlinks, &kind, have);
        if (got != res || strcmp(have, content) != 0)
            fail_msg("'%s' (rule %d, walk %d): %d, '%s'", path, (int)symlinks, walks[way], got,
                     have);
    }
}

static void give(const char *path, uid_t owner)
{
    assert_int_equal(fchownat(base_fd, path, owner, owner, AT_SYMLINK_NOFOLLOW), 0);
}

static void test_any(void **state)
{
    (void)state;
    expect("file", ANY, 0, "hello");
    expect("out", ANY, 0, "SECRET");
    expect("out-dir/secret", ANY, 0, "SECRET");
    expect("out-parent/outside/secret", ANY, 0, "SECRET");
    expect("absolute-and-out", ANY, 0, "SECRET");
    expect("absolute-in", ANY, 0, "hello");
    expect("to-top", ANY, 0, "");
    expect("dangling", ANY, -ENOENT, "");
    expect("loop-a", ANY, -ELOOP, "");
    expect("magic", ANY, -ELOOP, "");
}

/* All belong to one user. */
static void test_owner_of_all(void **state)
{
    (void)state;
    expect("file", OWNER, 0, "hello");
    expect("dir/sub/deep", OWNER, 0, "deep");
    expect("to-file", OWNER, 0, "hello");
    expect("to-dir/inner", OWNER, 0, "inner");
    expect("to-slashes", OWNER, 0, "deep");
    expect("dir/to-winding", OWNER, 0, "inner");
    expect("chain-39", OWNER, 0, "hello");
    expect("chain-40", OWNER, -ELOOP, "");
    expect("absolute-in", OWNER, 0, "hello");
    expect("out", OWNER, 0, "SECRET"); /* it may lead out of the root */
    expect("out-dir/secret", OWNER, 0, "SECRET");
    expect("..", OWNER, -EXDEV, "");
    expect("dangling", OWNER, -ENOENT, "");
}

static void test_owner_of_some(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* files of somebody else are needed */
    put_link("root/theirs", "file");
    give("root/theirs", NOBODY);
    expect("theirs", OWNER, -ELOOP, "");
    expect("theirs", INSIDE, 0, "hello");
    put_file("root/their-file", "theirs", 0644);
    give("root/their-file", NOBODY);
    put_link("root/their-link", "their-file");
    expect("their-link", OWNER, -ELOOP, "");
    give("root/their-link", NOBODY);
    expect("their-link", OWNER, 0, "theirs");

    put_link("root/by-way", "their-link"); /* root's, by way of theirs, to theirs */
    expect("by-way", OWNER, -ELOOP, "");
    put_link("root/their-way", "to-file"); /* theirs, by way of root's, to root's */
    give("root/their-way", NOBODY);
    expect("their-way", OWNER, -ELOOP, "");

    /* A folder on the way is judged as well, and so is a link in the middle of a link's text. */
    put_link("root/their-dir", "dir");
    give("root/their-dir", NOBODY);
    expect("their-dir/inner", OWNER, -ELOOP, "");
    put_link("root/through", "their-dir/inner");
    expect("through", OWNER, -ELOOP, "");
    put_link("root/their-dots", "dir/..");
    give("root/their-dots", NOBODY);
    expect("their-dots", OWNER, -ELOOP, "");
    put_link("root/their-top", "/");
    give("root/their-top", NOBODY);
    expect("their-top", OWNER, -ELOOP, "");
}

struct mover {
    atomic_bool done;
    atomic_uint rounds; /* of the reader */
};

/* Moves the root away and back, and turns links and folders on the way to what is outside. */
static void *move(void *arg)
{
    struct mover *mover = arg;
    char inside[PATH_MAX + 16], outside[PATH_MAX + 16];

    snprintf(inside, sizeof(inside), "%s/root/dir", base);
    snprintf(outside, sizeof(outside), "%s/outside", base);
    for (int i = 0; i < ROUNDS || atomic_load(&mover->rounds) < 1000 || i % 4 != 0; i++) {
        if (symlinkat(i % 2 == 0 ? outside : inside, base_fd, "new") < 0 ||
            renameat(base_fd, "new", base_fd, "root/turning") < 0)
            abort();
        if (renameat2(base_fd, "root/swap", base_fd, "root/swap.other", RENAME_EXCHANGE) < 0)
            abort();
        if (renameat(base_fd, "root", base_fd, "elsewhere") < 0 ||
            renameat(base_fd, "elsewhere", base_fd, "root") < 0)
            abort();
    }
    atomic_store(&mover->done, true);
    return NULL;
}

static void check_moving(const char *path)
{
    char content[32];
    int kind;
    int res = run_open_job(path, INSIDE, &kind, content);

    if (res == 0)
        assert_true(strcmp(content, "harmless") == 0 || content[0] == '\0');
    else if (res != -EXDEV && res != -ENOENT)
        fail_msg("'%s': %d", path, res);
}

/* Whatever is moved meanwhile, nothing from outside is opened. */
static void test_moving(void **state)
{
    (void)state;
    put_file("root/dir/secret", "harmless", 0644);
    put_absolute_link("root/turning", "root/dir");
    put_absolute_link("root/swapping", "root/swap/secret");
    put_dir("root/swap");
    put_file("root/swap/secret", "harmless", 0644);
    put_link("root/swap.other", "../outside");
    put_link("root/back", "../root/swap/secret");
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        static struct mover mover; /* a failed assertion must not pull it from under the thread */
        pthread_t thread;

        use_walk(walks[way]);
        atomic_store(&mover.done, false);
        atomic_store(&mover.rounds, 0);
        assert_int_equal(pthread_create(&thread, NULL, move, &mover), 0);
        while (!atomic_load(&mover.done)) {
            check_moving("turning/secret");
            check_moving("swapping");
            check_moving("back");
            atomic_fetch_add(&mover.rounds, 1);
        }
        pthread_join(thread, NULL);
        check_moving("swapping");
    }
}

static void *change_owner(void *arg)
{
    struct mover *mover = arg;

    for (int i = 0; i < ROUNDS || atomic_load(&mover->rounds) < 1000; i++)
        if (renameat2(base_fd, "root/mine", base_fd, "root/yours", RENAME_EXCHANGE) < 0)
            abort();
    atomic_store(&mover->done, true);
    return NULL;
}

/* What is opened is what was judged. */
static void test_swapped_for_anothers(void **state)
{
    static struct mover mover;
    pthread_t thread;
    char content[32];
    int kind;

    (void)state;
    if (geteuid() != 0)
        skip();
    put_file("root/mine", "mine", 0644);
    put_file("root/yours", "yours", 0644);
    give("root/yours", NOBODY);
    put_link("root/to-mine", "mine");
    use_walk(true);
    assert_int_equal(pthread_create(&thread, NULL, change_owner, &mover), 0);
    while (!atomic_load(&mover.done)) {
        int res = run_open_job("to-mine", OWNER, &kind, content);

        /* No content is kept of a file whose name changed meanwhile. */
        assert_true(strcmp(content, "mine") == 0 || content[0] == '\0');
        assert_true(res == 0 || res == -ELOOP || res == -EAGAIN);
        atomic_fetch_add(&mover.rounds, 1);
    }
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any),           cmocka_unit_test(test_owner_of_all),
        cmocka_unit_test(test_owner_of_some), cmocka_unit_test(test_swapped_for_anothers),
        cmocka_unit_test(test_moving),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
