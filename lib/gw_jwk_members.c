
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "gw_base64url.h"
#include "gw_jwk.h"
#include "gw_jwk_key.h"


/* bytes that one member may have decoded; a leading zero is tolerated */

#define GW_JWK_MAX_MEMBER  (GW_JWK_MAX_RSA / 8 + 1)


typedef struct {
    const char  *group;         /* of libcrypto */
    size_t       len;           /* bytes of a coordinate */
} gw_jwk_curve_t;


static gw_status_e gw_jwk_read_rsa(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_ec(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_okp(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_akp(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_bytes(const json_t *jwk, const char *name,
    unsigned char *dst, size_t max, size_t *len, gw_jwk_error_t *err);
static gw_status_e gw_jwk_make(gw_jwk_t *key, const char *type,
    OSSL_PARAM_BLD *bld, gw_jwk_error_t *err);


/* in the order of gw_crv_e */

static const gw_jwk_curve_t  gw_jwk_curves[] = {
    { NULL, 0 },
    { "prime256v1", 32 },
    { "secp384r1", 48 },
    { "secp521r1", 66 },
    { "secp256k1", 32 },
    { "ED25519", 32 },
    { "ED448", 57 }
};


gw_status_e
gw_jwk_read_public(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    if (json_object_get(jwk, "d") != NULL
        || json_object_get(jwk, "p") != NULL
        || json_object_get(jwk, "q") != NULL
        || json_object_get(jwk, "priv") != NULL)
    {
        return gw_jwk_fail(err, GW_JWK_E_PRIVATE, "the key has its private "
                           "part; give the public members only");
    }

    switch (key->kty) {

    case GW_KTY_RSA:
        return gw_jwk_read_rsa(key, jwk, err);

    case GW_KTY_EC:
        return gw_jwk_read_ec(key, jwk, err);

    case GW_KTY_AKP:
        return gw_jwk_read_akp(key, jwk, err);

    default:
        return gw_jwk_read_okp(key, jwk, err);
    }
}


static gw_status_e
gw_jwk_read_rsa(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    size_t           nlen, elen;
    BIGNUM          *n, *e;
    gw_status_e      rc;
    unsigned char    nbuf[GW_JWK_MAX_MEMBER], ebuf[GW_JWK_MAX_MEMBER];
    OSSL_PARAM_BLD  *bld;

    if (gw_jwk_read_bytes(jwk, "n", nbuf, sizeof(nbuf), &nlen, err) != GW_OK
        || gw_jwk_read_bytes(jwk, "e", ebuf, sizeof(ebuf), &elen, err)
           != GW_OK)
    {
        return GW_ERROR;
    }

    n = BN_bin2bn(nbuf, (int) nlen, NULL);
    e = BN_bin2bn(ebuf, (int) elen, NULL);
    bld = OSSL_PARAM_BLD_new();

    if (n != NULL
        && e != NULL
        && bld != NULL
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        rc = gw_jwk_make(key, "RSA", bld, err);

    } else {
        rc = gw_jwk_fail_crypto(err, GW_JWK_E_MEMORY, "out of memory");
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(e);
    BN_free(n);

    return rc;
}


static gw_status_e
gw_jwk_read_ec(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    size_t                 xlen, ylen;
    gw_status_e            rc;
    unsigned char          point[1 + 2 * GW_JWK_MAX_COORD];
    OSSL_PARAM_BLD        *bld;
    const gw_jwk_curve_t  *curve;

    curve = &gw_jwk_curves[key->crv];

    point[0] = POINT_CONVERSION_UNCOMPRESSED;

    if (gw_jwk_read_bytes(jwk, "x", point + 1, curve->len, &xlen, err)
        != GW_OK
        || gw_jwk_read_bytes(jwk, "y", point + 1 + curve->len, curve->len,
                             &ylen, err)
           != GW_OK)
    {
        return GW_ERROR;
    }

    if (xlen != curve->len || ylen != curve->len) {
        return gw_jwk_fail(err, GW_JWK_E_POINT, "a coordinate has not the "
                           "length of the curve; check \"crv\", \"x\", \"y\"");
    }

    bld = OSSL_PARAM_BLD_new();

    if (bld != NULL
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           curve->group, 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 1 + 2 * curve->len) == 1)
    {
        rc = gw_jwk_make(key, "EC", bld, err);

    } else {
        rc = gw_jwk_fail_crypto(err, GW_JWK_E_MEMORY, "out of memory");
    }

    OSSL_PARAM_BLD_free(bld);

    return rc;
}


static gw_status_e
gw_jwk_read_okp(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    size_t                 len;
    unsigned char          x[GW_JWK_MAX_COORD];
    const gw_jwk_curve_t  *curve;

    curve = &gw_jwk_curves[key->crv];

    if (gw_jwk_read_bytes(jwk, "x", x, curve->len, &len, err) != GW_OK) {
        return GW_ERROR;
    }

    if (len != curve->len) {
        return gw_jwk_fail(err, GW_JWK_E_POINT, "\"x\" has not the length of "
                           "the curve; check \"crv\" and \"x\"");
    }

    key->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, curve->group, NULL, x,
                                               len);
    if (key->pkey == NULL) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_POINT,
                                  "libcrypto refuses the key");
    }

    return GW_OK;
}


/* key->algs is the one algorithm that "alg" has named */

static gw_status_e
gw_jwk_read_akp(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    int            alg;
    size_t         len;
    unsigned char  pub[GW_JWK_MAX_AKP];

    for (alg = GW_ALG_ML_DSA_44; alg < GW_ALG_ML_DSA_87; alg++) {
        if (key->algs & gw_alg_bit(alg)) {
            break;
        }
    }

    if (gw_jwk_read_bytes(jwk, "pub", pub, sizeof(pub), &len, err) != GW_OK) {
        return GW_ERROR;
    }

    key->pkey = EVP_PKEY_new_raw_public_key_ex(NULL,
                                               gw_alg_name((gw_alg_e) alg),
                                               NULL, pub, len);
    if (key->pkey == NULL) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_POINT, "\"pub\" is no key of "
                                  "this \"alg\"; check both");
    }

    return GW_OK;
}


gw_status_e
gw_jwk_read_oct(gw_jwk_t *key, const json_t *jwk, gw_hash_t *hash,
    gw_jwk_error_t *err)
{
    key->secret = malloc(GW_JWK_MAX_SECRET);
    if (key->secret == NULL) {
        return gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
    }

    /* for the cleaning */
    key->secret_len = GW_JWK_MAX_SECRET;

    if (gw_jwk_read_bytes(jwk, "k", key->secret, GW_JWK_MAX_SECRET,
                          &key->secret_len, err)
        != GW_OK)
    {
        return GW_ERROR;
    }

    return gw_jwk_thumbprint(key, hash, key->secret, key->secret_len, NULL,
                             0, err);
}


static gw_status_e
gw_jwk_read_bytes(const json_t *jwk, const char *name, unsigned char *dst,
    size_t max, size_t *len, gw_jwk_error_t *err)
{
    size_t         n;
    const char    *text;
    const json_t  *value;

    value = json_object_get(jwk, name);

    if (!json_is_string(value)) {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER, "a member that makes the "
                           "key is missing or not a string");
    }

    n = json_string_length(value);
    text = json_string_value(value);

    if (gw_base64url_decoded_length(n) > max && text[n - 1] != '=') {
        return gw_jwk_fail(err, GW_JWK_E_SIZE, "a member that makes the key "
                           "is longer than the kind of key allows");
    }

    if (gw_base64url_decoded_length(n) > max
        || gw_base64url_decode(dst, len, (const unsigned char *) text, n)
           != GW_OK)
    {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER, "a member that makes the "
                           "key is not base64url without padding");
    }

    return GW_OK;
}


static gw_status_e
gw_jwk_make(gw_jwk_t *key, const char *type, OSSL_PARAM_BLD *bld,
    gw_jwk_error_t *err)
{
    int            rc;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    rc = (params != NULL
          && ctx != NULL
          && EVP_PKEY_fromdata_init(ctx) == 1
          && EVP_PKEY_fromdata(ctx, &key->pkey, EVP_PKEY_PUBLIC_KEY, params)
             == 1);

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    if (rc) {
        return GW_OK;
    }

    if (key->kty == GW_KTY_EC) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_POINT, "the point is not on "
                                  "the curve; check \"crv\", \"x\", \"y\"");
    }

    return gw_jwk_fail_crypto(err, GW_JWK_E_RSA,
                              "libcrypto refuses the RSA key");
}
