/* tls_openssl.c: OpenSSL behind struct tls_ops: a connection's life. See tls.h, openssl.h.
 *
 * OpenSSL keeps its errors in a queue of the thread, not of the connection: it is emptied before
 * each call that may fail, or SSL_get_error(3) would report another connection's failure. */
#include "tls/openssl.h"

#include "core/check.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/opensslconf.h>
#include <stdio.h>
#include <stdlib.h>

static void on_features(char *text, size_t size)
{
#ifdef OPENSSL_NO_TLS1_3
    static const char versions[] = "TLS 1.2";
#else
    static const char versions[] = "TLS 1.2 and 1.3";
#endif
    snprintf(text, size, "OpenSSL %s: %s, kTLS, %sX25519MLKEM768, no ECH",
             OpenSSL_version(OPENSSL_VERSION_STRING), versions,
             openssl_has_curve("X25519MLKEM768") ? "" : "no ");
}

const char *openssl_reason(void)
{
    const char *reason = NULL;
    bool is_ssl = false;
    unsigned long code;

    /* What libssl says of it tells most; else the first one, which caused the others. */
    while (!is_ssl && (code = ERR_get_error()) != 0) {
        is_ssl = ERR_GET_LIB(code) == ERR_LIB_SSL;
        if ((reason == NULL || is_ssl) && !ERR_SYSTEM_ERROR(code))
            reason = ERR_reason_error_string(code);
    }
    ERR_clear_error();
    return reason != NULL ? reason : "unknown reason";
}

/* Before a call that may fail. Mostly the queue is empty, and to look is a tenth of emptying it. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

static void on_close(struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    /* A connection that ends without close_notify may be resumed all the same (RFC 5246 section
     * 7.2.1); one that failed may not. */
    if (t->ssl != NULL && !t->lost)
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    free(t->server_name);
    free(t->client);
    OPENSSL_cleanse(t, sizeof(*t));
    free(t);
}

static int on_open(struct tls_ctx *ctx, const struct listen_config *listen, struct tls **ret_tls)
{
    CHECK_OBJ(ctx, OPENSSL_CTX_MAGIC);
    CHECK(listen->tls && listen->servers_count > 0);
    struct tls *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return -ENOMEM;
    t->magic = OPENSSL_TLS_MAGIC;
    t->ctx = ctx;
    t->listen = listen;
    ERR_clear_error();
    t->ssl = SSL_new(ctx->base);
    if (t->ssl == NULL || !SSL_set_app_data(t->ssl, t) || openssl_bio_attach(t) < 0) {
        ERR_clear_error();
        on_close(t);
        return -ENOMEM;
    }
    SSL_set_accept_state(t->ssl);
    *ret_tls = t;
    return 0;
}

static enum tls_result lose(struct tls *t, const char *error)
{
    ERR_clear_error();
    t->lost = true;
    if (t->error == NULL)
        t->error = error;
    return TLS_FAILED;
}

/* What the return value `res` of OpenSSL, not a success, means. */
static enum tls_result not_done(struct tls *t, int res)
{
    const char *why;

    switch (SSL_get_error(t->ssl, res)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_INPUT;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_ROOM;
    case SSL_ERROR_ZERO_RETURN:
        if (!SSL_is_init_finished(t->ssl))
            return lose(t, "the peer closed during the handshake");
        return TLS_CLOSED;
    default:
        why = openssl_client_reason(t);
        return lose(t, why != NULL ? why : openssl_reason());
    }
}

static enum tls_result shake_hands(struct tls *t)
{
    if (buf_room(t->out) < TLS_HANDSHAKE_ROOM)
        return TLS_WANT_ROOM;
    int res = SSL_do_handshake(t->ssl);
    if (res != 1)
        return not_done(t, res);
    const char *why = openssl_client_keep(t);
    return why == NULL ? TLS_OK : lose(t, why);
}

static enum tls_result read_plain(struct tls *t, struct buf *plain)
{
    size_t len = 0;

    /* An alert, or the answer to a KeyUpdate, finds room. */
    if (buf_room(plain) == 0 || buf_room(t->out) < TLS_OVERHEAD_MAX)
        return TLS_WANT_ROOM;
    int res = SSL_read_ex(t->ssl, plain->data + plain->end, buf_room(plain), &len);
    if (res != 1)
        return not_done(t, res);
    plain->end += (uint32_t)len;
    return TLS_OK;
}

static bool on_resumed(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return SSL_session_reused(t->ssl) == 1;
}

static bool on_established(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return t->established;
}

static enum tls_result on_receive(struct tls *t, struct span *in, struct buf *plain,
                                  struct buf *out)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    if (t->lost)
        return TLS_FAILED;
    forget_errors();
    t->in = in;
    t->out = out;
    enum tls_result result = t->established ? read_plain(t, plain) : shake_hands(t);
    t->in = NULL;
    t->out = NULL;
    if (result == TLS_OK)
        t->established = true;
    return result;
}

static int on_send(struct tls *t, const void *data, size_t len, struct buf *out)
{
    size_t written = 0;

    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    CHECK(t->established);
    CHECK(len > 0 && len <= TLS_PLAIN_MAX && buf_room(out) >= len + TLS_OVERHEAD_MAX);
    if (t->lost)
        return -EPIPE;
    forget_errors();
    t->out = out;
    int res = SSL_write_ex(t->ssl, data, len, &written);
    t->out = NULL;
    if (res == 1 && written == len)
        return 0;
    /* Room there is; a peer that sent half a KeyUpdate and waits would stop us for good. */
    if (not_done(t, res) != TLS_FAILED)
        lose(t, "half a handshake message from the peer");
    return -EPROTO;
}

static void on_shutdown(struct tls *t, struct buf *out)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    if (t->lost || !t->established || buf_room(out) < TLS_OVERHEAD_MAX ||
        (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) != 0)
        return;
    forget_errors();
    t->out = out;
    if (SSL_shutdown(t->ssl) < 0)
        lose(t, "half a handshake message from the peer");
    t->out = NULL;
}

static bool on_pending(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return t->in_record.seen > 0 || SSL_pending(t->ssl) > 0;
}

static void on_trim(struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    if (!t->lost)
        (void)SSL_free_buffers(t->ssl);
}

static struct span on_server_name(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return t->server_name != NULL ? span_str(t->server_name) : SPAN_LIT("");
}

static void on_agreed(struct tls *t, const char **ret_protocol, const char **ret_cipher)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    *ret_protocol = SSL_get_version(t->ssl);
    const char *name = SSL_CIPHER_standard_name(SSL_get_current_cipher(t->ssl));
    *ret_cipher = name != NULL ? name : SSL_get_cipher_name(t->ssl);
}

static const struct client_certificate *on_client(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return t->client;
}

static bool on_client_refused(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return t->client_refused;
}

static const char *on_error(const struct tls *t)
{
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return t->error != NULL ? t->error : "no error";
}

const struct tls_ops tls_openssl = {
    .name = "openssl",
    .features = on_features,
    .ctx_create = openssl_ctx_create,
    .ctx_destroy = openssl_ctx_destroy,
    .open = on_open,
    .close = on_close,
    .receive = on_receive,
    .send = on_send,
    .shutdown = on_shutdown,
    .established = on_established,
    .resumed = on_resumed,
    .pending = on_pending,
    .trim = on_trim,
    .server_name = on_server_name,
    .agreed = on_agreed,
    .client = on_client,
    .client_refused = on_client_refused,
    .error = on_error,
    .offload = openssl_ktls_offload,
};
