/* test_vhost.c: which location, and which redirect, a path belongs to. Redirects lie as the
 * configuration sorts them: the longest first. */
#include "http/vhost.c"

#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PREFIX(text)                                                                               \
    {                                                                                              \
        .prefix = { text, sizeof(text) - 1 }                                                       \
    }
#define FROM(text)                                                                                 \
    {                                                                                              \
        .from = { text, sizeof(text) - 1 }, .to = ""                                               \
    }

static struct location locations[] = { PREFIX("/.well-known/acme/"), PREFIX("/kept/in/"),
                                       PREFIX("/kept/"), PREFIX("/same/"), PREFIX("/") };
static struct redirect redirects[] = { FROM("/kept/exactly"), FROM("/kept/moved/"),
                                       FROM("/kept/in/"),     FROM("/same/"),
                                       FROM("/same"),         FROM("/") };
static const struct server server = { .locations = locations,
                                      .locations_count = ARRAY_LEN(locations),
                                      .redirects = redirects,
                                      .redirects_count = ARRAY_LEN(redirects) };

static const struct location *location_of(struct span path)
{
    const struct location *location = NULL;

    assert_int_equal(http_location_find(&server, NULL, path, NULL, &location), 0);
    return location;
}

static void test_redirects(void **state)
{
    static const char *const rows[][2] = {
        { "/", "/" },
        { "/a", "/" },
        { "/.well-known/acme/token", NULL },
        { "/.well-known/acme/", NULL },
        { "/.well-known/acme", NULL }, /* a location is for its folder's name, too */
        { "/.well-known/acmes", "/" },
        { "/.well-known/", "/" },
        { "/kept/a", NULL },
        { "/keptx", "/" },
        { "/kept/exactly", "/kept/exactly" },
        { "/kept/exactly/", NULL },
        { "/kept/moved/a", "/kept/moved/" },
        { "/kept/moved/", "/kept/moved/" },
        { "/kept/moved", NULL },
        { "/kept/in/a", "/kept/in/" }, /* as long as the location: the redirect */
        { "/same/", "/same/" },
        { "/same", "/same" },
        { "/same/a", "/same/" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span path = span_str(rows[i][0]);
        const struct redirect *found = http_redirect_find(&server, location_of(path), path);

        if ((found != NULL) != (rows[i][1] != NULL) ||
            (found != NULL && !span_eq(found->from, span_str(rows[i][1]))))
            fail_msg("%s", rows[i][0]);
    }
    assert_ptr_equal(http_redirect_find(&server, NULL, SPAN_LIT("/kept/a")), &redirects[5]);
}

static struct span from_of(const struct redirect *redirect)
{
    return redirect != NULL ? redirect->from : SPAN_LIT("none");
}

/* The table finds what looking at each in turn finds. */
static void test_redirects_table(void **state)
{
    static const char *const paths[] = { "/",
                                         "/a",
                                         "/a/b",
                                         "/a/b/",
                                         "/a/b/c",
                                         "/a/b/c/",
                                         "/a/b/c/d",
                                         "/b",
                                         "/b/",
                                         "/b/x/y/z/",
                                         "/long/enough/to/be/long/",
                                         "/long/enough/to/be/long/er",
                                         "/long/enough/to/be/long" };
    static const uint64_t key[2] = { 3, 4 };
    struct redirect many[ARRAY_LEN(paths)];
    struct arena *arena = arena_create();

    (void)state;
    for (unsigned set = 0; set < 1u << ARRAY_LEN(paths); set += 7) {
        struct server in_turn = { .redirects = many }, hashed;

        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            if ((set >> i & 1) != 0)
                many[in_turn.redirects_count++] = (struct redirect){ .from = span_str(paths[i]) };
        }
        for (size_t i = 1; i < in_turn.redirects_count; i++) { /* the longest first */
            for (size_t j = i; j > 0 && many[j].from.len > many[j - 1].from.len; j--) {
                struct redirect moved = many[j];

                many[j] = many[j - 1];
                many[j - 1] = moved;
            }
        }
        hashed = in_turn;
        assert_int_equal(redirect_table_make(arena, key, &hashed), 0);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            struct span path = span_str(paths[i]);
            struct span expected = from_of(redirect_longest(&in_turn, path));

            if (!span_eq(from_of(redirect_longest(&hashed, path)), expected))
                fail_msg("set %u: %s is not that of %s", set, paths[i], expected.ptr);
        }
    }
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_redirects_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
