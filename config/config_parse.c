/* config_parse.c: statements, blocks and lists become the tree, in one pass. */
#include "config/config_parse.h"
#include "core/check.h"
#include "config/config_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 64 }; /* octets of a name that are looked at; no key is as long */

struct config_place config_reader_place(const struct config_reader *reader,
                                        const struct config_token *token)
{
    if (reader->path == NULL)
        return (struct config_place){ .file = reader->name };
    return (struct config_place){ reader->name, token->line, token->column };
}

#define FAIL_AT(token, ...)                                                                        \
    config_fail(parser->build, config_reader_place(reader, token), __VA_ARGS__)
#define FAIL(...) FAIL_AT(&reader->token, __VA_ARGS__)

int config_reader_next(struct config_parser *parser, struct config_reader *reader)
{
    reader->token = config_lexer_next(&reader->lexer);
    if (reader->token.kind == CONFIG_TOKEN_BAD)
        return FAIL("", "%s", reader->token.what);
    if (++parser->tokens > CONFIG_TOKENS_MAX)
        return FAIL("", "the configuration is larger than %d words", CONFIG_TOKENS_MAX);
    return 0;
}

const char *config_reader_shown(const struct config_parser *parser,
                                const struct config_reader *reader,
                                const struct config_token *token)
{
    if (token->kind == CONFIG_TOKEN_END)
        return reader->path != NULL ? "the end of the file" : "the end of the value";
    return config_token_shown(parser->build->scratch, token);
}

/* `epoll;` is what nginx wants. A word with a ';' inside is hardly meant, either. */
static int refuse_semicolon(struct config_parser *parser, const struct config_reader *reader,
                            const char *subject)
{
    const struct config_token *token = &reader->token;

    if (token->kind != CONFIG_TOKEN_WORD || memchr(token->text.ptr, ';', token->text.len) == NULL)
        return 0;
    return FAIL(subject,
                "no semicolon is needed in %s: a value ends at the next blank; one that "
                "holds a semicolon needs quotes",
                config_reader_shown(parser, reader, token));
}

static int fail_allowed(struct config_parser *parser, const struct config_reader *reader,
                        const struct config_token *name, const struct config_key *key,
                        const char *what)
{
    char allowed[256];

    config_key_allowed(key, allowed, sizeof(allowed));
    return config_fail_allowed(parser->build, config_reader_place(reader, name), key->name, allowed,
                               "%s", what);
}

/* Looks at a value, adds it to `entry`, and takes the next token. */
static int take_value(struct config_parser *parser, struct config_reader *reader,
                      const struct config_key *key, struct config_entry *entry)
{
    struct arena *arena = parser->build->scratch;
    struct config_item item = { .place = config_reader_place(reader, &reader->token) };
    int res = refuse_semicolon(parser, reader, key->name);

    if (res < 0)
        return res;
    item.text = config_token_value(arena, &reader->token);
    if (item.text == NULL || config_entry_add(arena, entry, item) < 0)
        return -ENOMEM;
    return config_reader_next(parser, reader);
}

/* " that begins in line 3", or "" where there is nothing but the list; in `text`. */
static const char *list_begin(const struct config_reader *reader, int line, char text[48])
{
    text[0] = '\0';
    if (reader->path != NULL)
        snprintf(text, 48, " that begins in line %d", line);
    return text;
}

/* Looks at '{'; leaves behind '}'. `line` is the key's. */
static int parse_list(struct config_parser *parser, struct config_reader *reader,
                      const struct config_key *key, int line, struct config_entry *entry)
{
    char begin[48];
    int res = config_reader_next(parser, reader);

    while (res == 0 && !config_token_is(&reader->token, '}')) {
        if (!config_token_is_value(&reader->token))
            return FAIL(key->name, "%s stands where a value of the list is expected%s",
                        config_reader_shown(parser, reader, &reader->token),
                        list_begin(reader, line, begin));
        res = take_value(parser, reader, key, entry);
        if (res < 0 || config_token_is(&reader->token, '}'))
            break;
        if (!config_token_is(&reader->token, ','))
            return FAIL(key->name,
                        "the list%s goes on with %s; its values are separated by commas and } "
                        "ends it",
                        list_begin(reader, line, begin),
                        config_reader_shown(parser, reader, &reader->token));
        res = config_reader_next(parser, reader);
    }
    return res < 0 ? res : config_reader_next(parser, reader);
}

/* Looks at the token behind the key. */
static int parse_setting(struct config_parser *parser, struct config_reader *reader,
                         const struct config_key *key, const struct config_token *name)
{
    struct config_entry *entry = &parser->blocks[parser->depth]->entries[config_key_index(key)];
    int res;

    if (!config_token_is(&reader->token, '=')) {
        if (config_token_is(&reader->token, '{'))
            return FAIL_AT(name, key->name, "it is not a block; write %s = value", key->name);
        return FAIL_AT(name, key->name, "= is missing before %s; write %s = value",
                       config_reader_shown(parser, reader, &reader->token), key->name);
    }
    if (entry->is_set)
        return config_fail_advise(parser->build, config_reader_place(reader, name), key->name,
                                  "take one of them away", "it is set twice, first at %s:%d",
                                  entry->place.file, entry->place.line);
    entry->is_set = true;
    entry->place = config_reader_place(reader, name);
    res = config_reader_next(parser, reader);
    if (res < 0)
        return res;
    if (config_token_is(&reader->token, '{')) {
        if (!config_key_is_list(key))
            return fail_allowed(parser, reader, name, key,
                                "it takes one value, not a list in braces");
        return parse_list(parser, reader, key, name->line, entry);
    }
    if (!config_token_is_value(&reader->token) || reader->token.line != name->line)
        return fail_allowed(parser, reader, name, key,
                            "a value is missing behind =, on the same line");
    reader->key = key;
    reader->key_line = name->line;
    return take_value(parser, reader, key, entry);
}

/* What stands before the title of a pattern, as in `location = "/x"`; a word that is none is the
 * title. Leaves behind it. */
static int take_word(struct config_parser *parser, struct config_reader *reader,
                     const struct config_block_type *type, const char **ret_word)
{
    static const char *const words[] = { "=", "^~", "~", "~*" };
    const struct config_token *token = &reader->token;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (token->kind == CONFIG_TOKEN_STRING || !span_eq(token->text, span_str(words[i])))
            continue;
        if (!type->has_pattern && i == 0)
            return 0; /* `server = ...` */
        if (!type->has_pattern)
            return FAIL(type->name, "%s stands before its title, which is no pattern here",
                        config_reader_shown(parser, reader, token));
        *ret_word = words[i];
        return config_reader_next(parser, reader);
    }
    return 0;
}

/* Looks at the token behind the block's name. */
static int open_block(struct config_parser *parser, struct config_reader *reader,
                      enum config_block_kind kind, const struct config_token *name)
{
    const struct config_block_type *type = config_block_type_at(kind);
    struct arena *arena = parser->build->scratch;
    struct config_block *block;
    const char *title, *word = "";
    int res = take_word(parser, reader, type, &word);

    if (res < 0)
        return res;
    if (!config_token_is_value(&reader->token))
        return FAIL_AT(name, type->name, "its title is missing before %s; write %s \"%s\" { ... }",
                       config_reader_shown(parser, reader, &reader->token), type->name,
                       type->title);
    title = config_token_value(arena, &reader->token);
    if (title == NULL)
        return -ENOMEM;
    res = config_reader_next(parser, reader);
    if (res < 0)
        return res;
    if (!config_token_is(&reader->token, '{'))
        return FAIL(type->name, "its opening brace { is missing before %s",
                    config_reader_shown(parser, reader, &reader->token));
    block = config_block_make(arena, kind, title, config_reader_place(reader, name));
    if (block == NULL || config_block_add(arena, parser->blocks[parser->depth], block) < 0)
        return -ENOMEM;
    block->word = word;
    CHECK(parser->depth + 1 < CONFIG_DEPTH_MAX);
    parser->blocks[++parser->depth] = block;
    return config_reader_next(parser, reader);
}

static int close_block(struct config_parser *parser, struct config_reader *reader)
{
    if (parser->depth == reader->depth)
        return FAIL("", "a closing brace } stands here without an opening one");
    parser->depth--;
    return config_reader_next(parser, reader);
}

/* What may be meant by a token that begins no statement. */
static int fail_statement(struct config_parser *parser, const struct config_reader *reader)
{
    static const char quotes[] =
        "a value with blanks or any of = { } ( ) , # in it needs quotes around all of it";
    const char *shown = config_reader_shown(parser, reader, &reader->token);

    if (reader->key != NULL && reader->key_line == reader->token.line)
        return FAIL(reader->key->name, "%s stands behind its value; %s", shown, quotes);
    return FAIL("", "%s stands where the name of a key or block is expected; %s", shown, quotes);
}

/* What may be meant by a name that may not stand here. */
static int fail_name(struct config_parser *parser, const struct config_reader *reader,
                     const char *name)
{
    enum config_block_kind here = parser->blocks[parser->depth]->kind;
    const char *in_here = config_block_type_at(here)->where;
    unsigned blocks =
        config_key_blocks(name) | config_block_type_at(config_block_find(name))->parents;
    const char *nearest = config_nearest(here, name);
    const char *shown = config_reader_shown(parser, reader, &reader->token);
    char where[128];

    config_blocks_where(blocks, where, sizeof(where));
    if (blocks != 0)
        return config_fail_allowed(parser->build, config_reader_place(reader, &reader->token), name,
                                   where, "it cannot stand %s", in_here);
    if (strchr(name, ';') != NULL)
        return FAIL("", "%s is no key; no semicolon is needed here", shown);
    if (nearest != NULL)
        return FAIL("", "%s is no key or block %s; did you mean \"%s\"?", shown, in_here, nearest);
    if (reader->key != NULL && reader->key_line == reader->token.line)
        return fail_statement(parser, reader);
    return FAIL("", "%s is no key or block %s; server.conf(5) lists all", shown, in_here);
}

/* Does a block begin with the '=' that is looked at, as in `headers = "/x" { }`? */
static bool is_exact_title(const struct config_reader *reader, enum config_block_kind kind)
{
    struct config_lexer ahead = reader->lexer;
    struct config_token title;

    if (!config_block_type_at(kind)->has_pattern)
        return false;
    title = config_lexer_next(&ahead);
    if (!config_token_is_value(&title))
        return false;
    title = config_lexer_next(&ahead);
    return config_token_is(&title, '{');
}

static int parse_statement(struct config_parser *parser, struct config_reader *reader)
{
    enum config_block_kind here = parser->blocks[parser->depth]->kind;
    const struct config_token token = reader->token;
    char name[NAME_SIZE] = "";
    enum config_block_kind kind;
    const struct config_key *key;
    int res;

    if (config_token_is(&token, '}'))
        return close_block(parser, reader);
    if (token.kind != CONFIG_TOKEN_WORD)
        return fail_statement(parser, reader);
    if (token.text.len < sizeof(name))
        memcpy(name, token.text.ptr, token.text.len);
    if (strcmp(name, ";") == 0)
        return FAIL("", "no semicolon is needed here: a setting ends with its value");
    key = config_key_in(here, name);
    kind = config_block_find(name);
    if (key == NULL && kind == CONFIG_TOP)
        return fail_name(parser, reader, name);
    if (((key != NULL ? key->blocks : config_block_type_at(kind)->parents) & 1u << here) == 0)
        return fail_name(parser, reader, name);
    res = config_reader_next(parser, reader);
    if (res < 0)
        return res;
    if (key == NULL || (kind != CONFIG_TOP &&
                        (!config_token_is(&reader->token, '=') || is_exact_title(reader, kind))))
        return open_block(parser, reader, kind, &token); /* auth = off, auth "x" { } */
    if (key->type == CONFIG_INCLUDE)
        return config_include(parser, reader, &token);
    return parse_setting(parser, reader, key, &token);
}

int config_reader_statements(struct config_parser *parser, struct config_reader *reader)
{
    int res = config_reader_next(parser, reader);

    while (res == 0 && reader->token.kind != CONFIG_TOKEN_END)
        res = parse_statement(parser, reader);
    if (res == 0 && parser->depth > reader->depth) {
        const struct config_block *open = parser->blocks[parser->depth];

        return config_fail(parser->build, open->place, config_block_type_at(open->kind)->name,
                           "its closing brace } is missing at the end of %s", reader->name);
    }
    return res;
}

int config_parse(const struct config_build *build, const char *name, struct span text,
                 struct config_block **ret_top)
{
    const struct config_place place = { .file = name };
    struct config_block *top = config_block_make(build->scratch, CONFIG_TOP, NULL, place);
    struct config_parser parser = { .build = build, .blocks = { top } };
    struct config_reader reader = { .name = name, .path = config_path(build, place, name) };
    int res;

    if (top == NULL || reader.path == NULL)
        return -ENOMEM;
    config_lexer_init(&reader.lexer, text, 1);
    res = config_reader_statements(&parser, &reader);
    if (res == 0)
        *ret_top = top;
    return res;
}

int config_parse_list(const struct config_build *build, const char *name,
                      const struct config_key *key, struct span text,
                      struct config_entry *ret_entry)
{
    const struct config_place place = { .file = name };
    struct config_entry entry = { .is_set = true, .place = place };
    struct config_parser parser = { .build = build };
    struct config_reader reader = { .name = name };
    int res;

    config_lexer_init(&reader.lexer, text, 1);
    res = config_reader_next(&parser, &reader);
    CHECK(res < 0 || config_token_is(&reader.token, '{'));
    if (res == 0)
        res = parse_list(&parser, &reader, key, 1, &entry);
    if (res < 0)
        return res;
    if (reader.token.kind != CONFIG_TOKEN_END)
        return config_fail(build, place, key->name, "%s stands behind the value",
                           config_reader_shown(&parser, &reader, &reader.token));
    *ret_entry = entry;
    return 0;
}
