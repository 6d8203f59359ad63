/* listing_text.c: names are any octets but '/' and NUL. Three writers make them harmless: for a
 * link, for HTML and for a JSON string; nothing else of a name ever reaches the output of a
 * listing. */
#include "http/listing_text.h"

#include "core/check.h"
#include "core/hex.h"
#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Years 1 to 9999: what four digits can say. */
#define TIME_MIN_S INT64_C(-62135596800)
#define TIME_MAX_S INT64_C(253402300799)

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool has_room(struct listing_text *t, size_t len)
{
    size_t cap = t->cap * 2 + len + 4096;
    char *grown;

    if (len <= t->cap - t->len)
        return true;
    grown = t->kind == LISTING_GROWS ? realloc(t->ptr, cap) : NULL;
    if (grown == NULL)
        return false;
    t->ptr = grown;
    t->cap = cap;
    return true;
}

void listing_put(struct listing_text *t, const char *ptr, size_t len)
{
    if (t->kind == LISTING_COUNTS) {
        t->len += len;
        return;
    }
    t->failed = t->failed || !has_room(t, len);
    if (t->failed)
        return;
    memcpy(t->ptr + t->len, ptr, len);
    t->len += len;
}

void listing_put_str(struct listing_text *t, const char *str)
{
    listing_put(t, str, strlen(str));
}

void listing_put_number(struct listing_text *t, uint64_t number)
{
    char digits[24];

    listing_put(t, digits, (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number));
}

/* Writes `s` with `put_ascii` for each octet below 0x80, other UTF-8 as it is, and U+FFFD for each
 * octet that is not UTF-8. */
static void put_utf8(struct listing_text *t, struct span s,
                     void (*put_ascii)(struct listing_text *, char))
{
    while (s.len > 0) {
        size_t len = utf8_char_len(s);

        if (len == 1)
            put_ascii(t, s.ptr[0]);
        else if (len > 1)
            listing_put(t, s.ptr, len);
        else
            listing_put_str(t, replacement);
        len = len > 0 ? len : 1;
        s.ptr += len;
        s.len -= len;
    }
}

static void put_html_ascii(struct listing_text *t, char c)
{
    unsigned char octet = (unsigned char)c;
    char picture[] = { '\xe2', '\x90', '\x80' }; /* U+2400, the pictures of control characters */

    switch (c) {
    case '&':
        listing_put_str(t, "&amp;");
        return;
    case '<':
        listing_put_str(t, "&lt;");
        return;
    case '>':
        listing_put_str(t, "&gt;");
        return;
    case '"':
        listing_put_str(t, "&quot;");
        return;
    case '\'':
        listing_put_str(t, "&#39;");
        return;
    default:
        break;
    }
    if (octet >= 0x20 && octet != 0x7f) {
        listing_put(t, &c, 1);
        return;
    }
    picture[2] = (char)(octet == 0x7f ? 0xa1 : 0x80 + octet);
    listing_put(t, picture, sizeof(picture));
}

static void put_json_ascii(struct listing_text *t, char c)
{
    char escape[8];

    if (c == '"' || c == '\\') {
        listing_put(t, "\\", 1);
        listing_put(t, &c, 1);
    } else if ((unsigned char)c >= 0x20 && c != 0x7f) {
        listing_put(t, &c, 1);
    } else {
        listing_put(t, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)c));
    }
}

static void put_line_ascii(struct listing_text *t, char c)
{
    if (c == '\n' || c == '\t')
        listing_put(t, &c, 1);
    else
        put_html_ascii(t, c);
}

void listing_put_html(struct listing_text *t, struct span s)
{
    put_utf8(t, s, put_html_ascii);
}

void listing_put_html_lines(struct listing_text *t, struct span s)
{
    while (s.len > 0) {
        const char *end = memmem(s.ptr, s.len, "\r\n", 2);
        size_t len = end != NULL ? (size_t)(end - s.ptr) : s.len;

        put_utf8(t, span_make(s.ptr, len), put_line_ascii);
        len += end != NULL;
        s.ptr += len;
        s.len -= len;
    }
}

void listing_put_json(struct listing_text *t, struct span s)
{
    put_utf8(t, s, put_json_ascii);
}

void listing_put_link(struct listing_text *t, struct span s)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";

    while (s.len > 0) {
        size_t len = 0;
        char escape[3] = { '%' };

        while (len < s.len && s.ptr[len] != '\0' && strchr(unreserved, s.ptr[len]) != NULL)
            len++;
        listing_put(t, s.ptr, len);
        if (len == s.len)
            return;
        hex_put(escape + 1, (unsigned char)s.ptr[len]);
        listing_put(t, escape, sizeof(escape));
        s.ptr += len + 1;
        s.len -= len + 1;
    }
}

void listing_put_size(struct listing_text *t, uint64_t size)
{
    static const char units[] = "KMGTPE";
    uint64_t tenths;
    size_t unit = 0;
    char text[40];
    int len;

    if (size < 1024) {
        listing_put_number(t, size);
        listing_put_str(t, " B");
        return;
    }
    while (size >> 10 >= 1024 && unit + 1 < sizeof(units) - 1) {
        size >>= 10;
        unit++;
    }
    tenths = (size * 10 + 512) >> 10;
    if (tenths >= 10240 && unit + 1 < sizeof(units) - 1) { /* 1023.96 KiB is 1.0 MiB */
        tenths = 10;
        unit++;
    }
    if (tenths < 100)
        len = snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 " %ciB", tenths / 10, tenths % 10,
                       units[unit]);
    else
        len = snprintf(text, sizeof(text), "%" PRIu64 " %ciB", (size + 512) >> 10, units[unit]);
    listing_put(t, text, (size_t)len);
}

void listing_put_time(struct listing_text *t, int64_t seconds, bool iso)
{
    time_t clamped = seconds < TIME_MIN_S   ? TIME_MIN_S
                     : seconds > TIME_MAX_S ? TIME_MAX_S
                                            : seconds;
    struct tm tm;
    char date[96];
    int len;

    MUST(gmtime_r(&clamped, &tm) != NULL);
    len = snprintf(date, sizeof(date), "%04d-%02d-%02d%c%02d:%02d", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, iso ? 'T' : ' ', tm.tm_hour, tm.tm_min);
    if (iso)
        len += snprintf(date + len, sizeof(date) - (size_t)len, ":%02dZ", tm.tm_sec);
    listing_put(t, date, (size_t)len);
}
