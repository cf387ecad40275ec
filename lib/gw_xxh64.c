
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_xxh64.h"

#include <string.h>


#define GW_XXH64_P1  0x9e3779b185ebca87ULL
#define GW_XXH64_P2  0xc2b2ae3d27d4eb4fULL
#define GW_XXH64_P3  0x165667b19e3779f9ULL
#define GW_XXH64_P4  0x85ebca77c2b2ae63ULL
#define GW_XXH64_P5  0x27d4eb2f165667c5ULL

#define gw_xxh64_rotl(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


static uint64_t gw_xxh64_word(const u_char *p);
static uint32_t gw_xxh64_half(const u_char *p);
static uint64_t gw_xxh64_round(uint64_t lane, uint64_t word);
static const u_char *gw_xxh64_stripes(gw_xxh64_t *x, const u_char *p,
    size_t n);
static uint64_t gw_xxh64_tail(uint64_t hash, const u_char *p, size_t len);


void
gw_xxh64_init(gw_xxh64_t *x)
{
    memset(x, 0, sizeof(gw_xxh64_t));

    x->lanes[0] = GW_XXH64_P1 + GW_XXH64_P2;
    x->lanes[1] = GW_XXH64_P2;
    x->lanes[3] = 0 - GW_XXH64_P1;
}


void
gw_xxh64_update(gw_xxh64_t *x, const u_char *data, size_t len)
{
    size_t         n;
    const u_char  *end;

    if (len == 0) {
        return;
    }

    x->total += len;
    end = data + len;

    if (x->n) {
        n = GW_XXH64_STRIPE - x->n;

        if (n > len) {
            n = len;
        }

        memcpy(x->rest + x->n, data, n);
        x->n += n;
        data += n;

        if (x->n < GW_XXH64_STRIPE) {
            return;
        }

        (void) gw_xxh64_stripes(x, x->rest, 1);
        x->n = 0;
    }

    data = gw_xxh64_stripes(x, data, (size_t) (end - data) / GW_XXH64_STRIPE);

    x->n = (size_t) (end - data);
    memcpy(x->rest, data, x->n);
}


uint64_t
gw_xxh64_final(const gw_xxh64_t *x)
{
    size_t    i;
    uint64_t  hash;

    if (x->total < GW_XXH64_STRIPE) {
        hash = GW_XXH64_P5;

    } else {
        hash = gw_xxh64_rotl(x->lanes[0], 1) + gw_xxh64_rotl(x->lanes[1], 7)
               + gw_xxh64_rotl(x->lanes[2], 12)
               + gw_xxh64_rotl(x->lanes[3], 18);

        for (i = 0; i < 4; i++) {
            hash ^= gw_xxh64_round(0, x->lanes[i]);
            hash = hash * GW_XXH64_P1 + GW_XXH64_P4;
        }
    }

    hash = gw_xxh64_tail(hash + x->total, x->rest, x->n);

    hash = (hash ^ (hash >> 33)) * GW_XXH64_P2;
    hash = (hash ^ (hash >> 29)) * GW_XXH64_P3;

    return hash ^ (hash >> 32);
}


/* little-endian on any machine; compilers make one load of it */

static uint64_t
gw_xxh64_word(const u_char *p)
{
    return (uint64_t) gw_xxh64_half(p)
           | (uint64_t) gw_xxh64_half(p + 4) << 32;
}


static uint32_t
gw_xxh64_half(const u_char *p)
{
    return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
           | (uint32_t) p[3] << 24;
}


static uint64_t
gw_xxh64_round(uint64_t lane, uint64_t word)
{
    lane += word * GW_XXH64_P2;

    return gw_xxh64_rotl(lane, 31) * GW_XXH64_P1;
}


static const u_char *
gw_xxh64_stripes(gw_xxh64_t *x, const u_char *p, size_t n)
{
    uint64_t  a, b, c, d;

    a = x->lanes[0];
    b = x->lanes[1];
    c = x->lanes[2];
    d = x->lanes[3];

    for ( /* void */ ; n; n--) {
        a = gw_xxh64_round(a, gw_xxh64_word(p));
        b = gw_xxh64_round(b, gw_xxh64_word(p + 8));
        c = gw_xxh64_round(c, gw_xxh64_word(p + 16));
        d = gw_xxh64_round(d, gw_xxh64_word(p + 24));

        p += GW_XXH64_STRIPE;
    }

    x->lanes[0] = a;
    x->lanes[1] = b;
    x->lanes[2] = c;
    x->lanes[3] = d;

    return p;
}


static uint64_t
gw_xxh64_tail(uint64_t hash, const u_char *p, size_t len)
{
    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        hash ^= gw_xxh64_round(0, gw_xxh64_word(p));
        hash = gw_xxh64_rotl(hash, 27) * GW_XXH64_P1 + GW_XXH64_P4;
    }

    if (len >= 4) {
        hash ^= gw_xxh64_half(p) * GW_XXH64_P1;
        hash = gw_xxh64_rotl(hash, 23) * GW_XXH64_P2 + GW_XXH64_P3;
        len -= 4;
        p += 4;
    }

    for ( /* void */ ; len; len--, p++) {
        hash ^= *p * GW_XXH64_P5;
        hash = gw_xxh64_rotl(hash, 11) * GW_XXH64_P1;
    }

    return hash;
}
