
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the gw_jwk_*.c files share; nobody else includes it.
 */


#ifndef GW_JWK_KEY_H
#define GW_JWK_KEY_H


#include "gw_json.h"
#include "gw_jwk.h"


/*
 * Fills in an error, but for the index of the key.
 *
 * Returns GW_ERROR, always.
 */
gw_status_e gw_jwk_fail(gw_jwk_error_t *err, gw_jwk_error_e code,
    const char *text);

/*
 * Fills in an error after libcrypto has failed: code and text, or
 * GW_JWK_E_MEMORY if that was the cause.  Empties libcrypto's queue.
 *
 * Returns GW_ERROR, always.
 */
gw_status_e gw_jwk_fail_crypto(gw_jwk_error_t *err, gw_jwk_error_e code,
    const char *text);

/*
 * Appends an empty key.
 *
 * Returns it, or NULL with err set: too many keys.
 */
gw_jwk_t *gw_jwk_set_add(gw_jwk_set_t *set, gw_jwk_error_t *err);

/*
 * Reads one JWK into an empty key.
 *
 * Returns GW_OK (the key may be unusable, with algs == 0) or GW_ERROR.
 */
gw_status_e gw_jwk_read(gw_jwk_t *key, const json_t *jwk, unsigned flags,
    gw_hash_t *hash, gw_jwk_error_t *err);

/*
 * Makes key->pkey from the members of a JWK; kty and crv are set.
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_read_public(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);

/*
 * Reads a JSON object with a key ID as the name of each member, and as its
 * value the PEM text of one public key or certificate, or a secret.
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_read_keyval(gw_jwk_set_t *set, const unsigned char *data,
    size_t len, gw_hash_t *hash, gw_jwk_error_t *err);

/*
 * Copies a key ID into a key that has none.
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_set_kid(gw_jwk_t *key, const char *kid, size_t len,
    gw_jwk_error_t *err);

/*
 * Returns the algorithm of a kind of key of libcrypto that has one, an ML-DSA
 * key; GW_ALG_MAX for any other.
 */
gw_alg_e gw_jwk_akp_alg(const EVP_PKEY *pkey);

/*
 * Reads the secret of a JWK whose kty is "oct".
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_read_oct(gw_jwk_t *key, const json_t *jwk,
    gw_hash_t *hash, gw_jwk_error_t *err);

/*
 * Reads all blocks of a PEM text into a set.
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_read_pem(gw_jwk_set_t *set, const unsigned char *data,
    size_t len, gw_hash_t *hash, gw_jwk_error_t *err);

/*
 * Takes key->pkey, whose kind is not known yet: sets kty and crv, checks
 * modulus, exponent or point, makes the thumbprint.
 *
 * Returns GW_OK, GW_DECLINED (a kind of key that verifies nothing here) or
 * GW_ERROR.
 */
gw_status_e gw_jwk_inspect(gw_jwk_t *key, gw_hash_t *hash,
    gw_jwk_error_t *err);

/*
 * Makes the thumbprint of RFC 7638 of a key whose other members are set.
 *
 *     a, b  the other members in the order of their names: e and n, x and y;
 *           x, k or pub alone
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_thumbprint(gw_jwk_t *key, gw_hash_t *hash,
    const unsigned char *a, size_t alen, const unsigned char *b, size_t blen,
    gw_jwk_error_t *err);

/*
 * Returns the algorithms of the family of the key (kty, crv, secret_len; pkey
 * of AKP, which has one of them when it is made).
 */
gw_alg_mask_t gw_jwk_family(const gw_jwk_t *key);

/*
 * Makes the contexts for all of key->algs.
 *
 * Returns GW_OK or GW_ERROR.
 */
gw_status_e gw_jwk_prepare(gw_jwk_t *key, gw_hash_t *hash,
    gw_jwk_error_t *err);


#endif /* GW_JWK_KEY_H */
