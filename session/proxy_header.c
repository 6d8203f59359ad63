/* proxy_header.c: see proxy_header.h. */
#include "session/proxy_header.h"

#include "core/check.h"
#include "core/decimal.h"
#include "core/span.h"

#include <stdint.h>
#include <string.h>

/* ---- version 1 ---- */

static const char v1_signature[] = "PROXY ";

/* Takes the next word, which a single SP ends, or, if it is the last, the end of the line. */
static struct span next_word(struct span *line, bool last)
{
    const char *space = memchr(line->ptr, ' ', line->len);
    struct span word = *line;

    if (last || space == NULL) {
        *line = span_make(line->ptr + line->len, 0);
        return last ? word : span_make(line->ptr, 0);
    }
    word.len = (size_t)(space - line->ptr);
    *line = span_make(space + 1, line->len - word.len - 1);
    return word;
}

/* An address of that family, and nothing else. */
static bool address_parse(struct span word, enum peer_family family, struct peer *ret_peer)
{
    return peer_parse(word, ret_peer) && ret_peer->family == family;
}

/* "0" to "65535", without leading zeros. */
static bool port_parse(struct span word, uint16_t *ret_port)
{
    bool zeros = word.len > 1 && word.ptr[0] == '0';

    return !zeros && decimal_parse_port(word, ret_port);
}

/* What stands behind the signature, without CRLF. */
static bool v1_line_parse(struct span line, struct proxy_header *header)
{
    struct span unknown = SPAN_LIT("UNKNOWN");
    struct peer destination;
    uint16_t port;

    if (line.len >= unknown.len && memcmp(line.ptr, unknown.ptr, unknown.len) == 0)
        return line.len == unknown.len || line.ptr[unknown.len] == ' '; /* the rest is ignored */
    struct span protocol = next_word(&line, false);
    enum peer_family family = PEER_IPV4;
    if (span_eq(protocol, SPAN_LIT("TCP6")))
        family = PEER_IPV6;
    else if (!span_eq(protocol, SPAN_LIT("TCP4")))
        return false;
    header->has_client = true;
    return address_parse(next_word(&line, false), family, &header->client) &&
           address_parse(next_word(&line, false), family, &destination) &&
           port_parse(next_word(&line, false), &header->client.port) &&
           port_parse(next_word(&line, true), &port);
}

static enum proxy_header_result v1_parse(const char *data, size_t len,
                                         struct proxy_header *ret_header)
{
    const size_t signature = sizeof(v1_signature) - 1;
    const size_t text_max = PROXY_HEADER_V1_MAX - 1; /* a CR behind it would be too late */
    size_t seen = len < text_max ? len : text_max;
    const char *end = memchr(data, '\r', seen);
    struct proxy_header header = { .has_client = false };

    if (end == NULL)
        return seen < text_max ? PROXY_HEADER_MORE : PROXY_HEADER_LONG;
    if (end + 1 == data + len)
        return PROXY_HEADER_MORE;
    header.len = (size_t)(end - data) + 2;
    if (end[1] != '\n' ||
        !v1_line_parse(span_make(data + signature, (size_t)(end - data) - signature), &header))
        return PROXY_HEADER_WRONG;
    *ret_header = header;
    return PROXY_HEADER_DONE;
}

/* ---- version 2 ---- */

static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    V2_SIGNATURE = sizeof(v2_signature) - 1,
    V2_FIXED = V2_SIGNATURE + 4, /* octets of a header without addresses */
    V2_UNIX = 108,               /* octets of the path of a unix socket */
    TLV_HEAD = 3,
    TLV_CRC32C = 0x03,
    CRC32C_SIZE = 4
};

enum { V2_LOCAL, V2_PROXY, V2_COMMANDS };
enum { V2_STREAM = 1, V2_DGRAM, V2_TRANSPORTS };
enum { V2_UNSPEC, V2_INET, V2_INET6, V2_UNIX_SOCKET, V2_FAMILIES };

static size_t read_u16(const char *at)
{
    return (size_t)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

/* One octet more of a CRC-32C (RFC 3720 appendix B.4), four bits at a time. */
static uint32_t crc32c_octet(uint32_t crc, unsigned char octet)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    crc ^= octet;
    crc = crc >> 4 ^ table[crc & 15];
    return crc >> 4 ^ table[crc & 15];
}

/* The checksum of a header in which the one at `checksum` counts as zeros (section 2.2.3). */
static uint32_t header_crc32c(struct span header, const char *checksum)
{
    uint32_t crc = UINT32_MAX;

    for (const char *at = header.ptr; at < header.ptr + header.len; at++) {
        bool own = at >= checksum && at < checksum + CRC32C_SIZE;
        crc = crc32c_octet(crc, own ? 0 : (unsigned char)*at);
    }
    return ~crc;
}

/* Do the TLVs end where the header does, and is the checksum right if there is one? */
static bool tlvs_are_right(struct span header, size_t at)
{
    while (at < header.len) {
        const char *tlv = header.ptr + at;
        if (header.len - at < TLV_HEAD || header.len - at - TLV_HEAD < read_u16(tlv + 1))
            return false;
        at += TLV_HEAD + read_u16(tlv + 1);
        if (tlv[0] != TLV_CRC32C)
            continue;
        const char *sum = tlv + TLV_HEAD;
        if (read_u16(tlv + 1) != CRC32C_SIZE ||
            header_crc32c(header, sum) != (uint32_t)(read_u16(sum) << 16 | read_u16(sum + 2)))
            return false;
    }
    return true;
}

/* Octets of both addresses of a family, with their ports. */
static size_t addresses_len(unsigned family)
{
    static const uint8_t lens[V2_FAMILIES] = {
        [V2_INET] = 12, [V2_INET6] = 36, [V2_UNIX_SOCKET] = 2 * V2_UNIX
    };

    return lens[family];
}

/* Who the client is, by the addresses at `at`: source, destination, and their ports. */
static void client_read(unsigned family, const char *at, struct proxy_header *header)
{
    size_t len = family == V2_INET ? 4 : 16;

    header->has_client = true;
    header->client = (struct peer){ .family = PEER_UNIX };
    if (family == V2_UNIX_SOCKET)
        return;
    header->client.family = family == V2_INET ? PEER_IPV4 : PEER_IPV6;
    memcpy(header->client.addr, at, len);
    header->client.port = (uint16_t)read_u16(at + 2 * len);
}

static enum proxy_header_result v2_parse(const char *data, size_t len,
                                         struct proxy_header *ret_header)
{
    if (len <= V2_SIGNATURE)
        return PROXY_HEADER_MORE;
    unsigned version = (unsigned char)data[V2_SIGNATURE] >> 4;
    unsigned command = (unsigned char)data[V2_SIGNATURE] & 15;
    if (version != 2 || command >= V2_COMMANDS)
        return PROXY_HEADER_WRONG;
    if (len <= V2_SIGNATURE + 1)
        return PROXY_HEADER_MORE;
    unsigned family = (unsigned char)data[V2_SIGNATURE + 1] >> 4;
    unsigned transport = (unsigned char)data[V2_SIGNATURE + 1] & 15;
    /* LOCAL: neither is looked at. */
    if (command == V2_PROXY && (family >= V2_FAMILIES || transport >= V2_TRANSPORTS))
        return PROXY_HEADER_WRONG;
    if (len < V2_FIXED)
        return PROXY_HEADER_MORE;

    struct proxy_header header = { .len = V2_FIXED + read_u16(data + V2_SIGNATURE + 2) };
    if (header.len > PROXY_HEADER_MAX)
        return PROXY_HEADER_LONG;
    /* Where either is not told, neither addresses nor TLVs are looked for. */
    bool told = command == V2_PROXY && family != V2_UNSPEC && transport != V2_UNSPEC;
    size_t addresses = told ? addresses_len(family) : 0;
    if (header.len < V2_FIXED + addresses)
        return PROXY_HEADER_WRONG;
    if (len < header.len)
        return PROXY_HEADER_MORE;
    if (told && !tlvs_are_right(span_make(data, header.len), V2_FIXED + addresses))
        return PROXY_HEADER_WRONG;
    if (told && transport == V2_STREAM)
        client_read(family, data + V2_FIXED, &header);
    *ret_header = header;
    return PROXY_HEADER_DONE;
}

/* ---- both ---- */

static bool begins_as(const char *data, size_t len, const char *signature, size_t signature_len)
{
    return memcmp(data, signature, len < signature_len ? len : signature_len) == 0;
}

enum proxy_header_result proxy_header_parse(const char *data, size_t len,
                                            struct proxy_header *ret_header)
{
    CHECK(len > 0);
    if (begins_as(data, len, v2_signature, V2_SIGNATURE))
        return v2_parse(data, len, ret_header);
    if (!begins_as(data, len, v1_signature, sizeof(v1_signature) - 1))
        return PROXY_HEADER_MISSING;
    return len < sizeof(v1_signature) ? PROXY_HEADER_MORE : v1_parse(data, len, ret_header);
}
