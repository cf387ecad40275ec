
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Sets of keys that verify signatures (RFC 7517, RFC 8037), from a JWK Set or
 * from PEM.  The key decides which algorithms it may verify, never the token.
 */


#ifndef GW_JWK_H
#define GW_JWK_H


#include <openssl/evp.h>

#include "gw.h"
#include "gw_alg.h"
#include "gw_hash.h"


#define GW_JWK_MAX_SET         (512 * 1024)  /* bytes of text */
#define GW_JWK_MAX_KEYS        64            /* keys in a set */
#define GW_JWK_MAX_KID         512           /* bytes */
#define GW_JWK_MAX_SECRET      1024          /* bytes of an "oct" key */
#define GW_JWK_MIN_RSA         2048          /* bits */
#define GW_JWK_MAX_RSA         8192          /* bits */
#define GW_JWK_MAX_RSA_E       33            /* bits */
#define GW_JWK_MAX_COORD       66            /* bytes, of P-521 */
#define GW_JWK_MAX_AKP         2592          /* bytes, of ML-DSA-87 */
#define GW_JWK_THUMBPRINT_LEN  32            /* bytes, SHA-256 */
#define GW_JWK_MAX_TRIES       4             /* keys tried for one token */


/*
 * gw_jwk_set_parse(), flags
 *
 * GW_JWK_REMOTE: the set was not written by the operator, so a single key
 * that contradicts itself ("alg" of another family than the key) becomes
 * unusable instead of failing the set.
 */

#define GW_JWK_REMOTE  0x01


typedef enum {
    GW_JWK_JWKS = 0,                /* a JWK Set or a single JWK */
    GW_JWK_PEM,                     /* public keys or certificates */
    GW_JWK_KEYVAL                   /* JSON: key ID to PEM or a secret */
} gw_jwk_format_e;


typedef enum {
    GW_KTY_UNKNOWN = 0,
    GW_KTY_RSA,
    GW_KTY_EC,
    GW_KTY_OKP,
    GW_KTY_OCT,
    GW_KTY_AKP                      /* one algorithm, named by "alg" */
} gw_kty_e;


typedef enum {
    GW_CRV_NONE = 0,
    GW_CRV_P256,
    GW_CRV_P384,
    GW_CRV_P521,
    GW_CRV_SECP256K1,
    GW_CRV_ED25519,
    GW_CRV_ED448
} gw_crv_e;


typedef enum {
    GW_JWK_OK = 0,
    GW_JWK_E_SIZE,                  /* set, number of keys, kid or secret */
    GW_JWK_E_JSON,                  /* not JSON; see position */
    GW_JWK_E_FORMAT,                /* JSON or PEM, but not a set of keys */
    GW_JWK_E_MEMBER,                /* a member is missing or malformed */
    GW_JWK_E_PRIVATE,               /* a private key */
    GW_JWK_E_ALG,                   /* "alg" contradicts the key */
    GW_JWK_E_RSA,                   /* modulus or exponent */
    GW_JWK_E_POINT,                 /* not on the curve, of small order */
    GW_JWK_E_SECRET,                /* shorter than the hash */
    GW_JWK_E_DUPLICATE,             /* kid twice for one kty */
    GW_JWK_E_MIXED,                 /* secrets beside public keys */
    GW_JWK_E_EMPTY,                 /* no usable key */
    GW_JWK_E_MEMORY                 /* could not tell */
} gw_jwk_error_e;


typedef struct {
    gw_jwk_error_e   code;
    int              index;         /* of the key, from 0; -1 if none */
    size_t           position;      /* byte offset of a JSON error */
    const char      *text;          /* static: what is wrong, what to do */
} gw_jwk_error_t;


/*
 * A key.  Read-only for everybody but gw_jwk_*.c; a set may be used by one
 * thread at a time, since libcrypto's contexts are reused.
 */

typedef struct {
    gw_kty_e          kty;
    gw_crv_e          crv;

    /*
     * what it may verify, EdDSA by the name of its curve;
     * 0: never used ("use":"enc", unknown kty, ...)
     */
    gw_alg_mask_t     algs;

    /* NULL if the key has none; not zero-terminated */
    unsigned char    *kid;
    size_t            kid_len;

    /* RFC 7638, SHA-256; meaningful if algs is not 0 */
    unsigned char     thumbprint[GW_JWK_THUMBPRINT_LEN];

    /* "oct" only */
    unsigned char    *secret;
    size_t            secret_len;
    gw_hmac_key_t    *hmac[GW_HASH_MAX];

    /* public keys only */
    EVP_PKEY         *pkey;
    size_t            sig_len;                 /* bytes, 0 for "oct" */
    EVP_PKEY_CTX     *verify[GW_ALG_MAX];      /* RSA, EC */
    EVP_MD_CTX       *ed;                      /* OKP, AKP */

    /* EC: of the base point, big-endian, sig_len / 2 bytes */
    unsigned char     order[GW_JWK_MAX_COORD];
} gw_jwk_t;


typedef struct {
    gw_jwk_t         *keys;
    size_t            nkeys;
    gw_alg_mask_t     algs;         /* of all keys together */
} gw_jwk_set_t;


/*
 * Parses a set and prepares its keys for verification.
 *
 *     format  of the text
 *     flags   0 or GW_JWK_REMOTE
 *     hash    used during the call only
 *     err     out: set on failure only
 *
 * Returns a set that is freed with gw_jwk_set_destroy(), or NULL.  Keys that
 * cannot verify (unknown "kty" or "crv", "use" other than "sig", "key_ops"
 * without "verify", an encryption "alg") stay in the set with algs == 0 and
 * their other members are not looked at; everything else that breaks a rule
 * refuses the whole set.  The text is not kept.
 */
gw_jwk_set_t *gw_jwk_set_parse(const unsigned char *data, size_t len,
    gw_jwk_format_e format, unsigned flags, gw_hash_t *hash,
    gw_jwk_error_t *err);

/*
 * Returns 1 if libcrypto can verify an algorithm: ML-DSA it may have or not.
 */
int gw_jwk_supports(gw_alg_e alg);

/*
 * Frees a set and clears its secrets; NULL is allowed.
 */
void gw_jwk_set_destroy(gw_jwk_set_t *set);


#endif /* GW_JWK_H */
