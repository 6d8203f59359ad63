/* mbed_tickets.c: sealing and opening tickets with AES-256-GCM. See mbed_tickets.h.
 *
 *   name of the key (16) | nonce (12) | the session, encrypted | tag (16)
 *
 * The tag covers the binding, too. A key seals for hours and nonces are random: far from the 2^32
 * tickets at which they could repeat (NIST SP 800-38D section 8.3). */
#include "tls/mbed_tickets.h"

#include "core/clock.h"
#include "tls/mbed_random.h"

#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <string.h>

enum {
    NONCE_SIZE = 12,
    TAG_SIZE = 16,
    HEAD_SIZE = TICKET_KEY_NAME_SIZE + NONCE_SIZE,
};

static int gcm_open(mbedtls_gcm_context *gcm, struct ticket_key *key)
{
    mbedtls_gcm_init(gcm);
    int code =
        mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key->cipher, 8 * TICKET_KEY_CIPHER_SIZE);
    mbedtls_platform_zeroize(key, sizeof(*key));
    return code;
}

int mbed_ticket_seal(struct ticket_keys *keys, const unsigned char *binding,
                     const mbedtls_ssl_session *session, unsigned char *start,
                     const unsigned char *end, size_t *ret_len)
{
    mbedtls_gcm_context gcm;
    struct ticket_key key;
    size_t room = (size_t)(end - start), len = 0;
    unsigned char *nonce = start + TICKET_KEY_NAME_SIZE, *text = start + HEAD_SIZE;

    if (room < HEAD_SIZE + TAG_SIZE)
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    int code = mbedtls_ssl_session_save(session, text, room - HEAD_SIZE - TAG_SIZE, &len);
    if (code == 0)
        code = mbed_random(NULL, nonce, NONCE_SIZE);
    if (code != 0)
        return code;
    if (ticket_keys_newest(keys, clock_monotonic_ms(), &key) < 0)
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    memcpy(start, key.name, TICKET_KEY_NAME_SIZE);
    code = gcm_open(&gcm, &key);
    if (code == 0)
        code = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, NONCE_SIZE, binding,
                                         MBED_BINDING_SIZE, text, text, TAG_SIZE, text + len);
    mbedtls_gcm_free(&gcm);
    if (code != 0) {
        mbedtls_platform_zeroize(text, len);
        return code;
    }
    *ret_len = HEAD_SIZE + len + TAG_SIZE;
    return 0;
}

int mbed_ticket_open(struct ticket_keys *keys, const unsigned char *binding,
                     mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
    mbedtls_gcm_context gcm;
    struct ticket_key key;
    unsigned char *nonce = ticket + TICKET_KEY_NAME_SIZE, *text = ticket + HEAD_SIZE;

    if (len < HEAD_SIZE + TAG_SIZE ||
        ticket_keys_find(keys, clock_monotonic_ms(), ticket, &key) == TICKET_KEY_NONE)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    len -= HEAD_SIZE + TAG_SIZE;
    int code = gcm_open(&gcm, &key);
    if (code == 0 &&
        mbedtls_gcm_auth_decrypt(&gcm, len, nonce, NONCE_SIZE, binding, MBED_BINDING_SIZE,
                                 text + len, TAG_SIZE, text, text) != 0)
        code = MBEDTLS_ERR_SSL_INVALID_MAC;
    mbedtls_gcm_free(&gcm);
    if (code == 0) {
        code = mbedtls_ssl_session_load(session, text, len);
        mbedtls_platform_zeroize(text, len);
    }
    return code;
}
