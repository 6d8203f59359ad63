/* test_password.c: every kind of hash that htpasswd, mkpasswd and openssl make, and those that are
 * refused; files of them. The hashes were made by these programs. */
#include "core/password.c"

#include "core/arena.h"
#include "core/htpasswd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *password, *hash;
} good[] = {
    { "bcrypt-pw", "$2y$05$ihTZyiG0gjjkgMqmmzIfVuPDOqS4si.b1bDHX4H9nDrOhtOjQlj46" },
    { "apr-pw", "$apr1$.MpKgDQj$rROMm6wTvF1KaV0/oh1Jv0" },
    { "sha-pw", "{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=" },
    { "six-pw", "$6$cCrkcIchrwEkD8Ev$CsSxvw5YZIfpssp90cfSCWQ.ZqzOiGMvjL6Kno9C5et96/"
                "DizHb8aaufb/VVQCDzZsW8SSY3cXKcULJoLMJNA0" },
    { "five-pw", "$5$BgfMcCOCclzuluHb$7v9COgUBGqdcB6FuRG2nACm5zytu3f.BESPkUF/Pe8A" },
    { "one-pw", "$1$YZh4v9HN$ahUhj6JyFn1Hq1kV5w3YB1" },
#ifdef CRYPT_CHECKSALT_AVAILABLE /* libxcrypt */
    { "y\xc3\xa9s-pw",
      "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$3tQrV1e3srAnftYaxzD9gpWBJTQKLRvY37dUYWAiuq7" },
#endif
    { "secret", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//" },
};

static void test_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (password_hash_check(good[i].hash) != NULL)
            fail_msg("%s: %s", good[i].hash, password_hash_check(good[i].hash));
        assert_int_equal(password_verify(good[i].password, good[i].hash), 1);
        assert_int_equal(password_verify("", good[i].hash), 0);
        assert_int_equal(password_verify("wrong", good[i].hash), 0);
    }
}

/* MD5's own loop, against libcrypt's, for passwords of every length. */
static void test_md5_of_every_length(void **state)
{
    (void)state;
    struct crypt_data data = { 0 };
    char password[PASSWORD_SIZE] = "";

    for (size_t len = 0; len < 60; len++) {
        const char *hash;

        memset(password, 'a' + (int)(len % 26), len);
        hash = crypt_r(password, "$1$1234$", &data);
        if (hash == NULL || hash[0] == '*')
            return; /* a libcrypt without it */
        assert_null(password_hash_check(hash));
        assert_int_equal(password_verify(password, hash), 1);
    }
    memset(password, 'x', sizeof(password) - 1);
    assert_int_equal(password_verify(password, "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"), 0);
}

static void test_salted_sha1(void **state)
{
    (void)state;
    /* SHA-1 of "secret" and "salt", then "salt" */
    const char *hash = "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0";

    assert_null(password_hash_check(hash));
    assert_int_equal(password_verify("secret", hash), 1);
    assert_int_equal(password_verify("secres", hash), 0);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hash, *what;
    } rows[] = {
        { "", "no password" },
        { "secret", "not hashed" },
        { "{PLAIN}secret", "not hashed" },
        { "rqXexS6ZhobKA", "DES" },
        { "$2y$05$ihTZyiG0gjjkgMqmmzIfVuPDOqS4si.b1bDHX4H9nDrOhtOjQlj4", "cut" },
        { "$2y$05$", "cut" },
        { "$6$salt$x", "cut" },
        { "$6$", "cut" },
        { "$apr1$.MpKgDQj$rROMm6wTvF1KaV0/oh1Jv", "MD5" },
        { "$apr1$", "MD5" },
        { "$1$", "MD5" },
        { "{SHA}x", "SHA-1" },
        { "{SHA}", "SHA-1" },
        { "{SSHA}O/MvdjOwOQpt8I9HBSVZugThPMw=", "SHA-1" },
        { "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$x", "kind" },
        { "*", "not hashed" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *what = password_hash_check(rows[i].hash);

        if (what == NULL || strstr(what, rows[i].what) == NULL)
            fail_msg("%s: %s", rows[i].hash, what != NULL ? what : "accepted");
    }
}

static void test_file(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct htpasswd file;
    struct htpasswd_fault fault;
    char text[512];

    snprintf(text, sizeof(text), "# c\n\nzoe:%s\r\n \nb:%s:a comment:x\nb b:%s", good[2].hash,
             good[1].hash, good[2].hash);
    assert_int_equal(htpasswd_parse(span_str(text), arena, &file, &fault), 0);
    assert_int_equal(file.count, 3);
    assert_string_equal(htpasswd_find(&file, SPAN_LIT("b"))->hash, good[1].hash);
    assert_int_equal(htpasswd_find(&file, SPAN_LIT("zoe"))->line, 3);
    assert_non_null(htpasswd_find(&file, SPAN_LIT("b b")));
    assert_null(htpasswd_find(&file, SPAN_LIT("")));
    assert_null(htpasswd_find(&file, SPAN_LIT("zo")));
    assert_null(htpasswd_find(&file, SPAN_LIT("zoez")));
    assert_null(htpasswd_find(&file, SPAN_LIT("a")));
    assert_int_equal(htpasswd_parse(SPAN_LIT(""), arena, &file, &fault), 0);
    assert_null(htpasswd_find(&file, SPAN_LIT("a")));
    assert_int_equal(htpasswd_parse(SPAN_LIT("\n:x"), arena, &file, &fault), -EINVAL);
    assert_int_equal(fault.line, 2);
    assert_null(fault.name);
    assert_int_equal(htpasswd_parse(span_make("a:b\0c", 5), arena, &file, &fault), -EINVAL);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),       cmocka_unit_test(test_md5_of_every_length),
        cmocka_unit_test(test_salted_sha1), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
