/* uri_encode.c: see uri_encode.h. */
#include "core/uri_encode.h"

#include "core/hex.h"
#include "core/uri_octet.h"

#include <errno.h>
#include <stdint.h>

/* Writes `text` with "%XX" for each octet that is not of class `safe`, but leaves `kept` alone
 * ('\0': nothing else). Returns the length, or -ENOSPC. */
static long percent_encode(struct span text, enum uri_octet safe, char kept, char *ret_text,
                           size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = (uint8_t)text.ptr[i];
        bool stays = uri_octet_is(text.ptr[i], safe) || (kept != '\0' && text.ptr[i] == kept);

        if (cap - len < (stays ? 1 : 3))
            return -ENOSPC;
        if (stays) {
            ret_text[len++] = text.ptr[i];
        } else {
            ret_text[len] = '%';
            hex_put(ret_text + len + 1, octet);
            len += 3;
        }
    }
    return (long)len;
}

long uri_path_encode(struct span path, char *ret_text, size_t cap)
{
    return percent_encode(path, URI_SAFE, '\0', ret_text, cap);
}

long uri_location_encode(struct span path, char *ret_text, size_t cap)
{
    static const struct span slash = { "%2F", 3 };
    size_t len = 0;

    while (path.len > 0) {
        const char *found = memmem(path.ptr, path.len, slash.ptr, slash.len);
        size_t before = found != NULL ? (size_t)(found - path.ptr) : path.len;
        long encoded = uri_path_encode(span_make(path.ptr, before), ret_text + len, cap - len);
        size_t kept = found != NULL ? slash.len : 0;

        if (encoded < 0 || cap - len - (size_t)encoded < kept)
            return -ENOSPC;
        len += (size_t)encoded;
        memcpy(ret_text + len, slash.ptr, kept);
        len += kept;
        path = span_make(path.ptr + before + kept, path.len - before - kept);
    }
    return (long)len;
}

long uri_query_encode(struct span query, char *ret_text, size_t cap)
{
    return percent_encode(query, URI_STRICT, '%', ret_text, cap);
}
