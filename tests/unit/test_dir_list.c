/* test_dir_list.c: what is in a listing, what is left out, in which order, and how much of it. */
#include "tests/unit/file_tree.h"

/* Lists `path` as one string: "dir/ sub/ file:5 ". */
static int list(const char *path, enum file_symlinks symlinks, bool dotfiles, size_t max, char *ret)
{
    struct file_job job;

    file_job_init_list(&job, root_fd, path, symlinks, dotfiles, max);
    file_job_run(&job);
    ret[0] = '\0';
    if (job.res == 0) {
        for (size_t i = 0; i < job.listing->count; i++) {
            const struct dir_item listed = dir_listing_item(job.listing, i);
            const struct dir_item *item = &listed;

            if (item->forbidden)
                ret += sprintf(ret, "%s? ", item->name);
            else if (item->is_dir)
                ret += sprintf(ret, "%s/ ", item->name);
            else
                ret += sprintf(ret, "%s:%llu ", item->name, (unsigned long long)item->size);
        }
    } else {
        assert_null(job.listing);
    }
    file_job_discard(&job);
    return job.res;
}

static void put_listed(void)
{
    put_dir("root/list");
    put_dir("root/list/zdir");
    put_dir("root/list/bdir");
    put_dir("root/list/none");
    put_file("root/list/b", "bb", 0644);
    put_file("root/list/B", "", 0644);
    put_file("root/list/new\nline", "n", 0644);
    put_file("root/list/bad\xff", "n", 0644);
    put_file("root/list/.dot", "1", 0644);
    put_file("root/list/private", "1", 0600);
    put_link("root/list/up", "../file");
    put_link("root/list/updir", "../dir");
    put_link("root/list/gone", "nothing");
    put_link("root/list/out", "../../outside/secret");
    put_link("root/list/loop", "loop");
    put_link("root/list/pipe", "../fifo");
    put_link("root/list/to-private", "private");
    assert_int_equal(mkfifoat(base_fd, "root/list/fifo", 0644), 0);
}

static void test_list(void **state)
{
    char text[1024];

    (void)state;
    put_listed();
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        use_walk(walks[way]);
        assert_int_equal(list("list", FILE_SYMLINKS_INSIDE, false, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ updir/ zdir/ B:0 b:2 bad\xff:1 new\nline:1 "
                                  "private:1 to-private:1 up:5 ");
        assert_int_equal(list("list", FILE_SYMLINKS_DENY, false, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ zdir/ B:0 b:2 bad\xff:1 new\nline:1 private:1 ");
        assert_int_equal(list("to-dot/list", FILE_SYMLINKS_INSIDE, true, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ updir/ zdir/ .dot:1 B:0 b:2 bad\xff:1 new\nline:1 "
                                  "private:1 to-private:1 up:5 ");
        assert_int_equal(list("list/none", FILE_SYMLINKS_DENY, true, 0, text), 0);
        assert_string_equal(text, "");
        assert_int_equal(list(".", FILE_SYMLINKS_INSIDE, true, 1000, text), 0);
        assert_non_null(strstr(text, "to-dir/ "));
        assert_non_null(strstr(text, " file:5 "));
        assert_non_null(strstr(text, " out-and-in:5 "));
        assert_non_null(strstr(text, "absolute-dir/ "));
        assert_null(strstr(text, "out-dir"));
        assert_null(strstr(text, "out-parent"));
        assert_null(strstr(text, " out:"));
        assert_null(strstr(text, "absolute-out"));
        assert_null(strstr(text, "fifo"));
        assert_null(strstr(text, "device"));
        assert_int_equal(list("list", FILE_SYMLINKS_DENY, false, 16, text), 0);
        assert_int_equal(list("list", FILE_SYMLINKS_DENY, false, 15, text), -EFBIG);
        assert_int_equal(list("file", FILE_SYMLINKS_INSIDE, false, 100, text), -ENOTDIR);
        assert_int_equal(list("fifo", FILE_SYMLINKS_INSIDE, false, 100, text), -ENOTDIR);
        assert_int_equal(list("nothing", FILE_SYMLINKS_INSIDE, false, 100, text), -ENOENT);
        assert_int_equal(list("out-dir", FILE_SYMLINKS_INSIDE, false, 100, text), -EXDEV);
        assert_int_equal(list("to-dir", FILE_SYMLINKS_DENY, false, 100, text), -ELOOP);
    }
    dir_listing_free(NULL);
}

static void check_list_as_nobody(void)
{
    char text[1024];

    as_nobody();
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        use_walk(walks[way]);
        assert_int_equal(list("list", FILE_SYMLINKS_INSIDE, false, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ updir/ zdir/ B:0 b:2 bad\xff:1 new\nline:1 up:5 ");
        assert_int_equal(list("closed", FILE_SYMLINKS_INSIDE, false, 100, text), -EACCES);
        /* They are there, but nobody may ask what they are. */
        assert_int_equal(list("nosearch", FILE_SYMLINKS_INSIDE, false, 100, text), 0);
        assert_string_equal(text, "file? ");
    }
}

static void test_list_as_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(check_list_as_nobody);
}

static void assert_order(const struct dir_wish *wish, const char *expected)
{
    struct file_job job;
    char text[256] = "", *at = text;

    file_job_init_list(&job, root_fd, "wish", FILE_SYMLINKS_INSIDE, false, 100);
    job.wish = *wish;
    job.slice = 2; /* so that runs are merged */
    for (file_job_run(&job); job.res == 1; file_job_run(&job))
        file_job_again(&job);
    assert_int_equal(job.res, 0);
    for (size_t i = 0; i < job.listing->count; i++)
        at += sprintf(at, "%s ", dir_listing_item(job.listing, i).name);
    assert_string_equal(text, expected);
    file_job_discard(&job);
}

static void put_aged(const char *path, const char *content, int64_t mtime_s)
{
    const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = mtime_s } };

    put_file(path, content, 0644);
    assert_int_equal(utimensat(base_fd, path, times, 0), 0);
}

static void test_wishes(void **state)
{
    static char *exclude[] = { "*2", "[xy]" };

    (void)state;
    put_dir("root/wish");
    put_dir("root/wish/d10");
    put_dir("root/wish/d9");
    put_aged("root/wish/f10", "1", 30);
    put_aged("root/wish/f2", "333", 20);
    put_aged("root/wish/f1", "333", -5);
    put_aged("root/wish/x", "22", 20);
    assert_order(&(struct dir_wish){ .key = DIR_BY_NAME }, "d9 d10 f1 f2 f10 x ");
    assert_order(&(struct dir_wish){ .key = DIR_BY_NAME, .descending = true },
                 "d10 d9 x f10 f2 f1 ");
    assert_order(&(struct dir_wish){ .key = DIR_BY_SIZE }, "d9 d10 f10 x f1 f2 ");
    assert_order(&(struct dir_wish){ .key = DIR_BY_SIZE, .descending = true },
                 "d9 d10 f1 f2 x f10 ");
    assert_order(&(struct dir_wish){ .key = DIR_BY_NAME, .exclude = exclude, .exclude_count = 2 },
                 "d9 d10 f1 f10 ");
    put_aged("root/wish/d9/f", "", 0);
    for (int descending = 0; descending < 2; descending++) {
        const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 7 } };

        assert_int_equal(utimensat(base_fd, "root/wish/d9", times, 0), 0);
        assert_order(&(struct dir_wish){ .key = DIR_BY_TIME, .descending = descending },
                     descending ? "d10 d9 f10 f2 x f1 " : "d9 d10 f1 f2 x f10 ");
    }
}

/* The text of the README of "readmes", or "-". */
static void assert_readme(size_t max, const char *name, const char *expected)
{
    struct file_job job;

    file_job_init_list(&job, root_fd, "readmes", FILE_SYMLINKS_INSIDE, false, 100);
    job.wish.readme_max = max;
    file_job_run(&job);
    assert_int_equal(job.res, 0);
    if (expected == NULL) {
        assert_null(job.listing->readme);
    } else {
        assert_int_equal(job.listing->readme_len, strlen(expected));
        assert_memory_equal(job.listing->readme, expected, strlen(expected));
        assert_string_equal(job.listing->readme_name, name);
    }
    file_job_discard(&job);
}

static void test_readmes(void **state)
{
    (void)state;
    put_dir("root/readmes");
    put_dir("root/readmes/README");
    assert_readme(100, "", NULL);
    put_file("root/readmes/Readme.TXT", "text", 0644);
    assert_readme(4, "Readme.TXT", "text");
    assert_readme(3, "", NULL);
    assert_readme(0, "", NULL);
    put_link("root/readmes/readme.md", "../file");
    put_link("root/readmes/README.MD", "../../outside/secret");
    assert_readme(100, "readme.md", "hello");
    put_file("root/readmes/README.md", "", 0644);
    assert_readme(100, "", NULL);
}

/* Runs the job slice by slice; how many there were. */
static unsigned run_slices(struct file_job *job)
{
    unsigned slices = 1;

    for (file_job_run(job); job->res == 1; file_job_run(job)) {
        assert_null(job->listing);
        assert_non_null(job->reader);
        file_job_again(job);
        slices++;
    }
    assert_int_equal(file_job_size(job), 0);
    return slices;
}

/* In slices the same is found, in the same order. */
static void test_slices(void **state)
{
    char whole[1024], name[32];
    unsigned random = 1;

    (void)state;
    put_dir("root/slices");
    for (int i = 0; i < 40; i++) {
        random = random * 1103515245 + 12345;
        snprintf(name, sizeof(name), "root/slices/%u", random >> 20 & 1023);
        if (faccessat(base_fd, name, F_OK, 0) != 0)
            put_file(name, "x", 0644);
    }
    assert_int_equal(list("slices", FILE_SYMLINKS_INSIDE, false, 100, whole), 0);
    for (size_t slice = 1; slice < 60; slice++) {
        struct file_job job;
        char text[1024] = "", *at = text;

        file_job_init_list(&job, root_fd, "slices", FILE_SYMLINKS_INSIDE, false, 100);
        job.slice = slice;
        assert_true(run_slices(&job) > 20 / slice);
        assert_int_equal(job.res, 0);
        for (size_t i = 0; i < job.listing->count; i++)
            at += sprintf(at, "%s:1 ", dir_listing_item(job.listing, i).name);
        assert_string_equal(text, whole);
        file_job_discard(&job);
    }
    /* One that is given up between two slices. */
    struct file_job job;
    file_job_init_list(&job, root_fd, "slices", FILE_SYMLINKS_INSIDE, false, 100);
    job.slice = 3;
    file_job_run(&job);
    assert_int_equal(job.res, 1);
    file_job_discard(&job);
    assert_int_equal(file_job_size(&job), 0);
    /* One with too many names fails in the slice that finds it. */
    file_job_init_list(&job, root_fd, "slices", FILE_SYMLINKS_INSIDE, false, 10);
    job.slice = 3;
    run_slices(&job);
    assert_int_equal(job.res, -EFBIG);
    file_job_discard(&job);
}

static void test_list_100000(void **state)
{
    enum { NAMES = 100000 };
    struct file_job job;
    char name[64];

    (void)state;
    use_walk(false);
    put_dir("root/many");
    put_file("root/many/000000", "x", 0644);
    for (int i = 1; i < NAMES; i++) {
        /* Some 30,000 hard links a file are safe on every file system. */
        int first = i / 30000 * 30000;
        char to[64];

        snprintf(name, sizeof(name), "root/many/%06d", first);
        snprintf(to, sizeof(to), "root/many/%06d", i);
        if (i == first)
            put_file(to, "x", 0644);
        else
            assert_int_equal(linkat(base_fd, name, base_fd, to, 0), 0);
    }
    file_job_init_list(&job, root_fd, "many", FILE_SYMLINKS_INSIDE, false, NAMES);
    file_job_run(&job);
    assert_int_equal(job.res, 0);
    assert_int_equal(job.listing->count, NAMES);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "%06d", i);
        assert_string_equal(dir_listing_item(job.listing, (size_t)i).name, name);
    }
    file_job_discard(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),   cmocka_unit_test(test_list_as_nobody),
        cmocka_unit_test(test_wishes), cmocka_unit_test(test_readmes),
        cmocka_unit_test(test_slices), cmocka_unit_test(test_list_100000),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
