/* test_listing.c: names of all kinds, written for links, for HTML and for JSON. */
#include "http/listing.c"

#include "http/env.h"
#include "http/listing_page.h"
#include "tests/unit/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct arena *pages; /* of what form_of() parses */

/* The page that is built in; parsed once. */
static struct http_listing_form form_of(enum http_listing_format format)
{
    static struct listing_page *page;
    char why[256] = "";
    int line = 0;

    if (page == NULL)
        assert_int_equal(
            listing_page_parse(
                pages,
                span_make(http_listing_page, (size_t)(http_listing_page_end - http_listing_page)),
                &page, &line, why, sizeof(why)),
            0);
    return (struct http_listing_form){ .format = format, .page = page };
}

static char *render(const struct dir_item *items, size_t count, struct span path,
                    enum http_listing_format format)
{
    struct dir_listing listing = { .items = packed(items, count), .count = count };
    const struct http_listing_form form = form_of(format);
    char *text = NULL;
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        listing.folders += items[i].is_dir;
    assert_int_equal(http_listing_render(&listing, path, &form, &text, &len), 0);
    dir_pack_free(listing.items);
    text = realloc(text, len + 1);
    assert_non_null(text);
    text[len] = '\0';
    assert_int_equal(strlen(text), len);
    return text;
}

static void assert_contains(const char *text, const char *expected)
{
    if (strstr(text, expected) == NULL)
        fail_msg("'%s' is not in:\n%s", expected, text);
}

static void assert_lacks(const char *text, const char *unexpected)
{
    if (strstr(text, unexpected) != NULL)
        fail_msg("'%s' is in:\n%s", unexpected, text);
}

#define FFFD "\xef\xbf\xbd"

static const struct {
    const char *name, *link, *html, *json;
} names[] = {
    { "plain.txt", "plain.txt", "plain.txt", "plain.txt" },
    { "AZaz09-._~", "AZaz09-._~", "AZaz09-._~", "AZaz09-._~" },
    { "a b", "a%20b", "a b", "a b" },
    { "  lead", "%20%20lead", "  lead", "  lead" },
    { "&amp;", "%26amp%3B", "&amp;amp;", "&amp;" },
    { "<script>", "%3Cscript%3E", "&lt;script&gt;", "<script>" },
    { "\"'", "%22%27", "&quot;&#39;", "\\\"'" },
    { "#?%41", "%23%3F%2541", "#?%41", "#?%41" },
    { "a%2Fb", "a%252Fb", "a%2Fb", "a%2Fb" },
    { "+", "%2B", "+", "+" },
    { "back\\", "back%5C", "back\\", "back\\\\" },
    { "javascript:alert(1)", "javascript%3Aalert%281%29", "javascript:alert(1)",
      "javascript:alert(1)" },
    { "a\nb\r\t\x01\x1f\x7f", "a%0Ab%0D%09%01%1F%7F",
      "a\xe2\x90\x8a"
      "b\xe2\x90\x8d\xe2\x90\x89\xe2\x90\x81\xe2\x90\x9f\xe2\x90\xa1",
      "a\\u000ab\\u000d\\u0009\\u0001\\u001f\\u007f" },
    { "\xc3\xbc", "%C3%BC", "\xc3\xbc", "\xc3\xbc" },
    { "\xe2\x82\xac", "%E2%82%AC", "\xe2\x82\xac", "\xe2\x82\xac" },
    { "\xf0\x9f\x98\x80", "%F0%9F%98%80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
    { "\xf4\x8f\xbf\xbf", "%F4%8F%BF%BF", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
    { "\xff<", "%FF%3C", FFFD "&lt;", FFFD "<" },
    { "\xc3", "%C3", FFFD, FFFD },
    { "\xc3<", "%C3%3C", FFFD "&lt;", FFFD "<" },
    { "\xe2\x82", "%E2%82", FFFD FFFD, FFFD FFFD },
    { "\xe2\x82\"", "%E2%82%22", FFFD FFFD "&quot;", FFFD FFFD "\\\"" },
    { "\xc0\xaf", "%C0%AF", FFFD FFFD, FFFD FFFD },                  /* overlong */
    { "\xe0\x80\xaf", "%E0%80%AF", FFFD FFFD FFFD, FFFD FFFD FFFD }, /* overlong */
    { "\xed\xa0\x80", "%ED%A0%80", FFFD FFFD FFFD, FFFD FFFD FFFD }, /* surrogate */
    { "\xf0\x8f\xbf\xbf", "%F0%8F%BF%BF", FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD },
    { "\xf4\x90\x80\x80", "%F4%90%80%80", FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD },
};

static void test_names(void **state)
{
    char expected[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct dir_item item = { .name = names[i].name, .size = 5, .mtime_s = 784111777 };
        char *html = render(&item, 1, SPAN_LIT("/"), HTTP_LISTING_HTML);
        char *json = render(&item, 1, SPAN_LIT("/"), HTTP_LISTING_JSON);

        snprintf(expected, sizeof(expected),
                 "<td><a href=\"./%s\">%s</a></td><td>5 B</td><td>1994-11-06 08:49</td></tr>\n",
                 names[i].link, names[i].html);
        assert_contains(html, expected);
        snprintf(expected, sizeof(expected),
                 "[\n{ \"name\":\"%s\", \"type\":\"file\", "
                 "\"mtime\":\"Sun, 06 Nov 1994 08:49:37 GMT\", \"size\":5 }\n]\n",
                 names[i].json);
        assert_string_equal(json, expected);
        free(html);
        free(json);
    }
}

static void test_directories(void **state)
{
    const struct dir_item items[] = { { .name = "sub#", .size = 4096, .is_dir = true },
                                      { .name = "f", .size = UINT64_MAX } };
    char *html = render(items, 2, SPAN_LIT("/"), HTTP_LISTING_HTML);
    char *json = render(items, 2, SPAN_LIT("/"), HTTP_LISTING_JSON);

    (void)state;
    assert_contains(html, "<tr class=\"folder\"><td><a href=\"./sub%23/\">sub#/</a></td><td></td>");
    assert_contains(html, "<td title=\"18446744073709551615 bytes\">16 EiB</td>");
    assert_string_equal(json, "[\n{ \"name\":\"sub#\", \"type\":\"directory\", "
                              "\"mtime\":\"Thu, 01 Jan 1970 00:00:00 GMT\" },\n"
                              "{ \"name\":\"f\", \"type\":\"file\", "
                              "\"mtime\":\"Thu, 01 Jan 1970 00:00:00 GMT\", "
                              "\"size\":18446744073709551615 }\n]\n");
    free(html);
    free(json);
}

static void test_empty(void **state)
{
    char *html = render(NULL, 0, SPAN_LIT("/"), HTTP_LISTING_HTML);
    char *json = render(NULL, 0, SPAN_LIT("/"), HTTP_LISTING_JSON);

    (void)state;
    assert_int_equal(strncmp(html, "<!DOCTYPE html>\n", 16), 0);
    assert_contains(html, "<meta charset=\"utf-8\">");
    assert_contains(html, "<meta name=\"viewport\"");
    assert_contains(html, "prefers-color-scheme:dark");
    assert_contains(html, "<title>Index of /</title>");
    assert_contains(html, "This folder is empty.");
    assert_lacks(html, "<a ");
    assert_lacks(html, "src=");
    assert_lacks(html, "{{");
    assert_string_equal(json, "[\n]\n");
    free(html);
    free(json);
}

static void test_path(void **state)
{
    char *html = render(NULL, 0, SPAN_LIT("/a&<b>\xff/"), HTTP_LISTING_HTML);

    (void)state;
    assert_contains(html, "<title>Index of /a&amp;&lt;b&gt;" FFFD "/</title>");
    assert_contains(html, "<h1><a href=\"../\">/</a>a&amp;&lt;b&gt;" FFFD "/</h1>");
    assert_contains(html, "<a href=\"../\">../</a>");
    free(html);
}

static void test_dates(void **state)
{
    static const struct {
        int64_t mtime_s;
        const char *html;
    } cases[] = {
        { 0, "<td>1970-01-01 00:00</td>" },
        { -1, "<td>1969-12-31 23:59</td>" },
        { 4102444800, "<td>2100-01-01 00:00</td>" },
        { INT64_C(253402300799), "<td>9999-12-31 23:59</td>" },
        { INT64_C(253402300799) + 1, "<td>9999-12-31 23:59</td>" },
        { INT64_MAX, "<td>9999-12-31 23:59</td>" },
        { INT64_C(-62135596800), "<td>0001-01-01 00:00</td>" },
        { INT64_MIN, "<td>0001-01-01 00:00</td>" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dir_item item = { .name = "f", .mtime_s = cases[i].mtime_s };
        char *html = render(&item, 1, SPAN_LIT("/"), HTTP_LISTING_HTML);

        assert_contains(html, cases[i].html);
        free(html);
    }
}

static void test_many(void **state)
{
    enum { COUNT = 100000 };
    struct dir_item *items = calloc(COUNT, sizeof(*items));
    size_t rows = 0;
    char *html;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        items[i].name = "name";
    html = render(items, COUNT, SPAN_LIT("/"), HTTP_LISTING_HTML);
    /* Not strstr(3) or memmem(3): under the sanitizers they look at the whole rest each time. */
    static const char link[] = "href=\"./name\"";
    for (const char *at = html; *at != '\0'; at++)
        if (*at == link[0] && strncmp(at, link, sizeof(link) - 1) == 0)
            rows++;
    assert_int_equal(rows, COUNT);
    free(html);
    free(items);
}

/* Pieces of any size make the same text, and it is as long as was counted. */
static void check_pieces(const struct dir_item *items, size_t count,
                         enum http_listing_format format)
{
    /* Characters and line ends at all places of a chunk. */
    enum { README_LEN = 3 * HTTP_LISTING_CHUNK + 7 };
    static char readme[README_LEN];
    const struct http_listing_form form = form_of(format);
    struct dir_listing listing = { .items = packed(items, count),
                                   .count = count,
                                   .readme = readme,
                                   .readme_len = README_LEN,
                                   .readme_name = "README" };
    char *whole = NULL, *at, *mem = malloc(HTTP_READ_SIZE);
    size_t len, total = 5;

    for (size_t i = 0; i < README_LEN; i++)
        readme[i] = "\xe2\x82\xac\r\n<\xff\r\r\n"[i % 10];
    assert_int_equal(http_listing_render(&listing, SPAN_LIT("/d/"), &form, &whole, &len), 0);
    for (size_t size = HTTP_LISTING_PIECE_MIN; size <= HTTP_READ_SIZE; size += 9999) {
        struct http_listing *l = http_listing_create(SPAN_LIT("/d/"), &form, &total);
        struct file_source *source = http_listing_source(l);
        struct dir_listing *found = calloc(1, sizeof(*found));
        int n;

        found->count = count;
        found->items = packed(items, count);
        found->readme = malloc(README_LEN);
        memcpy(found->readme, readme, README_LEN);
        found->readme_len = README_LEN;
        found->readme_name = "README";
        http_listing_fill(l, found);
        http_listing_charge(l, 100);
        assert_int_equal(total, 105);
        while ((n = source->read(source, NULL, 0)) == 1)
            ;
        assert_int_equal(n, 0);
        assert_int_equal(http_listing_len(l), len);
        for (at = whole; (n = source->read(source, mem, size)) > 0; at += n) {
            assert_true((size_t)n <= size);
            assert_memory_equal(mem, at, (size_t)n);
        }
        assert_int_equal(at - whole, len);
        http_listing_free(l);
        assert_int_equal(total, 5);
    }
    dir_pack_free(listing.items);
    free(mem);
    free(whole);
}

static void test_pieces(void **state)
{
    enum { COUNT = 20000 };
    struct dir_item *items = calloc(COUNT, sizeof(*items));

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        items[i] = (struct dir_item){ .name = i % 7 == 0 ? "<<<<<<<<<<<<<<\xff" : "name",
                                      .size = i * i,
                                      .is_dir = i < 10,
                                      .forbidden = i % 11 == 0 };
    for (size_t count = 0; count <= COUNT; count = count * 4 + 1) {
        check_pieces(items, count, HTTP_LISTING_HTML);
        check_pieces(items, count, HTTP_LISTING_JSON);
    }
    free(items);
}

static void test_sizes(void **state)
{
    static const struct {
        uint64_t size;
        const char *text;
    } cases[] = {
        { 0, "0 B" },
        { 1023, "1023 B" },
        { 1024, "1.0 KiB" },
        { 1234, "1.2 KiB" },
        { 10188, "9.9 KiB" },
        { 10189, "10 KiB" },
        { 1024 * 1023, "1023 KiB" },
        { 1024 * 1024 - 1, "1.0 MiB" },
        { 1024 * 1024, "1.0 MiB" },
        { UINT64_C(20) << 30, "20 GiB" },
        { UINT64_MAX, "16 EiB" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listing_text t = { .kind = LISTING_GROWS };

        listing_put_size(&t, cases[i].size);
        listing_put(&t, "", 1);
        assert_string_equal(t.ptr, cases[i].text);
        free(t.ptr);
    }
}

static void test_crumbs(void **state)
{
    char *html = render(NULL, 0, SPAN_LIT("/a/b c/d/"), HTTP_LISTING_HTML);
    char path[2 * 40 + 2] = "/";

    (void)state;
    assert_contains(html, "<h1><a href=\"../../../\">/</a><a href=\"../../\">a/</a>"
                          "<a href=\"../\">b c/</a>d/</h1>");
    free(html);
    for (size_t i = 0; i < 40; i++)
        memcpy(path + 1 + 2 * i, i == 39 ? "z/" : "a/", 2);
    html = render(NULL, 0, span_make(path, 81), HTTP_LISTING_HTML);
    assert_contains(html, "<a href=\"../../../../../\">a/</a>");
    assert_contains(html, "z/</h1>");
    free(html);
}

/* The end of a line and each kind of octet, as text. */
static void test_readme(void **state)
{
    static char text[] = "# <b>\r\n\tx\x01\xff\ry\n";
    struct dir_listing listing = { .readme = text,
                                   .readme_len = sizeof(text) - 1,
                                   .readme_name = "README&" };
    struct http_listing_form form = form_of(HTTP_LISTING_HTML);
    char *html = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(http_listing_render(&listing, SPAN_LIT("/"), &form, &html, &len), 0);
    html = realloc(html, len + 1);
    html[len] = '\0';
    assert_contains(html, "<h2>README&amp;</h2>\n<pre>\n# &lt;b&gt;\n\tx\xe2\x90\x81" FFFD
                          "\xe2\x90\x8dy\n</pre>");
    free(html);
}

static int set_up(void **state)
{
    (void)state;
    pages = arena_create();
    return pages != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(pages);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),  cmocka_unit_test(test_directories),
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_path),
        cmocka_unit_test(test_dates),  cmocka_unit_test(test_many),
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_crumbs), cmocka_unit_test(test_readme),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
