/* json_text.c: see json_text.h. */
#include "core/json_text.h"

#include "core/utf8.h"

static const char hex[] = "0123456789ABCDEF";

static char *put_unit(char *out, uint32_t unit)
{
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *out++ = hex[unit >> shift & 15];
    return out;
}

char *json_put_char(char *out, struct span text, size_t *ret_used)
{
    size_t len = utf8_char_len(text);
    uint32_t number = len > 0 ? utf8_char(text.ptr, len) : (unsigned char)*text.ptr;

    *ret_used = len > 0 ? len : 1;
    if (len == 0) {
        memcpy(out, "\\\\x", 3);
        out[3] = hex[number >> 4];
        out[4] = hex[number & 15];
        return out + 5;
    }
    if (number >= 0x20 && number < 0x7f && number != '"' && number != '\\') {
        *out = (char)number;
        return out + 1;
    }
    if (number < 0x10000)
        return put_unit(out, number);
    number -= 0x10000;
    out = put_unit(out, 0xd800 | number >> 10);
    return put_unit(out, 0xdc00 | (number & 0x3ff));
}
