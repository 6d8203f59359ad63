/* netstring.c: see netstring.h. */
#include "core/netstring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 9 /* of a length */ };

void netstring_put(FILE *out, struct span octets)
{
    fprintf(out, "%zu:", octets.len);
    if (octets.len > 0)
        fwrite(octets.ptr, 1, octets.len, out);
    fputc(',', out);
}

void netstring_put_number(FILE *out, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, number);

    netstring_put(out, span_make(text, (size_t)len));
}

bool netstring_take(struct span *rest, struct span *ret_octets)
{
    size_t len = 0, digits = 0;

    while (digits < rest->len && digits <= DIGITS_MAX && rest->ptr[digits] >= '0' &&
           rest->ptr[digits] <= '9')
        len = len * 10 + (size_t)(rest->ptr[digits++] - '0');
    if (digits == 0 || digits > DIGITS_MAX || digits == rest->len || rest->ptr[digits] != ':')
        return false;
    size_t before = digits + 1;
    if (rest->len - before <= len || rest->ptr[before + len] != ',')
        return false;
    *ret_octets = span_make(rest->ptr + before, len);
    *rest = span_make(rest->ptr + before + len + 1, rest->len - before - len - 1);
    return true;
}

bool netstring_take_number(struct span *rest, int64_t *ret_number)
{
    struct span octets;
    char text[24], *end;

    if (!netstring_take(rest, &octets) || octets.len == 0 || octets.len >= sizeof text)
        return false;
    memcpy(text, octets.ptr, octets.len);
    text[octets.len] = '\0';
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end != text + octets.len)
        return false;
    *ret_number = number;
    return true;
}
