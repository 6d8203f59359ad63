/* redirect_lines.h: the lines of a `_redirects` file, as Netlify and Cloudflare have it. Pure.
 *
 *   # a comment
 *   /old               /new            # moved; 301 where nothing is said
 *   /news/:year/:day   /:day/:year     302
 *   /store  id=:id     /blog/:id       301!
 *
 * A line that cannot be taken is left out, and the reading goes on: the file comes with a site, and
 * a slip in it must not keep the server from starting. */
#ifndef MATCH_REDIRECT_LINES_H
#define MATCH_REDIRECT_LINES_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    REDIRECT_LINE_MAX = 4096, /* octets */
    REDIRECT_PARAMS_MAX = 8,  /* parameters of the query in one rule */
};

struct redirect_line {
    struct span from, to;                    /* borrow the text; `to` empty: none is said */
    struct span params[REDIRECT_PARAMS_MAX]; /* "id=:id" */
    size_t params_count;
    int status;    /* 200, 301, 302, 303, 307, 308, 404, 410 */
    bool force;    /* '!': even where there is a file */
    size_t number; /* of the line, counted from 1 */
};

/* Where the reading is. */
struct redirect_reader {
    struct span left;
    size_t number;    /* of the line read last */
    const char *what; /* after a refusal: the end of a sentence that begins with the line; static */
};

/* Begins with `text`, which is borrowed. */
void redirect_reader_init(struct redirect_reader *reader, struct span text);

/* Reads the next rule: 1; 0 behind the last; or -EINVAL: reader->number is left out, since it
 * reader->what; and the next call goes on behind it. */
int redirect_reader_next(struct redirect_reader *reader, struct redirect_line *ret_line);

#endif
