/* tls_mbedtls.c: TLS by mbed TLS (2.28 or 3.6): struct tls_ops over its context of a connection.
 *
 * The library reads and writes through two callbacks, which are given the buffers that the caller
 * lends for the time of one call. Each connection has a configuration of the library of its own:
 * its callbacks for names, tickets and kept sessions are handed a pointer that stands there, and
 * nothing else that would tell which connection they are called for. */
#include "tls/mbed_ctx.h"
#include "tls/mbed_random.h"
#include "tls/tls.h"

#include "core/check.h"
#include "config/server_find.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_LEN = 255, /* octets of a host name (RFC 1035 section 2.3.4) */
    RECORD_HEADER = 5,  /* octets: type, version, length (RFC 8446 section 5.1) */
    TLS_MAGIC = 0x6d62746c
};

enum state { STATE_OPEN, STATE_CLOSED_BY_PEER, STATE_LOST };

struct tls {
    unsigned magic;
    enum state state;
    bool is_established; /* the handshake is complete */
    bool close_notify_sent;
    bool has_written;    /* something of the library's is on its way to the peer */
    bool client_refused; /* the client has not proved what it has to */
    bool is_explained;   /* `error` tells already what the library only has a code for */
    struct tls_ctx *ctx;
    const struct listen_config *listen;
    struct mbed_host *host;    /* the server that the name leads to */
    struct mbed_host *resumed; /* whose session is resumed, if one is */
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    struct span *in; /* lent for the time of a call */
    struct buf *out;
    size_t out_len;       /* octets in `out` when the call began */
    uint16_t record_left; /* octets to come of the record whose header is here */
    uint8_t header_len;   /* octets here of the next record's header */
    unsigned char header[RECORD_HEADER];
    uint8_t id_len;
    unsigned char id[MBED_ID_MAX]; /* of the session in ctx->sessions, if it is there */
    uint8_t name_len;
    char name[NAME_MAX_LEN];           /* SNI, in lower case, without NUL */
    struct client_certificate *client; /* owned; NULL: it has none */
    char cipher[64]; /* IANA's name of the suite, once the handshake is complete */
    char error[120];
};

/* Follows the records that the library takes, so that pending() knows of a begun one; there is no
 * question to the library that answers it. */
static void follow_records(struct tls *t, const unsigned char *octets, size_t len)
{
    while (len > 0) {
        size_t step = t->record_left;
        if (step > 0) {
            step = step < len ? step : len;
            t->record_left = (uint16_t)(t->record_left - step);
        } else {
            t->header[t->header_len++] = *octets;
            step = 1;
            if (t->header_len == RECORD_HEADER) {
                t->record_left = (uint16_t)(t->header[3] << 8 | t->header[4]);
                t->header_len = 0;
            }
        }
        octets += step;
        len -= step;
    }
}

/* The library's f_recv. */
static int take_input(void *arg, unsigned char *to, size_t len)
{
    struct tls *t = arg;
    CHECK_OBJ(t, TLS_MAGIC);
    CHECK(t->in != NULL);
    if (t->in->len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    size_t taken = len < t->in->len ? len : t->in->len;
    memcpy(to, t->in->ptr, taken);
    t->in->ptr += taken;
    t->in->len -= taken;
    follow_records(t, to, taken);
    return (int)taken;
}

/* The library's f_send. A part is enough for it in a handshake; it comes back with the rest. */
static int put_output(void *arg, const unsigned char *octets, size_t len)
{
    struct tls *t = arg;
    CHECK_OBJ(t, TLS_MAGIC);
    CHECK(t->out != NULL);
    size_t put = len < buf_room(t->out) ? len : buf_room(t->out);
    if (put == 0)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    buf_append(t->out, octets, put);
    t->has_written = true;
    return (int)put;
}

/* Asks the client for what t->host demands, with `ssl` in place of what was asked for before. */
static void ask_client(struct tls *t, mbedtls_ssl_context *ssl)
{
    struct mbed_client_auth *auth = t->host->client_auth;
    int mode = auth == NULL     ? MBEDTLS_SSL_VERIFY_NONE
               : auth->required ? MBEDTLS_SSL_VERIFY_REQUIRED
                                : MBEDTLS_SSL_VERIFY_OPTIONAL;

    if (auth != NULL)
        mbed_conf_no_tickets(&t->conf);
    if (ssl != NULL) {
        mbedtls_ssl_set_hs_authmode(ssl, mode);
        if (auth != NULL)
            mbedtls_ssl_set_hs_ca_chain(ssl, &auth->ca, auth->has_crl ? &auth->crl : NULL);
        return;
    }
    mbedtls_ssl_conf_authmode(&t->conf, mode);
    if (auth != NULL)
        mbedtls_ssl_conf_ca_chain(&t->conf, &auth->ca, auth->has_crl ? &auth->crl : NULL);
}

/* The library's f_vrfy. */
static int judge_client(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls *t = arg;
    CHECK_OBJ(t, TLS_MAGIC);
    if (t->host->client_auth != NULL)
        mbed_client_judge(t->host->client_auth, crt, depth, flags);
    return 0;
}

static void explain(struct tls *t, const char *why)
{
    t->is_explained = true;
    snprintf(t->error, sizeof(t->error), "%s", why);
}

/* The library's f_sni: the client names the host that it wants (RFC 6066 section 3). Other than 0
 * ends the handshake with the alert unrecognized_name. */
static int take_name(void *arg, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len)
{
    struct tls *t = arg;
    CHECK_OBJ(t, TLS_MAGIC);
    if (len == 0 || len > NAME_MAX_LEN || memchr(name, '\0', len) != NULL) {
        explain(t, "malformed server name");
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    }
    struct span named = span_make((const char *)name, len);
    /* A second ClientHello, behind a HelloRetryRequest, does not change it. */
    if (t->name_len > 0 && !span_caseeq(named, span_make(t->name, t->name_len))) {
        explain(t, "the server name changes in mid-handshake");
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    }
    for (size_t i = 0; i < len; i++)
        t->name[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
    t->name_len = (uint8_t)len;
    t->host = mbed_ctx_host(t->ctx, server_find(t->listen, span_make(t->name, len)));
    /* A ticket that stands before the name was tried with the default host's key. */
    if (t->resumed != NULL && t->resumed != t->host) {
        explain(t, "the session is of another server");
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    }
    ask_client(t, ssl);
    size_t count = 0;
    int code = mbed_ctx_offer(t->ctx, t->host, span_make(t->name, len), &t->conf, ssl, &count);
    if (code == 0 && count == 0) {
        explain(t, "there is no certificate for the name asked for");
        code = MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    }
    return code;
}

/* What a session is bound to: the server and the name asked for. 0, or a code of the library: where
 * clients have something to prove, there are no sessions to resume. */
static int bind_session(const struct tls *t, unsigned char *ret_binding)
{
    unsigned char text[sizeof(size_t) + NAME_MAX_LEN];
    size_t index = (size_t)(t->host - t->ctx->hosts);

    if (t->host->client_auth != NULL)
        return MBEDTLS_ERR_SSL_INVALID_MAC; /* as of a ticket that is none of ours */
    memcpy(text, &index, sizeof(index));
    memcpy(text + sizeof(index), t->name, t->name_len);
    return mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), text,
                      sizeof(index) + t->name_len, ret_binding);
}

/* The library's f_ticket_write and f_ticket_parse. */
static int write_ticket(void *arg, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *ret_len, uint32_t *ret_lifetime_s)
{
    struct tls *t = arg;
    unsigned char binding[MBED_BINDING_SIZE];
    CHECK_OBJ(t, TLS_MAGIC);
    int code = bind_session(t, binding);
    if (code == 0)
        code = mbed_ticket_seal(t->ctx->ticket_keys, binding, session, start, end, ret_len);
    if (code == 0)
        *ret_lifetime_s = t->ctx->lifetime_s;
    return code;
}

static int parse_ticket(void *arg, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
    struct tls *t = arg;
    unsigned char binding[MBED_BINDING_SIZE];
    CHECK_OBJ(t, TLS_MAGIC);
    int code = bind_session(t, binding);
    if (code == 0)
        code = mbed_ticket_open(t->ctx->ticket_keys, binding, session, ticket, len);
    if (code == 0)
        t->resumed = t->host;
    return code;
}

static bool find_session(struct tls *t, const unsigned char *id, size_t id_len,
                         mbedtls_ssl_session *session)
{
    unsigned char binding[MBED_BINDING_SIZE];
    CHECK_OBJ(t, TLS_MAGIC);
    if (bind_session(t, binding) != 0 ||
        !mbed_sessions_get(t->ctx->sessions, binding, id, id_len, session))
        return false;
    memcpy(t->id, id, id_len);
    t->id_len = (uint8_t)id_len;
    return true;
}

static bool keep_session(struct tls *t, const unsigned char *id, size_t id_len,
                         const mbedtls_ssl_session *session)
{
    unsigned char binding[MBED_BINDING_SIZE];
    CHECK_OBJ(t, TLS_MAGIC);
    if (bind_session(t, binding) != 0 ||
        !mbed_sessions_put(t->ctx->sessions, binding, id, id_len, session))
        return false;
    memcpy(t->id, id, id_len);
    t->id_len = (uint8_t)id_len;
    return true;
}

/* The library's f_get_cache and f_set_cache; other than 0: nothing was found, or kept. */
#if MBED_IS_3
static int get_session(void *t, const unsigned char *id, size_t id_len,
                       mbedtls_ssl_session *session)
{
    return find_session(t, id, id_len, session) ? 0 : 1;
}

static int put_session(void *t, const unsigned char *id, size_t id_len,
                       const mbedtls_ssl_session *session)
{
    return keep_session(t, id, id_len, session) ? 0 : 1;
}
#else
static int get_session(void *t, mbedtls_ssl_session *session)
{
    unsigned char id[sizeof(session->id)]; /* loading overwrites it */
    memcpy(id, session->id, sizeof(id));
    return find_session(t, id, session->id_len, session) ? 0 : 1;
}

static int put_session(void *t, const mbedtls_ssl_session *session)
{
    return keep_session(t, session->id, session->id_len, session) ? 0 : 1;
}
#endif

/* Everything that is configured. 0, or a code of the library: out of memory. */
static int configure(struct tls *t)
{
    static const char *protocols[] = { "http/1.1", "http/1.0", NULL };
    mbedtls_ssl_config *conf = &t->conf;
    size_t count;

    int code = mbedtls_ssl_config_defaults(
        conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0)
        return code;
    mbedtls_ssl_conf_rng(conf, mbed_random, NULL);
    mbed_conf_protocols(conf, t->ctx->names.protocols, t->ctx->names.curves);
    mbedtls_ssl_conf_ciphersuites(conf, t->ctx->names.suites);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
    mbedtls_ssl_conf_sni(conf, take_name, t);
    mbedtls_ssl_conf_verify(conf, judge_client, t);
    ask_client(t, NULL);
    if (t->ctx->ticket_keys != NULL)
        mbedtls_ssl_conf_session_tickets_cb(conf, write_ticket, parse_ticket, t);
    if (t->ctx->sessions != NULL)
        mbedtls_ssl_conf_session_cache(conf, t, get_session, put_session);
    if ((code = mbedtls_ssl_conf_alpn_protocols(conf, protocols)) != 0 ||
        (code = mbed_ctx_offer(t->ctx, t->host, SPAN_LIT(""), conf, NULL, &count)) != 0 ||
        (code = mbedtls_ssl_setup(&t->ssl, conf)) != 0)
        return code;
    mbedtls_ssl_set_bio(&t->ssl, t, put_output, take_input, NULL);
    return 0;
}

static void mbed_close(struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    mbedtls_ssl_free(&t->ssl);
    mbedtls_ssl_config_free(&t->conf);
    free(t->client);
    t->magic = 0;
    free(t);
}

static int mbed_open(struct tls_ctx *ctx, const struct listen_config *listen, struct tls **ret_tls)
{
    CHECK_OBJ(ctx, MBED_CTX_MAGIC);
    CHECK(listen->tls && listen->servers_count > 0);
    struct tls *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return -ENOMEM;
    t->magic = TLS_MAGIC;
    t->ctx = ctx;
    t->listen = listen;
    snprintf(t->error, sizeof(t->error), "no error");
    t->host = mbed_ctx_host(ctx, listen->servers[0]);
    mbedtls_ssl_init(&t->ssl);
    mbedtls_ssl_config_init(&t->conf);
    if (configure(t) != 0) {
        mbed_close(t);
        return -ENOMEM;
    }
    *ret_tls = t;
    return 0;
}

static enum tls_result fail(struct tls *t, int code)
{
    t->state = STATE_LOST;
    if (t->id_len > 0)
        mbed_sessions_drop(t->ctx->sessions, t->id, t->id_len);
    if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
        t->client_refused = true;
        explain(t, "it has sent none");
    } else if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && !t->is_explained) {
        t->client_refused = true;
        t->is_explained = true;
        mbed_client_reason(mbedtls_ssl_get_verify_result(&t->ssl), t->error, sizeof(t->error));
    }
    if (!t->is_explained)
        mbedtls_strerror(code, t->error, sizeof(t->error));
    return TLS_FAILED;
}

/* A failure while receiving. The library has told the peer why, in most cases; in the others, all
 * of them malformed messages, this does. */
static enum tls_result fail_receiving(struct tls *t, int code)
{
    /* decode_error (RFC 5246 section 7.2), in the clear */
    static const unsigned char alert[] = { 21, 3, 3, 0, 2, 2, 50 };

    if (t->out_len == buf_len(t->out) && code != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        if (t->has_written) /* else the library knows no version to write in front of it */
            mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                           MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR);
        else
            buf_append(t->out, alert, sizeof(alert));
    }
    return fail(t, code);
}

/* What a call of the library that did not succeed means. TLS_OK: call it again. */
static enum tls_result result_of(struct tls *t, int code)
{
    switch (code) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        /* It stops so, too, after a warning alert, with input left. */
        return t->in->len > 0 ? TLS_OK : TLS_WANT_INPUT;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TLS_WANT_ROOM;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        t->state = STATE_CLOSED_BY_PEER;
        return TLS_CLOSED;
    default:
        return fail_receiving(t, code);
    }
}

/* The handshake is complete: what the client has proved. 0, or a code that ends the connection;
 * where a certificate is not demanded, the library lets one pass that does not verify. */
static int keep_client(struct tls *t)
{
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&t->ssl);

    if (t->host->client_auth == NULL || crt == NULL)
        return 0;
    if (mbedtls_ssl_get_verify_result(&t->ssl) != 0) {
        mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
        return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
    }
    t->client = calloc(1, sizeof(*t->client));
    if (t->client != NULL && mbed_client_describe(crt, t->client))
        return 0;
    t->client_refused = true;
    explain(t, t->client == NULL ? "out of memory" : "a name in it, or its number, is too long");
    return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

static enum tls_result shake_hands(struct tls *t)
{
    enum tls_result result = TLS_OK;

    if (buf_room(t->out) < TLS_HANDSHAKE_ROOM)
        return TLS_WANT_ROOM;
    do {
        int code = mbedtls_ssl_handshake(&t->ssl);
        if (code == 0)
            code = keep_client(t);
        if (code == 0) {
            t->is_established = true;
            return TLS_OK;
        }
        result = result_of(t, code);
    } while (result == TLS_OK);
    return result;
}

static enum tls_result read_plain(struct tls *t, struct buf *plain)
{
    enum tls_result result = TLS_OK;

    if (buf_room(plain) == 0 || buf_room(t->out) < TLS_OVERHEAD_MAX)
        return TLS_WANT_ROOM;
    do {
        int code =
            mbedtls_ssl_read(&t->ssl, (unsigned char *)plain->data + plain->end, buf_room(plain));
        if (code > 0) {
            plain->end += (uint32_t)code;
            return TLS_OK;
        }
        if (code == 0) /* an empty record */
            code = MBEDTLS_ERR_SSL_WANT_READ;
        result = result_of(t, code);
    } while (result == TLS_OK);
    if (result == TLS_WANT_ROOM) {
        /* There was room for an alert. What is left in the library of the last one would pass
         * for a part of what is sent next. */
        explain(t, "the client insists on renegotiation");
        result = fail(t, MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE);
    }
    return result;
}

static enum tls_result mbed_receive(struct tls *t, struct span *in, struct buf *plain,
                                    struct buf *out)
{
    enum tls_result result = TLS_FAILED;

    CHECK_OBJ(t, TLS_MAGIC);
    t->in = in;
    t->out = out;
    t->out_len = buf_len(out);
    switch (t->state) {
    case STATE_OPEN:
        result = t->is_established ? read_plain(t, plain) : shake_hands(t);
        break;
    case STATE_CLOSED_BY_PEER:
        result = TLS_CLOSED;
        break;
    case STATE_LOST:
        break;
    }
    t->in = NULL;
    t->out = NULL;
    return result;
}

static bool mbed_established(const struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    return t->is_established;
}

static int mbed_send(struct tls *t, const void *data, size_t len, struct buf *out)
{
    const unsigned char *octets = data;

    CHECK_OBJ(t, TLS_MAGIC);
    CHECK(len >= 1 && len <= TLS_PLAIN_MAX && buf_room(out) >= len + TLS_OVERHEAD_MAX);
    if (t->state == STATE_LOST || t->close_notify_sent)
        return -EPIPE;
    CHECK(t->is_established);
    t->out = out;
    /* More than once when the client wants smaller records (RFC 6066 section 4); and with TLS 1.3 a
     * full one is an octet smaller here than it could be. */
    while (len > 0) {
        int code = mbedtls_ssl_write(&t->ssl, octets, len);
        if (code <= 0) {
            fail(t, code);
            break;
        }
        octets += code;
        len -= (size_t)code;
    }
    t->out = NULL;
    return len == 0 ? 0 : -EPIPE;
}

static void mbed_shutdown(struct tls *t, struct buf *out)
{
    CHECK_OBJ(t, TLS_MAGIC);
    if (t->state == STATE_LOST || !t->is_established || t->close_notify_sent ||
        buf_room(out) < TLS_OVERHEAD_MAX)
        return;
    t->close_notify_sent = true;
    t->out = out;
    mbedtls_ssl_close_notify(&t->ssl);
    t->out = NULL;
}

static bool mbed_pending(const struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    return t->record_left > 0 || t->header_len > 0 || mbedtls_ssl_get_bytes_avail(&t->ssl) > 0 ||
           mbedtls_ssl_check_pending(&t->ssl) != 0;
}

static struct span mbed_server_name(const struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    return span_make(t->name, t->name_len);
}

static void mbed_agreed(struct tls *t, const char **ret_protocol, const char **ret_cipher)
{
    CHECK_OBJ(t, TLS_MAGIC);
    mbed_iana_name(mbedtls_ssl_get_ciphersuite(&t->ssl), t->cipher, sizeof(t->cipher));
    *ret_protocol = mbedtls_ssl_get_version(&t->ssl);
    *ret_cipher = t->cipher;
}

static const struct client_certificate *mbed_client(const struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    return t->client;
}

static bool mbed_client_refused(const struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    return t->client_refused;
}

static const char *mbed_error(const struct tls *t)
{
    CHECK_OBJ(t, TLS_MAGIC);
    return t->error;
}

static void mbed_features(char *text, size_t size)
{
    char version[32];

    mbedtls_version_get_string_full(version);
    version[0] = 'm'; /* 3.6 has a capital there */
    snprintf(text, size, "%s: TLS 1.2%s, no kTLS, no X25519MLKEM768, no ECH", version,
             (MBED_PROTOCOLS & TLS_PROTOCOL_1_3) != 0 ? " and 1.3" : "");
}

const struct tls_ops tls_mbedtls = {
    .name = "mbedtls",
    .features = mbed_features,
    .ctx_create = mbed_ctx_create,
    .ctx_destroy = mbed_ctx_destroy,
    .open = mbed_open,
    .close = mbed_close,
    .receive = mbed_receive,
    .send = mbed_send,
    .shutdown = mbed_shutdown,
    .established = mbed_established,
    .pending = mbed_pending,
    .server_name = mbed_server_name,
    .agreed = mbed_agreed,
    .client = mbed_client,
    .client_refused = mbed_client_refused,
    .error = mbed_error,
    .offload = NULL,
};
