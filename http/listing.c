/* listing.c: listings in the two shapes that tools know: a page of links, and nginx's JSON.
 *
 * Names are any octets but '/' and NUL. Three writers make them harmless: for a link, for HTML text
 * and for a JSON string; nothing else of a name ever reaches the output. */
#include "http/listing.h"
#include "core/check.h"
#include "core/hex.h"
#include "core/list.h"
#include "core/utf8.h"
#include "http/date.h"
#include "http/target.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Years 1 to 9999: what four digits can say. */
#define TIME_MIN_S INT64_C(-62135596800)
#define TIME_MAX_S INT64_C(253402300799)

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Text that grows, fills a buffer, or is only counted. After room ran short nothing more is added,
 * and `failed` is set. */
struct text {
    enum { TEXT_GROWS, TEXT_FILLS, TEXT_COUNTS } kind;
    char *ptr;
    size_t len, cap;
    bool failed;
};

static bool has_room(struct text *t, size_t len)
{
    size_t cap = t->cap * 2 + len + 4096;
    char *grown;

    if (len <= t->cap - t->len)
        return true;
    grown = t->kind == TEXT_GROWS ? realloc(t->ptr, cap) : NULL;
    if (grown == NULL)
        return false;
    t->ptr = grown;
    t->cap = cap;
    return true;
}

static void put(struct text *t, const char *ptr, size_t len)
{
    if (t->kind == TEXT_COUNTS) {
        t->len += len;
        return;
    }
    t->failed = t->failed || !has_room(t, len);
    if (t->failed)
        return;
    memcpy(t->ptr + t->len, ptr, len);
    t->len += len;
}

static void put_str(struct text *t, const char *str)
{
    put(t, str, strlen(str));
}

static void put_number(struct text *t, uint64_t number)
{
    char digits[24];

    put(t, digits, (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number));
}

/* Writes `s` with `put_ascii` for each octet below 0x80, other UTF-8 as it is, and U+FFFD for each
 * octet that is not UTF-8. */
static void put_utf8(struct text *t, struct span s, void (*put_ascii)(struct text *, char))
{
    while (s.len > 0) {
        size_t len = utf8_char_len(s);

        if (len == 1)
            put_ascii(t, s.ptr[0]);
        else if (len > 1)
            put(t, s.ptr, len);
        else
            put_str(t, replacement);
        len = len > 0 ? len : 1;
        s.ptr += len;
        s.len -= len;
    }
}

static void put_html_ascii(struct text *t, char c)
{
    unsigned char octet = (unsigned char)c;
    char picture[] = { '\xe2', '\x90', '\x80' }; /* U+2400, the pictures of control characters */

    switch (c) {
    case '&':
        put_str(t, "&amp;");
        return;
    case '<':
        put_str(t, "&lt;");
        return;
    case '>':
        put_str(t, "&gt;");
        return;
    case '"':
        put_str(t, "&quot;");
        return;
    case '\'':
        put_str(t, "&#39;");
        return;
    default:
        break;
    }
    if (octet >= 0x20 && octet != 0x7f) {
        put(t, &c, 1);
        return;
    }
    picture[2] = (char)(octet == 0x7f ? 0xa1 : 0x80 + octet);
    put(t, picture, sizeof(picture));
}

static void put_json_ascii(struct text *t, char c)
{
    char escape[8];

    if (c == '"' || c == '\\') {
        put(t, "\\", 1);
        put(t, &c, 1);
    } else if ((unsigned char)c >= 0x20 && c != 0x7f) {
        put(t, &c, 1);
    } else {
        put(t, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)c));
    }
}

/* Percent-encodes all but the unreserved characters (RFC 3986 section 2.3). */
static void put_link(struct text *t, const char *name)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";

    while (*name != '\0') {
        size_t len = strspn(name, unreserved);
        char escape[3] = { '%' };

        put(t, name, len);
        name += len;
        if (*name == '\0')
            return;
        hex_put(escape + 1, (unsigned char)*name++);
        put(t, escape, sizeof(escape));
    }
}

/* "2026-11-22 12:00", UTC. */
static void put_minute(struct text *t, int64_t seconds)
{
    time_t clamped = seconds < TIME_MIN_S   ? TIME_MIN_S
                     : seconds > TIME_MAX_S ? TIME_MAX_S
                                            : seconds;
    struct tm tm;
    char date[80];

    MUST(gmtime_r(&clamped, &tm) != NULL);
    put(t, date,
        (size_t)snprintf(date, sizeof(date), "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900,
                         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min));
}

static const char html_style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--line:#d8dee4;--dim:#59636e;--link:#0757ba;--hover:#f4f6f8}\n"
    "@media(prefers-color-scheme:dark){:root{--line:#343b44;--dim:#9aa4af;--link:#79b8ff;"
    "--hover:#1f252c}body{background:#14181d;color:#e6e9ec}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem 1rem}\n"
    "h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere;white-space:pre-wrap}\n"
    "table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.35rem .5rem;border-bottom:1px solid var(--line);text-align:left}\n"
    "th{font-weight:600;color:var(--dim)}\n"
    "th:first-child{width:100%}\n"
    "td+td,th+th{white-space:nowrap;color:var(--dim);text-align:right}\n"
    "tr:hover td{background:var(--hover)}\n"
    "a{color:var(--link);text-decoration:none;overflow-wrap:anywhere;white-space:pre-wrap;"
    "unicode-bidi:isolate}\n"
    "a:hover{text-decoration:underline}\n"
    "@media(max-width:36rem){td+td+td,th+th+th{display:none}}\n"
    "</style>\n";

static void put_html_head(struct text *t, struct span path)
{
    put_str(t, "<!DOCTYPE html>\n"
               "<html lang=\"en\">\n"
               "<head>\n"
               "<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<title>Index of ");
    put_utf8(t, path, put_html_ascii);
    put_str(t, "</title>\n");
    put_str(t, html_style);
    put_str(t, "</head>\n"
               "<body>\n"
               "<h1>Index of ");
    put_utf8(t, path, put_html_ascii);
    put_str(t, "</h1>\n"
               "<table>\n"
               "<thead><tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr></thead>\n"
               "<tbody>\n");
    if (!span_eq(path, SPAN_LIT("/")))
        put_str(t, "<tr><td><a href=\"../\">../</a></td><td>-</td><td>-</td></tr>\n");
}

static void put_html_row(struct text *t, const struct dir_item *item)
{
    const char *slash = item->is_dir ? "/" : "";

    /* "./" so that a name such as "javascript:x" is no scheme and "//x" no authority. */
    put_str(t, "<tr><td><a href=\"./");
    put_link(t, item->name);
    put_str(t, slash);
    put_str(t, "\">");
    put_utf8(t, span_str(item->name), put_html_ascii);
    put_str(t, slash);
    put_str(t, "</a></td><td>");
    if (item->is_dir || item->forbidden)
        put_str(t, "-");
    else
        put_number(t, item->size);
    put_str(t, "</td><td>");
    if (item->forbidden)
        put_str(t, "-");
    else
        put_minute(t, item->mtime_s);
    put_str(t, "</td></tr>\n");
}

static void put_json_item(struct text *t, const struct dir_item *item)
{
    char date[HTTP_DATE_LEN + 1];

    put_str(t, "{ \"name\":\"");
    put_utf8(t, span_str(item->name), put_json_ascii);
    put_str(t, item->is_dir ? "\", \"type\":\"directory\"" : "\", \"type\":\"file\"");
    if (!item->forbidden) {
        put_str(t, ", \"mtime\":\"");
        http_date_format(item->mtime_s, date);
        put(t, date, HTTP_DATE_LEN);
        put_str(t, "\"");
    }
    if (!item->is_dir && !item->forbidden) {
        put_str(t, ", \"size\":");
        put_number(t, item->size);
    }
    put_str(t, " }");
}

/* A listing's parts: what comes first, its items, what comes last. */
static size_t parts_of(const struct dir_listing *listing)
{
    return listing->count + 2;
}

static void put_part(struct text *t, const struct dir_listing *listing, struct span path,
                     enum http_listing_format format, size_t part)
{
    bool html = format == HTTP_LISTING_HTML;

    if (part == 0 && html) {
        put_html_head(t, path);
    } else if (part == 0) {
        put_str(t, "[");
    } else if (part > listing->count) {
        put_str(t, html ? "</tbody>\n</table>\n</body>\n</html>\n" : "\n]\n");
    } else if (html) {
        put_html_row(t, &listing->items[part - 1]);
    } else {
        put_str(t, part > 1 ? ",\n" : "\n");
        put_json_item(t, &listing->items[part - 1]);
    }
}

int http_listing_render(const struct dir_listing *listing, struct span path,
                        enum http_listing_format format, char **ret_text, size_t *ret_len)
{
    struct text t = { .kind = TEXT_GROWS };

    for (size_t part = 0; part < parts_of(listing); part++)
        put_part(&t, listing, path, format, part);
    if (t.failed) {
        free(t.ptr);
        return -ENOMEM;
    }
    *ret_text = t.ptr;
    *ret_len = t.len;
    return 0;
}

/* ---- a long one ---- */

#define HTTP_LISTING_MAGIC 0x115712e5u

enum { COUNTED_AT_ONCE = 4096 }; /* parts */

struct http_listing {
    unsigned magic;
    struct file_source source;
    struct dir_listing *found;
    enum http_listing_format format;
    bool counted;
    size_t next; /* part to be counted, and then to be made */
    uint64_t len;
    size_t size, *total;
    size_t path_len;
    char path[];
};

static int count_some(struct http_listing *l)
{
    struct text t = { .kind = TEXT_COUNTS };
    size_t end = parts_of(l->found);

    if (end - l->next > COUNTED_AT_ONCE)
        end = l->next + COUNTED_AT_ONCE;
    for (; l->next < end; l->next++)
        put_part(&t, l->found, span_make(l->path, l->path_len), l->format, l->next);
    l->len += t.len;
    l->counted = end == parts_of(l->found);
    if (l->counted)
        l->next = 0;
    return !l->counted;
}

static int read_some(struct file_source *source, void *mem, size_t len)
{
    struct http_listing *l = container_of(source, struct http_listing, source);
    struct text t = { .kind = TEXT_FILLS, .ptr = mem, .cap = len };
    size_t whole = 0;

    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(l->found != NULL && (mem != NULL) == l->counted);
    if (mem == NULL)
        return count_some(l);
    for (; l->next < parts_of(l->found); l->next++) {
        put_part(&t, l->found, span_make(l->path, l->path_len), l->format, l->next);
        if (t.failed)
            break;
        whole = t.len;
    }
    return (int)whole;
}

struct http_listing *http_listing_create(struct span path, enum http_listing_format format,
                                         size_t *total)
{
    /* The longest part is the head of a page, in which an octet of the path takes up to six, twice.
     */
    static_assert(2 * 6 * HTTP_PATH_MAX + sizeof(html_style) + 1024 <= HTTP_LISTING_PIECE_MIN,
                  "each part must fit into a piece");
    struct http_listing *l = malloc(sizeof(*l) + path.len);

    if (l == NULL)
        return NULL;
    *l = (struct http_listing){ .magic = HTTP_LISTING_MAGIC,
                                .source = { read_some },
                                .format = format,
                                .total = total,
                                .path_len = path.len };
    memcpy(l->path, path.ptr, path.len);
    return l;
}

void http_listing_charge(struct http_listing *l, size_t size)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(*l->total >= l->size);
    *l->total += size - l->size;
    l->size = size;
}

size_t http_listing_size(const struct http_listing *l)
{
    return l->size;
}

void http_listing_fill(struct http_listing *l, struct dir_listing *found)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(l->found == NULL);
    l->found = found;
}

enum http_listing_format http_listing_format(const struct http_listing *l)
{
    return l->format;
}

struct file_source *http_listing_source(struct http_listing *l)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    return &l->source;
}

uint64_t http_listing_len(const struct http_listing *l)
{
    CHECK(l->counted);
    return l->len;
}

void http_listing_free(struct http_listing *l)
{
    if (l == NULL)
        return;
    http_listing_charge(l, 0);
    dir_listing_free(l->found);
    l->magic = 0;
    free(l);
}
