/* octet_block.h: looks at 16 octets of a head at once: which of them end a run of harmless ones. By
 * SSE2 on x86-64 and by NEON on aarch64, which every such processor has; elsewhere there is no
 * OCTET_BLOCK, and octets are looked at one by one (octet.h). For the parsers of heads.
 *
 * Each function reads the 16 octets from `at` on, and returns a bit for each, the first one's
 * lowest: 1, it ends the run. octet_block_stops() says the same from the table, octet by octet:
 * what the others are tested against, and the fuzzers'. */
#ifndef HTTP_OCTET_BLOCK_H
#define HTTP_OCTET_BLOCK_H

#include "http/octet.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#define OCTET_BLOCK 16
#elif defined(__aarch64__)
#include <arm_neon.h>
#define OCTET_BLOCK 16
#endif

enum octet_run {
    OCTET_RUN_LINE,  /* SP, visible, 80 to FF: of a request line */
    OCTET_RUN_VALUE, /* the same and HTAB: of a field value */
    OCTET_RUN_NAME,  /* letters, digits, hyphens: nearly every field name holds nothing else */
    OCTET_RUN_PLAIN, /* visible ASCII without '#': of a target that needs no second look */
};

static inline bool octet_run_goes_on(char octet, enum octet_run run)
{
    switch (run) {
    case OCTET_RUN_LINE:
        return http_octet_is(octet, HTTP_OCTET_LINE);
    case OCTET_RUN_VALUE:
        return http_octet_is(octet, HTTP_OCTET_VALUE);
    case OCTET_RUN_NAME:
        return (octet >= '0' && octet <= '9') || octet == '-' ||
               ((octet | 0x20) >= 'a' && (octet | 0x20) <= 'z');
    case OCTET_RUN_PLAIN:
        break;
    }
    return octet > ' ' && octet < 0x7f && octet != '#';
}

static inline unsigned octet_block_stops(const char *at, enum octet_run run)
{
    unsigned stops = 0;
    for (unsigned i = 0; i < 16; i++)
        stops |= (unsigned)!octet_run_goes_on(at[i], run) << i;
    return stops;
}

#if defined(__SSE2__)

static inline __m128i octet_block_load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline unsigned octet_block_line(const char *at)
{
    __m128i octets = octet_block_load(at);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1f)), octets);
    __m128i del = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, del));
}

static inline unsigned octet_block_value(const char *at)
{
    __m128i octets = octet_block_load(at);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1f)), octets);
    __m128i htab = _mm_cmpeq_epi8(octets, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(htab, low), del));
}

static inline unsigned octet_block_name(const char *at)
{
    __m128i octets = octet_block_load(at);
    __m128i letter = _mm_sub_epi8(_mm_or_si128(octets, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i digit = _mm_sub_epi8(octets, _mm_set1_epi8('0'));
    __m128i good = _mm_cmpeq_epi8(octets, _mm_set1_epi8('-'));
    good = _mm_or_si128(good, _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter));
    good = _mm_or_si128(good, _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit));
    return (unsigned)_mm_movemask_epi8(good) ^ 0xffff;
}

static inline unsigned octet_block_plain(const char *at)
{
    __m128i octets = octet_block_load(at);
    __m128i bad = _mm_cmplt_epi8(octets, _mm_set1_epi8('!')); /* from 80 on they are negative */
    bad = _mm_or_si128(bad, _mm_cmpeq_epi8(octets, _mm_set1_epi8('#')));
    bad = _mm_or_si128(bad, _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f)));
    return (unsigned)_mm_movemask_epi8(bad);
}

#elif defined(__aarch64__)

static inline uint8x16_t octet_block_load(const char *at)
{
    return vld1q_u8((const uint8_t *)at);
}

/* A bit for each octet of `mask`, which are 00 or FF. */
static inline unsigned octet_block_bits(uint8x16_t mask)
{
    static const uint8_t weights[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
    uint8x16_t bits = vandq_u8(mask, vld1q_u8(weights));
    return vaddv_u8(vget_low_u8(bits)) | (unsigned)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline unsigned octet_block_line(const char *at)
{
    uint8x16_t octets = octet_block_load(at);
    uint8x16_t low = vcleq_u8(octets, vdupq_n_u8(0x1f));
    return octet_block_bits(vorrq_u8(low, vceqq_u8(octets, vdupq_n_u8(0x7f))));
}

static inline unsigned octet_block_value(const char *at)
{
    uint8x16_t octets = octet_block_load(at);
    uint8x16_t low = vcleq_u8(octets, vdupq_n_u8(0x1f));
    low = vbicq_u8(low, vceqq_u8(octets, vdupq_n_u8('\t')));
    return octet_block_bits(vorrq_u8(low, vceqq_u8(octets, vdupq_n_u8(0x7f))));
}

static inline unsigned octet_block_name(const char *at)
{
    uint8x16_t octets = octet_block_load(at);
    uint8x16_t letter = vsubq_u8(vorrq_u8(octets, vdupq_n_u8(0x20)), vdupq_n_u8('a'));
    uint8x16_t digit = vsubq_u8(octets, vdupq_n_u8('0'));
    uint8x16_t good = vceqq_u8(octets, vdupq_n_u8('-'));
    good = vorrq_u8(good, vcleq_u8(letter, vdupq_n_u8(25)));
    good = vorrq_u8(good, vcleq_u8(digit, vdupq_n_u8(9)));
    return octet_block_bits(vmvnq_u8(good));
}

static inline unsigned octet_block_plain(const char *at)
{
    uint8x16_t octets = octet_block_load(at);
    uint8x16_t good = vcltq_u8(vsubq_u8(octets, vdupq_n_u8('!')), vdupq_n_u8(0x7f - '!'));
    return octet_block_bits(vmvnq_u8(vbicq_u8(good, vceqq_u8(octets, vdupq_n_u8('#')))));
}

#endif

#endif
