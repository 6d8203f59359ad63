/* config_map_parse.c: what is particular about the text of a map: a second title, and entries whose
 * keys are no names of ours. */
#include "config/config_reader.h"
#include "core/check.h"

#include <errno.h>

#define FAIL(...)                                                                                  \
    config_fail(parser->build, config_reader_place(reader, &reader->token), __VA_ARGS__)

int config_map_title(struct config_parser *parser, struct config_reader *reader,
                     struct config_block *map)
{
    if (!config_token_is_value(&reader->token))
        return FAIL("map",
                    "the variable that it defines is missing before %s; write map \"%.60s\" "
                    "\"$name\" { ... }",
                    config_reader_shown(parser, reader, &reader->token), map->title);
    map->result = config_token_value(parser->build->scratch, &reader->token);
    return map->result != NULL ? config_reader_next(parser, reader) : -ENOMEM;
}

/* `~` or `~*`: an expression follows; else NULL. */
static const char *expression_word(const struct config_token *token)
{
    if (token->kind == CONFIG_TOKEN_STRING)
        return NULL;
    return span_eq(token->text, SPAN_LIT("~"))    ? "~"
           : span_eq(token->text, SPAN_LIT("~*")) ? "~*"
                                                  : NULL;
}

bool config_map_is_pair(const struct config_token *token)
{
    return token->kind == CONFIG_TOKEN_STRING || expression_word(token) != NULL ||
           (token->kind == CONFIG_TOKEN_WORD && span_eq(token->text, SPAN_LIT("default")));
}

int config_map_pair(struct config_parser *parser, struct config_reader *reader)
{
    struct arena *arena = parser->build->scratch;
    struct config_pair pair = { .place = config_reader_place(reader, &reader->token) };
    const char *word = expression_word(&reader->token);
    int res = word != NULL ? config_reader_next(parser, reader) : 0;

    if (res < 0)
        return res;
    if (word != NULL && reader->token.kind != CONFIG_TOKEN_STRING)
        return FAIL("map", "%s stands where an expression in quotes is expected",
                    config_reader_shown(parser, reader, &reader->token));
    pair.key = config_token_value(arena, &reader->token);
    if (pair.key != NULL && word != NULL)
        pair.key = arena_printf(arena, "%s%s", word, pair.key);
    if (pair.key == NULL)
        return -ENOMEM;
    res = config_reader_next(parser, reader);
    if (res < 0)
        return res;
    if (!config_token_is(&reader->token, '='))
        return FAIL("map", "= is missing before %s; write \"%.60s\" = \"value\"",
                    config_reader_shown(parser, reader, &reader->token), pair.key);
    res = config_reader_next(parser, reader);
    if (res < 0)
        return res;
    if (!config_token_is_value(&reader->token))
        return FAIL("map", "a value is missing behind \"%.60s\" =", pair.key);
    pair.value = config_token_value(arena, &reader->token);
    if (pair.value == NULL || config_pair_add(arena, parser->blocks[parser->depth], pair) < 0)
        return -ENOMEM;
    return config_reader_next(parser, reader);
}
