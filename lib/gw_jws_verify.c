
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "gw_jws.h"
#include "gw_jws_ctx.h"


/* SEQUENCE of two INTEGERs, each with a leading zero */

#define GW_JWS_MAX_DER  (3 + 2 * (3 + GW_JWK_MAX_COORD))


static gw_status_e gw_jws_verify_hmac(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key);
static gw_status_e gw_jws_verify_pkey(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key);
static gw_status_e gw_jws_verify_ed(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key);
static size_t gw_jws_ecdsa_der(unsigned char *der, const gw_jws_t *jws,
    const gw_jwk_t *key);
static int gw_jws_ecdsa_in_range(const unsigned char *value,
    const gw_jwk_t *key);
static unsigned char *gw_jws_der_integer(unsigned char *p,
    const unsigned char *value, size_t len);
static gw_status_e gw_jws_refused(void);


gw_status_e
gw_jws_verify_key(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key)
{
    gw_status_e  rc;

    if (!(key->algs & gw_alg_wanted(jws->alg, ~(gw_alg_mask_t) 0))) {
        return GW_DECLINED;
    }

    switch (key->kty) {

    case GW_KTY_OCT:
        rc = gw_jws_verify_hmac(ctx, jws, key);
        break;

    case GW_KTY_RSA:
    case GW_KTY_EC:
        rc = gw_jws_verify_pkey(ctx, jws, key);
        break;

    case GW_KTY_OKP:
    case GW_KTY_AKP:
        rc = gw_jws_verify_ed(ctx, jws, key);
        break;

    default:
        return GW_DECLINED;
    }

    if (rc == GW_OK && !jws->known) {
        gw_jws_ctx_keep(ctx, jws);
    }

    return rc;
}


static gw_status_e
gw_jws_verify_hmac(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key)
{
    gw_hash_e      type;
    unsigned char  mac[GW_HASH_MAX_LEN];

    type = gw_alg_hash(jws->alg);

    if (jws->sig_len != gw_hash_length(type)) {
        return GW_DECLINED;
    }

    if (gw_hmac(ctx->hash, key->hmac[type], jws->token, jws->signed_len, mac)
        != GW_OK)
    {
        return GW_ERROR;
    }

    if (CRYPTO_memcmp(mac, jws->sig, jws->sig_len) != 0) {
        return GW_DECLINED;
    }

    return GW_OK;
}


static gw_status_e
gw_jws_verify_pkey(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key)
{
    size_t                len;
    gw_hash_e             type;
    unsigned char         der[GW_JWS_MAX_DER], digest[GW_HASH_MAX_LEN];
    const unsigned char  *sig;

    if (jws->sig_len != key->sig_len) {
        return GW_DECLINED;
    }

    sig = jws->sig;
    len = jws->sig_len;

    if (key->kty == GW_KTY_EC) {
        sig = der;
        len = gw_jws_ecdsa_der(der, jws, key);

        if (len == 0) {
            return GW_DECLINED;
        }
    }

    type = gw_alg_hash(jws->alg);

    if (gw_hash_digest(ctx->hash, type, jws->token, jws->signed_len, digest)
        != GW_OK)
    {
        return GW_ERROR;
    }

    if (EVP_PKEY_verify(key->verify[jws->alg], sig, len, digest,
                        gw_hash_length(type))
        != 1)
    {
        return gw_jws_refused();
    }

    return GW_OK;
}


static gw_status_e
gw_jws_verify_ed(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key)
{
    if (jws->sig_len != key->sig_len) {
        return GW_DECLINED;
    }

    /* libcrypto may refuse a second signature in one context */

    if (EVP_MD_CTX_copy_ex(ctx->md, key->ed) != 1) {
        ERR_clear_error();
        return GW_ERROR;
    }

    if (EVP_DigestVerify(ctx->md, jws->sig, jws->sig_len, jws->token,
                         jws->signed_len)
        != 1)
    {
        return gw_jws_refused();
    }

    return GW_OK;
}


/*
 * Makes the DER form of R || S (RFC 7518, 3.4).
 *
 * Returns its length, or 0 if R or S is not in 1 .. n - 1: zeros pass in
 * libraries that forget to look (CVE-2022-21449).
 */

static size_t
gw_jws_ecdsa_der(unsigned char *der, const gw_jws_t *jws,
    const gw_jwk_t *key)
{
    size_t                len;
    unsigned char        *p;
    unsigned char         body[GW_JWS_MAX_DER];
    const unsigned char  *r, *s;

    len = key->sig_len / 2;
    r = jws->sig;
    s = jws->sig + len;

    if (!gw_jws_ecdsa_in_range(r, key) || !gw_jws_ecdsa_in_range(s, key)) {
        return 0;
    }

    p = gw_jws_der_integer(body, r, len);
    p = gw_jws_der_integer(p, s, len);
    len = p - body;

    p = der;
    *p++ = 0x30;

    if (len > 127) {
        *p++ = 0x81;
    }

    *p++ = (unsigned char) len;

    memcpy(p, body, len);

    return p + len - der;
}


static int
gw_jws_ecdsa_in_range(const unsigned char *value, const gw_jwk_t *key)
{
    size_t  i, len;

    len = key->sig_len / 2;

    if (memcmp(value, key->order, len) >= 0) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (value[i] != 0) {
            return 1;
        }
    }

    return 0;
}


static unsigned char *
gw_jws_der_integer(unsigned char *p, const unsigned char *value, size_t len)
{
    while (len > 1 && value[0] == 0) {
        value++;
        len--;
    }

    *p++ = 0x02;

    if (value[0] & 0x80) {
        *p++ = (unsigned char) (len + 1);
        *p++ = 0;

    } else {
        *p++ = (unsigned char) len;
    }

    memcpy(p, value, len);

    return p + len;
}


/*
 * Tells a bad signature from a lack of memory and empties libcrypto's queue.
 */

static gw_status_e
gw_jws_refused(void)
{
    gw_status_e    rc;
    unsigned long  e;

    rc = GW_DECLINED;

    for (e = ERR_get_error(); e != 0; e = ERR_get_error()) {
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) {
            rc = GW_ERROR;
        }
    }

    /* without memory an entry may be empty, and others behind it */

    ERR_clear_error();

    return rc;
}
