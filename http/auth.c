/* auth.c: see auth.h. */
#include "http/auth.h"

#include "core/check.h"
#include "core/digest.h"
#include "core/list.h"
#include "core/password.h"
#include "core/siphash.h"
#include "http/authorization.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define VERIFICATION_MAGIC 0xc0e41f1eu

/* Whoever is known, by thread: so many sets of so many. */
enum { KNOWN_SETS = 256, KNOWN_WAYS = 4 };

/* That a name and its password were right. */
struct known {
    uint8_t digest[DIGEST_HMAC_SIZE];
    uint64_t until_ms; /* on the scale of clock.now_ms; 0: nobody */
};

struct http_auth {
    uint8_t key[32]; /* random: what digests are made with */
    uint32_t keep_ms;
    uint32_t verifying, verifying_max;
    struct known known[KNOWN_SETS][KNOWN_WAYS];
};

/* One password that is looked at, by a job. */
struct verification {
    struct file_source source;        /* what the job knows of it */
    unsigned magic;                   /* VERIFICATION_MAGIC */
    const char *hash;                 /* borrowed from the configuration */
    const struct htpasswd_user *user; /* NULL: nobody of that name; whatever comes of the hash */
    int result;                       /* password_verify() */
    uint8_t digest[DIGEST_HMAC_SIZE];
    char password[PASSWORD_SIZE];
};

int http_auth_create(const struct config *config, uint32_t verifications_max,
                     struct http_auth **ret_auth)
{
    struct http_auth *auth = calloc(1, sizeof(*auth));

    if (auth == NULL)
        return -ENOMEM;
    if (getrandom(auth->key, sizeof(auth->key), 0) != (ssize_t)sizeof(auth->key)) {
        free(auth);
        return -EIO;
    }
    auth->keep_ms = config->auth_cache_ms;
    auth->verifying_max = verifications_max;
    *ret_auth = auth;
    return 0;
}

void http_auth_destroy(struct http_auth *auth)
{
    if (auth == NULL)
        return;
    CHECK(auth->verifying == 0);
    explicit_bzero(auth, sizeof(*auth));
    free(auth);
}

/* ---- who is known ---- */

/* Of the file, the name and the password: a password that is good for one file is not for another,
 * and a reload, which reads the files anew, makes new processes. */
static void digest_of(const struct http_auth *auth, const struct auth_rules *rules,
                      const struct http_credentials *credentials,
                      uint8_t ret_digest[DIGEST_HMAC_SIZE])
{
    const struct span pieces[] = {
        { (const char *)&rules->users, sizeof(rules->users) },
        { credentials->name.ptr, credentials->name.len },
        SPAN_LIT(":"), /* which is in no name */
        span_str(credentials->password),
    };

    digest_hmac(span_make((const char *)auth->key, sizeof(auth->key)), pieces, ARRAY_LEN(pieces),
                ret_digest);
}

static struct known *set_of(struct http_auth *auth, const uint8_t *digest)
{
    return auth->known[digest[0] % KNOWN_SETS];
}

static bool is_known(struct http_auth *auth, const uint8_t *digest, uint64_t now_ms)
{
    struct known *set = set_of(auth, digest);

    for (size_t i = 0; i < KNOWN_WAYS; i++) {
        if (set[i].until_ms > now_ms && digest_equal(set[i].digest, digest, DIGEST_HMAC_SIZE))
            return true;
    }
    return false;
}

/* In the place of whoever is forgotten first. */
static void keep(struct http_auth *auth, const uint8_t *digest, uint64_t now_ms)
{
    struct known *set = set_of(auth, digest), *place = set;

    if (auth->keep_ms == 0)
        return;
    for (size_t i = 1; i < KNOWN_WAYS; i++) {
        if (set[i].until_ms < place->until_ms)
            place = &set[i];
    }
    memcpy(place->digest, digest, DIGEST_HMAC_SIZE);
    place->until_ms = now_ms + auth->keep_ms;
}

/* ---- what is looked at ---- */

static int source_read(struct file_source *source, void *mem, size_t len)
{
    struct verification *v = container_of(source, struct verification, source);

    CHECK_OBJ(v, VERIFICATION_MAGIC);
    CHECK(mem == NULL && len == 0);
    v->result = password_verify(v->password, v->hash);
    return 0;
}

/* The user whose hash is looked at in place of nobody's, so that a name that is unknown takes as
 * long as one that is known: always the same one for a name. The file is not empty. */
static const struct htpasswd_user *stand_in(const struct http_auth *auth,
                                            const struct htpasswd *users, struct span name)
{
    uint64_t key[2];

    memcpy(key, auth->key, sizeof(key));
    return &users->users[siphash13(key, name.ptr, name.len) % users->count];
}

static enum http_auth_result verify(struct http_exchange *x, const struct auth_rules *rules,
                                    const struct http_credentials *credentials,
                                    const struct htpasswd_user *user, const uint8_t *digest)
{
    struct http_auth *auth = x->env->auth;
    struct verification *v = auth->verifying < auth->verifying_max ? calloc(1, sizeof(*v)) : NULL;

    if (v == NULL)
        return HTTP_AUTH_BUSY;
    v->source.read = source_read;
    v->magic = VERIFICATION_MAGIC;
    v->user = user;
    v->hash = user != NULL ? user->hash : stand_in(auth, rules->users, credentials->name)->hash;
    memcpy(v->digest, digest, sizeof(v->digest));
    memcpy(v->password, credentials->password, strlen(credentials->password) + 1);
    auth->verifying++;
    x->search.verification = v;
    file_job_init_make(&x->job, &v->source, NULL, 0);
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_AUTH_JOB;
}

enum http_auth_result http_auth_begin(struct http_exchange *x, const struct auth_rules *rules)
{
    struct span value = http_request_named(&x->request, SPAN_LIT("authorization"));
    enum http_auth_result result = HTTP_AUTH_WRONG;
    struct http_auth *auth = x->env->auth;
    struct http_credentials credentials;
    uint8_t digest[DIGEST_HMAC_SIZE];

    CHECK(x->search.verification == NULL);
    if (value.len == 0)
        return HTTP_AUTH_NONE;
    if (http_authorization_parse(value, &credentials) && rules->users->count > 0) {
        const struct htpasswd_user *user = htpasswd_find(rules->users, credentials.name);

        digest_of(auth, rules, &credentials, digest);
        if (user != NULL && is_known(auth, digest, x->env->clock->now_ms)) {
            x->user = user->name;
            result = HTTP_AUTH_RIGHT;
        } else {
            result = verify(x, rules, &credentials, user, digest);
        }
    }
    http_credentials_wipe(&credentials);
    return result;
}

enum http_auth_result http_auth_end(struct http_exchange *x)
{
    struct verification *v = x->search.verification;
    enum http_auth_result result = HTTP_AUTH_WRONG;

    CHECK_OBJ(v, VERIFICATION_MAGIC);
    CHECK(x->job_state == HTTP_JOB_DONE);
    x->job_state = HTTP_JOB_NONE;
    if (x->job.res < 0 || v->result < 0) { /* nobody could do it, or there was no memory */
        result = HTTP_AUTH_BUSY;
    } else if (v->user != NULL && v->result == 1) {
        keep(x->env->auth, v->digest, x->env->clock->now_ms);
        x->user = v->user->name;
        result = HTTP_AUTH_RIGHT;
    }
    http_auth_drop(x);
    return result;
}

void http_auth_drop(struct http_exchange *x)
{
    struct verification *v = x->search.verification;

    if (v == NULL)
        return;
    CHECK_OBJ(v, VERIFICATION_MAGIC);
    x->search.verification = NULL;
    x->env->auth->verifying--;
    explicit_bzero(v, sizeof(*v));
    free(v);
}
