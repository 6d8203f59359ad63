/* test_proxy_header.c: PROXY headers of both versions, whole and octet by octet. */
#include "session/proxy_header.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What is said of `data`, which is the same however it comes: of each beginning that ends before
 * the verdict, MORE. */
static enum proxy_header_result judge(const char *data, size_t len, struct proxy_header *ret)
{
    const struct proxy_header untouched = { .len = 12345 };
    enum proxy_header_result whole = proxy_header_parse(data, len, ret);

    for (size_t n = 1; n <= len; n++) {
        struct proxy_header header = untouched;
        char *copy = malloc(n); /* of this size: a sanitizer sees what lies beyond */
        assert_non_null(copy);
        memcpy(copy, data, n);
        enum proxy_header_result result = proxy_header_parse(copy, n, &header);
        free(copy);
        if (result == PROXY_HEADER_DONE) {
            assert_true(n >= header.len && whole == PROXY_HEADER_DONE);
            assert_memory_equal(&header, ret, sizeof(header));
            continue;
        }
        assert_memory_equal(&header, &untouched, sizeof(header));
        assert_true(result == PROXY_HEADER_MORE || result == whole);
        if (result != PROXY_HEADER_MORE)
            break;
    }
    return whole;
}

static void assert_client(const struct proxy_header *header, const char *address, unsigned port)
{
    char text[PEER_TEXT_MAX];

    assert_true(header->has_client);
    peer_format(&header->client, text);
    assert_string_equal(text, address);
    assert_int_equal(header->client.port, port);
}

static void test_v1(void **state)
{
    (void)state;
    static const struct {
        const char *line, *address;
        unsigned port;
    } rows[] = {
        { "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1", 56324 },
        { "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255", 65535 },
        { "PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n", "1.2.3.4", 0 },
        { "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1", 1 },
        { "PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 ::1 80 2\r\n", "2001:db8::1", 80 },
        { "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1", 1 },
        { "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_header header;
        char text[512];
        int len = snprintf(text, sizeof(text), "%sGET / HTTP/1.1\r\n\r\n", rows[i].line);

        assert_int_equal(judge(text, (size_t)len, &header), PROXY_HEADER_DONE);
        assert_int_equal(header.len, strlen(rows[i].line));
        assert_client(&header, rows[i].address, rows[i].port);
    }
}

/* The proxy does not know: the rest of the line is anything, up to 107 octets in all. */
static void test_v1_unknown(void **state)
{
    (void)state;
    struct proxy_header header;
    char line[120];

    assert_int_equal(judge("PROXY UNKNOWN\r\n", 15, &header), PROXY_HEADER_DONE);
    assert_true(!header.has_client && header.len == 15);
    assert_int_equal(judge("PROXY UNKNOWN \0\xff y\r\n", 20, &header), PROXY_HEADER_DONE);
    for (size_t len = 100; len < sizeof(line); len++) {
        memset(line, 'x', sizeof(line));
        memcpy(line, "PROXY UNKNOWN ", 14);
        memcpy(line + len - 2, "\r\n", 2);
        enum proxy_header_result result = judge(line, len, &header);
        assert_int_equal(result,
                         len <= PROXY_HEADER_V1_MAX ? PROXY_HEADER_DONE : PROXY_HEADER_LONG);
    }
}

static void test_v1_wrong(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 \r\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY unknown\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 100000\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX",
        "PROXY TCP4 1.2.3.4 1.2.3 1 2\r\n",
        "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP6 ::1%lo ::1 1 2\r\n",
        "PROXY TCP6 [::1] ::1 1 2\r\n",
        "PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n",
        "PROXY TCP4 1.2.3.4 x 1 2\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_header header;
        if (judge(rows[i], strlen(rows[i]), &header) != PROXY_HEADER_WRONG)
            fail_msg("%s", rows[i]);
    }
}

static void test_missing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\n",
        "PROPFIND / HTTP/1.1\r\n",
        "PROXY/1.1",
        "proxy TCP4 ",
        " PROXY ",
        "\r\n\r\nGET / HTTP/1.1",
        "\r\n\r\nX",
        "\x16\x03\x01\x02",
        "PROXYTCP4 ",
        "\n",
        "\r\n\r\nQUIT",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_header header;
        if (judge(rows[i], strlen(rows[i]), &header) != PROXY_HEADER_MISSING)
            fail_msg("%s", rows[i]);
    }
}

/* A header of version 2 in `out`: these two octets, and so many octets of `rest`. Its length. */
static size_t v2(char *out, unsigned command, unsigned family, const void *rest, size_t len)
{
    memcpy(out, v2_signature, V2_SIGNATURE);
    out[12] = (char)command;
    out[13] = (char)family;
    out[14] = (char)(len >> 8);
    out[15] = (char)len;
    if (rest != NULL)
        memcpy(out + 16, rest, len);
    else
        memset(out + 16, 0, len);
    return 16 + len;
}

static const char inet[] = "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb";
static const char inet6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                            "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb";

static void test_v2(void **state)
{
    (void)state;
    static char data[PROXY_HEADER_MAX + 100];
    char unix_addresses[2 * V2_UNIX] = "/run/client.sock";
    struct proxy_header header;
    size_t len = v2(data, 0x21, 0x11, inet, 12);

    memcpy(data + len, "GET /", 5);
    assert_int_equal(judge(data, len + 5, &header), PROXY_HEADER_DONE);
    assert_int_equal(header.len, 28);
    assert_client(&header, "192.0.2.1", 56324);
    len = v2(data, 0x21, 0x21, inet6, 36);
    assert_int_equal(judge(data, len, &header), PROXY_HEADER_DONE);
    assert_client(&header, "2001:db8::1", 56324);
    len = v2(data, 0x21, 0x31, unix_addresses, sizeof(unix_addresses));
    assert_int_equal(judge(data, len, &header), PROXY_HEADER_DONE);
    assert_int_equal(header.len, 232);
    assert_client(&header, "unix:", 0);
}

/* What makes the connection's own address the client's. */
static void test_v2_of_its_own(void **state)
{
    (void)state;
    static const struct {
        unsigned command, family;
        size_t len;
    } rows[] = {
        { 0x20, 0x00, 0 },    { 0x20, 0x11, 12 }, { 0x20, 0x11, 0 },  { 0x20, 0xff, 3 },
        { 0x20, 0x21, 4080 }, { 0x21, 0x00, 0 },  { 0x21, 0x00, 50 }, { 0x21, 0x01, 5 },
        { 0x21, 0x10, 0 },    { 0x21, 0x12, 12 }, { 0x21, 0x22, 36 }, { 0x21, 0x32, 216 },
        { 0x21, 0x02, 1 },
    };
    static char data[PROXY_HEADER_MAX + 100];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_header header;
        size_t len = v2(data, rows[i].command, rows[i].family, NULL, rows[i].len);
        assert_int_equal(judge(data, len, &header), PROXY_HEADER_DONE);
        assert_true(!header.has_client && header.len == len);
    }
}

static void test_v2_wrong(void **state)
{
    (void)state;
    static const struct {
        unsigned command, family;
        size_t len;
    } rows[] = {
        { 0x22, 0x11, 12 }, { 0x2f, 0x11, 12 }, { 0x11, 0x11, 12 },  { 0x31, 0x11, 12 },
        { 0x01, 0x11, 12 }, { 0x21, 0x41, 12 }, { 0x21, 0xf1, 12 },  { 0x21, 0x13, 12 },
        { 0x21, 0x11, 11 }, { 0x21, 0x11, 0 },  { 0x21, 0x21, 35 },  { 0x21, 0x31, 215 },
        { 0x21, 0x11, 13 }, { 0x21, 0x11, 14 }, { 0x21, 0x31, 217 },
    };
    static char data[PROXY_HEADER_MAX + 100];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_header header;
        size_t len = v2(data, rows[i].command, rows[i].family, NULL, rows[i].len);
        if (judge(data, len, &header) != PROXY_HEADER_WRONG)
            fail_msg("%02x %02x %zu", rows[i].command, rows[i].family, rows[i].len);
    }
}

/* TLVs: passed over within the header, up to its limit; refused when one is longer than what is
 * left. */
static void test_tlvs(void **state)
{
    (void)state;
    static char data[PROXY_HEADER_MAX + 100], rest[PROXY_HEADER_MAX + 100];
    struct proxy_header header;

    memcpy(rest, inet, 12);
    memcpy(rest + 12, "\x01\x00\x02h2\x04\x00\x00\x20\x00\x05\x01\0\0\0\0", 16);
    size_t len = v2(data, 0x21, 0x11, rest, 28);
    assert_int_equal(judge(data, len, &header), PROXY_HEADER_DONE);
    assert_client(&header, "192.0.2.1", 56324);
    for (size_t cut = 1; cut < 8; cut++) { /* of the last TLV, which has 8 octets */
        len = v2(data, 0x21, 0x11, rest, 28 - cut);
        assert_int_equal(judge(data, len, &header), PROXY_HEADER_WRONG);
    }
    rest[18] = 1; /* the one without a value would take the next one's first octet */
    len = v2(data, 0x21, 0x11, rest, 28);
    assert_int_equal(judge(data, len, &header), PROXY_HEADER_WRONG);

    for (size_t more = 0; more < 2; more++) {
        size_t value = PROXY_HEADER_MAX - 28 - 3 + more;
        memset(rest + 12, 'x', sizeof(rest) - 12);
        rest[12] = 0x04;
        rest[13] = (char)(value >> 8);
        rest[14] = (char)value;
        len = v2(data, 0x21, 0x11, rest, 12 + 3 + value);
        assert_int_equal(judge(data, len, &header), more ? PROXY_HEADER_LONG : PROXY_HEADER_DONE);
    }
}

/* The check value of CRC-32C: that of "123456789" is e3069283. */
static void test_checksum(void **state)
{
    (void)state;
    char data[64], rest[20];
    struct proxy_header header;
    const char *digits = "123456789";

    assert_int_equal(header_crc32c(span_str(digits), digits + 9), 0xe3069283);
    memcpy(rest, inet, 12);
    memcpy(rest + 12, "\x03\x00\x04\0\0\0\0", 7);
    size_t len = v2(data, 0x21, 0x11, rest, 19);
    uint32_t sum = header_crc32c(span_make(data, len), data + len - 4);
    for (int i = 0; i < 4; i++)
        data[len - 4 + (size_t)i] = (char)(sum >> (24 - 8 * i));
    assert_int_equal(judge(data, len, &header), PROXY_HEADER_DONE);
    for (size_t bit = 8 * 16; bit < 8 * len; bit++) {
        if (bit / 8 >= 28 && bit / 8 < 31) /* else it is another TLV */
            continue;
        data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(judge(data, len, &header), PROXY_HEADER_WRONG);
        data[bit / 8] ^= (char)(1 << bit % 8);
    }
    len = v2(data, 0x21, 0x11, rest, 18); /* of three octets */
    data[30] = 3;
    assert_int_equal(judge(data, len, &header), PROXY_HEADER_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1),       cmocka_unit_test(test_v1_unknown),
        cmocka_unit_test(test_v1_wrong), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_v2),       cmocka_unit_test(test_v2_of_its_own),
        cmocka_unit_test(test_v2_wrong), cmocka_unit_test(test_tlvs),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
