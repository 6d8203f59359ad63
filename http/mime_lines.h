/* mime_lines.h: the media types that the program knows by itself, as lines of a mime.types file: a
 * type, then its extensions in lower case. No extension stands twice in both lists together. */
#ifndef HTTP_MIME_LINES_H
#define HTTP_MIME_LINES_H

#include <stddef.h>

struct mime_lines {
    const char *const *lines;
    size_t count;
};

/* What pages, players and feed readers depend on. These win over the machine's mime.types, since a
 * browser that is told not to sniff (nosniff) refuses a script, a style sheet or a stream under
 * another name. */
extern const struct mime_lines mime_pinned;

/* Other usual ones, for a machine without a mime.types file, or with one that does not know them.
 */
extern const struct mime_lines mime_builtin;

#endif
