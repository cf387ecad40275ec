
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "gw_jwk.h"
#include "gw_jwk_key.h"


#define GW_JWK_ROCA_PRIME  167      /* the last prime that is looked at */


typedef struct {
    const char   *group;
    gw_crv_e      crv;
    size_t        len;          /* bytes of a coordinate */
} gw_jwk_group_t;


static gw_status_e gw_jwk_inspect_rsa(gw_jwk_t *key, gw_hash_t *hash,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_check_rsa(const BIGNUM *n, const BIGNUM *e,
    gw_jwk_error_t *err);
static int gw_jwk_is_roca(const BIGNUM *n);
static int gw_jwk_roca_residue(unsigned residue, unsigned prime);
static gw_status_e gw_jwk_inspect_ec(gw_jwk_t *key, gw_hash_t *hash,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_check_ec(const gw_jwk_t *key, gw_jwk_error_t *err);
static gw_status_e gw_jwk_inspect_okp(gw_jwk_t *key, size_t len,
    gw_hash_t *hash, gw_jwk_error_t *err);
static gw_status_e gw_jwk_inspect_akp(gw_jwk_t *key, gw_alg_e alg,
    gw_hash_t *hash, gw_jwk_error_t *err);
static int gw_jwk_small_order(const unsigned char *x, size_t len);
static int gw_jwk_small_order_25519(const unsigned char *y);
static int gw_jwk_small_order_448(const unsigned char *y);


static const gw_jwk_group_t  gw_jwk_groups[] = {
    { "prime256v1", GW_CRV_P256, 32 },
    { "secp384r1", GW_CRV_P384, 48 },
    { "secp521r1", GW_CRV_P521, 66 },
    { "secp256k1", GW_CRV_SECP256K1, 32 },
    { NULL, GW_CRV_NONE, 0 }
};


/* FIPS 204, table 2: bytes of a signature of ML-DSA-44, 65, 87 */

static const size_t  gw_jwk_akp_sig_len[] = { 2420, 3309, 4627 };


/*
 * Ordinates of the points of Ed25519 of order 8; those of order 1, 2 and 4
 * are 1, -1 and 0 on both curves.
 */

static const unsigned char  gw_jwk_order8[2][32] = {
    { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
      0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
      0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
      0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
    { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
      0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
      0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
      0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a }
};


gw_status_e
gw_jwk_inspect(gw_jwk_t *key, gw_hash_t *hash, gw_jwk_error_t *err)
{
    gw_alg_e  alg;

    if (EVP_PKEY_is_a(key->pkey, "RSA")) {
        key->kty = GW_KTY_RSA;
        return gw_jwk_inspect_rsa(key, hash, err);
    }

    if (EVP_PKEY_is_a(key->pkey, "EC")) {
        key->kty = GW_KTY_EC;
        return gw_jwk_inspect_ec(key, hash, err);
    }

    if (EVP_PKEY_is_a(key->pkey, "ED25519")) {
        key->kty = GW_KTY_OKP;
        key->crv = GW_CRV_ED25519;
        return gw_jwk_inspect_okp(key, 32, hash, err);
    }

    if (EVP_PKEY_is_a(key->pkey, "ED448")) {
        key->kty = GW_KTY_OKP;
        key->crv = GW_CRV_ED448;
        return gw_jwk_inspect_okp(key, 57, hash, err);
    }

    alg = gw_jwk_akp_alg(key->pkey);

    if (alg != GW_ALG_MAX) {
        key->kty = GW_KTY_AKP;
        return gw_jwk_inspect_akp(key, alg, hash, err);
    }

    return GW_DECLINED;
}


gw_alg_e
gw_jwk_akp_alg(const EVP_PKEY *pkey)
{
    int  alg;

    for (alg = GW_ALG_ML_DSA_44; alg <= GW_ALG_ML_DSA_87; alg++) {
        if (EVP_PKEY_is_a(pkey, gw_alg_name((gw_alg_e) alg))) {
            return (gw_alg_e) alg;
        }
    }

    return GW_ALG_MAX;
}


static gw_status_e
gw_jwk_inspect_rsa(gw_jwk_t *key, gw_hash_t *hash, gw_jwk_error_t *err)
{
    BIGNUM         *n, *e;
    gw_status_e     rc;
    unsigned char   nbuf[GW_JWK_MAX_RSA / 8], ebuf[GW_JWK_MAX_RSA / 8];

    n = NULL;
    e = NULL;

    if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1
        || EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
    {
        rc = gw_jwk_fail_crypto(err, GW_JWK_E_RSA,
                                "libcrypto refuses the RSA key");

    } else {
        rc = gw_jwk_check_rsa(n, e, err);
    }

    if (rc == GW_OK) {
        key->sig_len = BN_num_bytes(n);

        rc = gw_jwk_thumbprint(key, hash, ebuf, BN_bn2bin(e, ebuf), nbuf,
                               BN_bn2bin(n, nbuf), err);
    }

    BN_free(n);
    BN_free(e);

    return rc;
}


static gw_status_e
gw_jwk_check_rsa(const BIGNUM *n, const BIGNUM *e, gw_jwk_error_t *err)
{
    if (BN_num_bits(n) < GW_JWK_MIN_RSA) {
        return gw_jwk_fail(err, GW_JWK_E_RSA, "the RSA modulus is shorter "
                           "than 2048 bits; use a new key");
    }

    if (BN_num_bits(n) > GW_JWK_MAX_RSA) {
        return gw_jwk_fail(err, GW_JWK_E_RSA, "the RSA modulus is longer "
                           "than 8192 bits; use a shorter one");
    }

    if (!BN_is_odd(n)) {
        return gw_jwk_fail(err, GW_JWK_E_RSA, "the RSA modulus is even; "
                           "the key is damaged");
    }

    if (BN_is_one(e) || !BN_is_odd(e)) {
        return gw_jwk_fail(err, GW_JWK_E_RSA, "the RSA exponent is 1 or "
                           "even; use a new key");
    }

    if (BN_num_bits(e) > GW_JWK_MAX_RSA_E) {
        return gw_jwk_fail(err, GW_JWK_E_RSA, "the RSA exponent is longer "
                           "than 33 bits; use 65537");
    }

    if (gw_jwk_is_roca(n)) {
        return gw_jwk_fail(err, GW_JWK_E_RSA, "the RSA modulus was made by "
                           "a generator with the ROCA flaw "
                           "(CVE-2017-15361); use a new key");
    }

    return GW_OK;
}


/*
 * CVE-2017-15361: both primes, and so the modulus, are a power of 65537
 * modulo each small prime.
 */

static int
gw_jwk_is_roca(const BIGNUM *n)
{
    BN_ULONG  residue;
    unsigned  prime, divisor;

    for (prime = 3; prime <= GW_JWK_ROCA_PRIME; prime += 2) {

        for (divisor = 3; divisor * divisor <= prime; divisor += 2) {
            if (prime % divisor == 0) {
                break;
            }
        }

        if (divisor * divisor <= prime) {
            continue;
        }

        residue = BN_mod_word(n, prime);

        if (!gw_jwk_roca_residue((unsigned) residue, prime)) {
            return 0;
        }
    }

    return 1;
}


static int
gw_jwk_roca_residue(unsigned residue, unsigned prime)
{
    unsigned  power;

    power = 1;

    do {
        if (power == residue) {
            return 1;
        }

        power = power * (65537 % prime) % prime;

    } while (power != 1);

    return 0;
}


static gw_status_e
gw_jwk_inspect_ec(gw_jwk_t *key, gw_hash_t *hash, gw_jwk_error_t *err)
{
    char                   name[32];
    BIGNUM                *x, *y, *order;
    gw_status_e            rc;
    unsigned char          xbuf[GW_JWK_MAX_COORD], ybuf[GW_JWK_MAX_COORD];
    const gw_jwk_group_t  *group;

    if (EVP_PKEY_get_group_name(key->pkey, name, sizeof(name), NULL) != 1) {
        ERR_clear_error();
        return GW_DECLINED;
    }

    for (group = gw_jwk_groups; group->group != NULL; group++) {
        if (strcmp(name, group->group) == 0) {
            break;
        }
    }

    if (group->group == NULL) {
        return GW_DECLINED;
    }

    key->crv = group->crv;
    key->sig_len = 2 * group->len;

    rc = gw_jwk_check_ec(key, err);

    x = NULL;
    y = NULL;
    order = NULL;

    if (rc == GW_OK
        && EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x)
        && EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y)
        && EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_ORDER, &order)
        && BN_bn2binpad(x, xbuf, (int) group->len) > 0
        && BN_bn2binpad(y, ybuf, (int) group->len) > 0
        && BN_bn2binpad(order, key->order, (int) group->len) > 0)
    {
        rc = gw_jwk_thumbprint(key, hash, xbuf, group->len, ybuf, group->len,
                               err);

    } else if (rc == GW_OK) {
        rc = gw_jwk_fail_crypto(err, GW_JWK_E_MEMORY, "out of memory");
    }

    BN_free(x);
    BN_free(y);
    BN_free(order);

    return rc;
}


/*
 * libcrypto has tested the point when it made the key; this does not depend
 * on which provider did.
 */

static gw_status_e
gw_jwk_check_ec(const gw_jwk_t *key, gw_jwk_error_t *err)
{
    int            rc;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

    rc = (ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1);

    EVP_PKEY_CTX_free(ctx);

    if (rc) {
        return GW_OK;
    }

    return gw_jwk_fail_crypto(err, GW_JWK_E_POINT, "the point is not on the "
                              "curve; check \"crv\", \"x\", \"y\"");
}


static gw_status_e
gw_jwk_inspect_okp(gw_jwk_t *key, size_t len, gw_hash_t *hash,
    gw_jwk_error_t *err)
{
    size_t         n;
    unsigned char  x[GW_JWK_MAX_COORD];

    n = sizeof(x);

    if (EVP_PKEY_get_raw_public_key(key->pkey, x, &n) != 1 || n != len) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_POINT,
                                  "libcrypto refuses the key");
    }

    if (gw_jwk_small_order(x, len)) {
        return gw_jwk_fail(err, GW_JWK_E_POINT, "the key is a point of small "
                           "order, anybody can sign for it; use a new key");
    }

    key->sig_len = 2 * len;

    return gw_jwk_thumbprint(key, hash, x, len, NULL, 0, err);
}


static gw_status_e
gw_jwk_inspect_akp(gw_jwk_t *key, gw_alg_e alg, gw_hash_t *hash,
    gw_jwk_error_t *err)
{
    size_t         n;
    unsigned char  pub[GW_JWK_MAX_AKP];

    n = sizeof(pub);

    if (EVP_PKEY_get_raw_public_key(key->pkey, pub, &n) != 1) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_POINT,
                                  "libcrypto refuses the key");
    }

    key->sig_len = gw_jwk_akp_sig_len[alg - GW_ALG_ML_DSA_44];

    return gw_jwk_thumbprint(key, hash, pub, n, NULL, 0, err);
}


/*
 * y is little-endian with the sign of x in the highest bit.  The values of y
 * beyond the field (p and p + 1 are 0 and 1 again) are covered as well.
 */

static int
gw_jwk_small_order(const unsigned char *x, size_t len)
{
    size_t         i;
    unsigned char  y[GW_JWK_MAX_COORD];

    memcpy(y, x, len);
    y[len - 1] &= 0x7f;

    for (i = 1; i < len; i++) {
        if (y[i] != 0) {
            return (len == 32) ? gw_jwk_small_order_25519(y)
                               : gw_jwk_small_order_448(y);
        }
    }

    return y[0] <= 1;
}


static int
gw_jwk_small_order_25519(const unsigned char *y)
{
    size_t  i;

    if (memcmp(y, gw_jwk_order8[0], 32) == 0
        || memcmp(y, gw_jwk_order8[1], 32) == 0)
    {
        return 1;
    }

    /* p is 2^255 - 19: p - 1, p and p + 1 differ in the first byte only */

    for (i = 1; i < 31; i++) {
        if (y[i] != 0xff) {
            return 0;
        }
    }

    return y[31] == 0x7f && y[0] >= 0xec && y[0] <= 0xee;
}


static int
gw_jwk_small_order_448(const unsigned char *y)
{
    size_t         i;
    unsigned char  low;

    /* p is 2^448 - 2^224 - 1; the lower 28 bytes of p + 1 are zero */

    low = (y[28] == 0xff) ? 0x00 : 0xff;

    for (i = 1; i < 56; i++) {
        if (i != 28 && y[i] != ((i < 28) ? low : 0xff)) {
            return 0;
        }
    }

    if (low == 0x00) {
        return y[0] == 0x00 && y[56] == 0;
    }

    return y[28] == 0xfe && y[0] >= 0xfe && y[56] == 0;
}
