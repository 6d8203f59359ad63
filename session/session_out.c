/* session_out.c: what a TLS session has to send. See session_out.h.
 *
 * The size of records: a client can use a record only when all of it is there. So the first octets
 * after a pause, when the congestion window is small and pages are waited for, go in records of one
 * segment, and long transfers in the largest there are, which cost the least. */
#include "session/session_out.h"

#include "core/check.h"

#include <string.h>

enum { RECORD_OVERHEAD = 64 }; /* octets that a record mostly grows by at most */

static void give_back(struct session_out *out, struct session_pools *pools)
{
    if (out->buf.data != NULL)
        pool_put(out->buf.cap == SESSION_OUT_SIZE ? pools->outs : pools->rests, out->buf.data);
}

/* What it holds goes to memory of `size` octets from `pool`. */
static void move_to(struct session_out *out, struct session_pools *pools, struct pool *pool,
                    size_t size)
{
    struct buf moved;
    char *data = pool_get(pool);
    CHECK(data != NULL); /* there is one for each connection */
    buf_init(&moved, data, size);
    MUST(buf_append_span(&moved, buf_span(&out->buf)));
    give_back(out, pools);
    out->buf = moved;
}

void session_out_attach(struct session_out *out, struct session_pools *pools)
{
    if (out->buf.data == NULL || (out->buf.cap == SESSION_OUT_REST && !out->lent))
        move_to(out, pools, pools->outs, SESSION_OUT_SIZE);
}

void session_out_release(struct session_out *out, struct session_pools *pools)
{
    if (out->buf.data == NULL || out->lent || !buf_empty(&out->buf))
        return;
    give_back(out, pools);
    buf_init(&out->buf, NULL, 0);
}

void session_out_stall(struct session_out *out, struct session_pools *pools)
{
    size_t len = buf_len(&out->buf);
    if (out->buf.cap == SESSION_OUT_SIZE && !out->lent && len > 0 && len <= SESSION_OUT_REST)
        move_to(out, pools, pools->rests, SESSION_OUT_REST);
}

void session_out_drop(struct session_out *out, struct session_pools *pools)
{
    buf_clear(&out->buf);
    out->plain = out->told = out->cipher = 0;
    out->more = false;
    session_out_release(out, pools);
}

/* Octets of plaintext for the next record, when `left` are to be sent in all; `more`: and others
 * behind them. */
static size_t record_len(const struct session_out *out, size_t left, bool more)
{
    size_t len_max = TLS_PLAIN_MAX;
    if (left <= SESSION_RECORD_WHOLE && !more)
        return left;
    if (out->ramp < SESSION_RECORD_RAMP)
        len_max = SESSION_RECORD_SMALL;
    return left < len_max ? left : len_max;
}

/* The pieces of a plan, in order. */
struct plan_cursor {
    const struct iovec *iov;
    size_t off;
};

/* The next `len` octets, which are there: where they lie, when that is one piece; else copied to
 * `record`, so that a head and the beginning of its body are one record. */
static const void *next_octets(struct plan_cursor *at, size_t len, char *record)
{
    size_t copied = 0;
    for (;;) {
        const char *from = (const char *)at->iov->iov_base + at->off;
        size_t here = at->iov->iov_len - at->off;
        bool whole = copied == 0 && here >= len;
        size_t n = here < len - copied ? here : len - copied;
        if (!whole)
            memcpy(record + copied, from, n);
        copied += n;
        at->off += n;
        if (at->off == at->iov->iov_len)
            *at = (struct plan_cursor){ at->iov + 1, 0 };
        if (copied == len)
            return whole ? from : record;
    }
}

/* ... when the socket takes `room` octets more: 0 for none, unless it is the `first` record. */
static size_t record_within(size_t len, size_t room, bool first)
{
    if (room >= len + RECORD_OVERHEAD)
        return len;
    if (!first)
        return 0;
    if (room < SESSION_RECORD_SMALL + RECORD_OVERHEAD)
        room = SESSION_RECORD_SMALL + RECORD_OVERHEAD;
    return len < room - RECORD_OVERHEAD ? len : room - RECORD_OVERHEAD;
}

static int encrypt(struct session_out *out, const struct tls_ops *ops, struct tls *t,
                   const struct send_plan *plan, size_t left, char *record)
{
    struct plan_cursor at = { plan->iov, 0 };
    size_t before = buf_len(&out->buf);
    while (left > 0) {
        size_t made = buf_len(&out->buf) - before;
        size_t len = record_within(record_len(out, left, plan->more),
                                   made < out->room ? out->room - made : 0, made == 0);
        if (len == 0 || buf_room(&out->buf) < len + TLS_OVERHEAD_MAX)
            break;
        int res = ops->send(t, next_octets(&at, len, record), len, &out->buf);
        if (res < 0)
            return res;
        left -= len;
        out->plain += (uint32_t)len;
        if (out->ramp < SESSION_RECORD_RAMP)
            out->ramp += (uint32_t)len;
    }
    out->more = plan->more || left > 0;
    out->room = SIZE_MAX; /* until the engine tells anew */
    return 0;
}

int session_out_encrypt(struct session_out *out, struct session_pools *pools,
                        const struct tls_ops *ops, struct tls *t, const struct send_plan *plan,
                        uint64_t now_ms)
{
    CHECK(out->plain == 0 && out->cipher == 0 && !out->lent);
    CHECK(plan->iovcnt > 0 && plan->file_len == 0);
    size_t left = send_plan_memory(plan);
    if (now_ms - out->used_ms > SESSION_RECORD_IDLE_MS)
        out->ramp = 0;
    out->used_ms = now_ms;
    session_out_attach(out, pools);
    char *record = plan->iovcnt > 1 ? pool_get(pools->records) : NULL;
    CHECK(plan->iovcnt == 1 || record != NULL);
    size_t before = buf_len(&out->buf);

    session_unlock(pools);
    int res = encrypt(out, ops, t, plan, left, record);
    session_relock(pools);
    if (record != NULL)
        pool_put(pools->records, record);
    out->cipher = (uint32_t)(buf_len(&out->buf) - before);
    return res;
}

size_t session_out_sent(struct session_out *out, size_t len)
{
    buf_consume(&out->buf, len);
    size_t left = buf_len(&out->buf);
    if (out->plain == 0 || left > out->cipher)
        return 0;
    uint32_t sent = (uint32_t)((uint64_t)out->plain * (out->cipher - left) / out->cipher);
    size_t more = sent - out->told;
    out->told = sent;
    if (left == 0) {
        out->plain = out->told = out->cipher = 0;
        out->more = false;
    }
    return more;
}
