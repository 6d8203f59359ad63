/* fuzz_proxy_header.c: a PROXY header of arbitrary octets: whole and chopped it is judged alike,
 * and as by a naive reader of the specification. The octet in front chooses how it is chopped. */
#include "core/check.h"
#include "core/peer.h"
#include "session/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
    enum proxy_header_result result;
    struct proxy_header header;
};

static struct verdict only(enum proxy_header_result result)
{
    return (struct verdict){ .result = result };
}

static bool is_port(const char *text)
{
    char again[16];
    unsigned long value = strtoul(text, NULL, 10);

    snprintf(again, sizeof(again), "%lu", value);
    return value <= 65535 && strcmp(text, again) == 0;
}

/* The line is taken apart into words, which are judged one by one. */
static struct verdict naive_v1(const char *data, size_t len)
{
    struct verdict v = only(PROXY_HEADER_WRONG);
    char line[PROXY_HEADER_V1_MAX + 1] = "", *words[8] = { NULL };
    size_t end = 0, count = 0;

    while (end < len && data[end] != '\r')
        end++;
    if (end + 2 > PROXY_HEADER_V1_MAX)
        return only(PROXY_HEADER_LONG);
    if (end + 1 >= len)
        return only(PROXY_HEADER_MORE);
    v.header.len = end + 2;
    if (data[end + 1] != '\n')
        return v;
    memcpy(line, data, end);
    if (strncmp(line, "PROXY UNKNOWN", 13) == 0 && (end == 13 || line[13] == ' ')) {
        v.result = PROXY_HEADER_DONE;
        return v;
    }
    if (memchr(line, '\0', end) != NULL)
        return v;
    for (char *at = line; at != NULL && count < 8; count++) {
        words[count] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    bool six = count == 6 && strcmp(words[1], "TCP6") == 0;
    int family = six ? AF_INET6 : AF_INET;
    unsigned char octets[16];
    if (count != 6 || (!six && strcmp(words[1], "TCP4") != 0) || !is_port(words[4]) ||
        !is_port(words[5]) || inet_pton(family, words[3], octets) != 1 ||
        inet_pton(family, words[2], v.header.client.addr) != 1)
        return v;
    v.header.client.family = six ? PEER_IPV6 : PEER_IPV4;
    v.header.client.port = (uint16_t)strtoul(words[4], NULL, 10);
    v.header.has_client = true;
    v.result = PROXY_HEADER_DONE;
    return v;
}

static uint32_t naive_crc32c(const unsigned char *data, size_t len, size_t zeros)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < 8 * len; i++) {
        unsigned octet = i / 8 >= zeros && i / 8 < zeros + 4 ? 0 : data[i / 8];
        uint32_t bit = (crc ^ octet >> i % 8) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static bool naive_tlvs(const unsigned char *data, size_t at, size_t end)
{
    for (size_t value; at < end; at += 3 + value) {
        if (at + 3 > end)
            return false;
        value = (size_t)data[at + 1] * 256 + data[at + 2];
        if (at + 3 + value > end)
            return false;
        if (data[at] != 3)
            continue;
        uint32_t sum = 0;
        for (size_t i = 0; i < 4 && i < value; i++)
            sum = sum << 8 | data[at + 3 + i];
        if (value != 4 || sum != naive_crc32c(data, end, at + 3))
            return false;
    }
    return true;
}

static struct verdict naive_v2(const unsigned char *data, size_t len)
{
    struct verdict v = only(PROXY_HEADER_WRONG);
    if (len < 13)
        return only(PROXY_HEADER_MORE);
    if (data[12] != 0x20 && data[12] != 0x21)
        return v;
    bool local = data[12] == 0x20;
    if (len < 14)
        return only(PROXY_HEADER_MORE);
    if (!local && (data[13] >= 0x40 || data[13] % 16 > 2))
        return v;
    if (len < 16)
        return only(PROXY_HEADER_MORE);
    size_t end = 16 + (size_t)data[14] * 256 + data[15];
    if (end > PROXY_HEADER_MAX)
        return only(PROXY_HEADER_LONG);
    bool known = !local && data[13] >= 0x10 && data[13] % 16 > 0;
    size_t addresses = !known ? 0 : data[13] < 0x20 ? 12 : data[13] < 0x30 ? 36 : 216;
    if (end < 16 + addresses)
        return v;
    if (len < end)
        return only(PROXY_HEADER_MORE);
    if (known && !naive_tlvs(data, 16 + addresses, end))
        return v;
    v.result = PROXY_HEADER_DONE;
    v.header.len = end;
    v.header.has_client = known && data[13] % 16 == 1;
    if (v.header.has_client && data[13] < 0x30) {
        bool six = data[13] >= 0x20;
        v.header.client.family = six ? PEER_IPV6 : PEER_IPV4;
        memcpy(v.header.client.addr, data + 16, six ? 16 : 4);
        size_t port = six ? 48 : 24;
        v.header.client.port = (uint16_t)(data[port] * 256 + data[port + 1]);
    }
    return v;
}

static struct verdict naive(const char *data, size_t len)
{
    static const char v1[] = "PROXY ", v2[] = "\r\n\r\n\0\r\nQUIT\n";
    if (memcmp(data, v2, len < 12 ? len : 12) == 0)
        return naive_v2((const unsigned char *)data, len);
    if (memcmp(data, v1, len < 6 ? len : 6) == 0)
        return naive_v1(data, len);
    return only(PROXY_HEADER_MISSING);
}

static void check_same(const struct verdict *a, const struct verdict *b)
{
    CHECK(a->result == b->result);
    if (a->result != PROXY_HEADER_DONE)
        return;
    CHECK(a->header.len == b->header.len && a->header.has_client == b->header.has_client);
    if (!a->header.has_client)
        return;
    CHECK(a->header.client.family == b->header.client.family);
    CHECK(a->header.client.port == b->header.client.port);
    CHECK(memcmp(a->header.client.addr, b->header.client.addr, 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 2 * PROXY_HEADER_MAX)
        return 0;
    const char *input = (const char *)data + 1;
    size_t len = size - 1;
    uint32_t seed = data[0];
    struct verdict want = naive(input, len), whole = only(PROXY_HEADER_MORE), chopped = whole;

    whole.result = proxy_header_parse(input, len, &whole.header);
    check_same(&whole, &want);
    /* Growing copies, so that a read beyond what has come is seen. */
    for (size_t n = 0; n < len && chopped.result == PROXY_HEADER_MORE;) {
        seed = seed * 1664525 + 1013904223;
        n += 1 + (seed >> 27);
        n = n < len ? n : len;
        char *copy = malloc(n);
        CHECK(copy != NULL);
        memcpy(copy, input, n);
        chopped.result = proxy_header_parse(copy, n, &chopped.header);
        free(copy);
    }
    check_same(&chopped, &want);
    return 0;
}
