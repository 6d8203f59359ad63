/* test_redirect_rules.c: files as static hosts document them, and what becomes of requests. */
#include "match/redirect_rules.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const uint64_t hash_key[2] = { 7, 8 };
static struct arena *arena;
static const struct redirect_rules *rules;
static size_t left_out;       /* lines */
static const char *last_what; /* why the last of them is */
static size_t last_number;

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static void read_rules(const char *text)
{
    struct redirect_rules_maker *maker = NULL;
    struct redirect_reader reader;
    struct redirect_line line;
    int res;

    left_out = 0;
    assert_int_equal(redirect_rules_begin(arena, &maker), 0);
    redirect_reader_init(&reader, span_str(text));
    while ((res = redirect_reader_next(&reader, &line)) != 0) {
        const char *what = reader.what;

        if (res > 0)
            res = redirect_rules_add(maker, &line, &what);
        if (res < 0) {
            assert_int_equal(res, -EINVAL);
            left_out++;
            last_what = what;
            last_number = reader.number;
        }
    }
    assert_int_equal(redirect_rules_make(maker, hash_key, &rules), 0);
    redirect_rules_end(maker);
}

/* The target with its groups put in, as they are. */
static void expand(const char *target, const struct captures *captures, char *out, size_t size)
{
    size_t len = 0;

    for (; *target != '\0'; target++) {
        if (*target == '$' && target[1] >= '0' && target[1] <= '9') {
            struct span group = captures->groups[*++target - '0'];

            len += (size_t)snprintf(out + len, size - len, "%.*s", (int)group.len, group.ptr);
        } else {
            target += *target == '$';
            len += (size_t)snprintf(out + len, size - len, "%c", *target);
        }
    }
    out[len] = '\0';
}

/* "301 /new", "301! /new", or "" where no rule is for the URL. */
static void expect(const char *url, const char *expected)
{
    size_t path_len = strcspn(url, "?");
    struct span query = span_str(url[path_len] == '?' ? url + path_len + 1 : "");
    struct captures captures = { 0 };
    char scratch[64], found[300] = "", target[256];
    uint32_t index = redirect_rules_find(rules, span_make(url, path_len), query, scratch,
                                         sizeof(scratch), &captures);

    if (index != REDIRECT_RULE_NONE) {
        const struct redirect_rule *rule = redirect_rules_at(rules, index);

        expand(rule->target, &captures, target, sizeof(target));
        snprintf(found, sizeof(found), "%d%s %s", rule->status, rule->force ? "!" : "", target);
    }
    if (strcmp(found, expected) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", url, found, expected);
}

/* https://docs.netlify.com/routing/redirects/, and the pages below it. */
static void test_netlify(void **state)
{
    (void)state;
    read_rules("# Redirects from what the browser requests to what we serve\n"
               "/home              /\n"
               "/blog/my-post.php  /blog/my-post # trailing comment\n"
               "/news              /blog\n"
               "/cuties            https://www.petsofnetlify.com\n"
               "/authors/c%C3%A9line   /authors/about-c%C3%A9line\n"
               "/my-redirect       /                302\n"
               "/pass-through      /index.html      200\n"
               "/ecommerce         /store-closed    404\n"
               "/news/:month/:date/:year/:slug  /blog/:year/:month/:date/:slug\n"
               "/articles id=:id tag=:tag /posts/:tag/:id 301\n"
               "/path/* param1=:value1 param2=:value2 /otherpath/:value1/:value2/:splat 301\n"
               "/path/* param1=:value1 /otherpath/:value1/:splat 301\n"
               "/path/* /otherpath/:splat 301\n"
               "/store id=:id  /blog/:id  301\n"
               "/jobs/customer-ninja-rockstar   /careers/support-engineer  301!\n"
               "/* /index.html 200\n");
    assert_int_equal(left_out, 0);
    expect("/home", "301 /");
    expect("/home/", "301 /");
    expect("/blog/my-post.php", "301 /blog/my-post");
    expect("/news", "301 /blog");
    expect("/cuties", "301 https://www.petsofnetlify.com");
    expect("/authors/c\xc3\xa9line", "301 /authors/about-c%C3%A9line");
    expect("/my-redirect", "302 /");
    expect("/pass-through", "200 /index.html");
    expect("/ecommerce", "404 /store-closed");
    expect("/news/02/12/2004/my-story", "301 /blog/2004/02/12/my-story");
    expect("/news/02/12/2004/my-story/", "301 /blog/2004/02/12/my-story");
    expect("/news/02/12/2004", "200 /index.html");
    expect("/articles?tag=a%20b&id=7", "301 /posts/a b/7");
    expect("/articles?id=7", "200 /index.html");
    expect("/path/x?param1=1&param2=2", "301 /otherpath/1/2/x");
    expect("/path/x/y?param1=1", "301 /otherpath/1/x/y");
    expect("/path/x", "301 /otherpath/x");
    expect("/path", "301 /otherpath/");
    expect("/store?id=my-post", "301 /blog/my-post");
    expect("/store?id=my+post&x=1", "301 /blog/my post");
    expect("/store", "200 /index.html");
    expect("/jobs/customer-ninja-rockstar", "301! /careers/support-engineer");
    expect("/", "200 /index.html");
    expect("/a/b/c", "200 /index.html");
}

/* https://developers.cloudflare.com/pages/configuration/redirects/ */
static void test_cloudflare(void **state)
{
    (void)state;
    read_rules("/home301 / 301\r\n"
               "/home302 / 302\r\n"
               "/querystrings /?query=string 301\r\n"
               "/twitch https://twitch.tv\r\n"
               "/trailing /trailing/ 301\r\n"
               "/notrailing/ /nottrailing 301\r\n"
               "/page/ /page2/#fragment 301\r\n"
               "/blog/* https://blog.my.domain/:splat\r\n"
               "/products/:code/:name /products?code=:code&name=:name\r\n"
               "/movies/:title /media/:title");
    assert_int_equal(left_out, 0);
    expect("/home301", "301 /");
    expect("/home302", "302 /");
    expect("/querystrings", "301 /?query=string");
    expect("/twitch", "301 https://twitch.tv");
    expect("/trailing", "301 /trailing/");
    expect("/trailing/", "");
    expect("/notrailing/", "301 /nottrailing");
    expect("/page/", "301 /page2/#fragment");
    expect("/blog/a/b.html", "301 https://blog.my.domain/a/b.html");
    expect("/products/7/x", "301 /products?code=7&name=x");
    expect("/movies/up", "301 /media/up");
    expect("/movies/", "");
    expect("/movies/a/b", "");
}

/* What is between: the first in the file wins, however it is found. */
static void test_order(void **state)
{
    (void)state;
    read_rules(
        "/a/b/* /1\n/a/b/c /2\n/:x/b/d /3\n/a/b/d /4\n/a/* /5\n/a/x/y /6\n/*.php /7\n"
        "/deep/*/end /8/:splat\n/q/*/:last /9/:splat/:last\n/z q=1 /10\n/z q=2 /11\n/z /12\n");
    assert_int_equal(left_out, 0);
    expect("/a/b/c", "301 /1");
    expect("/a/b", "301 /1");
    expect("/a/b/d", "301 /1");
    expect("/x/b/d", "301 /3");
    expect("/a/x/y", "301 /5");
    expect("/a", "301 /5");
    expect("/ab", "");
    expect("/m/n.php", "301 /7");
    expect("/deep/x/y/end", "301 /8/x/y");
    expect("/deep/end", "");
    expect("/deep//end", "301 /8/");
    expect("/q/a/b/c", "301 /9/a/b/c");
    expect("/z?q=2", "301 /11");
    expect("/z?q=3", "301 /12");
    expect("/z?qq=1&q=1", "301 /10");
}

/* Rules below a folder whose name is empty: the URL's own last slash is the rule's. */
static void test_empty_names(void **state)
{
    (void)state;
    read_rules("//* /1/:splat\n/a//* /2/:splat\n/b//:x /3/:x\n/* /4\n");
    assert_int_equal(left_out, 0);
    expect("/", "301 /1/");
    expect("//x", "301 /1/x");
    expect("/a/", "301 /2/");
    expect("/a//x", "301 /2/x");
    expect("/a", "301 /4");
    expect("/b//x", "301 /3/x");
    expect("/b//", "301 /4");
}

static void test_literal(void **state)
{
    (void)state;
    read_rules("/wiki/Special:Search /w/$1/:x:80\n/cost /$5\n/p/:p /q/:p$/:pp:p\n/s/* "
               "https://h.example:8080/:splat\n"
               "/gone 410\n/stop/* 200\n/u /\xc3\xa9\n/f /%C3%A9?x 200\n");
    assert_int_equal(left_out, 2); /* /:x and /:pp are nobody's */
    expect("/cost", "301 /$5");
    expect("/s/a", "301 https://h.example:8080/a");
    expect("/gone", "410 ");
    expect("/stop/x", "200 ");
    expect("/u", "301 /%C3%A9");
    expect("/f", "200 /\xc3\xa9");
}

static void test_left_out(void **state)
{
    static const struct {
        const char *text;
        const char *what;
    } rows[] = {
        { "/a", "does not say where to" },
        { "/a 301", "does not say where to" },
        { "/a b", "leads neither to a path that begins with '/' nor to a URL that begins with "
                  "http:// or https://" },
        { "a /b", "does not begin with a path that begins with '/'" },
        { "http://h.example/* /b", "is for a host; write a server block of that name, with a "
                                   "redirect in it" },
        { "/a?b=c /d", "holds a '?'; a parameter stands behind the path, as in /store id=:id "
                       "/blog/:id" },
        { "/ /de 302 Language=de", "is for visitors of some countries or languages, which nobody "
                                   "here knows" },
        { "/ /anz Country=au,nz", "is for visitors of some countries or languages, which nobody "
                                  "here knows" },
        { "/admin/* /admin/:splat 200! Role=admin",
          "is for visitors with a role, which nobody here knows; auth lets in by name" },
        { "/api/* https://api.example.com/:splat 200",
          "would have another server asked for what is answered, and this one serves files alone" },
        { "/a /b 304", "has a status that is none of 200, 301, 302, 303, 307, 308, 404 and 410" },
        { "/a /b 301 x", "has a word that is no status" },
        { "/a //b", "leads to //, which is another host; write https:// before it" },
        { "/*/* /b", "has a second '*'; there may be one" },
        { "/:a/:a /b", "has a placeholder twice" },
        { "/:a.html /b", "has a placeholder that is not a whole segment, up to a '/'" },
        { "/a /:b", "has a placeholder in what it leads to that nothing before it captures" },
        { "/%zz /b", "holds a percent-escape that is bad, or %00" },
        { "/a%00 /b", "holds a percent-escape that is bad, or %00" },
        { "/a /%00 200", "leads to a percent-escape that is bad, or %00" },
        { "/a x=%f /b", "has a parameter with a percent-escape that is bad" },
        { "/:1/:a x=:a /b", "captures one name twice, or more than nine times" },
        { "/a /a", "leads to itself, for ever" },
        { "/a/ /a/?x=1 302", "leads to itself, for ever" },
        { "/a/* /a/b 301!", "leads to itself, for ever" },
        { "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j /b", "captures more than nine times" },
        { "/a\x01 /b", "holds a control character" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[300];

        snprintf(text, sizeof(text), "# one\n%s\n/good /b\n", rows[i].text);
        read_rules(text);
        if (left_out != 1 || last_number != 2 || strcmp(last_what, rows[i].what) != 0)
            fail_msg("%s: %zu, %s", rows[i].text, left_out, left_out > 0 ? last_what : "");
        expect("/good", "301 /b");
    }
}

/* 20,000 rules of each kind. */
static void test_many(void **state)
{
    enum { COUNT = 20000, ROOM = 64 };
    char *text = malloc(2 * COUNT * ROOM);
    size_t len = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        len +=
            (size_t)snprintf(text + len, ROOM, "/old/%d /new/%d\n/f%d/* /g%d/:splat\n", i, i, i, i);
    read_rules(text);
    assert_int_equal(left_out, 0);
    assert_int_equal(redirect_rules_count(rules), 2 * COUNT);
    for (int i = 0; i < COUNT; i++) {
        char url[ROOM], expected[ROOM];

        snprintf(url, sizeof(url), "/old/%d", i);
        snprintf(expected, sizeof(expected), "301 /new/%d", i);
        expect(url, expected);
        snprintf(url, sizeof(url), "/f%d/a/%d", i, i);
        snprintf(expected, sizeof(expected), "301 /g%d/a/%d", i, i);
        expect(url, expected);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_netlify, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cloudflare, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_literal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
