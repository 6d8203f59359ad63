/* test_session_proxy.c: PROXY headers in pieces, what is kept of them meanwhile, and the refusals
 * that are counted. */
#include "session/session_proxy.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { CONNECTIONS = 3 };

static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET /";
enum { LINE_LEN = sizeof(line) - 1 - 5 };

static struct session_proxy_env *env;

/* In pieces of every size: the last one tells how many of its octets were the header's. */
static void test_pieces(void **state)
{
    (void)state;
    for (size_t size = 1; size < sizeof(line); size++) {
        struct session_proxy_kept *kept = NULL;
        struct proxy_header header = { .len = 0 };
        size_t at = 0, used = 0;
        enum proxy_header_result result = PROXY_HEADER_MORE;

        while (result == PROXY_HEADER_MORE) {
            size_t len = sizeof(line) - 1 - at < size ? sizeof(line) - 1 - at : size;
            assert_true(len > 0);
            result = session_proxy_take(env, &kept, line + at, len, &header, &used);
            if (result == PROXY_HEADER_MORE) {
                at += len;
                assert_true(kept != NULL && kept->len == at);
            }
        }
        assert_int_equal(result, PROXY_HEADER_DONE);
        assert_int_equal(at + used, LINE_LEN);
        assert_int_equal(header.len, LINE_LEN);
        assert_true((kept == NULL) == (size >= LINE_LEN));
        session_proxy_drop(env, &kept);
        assert_null(kept);
        assert_int_equal(pool_used(env->kept), 0);
    }
}

/* What is behind a header of the greatest length is not counted into it, though it comes with the
 * end of the header, and there is no more room. */
static void test_greatest(void **state)
{
    (void)state;
    static char data[PROXY_HEADER_MAX + 5000];
    struct session_proxy_kept *kept = NULL;
    struct proxy_header header = { .len = 0 };
    size_t used = 0;

    memcpy(data, "\r\n\r\n\0\r\nQUIT\n\x20\x00", 14);
    data[14] = (char)((PROXY_HEADER_MAX - 16) >> 8);
    data[15] = (char)(PROXY_HEADER_MAX - 16);
    assert_int_equal(session_proxy_take(env, &kept, data, 4000, &header, &used), PROXY_HEADER_MORE);
    assert_int_equal(
        session_proxy_take(env, &kept, data + 4000, sizeof(data) - 4000, &header, &used),
        PROXY_HEADER_DONE);
    assert_int_equal(used, PROXY_HEADER_MAX - 4000);
    session_proxy_drop(env, &kept);
    assert_int_equal(session_proxy_take(env, &kept, data, sizeof(data), &header, &used),
                     PROXY_HEADER_DONE);
    assert_int_equal(used, PROXY_HEADER_MAX);
    assert_null(kept);
}

/* Every connection may have one under way. */
static void test_all_at_once(void **state)
{
    (void)state;
    struct session_proxy_kept *kept[CONNECTIONS] = { NULL };
    struct proxy_header header;
    size_t used;

    for (int i = 0; i < CONNECTIONS; i++)
        assert_int_equal(session_proxy_take(env, &kept[i], line, 10, &header, &used),
                         PROXY_HEADER_MORE);
    assert_int_equal(pool_used(env->kept), CONNECTIONS);
    assert_int_equal(session_proxy_take(env, &kept[1], "X\r\n", 3, &header, &used),
                     PROXY_HEADER_WRONG);
    for (int i = 0; i < CONNECTIONS; i++)
        session_proxy_drop(env, &kept[i]);
    assert_int_equal(pool_used(env->kept), 0);
}

static void test_refusals_are_counted(void **state)
{
    (void)state;
    const struct listen_config listen = { .text = (char *)(uintptr_t) "127.0.0.1:80" };
    const struct peer peer = { .family = PEER_IPV4, .addr = { 192, 0, 2, 1 } };

    for (unsigned i = 0; i < SESSION_PROXY_REFUSALS; i++)
        for (unsigned j = 0; j <= i; j++)
            session_proxy_refuse(env, (enum session_proxy_refusal)i, &listen, &peer);
    for (unsigned i = 0; i < SESSION_PROXY_REFUSALS; i++) {
        assert_int_equal(env->refusals[i], i + 1);
        for (unsigned j = 0; j < i; j++) /* each is a kind of its own in the error log */
            assert_true(strcmp(refusals[i].kind, refusals[j].kind) != 0);
    }
}

static int setup(void **state)
{
    static struct config config;

    (void)state;
    return session_proxy_env_create(&config, CONNECTIONS, &env);
}

static int teardown(void **state)
{
    (void)state;
    session_proxy_env_destroy(env);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_greatest),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_refusals_are_counted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
