/* config_printer.h: settings, lists and blocks as server.conf has them, indented. What of a
 * configuration is written says config_print.c. */
#ifndef CONFIG_CONFIG_PRINTER_H
#define CONFIG_CONFIG_PRINTER_H

#include "config/config_keys.h"

#include <stddef.h>
#include <stdio.h>

struct printer {
    FILE *out;
    int indent;
    size_t items; /* in the list so far */
};

/* A text between its quotes: what config_lex.c wants escaped in a string is. */
void printer_escaped(struct printer *printer, const char *text);

/* "name = ", indented; the value and the end of the line are the caller's. */
void printer_name(struct printer *printer, const char *name);

/* A whole line, with `text` as a string. */
void printer_setting(struct printer *printer, const char *name, const char *text);

/* Begins a block, such as `location exact "/a" {`; `word` may be empty. */
void printer_block(struct printer *printer, enum config_block_kind kind, const char *word,
                   const char *title);
void printer_block_end(struct printer *printer);

/* A list: begun, an element made of three texts at a time, and ended. */
void printer_list_begin(struct printer *printer, const char *name);
void printer_list_item(struct printer *printer, const char *first, const char *between,
                       const char *second);
void printer_list_end(struct printer *printer);

/* A whole list. */
void printer_list(struct printer *printer, const char *name, char **texts, size_t count);

#endif
