
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_siphash.h"


/* out of line, the state would live in memory: three times as slow */

#define gw_sip_inline  static inline __attribute__((always_inline))

#define gw_sip_rotl(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


gw_sip_inline void gw_sip_rounds(uint64_t v[4], unsigned n);
static inline uint64_t gw_sip_word(const u_char *p);
static inline uint64_t gw_sip_rest(const u_char *p, size_t len);
gw_sip_inline void gw_sip_hash(const uint64_t key[2], const u_char *data,
    size_t len, uint64_t hash[2], unsigned update, unsigned finish);


void
gw_siphash13(const uint64_t key[2], const u_char *data, size_t len,
    uint64_t hash[2])
{
    gw_sip_hash(key, data, len, hash, 1, 3);
}


void
gw_siphash24(const uint64_t key[2], const u_char *data, size_t len,
    uint64_t hash[2])
{
    gw_sip_hash(key, data, len, hash, 2, 4);
}


gw_sip_inline void
gw_sip_hash(const uint64_t key[2], const u_char *data, size_t len,
    uint64_t hash[2], unsigned update, unsigned finish)
{
    size_t    rest;
    uint64_t  v[4], word;

    /* "somepseudorandomlygeneratedbytes", 0xee asks for 128 bits */

    v[0] = key[0] ^ 0x736f6d6570736575ULL;
    v[1] = key[1] ^ 0x646f72616e646f6dULL ^ 0xee;
    v[2] = key[0] ^ 0x6c7967656e657261ULL;
    v[3] = key[1] ^ 0x7465646279746573ULL;

    for (rest = len; rest >= 8; rest -= 8) {
        word = gw_sip_word(data);
        data += 8;

        v[3] ^= word;
        gw_sip_rounds(v, update);
        v[0] ^= word;
    }

    word = gw_sip_rest(data, rest) | ((uint64_t) len << 56);

    v[3] ^= word;
    gw_sip_rounds(v, update);
    v[0] ^= word;

    v[2] ^= 0xee;
    gw_sip_rounds(v, finish);
    hash[0] = v[0] ^ v[1] ^ v[2] ^ v[3];

    v[1] ^= 0xdd;
    gw_sip_rounds(v, finish);
    hash[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}


gw_sip_inline void
gw_sip_rounds(uint64_t v[4], unsigned n)
{
    while (n--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = gw_sip_rotl(v[1], 13) ^ v[0];
        v[3] = gw_sip_rotl(v[3], 16) ^ v[2];
        v[0] = gw_sip_rotl(v[0], 32);

        v[2] += v[1];
        v[0] += v[3];
        v[1] = gw_sip_rotl(v[1], 17) ^ v[2];
        v[3] = gw_sip_rotl(v[3], 21) ^ v[0];
        v[2] = gw_sip_rotl(v[2], 32);
    }
}


/* eight bytes, little-endian, at any address */

static inline uint64_t
gw_sip_word(const u_char *p)
{
#if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    uint64_t  word;

    memcpy(&word, p, sizeof(word));

    return word;
#else
    return gw_sip_rest(p, 8);
#endif
}


static inline uint64_t
gw_sip_rest(const u_char *p, size_t len)
{
    uint64_t  word;

#if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    uint32_t  low, high;

    /* two reads that overlap, and add the same bits twice */

    if (len >= 4) {
        memcpy(&low, p, sizeof(low));
        memcpy(&high, p + len - 4, sizeof(high));

        return low | (uint64_t) high << (len - 4) * 8;
    }
#endif

    word = 0;

    while (len--) {
        word = (word << 8) | p[len];
    }

    return word;
}
