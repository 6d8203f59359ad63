/* etag.c: makes the tag of a file's representation, and reads lists of tags.
 *
 * Tags are made when a file is taken into the cache, never for a request. */
#include "http/etag.h"

#include "core/check.h"

#include <assert.h>
#include <stdint.h>

static char *put_hex(char *out, uint64_t value)
{
    char digits[16];
    size_t count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    while (count > 0)
        *out++ = digits[--count];
    return out;
}

static char *put_time(char *out, int64_t seconds, int32_t nanoseconds)
{
    out = put_hex(out, (uint64_t)seconds);
    *out++ = '.';
    return put_hex(out, (uint32_t)nanoseconds);
}

bool http_etag_dated(const struct file_meta *meta, int64_t now_s)
{
    return meta->mtime_s > 1 && meta->mtime_s <= now_s;
}

/* What tells one coding of a file from the others, and the end. */
static char *put_coding(char *out, enum coding coding, uint16_t recipe)
{
    static const struct span suffixes[CODING_COUNT] = {
        [CODING_IDENTITY] = { "", 0 }, [CODING_GZIP] = { "-gz", 3 }, [CODING_BR] = { "-br", 3 },
        [CODING_ZSTD] = { "-zst", 4 }, [CODING_DCB] = { "-dcb", 4 }, [CODING_DCZ] = { "-dcz", 4 },
    };

    CHECK((unsigned)coding < CODING_COUNT);
    memcpy(out, suffixes[coding].ptr, suffixes[coding].len);
    out += suffixes[coding].len;
    if (recipe != 0 && coding == CODING_IDENTITY) { /* what a sidecar holds */
        memcpy(out, "-id", 3);
        out += 3;
    }
    if (recipe != 0)
        out = put_hex(out, recipe);
    *out++ = '"';
    return out;
}

size_t http_etag_inode(const struct file_meta *meta, enum coding coding, uint16_t recipe,
                       int64_t now_s, char *ret_text)
{
    /* Four numbers of 64 bits, two of 32, their separators, a suffix, one of 16 and two quotes. */
    static_assert(4 * 16 + 2 * 8 + 5 + 4 + 4 + 2 <= HTTP_ETAG_MAX, "a tag must fit");
    char *out = ret_text;

    CHECK(meta != NULL && ret_text != NULL);
    if (!http_etag_dated(meta, now_s))
        return 0;
    *out++ = '"';
    out = put_hex(out, meta->ino);
    *out++ = '-';
    out = put_hex(out, meta->size);
    *out++ = '-';
    out = put_time(out, meta->mtime_s, meta->mtime_ns);
    *out++ = '-';
    out = put_time(out, meta->ctime_s, meta->ctime_ns);
    return (size_t)(put_coding(out, coding, recipe) - ret_text);
}

bool http_etag_is_settling(const struct file_meta *meta, int64_t now_s)
{
    return meta->mtime_s + 2 > now_s;
}

size_t http_etag_portable(const struct file_meta *meta, enum coding coding, uint16_t recipe,
                          int64_t now_s, char *ret_text)
{
    char *out = ret_text;

    CHECK(meta != NULL && ret_text != NULL);
    if (!http_etag_dated(meta, now_s))
        return 0;
    if (http_etag_is_settling(meta, now_s)) {
        memcpy(out, "W/\"~", 4);
        out += 4;
    } else {
        *out++ = '"';
    }
    if (meta->mtime_ns != 0)
        out = put_time(out, meta->mtime_s, meta->mtime_ns);
    else
        out = put_hex(out, (uint64_t)meta->mtime_s);
    *out++ = '-';
    out = put_hex(out, meta->size);
    return (size_t)(put_coding(out, coding, recipe) - ret_text);
}

size_t http_etag_content(const uint8_t *hash, size_t hash_len, enum coding coding, uint16_t recipe,
                         char *ret_text)
{
    char *out = ret_text;

    CHECK(2 * hash_len + 2 + 4 + 4 <= HTTP_ETAG_MAX);
    *out++ = '"';
    for (size_t i = 0; i < hash_len; i++) {
        *out++ = "0123456789abcdef"[hash[i] >> 4];
        *out++ = "0123456789abcdef"[hash[i] & 15];
    }
    return (size_t)(put_coding(out, coding, recipe) - ret_text);
}

/* etagc of RFC 9110 section 8.8.3: visible ASCII but DQUOTE, and obs-text. Commas are data. */
static bool is_etagc(char c)
{
    unsigned char u = (unsigned char)c;

    return u == 0x21 || (u >= 0x23 && u != 0x7f);
}

static bool is_weak(struct span tag)
{
    return tag.len >= 2 && tag.ptr[0] == 'W' && tag.ptr[1] == '/';
}

static struct span opaque_tag(struct span tag)
{
    return is_weak(tag) ? span_make(tag.ptr + 2, tag.len - 2) : tag;
}

/* RFC 9110 section 8.8.3.2. */
static bool tags_equal(struct span a, struct span b, enum http_etag_compare how)
{
    if (how == HTTP_ETAG_STRONG && (is_weak(a) || is_weak(b)))
        return false;
    return span_eq(opaque_tag(a), opaque_tag(b));
}

/* Takes an entity-tag ([ "W/" ] DQUOTE *etagc DQUOTE) off the front. */
static bool take_tag(struct span *in, struct span *ret_tag)
{
    size_t i = is_weak(*in) ? 2 : 0;

    if (i >= in->len || in->ptr[i] != '"')
        return false;
    i++;
    while (i < in->len && is_etagc(in->ptr[i]))
        i++;
    if (i >= in->len || in->ptr[i] != '"')
        return false;
    i++;
    *ret_tag = span_make(in->ptr, i);
    *in = span_make(in->ptr + i, in->len - i);
    return true;
}

bool http_etag_list_matches(struct span list, struct span etag, enum http_etag_compare how)
{
    list = span_trim(list);
    if (span_eq(list, SPAN_LIT("*")))
        return true;
    while (list.len > 0) {
        struct span tag;

        if (list.ptr[0] != ',') {
            if (!take_tag(&list, &tag))
                return false;
            if (etag.len > 0 && tags_equal(tag, etag, how))
                return true;
            list = span_trim(list);
            if (list.len > 0 && list.ptr[0] != ',')
                return false;
        }
        if (list.len > 0) /* the comma */
            list = span_trim(span_make(list.ptr + 1, list.len - 1));
    }
    return false;
}
