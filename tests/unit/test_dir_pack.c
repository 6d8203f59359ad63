/* test_dir_pack.c: what goes in comes out again, and is in order after any number of steps at a
 * time. */
#include "core/dir_pack.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void test_values(void **state)
{
    static const struct dir_item items[] = {
        { .name = "a", .size = 0, .mtime_s = 0 },
        { .name = "b", .size = UINT64_MAX, .mtime_s = INT64_MAX, .mtime_ns = 999999999 },
        { .name = "c", .size = 127, .mtime_s = INT64_MIN, .is_dir = true },
        { .name = "\xff", .size = 128, .mtime_s = -1, .forbidden = true },
        { .name = "e", .size = 1u << 14, .mtime_s = 1764000000, .is_dir = true, .forbidden = true },
    };
    struct dir_pack *p = dir_pack_create();

    (void)state;
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        assert_int_equal(dir_pack_add(p, &items[i]), 0);
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        struct dir_item item = dir_pack_get(p, i);

        assert_string_equal(item.name, items[i].name);
        assert_true(item.size == items[i].size && item.mtime_s == items[i].mtime_s);
        assert_int_equal(item.mtime_ns, items[i].mtime_ns);
        assert_int_equal(item.is_dir, items[i].is_dir);
        assert_int_equal(item.forbidden, items[i].forbidden);
    }
    dir_pack_free(p);
}

/* The longest names, in more than one chunk. */
static void test_chunks(void **state)
{
    enum { COUNT = 1000 };
    struct dir_pack *p = dir_pack_create();
    char name[NAME_MAX + 1];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct dir_item item = { .name = name, .size = UINT64_MAX, .mtime_s = INT64_MIN };

        memset(name, 'n', NAME_MAX);
        snprintf(name + NAME_MAX - 4, 5, "%04u", (unsigned)i % COUNT);
        assert_int_equal(dir_pack_add(p, &item), 0);
    }
    assert_true(dir_pack_size(p) > COUNT * NAME_MAX);
    for (int i = 0; i < COUNT; i++) {
        struct dir_item item = dir_pack_get(p, (size_t)i);

        assert_int_equal(strlen(item.name), NAME_MAX);
        assert_int_equal(atoi(item.name + NAME_MAX - 4), i);
    }
    dir_pack_free(p);
}

static void check_sorted(size_t count, const struct dir_wish *wish, size_t steps)
{
    struct dir_pack *p = dir_pack_create();
    struct comparison by = { p, wish };
    unsigned random = 7;
    uint64_t sum = 0;
    char name[32];
    int more;

    for (size_t i = 0; i < count; i++) {
        struct dir_item item = { .name = name };

        random = random * 1103515245 + 12345;
        item.size = random >> 24;
        item.mtime_s = random >> 20 & 0xff;
        item.is_dir = (random >> 16 & 7) == 0;
        snprintf(name, sizeof(name), "%u-%zu", random >> 22, i);
        assert_int_equal(dir_pack_add(p, &item), 0);
        sum += i;
    }
    while ((more = dir_pack_sort(p, wish, steps)) == 1)
        ;
    assert_int_equal(more, 0);
    assert_int_equal(dir_pack_count(p), count);
    for (size_t i = 0; i < count; i++) {
        sum -= strtoull(strchr(dir_pack_get(p, i).name, '-') + 1, NULL, 10);
        assert_true(i == 0 || compare_places(&p->order[i - 1], &p->order[i], &by) < 0);
    }
    assert_true(sum == 0);
    dir_pack_free(p);
}

static void test_order(void **state)
{
    static const size_t counts[] = { 0, 1, 2, 255, 256, 257, 512, 513, 1000, 2049, 5000 };
    static const size_t steps[] = { 1, 7, 256, 1024, SIZE_MAX };

    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
            for (unsigned way = 0; way < 6; way++) {
                const struct dir_wish wish = { .key = (enum dir_key)(way / 2),
                                               .descending = way % 2 };

                check_sorted(counts[c], &wish, steps[s]);
            }
        }
    }
}

/* As many names as one listing may have by default take less than they may. */
static void test_size(void **state)
{
    enum { COUNT = 200000 };
    struct dir_pack *p = dir_pack_create();
    char name[32];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct dir_item item = { .name = name, .size = 1000000, .mtime_s = 1764000000 };

        snprintf(name, sizeof(name), "photograph-%06d.jpg", i);
        assert_int_equal(dir_pack_add(p, &item), 0);
    }
    assert_true(dir_pack_size(p) < (size_t)COUNT * 44);
    dir_pack_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
