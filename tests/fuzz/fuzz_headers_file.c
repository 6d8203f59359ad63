/* fuzz_headers_file.c: arbitrary octets as a file _headers. What is taken of it is fit for a field,
 * no field that the server makes, and found by paths within the bounds; what is left out is told.
 */
#include "config/headers_file.h"

#include "config/config_fields.h"
#include "config/config_text.h"
#include "core/arena.h"
#include "core/check.h"

#include <errno.h>
#include <string.h>

enum { RULES_MAX = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(void *context, size_t line, const char *what)
{
    size_t *last = context;

    CHECK(line >= *last && line > 0 && what[0] != '\0' && strlen(what) < 600);
    *last = line;
}

static void check_rule(const struct field_rule *rule)
{
    struct span name = span_str(rule->field.name);

    CHECK(config_field_refused(rule->deed, name) == NULL && config_is_token(name));
    if (rule->deed == FIELD_REMOVE)
        return;
    CHECK(rule->field.value[0] != '\0');
    CHECK(config_text_field_value(rule->field.value) == NULL);
    CHECK(strpbrk(rule->field.value, "\r\n") == NULL);
}

static void check_blocks(const struct header_blocks *blocks, struct regex_room *room)
{
    static const char *const paths[] = { "/", "/a", "/a/b", "/b/c/d", "/a.html", "/x/y:z.w" };
    struct pattern_hit hits[RULES_MAX];

    CHECK(blocks->is_file && blocks->count > 0 && blocks->count <= RULES_MAX);
    for (size_t i = 0; i < blocks->count; i++)
        for (size_t j = 0; j < blocks->blocks[i].count; j++)
            check_rule(&blocks->blocks[i].rules[j]);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int found = pattern_set_find_all(blocks->set, room, span_str(paths[i]), hits, RULES_MAX);

        CHECK(found == -E2BIG || (found >= 0 && found <= RULES_MAX));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(), *scratch = arena_create();
    const struct header_blocks *blocks = NULL;
    struct regex_room *room = NULL;
    static char *const names[] = { "a.example", "b.c.example", "*.d.example" };
    const struct headers_file_hosts hosts = { names, size % 4 };
    bool has_regex = false, has_hosts = false;
    size_t last = 0;
    const struct headers_file_told told = { tell, &last };

    CHECK(arena != NULL && scratch != NULL && regex_room_create(1000, &room) == 0);
    MUST(headers_file_parse(arena, scratch, span_make((const char *)data, size), RULES_MAX, &hosts,
                            &told, &blocks, &has_hosts, &has_regex) == 0);
    arena_destroy(scratch);
    if (blocks != NULL)
        check_blocks(blocks, room);
    arena_destroy(arena);
    regex_room_destroy(room);
    return 0;
}
