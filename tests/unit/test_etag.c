/* test_etag.c: tags of files, and lists of tags. */
#include "http/etag.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { NOW = 2000000000 };

static const struct file_meta meta = { .dev = 1,
                                       .ino = 0x1234,
                                       .size = 0xabc,
                                       .mtime_s = 0x5f000000,
                                       .mtime_ns = 0x123,
                                       .ctime_s = 0x5f000001,
                                       .ctime_ns = 0x456 };

static void assert_etag(const struct file_meta *of, enum coding coding, const char *want)
{
    char text[HTTP_ETAG_MAX];
    size_t len = http_etag_inode(of, coding, 0, NOW, text);

    if (!span_eq(span_make(text, len), span_str(want)))
        fail_msg("%.*s instead of %s", (int)len, text, want);
}

static void test_format(void **state)
{
    (void)state;
    struct file_meta m = meta;

    assert_etag(&meta, CODING_IDENTITY, "\"1234-abc-5f000000.123-5f000001.456\"");
    assert_etag(&meta, CODING_GZIP, "\"1234-abc-5f000000.123-5f000001.456-gz\"");
    assert_etag(&meta, CODING_BR, "\"1234-abc-5f000000.123-5f000001.456-br\"");
    assert_etag(&meta, CODING_ZSTD, "\"1234-abc-5f000000.123-5f000001.456-zst\"");
    m.size = m.ino = 0;
    m.mtime_ns = m.ctime_ns = 0;
    m.ctime_s = 0;
    assert_etag(&m, CODING_IDENTITY, "\"0-0-5f000000.0-0.0\"");

    /* The largest of everything fits. */
    char text[HTTP_ETAG_MAX];
    m = (struct file_meta){ .ino = UINT64_MAX,
                            .size = UINT64_MAX,
                            .mtime_s = INT64_MAX,
                            .mtime_ns = -1,
                            .ctime_s = -1,
                            .ctime_ns = -1 };
    size_t len = http_etag_inode(&m, CODING_ZSTD, 0xffff, INT64_MAX, text);
    static const char want[] = "\"ffffffffffffffff-ffffffffffffffff-7fffffffffffffff.ffffffff-"
                               "ffffffffffffffff.ffffffff-zstffff\"";
    assert_true(span_eq(span_make(text, len), SPAN_LIT(want)));
}

static void assert_portable(int64_t now_s, int32_t mtime_ns, enum coding coding, uint16_t recipe,
                            const char *want)
{
    char text[HTTP_ETAG_MAX];
    struct file_meta of = meta;

    of.mtime_ns = mtime_ns;
    size_t len = http_etag_portable(&of, coding, recipe, now_s, text);

    if (!span_eq(span_make(text, len), span_str(want)))
        fail_msg("%.*s instead of %s", (int)len, text, want);
}

/* Size and mtime alone; weak, and another one, for as long as a change might leave both. */
static void test_portable(void **state)
{
    (void)state;
    assert_portable(NOW, 0x123, CODING_IDENTITY, 0, "\"5f000000.123-abc\"");
    assert_portable(NOW, 0, CODING_IDENTITY, 0, "\"5f000000-abc\"");
    assert_portable(NOW, 0, CODING_BR, 0x12, "\"5f000000-abc-br12\"");
    assert_portable(0x5f000000, 0x123, CODING_IDENTITY, 0, "W/\"~5f000000.123-abc\"");
    assert_portable(0x5f000001, 0, CODING_GZIP, 0, "W/\"~5f000000-abc-gz\"");
    assert_portable(0x5f000002, 0, CODING_IDENTITY, 0, "\"5f000000-abc\"");
    assert_portable(0x5effffff, 0, CODING_IDENTITY, 0, ""); /* of the future: no validator */
}

/* Neither an inode nor times have a part in it. */
static void test_content(void **state)
{
    (void)state;
    static const uint8_t hash[] = { 0x01, 0xab, 0xff };
    char text[HTTP_ETAG_MAX];
    size_t len = http_etag_content(hash, sizeof(hash), CODING_IDENTITY, 0, text);

    assert_true(span_eq(span_make(text, len), SPAN_LIT("\"01abff\"")));
    len = http_etag_content(hash, sizeof(hash), CODING_ZSTD, 0x12, text);
    assert_true(span_eq(span_make(text, len), SPAN_LIT("\"01abff-zst12\"")));
    len = http_etag_content(hash, sizeof(hash), CODING_IDENTITY, 0xffff, text);
    assert_true(span_eq(span_make(text, len), SPAN_LIT("\"01abff-idffff\"")));
}

/* Each of the numbers, and the coding, makes another tag; the device does not. */
static void test_format_tells_apart(void **state)
{
    (void)state;
    struct file_meta other[] = { meta, meta, meta, meta, meta, meta };
    char a[HTTP_ETAG_MAX], b[HTTP_ETAG_MAX];
    size_t a_len = http_etag_inode(&meta, CODING_IDENTITY, 0, NOW, a);

    other[0].ino++;
    other[1].size++;
    other[2].mtime_s++;
    other[3].mtime_ns++;
    other[4].ctime_s++;
    other[5].ctime_ns++;
    for (size_t i = 0; i < ARRAY_LEN(other); i++) {
        size_t b_len = http_etag_inode(&other[i], CODING_IDENTITY, 0, NOW, b);
        assert_false(span_eq(span_make(a, a_len), span_make(b, b_len)));
    }
}

static void test_format_without_validator(void **state)
{
    (void)state;
    static const struct {
        int64_t mtime_s;
        bool has;
    } rows[] = {
        { INT64_MIN, false }, { -1, false }, { 0, false },       { 1, false },         { 2, true },
        { NOW - 1, true },    { NOW, true }, { NOW + 1, false }, { INT64_MAX, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct file_meta m = meta;
        char text[HTTP_ETAG_MAX] = "untouched";

        m.mtime_s = rows[i].mtime_s;
        assert_int_equal(http_etag_dated(&m, NOW), rows[i].has);
        assert_int_equal(http_etag_inode(&m, CODING_IDENTITY, 0, NOW, text) > 0, rows[i].has);
        if (!rows[i].has)
            assert_string_equal(text, "untouched");
    }
}

enum { NEITHER = 0, WEAK = 1, BOTH = 3 };

static void test_list(void **state)
{
    (void)state;
    static const struct {
        const char *list, *etag;
        int matches;
    } rows[] = {
        /* RFC 9110 section 8.8.3.2 */
        { "W/\"1\"", "W/\"1\"", WEAK },
        { "W/\"1\"", "W/\"2\"", NEITHER },
        { "W/\"1\"", "\"1\"", WEAK },
        { "\"1\"", "W/\"1\"", WEAK },
        { "\"1\"", "\"1\"", BOTH },
        /* RFC 9110 sections 13.1.1 and 13.1.2 */
        { "\"xyzzy\"", "\"xyzzy\"", BOTH },
        { "\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"xyzzy\"", BOTH },
        { "\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"r2d2xxxx\"", BOTH },
        { "\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"c3piozzzz\"", BOTH },
        { "\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"c3pio\"", NEITHER },
        { "W/\"xyzzy\", W/\"r2d2xxxx\", W/\"c3piozzzz\"", "\"c3piozzzz\"", WEAK },
        { "W/\"a\", \"a\"", "\"a\"", BOTH },
        { "*", "\"xyzzy\"", BOTH },
        { "*", "", BOTH },
        { " * ", "", BOTH },
        /* no tag at all */
        { "\"a\"", "", NEITHER },
        { "\"\"", "", NEITHER },
        { "", "\"a\"", NEITHER },
        { "", "", NEITHER },
        { "\"\"", "\"\"", BOTH },
        /* blanks and empty elements */
        { "\"a\",\"b\"", "\"b\"", BOTH },
        { "\"a\" ,\"b\"", "\"b\"", BOTH },
        { "\"a\"\t,\t \"b\"", "\"b\"", BOTH },
        { " \t\"a\" \t", "\"a\"", BOTH },
        { ",\"a\"", "\"a\"", BOTH },
        { ", ,\"a\",, ,", "\"a\"", BOTH },
        { "\"a\",,,\"b\"", "\"b\"", BOTH },
        { ",", "\"a\"", NEITHER },
        { " , , ", "\"a\"", NEITHER },
        /* commas, blanks of other kinds and obs-text within quotes */
        { "\"a,b\"", "\"a,b\"", BOTH },
        { "\"a,b\"", "\"a\"", NEITHER },
        { "\"x,\",\"y\"", "\"y\"", BOTH },
        { "\",\",\",\"", "\",\"", BOTH },
        { "\"a,\\\"", "\"a,\\\"", BOTH }, /* a backslash escapes nothing */
        { "\"\xe4\xff\x80\"", "\"\xe4\xff\x80\"", BOTH },
        { "\"\xe4\"", "\"\xc4\"", NEITHER },
        { "\"W/\"", "\"W/\"", BOTH },
        { "\"*\"", "\"*\"", BOTH },
        { "\"*\"", "\"a\"", NEITHER },
        { "\"!#~\"", "\"!#~\"", BOTH },
        { "\"A\"", "\"a\"", NEITHER },
        { "\"a\"", "\"ab\"", NEITHER },
        { "\"ab\"", "\"a\"", NEITHER },
        /* malformed: what stood before the fault counts */
        { "a", "\"a\"", NEITHER },
        { "\"a", "\"a\"", NEITHER },
        { "a\"", "\"a\"", NEITHER },
        { "\"", "\"\"", NEITHER },
        { "W/", "\"\"", NEITHER },
        { "W/a", "\"a\"", NEITHER },
        { "w/\"a\"", "\"a\"", NEITHER },
        { "W \"a\"", "\"a\"", NEITHER },
        { "W/ \"a\"", "\"a\"", NEITHER },
        { "W\"a\"", "\"a\"", NEITHER },
        { "'a'", "\"a\"", NEITHER },
        { "\"a b\"", "\"a b\"", NEITHER },
        { "\"a\tb\"", "\"a\tb\"", NEITHER },
        { "\"a\x7f\"", "\"a\x7f\"", NEITHER },
        { "\"a\x01\"", "\"a\x01\"", NEITHER },
        { "\"a\", x, \"b\"", "\"a\"", BOTH },
        { "\"a\", x, \"b\"", "\"b\"", NEITHER },
        { "\"a\" \"b\"", "\"a\"", BOTH },
        { "\"a\" \"b\"", "\"b\"", NEITHER },
        { "\"a\"\"b\"", "\"b\"", NEITHER },
        { "\"a\";\"b\"", "\"b\"", NEITHER },
        { "\"a\", \"b", "\"a\"", BOTH },
        { "\"x\", \"a", "\"a\"", NEITHER },
        { "**", "\"a\"", NEITHER },
        { "*, \"a\"", "\"a\"", NEITHER },
        { "\"a\", *", "\"a\"", BOTH },
        { "\"a\", *", "\"b\"", NEITHER },
        { "*,", "\"a\"", NEITHER },
        { "W/*", "\"a\"", NEITHER },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span list = span_str(rows[i].list), etag = span_str(rows[i].etag);

        if (http_etag_list_matches(list, etag, HTTP_ETAG_WEAK) != (rows[i].matches & 1))
            fail_msg("weak: %s in %s", rows[i].etag, rows[i].list);
        if (http_etag_list_matches(list, etag, HTTP_ETAG_STRONG) != rows[i].matches >> 1)
            fail_msg("strong: %s in %s", rows[i].etag, rows[i].list);
    }
    assert_false(
        http_etag_list_matches(span_make("\"a\0\"", 4), span_make("\"a\0\"", 4), HTTP_ETAG_WEAK));
}

/* A tag that was made is found in the list that a client makes of it. */
static void test_format_matches_itself(void **state)
{
    (void)state;
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        char text[16 + HTTP_ETAG_MAX] = "\"other\", ";
        size_t prefix = strlen(text);
        size_t len = http_etag_inode(&meta, coding, 0, NOW, text + prefix);

        for (enum coding other = CODING_IDENTITY; other < CODING_COUNT; other++) {
            char etag[HTTP_ETAG_MAX];
            size_t etag_len = http_etag_inode(&meta, other, 0, NOW, etag);

            assert_int_equal(http_etag_list_matches(span_make(text, prefix + len),
                                                    span_make(etag, etag_len), HTTP_ETAG_STRONG),
                             other == coding);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_portable),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_format_tells_apart),
        cmocka_unit_test(test_format_without_validator),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_format_matches_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
