
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The signature algorithms of RFC 7518, RFC 8037, RFC 8812, RFC 9864 and of
 * draft-ietf-cose-dilithium (ML-DSA, FIPS 204) that can be verified, as
 * numbers and as a bit mask: an allow-list is one AND.
 */


#ifndef GW_ALG_H
#define GW_ALG_H


#include "gw.h"
#include "gw_hash.h"


typedef enum {
    GW_ALG_HS256 = 0,
    GW_ALG_HS384,
    GW_ALG_HS512,
    GW_ALG_RS256,
    GW_ALG_RS384,
    GW_ALG_RS512,
    GW_ALG_PS256,
    GW_ALG_PS384,
    GW_ALG_PS512,
    GW_ALG_ES256,
    GW_ALG_ES384,
    GW_ALG_ES512,
    GW_ALG_ES256K,
    GW_ALG_EDDSA,
    GW_ALG_ED25519,
    GW_ALG_ED448,
    GW_ALG_ML_DSA_44,
    GW_ALG_ML_DSA_65,
    GW_ALG_ML_DSA_87,
    GW_ALG_MAX
} gw_alg_e;


typedef uint32_t  gw_alg_mask_t;


#define gw_alg_bit(alg)   ((gw_alg_mask_t) 1 << (alg))

/* the hash follows from the order of gw_alg_e; not for EdDSA and ML-DSA */

#define gw_alg_hash(alg)  ((gw_hash_e) ((alg) % 3))


#define GW_ALG_MASK_HS                                                        \
    (gw_alg_bit(GW_ALG_HS256) | gw_alg_bit(GW_ALG_HS384)                      \
     | gw_alg_bit(GW_ALG_HS512))

#define GW_ALG_MASK_RS                                                        \
    (gw_alg_bit(GW_ALG_RS256) | gw_alg_bit(GW_ALG_RS384)                      \
     | gw_alg_bit(GW_ALG_RS512))

#define GW_ALG_MASK_PS                                                        \
    (gw_alg_bit(GW_ALG_PS256) | gw_alg_bit(GW_ALG_PS384)                      \
     | gw_alg_bit(GW_ALG_PS512))

#define GW_ALG_MASK_ES                                                        \
    (gw_alg_bit(GW_ALG_ES256) | gw_alg_bit(GW_ALG_ES384)                      \
     | gw_alg_bit(GW_ALG_ES512))

#define GW_ALG_MASK_ED                                                        \
    (gw_alg_bit(GW_ALG_EDDSA) | gw_alg_bit(GW_ALG_ED25519)                    \
     | gw_alg_bit(GW_ALG_ED448))

#define GW_ALG_MASK_ML_DSA                                                    \
    (gw_alg_bit(GW_ALG_ML_DSA_44) | gw_alg_bit(GW_ALG_ML_DSA_65)              \
     | gw_alg_bit(GW_ALG_ML_DSA_87))

/* what is allowed unless a configuration names its own list */

#define GW_ALG_MASK_DEFAULT                                                   \
    (GW_ALG_MASK_RS | GW_ALG_MASK_PS | GW_ALG_MASK_ES | GW_ALG_MASK_ED)


/*
 * Finds an algorithm by its registered name, case-sensitive.
 *
 * Returns GW_ALG_MAX for every other name: "none", encryption algorithms.
 * Whether libcrypto can verify it is for gw_jwk_supports() to say.
 */
gw_alg_e gw_alg_find(const unsigned char *name, size_t len);


/*
 * Returns the registered name, zero-terminated; "" for GW_ALG_MAX.
 */
const char *gw_alg_name(gw_alg_e alg);


/*
 * Decides which algorithms a key must offer to verify a token.
 *
 *     alg      what the header of the token names
 *     allowed  the allow-list; EdDSA stands for Ed25519 and Ed448
 *
 * Returns a mask to be tested against gw_jwk_t.algs: 0 if the allow-list
 * refuses the token.  A token that says EdDSA passes a list that names only
 * Ed25519, but then only with an Ed25519 key (RFC 9864).
 */
gw_alg_mask_t gw_alg_wanted(gw_alg_e alg, gw_alg_mask_t allowed);


#endif /* GW_ALG_H */
