/* openssl_ocsp.c: OCSP responses (RFC 6960) that are sent along with a certificate (RFC 6066
 * section 8): read from files that somebody else keeps fresh. See openssl.h.
 *
 * Whatever is wrong with a response is a warning, and it is not sent: a client asks the authority
 * himself then. A response is sent only as long as it says itself that it holds. */
#include "tls/openssl.h"

#include "core/log.h"
#include "tls/pem_file.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SKEW_S = 300 /* by which the authority's clock may differ */ };

/* The response about `x509`, of those in `basic`; NULL: there is none. */
static OCSP_SINGLERESP *single_find(OCSP_BASICRESP *basic, const X509 *x509, const X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        const OCSP_CERTID *its = OCSP_SINGLERESP_get0_id(single);
        ASN1_OBJECT *method;

        if (!OCSP_id_get0_info(NULL, &method, NULL, NULL, (OCSP_CERTID *)(uintptr_t)its))
            continue;
        OCSP_CERTID *id = OCSP_cert_to_id(EVP_get_digestbyobj(method), x509, issuer);
        bool same = id != NULL && OCSP_id_cmp(id, its) == 0;
        OCSP_CERTID_free(id);
        if (same)
            return single;
    }
    return NULL;
}

/* What the times and the status of `single` say. NULL and the time until which it holds, or why it
 * is not sent. */
static const char *single_judge(OCSP_SINGLERESP *single, time_t *ret_until)
{
    ASN1_GENERALIZEDTIME *this_update, *next_update;
    int days = 0, seconds = 0;

    int status = OCSP_single_get0_status(single, NULL, NULL, &this_update, &next_update);
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return "it says that the certificate is revoked: get another one";
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return "the authority does not know the certificate";
    if (next_update == NULL)
        return "it does not say how long it holds";
    if (OCSP_check_validity(this_update, next_update, SKEW_S, -1) != 1)
        return "its time is over, or has not come: fetch a new one";
    if (!ASN1_TIME_diff(&days, &seconds, NULL, next_update))
        return "its time is malformed";
    *ret_until = time(NULL) + (time_t)days * 86400 + seconds;
    return NULL;
}

/* As above, of a whole response. `chain`: the certificates above `x509`, its issuer first. */
static const char *response_judge(OCSP_RESPONSE *response, const X509 *x509, STACK_OF(X509) * chain,
                                  time_t *ret_until)
{
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return "the authority has refused to answer";
    if (sk_X509_num(chain) < 1)
        return "the certificate's file does not hold its issuer, which is needed to check it";
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (basic == NULL)
        return "it is of a kind that is not known";
    const char *what = NULL;
    OCSP_SINGLERESP *single = single_find(basic, x509, sk_X509_value(chain, 0));
    if (single == NULL)
        what = "it is about another certificate";
    else if (OCSP_basic_verify(basic, chain, NULL, OCSP_NOVERIFY) != 1)
        what = "its signature is not the authority's";
    else
        what = single_judge(single, ret_until);
    OCSP_BASICRESP_free(basic);
    return what;
}

void openssl_ocsp_load(SSL_CTX *ssl_ctx, const struct server *server, const char *path,
                       struct openssl_ocsp *ocsp)
{
    char why[512];
    struct pem_place place = { server, path, why, sizeof(why) };
    struct pem_file file;
    STACK_OF(X509) *chain = NULL;

    *ocsp = (struct openssl_ocsp){ .x509 = SSL_CTX_get0_certificate(ssl_ctx) };
    if (pem_file_read(&place, &file) < 0) {
        log_warn("%s: no OCSP response is sent with its certificate", why);
        pem_file_free(&file);
        return;
    }
    const unsigned char *at = (const unsigned char *)file.text;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)file.len);
    const char *what = "it is no OCSP response (DER)";
    if (response != NULL && SSL_CTX_get0_chain_certs(ssl_ctx, &chain))
        what = response_judge(response, ocsp->x509, chain, &ocsp->until);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    if (what == NULL) {
        ocsp->der = malloc(file.len);
        what = ocsp->der == NULL ? "out of memory" : NULL;
    }
    if (what != NULL) {
        pem_warn(&place, "this OCSP response is not sent: %s", what);
    } else {
        memcpy(ocsp->der, file.text, file.len);
        ocsp->len = file.len;
    }
    pem_file_free(&file);
}

/* SSL_CTX_set_tlsext_status_cb(3). */
static int on_status(SSL *ssl, void *arg)
{
    const struct openssl_server *server = arg;
    const X509 *x509 = SSL_get_certificate(ssl); /* the one that is sent */

    for (size_t i = 0; i < server->ocsp_count; i++) {
        const struct openssl_ocsp *ocsp = &server->ocsp[i];
        if (ocsp->x509 != x509 || ocsp->der == NULL || time(NULL) >= ocsp->until)
            continue;
        unsigned char *copy = OPENSSL_memdup(ocsp->der, ocsp->len);
        if (copy == NULL)
            break;
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)ocsp->len);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void openssl_ocsp_offer(SSL_CTX *ssl_ctx, struct openssl_server *server)
{
    SSL_CTX_set_tlsext_status_cb(ssl_ctx, on_status);
    SSL_CTX_set_tlsext_status_arg(ssl_ctx, server);
}

void openssl_ocsp_free(struct openssl_server *server)
{
    for (size_t i = 0; i < server->ocsp_count; i++)
        free(server->ocsp[i].der);
    free(server->ocsp);
}
