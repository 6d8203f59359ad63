/* openssl_hello.c: what the ClientHello decides: server, certificate, protocol. See openssl.h.
 *
 * The name is read before OpenSSL looks for a session (SSL_CTX_set_client_hello_cb(3)), since a
 * session is bound to it: one that was made for another name is not resumed, as RFC 6066 section 3
 * demands, nor is one made with another server's certificate. */
#include "tls/openssl.h"

#include "core/check.h"
#include "config/server_find.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_TYPE_HOST = 0 };

static bool take_u16(struct span *s, size_t *ret_number)
{
    if (s->len < 2)
        return false;
    *ret_number = (size_t)(unsigned char)s->ptr[0] << 8 | (unsigned char)s->ptr[1];
    s->ptr += 2;
    s->len -= 2;
    return true;
}

/* The host_name of the extension `data`: a list of one name (RFC 6066 section 3). False: malformed.
 */
static bool parse_server_name(struct span data, struct span *ret_name)
{
    size_t list_len, name_len;

    if (!take_u16(&data, &list_len) || list_len != data.len || data.len < 1 ||
        data.ptr[0] != NAME_TYPE_HOST)
        return false;
    data.ptr++;
    data.len--;
    if (!take_u16(&data, &name_len) || name_len != data.len || name_len == 0 ||
        name_len > TLSEXT_MAXLEN_host_name || memchr(data.ptr, '\0', name_len) != NULL)
        return false;
    *ret_name = data;
    return true;
}

/* Keeps the name in lower case. */
static bool keep_server_name(struct tls *t, struct span name)
{
    char *copy = malloc(name.len + 1);

    if (copy == NULL)
        return false;
    for (size_t i = 0; i < name.len; i++)
        copy[i] =
            (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 0x20 : name.ptr[i]);
    copy[name.len] = '\0';
    /* NULL, unless OpenSSL asks again for the ClientHello behind a HelloRetryRequest. */
    free(t->server_name);
    t->server_name = copy;
    return true;
}

/* Sessions of this connection are for the server of that index, by that name, and for clients that
 * have proved what it demands now. */
static bool bind_sessions(struct tls *t, size_t index)
{
    const char *name = t->server_name != NULL ? t->server_name : "";
    const unsigned char *demands = t->ctx->servers[index].demands;
    unsigned char text[sizeof(index) + EVP_MAX_MD_SIZE + TLSEXT_MAXLEN_host_name];
    size_t fixed = sizeof(index) + EVP_MAX_MD_SIZE;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    size_t name_len = strlen(name);

    memcpy(text, &index, sizeof(index));
    memcpy(text + sizeof(index), demands, EVP_MAX_MD_SIZE);
    memcpy(text + fixed, name, name_len);
    return EVP_Digest(text, fixed + name_len, hash, &hash_len, t->ctx->sha256, NULL) &&
           SSL_set_session_id_context(t->ssl, hash, hash_len);
}

int openssl_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls *t = SSL_get_app_data(ssl);
    const unsigned char *data;
    struct span name = SPAN_LIT("");
    size_t len;

    (void)arg;
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &len)) {
        if (!parse_server_name(span_make((const char *)data, len), &name)) {
            *alert = SSL_AD_DECODE_ERROR;
            t->error = "malformed server name";
            return SSL_CLIENT_HELLO_ERROR;
        }
        if (!keep_server_name(t, name)) {
            *alert = SSL_AD_INTERNAL_ERROR;
            return SSL_CLIENT_HELLO_ERROR;
        }
    }
    size_t index = (size_t)(server_find(t->listen, name) - t->ctx->config->servers);
    CHECK(index < t->ctx->config->servers_count && t->ctx->servers[index].ssl_ctx != NULL);
    const struct openssl_server *its = &t->ctx->servers[index];
    if (SSL_set_SSL_CTX(ssl, its->ssl_ctx) == NULL || !bind_sessions(t, index) ||
        (its->identity.x509 != NULL &&
         SSL_use_cert_and_key(ssl, its->identity.x509, its->identity.key, its->identity.chain, 1) !=
             1)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    const struct server *server = &t->ctx->config->servers[index];
    if (server->certificates_count == 0 && t->ctx->folder != NULL &&
        !openssl_folder_use(t->ctx->folder, ssl, name, server)) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        t->error = "there is no certificate for the name asked for";
        return SSL_CLIENT_HELLO_ERROR;
    }
    openssl_client_ask(ssl, t->ctx->config->servers[index].client_auth);
    return SSL_CLIENT_HELLO_SUCCESS;
}

int openssl_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                 const unsigned char *offered, unsigned int offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
    unsigned char *name;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&name, ret_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol */
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}
