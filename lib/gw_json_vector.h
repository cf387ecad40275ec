
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Sixteen bytes at a time, by SSE2 or NEON: what any processor of x86-64 or
 * AArch64 has.  Private to lib/.
 *
 * GW_JSON_VECTOR is 0 where there is neither; GW_JSON_PORTABLE makes it so
 * anywhere.
 */


#ifndef GW_JSON_VECTOR_H
#define GW_JSON_VECTOR_H


#include "gw.h"


#if (defined GW_JSON_PORTABLE)
#define GW_JSON_VECTOR  0

#elif (defined __SSE2__)
#include <emmintrin.h>
#define GW_JSON_VECTOR  1

#elif (defined __aarch64__ && defined __ARM_NEON && !defined __AARCH64EB__)
#include <arm_neon.h>
#define GW_JSON_VECTOR  1

#else
#define GW_JSON_VECTOR  0
#endif


#if (GW_JSON_VECTOR && defined __x86_64__ && defined __GNUC__)
#define GW_JSON_AVX2  1     /* where the processor turns out to have it */
#else
#define GW_JSON_AVX2  0
#endif


#define gw_json_inline  static inline __attribute__((always_inline))


/*
 *     load(p)        16 bytes from any address
 *     fill(c)        16 times the byte c
 *     low(v)         control characters and what is beyond ASCII
 *     bit5(v)        what tells braces from brackets
 *     digit(v)       '0' to '9'
 *     greater(a, b)  signed: what is beyond ASCII is less than 0
 *     some(v)        of a result: whether a byte is set
 *     first(v)       ... which one is, if any is
 *     mask(v)        ... a bit for each
 *     mask4()        ... of four results
 */

#if (GW_JSON_VECTOR && defined __SSE2__)

typedef __m128i  gw_json_vector_t;

#define gw_json_vector_load(p)        _mm_loadu_si128((const __m128i *) (p))
#define gw_json_vector_fill(c)        _mm_set1_epi8((char) (c))
#define gw_json_vector_or(a, b)       _mm_or_si128(a, b)
#define gw_json_vector_not(v)         _mm_cmpeq_epi8(v, _mm_setzero_si128())
#define gw_json_vector_equal(a, b)    _mm_cmpeq_epi8(a, b)
#define gw_json_vector_greater(a, b)  _mm_cmpgt_epi8(a, b)
#define gw_json_vector_mask(v)        (uint32_t) _mm_movemask_epi8(v)
#define gw_json_vector_some(v)        (_mm_movemask_epi8(v) != 0)
#define gw_json_vector_first(v)       __builtin_ctz(gw_json_vector_mask(v))


/* the mask takes the highest bit of each byte */

#define gw_json_vector_bit5(v)        _mm_slli_epi16(v, 2)
#define gw_json_vector_low(v)                                                 \
    _mm_or_si128(v, _mm_sub_epi8(v, _mm_set1_epi8(' ')))


gw_json_inline gw_json_vector_t
gw_json_vector_digit(gw_json_vector_t v)
{
    v = _mm_sub_epi8(v, _mm_set1_epi8('0'));

    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v);
}


gw_json_inline uint64_t
gw_json_vector_mask4(gw_json_vector_t a, gw_json_vector_t b,
    gw_json_vector_t c, gw_json_vector_t d)
{
    return gw_json_vector_mask(a) | gw_json_vector_mask(b) << 16
           | (uint64_t) (gw_json_vector_mask(c)
                         | gw_json_vector_mask(d) << 16) << 32;
}


#elif (GW_JSON_VECTOR)

typedef uint8x16_t  gw_json_vector_t;

#define gw_json_vector_load(p)        vld1q_u8(p)
#define gw_json_vector_fill(c)        vdupq_n_u8((uint8_t) (c))
#define gw_json_vector_or(a, b)       vorrq_u8(a, b)
#define gw_json_vector_not(v)         vmvnq_u8(v)
#define gw_json_vector_equal(a, b)    vceqq_u8(a, b)
#define gw_json_vector_bit5(v)        vtstq_u8(v, vdupq_n_u8(0x20))
#define gw_json_vector_some(v)        (vmaxvq_u8(v) != 0)

#define gw_json_vector_greater(a, b)                                          \
    vcgtq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b))
#define gw_json_vector_low(v)                                                 \
    vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(' '))
#define gw_json_vector_digit(v)                                               \
    vcltq_u8(vsubq_u8(v, vdupq_n_u8('0')), vdupq_n_u8(10))


/* half of each byte is enough to find one */

gw_json_inline int
gw_json_vector_first(gw_json_vector_t v)
{
    uint8x8_t  halves;

    halves = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);

    return __builtin_ctzll(vget_lane_u64(vreinterpret_u64_u8(halves), 0)) / 4;
}


/* there is no such instruction: a bit of its own for each byte, and sums */

gw_json_inline uint64_t
gw_json_vector_mask4(gw_json_vector_t a, gw_json_vector_t b,
    gw_json_vector_t c, gw_json_vector_t d)
{
    uint8x16_t  bits;

    bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));

    a = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
    c = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));
    a = vpaddq_u8(a, c);
    a = vpaddq_u8(a, a);

    return vgetq_lane_u64(vreinterpretq_u64_u8(a), 0);
}


gw_json_inline uint32_t
gw_json_vector_mask(gw_json_vector_t v)
{
    return (uint32_t) gw_json_vector_mask4(v, v, v, v) & 0xffff;
}

#endif


#endif /* GW_JSON_VECTOR_H */
