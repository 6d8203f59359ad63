/* password.c: see password.h. */
#include "core/password.h"

#include "core/base64.h"
#include "core/check.h"
#include "core/digest.h"

#include <crypt.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MD5_SALT_MAX = 8, MD5_TEXT_LEN = 22, MD5_ROUNDS = 1000 };

static const char itoa64[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The prefix of a hash that libcrypt computes, or NULL. */
static const char *crypt_prefix(const char *hash)
{
    static const char *const prefixes[] = { "$2y$", "$2b$", "$2a$", "$y$",
                                            "$gy$", "$7$",  "$6$",  "$5$" };

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (begins(hash, prefixes[i]))
            return prefixes[i];
    }
    return NULL;
}

static const char *md5_prefix(const char *hash)
{
    return begins(hash, "$apr1$") ? "$apr1$" : begins(hash, "$1$") ? "$1$" : NULL;
}

static bool is_of_itoa64(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, itoa64) == len;
}

/* ---- what a hash looks like ---- */

static bool is_crypt(const char *hash, const char *prefix)
{
    const char *last = strrchr(hash, '$') + 1;
    bool whole;

    if (begins(prefix, "$2"))
        whole = is_of_itoa64(last, 53) && last == hash + 7;
    else if (strcmp(prefix, "$6$") == 0)
        whole = is_of_itoa64(last, 86) && last > hash + 3;
    else
        whole = is_of_itoa64(last, 43) && last > hash + strlen(prefix);
#ifdef CRYPT_CHECKSALT_AVAILABLE
    whole = whole && crypt_checksalt(hash) != CRYPT_SALT_INVALID;
#endif
    return whole;
}

static bool is_md5(const char *hash, const char *prefix)
{
    size_t salt = strcspn(hash + strlen(prefix), "$");
    const char *text = hash + strlen(prefix) + salt;

    return salt <= MD5_SALT_MAX && text[0] == '$' && is_of_itoa64(text + 1, MD5_TEXT_LEN);
}

static long sha1_decode(const char *hash, uint8_t ret_octets[PASSWORD_HASH_SIZE])
{
    return base64_decode(span_str(strchr(hash, '}') + 1), ret_octets, PASSWORD_HASH_SIZE);
}

static bool is_sha1(const char *hash)
{
    uint8_t octets[PASSWORD_HASH_SIZE];
    long len = sha1_decode(hash, octets);

    return begins(hash, "{SHA}") ? len == DIGEST_SHA1_SIZE : len > DIGEST_SHA1_SIZE;
}

const char *password_hash_check(const char *hash)
{
    const char *crypt_kind = crypt_prefix(hash), *md5_kind = md5_prefix(hash);

    if (hash[0] == '\0')
        return "has no password";
    if (strlen(hash) >= PASSWORD_HASH_SIZE)
        return "has a password that is longer than any hash";
    if (crypt_kind != NULL)
        return is_crypt(hash, crypt_kind)
                   ? NULL
                   : "has a hash that is cut, or that libcrypt does not know";
    if (md5_kind != NULL)
        return is_md5(hash, md5_kind) ? NULL : "has an MD5 hash that is cut";
    if (begins(hash, "{SHA}") || begins(hash, "{SSHA}"))
        return is_sha1(hash) ? NULL : "has a SHA-1 hash that is cut";
    if (is_of_itoa64(hash, 13))
        return "has a password hashed by DES, of which 8 characters count and all can be tried";
    if (hash[0] == '$')
        return "has a hash of a kind that is not known here";
    return "has a password that is not hashed";
}

/* ---- whether it is the one ---- */

/* The characters of `count` times six bits, the lowest first. */
static char *put64(char *out, unsigned long bits, int count)
{
    for (; count > 0; count--, bits >>= 6)
        *out++ = itoa64[bits & 63];
    return out;
}

/* Poul-Henning Kamp's MD5-based crypt (FreeBSD, 1994), of which Apache's differs by the prefix. */
static void md5_crypt(struct span password, struct span prefix, struct span salt,
                      char ret_text[MD5_TEXT_LEN])
{
    static const uint8_t order[][3] = {
        { 0, 6, 12 }, { 1, 7, 13 }, { 2, 8, 14 }, { 3, 9, 15 }, { 4, 10, 5 }
    };
    struct span pieces[4 + PASSWORD_SIZE / DIGEST_MD5_SIZE + 10];
    uint8_t digest[DIGEST_MD5_SIZE];
    size_t count = 0;
    char *out = ret_text;

    digest_md5((struct span[]){ password, salt, password }, 3, digest);
    pieces[count++] = password;
    pieces[count++] = prefix;
    pieces[count++] = salt;
    for (size_t left = password.len; left > 0;) {
        size_t len = left < sizeof(digest) ? left : sizeof(digest);

        pieces[count++] = span_make((const char *)digest, len);
        left -= len;
    }
    for (size_t i = password.len; i > 0; i >>= 1)
        pieces[count++] = i & 1 ? span_make("", 1) : span_make(password.ptr, 1);
    digest_md5(pieces, count, digest);
    for (unsigned i = 0; i < MD5_ROUNDS; i++) {
        struct span last = span_make((const char *)digest, sizeof(digest));
        struct span none = span_make("", 0);

        digest_md5((struct span[]){ i & 1 ? password : last, i % 3 ? salt : none,
                                    i % 7 ? password : none, i & 1 ? last : password },
                   4, digest);
    }
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        out = put64(out,
                    (unsigned long)digest[order[i][0]] << 16 |
                        (unsigned long)digest[order[i][1]] << 8 | digest[order[i][2]],
                    4);
    put64(out, digest[11], 2);
}

static bool verify_md5(const char *password, const char *hash, const char *prefix)
{
    size_t prefix_len = strlen(prefix), salt_len = strcspn(hash + prefix_len, "$");
    char text[MD5_TEXT_LEN];

    md5_crypt(span_str(password), span_make(prefix, prefix_len),
              span_make(hash + prefix_len, salt_len), text);
    return digest_equal(text, hash + prefix_len + salt_len + 1, sizeof(text));
}

static bool verify_sha1(const char *password, const char *hash)
{
    uint8_t octets[PASSWORD_HASH_SIZE], digest[DIGEST_SHA1_SIZE];
    long len = sha1_decode(hash, octets);
    struct span salt =
        span_make((const char *)octets + DIGEST_SHA1_SIZE, (size_t)len - DIGEST_SHA1_SIZE);

    digest_sha1((struct span[]){ span_str(password), salt }, 2, digest);
    return digest_equal(digest, octets, sizeof(digest));
}

static int verify_crypt(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char *made = data != NULL ? crypt_r(password, hash, data) : NULL;
    size_t len = strlen(hash);
    int res = data == NULL ? -ENOMEM : 0;

    /* A kind that fails gives NULL, or a text that is no hash. */
    if (made != NULL && strlen(made) == len)
        res = digest_equal(made, hash, len);
    if (data != NULL)
        explicit_bzero(data, sizeof(*data));
    free(data);
    return res;
}

int password_verify(const char *password, const char *hash)
{
    const char *md5_kind = md5_prefix(hash);

    if (crypt_prefix(hash) != NULL)
        return verify_crypt(password, hash);
    return md5_kind != NULL ? verify_md5(password, hash, md5_kind) : verify_sha1(password, hash);
}
