/* openssl_bio.c: OpenSSL reads and writes memory that the caller of tls_ops lends. See openssl.h.
 *
 * BIO_s_mem() would keep copies and memory of its own. What cannot be read or written now is a
 * retry, as with a socket. */
#include "tls/openssl.h"

#include "core/check.h"

#include <errno.h>
#include <openssl/bio.h>
#include <string.h>

enum { RECORD_HEADER = 5, TYPE_CHANGE_CIPHER_SPEC = 20 };

size_t openssl_record_scan(struct record_scan *scan, const void *data, size_t len,
                           bool *ret_complete)
{
    size_t size = RECORD_HEADER;
    size_t used = 0;

    if (scan->seen < RECORD_HEADER) {
        used = RECORD_HEADER - scan->seen < len ? RECORD_HEADER - scan->seen : len;
        memcpy(scan->head + scan->seen, data, used);
        scan->seen += (uint32_t)used;
    }
    if (scan->seen >= RECORD_HEADER) {
        size += (size_t)scan->head[3] << 8 | scan->head[4];
        size_t rest = size - scan->seen < len - used ? size - scan->seen : len - used;
        for (size_t i = 0; i < rest && scan->seen + i < sizeof(scan->head); i++)
            scan->head[scan->seen + i] = ((const unsigned char *)data)[used + i];
        scan->seen += (uint32_t)rest;
        used += rest;
    }
    *ret_complete = scan->seen == size;
    if (*ret_complete)
        scan->seen = 0;
    return used;
}

/* Counts the records under the key in use: in TLS 1.2 it begins behind ChangeCipherSpec (RFC 5246
 * section 7.1); in 1.3, where that record means nothing, openssl_ktls.c begins anew. */
static void count_sent(struct tls *t, const char *data, size_t len)
{
    bool complete;

    while (len > 0) {
        size_t used = openssl_record_scan(&t->out_record, data, len, &complete);
        data += used;
        len -= used;
        if (!complete)
            continue;
        t->records_sent++;
        if (t->out_record.head[0] == TYPE_CHANGE_CIPHER_SPEC)
            t->records_sent = 0;
        memcpy(t->last_nonce, t->out_record.head + RECORD_HEADER, sizeof(t->last_nonce));
    }
}

static int on_write(BIO *bio, const char *data, int len)
{
    struct tls *t = BIO_get_data(bio);

    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    BIO_clear_retry_flags(bio);
    if (t->out == NULL || buf_room(t->out) == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    size_t taken = (size_t)len < buf_room(t->out) ? (size_t)len : buf_room(t->out);
    MUST(buf_append(t->out, data, taken));
    count_sent(t, data, taken);
    return (int)taken;
}

static int on_read(BIO *bio, char *data, int size)
{
    struct tls *t = BIO_get_data(bio);
    bool complete;

    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    BIO_clear_retry_flags(bio);
    if (t->in == NULL || t->in->len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t taken = (size_t)size < t->in->len ? (size_t)size : t->in->len;
    memcpy(data, t->in->ptr, taken);
    for (size_t used = 0; used < taken;)
        used += openssl_record_scan(&t->in_record, data + used, taken - used, &complete);
    t->in->ptr += taken;
    t->in->len -= taken;
    return (int)taken;
}

static long on_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    /* There is nothing behind it to flush; all else, kTLS among it, it cannot. */
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int on_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *openssl_bio_method(void)
{
    /* A type of its own is drawn from a hundred that the process has (BIO_get_new_index(3)). */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_MEM, "lent memory");

    if (method == NULL)
        return NULL;
    if (BIO_meth_set_create(method, on_create) && BIO_meth_set_ctrl(method, on_ctrl) &&
        BIO_meth_set_read(method, on_read) && BIO_meth_set_write(method, on_write))
        return method;
    BIO_meth_free(method);
    return NULL;
}

int openssl_bio_attach(struct tls *t)
{
    BIO *bio = BIO_new(t->ctx->bio_method);

    if (bio == NULL)
        return -ENOMEM;
    BIO_set_data(bio, t);
    SSL_set_bio(t->ssl, bio, bio); /* takes it, for both directions */
    return 0;
}
