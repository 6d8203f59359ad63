/* test_redirect_to.c: what is text and what a variable in where a redirect leads. */
#include "config/redirect_to.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* The pieces as text: each variable as a letter in brackets. */
static void split(const char *to, char *text, size_t size)
{
    static const char letters[] = { [REDIRECT_HOST] = 'h',
                                    [REDIRECT_URI] = 'u',
                                    [REDIRECT_QUERY] = 'q',
                                    [REDIRECT_UNKNOWN] = '?' };
    struct span rest = span_str(to), before;
    enum redirect_variable variable;
    size_t len = 0;

    while ((variable = redirect_to_next(&rest, &before)) != REDIRECT_END)
        len += (size_t)snprintf(text + len, size - len, "%.*s[%c]", (int)before.len, before.ptr,
                                letters[variable]);
    assert_int_equal(rest.len, 0);
    snprintf(text + len, size - len, "%.*s", (int)before.len, before.ptr);
}

static void test_pieces(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "/a", "/a" },
        { "$host", "[h]" },
        { "$uri$query", "[u][q]" },
        { "https://$host$uri?$query", "https://[h][u]?[q]" },
        { "/$uri.html", "/[u].html" },
        { "/$uri-x/$host:80", "/[u]-x/[h]:80" },
        { "/$urix", "/[?]" },
        { "/$uri_", "/[?]" },
        { "/$URI", "/[?]" },
        { "/$ur", "/[?]" },
        { "/$1/$host", "/[?]/[h]" },
        { "$", "$" },
        { "a$", "a$" },
        { "$$host", "$[h]" },
        { "$-$/$.$", "$-$/$.$" },
        { "%24host", "%24host" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];

        split(rows[i][0], text, sizeof(text));
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
