/* disposition.c: see disposition.h. Called when the fields of a file are made, never for a request.
 */
#include "http/disposition.h"

#include "core/check.h"
#include "core/utf8.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* May it stand in the quoted string? A '%' is decoded there by some clients, a quote and a
 * backslash would need one that others do not understand (RFC 6266 appendix D). */
static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '%';
}

/* attr-char of RFC 8187 section 3.2.1. */
static bool is_attr_char(unsigned char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

static char *put(char *out, struct span text)
{
    memcpy(out, text.ptr, text.len);
    return out + text.len;
}

static bool is_utf8(struct span text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_char_len(span_make(text.ptr + i, text.len - i));

        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

static char *put_escaped(char *out, struct span name)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];

        if (is_attr_char(c)) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return out;
}

size_t http_disposition_format(struct span name, char ret_text[HTTP_DISPOSITION_MAX])
{
    const char *slash = memrchr(name.ptr, '/', name.len);
    char *out = put(ret_text, SPAN_LIT("Content-Disposition: attachment"));
    bool plain = true;

    if (slash != NULL)
        name = span_make(slash + 1, (size_t)(name.ptr + name.len - slash - 1));
    if (name.len > 0 && name.len <= NAME_MAX) {
        out = put(out, SPAN_LIT("; filename=\""));
        for (size_t i = 0; i < name.len; i++) {
            unsigned char c = (unsigned char)name.ptr[i];
            bool fits = is_plain(c);

            plain &= fits;
            if (fits || (c & 0xc0) != 0x80) /* one sign for a character of several octets */
                *out++ = fits ? (char)c : '_';
        }
        *out++ = '"';
        if (!plain && is_utf8(name)) {
            out = put(out, SPAN_LIT("; filename*=UTF-8''"));
            out = put_escaped(out, name);
        }
    }
    out = put(out, SPAN_LIT("\r\n"));
    CHECK(out - ret_text <= HTTP_DISPOSITION_MAX);
    return (size_t)(out - ret_text);
}
