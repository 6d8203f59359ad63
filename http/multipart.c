/* multipart.c: multipart/byteranges. See multipart.h. */
#include "http/multipart.h"

#include "core/check.h"
#include "core/decimal.h"

enum {
    BOUNDARY_LEN = 16, /* hexadecimal digits of 64 bits */
    PART_TEXTS = 13    /* texts of which a part's head is made, at most */
};

void http_multipart_begin(struct http_multipart *m, struct pool *pool, struct http_range *ranges,
                          size_t count, struct file_entry *entry, struct span type,
                          const char *charset, uint64_t seed)
{
    CHECK(m->entry == NULL && count > 1);
    m->entry = file_entry_ref(entry);
    m->pool = pool;
    m->ranges = ranges;
    m->next = 0;
    m->count = count;
    m->type = type;
    m->charset = charset;
    /* Need not be secret, only unlikely to stand in a file: mixed as in splitmix64. */
    uint64_t z = seed + entry->meta.ino + (uint64_t)entry->meta.mtime_ns + 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    m->boundary = z ^ z >> 31;
}

struct span http_multipart_boundary(const struct http_multipart *m, char *ret_text)
{
    for (int i = 0; i < BOUNDARY_LEN; i++)
        ret_text[i] = "0123456789abcdef"[m->boundary >> (60 - 4 * i) & 15];
    return span_make(ret_text, BOUNDARY_LEN);
}

/* What stands in front of part `i`, as texts: the delimiter and field lines; behind the last part:
 * the closing delimiter. The CRLF of a delimiter (RFC 2046 section 5.1.1) stands in front of the
 * first one, too: clients such as zsync look for all of it. They point into `boundary` and `room`.
 * Returns their number. */
static size_t part_head(const struct http_multipart *m, size_t i, struct span boundary,
                        struct decimal room[3], struct span ret_texts[PART_TEXTS])
{
    size_t count = 0;

    ret_texts[count++] = SPAN_LIT("\r\n--");
    ret_texts[count++] = boundary;
    if (i == m->count) {
        ret_texts[count++] = SPAN_LIT("--\r\n");
        return count;
    }
    ret_texts[count++] = SPAN_LIT("\r\nContent-Type: ");
    ret_texts[count++] = m->type;
    if (m->charset[0] != '\0') {
        ret_texts[count++] = SPAN_LIT("; charset=");
        ret_texts[count++] = span_str(m->charset);
    }
    ret_texts[count++] = SPAN_LIT("\r\nContent-Range: bytes ");
    ret_texts[count++] = decimal_text(m->ranges[i].first, &room[0]);
    ret_texts[count++] = SPAN_LIT("-");
    ret_texts[count++] = decimal_text(m->ranges[i].last, &room[1]);
    ret_texts[count++] = SPAN_LIT("/");
    ret_texts[count++] = decimal_text(m->entry->meta.size, &room[2]);
    ret_texts[count++] = SPAN_LIT("\r\n\r\n");
    return count;
}

static uint64_t range_len(const struct http_range *range)
{
    return range->last - range->first + 1;
}

uint64_t http_multipart_length(const struct http_multipart *m)
{
    struct span texts[PART_TEXTS], boundary = { NULL, BOUNDARY_LEN };
    struct decimal room[3];
    uint64_t len = 0;

    for (size_t i = 0; i <= m->count; i++) {
        size_t count = part_head(m, i, boundary, room, texts);

        while (count > 0)
            len += texts[--count].len;
        if (i < m->count)
            len += range_len(&m->ranges[i]);
    }
    return len;
}

bool http_multipart_put_next(struct http_multipart *m, struct http_out *out)
{
    char boundary[BOUNDARY_LEN];
    struct span texts[PART_TEXTS + 1];
    struct decimal room[3];
    size_t count = part_head(m, m->next, http_multipart_boundary(m, boundary), room, texts);

    if (m->next == m->count) {
        if (!http_out_put(out, texts, count))
            return false;
        http_multipart_end(m);
        return true;
    }
    const struct http_range *range = &m->ranges[m->next];
    uint64_t len = range_len(range);
    bool copied = m->entry->content != NULL && len <= HTTP_COPY_MAX;

    if (copied) /* so that many small parts are one segment, and leave in one send */
        texts[count++] = span_make(m->entry->content + range->first, len);
    if (!http_out_put(out, texts, count))
        return false;
    if (m->entry->content == NULL)
        http_out_add_file(out, m->entry, range->first, len);
    else if (!copied)
        http_out_add_content(out, m->entry, range->first, len);
    m->next++;
    return true;
}

void http_multipart_end(struct http_multipart *m)
{
    if (m->entry == NULL)
        return;
    file_entry_unref(m->entry);
    pool_put(m->pool, m->ranges);
    m->entry = NULL;
}
