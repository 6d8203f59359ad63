/* json_text.c: see json_text.h. */
#include "core/json_text.h"

#include "core/hex.h"
#include "core/utf8.h"

static char *put_unit(char *out, uint32_t unit)
{
    *out++ = '\\';
    *out++ = 'u';
    out = hex_put(out, (unsigned char)(unit >> 8));
    return hex_put(out, (unsigned char)unit);
}

char *json_put_char(char *out, struct span text, size_t *ret_used)
{
    size_t len = utf8_char_len(text);
    uint32_t number = len > 0 ? utf8_char(text.ptr, len) : (unsigned char)*text.ptr;

    *ret_used = len > 0 ? len : 1;
    if (len == 0) {
        memcpy(out, "\\\\x", 3);
        return hex_put(out + 3, (unsigned char)number);
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
