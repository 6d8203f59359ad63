/* config_flat.h: text that libConfuse cannot misread, one token on each line, and where each token
 * came from. Written by config_scan.c, read by config_parse.c. */
#ifndef CONFIG_CONFIG_FLAT_H
#define CONFIG_CONFIG_FLAT_H

#include "config/config_build.h"
#include "config/config_lex.h"

#include <stddef.h>

struct config_flat {
    char *text;                  /* NUL-terminated; malloc(3)ed */
    struct config_place *places; /* of the token on line 1, 2, ...; malloc(3)ed */
    size_t count;                /* of them; at most CONFIG_TOKENS_MAX */
};

/* Includes multiply: stop before memory does. */
#define CONFIG_TOKENS_MAX 10000000

struct config_flat_writer;

/* 0 and a writer that config_flat_close() ends, or -ENOMEM. */
int config_flat_open(struct config_flat_writer **ret_writer);

/* Adds one token: a WORD is quoted, so that libConfuse's own idea of words does not matter. 0,
 * -ENOMEM, or -E2BIG at CONFIG_TOKENS_MAX. */
int config_flat_add(struct config_flat_writer *writer, const struct config_token *token,
                    struct config_place place);

/* Likewise, the title of a block, behind its opening brace: as if it were a key in it, of the name
 * CONFIG_FLAT_TITLE, with the place where the block begins. What libConfuse itself calls a title is
 * looked for among all blocks before it (their number squared), and it forgets where a block
 * began. */
#define CONFIG_FLAT_TITLE "title"
int config_flat_add_title(struct config_flat_writer *writer, const struct config_token *token,
                          struct config_place place);

/* Ends the writer. 0 and what was written, which the caller owns (config_flat_free()), or -ENOMEM.
 * With NULL for `ret_flat` it is thrown away. */
int config_flat_close(struct config_flat_writer *writer, struct config_flat *ret_flat);

void config_flat_free(struct config_flat *flat);

#endif
