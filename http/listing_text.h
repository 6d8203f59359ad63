/* listing_text.h: text that grows, fills a buffer or is only counted, and the writers that make
 * names harmless in it: for a link, for HTML, for a JSON string. For listings alone. Pure. */
#ifndef HTTP_LISTING_TEXT_H
#define HTTP_LISTING_TEXT_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After room ran short nothing more is added, and `failed` is set. */
struct listing_text {
    enum { LISTING_GROWS, LISTING_FILLS, LISTING_COUNTS } kind;
    char *ptr; /* GROWS: malloc(3)ed, the caller's; FILLS: the buffer */
    size_t len, cap;
    bool failed;
};

void listing_put(struct listing_text *t, const char *ptr, size_t len);
void listing_put_str(struct listing_text *t, const char *str);
void listing_put_number(struct listing_text *t, uint64_t number);

/* As text or as the value of an attribute in quotes: octets that are not UTF-8 as U+FFFD, control
 * characters as their pictures (U+2400 and following). */
void listing_put_html(struct listing_text *t, struct span s);

/* Likewise, of several lines: line ends and tabs stay what they are, a CR before a LF goes. */
void listing_put_html_lines(struct listing_text *t, struct span s);

/* What stands between the quotes of a JSON string. */
void listing_put_json(struct listing_text *t, struct span s);

/* All but the unreserved characters (RFC 3986 section 2.3) percent-encoded. */
void listing_put_link(struct listing_text *t, struct span s);

/* "512 B", "1.2 KiB", "12 MiB": of 1024, with a decimal below 10. */
void listing_put_size(struct listing_text *t, uint64_t size);

/* "2026-11-22 12:00", UTC; `iso`: "2026-11-22T12:00:59Z". Years before 1 and after 9999 are 1 and
 * 9999. */
void listing_put_time(struct listing_text *t, int64_t seconds, bool iso);

#endif
