/* siphash.h: SipHash-1-3 (Aumasson and Bernstein, 2012): a hash with a secret key, for tables whose
 * keys strangers choose; without the key they cannot make them collide. Some 10 ns for a path. */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct siphash {
    uint64_t v0, v1, v2, v3;
};

static inline void siphash_rounds(struct siphash *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v1 = (s->v1 << 13 | s->v1 >> 51) ^ s->v0;
        s->v0 = s->v0 << 32 | s->v0 >> 32;
        s->v2 += s->v3;
        s->v3 = (s->v3 << 16 | s->v3 >> 48) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = (s->v3 << 21 | s->v3 >> 43) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = (s->v1 << 17 | s->v1 >> 47) ^ s->v2;
        s->v2 = s->v2 << 32 | s->v2 >> 32;
    }
}

static inline void siphash_word(struct siphash *s, uint64_t word, int rounds)
{
    s->v3 ^= word;
    siphash_rounds(s, rounds);
    s->v0 ^= word;
}

/* SipHash-c-d of `len` octets. The compiler unrolls constant rounds; siphash13() is what to call.
 */
static inline uint64_t siphash(const uint64_t key[2], const void *data, size_t len, int c, int d)
{
    const unsigned char *octets = data;
    struct siphash s = {
        .v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = 0;
    size_t i;

    for (i = 0; i + 8 <= len; i += 8) {
        uint64_t word;

        memcpy(&word, octets + i, sizeof(word));
        siphash_word(&s, le64toh(word), c);
    }
    if (i < len)
        memcpy(&last, octets + i, len - i);
    siphash_word(&s, le64toh(last) | (uint64_t)len << 56, c);
    s.v2 ^= 0xff;
    siphash_rounds(&s, d);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static inline uint64_t siphash13(const uint64_t key[2], const void *data, size_t len)
{
    return siphash(key, data, len, 1, 3);
}

#endif
