/* config_reader.h: what is known while a configuration is parsed: shared by config_parse.c and
 * config_include.c, and by nobody else. */
#ifndef CONFIG_CONFIG_READER_H
#define CONFIG_CONFIG_READER_H

#include "config/config_lex.h"
#include "config/config_parse.h"

enum {
    CONFIG_DEPTH_MAX = 4,        /* top, server, location, cache: blocks nest no deeper */
    CONFIG_NESTING_MAX = 8,      /* files that include one another */
    CONFIG_INCLUDES_MAX = 10000, /* files in all */
};

/* One configuration. */
struct config_parser {
    const struct config_build *build;
    struct config_block *blocks[CONFIG_DEPTH_MAX]; /* those that are open, the top level first */
    size_t depth;                                  /* index of the innermost */
    size_t includes;                               /* files included so far */
    size_t tokens;                                 /* so far */
};

/* One text of it. */
struct config_reader {
    const char *name;
    const char *path; /* absolute; NULL: it is no file */
    struct config_lexer lexer;
    struct config_token token;    /* the one looked at */
    const struct config_key *key; /* the last that got a value, not a list; or NULL */
    int key_line;
    size_t depth; /* of blocks when it began: it must close what it opens */
    const struct config_reader *includer;
    size_t nesting; /* how many files are open around it */
};

/* Takes the next token. 0, or -EINVAL and a sentence. */
int config_reader_next(struct config_parser *parser, struct config_reader *reader);

/* Where the token is. */
struct config_place config_reader_place(const struct config_reader *reader,
                                        const struct config_token *token);

/* The token as it is quoted in a sentence. */
const char *config_reader_shown(const struct config_parser *parser,
                                const struct config_reader *reader,
                                const struct config_token *token);

/* Reads a file's statements, to its end, into the innermost block. 0, or -errno and a sentence. */
int config_reader_statements(struct config_parser *parser, struct config_reader *reader);

/* Reads the second title of a map, `map "$uri" "$new" {`, into the block; looks at it, and leaves
 * behind it. 0 or -errno and a sentence. */
int config_map_title(struct config_parser *parser, struct config_reader *reader,
                     struct config_block *map);

/* Does the token begin an entry of a map: a string, `default`, or the word of an expression? */
bool config_map_is_pair(const struct config_token *token);

/* Reads the entry, `"key" = "value"`, into the innermost block, which is a map; looks at its first
 * token, and leaves behind it. 0 or -errno and a sentence. */
int config_map_pair(struct config_parser *parser, struct config_reader *reader);

/* Reads an include statement, whose name is `name`; looks at the token behind that, and leaves
 * behind the statement. 0, or -errno and a sentence. */
int config_include(struct config_parser *parser, struct config_reader *reader,
                   const struct config_token *name);

#endif
