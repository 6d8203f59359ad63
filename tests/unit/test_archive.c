/* test_archive.c: the stream of an archive: as long as announced, the same from any octet on, and
 * of what was there when it was walked, or broken off. That programs read it:
 * tests/wire/test_archive.py. */
#include "core/archive.h"

#include "tests/unit/file_tree.h"

static struct archive *walked(enum archive_kind kind, const char *path, size_t entries_max,
                              uint64_t bytes_max, int *ret_res)
{
    const struct archive_wish wish = { .kind = kind,
                                       .root_fd = root_fd,
                                       .path = path,
                                       .top = "top",
                                       .symlinks = FILE_SYMLINKS_INSIDE,
                                       .entries_max = entries_max,
                                       .bytes_max = bytes_max };
    struct archive *a = NULL;

    assert_int_equal(archive_create(&wish, &a), 0);
    while ((*ret_res = archive_source(a)->read(archive_source(a), NULL, 0)) == 1)
        ;
    return a;
}

/* All of it from `off` on, read in pieces of `piece`. */
static char *read_all(struct archive *a, uint64_t off, size_t piece)
{
    size_t len = (size_t)(archive_len(a) - off), at = 0;
    char *text = malloc(len + piece + 1);
    int n;

    while ((n = archive_source(a)->read(archive_source(a), text + at, piece)) > 0) {
        at += (size_t)n;
        assert_true(at <= len);
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, len);
    return text;
}

static void put_archived(void)
{
    char name[256] = "root/arc/sub/";

    put_dir("root/arc");
    put_dir("root/arc/sub");
    put_dir("root/arc/none");
    put_file("root/arc/a", "hello", 0644);
    put_file("root/arc/empty", "", 0644);
    put_link("root/arc/sub/up", "../a");
    put_link("root/arc/sub/loop", "..");
    memset(name + strlen(name), 'n', 200);
    put_file(name, "long", 0644);
    name[150] = '\xff';
    put_file(name, "bad", 0644);
}

static void test_stream(void **state)
{
    (void)state;
    put_archived();
    for (unsigned i = ARCHIVE_TAR; i <= ARCHIVE_ZIP; i++) {
        enum archive_kind kind = (enum archive_kind)i;
        int res;
        struct archive *a = walked(kind, "arc", 100, 1000, &res);
        uint64_t len, hash;
        char *whole;

        assert_int_equal(res, 0);
        len = archive_len(a);
        hash = archive_hash(a);
        whole = read_all(a, 0, 1 << 16);
        archive_free(a);
        for (size_t piece = 1; piece < 1500; piece += 499) {
            char *again;

            a = walked(kind, "arc", 100, 1000, &res);
            assert_int_equal(archive_len(a), len);
            assert_true(archive_hash(a) == hash);
            again = read_all(a, 0, piece);
            assert_memory_equal(again, whole, len);
            free(again);
            archive_free(a);
        }
        for (uint64_t off = 0; kind == ARCHIVE_TAR && off < len; off += 37) {
            char *rest;

            a = walked(kind, "arc", 100, 1000, &res);
            archive_seek(a, off);
            rest = read_all(a, off, 1000);
            assert_memory_equal(rest, whole + off, (size_t)(len - off));
            free(rest);
            archive_free(a);
        }
        free(whole);
    }
}

static void test_bounds(void **state)
{
    int res;

    (void)state;
    archive_free(walked(ARCHIVE_ZIP, "arc", 100, 16, &res));
    assert_int_equal(res, -EFBIG);
    archive_free(walked(ARCHIVE_ZIP, "arc", 5, 1000, &res));
    assert_int_equal(res, -EFBIG);
    archive_free(walked(ARCHIVE_ZIP, "absent", 5, 1000, &res));
    assert_int_equal(res, -ENOENT);
    archive_free(walked(ARCHIVE_ZIP, "file", 5, 1000, &res));
    assert_int_equal(res, -ENOTDIR);
}

static void test_changes(void **state)
{
    char text[100000];
    int res;

    (void)state;
    for (int how = 0; how < 2; how++) {
        struct archive *a = walked(ARCHIVE_TAR, "arc", 100, 1000, &res);

        assert_int_equal(res, 0);
        if (how == 0)
            put_file("root/arc/a", "hello, again", 0644);
        else
            assert_int_equal(unlinkat(base_fd, "root/arc/a", 0), 0);
        assert_int_equal(archive_source(a)->read(archive_source(a), text, sizeof(text)), -ESTALE);
        archive_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_changes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
