/* config_lex.c: one function for each kind of token. */
#include "config/config_lex.h"
#include "core/check.h"

#include <string.h>

/* What ends a word, beside blanks; and what is refused in one: it begins a comment or a string, or
 * would soon be taken for a pattern, or for += . */
#define MARKS        "={}(),"
#define QUOTE_NEEDED "#\"'*+"

void config_lexer_init(struct config_lexer *lexer, struct span text, int line)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    lexer->at = text.ptr;
    lexer->end = text.ptr + text.len;
    lexer->line = line;
    if (text.len >= 3 && memcmp(text.ptr, byte_order_mark, 3) == 0)
        lexer->at += 3;
    lexer->line_start = lexer->at;
}

bool config_token_is(const struct config_token *token, char mark)
{
    return token->kind == CONFIG_TOKEN_MARK && token->text.ptr[0] == mark;
}

bool config_token_is_value(const struct config_token *token)
{
    return token->kind == CONFIG_TOKEN_WORD || token->kind == CONFIG_TOKEN_STRING;
}

const char *config_token_shown(struct arena *arena, const struct config_token *token)
{
    static const int len_max = 60;
    int len = token->text.len > (size_t)len_max ? len_max : (int)token->text.len;
    const char *text;

    CHECK(token->kind != CONFIG_TOKEN_END && token->kind != CONFIG_TOKEN_BAD);
    text = arena_printf(arena, token->kind == CONFIG_TOKEN_STRING ? "%.*s" : "\"%.*s\"", len,
                        token->text.ptr);
    return text != NULL ? text : "this";
}

const char *config_token_value(struct arena *arena, const struct config_token *token)
{
    const char *at = token->text.ptr, *end = at + token->text.len;
    char quote = *at, *value, *out;

    CHECK(config_token_is_value(token));
    if (token->kind == CONFIG_TOKEN_WORD)
        return arena_strndup(arena, at, token->text.len);
    value = out = arena_alloc(arena, token->text.len);
    if (value == NULL)
        return NULL;
    /* What may stand behind a backslash between " and " has been looked at by lex_string(). */
    for (at++, end--; at < end; at++) {
        if (*at == '\\' && (quote == '"' || at[1] == '\'' || at[1] == '\\'))
            at++;
        *out++ = *at;
    }
    return value; /* shorter by the quotes, of zeros */
}

/* Does the text go on with this character? strchr(3) alone would find the NUL of `set`. */
static bool at_one_of(const struct config_lexer *lexer, const char *set)
{
    return lexer->at < lexer->end && *lexer->at != '\0' && strchr(set, *lexer->at) != NULL;
}

static bool at_pair(const struct config_lexer *lexer, char first, char second)
{
    return lexer->end - lexer->at >= 2 && lexer->at[0] == first && lexer->at[1] == second;
}

/* A character that may stand in a comment or a string. */
static bool is_text(char c)
{
    return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t';
}

static struct config_token token_make(const struct config_lexer *lexer, enum config_token_kind kind,
                                      const char *start)
{
    return (struct config_token){ .kind = kind,
                                  .text = span_make(start, (size_t)(lexer->at - start)),
                                  .line = lexer->line,
                                  .column = (int)(start - lexer->line_start) + 1 };
}

/* `lexer` stays where the fault is. */
static struct config_token token_bad(const struct config_lexer *lexer, const char *what)
{
    return (struct config_token){ .kind = CONFIG_TOKEN_BAD,
                                  .text = span_make(lexer->at, 0),
                                  .line = lexer->line,
                                  .column = (int)(lexer->at - lexer->line_start) + 1,
                                  .what = what };
}

static void take_newline(struct config_lexer *lexer)
{
    lexer->line++;
    lexer->line_start = ++lexer->at;
}

/* Skips a comment that has an end of its own, or tells that it lacks it. */
static const char *skip_comment(struct config_lexer *lexer)
{
    const struct config_lexer start = *lexer;

    for (lexer->at += 2; lexer->at < lexer->end && !at_pair(lexer, '*', '/');) {
        if (*lexer->at == '\n')
            take_newline(lexer);
        else
            lexer->at++;
    }
    if (lexer->at == lexer->end) {
        *lexer = start;
        return "this comment has no end, */ is missing";
    }
    lexer->at += 2;
    return NULL;
}

/* Skips blanks, ends of lines and comments. NULL, or what is wrong. */
static const char *skip_blanks(struct config_lexer *lexer)
{
    while (lexer->at < lexer->end) {
        if (at_pair(lexer, '\r', '\n'))
            lexer->at++;
        if (*lexer->at == '\n') {
            take_newline(lexer);
        } else if (*lexer->at == ' ' || *lexer->at == '\t') {
            lexer->at++;
        } else if (*lexer->at == '#' || at_pair(lexer, '/', '/')) {
            const char *newline = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));

            lexer->at = newline != NULL ? newline : lexer->end;
        } else if (at_pair(lexer, '/', '*')) {
            const char *what = skip_comment(lexer);

            if (what != NULL)
                return what;
        } else {
            return NULL;
        }
    }
    return NULL;
}

/* A string ends on its line: a quote that was forgotten is reported where it was. */
static struct config_token lex_string(struct config_lexer *lexer)
{
    const char *start = lexer->at;
    struct config_lexer here = *lexer;
    char quote = *start;

    for (lexer->at++; lexer->at < lexer->end && *lexer->at != quote; lexer->at++) {
        const char *at = lexer->at;
        char next = at + 1 < lexer->end ? at[1] : '\0';

        if (*at == '\n' || at_pair(lexer, '\r', '\n'))
            break;
        here.at = at;
        *lexer = here;
        if (!is_text(*at))
            return token_bad(lexer, "a control character stands in a string");
        if (quote == '"' && at_pair(lexer, '$', '{'))
            return token_bad(lexer, "${...} has no meaning here; write \\${ for the characters "
                                    "themselves");
        if (*at == '\\' && quote == '"' && (next == '\0' || strchr("\"\\$", next) == NULL))
            return token_bad(lexer, "a backslash in a string must be followed by \", \\ or $; "
                                    "write \\\\ for the character itself");
        if (*at == '\\' && (quote == '"' || next == '\'' || next == '\\'))
            lexer->at++;
    }
    if (lexer->at == lexer->end || *lexer->at != quote) {
        lexer->at = start;
        return token_bad(lexer, "a string has no closing quote on its line");
    }
    lexer->at++;
    return token_make(lexer, CONFIG_TOKEN_STRING, start);
}

static struct config_token lex_word(struct config_lexer *lexer)
{
    const char *start = lexer->at;

    while (lexer->at < lexer->end && *lexer->at != ' ' && is_text(*lexer->at) &&
           *lexer->at != '\t' && !at_one_of(lexer, MARKS QUOTE_NEEDED))
        lexer->at++;
    if (at_one_of(lexer, QUOTE_NEEDED))
        return token_bad(lexer, "a value that holds any of # \" ' * + needs quotes around all of "
                                "it");
    if (lexer->at == start)
        return token_bad(lexer, "a control character stands here");
    return token_make(lexer, CONFIG_TOKEN_WORD, start);
}

struct config_token config_lexer_next(struct config_lexer *lexer)
{
    const char *what = skip_blanks(lexer);

    if (what != NULL)
        return token_bad(lexer, what);
    if (lexer->at == lexer->end)
        return token_make(lexer, CONFIG_TOKEN_END, lexer->at);
    if (*lexer->at == '"' || *lexer->at == '\'')
        return lex_string(lexer);
    if (at_pair(lexer, '+', '='))
        return token_bad(lexer, "+= is not known here; a list is given as a whole with =");
    if (at_one_of(lexer, MARKS) || at_pair(lexer, '~', '*')) {
        const char *start = lexer->at;

        lexer->at += *start == '~' ? 2 : 1;

        return token_make(lexer, CONFIG_TOKEN_MARK, start);
    }
    return lex_word(lexer);
}
