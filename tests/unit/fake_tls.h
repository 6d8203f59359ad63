/* fake_tls.h: a TLS library that encrypts nothing: records of a type, a length and octets that are
 * XORed. It keeps the contract of tls/tls.h, one record at a time, and so shows that its user does.
 * And the client's side of it, for tests.
 *
 *   client: HELLO (the server name)                FINISHED             DATA ... ALERT
 *   server:                         HELLO (a text)           TICKET     DATA ... ALERT
 *
 * A client may send its octets without waiting. Types are those of TLS where there is one. */
#ifndef TESTS_UNIT_FAKE_TLS_H
#define TESTS_UNIT_FAKE_TLS_H

#include "core/check.h"
#include "tls/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAKE_HEADER = 3,
    FAKE_ALERT = 21,
    FAKE_HANDSHAKE = 22, /* HELLO, FINISHED, and the server's */
    FAKE_DATA = 23,
    FAKE_KEY_UPDATE = 24, /* is answered by one */
    FAKE_KEY = 0x5a,
    FAKE_CLOSE_NOTIFY = 0,
    FAKE_UNEXPECTED = 10, /* the alert for what cannot be read */
};

static struct {
    unsigned opened, closed;
    int open_res;        /* of the next open() */
    unsigned send_fails; /* the send() that fails, counted from 1; 0: none */
    unsigned sends;      /* so far */
    bool lazy_plain;     /* receive() gives out one octet of plaintext at a time */
    size_t offload_size; /* octets that offload() returns */
    unsigned trims;      /* so far */
    struct tls *trimmed; /* the last one */
    void (*busy)(void);  /* called by receive() and send() */
} fake_tls = { .offload_size = 40 };

enum fake_tls_state { FAKE_WAITS_HELLO, FAKE_WAITS_FINISHED, FAKE_OPEN, FAKE_LOST };

struct tls {
    enum fake_tls_state state;
    bool peer_closed, shut;
    char name[64];
    size_t record_len, given; /* of the record below: octets there; of its payload, given out */
    char record[FAKE_HEADER + TLS_PLAIN_MAX];
};

/* Writes a record. Returns its length. */
static size_t fake_record(char *to, int type, const void *data, size_t len)
{
    CHECK(len <= TLS_PLAIN_MAX);
    to[0] = (char)type;
    to[1] = (char)(len >> 8);
    to[2] = (char)len;
    for (size_t i = 0; i < len; i++)
        to[FAKE_HEADER + i] = (char)(((const char *)data)[i] ^ FAKE_KEY);
    return FAKE_HEADER + len;
}

static size_t fake_payload_len(const char *record)
{
    return (size_t)(unsigned char)record[1] << 8 | (unsigned char)record[2];
}

static void fake_put(struct buf *out, int type, const void *data, size_t len)
{
    CHECK(len + TLS_OVERHEAD_MAX <= buf_room(out));
    out->end += (uint32_t)fake_record(out->data + out->end, type, data, len);
}

static void fake_put_alert(struct buf *out, int description)
{
    char alert[2] = { description == FAKE_CLOSE_NOTIFY ? 1 : 2, (char)description };
    fake_put(out, FAKE_ALERT, alert, sizeof(alert));
}

static int fake_open(struct tls_ctx *ctx, const struct listen_config *listen, struct tls **ret_tls)
{
    CHECK(ctx == NULL && listen->tls);
    if (fake_tls.open_res < 0)
        return fake_tls.open_res;
    *ret_tls = calloc(1, sizeof(**ret_tls));
    CHECK(*ret_tls != NULL);
    fake_tls.opened++;
    return 0;
}

static void fake_close(struct tls *t)
{
    fake_tls.closed++;
    free(t);
}

/* Takes of `in` what completes the record. */
static bool fake_fill(struct tls *t, struct span *in)
{
    for (;;) {
        size_t want = FAKE_HEADER;
        if (t->record_len >= FAKE_HEADER)
            want += fake_payload_len(t->record);
        if (want > sizeof(t->record))
            return true; /* which is found out */
        size_t n = want - t->record_len < in->len ? want - t->record_len : in->len;
        if (n > 0)
            memcpy(t->record + t->record_len, in->ptr, n);
        t->record_len += n;
        in->ptr += n;
        in->len -= n;
        if (t->record_len < want)
            return false;
        if (want > FAKE_HEADER || fake_payload_len(t->record) == 0)
            return true;
    }
}

static enum tls_result fake_lost(struct tls *t, struct buf *out)
{
    t->state = FAKE_LOST;
    fake_put_alert(out, FAKE_UNEXPECTED);
    return TLS_FAILED;
}

static enum tls_result fake_data(struct tls *t, const char *payload, size_t len, struct buf *plain)
{
    size_t n = len - t->given;
    if (n > buf_room(plain))
        n = buf_room(plain);
    if (fake_tls.lazy_plain && n > 1)
        n = 1;
    for (size_t i = 0; i < n; i++)
        plain->data[plain->end++] = (char)(payload[t->given++] ^ FAKE_KEY);
    if (t->given < len)
        return buf_room(plain) == 0 ? TLS_WANT_ROOM : TLS_OK;
    t->record_len = t->given = 0;
    return TLS_OK;
}

/* The record is complete. */
static enum tls_result fake_process(struct tls *t, struct buf *plain, struct buf *out)
{
    const char *payload = t->record + FAKE_HEADER;
    size_t len = t->record_len - FAKE_HEADER;
    int type = t->record[0];
    if (type == FAKE_DATA && t->state == FAKE_OPEN)
        return fake_data(t, payload, len, plain);
    t->record_len = 0;
    if (type == FAKE_HANDSHAKE && t->state == FAKE_WAITS_HELLO && len < sizeof(t->name)) {
        for (size_t i = 0; i < len; i++)
            t->name[i] = (char)(payload[i] ^ FAKE_KEY);
        fake_put(out, FAKE_HANDSHAKE, "certificate", 11);
        t->state = FAKE_WAITS_FINISHED;
    } else if (type == FAKE_HANDSHAKE && t->state == FAKE_WAITS_FINISHED) {
        fake_put(out, FAKE_HANDSHAKE, "ticket", 6);
        t->state = FAKE_OPEN;
    } else if (type == FAKE_KEY_UPDATE && t->state == FAKE_OPEN) {
        fake_put(out, FAKE_KEY_UPDATE, "", 0);
    } else if (type == FAKE_ALERT && len == 2 && (payload[1] ^ FAKE_KEY) == FAKE_CLOSE_NOTIFY) {
        t->peer_closed = true;
        return TLS_CLOSED;
    } else if (type == FAKE_ALERT) {
        t->state = FAKE_LOST;
        return TLS_FAILED;
    } else {
        return fake_lost(t, out);
    }
    return TLS_OK;
}

static enum tls_result fake_receive(struct tls *t, struct span *in, struct buf *plain,
                                    struct buf *out)
{
    CHECK(t->state != FAKE_LOST);
    if (fake_tls.busy != NULL)
        fake_tls.busy();
    if (t->peer_closed)
        return TLS_CLOSED;
    if (buf_room(out) < TLS_HANDSHAKE_ROOM || buf_room(plain) == 0)
        return TLS_WANT_ROOM;
    if (t->given == 0 && !fake_fill(t, in))
        return TLS_WANT_INPUT;
    if (FAKE_HEADER + fake_payload_len(t->record) > sizeof(t->record))
        return fake_lost(t, out);
    return fake_process(t, plain, out);
}

static int fake_send(struct tls *t, const void *data, size_t len, struct buf *out)
{
    CHECK(t->state == FAKE_OPEN && !t->shut);
    CHECK(len > 0 && len <= TLS_PLAIN_MAX && buf_room(out) >= len + TLS_OVERHEAD_MAX);
    if (fake_tls.busy != NULL)
        fake_tls.busy();
    if (++fake_tls.sends == fake_tls.send_fails)
        return -EIO;
    fake_put(out, FAKE_DATA, data, len);
    return 0;
}

static void fake_shutdown(struct tls *t, struct buf *out)
{
    if (t->shut || t->state != FAKE_OPEN)
        return;
    t->shut = true;
    fake_put_alert(out, FAKE_CLOSE_NOTIFY);
}

static bool fake_established(const struct tls *t)
{
    return t->state == FAKE_OPEN;
}

static bool fake_pending(const struct tls *t)
{
    return t->record_len > 0;
}

static void fake_trim(struct tls *t)
{
    fake_tls.trims++;
    fake_tls.trimmed = t;
}

static const struct client_certificate *fake_client(const struct tls *t)
{
    (void)t;
    return NULL;
}

static bool fake_client_refused(const struct tls *t)
{
    (void)t;
    return false;
}

static struct span fake_server_name(const struct tls *t)
{
    return span_str(t->name);
}

static void fake_agreed(struct tls *t, const char **ret_protocol, const char **ret_cipher)
{
    CHECK(t->state == FAKE_OPEN);
    *ret_protocol = "TLSv1.3";
    *ret_cipher = "TLS_FAKE";
}

static const char *fake_error(const struct tls *t)
{
    return t->state == FAKE_LOST ? "unexpected record" : "none";
}

static size_t fake_offload(struct tls *t, void *info, size_t size)
{
    CHECK(t->state == FAKE_OPEN && size >= fake_tls.offload_size);
    memset(info, 'k', fake_tls.offload_size);
    return fake_tls.offload_size;
}

static const struct tls_ops fake_tls_ops = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .receive = fake_receive,
    .send = fake_send,
    .shutdown = fake_shutdown,
    .established = fake_established,
    .pending = fake_pending,
    .trim = fake_trim,
    .server_name = fake_server_name,
    .agreed = fake_agreed,
    .client = fake_client,
    .client_refused = fake_client_refused,
    .error = fake_error,
    .offload = fake_offload,
};

/* ---- the client ---- */

/* What came from the server, taken apart. */
struct fake_view {
    char *plain; /* malloc(3)ed */
    size_t plain_len;
    size_t sizes[4096]; /* of the records of data, in order */
    size_t sizes_count;
    unsigned handshakes, key_updates;
    int alert;   /* -1: none */
    size_t left; /* octets of a record that is not complete */
};

/* Takes `len` octets apart. Nothing follows an alert (checked). */
static void fake_view(const char *octets, size_t len, struct fake_view *ret_view)
{
    struct fake_view *view = ret_view;
    *view = (struct fake_view){ .plain = malloc(len + 1), .alert = -1 };
    CHECK(view->plain != NULL);
    while (len >= FAKE_HEADER && len - FAKE_HEADER >= fake_payload_len(octets)) {
        size_t size = fake_payload_len(octets);
        const char *payload = octets + FAKE_HEADER;
        CHECK(view->alert < 0 && size <= TLS_PLAIN_MAX);
        if (octets[0] == FAKE_DATA) {
            for (size_t i = 0; i < size; i++)
                view->plain[view->plain_len++] = (char)(payload[i] ^ FAKE_KEY);
            CHECK(size > 0);
            if (view->sizes_count < ARRAY_LEN(view->sizes))
                view->sizes[view->sizes_count++] = size;
        } else if (octets[0] == FAKE_HANDSHAKE) {
            view->handshakes++;
        } else if (octets[0] == FAKE_KEY_UPDATE) {
            view->key_updates++;
        } else {
            CHECK(octets[0] == FAKE_ALERT && size == 2);
            view->alert = payload[1] ^ FAKE_KEY;
        }
        octets += FAKE_HEADER + size;
        len -= FAKE_HEADER + size;
    }
    view->left = len;
}

#endif
