
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * SipHash with an output of 128 bits: a hash of strings under a secret key,
 * so that nobody can choose strings that collide.
 * Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF".
 */


#ifndef GW_SIPHASH_H
#define GW_SIPHASH_H


#include "gw.h"


/*
 * SipHash-1-3, one round a word and three at the end: for hash tables.
 *
 *     key       128 secret bits
 *     hash      out: the 16 bytes of the output as two little-endian words
 */

void gw_siphash13(const uint64_t key[2], const u_char *data, size_t len,
    uint64_t hash[2]);


/* The same with two and four rounds, the conservative SipHash-2-4. */

void gw_siphash24(const uint64_t key[2], const u_char *data, size_t len,
    uint64_t hash[2]);


#endif /* GW_SIPHASH_H */
