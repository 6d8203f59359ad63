/* config_include.c: include statements: a file, or those that match a pattern, in this place. */
#include "core/check.h"
#include "config/config_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FAIL_AT(token, ...)                                                                        \
    config_fail(parser->build, config_reader_place(reader, token), "include", __VA_ARGS__)
#define FAIL(...) FAIL_AT(&reader->token, __VA_ARGS__)

/* What begins a file that reader's file includes. */
static int reader_open(struct config_parser *parser, const struct config_reader *reader,
                       const char *text, const struct config_token *name,
                       struct config_reader *ret_inner)
{
    const struct config_build *build = parser->build;
    struct config_reader inner = { .name = text,
                                   .path =
                                       config_path(build, config_reader_place(reader, name), text),
                                   .depth = parser->depth,
                                   .includer = reader,
                                   .nesting = reader->nesting + 1 };

    if (text[0] != '/' && strchr(reader->name, '/') != NULL) {
        const char *folder = config_folder(build, reader->name);

        inner.name = folder == NULL ? NULL
                                    : arena_printf(build->scratch, "%s%s%s", folder,
                                                   strcmp(folder, "/") == 0 ? "" : "/", text);
    }
    if (inner.path == NULL || inner.name == NULL)
        return -ENOMEM;
    for (const struct config_reader *outer = reader; outer != NULL; outer = outer->includer) {
        if (strcmp(outer->path, inner.path) == 0)
            return FAIL_AT(name, "\"%s\" includes itself, directly or by others", inner.name);
    }
    if (inner.nesting > CONFIG_NESTING_MAX)
        return FAIL_AT(name, "more than %d files include one another", CONFIG_NESTING_MAX);
    if (++parser->includes > CONFIG_INCLUDES_MAX)
        return FAIL_AT(name, "more than %d files are included", CONFIG_INCLUDES_MAX);
    *ret_inner = inner;
    return 0;
}

/* Reads the file that `text` names, and parses it in this place. */
static int include_file(struct config_parser *parser, const struct config_reader *reader,
                        const char *text, const struct config_token *name)
{
    const struct config_files *files = parser->build->files;
    struct config_reader inner = { .name = NULL };
    char *contents = NULL;
    size_t len = 0;
    int res = reader_open(parser, reader, text, name, &inner);

    if (res < 0)
        return res;
    res = files->read(files->context, inner.path, &contents, &len);
    if (res < 0) {
        FAIL_AT(name, "\"%s\" cannot be read: %s", inner.name, strerror(-res));
        return res;
    }
    config_lexer_init(&inner.lexer, span_make(contents, len), 1);
    res = config_reader_statements(parser, &inner);
    free(contents);
    return res;
}

/* `text` with a backslash before all that means something in a pattern; NULL: no memory. */
static char *pattern_escape(struct arena *arena, const char *text)
{
    char *pattern = arena_array(arena, strlen(text) + 1, 2);
    char *out = pattern;

    for (; pattern != NULL && *text != '\0'; text++) {
        if (strchr("*?[\\", *text) != NULL)
            *out++ = '\\';
        *out++ = *text;
    }
    return pattern;
}

/* Includes the files that match the pattern `text`, which begins, as the name of a file would, at
 * the folder of the file that says it. None is fine: a folder of sites may be empty. */
static int include_matches(struct config_parser *parser, const struct config_reader *reader,
                           const char *text, const struct config_token *name)
{
    const struct config_build *build = parser->build;
    const struct config_files *files = build->files;
    const char *folder = config_path(build, config_reader_place(reader, name), ".");
    const char *slash = folder == NULL || strcmp(folder, "/") == 0 ? "" : "/";
    size_t skip = 0; /* octets before what is relative to the folder */
    const char *pattern = text;
    char *paths = NULL;
    size_t len = 0;
    int res = 0;

    if (folder == NULL)
        return -ENOMEM;
    if (text[0] != '/') {
        const char *escaped = pattern_escape(build->scratch, folder);

        skip = strlen(folder) + strlen(slash);
        pattern =
            escaped == NULL ? NULL : arena_printf(build->scratch, "%s%s%s", escaped, slash, text);
    }
    if (pattern == NULL)
        return -ENOMEM;
    if (files->match != NULL)
        res = files->match(files->context, pattern, &paths, &len);
    if (res < 0) {
        FAIL_AT(name, "what matches \"%s\" cannot be found: %s", text, strerror(-res));
        return res;
    }
    for (size_t at = 0; res == 0 && at < len; at += strlen(paths + at) + 1) {
        const char *found = arena_strdup(build->scratch, paths + at);

        CHECK(found == NULL || strlen(found) > skip);
        res = found == NULL ? -ENOMEM : include_file(parser, reader, found + skip, name);
    }
    free(paths);
    return res;
}

int config_include(struct config_parser *parser, struct config_reader *reader,
                   const struct config_token *name)
{
    bool in_parentheses = config_token_is(&reader->token, '(');
    const char *text;
    int res = in_parentheses ? config_reader_next(parser, reader) : 0;

    if (res < 0)
        return res;
    if (reader->token.kind != CONFIG_TOKEN_STRING || reader->token.text.len <= 2)
        return FAIL_AT(name,
                       "the name of a file, in quotes, is missing before %s; write "
                       "include(\"file\"), or include(\"folder/*.conf\") for all that match",
                       config_reader_shown(parser, reader, &reader->token));
    text = config_token_value(parser->build->scratch, &reader->token);
    if (text == NULL)
        return -ENOMEM;
    res = config_reader_next(parser, reader);
    if (res < 0)
        return res;
    if (in_parentheses && !config_token_is(&reader->token, ')'))
        return FAIL_AT(name, ") is missing before %s; write include(\"file\")",
                       config_reader_shown(parser, reader, &reader->token));
    res = strpbrk(text, "*?[") != NULL ? include_matches(parser, reader, text, name)
                                       : include_file(parser, reader, text, name);
    if (res == 0 && in_parentheses)
        res = config_reader_next(parser, reader);
    return res;
}
