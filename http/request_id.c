/* request_id.c: see request_id.h. */
#include "http/request_id.h"

#include "core/check.h"
#include "core/draws.h"
#include "http/real_ip.h"

#include <string.h>

static bool is_id_octet(char octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= '0' && octet <= '9') || (octet != '\0' && strchr("-_.=+/", octet) != NULL);
}

static bool is_id(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_id_octet(text.ptr[i]))
            return false;
    }
    return text.len > 0 && text.len <= HTTP_ID_MAX;
}

/* 16 digits, in lower case. */
static char *put_hex(char *out, uint64_t bits)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        *out++ = "0123456789abcdef"[bits >> shift & 15];
    return out;
}

struct span http_request_id(struct http_exchange *x)
{
    struct span said = { "", 0 };

    if (x->id_len > 0)
        return span_make(x->id, x->id_len);
    if (http_client_is_trusted(x))
        said = http_request_named(&x->request, SPAN_LIT("x_request_id"));
    if (is_id(said)) {
        memcpy(x->id, said.ptr, said.len);
        x->id_len = (uint8_t)said.len;
    } else {
        CHECK(x->env->draws != NULL);
        char *end = put_hex(x->id, draws_next(x->env->draws));
        end = put_hex(end, draws_next(x->env->draws));
        x->id_len = (uint8_t)(end - x->id);
    }
    return span_make(x->id, x->id_len);
}
