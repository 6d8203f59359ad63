/* date.h: HTTP dates (RFC 9110 section 5.6.7). Pure: `now` is passed in. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_DATE_LEN = 29 };

/* Writes the IMF-fixdate of `seconds` since 1970 ("Sun, 06 Nov 1994 08:49:37 GMT"), HTTP_DATE_LEN
 * octets and a NUL. `seconds` outside the years 1 to 9999 is clamped to them. `ret_text` holds
 * HTTP_DATE_LEN + 1 octets. */
void http_date_format(int64_t seconds, char *ret_text);

/* Parses IMF-fixdate, RFC 850 and asctime dates, strictly (day of month within its month; the
 * weekday's name must be one, but need not be the right one). A two-digit year that seems more than
 * 50 years ahead of `now_s` is taken from the century before. False, and *ret_seconds untouched,
 * when invalid. */
bool http_date_parse(struct span text, int64_t now_s, int64_t *ret_seconds);

#endif
