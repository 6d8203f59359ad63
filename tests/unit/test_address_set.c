/* test_address_set.c: which addresses a list of networks holds, held against a naive comparison of
 * bits. */
#include "core/address_set.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXTS_MAX = 40 };

static struct arena *arena;

static struct address_set make(const char *const *texts, size_t count)
{
    char *copies[TEXTS_MAX];
    struct address_set set;

    assert_true(count <= TEXTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (address_range_check(texts[i]) != NULL)
            fail_msg("\"%s\" %s", texts[i], address_range_check(texts[i]));
        copies[i] = arena_strdup(arena, texts[i]);
    }
    assert_int_equal(address_set_make(arena, copies, count, &set), 0);
    return set;
}

static struct peer peer_of(const char *text)
{
    struct peer peer = { .family = PEER_UNIX };

    if (strcmp(text, "unix:") != 0 && !peer_parse(span_str(text), &peer))
        fail_msg("%s", text);
    return peer;
}

static void test_elements(void **state)
{
    (void)state;
    static const struct {
        const char *element, *inside[3], *outside[4];
    } rows[] = {
        { "192.0.2.1", { "192.0.2.1", "::ffff:192.0.2.1" }, { "192.0.2.0", "192.0.2.2", "unix:" } },
        { "10.0.0.0/8",
          { "10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3" },
          { "9.255.255.255", "11.0.0.0", "::10.1.2.3", "a00::" } },
        { "0.0.0.0/0", { "0.0.0.0", "255.255.255.255" }, { "::", "::1", "unix:" } },
        { "::/0", { "::", "::1", "ffff::" }, { "1.2.3.4", "::ffff:1.2.3.4", "unix:" } },
        { "2001:db8::/33",
          { "2001:db8::", "2001:db8:7fff::1" },
          { "2001:db8:8000::", "2001:db7:ffff::", "1.2.3.4" } },
        { "2001:db8::1/128", { "2001:db8::1" }, { "2001:db8::", "2001:db8::2" } },
        { "127.0.0.1/32", { "127.0.0.1" }, { "127.0.0.0", "127.0.0.2" } },
        { "192.0.2.128/25", { "192.0.2.128", "192.0.2.255" }, { "192.0.2.127", "192.0.3.0" } },
        { "::ffff:10.0.0.0/104", { "10.1.2.3" }, { "11.1.2.3", "::1" } },
        { "unix:", { "unix:" }, { "0.0.0.0", "::", "127.0.0.1" } },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address_set set = make(&rows[i].element, 1);
        for (size_t j = 0; j < 3 && rows[i].inside[j] != NULL; j++) {
            struct peer peer = peer_of(rows[i].inside[j]);
            if (!address_set_has(&set, &peer))
                fail_msg("%s does not hold %s", rows[i].element, rows[i].inside[j]);
        }
        for (size_t j = 0; j < 4 && rows[i].outside[j] != NULL; j++) {
            struct peer peer = peer_of(rows[i].outside[j]);
            if (address_set_has(&set, &peer))
                fail_msg("%s holds %s", rows[i].element, rows[i].outside[j]);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "localhost",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/x",
        "10.0.0.1/8",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8 ",
        "::/129",
        "2001:db8::1/64",
        "[::1]",
        "::1%lo",
        "1.2.3.4:80",
        "unix",
        "unix:/a",
        "::ffff:0:0/95",
        "/8",
        "10.0.0.0/8/8",
        "*",
        "all",
        "10.0.0.0/1000",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (address_range_check(rows[i]) == NULL)
            fail_msg("\"%s\" is accepted", rows[i]);
}

static void test_empty(void **state)
{
    (void)state;
    struct address_set set = make(NULL, 0);
    struct peer peer = peer_of("127.0.0.1");

    assert_false(address_set_has(&set, &peer));
    peer = peer_of("unix:");
    assert_false(address_set_has(&set, &peer));
    assert_false(address_set_has(&(struct address_set){ 0 }, &peer));
}

/* Networks of few bits in few octets, so that they overlap and touch in every way. */
static void test_against_bits(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        char texts[TEXTS_MAX][32];
        const char *list[TEXTS_MAX];
        unsigned bases[TEXTS_MAX], bits[TEXTS_MAX];
        size_t count = (size_t)rand() % TEXTS_MAX;

        for (size_t i = 0; i < count; i++) {
            bits[i] = 24 + (unsigned)rand() % 9;
            bases[i] = (unsigned)rand() % 256 & ~((1u << (32 - bits[i])) - 1);
            snprintf(texts[i], sizeof(texts[i]), "192.0.2.%u/%u", bases[i], bits[i]);
            list[i] = texts[i];
        }
        struct address_set set = make(list, count);
        for (size_t i = 1; i < set.ipv4_count; i++)
            assert_true(set.ipv4[i - 1] < set.ipv4[i]);
        for (unsigned octet = 0; octet < 256; octet++) {
            struct peer peer = { PEER_IPV4, { 192, 0, 2, (uint8_t)octet }, 80 };
            bool want = false;
            for (size_t i = 0; i < count; i++)
                want |= octet >> (32 - bits[i]) == bases[i] >> (32 - bits[i]);
            assert_int_equal(address_set_has(&set, &peer), want);
        }
    }
}

/* Likewise, of elements that include and exclude, at both ends of both families: the smallest one
 * that holds an address decides. */
static void test_smallest_decides(void **state)
{
    (void)state;
    static const char *const ends[] = { "0.0.0.0", "255.255.255.0", "::",
                                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00" };
    srand(2);
    for (int round = 0; round < 2000; round++) {
        struct peer end = peer_of(ends[round % 4]);
        unsigned width = end.family == PEER_IPV4 ? 32 : 128, at = width / 8 - 1;
        unsigned bases[TEXTS_MAX], bits[TEXTS_MAX];
        bool excluded[TEXTS_MAX], rest = rand() % 2 != 0;
        size_t count = (size_t)rand() % TEXTS_MAX;
        struct address_list list = { 0 };
        struct address_set set;

        for (size_t i = 0; i < count; i++) {
            struct peer first = end;
            struct address_range range;
            char text[PEER_TEXT_MAX + 8];

            bits[i] = (unsigned)rand() % 9;
            bases[i] = (unsigned)rand() % 256 & ~((1u << (8 - bits[i])) - 1);
            excluded[i] = rand() % 2 != 0;
            first.addr[at] = (uint8_t)bases[i];
            size_t len = peer_format(&first, text);
            snprintf(text + len, sizeof(text) - len, "/%u", width - 8 + bits[i]);
            assert_null(address_range_parse(span_str(text), &range));
            range.excluded = excluded[i];
            assert_int_equal(address_list_add(&list, &range), 0);
        }
        assert_int_equal(address_list_make_set(&list, rest, arena, &set), 0);
        for (unsigned octet = 0; octet < 256; octet++) {
            struct peer peer = end;
            bool want = rest;
            int best = -1;

            peer.addr[at] = (uint8_t)octet;
            for (size_t i = 0; i < count; i++) {
                if (octet >> (8 - bits[i]) != bases[i] >> (8 - bits[i]) || (int)bits[i] < best)
                    continue;
                want = (int)bits[i] == best ? want && !excluded[i] : !excluded[i];
                best = (int)bits[i];
            }
            assert_int_equal(address_set_has(&set, &peer), want);
        }
        struct peer other = peer_of(width == 32 ? "2001:db8::" : "192.0.2.1");
        assert_int_equal(address_set_has(&set, &other), rest);
        other = peer_of("unix:");
        assert_int_equal(address_set_has(&set, &other), rest);
        address_list_free(&list);
    }
}

/* A list as they are published: each single one of its addresses is found, and its neighbours are
 * not. */
static void test_hundred_thousand(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct address_list list = { 0 };
    struct address_set set;

    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t number = i * 2 * 7919; /* even, and no two the same */
        struct address_range range = { { 0, number }, { 0, number }, PEER_IPV4, false };
        assert_int_equal(address_list_add(&list, &range), 0);
    }
    assert_int_equal(address_list_make_set(&list, false, arena, &set), 0);
    assert_int_equal(set.ipv4_count, 2 * COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        for (uint32_t odd = 0; odd < 2; odd++) {
            uint32_t number = htobe32(i * 2 * 7919 + odd);
            struct peer peer = { .family = PEER_IPV4 };
            memcpy(peer.addr, &number, 4);
            assert_int_equal(address_set_has(&set, &peer), odd == 0);
        }
    }
    address_list_free(&list);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_against_bits),
        cmocka_unit_test(test_smallest_decides),
        cmocka_unit_test(test_hundred_thousand),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
