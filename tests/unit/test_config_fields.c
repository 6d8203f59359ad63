/* test_config_fields.c: headers blocks: what they hold, what -T makes of them, what is refused. */
#include "config/config_fields.c"

#include "config/config_print.h"
#include "config_fixture.h"

#define SERVER(text) "server a { root = /srv/www\n" text " }"

static void test_blocks(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "engine = e\n" SERVER(
                      "headers = \"A: b\" headers = \"/x\" { set = {\"A: $engine\"} }\n"
                      "headers \"*.html\" { remove = {A, b} add = \"Vary: X\" answers = errors }\n"
                      "location \"/l/\" { headers ~ x { append = \"A: c\" } }"));
    const struct server *server = &config->servers[0];
    const struct header_blocks *blocks = server->fields;
    const struct location *l = &server->locations[0];

    (void)state;
    assert_int_equal(blocks->count, 2);
    assert_int_equal(blocks->blocks[0].pattern.kind, PATTERN_EXACT);
    assert_int_equal(blocks->blocks[0].rules[0].deed, FIELD_SET);
    assert_string_equal(blocks->blocks[0].rules[0].field.value, "e");
    assert_int_equal(blocks->blocks[0].answers, FIELD_ANSWERS_USUAL);
    assert_int_equal(blocks->blocks[1].count, 3);
    assert_int_equal(blocks->blocks[1].answers, FIELD_ANSWERS_ERRORS);
    assert_ptr_equal(l->fields_outer, blocks);
    assert_int_equal(l->fields_own->blocks[0].rules[0].deed, FIELD_APPEND);
    assert_true(l->has_fields && config->has_regex);
    assert_int_equal(server->locations[1].headers_count, 2);
    config_free(config);
    config = fixture_config(&fixture, SERVER(""));
    assert_false(config->servers[0].locations[0].has_fields);
    config_free(config);
}

/* What -T prints loads again, and prints the same. */
static void test_print(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture,
        SERVER("headers = \"/x\" { set = {\"A: \\\"b\\\\\", \"Content-Type: a/b\"} }\n"
               "headers ~ 'b\"' { add = {\"C: d\", \"C: e\"} append = \"C: f\" remove = G "
               "answers = success }\n"
               "location \"/\" { headers \"/l/\" { append = \"A: c\" } }"));
    char *first = NULL, *second = NULL;
    size_t size;
    FILE *out = open_memstream(&first, &size);

    (void)state;
    assert_int_equal(config_print(config, out), 0);
    fclose(out);
    config_free(config);
    config = fixture_config(&fixture, first);
    assert_int_equal(config->servers[0].fields->count, 2);
    assert_int_equal(config->servers[0].locations[0].fields_own->count, 1);
    out = open_memstream(&second, &size);
    assert_int_equal(config_print(config, out), 0);
    fclose(out);
    assert_string_equal(first, second);
    free(first);
    free(second);
    config_free(config);
}

static void test_refused(void **state)
{
    static const struct refusal rows[] = {
        { SERVER("headers \"/x/*\" { set = \"A: b\" }"),
          "server.conf:2: headers: \"/x/*\" is for what lies in that folder, and not for what lies "
          "in "
          "folders in it; write \"/x/\" for all that lies below, or \"/x/?*\" for that folder "
          "alone" },
        { SERVER("headers \"/x/\" { }"),
          "server.conf:2: headers: \"/x/\" does nothing; add set, add, append or remove to it" },
        { SERVER("headers \"/x/\" { set = \"A\" }"),
          "server.conf:2: set: \"A\" has no ':'; allowed: \"Name: value\"" },
        { SERVER("headers \"/x/\" { set = \"A:\" }"),
          "server.conf:2: set: \"A:\" has no value; write the name alone in remove, if it is not "
          "to "
          "be there" },
        { SERVER("headers \"/x/\" { set = \"Content-Length: 1\" }"),
          "server.conf:2: set: \"Content-Length: 1\" sets a field that the server makes itself; "
          "allowed: \"Name: value\"" },
        { SERVER("headers \"/x/\" { set = \"Vary: a\" }"),
          "server.conf:2: set: \"Vary: a\" is Vary, without which caches would mix up answers; "
          "something can be added to it; allowed: \"Name: value\"" },
        { SERVER("headers \"/x/\" { add = \"content-type: a/b\" }"),
          "server.conf:2: add: \"content-type: a/b\" is Content-Type, of which there is one "
          "always; "
          "it can be set; allowed: \"Name: value\"" },
        { SERVER("headers \"/x/\" { set = \"Content-Type: ab\" }"),
          "server.conf:2: set: the value of \"Content-Type: ab\" is no media type: '/' is missing; "
          "allowed: \"Name: value\"" },
        { SERVER("headers \"/x/\" { set = {\"A: b\", \"a: c\"} }"),
          "server.conf:2: set: \"a\" stands twice in the list; write the second one in add, if "
          "both "
          "are meant" },
        { SERVER("headers \"/x/\" { set = \"A: b\\r\\nC: d\" }"), NULL },
        { SERVER("headers \"/x/\" { remove = ETag }"),
          "server.conf:2: remove: \"ETag\" sets a field that the server makes itself; allowed: the "
          "name of a header field" },
        { SERVER("headers \"/x/\" { answers = some remove = A }"),
          "server.conf:2: answers: \"some\" is not known; allowed: usual, success, errors or all" },
        { SERVER("cors = \"*\" headers \"/x/\" { set = \"Access-Control-Allow-Origin: *\" }"),
          "server.conf:2: headers: Access-Control-Allow-Origin is what cors says at location "
          "\"/\"; "
          "take it away, or set cors = {}" },
        { SERVER("headers \"/x/\" { remove = A }\nheaders \"/x/\" { remove = B }"),
          "server.conf:3: headers: \"/x/\" stands twice, first at server.conf:2; take one of them "
          "away" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config *config = NULL;

        if (rows[i].why == NULL)
            assert_int_equal(fixture_load_text(&fixture, rows[i].text, &config), -EINVAL);
        else
            fixture_refuse(&fixture, &rows[i], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
