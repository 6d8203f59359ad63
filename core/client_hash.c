/* client_hash.c: see client_hash.h. */
#include "core/client_hash.h"

#include "core/siphash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int client_hash_key(uint64_t ret_key[2])
{
    ssize_t n;

    do
        n = getrandom(ret_key, 16, 0);
    while (n < 0 && errno == EINTR);
    return n == 16 ? 0 : n < 0 ? -errno : -EIO;
}

/* Clears what lies behind the first `bits` of `len` octets. */
static void cut(uint8_t *addr, unsigned len, unsigned bits)
{
    for (unsigned i = 0; i < len; i++) {
        unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
        if (kept < 8)
            addr[i] &= (uint8_t)(0xff00 >> kept);
    }
}

uint64_t client_hash(const uint64_t key[2], uint64_t zone, const struct peer *peer,
                     const struct client_prefix *prefix)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    struct {
        uint64_t zone;
        uint8_t family, padding[7];
        uint8_t addr[16];
    } text = { .zone = zone, .family = peer->family };
    uint64_t hash;

    if (peer->family == PEER_IPV6 && memcmp(peer->addr, mapped, sizeof(mapped)) == 0) {
        text.family = PEER_IPV4;
        memcpy(text.addr, peer->addr + sizeof(mapped), 4);
    } else if (peer->family != PEER_UNIX) {
        memcpy(text.addr, peer->addr, peer->family == PEER_IPV4 ? 4 : 16);
    }
    if (text.family == PEER_IPV4)
        cut(text.addr, 4, prefix->ipv4);
    else
        cut(text.addr, 16, prefix->ipv6);
    hash = siphash13(key, &text, sizeof(text));
    return hash != 0 ? hash : 1;
}
