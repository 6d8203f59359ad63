/* fuzz_listing.c: the renderer of listings against any names, any path, any size and date.
 *
 * Input: a line that is the path, then items of one flag octet, 8 octets of size, 8 of mtime, a
 * name and a NUL. HTML: the markup is that of the same listing with harmless names, and each link
 * decodes to its name. JSON: a strict parser of nginx's shape accepts it. Both are UTF-8. */
#include "http/listing.c"

#include "core/utf8.h"
#include "tests/unit/packed.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* What the page that is built in does with what others have chosen, without its script. */
static const char page_text[] =
    "<title>{{path}}</title>{{#parent}}<a href=\"../\">../</a>{{/parent}}{{#entries}}"
    "<tr class=\"{{kind}}\"><td><a href=\"{{href}}\">{{name}}</a></td>"
    "<td{{#rounded}} title=\"{{bytes}} bytes\"{{/rounded}}>{{size}}</td>"
    "<td>{{modified}}<time datetime=\"{{modified_iso}}\"></td></tr>\n{{/entries}}"
    "<h2>{{readme_name}}</h2><pre>{{readme}}</pre><p title=\"{{path}}\">{{summary}}</p>";

static struct arena *page_arena;

static void free_page(void)
{
    arena_destroy(page_arena);
}

/* Made once, and freed at the end of the process. */
static struct http_listing_form form_of(enum http_listing_format format)
{
    static struct listing_page *page;
    char why[256];
    int line;

    if (page == NULL) {
        page_arena = arena_create();
        CHECK(page_arena != NULL && atexit(free_page) == 0);
        CHECK(listing_page_parse(page_arena, span_str(page_text), &page, &line, why, sizeof(why)) ==
              0);
    }
    return (struct http_listing_form){ .format = format, .page = page };
}

enum { ITEMS_MAX = 64, ITEM_HEAD = 17 };

/* --- JSON --------------------------------------------------------------------------------------
 */

struct parser {
    const char *at, *end;
};

static void expect(struct parser *p, const char *text)
{
    size_t len = strlen(text);

    CHECK((size_t)(p->end - p->at) >= len && memcmp(p->at, text, len) == 0);
    p->at += len;
}

static bool accepts(struct parser *p, char c)
{
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

/* A string of RFC 8259 section 7, as it was before escaping, into `ret_text`. */
static size_t parse_string(struct parser *p, char *ret_text, size_t size)
{
    size_t len = 0;

    expect(p, "\"");
    while (!accepts(p, '"')) {
        char c;

        CHECK(p->at < p->end && (unsigned char)*p->at >= 0x20 && len < size);
        c = *p->at++;
        if (c == '\\') {
            CHECK(p->at < p->end);
            c = *p->at++;
            CHECK(c == '"' || c == '\\' || c == 'u');
            if (c == 'u') {
                unsigned code = 0;

                CHECK(p->end - p->at >= 4);
                CHECK(sscanf((char[]){ p->at[0], p->at[1], p->at[2], p->at[3], 0 }, "%4x", &code) ==
                      1);
                CHECK(code < 0x80);
                p->at += 4;
                c = (char)code;
            }
        }
        ret_text[len++] = c;
    }
    return len;
}

/* `name` with U+FFFD for each octet that is not UTF-8. */
static size_t expected_name(const char *name, char *ret_text)
{
    size_t len = 0;

    for (size_t left = strlen(name); left > 0;) {
        size_t n = utf8_char_len(span_make(name, left));

        memcpy(ret_text + len, n > 0 ? name : replacement, n > 0 ? n : 3);
        len += n > 0 ? n : 3;
        n = n > 0 ? n : 1;
        name += n;
        left -= n;
    }
    return len;
}

static void check_json(const struct dir_listing *listing, const char *text, size_t len)
{
    struct parser p = { text, text + len };
    static char name[1 << 16], wanted[1 << 18];

    expect(&p, "[\n");
    for (size_t i = 0; i < listing->count; i++) {
        const struct dir_item kept = dir_listing_item(listing, i);
        const struct dir_item *item = &kept;
        size_t name_len;

        expect(&p, "{ \"name\":");
        name_len = parse_string(&p, name, sizeof(name));
        CHECK(name_len == expected_name(item->name, wanted) && memcmp(name, wanted, name_len) == 0);
        expect(&p, item->is_dir ? ", \"type\":\"directory\"" : ", \"type\":\"file\"");
        if (!item->forbidden) {
            expect(&p, ", \"mtime\":");
            CHECK(parse_string(&p, name, sizeof(name)) == HTTP_DATE_LEN);
        }
        if (!item->is_dir && !item->forbidden) {
            char digits[32];

            snprintf(digits, sizeof(digits), ", \"size\":%" PRIu64, item->size);
            expect(&p, digits);
        }
        expect(&p, i + 1 < listing->count ? " },\n" : " }\n");
    }
    expect(&p, "]\n");
    CHECK(p.at == p.end);
}

/* --- HTML --------------------------------------------------------------------------------------
 */

/* Only markup: what is between '<' and '>' without the values of href. Returns its length. */
static size_t skeleton(const char *text, size_t len, char *ret_text)
{
    size_t out = 0;
    bool in_tag = false;
    bool in_value = false;

    for (size_t i = 0; i < len; i++) {
        CHECK(!(in_tag && text[i] == '<'));
        if (text[i] == '<')
            in_tag = true;
        if (in_tag && (!in_value || text[i] == '"'))
            ret_text[out++] = text[i];
        if (in_tag && text[i] == '"')
            in_value = !in_value;
        if (text[i] == '>' && in_tag && !in_value)
            in_tag = false;
    }
    CHECK(!in_tag && !in_value);
    return out;
}

static int hex_value(char c)
{
    CHECK((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

static void check_links(const struct dir_listing *listing, const char *text, size_t len)
{
    static const char start[] = "<a href=\"./";
    const char *at = text;
    const char *end = text + len;

    for (size_t i = 0; i < listing->count; i++) {
        const struct dir_item item = dir_listing_item(listing, i);
        const char *name = item.name;

        at = memmem(at, (size_t)(end - at), start, sizeof(start) - 1);
        CHECK(at != NULL);
        at += sizeof(start) - 1;
        for (; *name != '\0'; name++) {
            char c = *at++;

            if (c == '%') {
                c = (char)(hex_value(at[0]) << 4 | hex_value(at[1]));
                at += 2;
            } else {
                CHECK(strchr("\"'<>&#?:/\\ ", c) == NULL && (signed char)c > 0x20);
            }
            CHECK(c == *name);
        }
        CHECK(!item.is_dir || *at++ == '/');
        CHECK(*at == '"');
    }
    CHECK(memmem(at, (size_t)(end - at), start, sizeof(start) - 1) == NULL);
}

static void check_utf8(const char *text, size_t len)
{
    while (len > 0) {
        size_t n = utf8_char_len(span_make(text, len));

        CHECK(n > 0);
        CHECK(n > 1 || *text == '\n' || *text == '\t' || (unsigned char)*text >= 0x20);
        text += n;
        len -= n;
    }
}

static void check_html(const struct dir_listing *listing, struct span path, const char *text,
                       size_t len)
{
    struct dir_item items[ITEMS_MAX];
    static char text_a[] = "a";
    struct dir_listing harmless = {
        .count = listing->count, .readme = text_a, .readme_len = 1, .readme_name = "a"
    };
    const struct http_listing_form form = form_of(HTTP_LISTING_HTML);
    char *other, *bones, *other_bones;
    size_t other_len, bones_len;

    check_links(listing, text, len);
    for (size_t i = 0; i < listing->count; i++) {
        items[i] = dir_listing_item(listing, i);
        items[i].name = "a";
    }
    harmless.items = packed(items, harmless.count);
    CHECK(http_listing_render(&harmless, span_eq(path, SPAN_LIT("/")) ? path : SPAN_LIT("/a/"),
                              &form, &other, &other_len) == 0);
    bones = malloc(len);
    other_bones = malloc(other_len);
    CHECK(bones != NULL && other_bones != NULL);
    bones_len = skeleton(text, len, bones);
    CHECK(bones_len == skeleton(other, other_len, other_bones));
    CHECK(memcmp(bones, other_bones, bones_len) == 0);
    free(bones);
    free(other_bones);
    dir_pack_free(harmless.items);
    free(other);
}

/* --- input -------------------------------------------------------------------------------------
 */

/* One item; false at the end of the input. Its name lies in the input. */
static bool next_item(char **data, size_t *size, struct dir_item *ret_item)
{
    char *name = *data + ITEM_HEAD;
    char *end;

    if (*size < ITEM_HEAD + 2)
        return false;
    end = memchr(name, '\0', *size - ITEM_HEAD);
    if (end == NULL || end == name || end - name > NAME_MAX)
        return false;
    ret_item->is_dir = **data & 1;
    ret_item->forbidden = **data & 2;
    memcpy(&ret_item->size, *data + 1, 8);
    memcpy(&ret_item->mtime_s, *data + 9, 8);
    ret_item->name = name;
    for (char *slash = name; (slash = strchr(slash, '/')) != NULL;)
        *slash = '\\';
    *size -= (size_t)(end + 1 - *data);
    *data = end + 1;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dir_item items[ITEMS_MAX];
    struct dir_listing listing = { 0 };
    char *copy, *at, *end, *text;
    const struct http_listing_form html = form_of(HTTP_LISTING_HTML);
    const struct http_listing_form json = form_of(HTTP_LISTING_JSON);
    struct span path;
    size_t left, len;

    if (size == 0 || size > 1 << 15)
        return 0;
    copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    end = memchr(copy, '\n', size);
    path = span_make(copy, end != NULL ? (size_t)(end - copy) : size);
    at = copy + path.len + (end != NULL);
    left = size - path.len - (end != NULL);
    while (listing.count < ITEMS_MAX && next_item(&at, &left, &items[listing.count]))
        listing.count++;

    listing.items = packed(items, listing.count);
    listing.readme = copy;
    listing.readme_len = path.len;
    listing.readme_name = listing.count > 0 ? items[0].name : "";
    CHECK(http_listing_render(&listing, path, &html, &text, &len) == 0);
    check_utf8(text, len);
    check_html(&listing, path, text, len);
    free(text);
    CHECK(http_listing_render(&listing, path, &json, &text, &len) == 0);
    check_utf8(text, len);
    check_json(&listing, text, len);
    free(text);
    dir_pack_free(listing.items);
    free(copy);
    return 0;
}
