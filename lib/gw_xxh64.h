
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * XXH64: a fast hash with no key, for validators of content.  Whoever makes
 * the content can make collisions, which only hurts what he makes.
 * Source: Y. Collet, "xxHash fast digest algorithm", 0.1.1.
 */


#ifndef GW_XXH64_H
#define GW_XXH64_H


#include "gw.h"


#define GW_XXH64_STRIPE  32        /* bytes */


typedef struct {
    uint64_t   lanes[4];
    uint64_t   total;              /* bytes so far */
    size_t     n;                  /* bytes in rest */
    u_char     rest[GW_XXH64_STRIPE];
} gw_xxh64_t;


/* Begins a hash with the seed 0. */

void gw_xxh64_init(gw_xxh64_t *x);


/* Adds bytes: how they are cut into calls does not matter. */

void gw_xxh64_update(gw_xxh64_t *x, const u_char *data, size_t len);


/* Returns the hash of all bytes; more may be added after that. */

uint64_t gw_xxh64_final(const gw_xxh64_t *x);


#endif /* GW_XXH64_H */
