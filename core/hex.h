/* hex.h: an octet in hexadecimal, as escapes of all kinds have it (%HH, \xHH). Pure. */
#ifndef CORE_HEX_H
#define CORE_HEX_H

/* Writes two digits, in upper case. Returns their end. Async-signal-safe. */
static inline char *hex_put(char *out, unsigned char octet)
{
    static const char digits[] = "0123456789ABCDEF";

    *out++ = digits[octet >> 4];
    *out++ = digits[octet & 15];
    return out;
}

#endif
