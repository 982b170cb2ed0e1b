/* str_utf8.c: is this UTF-8? (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF)
 *
 * Every string of every request body passes here, so 64 bytes are judged at once, as bit masks, one
 * bit a byte:
 *
 *     bytes         c3 a9 78 e2 82 ac
 *     lead           1  .  .  1  .  .      0xC2..0xF4
 *     expected       .  1  .  .  1  1      lead << 1 | three << 2 | four << 3
 *     continuation   .  1  .  .  1  1      0x80..0xBF: must equal `expected`
 *
 * A sequence that crosses the end of a block is left to the next block, which then begins with it.
 * Four lead bytes narrow their second byte: E0, ED, F0, F4. Invariant: never reads behind the text;
 * the last block is a padded copy.
 */
#include "common/str.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Length of the well-formed sequence at s[0..n), or 0. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80)
        return 1;
    size_t need = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
                  : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
                  : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                 : 0;
    if (need == 0 || n < need)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return need;
}

size_t str_utf8_step(struct str s)
{
    return s.n == 0 ? 0 : utf8_length((const unsigned char *)s.p, s.n);
}

#if defined(__SSE2__)

#define BLOCK 64

/* Bytes as signed numbers: 0x80 is -128, 0xFF is -1, so one comparison tells ranges apart. */
static inline uint64_t below(const __m128i v[4], int limit)
{
    const __m128i wide = _mm_set1_epi8((char)limit);
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++)
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmplt_epi8(v[i], wide)) << (16 * i);
    return mask;
}

static inline uint64_t equal(const __m128i v[4], int byte)
{
    const __m128i wide = _mm_set1_epi8((char)byte);
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++)
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], wide)) << (16 * i);
    return mask;
}

/* Second bytes that their lead byte does not allow. `cont`: continuation bytes. */
static uint64_t bad_seconds(const __m128i v[4], uint64_t cont)
{
    uint64_t low_a0 = below(v, 0xA0 - 256), low_90 = below(v, 0x90 - 256);
    return (equal(v, 0xE0) << 1 & low_a0) | (equal(v, 0xED) << 1 & cont & ~low_a0) |
           (equal(v, 0xF0) << 1 & low_90) | (equal(v, 0xF4) << 1 & cont & ~low_90);
}

/* C0, C1 and F5..FF stand nowhere. */
static inline bool has_bad_bytes(const __m128i v[4])
{
    __m128i hit = _mm_setzero_si128();
    for (size_t i = 0; i < 4; i++) {
        __m128i c0_c1 = _mm_cmpeq_epi8(_mm_and_si128(v[i], _mm_set1_epi8((char)0xFE)),
                                       _mm_set1_epi8((char)0xC0));
        __m128i from_f5 = _mm_cmpeq_epi8(_mm_max_epu8(v[i], _mm_set1_epi8((char)0xF5)), v[i]);
        hit = _mm_or_si128(hit, _mm_or_si128(c0_c1, from_f5));
    }
    return _mm_movemask_epi8(hit) != 0;
}

/* E0, ED, F0 and F4: seldom met in most scripts. */
static inline bool has_narrow_leads(const __m128i v[4])
{
    __m128i hit = _mm_setzero_si128();
    for (size_t i = 0; i < 4; i++) {
        __m128i e0_f0 = _mm_cmpeq_epi8(_mm_and_si128(v[i], _mm_set1_epi8((char)0xEF)),
                                       _mm_set1_epi8((char)0xE0));
        __m128i ed_f4 = _mm_or_si128(_mm_cmpeq_epi8(v[i], _mm_set1_epi8((char)0xED)),
                                     _mm_cmpeq_epi8(v[i], _mm_set1_epi8((char)0xF4)));
        hit = _mm_or_si128(hit, _mm_or_si128(e0_f0, ed_f4));
    }
    return _mm_movemask_epi8(hit) != 0;
}

/* Judges 64 bytes at p that begin with a whole sequence. Gives how many were well-formed, cut
 * before a sequence that crosses the end, or 0. */
static inline size_t judge_block(const char *p)
{
    __m128i v[4];
    for (size_t i = 0; i < 4; i++)
        v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    uint64_t high = below(v, 0);
    if (high == 0)
        return BLOCK;
    if (has_bad_bytes(v))
        return 0;
    uint64_t cont = below(v, 0xC0 - 256), lead = high & ~cont;
    uint64_t three = high & ~below(v, 0xE0 - 256), four = high & ~below(v, 0xF0 - 256);
    uint64_t wrong = cont ^ (lead << 1 | three << 2 | four << 3);
    if (has_narrow_leads(v))
        wrong |= bad_seconds(v, cont);
    uint64_t crossing =
        (lead & UINT64_C(1) << 63) | (three & UINT64_C(3) << 62) | (four & UINT64_C(7) << 61);
    if (crossing == 0)
        return wrong == 0 ? BLOCK : 0;
    /* the place of the crossing lead byte counts: a sequence before it may have expected more there
     */
    unsigned n = (unsigned)__builtin_ctzll(crossing);
    return (wrong & ((UINT64_C(2) << n) - 1)) == 0 ? n : 0;
}

bool str_is_utf8(struct str s)
{
    size_t at = 0, step;
    while (s.n - at >= BLOCK) {
        step = judge_block(s.p + at);
        if (step == 0)
            return false;
        at += step;
    }
    while (at < s.n) {
        char room[BLOCK] = {0};
        memcpy(room, s.p + at, s.n - at);
        step = judge_block(room);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

#else

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n;) {
        size_t step = utf8_length(p + i, s.n - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

#endif
