/* multipart.c: multipart/byteranges. See multipart.h. */
#include "http/multipart.h"

#include "core/check.h"

#include <stdio.h>

void http_multipart_begin(struct http_multipart *m, struct file_entry *entry, size_t count,
                          struct span type, const char *charset, uint64_t seed)
{
    CHECK(m->entry == NULL && count > 1 && count <= HTTP_RANGES_MAX);
    m->entry = file_entry_ref(entry);
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

/* The delimiter and field lines in front of part `i`; behind the last part: the closing delimiter.
 */
static size_t format_delimiter(const struct http_multipart *m, size_t i, char *text, size_t cap)
{
    int n;
    if (i == m->count) {
        n = snprintf(text, cap, "\r\n--%016llx--\r\n", (unsigned long long)m->boundary);
    } else {
        const struct http_range *range = &m->ranges[i];
        n = snprintf(text, cap,
                     "%s--%016llx\r\nContent-Type: %.*s%s%.40s\r\n"
                     "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
                     i == 0 ? "" : "\r\n", (unsigned long long)m->boundary, (int)m->type.len,
                     m->type.ptr, m->charset[0] != '\0' ? "; charset=" : "", m->charset,
                     (unsigned long long)range->first, (unsigned long long)range->last,
                     (unsigned long long)m->entry->meta.size);
    }
    CHECK(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

uint64_t http_multipart_length(const struct http_multipart *m)
{
    char text[1024];
    uint64_t len = 0;
    for (size_t i = 0; i < m->count; i++)
        len +=
            format_delimiter(m, i, text, sizeof(text)) + m->ranges[i].last - m->ranges[i].first + 1;
    return len + format_delimiter(m, m->count, text, sizeof(text));
}

bool http_multipart_put_next(struct http_multipart *m, struct http_out *out)
{
    char text[1024];
    struct span delimiter = { text, format_delimiter(m, m->next, text, sizeof(text)) };
    if (!http_out_put(out, &delimiter, 1))
        return false;
    if (m->next == m->count) {
        http_multipart_end(m);
        return true;
    }
    const struct http_range *range = &m->ranges[m->next++];
    uint64_t len = range->last - range->first + 1;
    if (m->entry->content != NULL)
        http_out_add_content(out, m->entry, range->first, len);
    else
        http_out_add_file(out, m->entry, range->first, len);
    return true;
}

void http_multipart_end(struct http_multipart *m)
{
    if (m->entry != NULL)
        file_entry_unref(m->entry);
    m->entry = NULL;
}
