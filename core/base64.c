/* base64.c: see base64.h. */
#include "core/base64.h"

#include <nettle/base64.h>
#include <string.h>

long base64_decode(struct span text, uint8_t *ret_octets, size_t cap)
{
    struct base64_decode_ctx context;
    size_t len = 0;

    /* nettle passes over blanks, and takes 3 octets for 4 letters to come at once. */
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("+/=", text.ptr[i]) == NULL && (text.ptr[i] < '0' || text.ptr[i] > '9') &&
            (text.ptr[i] < 'A' || text.ptr[i] > 'Z') && (text.ptr[i] < 'a' || text.ptr[i] > 'z'))
            return -1;
        if (text.ptr[i] == '\0')
            return -1;
    }
    if (text.len % 4 != 0 || BASE64_DECODE_LENGTH(text.len) > cap)
        return -1;
    base64_decode_init(&context);
    if (!base64_decode_update(&context, &len, ret_octets, text.len, text.ptr) ||
        !base64_decode_final(&context))
        return -1;
    return (long)len;
}

size_t base64_encode_url(const uint8_t *octets, size_t len, char *ret_text)
{
    struct base64_encode_ctx context;
    size_t done;

    base64url_encode_init(&context);
    done = base64_encode_update(&context, ret_text, len, octets);
    done += base64_encode_final(&context, ret_text + done);
    while (done > 0 && ret_text[done - 1] == '=')
        done--;
    return done;
}
