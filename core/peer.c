/* peer.c: a client's address as text, on the way of every line of the access log, and back.
 *
 * To text by hand, since inet_ntop(3) goes through snprintf(3). IPv6 as RFC 5952 wants it: lower
 * case, no leading zeros, the longest run of two or more zero groups (the first of equals) as "::".
 */
#include "core/peer.h"

#include "core/check.h"

#include <arpa/inet.h>
#include <string.h>

static char *put_ipv4(char *out, const uint8_t *addr)
{
    for (int i = 0; i < 4; i++) {
        unsigned value = addr[i];
        if (i > 0)
            *out++ = '.';
        if (value >= 100)
            *out++ = (char)('0' + value / 100);
        if (value >= 10)
            *out++ = (char)('0' + value / 10 % 10);
        *out++ = (char)('0' + value % 10);
    }
    return out;
}

static char *put_group(char *out, unsigned group)
{
    for (int shift = 12; shift >= 0; shift -= 4) {
        if (group >> shift != 0 || shift == 0)
            *out++ = "0123456789abcdef"[group >> shift & 15];
    }
    return out;
}

static char *put_ipv6(char *out, const uint8_t *addr)
{
    unsigned groups[8];
    int best = -1, best_len = 1; /* a single zero group is written as 0 */

    for (int i = 0; i < 8; i++)
        groups[i] = (unsigned)addr[2 * i] << 8 | addr[2 * i + 1];
    for (int i = 0; i < 8; i++) {
        int run = 0;
        while (i + run < 8 && groups[i + run] == 0)
            run++;
        if (run > best_len) {
            best = i;
            best_len = run;
        }
        i += run;
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            *out++ = ':';
            *out++ = ':';
            i += best_len - 1;
            continue;
        }
        if (i > 0 && out[-1] != ':')
            *out++ = ':';
        out = put_group(out, groups[i]);
    }
    return out;
}

size_t peer_format(const struct peer *peer, char *ret_text)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    char *end = ret_text;

    switch ((enum peer_family)peer->family) {
    case PEER_UNIX:
        memcpy(end, "unix:", 5);
        end += 5;
        break;
    case PEER_IPV4:
        end = put_ipv4(end, peer->addr);
        break;
    case PEER_IPV6:
        if (memcmp(peer->addr, mapped, sizeof mapped) == 0)
            end = put_ipv4(end, peer->addr + sizeof mapped);
        else
            end = put_ipv6(end, peer->addr);
        break;
    default:
        UNREACHABLE();
    }
    *end = '\0';
    return (size_t)(end - ret_text);
}

bool peer_parse(struct span text, struct peer *ret_peer)
{
    char copy[PEER_TEXT_MAX];
    struct peer peer = { .family = PEER_IPV4 };

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (memchr(copy, ':', text.len) != NULL)
        peer.family = PEER_IPV6;
    if (inet_pton(peer.family == PEER_IPV6 ? AF_INET6 : AF_INET, copy, peer.addr) != 1)
        return false;
    *ret_peer = peer;
    return true;
}

bool peer_is_local(const struct peer *peer)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const uint8_t ipv6_loopback[16] = { [15] = 1 };

    if (peer->family == PEER_IPV4)
        return peer->addr[0] == 127;
    if (peer->family == PEER_IPV6)
        return memcmp(peer->addr, ipv6_loopback, 16) == 0 ||
               (memcmp(peer->addr, mapped, 12) == 0 && peer->addr[12] == 127);
    return peer->family == PEER_UNIX;
}
