/* config_lex.h: server.conf's tokens. Pure: text in, tokens out. */
#ifndef CONFIG_CONFIG_LEX_H
#define CONFIG_CONFIG_LEX_H

#include "core/arena.h"
#include "core/span.h"

#include <stdbool.h>

enum config_token_kind {
    CONFIG_TOKEN_END,
    CONFIG_TOKEN_WORD,   /* without quotes */
    CONFIG_TOKEN_STRING, /* with quotes; the text still holds them and the escapes */
    CONFIG_TOKEN_MARK,   /* one of = { } ( ) , or ~* */
    CONFIG_TOKEN_BAD     /* see `what` */
};

struct config_token {
    enum config_token_kind kind;
    struct span text;
    int line, column; /* of its first octet; both counted from 1, columns in octets */
    const char *what; /* BAD: what is wrong, a literal */
};

struct config_lexer {
    const char *at, *end;
    const char *line_start; /* of the line that `at` is in */
    int line;
};

/* Starts at the front of `text`, which is borrowed; its first line has the number `line`. */
void config_lexer_init(struct config_lexer *lexer, struct span text, int line);

/* The next token. END is repeated for ever; BAD is the last. */
struct config_token config_lexer_next(struct config_lexer *lexer);

/* Is it the mark `mark`? */
bool config_token_is(const struct config_token *token, char mark);

/* Is it a word or a string? */
bool config_token_is_value(const struct config_token *token);

/* The value of a WORD or a STRING, without quotes and escapes, in the arena; NULL: no memory. */
const char *config_token_value(struct arena *arena, const struct config_token *token);

/* The token, neither BAD nor END, as it is quoted in a sentence; a literal or in the arena. */
const char *config_token_shown(struct arena *arena, const struct config_token *token);

#endif
