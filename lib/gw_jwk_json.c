
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_jwk.h"
#include "gw_jwk_key.h"


static gw_status_e gw_jwk_read_kid(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_kty(gw_jwk_t *key, const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_purpose(const json_t *jwk,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_alg(gw_jwk_t *key, const json_t *jwk,
    unsigned flags, gw_jwk_error_t *err);


/* in the order of gw_crv_e */

static const char *const  gw_jwk_curves[] = {
    "", "P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448"
};


gw_status_e
gw_jwk_read(gw_jwk_t *key, const json_t *jwk, unsigned flags,
    gw_hash_t *hash, gw_jwk_error_t *err)
{
    gw_status_e  rc;

    rc = gw_jwk_read_kid(key, jwk, err);

    if (rc == GW_OK) {
        rc = gw_jwk_read_kty(key, jwk, err);
    }

    if (rc == GW_OK) {
        rc = gw_jwk_read_purpose(jwk, err);
    }

    if (rc == GW_OK && key->kty == GW_KTY_OCT) {
        rc = gw_jwk_read_oct(key, jwk, hash, err);
    }

    if (rc == GW_OK) {
        rc = gw_jwk_read_alg(key, jwk, flags, err);
    }

    if (rc == GW_OK && key->kty != GW_KTY_OCT) {
        rc = gw_jwk_read_public(key, jwk, err);

        if (rc == GW_OK) {
            rc = gw_jwk_inspect(key, hash, err);
        }
    }

    if (rc == GW_OK) {
        rc = gw_jwk_prepare(key, hash, err);
    }

    if (rc == GW_DECLINED) {
        key->algs = 0;
        return GW_OK;
    }

    return rc;
}


static gw_status_e
gw_jwk_read_kid(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    const json_t  *kid;

    kid = json_object_get(jwk, "kid");

    if (kid == NULL) {
        return GW_OK;
    }

    if (!json_is_string(kid)) {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER, "\"kid\" is not a string");
    }

    return gw_jwk_set_kid(key, json_string_value(kid),
                          json_string_length(kid), err);
}


gw_status_e
gw_jwk_set_kid(gw_jwk_t *key, const char *kid, size_t len,
    gw_jwk_error_t *err)
{
    if (len > GW_JWK_MAX_KID) {
        return gw_jwk_fail(err, GW_JWK_E_SIZE, "\"kid\" is longer than 512 "
                           "bytes; use a shorter one");
    }

    key->kid = malloc(len + 1);
    if (key->kid == NULL) {
        return gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
    }

    memcpy(key->kid, kid, len);
    key->kid_len = len;

    return GW_OK;
}


static gw_status_e
gw_jwk_read_kty(gw_jwk_t *key, const json_t *jwk, gw_jwk_error_t *err)
{
    int          i, first, last;
    const char  *kty, *crv;

    kty = json_string_value(json_object_get(jwk, "kty"));

    if (kty == NULL) {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER,
                           "\"kty\" is missing or not a string");
    }

    if (strcmp(kty, "RSA") == 0) {
        key->kty = GW_KTY_RSA;
        return GW_OK;
    }

    if (strcmp(kty, "oct") == 0) {
        key->kty = GW_KTY_OCT;
        return GW_OK;
    }

    if (strcmp(kty, "AKP") == 0) {
        key->kty = GW_KTY_AKP;
        return GW_OK;
    }

    if (strcmp(kty, "EC") == 0) {
        key->kty = GW_KTY_EC;
        first = GW_CRV_P256;
        last = GW_CRV_SECP256K1;

    } else if (strcmp(kty, "OKP") == 0) {
        key->kty = GW_KTY_OKP;
        first = GW_CRV_ED25519;
        last = GW_CRV_ED448;

    } else {
        return GW_DECLINED;
    }

    crv = json_string_value(json_object_get(jwk, "crv"));

    if (crv == NULL) {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER,
                           "\"crv\" is missing or not a string");
    }

    for (i = first; i <= last; i++) {
        if (strcmp(crv, gw_jwk_curves[i]) == 0) {
            key->crv = (gw_crv_e) i;
            return GW_OK;
        }
    }

    return GW_DECLINED;
}


static gw_status_e
gw_jwk_read_purpose(const json_t *jwk, gw_jwk_error_t *err)
{
    size_t         i;
    const char    *name;
    const json_t  *use, *ops;

    use = json_object_get(jwk, "use");
    ops = json_object_get(jwk, "key_ops");

    if (use != NULL) {
        name = json_string_value(use);

        if (name == NULL) {
            return gw_jwk_fail(err, GW_JWK_E_MEMBER,
                               "\"use\" is not a string");
        }

        if (strcmp(name, "sig") != 0) {
            return GW_DECLINED;
        }
    }

    if (ops == NULL) {
        return GW_OK;
    }

    if (!json_is_array(ops)) {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER,
                           "\"key_ops\" is not an array");
    }

    for (i = 0; i < json_array_size(ops); i++) {
        name = json_string_value(json_array_get(ops, i));

        if (name != NULL && strcmp(name, "verify") == 0) {
            return GW_OK;
        }
    }

    return GW_DECLINED;
}


/*
 * Without "alg" a key serves its own family; with it this algorithm only.
 */

static gw_status_e
gw_jwk_read_alg(gw_jwk_t *key, const json_t *jwk, unsigned flags,
    gw_jwk_error_t *err)
{
    gw_alg_e        number;
    const json_t   *alg;
    gw_alg_mask_t   family;

    alg = json_object_get(jwk, "alg");
    family = gw_jwk_family(key);

    if (alg == NULL) {

        /* nobody knows what it is a key of */

        if (key->kty == GW_KTY_AKP) {
            return GW_DECLINED;
        }

        if (family == 0) {
            return gw_jwk_fail(err, GW_JWK_E_SECRET, "the secret is shorter "
                               "than 32 bytes; use a longer one");
        }

        key->algs = family;

        return GW_OK;
    }

    if (!json_is_string(alg)) {
        return gw_jwk_fail(err, GW_JWK_E_MEMBER, "\"alg\" is not a string");
    }

    number = gw_alg_find((const unsigned char *) json_string_value(alg),
                         json_string_length(alg));

    if (number == GW_ALG_MAX) {
        return GW_DECLINED;
    }

    key->algs = gw_alg_wanted(number, family | gw_alg_bit(GW_ALG_EDDSA))
                & family;

    if (key->algs != 0) {
        return gw_jwk_supports(number) ? GW_OK : GW_DECLINED;
    }

    if (key->kty == GW_KTY_OCT && (gw_alg_bit(number) & GW_ALG_MASK_HS)) {
        return gw_jwk_fail(err, GW_JWK_E_SECRET, "the secret is shorter than "
                           "the hash of its \"alg\"; use a longer one");
    }

    if (flags & GW_JWK_REMOTE) {
        return GW_DECLINED;
    }

    return gw_jwk_fail(err, GW_JWK_E_ALG, "\"alg\" does not belong to the "
                       "\"kty\" and \"crv\" of the key; correct or remove it");
}
