/* head_memo.c: see head_memo.h. A table with one place for each hash: the last one stays. Called by
 * the connection for every head, before the guard and after the parser. */
#include "http/head_memo.h"

#include "core/random_key.h"
#include "http/octet_block.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMO_BITS = 8,
    MEMO_COUNT = 1 << MEMO_BITS, /* heads that are known */
    MEMO_TEXT_MAX = 1024,        /* octets of one: a browser's is 500 to 900 long */
    MEMO_TEXT_MIN = 16,          /* shorter ones are not worth it */
    LINE_END = sizeof(" HTTP/1.1\r\n") - 1,
};

struct head_entry {
    uint64_t hash;
    uint32_t len;                /* octets in `text`; 0: the place is free */
    struct http_request request; /* offsets from where `text` begins; request_line and target are
                                    not told */
    char text[MEMO_TEXT_MAX];    /* the field lines and the empty line behind them */
};

struct http_head_memo {
    uint64_t key[2];
    size_t last_len;    /* of the fields seen last: where requests are pipelined, the next one's are
                           likely as long */
    struct span missed; /* the text looked for last that was not known, */
    uint64_t missed_hash; /* and its hash, which its keeping needs as well */
    struct head_entry entries[MEMO_COUNT];
};

struct http_head_memo *http_head_memo_create(void)
{
    struct http_head_memo *memo = calloc(1, sizeof(*memo));
    if (memo != NULL)
        random_key(memo->key);
    return memo;
}

void http_head_memo_destroy(struct http_head_memo *memo)
{
    free(memo);
}

static inline uint64_t word(const char *at)
{
    uint64_t octets;
    memcpy(&octets, at, sizeof(octets));
    return octets;
}

/* Not for strangers who aim at a place: they would only make others' heads be judged anew. */
static uint64_t hash_text(const struct http_head_memo *memo, const char *text, size_t len)
{
    const uint64_t odd = 0x9e3779b97f4a7c15U;
    uint64_t a = memo->key[0] ^ len, b = memo->key[1];
    const char *last = text + len - 16;
    for (const char *at = text; at < last; at += 16) {
        a = (a ^ word(at)) * odd;
        b = (b ^ word(at + 8)) * odd;
    }
    a = (a ^ word(last)) * odd;
    b = (b ^ word(last + 8)) * odd;
    a ^= b << 32 | b >> 32;
    a = (a ^ a >> 32) * odd;
    return a ^ a >> 29;
}

static inline struct head_entry *place_of(struct http_head_memo *memo, uint64_t hash)
{
    return &memo->entries[hash >> (64 - MEMO_BITS)];
}

/* The first octet from `at` on that may not stand in a plain path or query, or `end`. */
static const char *skip_plain(const char *at, const char *end)
{
#if defined(OCTET_BLOCK)
    for (; end - at >= OCTET_BLOCK; at += OCTET_BLOCK) {
        unsigned stops = octet_block_plain(at);
        if (stops != 0)
            return at + __builtin_ctz(stops);
    }
#endif
    while (at < end && octet_run_goes_on(*at, OCTET_RUN_PLAIN))
        at++;
    return at;
}

/* Takes a request line of the plain form apart, at the front of `data`. False: it has another one.
 * `*ret_fields` is the offset of what follows it. */
static bool split_plain(const char *data, size_t len, struct http_request *request,
                        uint32_t *ret_fields)
{
    if (len < sizeof("HEAD / HTTP/1.1\r\n") - 1)
        return false;
    bool get = memcmp(data, "GET /", 5) == 0;
    if (!get && memcmp(data, "HEAD /", 6) != 0)
        return false;
    const char *target = data + (get ? 4 : 5), *end = data + len;
    const char *target_end = skip_plain(target, end);
    if (end - target_end < LINE_END || memcmp(target_end, " HTTP/1.1\r\n", LINE_END) != 0)
        return false;
    request->method = get ? HTTP_GET : HTTP_HEAD;
    request->target =
        (struct http_slice){ (uint32_t)(target - data), (uint32_t)(target_end - target) };
    *ret_fields = (uint32_t)(target_end + LINE_END - data);
    request->request_line = (struct http_slice){ 0, *ret_fields - 2 };
    return true;
}

/* The entry whose text is the `len` octets at `text`, or NULL. */
static const struct head_entry *look_up(struct http_head_memo *memo, const char *text, size_t len)
{
    if (len < MEMO_TEXT_MIN || len > MEMO_TEXT_MAX || memcmp(text + len - 4, "\r\n\r\n", 4) != 0)
        return NULL;
    uint64_t hash = hash_text(memo, text, len);
    const struct head_entry *entry = place_of(memo, hash);
    if (entry->hash == hash && entry->len == len && memcmp(entry->text, text, len) == 0)
        return entry;
    memo->missed = span_make(text, len);
    memo->missed_hash = hash;
    return NULL;
}

/* Moves what is told of fields by so many octets, from offsets in one text to those in another. */
static void move_fields(struct http_request *request, uint32_t by)
{
    for (uint32_t left = request->present; left != 0; left &= left - 1)
        request->fields[__builtin_ctz(left)].off += by;
    if (request->authority.len > 0)
        request->authority.off += by;
}

bool http_head_memo_find(struct http_head_memo *memo, const char *data, size_t len,
                         const struct http_limits *limits, size_t *ret_len,
                         struct http_request *ret_request)
{
    struct http_request line;
    uint32_t fields;
    if (len > UINT32_MAX || !split_plain(data, len, &line, &fields) ||
        line.request_line.len > limits->request_line_max)
        return false;
    const struct head_entry *entry = NULL;
    if (memo->last_len <= len - fields)
        entry = look_up(memo, data + fields, memo->last_len);
    if (entry == NULL && memo->last_len != len - fields)
        entry = look_up(memo, data + fields, len - fields);
    if (entry == NULL)
        return false;
    memo->last_len = entry->len;
    *ret_request = entry->request;
    ret_request->head = data;
    ret_request->head_len = fields + entry->len;
    ret_request->method = line.method;
    ret_request->request_line = line.request_line;
    ret_request->target = line.target;
    move_fields(ret_request, fields);
    *ret_len = ret_request->head_len;
    return true;
}

void http_head_memo_keep(struct http_head_memo *memo, const struct http_request *request)
{
    struct http_request line;
    uint32_t fields;
    if (!split_plain(request->head, request->head_len, &line, &fields))
        return;
    size_t len = request->head_len - fields;
    memo->last_len = len;
    if (len < MEMO_TEXT_MIN || len > MEMO_TEXT_MAX)
        return;
    const char *text = request->head + fields;
    /* Had other octets been at that place then, this entry would not be found: no harm. */
    uint64_t hash = memo->missed.ptr == text && memo->missed.len == len
                        ? memo->missed_hash
                        : hash_text(memo, text, len);
    struct head_entry *entry = place_of(memo, hash);
    entry->hash = hash;
    entry->len = (uint32_t)len;
    entry->request = *request;
    entry->request.head = NULL; /* it is not the memo's */
    move_fields(&entry->request, -fields);
    memcpy(entry->text, text, len);
    memo->missed.ptr = NULL;
}
