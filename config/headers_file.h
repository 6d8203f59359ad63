/* headers_file.h: the text of a file _headers, as Netlify and Cloudflare Pages have it, made into
 * blocks of header fields. Pure.
 *
 *   # a comment
 *   /docs/v*                      what follows is for these paths; '*' stands for anything, and
 *     Cache-Control: max-age=9    :name for a segment or a part of one
 *     ! X-Frame-Options           no field of that name
 *   https://a.example/docs/x      for one host alone; in a host, too, '*' and :name may stand
 *
 * Nothing in it is an error: a line that means nothing, or that may not be, is left out and told.
 */
#ifndef CONFIG_HEADERS_FILE_H
#define CONFIG_HEADERS_FILE_H

#include "config/config.h"
#include "config/headers_host.h"

enum {
    HEADERS_FILE_LINE_MAX = 2000, /* octets of a line; a longer one is left out */
    HEADERS_FILE_GROUPS_MAX = 9,  /* '*' and :names in one path */
};

/* Who is told of a line, counted from 1, and what is wrong with it, a whole sentence without an
 * end:
 * "\"/a\" ...". The text is valid during the call alone. */
struct headers_file_told {
    void (*tell)(void *context, size_t line, const char *what);
    void *context;
};

/* Parses `text`, which is not kept, into the arena; `scratch` may go when it is done. At most
 * `rules_max` paths; what is behind them is left out. Lines for a host hold if it is each of
 * `hosts`, and are nobody's if it is none of them. NULL in *ret_blocks: there are none. 0 or
 * -ENOMEM. Notes in *ret_hosts whether some lines are for a host, and in *ret_regex whether some
 * pattern is an expression, else leaves it. */
int headers_file_parse(struct arena *arena, struct arena *scratch, struct span text,
                       size_t rules_max, const struct headers_file_hosts *hosts,
                       const struct headers_file_told *told,
                       const struct header_blocks **ret_blocks, bool *ret_hosts, bool *ret_regex);

#endif
