
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "gw_base64url.h"
#include "gw_jwk.h"
#include "gw_jwk_key.h"


/* the longest: a key of ML-DSA-87, or a modulus and an exponent, and names */

#define GW_JWK_MAX_CANON                                                      \
    (gw_base64url_encoded_length(GW_JWK_MAX_AKP) + 64)


static gw_status_e gw_jwk_prepare_oct(gw_jwk_t *key, gw_hash_t *hash,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_prepare_ed(gw_jwk_t *key, gw_jwk_error_t *err);
static EVP_PKEY_CTX *gw_jwk_prepare_alg(const gw_jwk_t *key, gw_alg_e alg);
static unsigned char *gw_jwk_append(unsigned char *p, const char *text);


/* in the order of gw_hash_e */

static const EVP_MD *(*const  gw_jwk_mds[])(void) = {
    EVP_sha256, EVP_sha384, EVP_sha512
};


/* the next two are in the order of gw_crv_e */

static const gw_alg_mask_t  gw_jwk_curve_algs[] = {
    0, gw_alg_bit(GW_ALG_ES256), gw_alg_bit(GW_ALG_ES384),
    gw_alg_bit(GW_ALG_ES512), gw_alg_bit(GW_ALG_ES256K),
    gw_alg_bit(GW_ALG_ED25519), gw_alg_bit(GW_ALG_ED448)
};

static const char *const  gw_jwk_curve_starts[] = {
    "",
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"",
    "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"",
    "{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"",
    "{\"crv\":\"secp256k1\",\"kty\":\"EC\",\"x\":\"",
    "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"",
    "{\"crv\":\"Ed448\",\"kty\":\"OKP\",\"x\":\""
};


static const char *const  gw_jwk_akp_starts[] = {
    "{\"alg\":\"ML-DSA-44\",\"kty\":\"AKP\",\"pub\":\"",
    "{\"alg\":\"ML-DSA-65\",\"kty\":\"AKP\",\"pub\":\"",
    "{\"alg\":\"ML-DSA-87\",\"kty\":\"AKP\",\"pub\":\""
};


gw_alg_mask_t
gw_jwk_family(const gw_jwk_t *key)
{
    int            i;
    gw_alg_mask_t  algs;

    switch (key->kty) {

    case GW_KTY_RSA:
        return GW_ALG_MASK_RS | GW_ALG_MASK_PS;

    case GW_KTY_EC:
    case GW_KTY_OKP:
        return gw_jwk_curve_algs[key->crv];

    case GW_KTY_OCT:

        /* RFC 7518, 3.2: a secret is not shorter than the hash */

        algs = 0;

        for (i = 0; i < GW_HASH_MAX; i++) {
            if (key->secret_len >= gw_hash_length((gw_hash_e) i)) {
                algs |= gw_alg_bit(GW_ALG_HS256 + i);
            }
        }

        return algs;

    case GW_KTY_AKP:
        return (key->pkey == NULL) ? GW_ALG_MASK_ML_DSA
                                   : gw_alg_bit(gw_jwk_akp_alg(key->pkey));

    default:
        return 0;
    }
}


int
gw_jwk_supports(gw_alg_e alg)
{
    EVP_SIGNATURE  *sig;

    if (!(gw_alg_bit(alg) & GW_ALG_MASK_ML_DSA)) {
        return 1;
    }

    sig = EVP_SIGNATURE_fetch(NULL, gw_alg_name(alg), NULL);

    EVP_SIGNATURE_free(sig);
    ERR_clear_error();

    return sig != NULL;
}


gw_status_e
gw_jwk_prepare(gw_jwk_t *key, gw_hash_t *hash, gw_jwk_error_t *err)
{
    int  i;

    if (key->kty == GW_KTY_OCT) {
        return gw_jwk_prepare_oct(key, hash, err);
    }

    if (key->kty == GW_KTY_OKP || key->kty == GW_KTY_AKP) {
        return gw_jwk_prepare_ed(key, err);
    }

    for (i = 0; i < GW_ALG_MAX; i++) {

        if (!(key->algs & gw_alg_bit(i))) {
            continue;
        }

        key->verify[i] = gw_jwk_prepare_alg(key, (gw_alg_e) i);

        if (key->verify[i] == NULL) {
            return gw_jwk_fail_crypto(err, GW_JWK_E_ALG, "libcrypto cannot "
                                      "verify with this key");
        }
    }

    return GW_OK;
}


static gw_status_e
gw_jwk_prepare_oct(gw_jwk_t *key, gw_hash_t *hash, gw_jwk_error_t *err)
{
    int  i;

    for (i = 0; i < GW_HASH_MAX; i++) {

        if (!(key->algs & gw_alg_bit(GW_ALG_HS256 + i))) {
            continue;
        }

        key->hmac[i] = gw_hmac_key_create(hash, (gw_hash_e) i, key->secret,
                                          key->secret_len);
        if (key->hmac[i] == NULL) {
            return gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
        }
    }

    return GW_OK;
}


static gw_status_e
gw_jwk_prepare_ed(gw_jwk_t *key, gw_jwk_error_t *err)
{
    key->ed = EVP_MD_CTX_new();

    if (key->ed == NULL
        || EVP_DigestVerifyInit_ex(key->ed, NULL, NULL, NULL, NULL,
                                   key->pkey, NULL) != 1)
    {
        return gw_jwk_fail_crypto(err, GW_JWK_E_ALG, "libcrypto cannot "
                                  "verify with this key");
    }

    return GW_OK;
}


/*
 * A context is initialized once and verifies any number of signatures: this
 * costs less than a copy, and much less than a new one, for each of them.
 */

static EVP_PKEY_CTX *
gw_jwk_prepare_alg(const gw_jwk_t *key, gw_alg_e alg)
{
    int            rc;
    EVP_PKEY_CTX  *ctx;
    const EVP_MD  *md;

    md = gw_jwk_mds[gw_alg_hash(alg)]();

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

    rc = (ctx != NULL
          && EVP_PKEY_verify_init(ctx) == 1
          && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1);

    if (rc && (gw_alg_bit(alg) & GW_ALG_MASK_RS)) {
        rc = (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1);

    } else if (rc && (gw_alg_bit(alg) & GW_ALG_MASK_PS)) {

        /* RFC 7518, 3.5: the salt is as long as the hash, MGF1 uses it */

        rc = (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
              && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1
              && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, EVP_MD_get_size(md))
                 == 1);
    }

    if (!rc) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }

    return ctx;
}


gw_status_e
gw_jwk_thumbprint(gw_jwk_t *key, gw_hash_t *hash, const unsigned char *a,
    size_t alen, const unsigned char *b, size_t blen, gw_jwk_error_t *err)
{
    gw_status_e     rc;
    const char     *start, *middle;
    unsigned char  *p;
    unsigned char   buf[GW_JWK_MAX_CANON];

    middle = NULL;

    switch (key->kty) {

    case GW_KTY_RSA:
        start = "{\"e\":\"";
        middle = "\",\"kty\":\"RSA\",\"n\":\"";
        break;

    case GW_KTY_OCT:
        start = "{\"k\":\"";
        break;

    case GW_KTY_AKP:
        start = gw_jwk_akp_starts[gw_jwk_akp_alg(key->pkey)
                                  - GW_ALG_ML_DSA_44];
        break;

    default:
        start = gw_jwk_curve_starts[key->crv];
        middle = (b != NULL) ? "\",\"y\":\"" : NULL;
    }

    p = gw_jwk_append(buf, start);
    p += gw_base64url_encode(p, a, alen);

    if (middle != NULL) {
        p = gw_jwk_append(p, middle);
        p += gw_base64url_encode(p, b, blen);
    }

    p = gw_jwk_append(p, (key->kty == GW_KTY_OCT) ? "\",\"kty\":\"oct\"}"
                                                  : "\"}");

    rc = gw_hash_digest(hash, GW_HASH_SHA256, buf, p - buf, key->thumbprint);

    OPENSSL_cleanse(buf, p - buf);

    if (rc != GW_OK) {
        return gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
    }

    return GW_OK;
}


static unsigned char *
gw_jwk_append(unsigned char *p, const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(p, text, len);

    return p + len;
}
