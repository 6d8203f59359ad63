/* test_template.c: texts with variables: what is known, what a text becomes, how values are escaped
 * in each place, and that no value leads a URL to another host. */
#include "match/template.c"
#include "match/template_put.c"
#include "match/template_url.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *client_value; /* of all that a client may say as he likes */
static bool no_args;             /* nothing was asked behind the '?' */

static struct span value_of(void *context, const struct template_piece *piece, char *scratch,
                            size_t cap)
{
    (void)context;
    (void)scratch;
    (void)cap;
    switch ((enum template_variable)piece->variable) {
    case TEMPLATE_HOST:
        return SPAN_LIT("h.example");
    case TEMPLATE_SCHEME:
        return SPAN_LIT("https");
    case TEMPLATE_URI:
        return SPAN_LIT("/a b/\xc3\xa4,<c>%2Fd");
    case TEMPLATE_ARGS:
        return no_args ? SPAN_LIT("") : SPAN_LIT("x=1&y=\"%20");
    case TEMPLATE_IS_ARGS:
        return SPAN_LIT("?");
    case TEMPLATE_REQUEST_URI:
        return SPAN_LIT("/a%20b?x=1&y=\"%20");
    case TEMPLATE_MAP:
        return SPAN_LIT("https://map.example/x?y z#t");
    default:
        return span_str(client_value);
    }
}

static const struct template_source source = { .value = value_of };

static enum template_known find(void *context, struct span name, const char **ret_text,
                                uint8_t *ret_index)
{
    (void)context;
    if (span_eq(name, SPAN_LIT("engine"))) {
        *ret_text = "reactor";
        return TEMPLATE_IS_TEXT;
    }
    if (span_eq(name, SPAN_LIT("env_BAD"))) {
        *ret_text = "a\nb";
        return TEMPLATE_IS_TEXT;
    }
    if (span_eq(name, SPAN_LIT("env_NONE"))) {
        *ret_text = "holds $env_NONE, which is not set";
        return TEMPLATE_IS_REFUSED;
    }
    if (span_eq(name, SPAN_LIT("new"))) {
        *ret_index = 3;
        return TEMPLATE_IS_MAP;
    }
    if (span_eq(name, SPAN_LIT("slug"))) {
        *ret_index = 2;
        return TEMPLATE_IS_CAPTURE;
    }
    return TEMPLATE_UNKNOWN;
}

static const char *name_at(void *context, size_t i)
{
    (void)context;
    return i == 0 ? "engine" : NULL;
}

static const struct template_names names = { find, name_at, NULL, true, 2 };

static const struct template *compile(struct arena *arena, const char *text)
{
    const struct template *template = NULL;
    char what[512] = "";

    if (template_compile(arena, text, &names, what, sizeof(what), &template) != 0)
        fail_msg("\"%s\" %s", text, what);
    return template;
}

static void test_constants(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "abc", "abc" },
        { "$$", "$" },
        { "$", "$" },
        { "a$-b$ c$", "a$-b$ c$" },
        { "$$host", "$host" },
        { "$$$$5", "$$5" },
        { "$engine", "reactor" },
        { "<${engine}>$engine", "<reactor>reactor" },
        { "$$$engine", "$reactor" },
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct template *template = compile(arena, rows[i][0]);
        char text[64];

        assert_true(template_is_constant(template));
        assert_string_equal(template_constant(template).ptr, rows[i][1]);
        assert_int_equal(template_constant(template).len, strlen(rows[i][1]));
        assert_string_equal(template->text, rows[i][0]);
        long len = template_put(template, &source, TEMPLATE_TEXT, text, sizeof(text));
        assert_int_equal(len, strlen(rows[i][1]));
        assert_memory_equal(text, rows[i][1], (size_t)len);
        if (len > 0)
            assert_int_equal(template_put(template, &source, TEMPLATE_TEXT, text, (size_t)len - 1),
                             -ENOSPC);
    }
    arena_destroy(arena);
}

static void test_refusals(void **state)
{
    static const char *const rows[][2] = {
        { "$hots", "holds $hots, which is not known; did you mean $host?" },
        { "$HOST", "holds $HOST, which is not known; did you mean $host?" },
        { "$engin", "did you mean $engine?" },
        { "$url", "did you mean $uri?" },
        { "$arg_", "did you mean $args?" },
        { "$something_else", "holds $something_else, which is not known; known are $host" },
        { "${host", "holds a '${' that is not the beginning of ${name}" },
        { "${}", "holds a '${'" },
        { "a${-}", "holds a '${'" },
        { "$3", "holds $3, but the expression has 2 groups" },
        { "$ssl_client_s_dm", "did you mean $ssl_client_s_dn?" },
        { "$env_NONE", "holds $env_NONE, which is not set" },
        { "$env_BAD", "control character" },
        { "$host$host$host$host$host$host$host$host$host$host$host$host$host$host$host$host$host"
          "$host$host$host$host$host$host$host$host$host$host$host$host$host$host$host$host",
          "holds more than 32 variables" },
    };
    struct arena *arena = arena_create();
    const struct template *template = NULL;
    char what[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(template_compile(arena, rows[i][0], &names, what, sizeof(what), &template),
                         -EINVAL);
        if (strstr(what, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], what);
    }
    assert_int_equal(template_compile(arena, "$1", NULL, what, sizeof(what), &template), -EINVAL);
    assert_non_null(strstr(what, "no regular expression captures"));
    assert_int_equal(template_compile(arena, "$engine", NULL, what, sizeof(what), &template),
                     -EINVAL);
    assert_null(template);
    arena_destroy(arena);
}

static void test_limits(void **state)
{
    struct arena *arena = arena_create();
    const struct template *template = NULL;
    char text[TEMPLATE_TEXT_MAX + 2], what[64], name[100] = "$arg_";

    (void)state;
    memset(text, 'a', sizeof(text));
    text[TEMPLATE_TEXT_MAX] = '\0';
    assert_int_equal(template_constant(compile(arena, text)).len, TEMPLATE_TEXT_MAX);
    memcpy(text + TEMPLATE_TEXT_MAX - 7, "$engine", 7); /* which is as long as its value */
    assert_int_equal(template_constant(compile(arena, text)).len, TEMPLATE_TEXT_MAX);
    memcpy(text + TEMPLATE_TEXT_MAX - 16, "$engine$env_NONE", 16);
    text[TEMPLATE_TEXT_MAX] = 'a';
    text[TEMPLATE_TEXT_MAX + 1] = '\0';
    assert_int_equal(template_compile(arena, text, &names, what, sizeof(what), &template), -EINVAL);
    memset(name + 5, 'n', TEMPLATE_NAME_MAX - 4);
    compile(arena, name);
    memset(name + 5, 'n', TEMPLATE_NAME_MAX - 3);
    assert_int_equal(template_compile(arena, name, &names, what, sizeof(what), &template), -EINVAL);
    arena_destroy(arena);
}

static void test_pieces(void **state)
{
    struct arena *arena = arena_create();
    const struct template *template = compile(arena, "a${uri}b$arg_Xy$http_User_Agent$10$slug$new");

    (void)state;
    assert_int_equal(template->count, 7);
    assert_int_equal(template->pieces[1].variable, TEMPLATE_ARG);
    assert_string_equal(template->pieces[1].name.ptr, "Xy");
    assert_int_equal(template->pieces[2].variable, TEMPLATE_HTTP);
    assert_string_equal(template->pieces[2].name.ptr, "user_agent");
    assert_int_equal(template->pieces[3].variable, TEMPLATE_CAPTURE);
    assert_int_equal(template->pieces[3].index, 1);
    assert_string_equal(template->pieces[4].text.ptr, "0"); /* $1, and a zero */
    assert_int_equal(template->pieces[4].index, 2);
    assert_int_equal(template->pieces[5].variable, TEMPLATE_MAP);
    assert_int_equal(template->pieces[5].index, 3);
    assert_true(template_uses(template, TEMPLATE_URI) && template_uses(template, TEMPLATE_MAP));
    assert_false(template_uses(template, TEMPLATE_HOST) || template_is_constant(template));
    arena_destroy(arena);
}

static void expect(struct arena *arena, enum template_place place, const char *text,
                   const char *wanted)
{
    char have[512];
    long len = template_put(compile(arena, text), &source, place, have, sizeof(have) - 1);

    assert_true(len >= 0);
    have[len] = '\0';
    assert_string_equal(have, wanted);
}

static void test_places(void **state)
{
    struct arena *arena = arena_create();

    (void)state;
    client_value = "a\r\nB: \"c\\,;<d>&'\xff\x7f";
    expect(arena, TEMPLATE_FIELD, "x;$http_a,", "x;a%0D%0AB: %22c%5C%2C%3B%3Cd%3E&'%FF%7F,");
    expect(arena, TEMPLATE_FIELD, "<$uri>; h=$host; $args",
           "</a%20b/%C3%A4%2C%3Cc%3E%2Fd>; h=h.example; x=1&y=%22%20");
    expect(arena, TEMPLATE_TEXT, "$arg_a", client_value);
    expect(arena, TEMPLATE_HTML, "<p>$arg_a", "<p>a\r\nB: &quot;c\\,;&lt;d&gt;&amp;&#39;\xff\x7f");
    expect(arena, TEMPLATE_JSON, "{\"a\":\"$arg_a\"}",
           "{\"a\":\"a\\u000D\\u000AB: \\u0022c\\u005C,;<d>&'\xff\\u007F\"}");
    expect(arena, TEMPLATE_PATH, "/x$uri", "/x/a b/\xc3\xa4,<c>%2Fd");
    arena_destroy(arena);
}

static void test_clean_paths(void **state)
{
    static const char *const good[] = { "/", "/a", "/a/", "/a/b.c", "/...", "/a%2F" };
    static const char *const bad[] = { "",    "a",     "//",    "/a//b", "/.",
                                       "/..", "/../a", "/a/..", "/a/./b" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(template_path_is_clean(span_str(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(template_path_is_clean(span_str(bad[i])));
    assert_false(template_path_is_clean(SPAN_LIT("/a\0b")));
}

static void test_urls_that_lead_somewhere(void **state)
{
    static const char *const good[] = {
        "/",
        "/a",
        "/a?b=c#d",
        "http://a",
        "https://a/b",
        "HTTPS://a:8/",
        "/a%20b",
        "https://[::1]/",
        "https://$host$uri?$query",
        "$uri.html",
        "/a$uri",
        "/$host",
        "http://$host",
        "http://a$uri",
        "http://a$query",
        "/a$",
        "/$-$",
        "/$query",
        "http://$host:80/",
        "$1",
        "$new",
        "$request_uri",
        "$scheme://$host$request_uri",
        "$scheme://www.$host/",
        "/x?next=$arg_next",
        "/$arg_a",
        "https://$1.a.example/",
        "https://$new/",
        "https://a.example$1",
        "/a$uri$uri",
        "https://$host/$host",
        "/$$",
    };
    static const char *const bad[] = {
        "",
        "a",
        "//a",
        "//",
        "/\\a",
        "/a b",
        "/a\"",
        "/\xc3\xbc",
        "http://",
        "http:///a",
        "https:/a",
        "ftp://a",
        "javascript:x",
        "/a\r\nb",
        "/$uri",
        "http://$uri",
        "http://$query",
        "https://?a",
        "http://#",
        "$host",
        "$query",
        "$arg_next",
        "$http_referer",
        "$cookie_a",
        "https://$arg_host",
        "https://$1/",
        "https://$1",
        "$scheme",
        "$scheme:/a",
        "$scheme://$arg_x/",
        "https://:80/",
        "https://@a/",
        "$engine://a",
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const char *what = template_url_check(compile(arena, good[i]));
        if (what != NULL)
            fail_msg("%s %s", good[i], what);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (template_url_check(compile(arena, bad[i])) == NULL)
            fail_msg("%s is taken", bad[i]);
    }
    arena_destroy(arena);
}

static void test_urls(void **state)
{
    static const struct {
        const char *text, *client, *wanted;
    } rows[] = {
        { "https://$host$request_uri", "", "https://h.example/a%20b?x=1&y=%22%20" },
        { "https://$host$uri", "", "https://h.example/a%20b/%C3%A4,%3Cc%3E%2Fd" },
        { "https://$host$uri?$args", "",
          "https://h.example/a%20b/%C3%A4,%3Cc%3E%2Fd?x=1&y=%22%20" },
        { "/x$is_args$args", "", "/x?x=1&y=%22%20" },
        { "/x$args", "", "/x?x=1&y=%22%20" },
        { "$new", "", "https://map.example/x?y%20z#t" },
        /* what a client says */
        { "/x/$arg_a", "b c/d?e&f#g", "/x/b%20c/d%3Fe%26f%23g" },
        { "/x?a=$arg_a&b", "b c/d?e&f#g+=", "/x?a=b%20c%2Fd%3Fe%26f%23g%2B%3D&b" },
        { "/x/$remote_user", "b c\r\n/\xe4", "/x/b%20c%0D%0A/%E4" },
        { "/x?a=$tls_client_subject", "CN=b c&\n", "/x?a=CN%3Db%20c%26%0A" },
        { "/$arg_a", "/evil.example", "/evil.example" },
        { "/$arg_a", "\\evil.example", "/%5Cevil.example" },
        { "/$arg_a", "///evil.example//", "/evil.example//" },
        { "$1", "//evil.example", "/evil.example" },
        { "$1", "evil.example", "/evil.example" },
        { "$1", "https://evil.example", "/https://evil.example" },
        { "$1", "/a/b", "/a/b" },
        { "$1$2", "", "/" },
        { "https://a.example$1", ".evil.example", "https://a.example/.evil.example" },
        { "https://a.example$1", "@evil.example", "https://a.example/@evil.example" },
        { "https://a.example$1", ":80@evil.example", "https://a.example/:80@evil.example" },
        { "https://a.example$1", "/b", "https://a.example/b" },
        { "https://a.example$1/c", "x", "https://a.example/x/c" },
        { "https://$1.a.example/", "b", "https://b.a.example/" },
        { "https://$1.a.example/", "b.c", "https://b/.c.a.example/" },
        { "https://$1.a.example/", "evil.example/", "https://evil/.example/.a.example/" },
        { "https://$1.a.example/", "b@c", "https://b/@c.a.example/" },
        { "https://$1.a.example/", "", "https://.a.example/" },
        { "/x\x24$arg_a", "\r\nSet-Cookie: a", "/x$arg_a" },
        { "/x$arg_a", "\r\nSet-Cookie: a", "/x%0D%0ASet-Cookie:%20a" },
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        struct template_url url = template_url_begin(text, sizeof(text) - 1);

        client_value = rows[i].client;
        template_url_put(&url, compile(arena, rows[i].text), &source);
        assert_false(url.too_long);
        text[url.len] = '\0';
        assert_string_equal(text, rows[i].wanted);
        url = template_url_begin(text, url.len - 1);
        template_url_put(&url, compile(arena, rows[i].text), &source);
        assert_true(url.too_long && url.len <= url.cap);
    }
    arena_destroy(arena);
}

/* The '?' in front of $args goes at the end alone: what follows stays behind one. */
static void test_urls_without_args(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        { "/x?$args", "/x" },
        { "/x?a=1&$args", "/x?a=1" },
        { "/?$args", "/" },
        { "/?$args&a=1", "/?&a=1" },
        { "/?a&$args&b=$arg_b", "/?a&&b=%2Fevil.example" },
        { "/?$args/$arg_a", "/?/%2Fevil.example" },
        { "/?$args/evil.example", "/?/evil.example" },
        { "/?$args$uri", "/?/a%20b/%C3%A4,%3Cc%3E%252Fd" },
        { "/?$args$args", "/" },
    };
    struct arena *arena = arena_create();

    (void)state;
    no_args = true;
    client_value = "/evil.example";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        struct template_url url = template_url_begin(text, sizeof(text) - 1);

        template_url_put(&url, compile(arena, rows[i].text), &source);
        assert_false(url.too_long);
        text[url.len] = '\0';
        assert_string_equal(text, rows[i].wanted);
    }
    no_args = false;
    arena_destroy(arena);
}

static void test_what_is_appended(void **state)
{
    static const struct {
        const char *text, *path, *query, *wanted;
    } rows[] = {
        { "/new/", "a/b", "?c", "/new/a/b?c" },
        { "/", "/evil.example", "", "/evil.example" },
        { "/", "\\evil", "", "/%5Cevil" },
        { "https://a", "b", "", "https://a/b" },
        { "https://a", "", "?b", "https://a/?b" },
        { "https://a", "/b", "", "https://a/b" },
        { "https://a/b", "c d", "", "https://a/bc%20d" },
    };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        struct template_url url = template_url_begin(text, sizeof(text) - 1);

        template_url_put(&url, compile(arena, rows[i].text), &source);
        template_url_put_path(&url, span_str(rows[i].path));
        template_url_put_query(&url, span_str(rows[i].query));
        text[url.len] = '\0';
        assert_string_equal(text, rows[i].wanted);
    }
    arena_destroy(arena);
}

/* ---- maps ---- */

static const struct template *mapped_template; /* NULL: */
static const char *mapped_text;
static bool mapped_raw;

static void map_of(void *context, const struct template_piece *piece, char *key,
                   struct template_mapped *ret_mapped)
{
    (void)context;
    (void)piece;
    memcpy(key, client_value, strlen(client_value));
    *ret_mapped = (struct template_mapped){ .template = mapped_template,
                                            .captures.count = CAPTURES_MAX,
                                            .raw = mapped_raw };
    ret_mapped->captures.groups[1] = span_make(key, strlen(client_value));
    if (mapped_template == NULL)
        ret_mapped->text = span_str(mapped_text);
}

static const struct template *compile_captures(struct arena *arena, const char *text)
{
    const struct template_names nine = { .find = find, .captures = true, .groups = 9 };
    const struct template *template = NULL;
    char what[300];

    if (template_compile(arena, text, &nine, what, sizeof(what), &template) != 0)
        fail_msg("%s %s", text, what);
    return template;
}

/* What an entry captures is the client's, and is escaped for where the map's variable stands. */
static void test_maps(void **state)
{
    static const struct {
        const char *outer, *value, *client, *url; /* NULL: none that may be sent */
        bool raw;
    } rows[] = {
        { "$new", "/b/$1", "a b?c", "/b/a%20b%3Fc", false },
        { "$new", "/b/$1", "a%20b?c=d", "/b/a%20b?c=d", true },
        { "$new", "/b?x=$1", "a b&c", "/b?x=a%20b%26c", false },
        { "$new", "$1", "//evil", "/evil", false },
        { "$new", "$1", "//evil", "/evil", true },
        { "$new", "$1", "https://evil", "/https://evil", false },
        { "$new", "https://h.example/$1", "/x", "https://h.example//x", false },
        { "$new", "https://$1.example/", "a.evil/", "https://a/.evil/.example/", false },
        { "https://$new", "$1", "evil", NULL, false },
        { "https://$new", "$1", "evil", NULL, true },
        { "https://$new", "/$1", "evil", NULL, false },
        { "https://$new/", "", "x", NULL, false },
        { "https://$new/", "?$1", "x", NULL, false },
        { "https://$new/x", "h.example", "x", "https://h.example/x", false },
        { "/q/$new", "a b\"$1", "<", "/q/a%20b%22%3C", false },
    };
    const struct template_source mapping = { .value = value_of, .map = map_of };
    struct arena *arena = arena_create();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct template *outer = compile_captures(arena, rows[i].outer);
        char text[512];
        struct template_url url = template_url_begin(text, sizeof(text));

        client_value = rows[i].client;
        mapped_raw = rows[i].raw;
        mapped_text = rows[i].value;
        mapped_template =
            strchr(rows[i].value, '$') != NULL ? compile_captures(arena, rows[i].value) : NULL;
        template_url_put(&url, outer, &mapping);
        if (url.too_long != (rows[i].url == NULL) ||
            (rows[i].url != NULL && !span_eq(span_make(text, url.len), span_str(rows[i].url))))
            fail_msg("%s, %s, %s: %.*s", rows[i].outer, rows[i].value, rows[i].client, (int)url.len,
                     text);
    }
    client_value = "a\r\n\"<b>";
    mapped_template = compile_captures(arena, "is <$1>");
    char text[128];
    long len =
        template_put(compile_captures(arena, "$new"), &mapping, TEMPLATE_FIELD, text, sizeof(text));
    assert_true(span_eq(span_make(text, (size_t)len), SPAN_LIT("is <a%0D%0A%22%3Cb%3E>")));
    len = template_put(compile_captures(arena, "<$new>"), &mapping, TEMPLATE_HTML, text,
                       sizeof(text));
    assert_true(
        span_eq(span_make(text, (size_t)len), SPAN_LIT("<is &lt;a\r\n&quot;&lt;b&gt;&gt;>")));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_clean_paths),
        cmocka_unit_test(test_urls_that_lead_somewhere),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_urls_without_args),
        cmocka_unit_test(test_what_is_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
