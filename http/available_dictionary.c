/* available_dictionary.c: see available_dictionary.h. */
#include "http/available_dictionary.h"

#include "core/base64.h"

#include <string.h>

enum {
    LETTERS = 43, /* of 32 octets; the padding is one more */
    ROOM = 36     /* octets: as many as 48 letters hold */
};

bool http_available_dictionary_parse(struct span value, uint8_t ret_hash[DELTA_HASH_SIZE])
{
    char text[LETTERS + 1];
    uint8_t octets[ROOM];

    value = span_trim(value);
    if (value.len < 2 || value.ptr[0] != ':' || value.ptr[value.len - 1] != ':')
        return false;
    value = span_make(value.ptr + 1, value.len - 2);
    if (value.len != LETTERS && value.len != LETTERS + 1)
        return false;
    text[LETTERS] = '=';
    memcpy(text, value.ptr, value.len);
    if (base64_decode(span_make(text, sizeof(text)), octets, sizeof(octets)) != DELTA_HASH_SIZE)
        return false;
    memcpy(ret_hash, octets, DELTA_HASH_SIZE);
    return true;
}
