/* map_lines.h: a file of a map's values, as nginx includes them: `key value;`, or a line each
 * without the ';', as tables come out of spreadsheets. Pure.
 *
 *   # a comment
 *   /old            /new;
 *   "/with blanks"  '/without';   # quotes of either kind
 *   ~^/a/(.+)$      /b/$1;        # a key that begins with ~ or ~* is a regular expression
 *   \~literal       /c;           # a backslash in front: the key itself
 *   default         /d;
 *
 * A backslash stands before '"', ''' and '\' for these, as t, r and n behind it for TAB, CR and LF,
 * and is otherwise a character like others. */
#ifndef MATCH_MAP_LINES_H
#define MATCH_MAP_LINES_H

#include "core/span.h"

#include <stddef.h>

/* Octets of a key, and of a value, without quotes. */
enum { MAP_KEY_MAX = 4096, MAP_VALUE_MAX = 4096 };

struct map_line {
    struct span key, value; /* quotes and escapes gone; valid until the next line is asked for */
    size_t number;          /* of the line that it begins in, counted from 1 */
};

/* Where the reading is. */
struct map_reader {
    struct span left;
    size_t number;    /* of the line that `left` begins in */
    const char *what; /* after a refusal: what is wrong with that line, the end of a sentence */
    char key[MAP_KEY_MAX], value[MAP_VALUE_MAX];
};

/* Begins with `text`, which is borrowed. */
void map_reader_init(struct map_reader *reader, struct span text);

/* Reads the next entry: 1; 0 behind the last; or -EINVAL, reader->number and reader->what. */
int map_reader_next(struct map_reader *reader, struct map_line *ret_line);

#endif
