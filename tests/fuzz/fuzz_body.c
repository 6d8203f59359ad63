/* fuzz_body.c: a request's body under arbitrary octets. The first octet of the input chooses the
 * limits, the framing and how the rest is chopped. Whole or chopped, http_body_feed() must say the
 * same as a recursive descent over RFC 9112 section 7.1, and use exactly the octets of the body. */
#include "core/check.h"
#include "config/config_keys.h"
#include "http/body.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
    enum http_body_result result;
    size_t used;
    int status;
};

/* The descent. Every function returns false when it stops: at the end of the input (status 0) or
 * at a fault. */
struct descent {
    const char *data;
    size_t len, at;
    uint32_t overhead, overhead_max;
    int status;
};

static bool is_blank(int octet)
{
    return octet == ' ' || octet == '\t';
}

static bool is_tchar(int octet)
{
    return octet > ' ' && octet < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", octet) == NULL;
}

static bool is_text(int octet)
{
    return octet == '\t' || (octet >= ' ' && octet != 0x7f);
}

static bool is_hex(int octet)
{
    return octet > 0 && strchr("0123456789abcdefABCDEF", octet) != NULL;
}

/* The octet that comes next, or -1. */
static int peek(const struct descent *d)
{
    return d->at < d->len ? (unsigned char)d->data[d->at] : -1;
}

/* Takes the next octet if it is as it must be. */
static bool take_if(struct descent *d, bool right)
{
    if (d->at == d->len)
        return false;
    if (!right || d->overhead == d->overhead_max) {
        d->status = right ? 413 : 400;
        return false;
    }
    d->overhead++;
    d->at++;
    return true;
}

static bool take(struct descent *d, int octet)
{
    return take_if(d, peek(d) == octet);
}

static bool take_all(struct descent *d, bool (*kind)(int))
{
    while (kind(peek(d)))
        if (!take_if(d, true))
            return false;
    return d->at < d->len;
}

static bool take_some(struct descent *d, bool (*kind)(int))
{
    return take_if(d, kind(peek(d))) && take_all(d, kind);
}

static bool quoted_string(struct descent *d)
{
    if (!take(d, '"'))
        return false;
    while (peek(d) != '"') {
        if (peek(d) == '\\' && !take(d, '\\'))
            return false;
        if (!take_if(d, is_text(peek(d))))
            return false;
    }
    return take(d, '"') && d->at < d->len;
}

/* chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
static bool extensions(struct descent *d)
{
    while (is_blank(peek(d)) || peek(d) == ';') {
        if (!take_all(d, is_blank) || !take(d, ';') || !take_all(d, is_blank) ||
            !take_some(d, is_tchar))
            return false;
        size_t blanks = d->at;
        while (blanks < d->len && is_blank(d->data[blanks]))
            blanks++;
        if (blanks == d->len || d->data[blanks] != '=')
            continue;
        if (!take_all(d, is_blank) || !take(d, '=') || !take_all(d, is_blank))
            return false;
        if (peek(d) == '"' ? !quoted_string(d) : !take_some(d, is_tchar))
            return false;
    }
    return true;
}

/* 1*HEXDIG; `ret_size` saturates no earlier than 64 bits do. */
static bool chunk_size(struct descent *d, uint64_t *ret_size)
{
    uint64_t chunk = 0;
    for (bool first = true; first || is_hex(peek(d)); first = false) {
        char digit[2] = { (char)peek(d), '\0' };
        if (!take_if(d, is_hex(peek(d))))
            return false;
        if (chunk > UINT64_MAX / 16) {
            d->at--; /* refused at this octet, which the grammar allows */
            d->status = 400;
            return false;
        }
        chunk = chunk * 16 + strtoull(digit, NULL, 16);
    }
    *ret_size = chunk;
    return d->at < d->len;
}

static bool trailers(struct descent *d)
{
    while (d->at < d->len && peek(d) != '\r')
        if (!take_some(d, is_tchar) || !take(d, ':') || !take_all(d, is_text) || !take(d, '\r') ||
            !take(d, '\n'))
            return false;
    return take(d, '\r') && take(d, '\n');
}

static struct verdict naive_chunked(const char *data, size_t len, const struct http_limits *limits)
{
    struct descent d = { data, len, 0, 0, limits->chunk_overhead_max, 0 };
    uint64_t total = 0;
    for (;;) {
        uint64_t chunk;
        bool good = chunk_size(&d, &chunk) && extensions(&d) && take(&d, '\r') && take(&d, '\n');
        if (good && chunk > limits->body_max - total)
            return (struct verdict){ HTTP_BODY_REFUSED, 0, 413 };
        if (good && chunk == 0) {
            if (trailers(&d))
                return (struct verdict){ HTTP_BODY_DONE, d.at, 0 };
            good = false;
        }
        if (good && chunk > len - d.at)
            return (struct verdict){ HTTP_BODY_MORE, len, 0 };
        if (good) {
            total += chunk;
            d.at += chunk;
            good = take(&d, '\r') && take(&d, '\n');
        }
        if (!good)
            return d.status != 0 ? (struct verdict){ HTTP_BODY_REFUSED, 0, d.status }
                                 : (struct verdict){ HTTP_BODY_MORE, len, 0 };
    }
}

/* Feeds pieces of up to `piece_max` octets, each a copy, so that a read beyond it is seen. */
static struct verdict feed(const struct http_request *request, const char *data, size_t len,
                           const struct http_limits *limits, size_t piece_max, uint32_t seed)
{
    struct http_body body;
    struct verdict v = { HTTP_BODY_MORE, 0, 0 };
    http_body_init(&body, request);
    for (size_t fed = 0;;) {
        seed = seed * 1664525 + 1013904223;
        size_t piece = (seed >> 16) % (piece_max + 1), used = 0;
        piece = piece < len - fed ? piece : len - fed;
        char *copy = malloc(piece + 1);
        CHECK(copy != NULL);
        memcpy(copy + 1, data + fed, piece);
        v.result = http_body_feed(&body, copy + 1, piece, limits, &used, &v.status);
        free(copy);
        CHECK(used <= piece && (v.result != HTTP_BODY_MORE || used == piece));
        fed += piece;
        v.used = v.result == HTTP_BODY_REFUSED ? 0 : v.used + used;
        if (v.result != HTTP_BODY_MORE || fed == len)
            return v;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    const char *input = (const char *)data + 1;
    size_t len = size - 1;
    const struct config_key *overhead = config_key_find("chunk_overhead_max");
    bool small = data[0] & 1, plain = (data[0] & 6) == 6;
    const struct http_limits limits = {
        .body_max = small         ? 20
                    : data[0] & 8 ? UINT64_MAX
                                  : 2000,
        .chunk_overhead_max = small          ? 40
                              : data[0] & 16 ? (uint32_t)overhead->max
                              : data[0] & 32 ? (uint32_t)overhead->min
                                             : 4000,
    };
    struct http_request request = { .framing = HTTP_FRAMING_CHUNKED };
    struct verdict want;
    if (plain) {
        request.framing = HTTP_FRAMING_LENGTH;
        request.content_length = data[0] >> 3;
        bool done = request.content_length <= len;
        want = (struct verdict){ done ? HTTP_BODY_DONE : HTTP_BODY_MORE,
                                 done ? (size_t)request.content_length : len, 0 };
    } else {
        want = naive_chunked(input, len, &limits);
    }
    for (unsigned run = 0; run < 3; run++) {
        static const size_t pieces[] = { 1, 7, 4096 };
        struct verdict have = feed(&request, input, len, &limits, pieces[run], data[0]);
        CHECK(have.result == want.result && have.used == want.used);
        CHECK(have.result != HTTP_BODY_REFUSED || have.status == want.status);
    }
    return 0;
}
