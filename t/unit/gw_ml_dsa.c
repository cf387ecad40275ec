
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * ML-DSA (FIPS 204), which libcrypto has since OpenSSL 3.5: with another one
 * its keys are of no use, and everything else is as ever.
 *
 * The keys and tokens were made with OpenSSL 3.5: "openssl genpkey -algorithm
 * ML-DSA-44", "openssl pkeyutl -sign -rawin".
 */


#include <openssl/err.h>

#include "gw_base64url.h"
#include "gw_jws.h"
#include "jose.h"
#include "jose_verify.h"


typedef struct {
    const char  *name;
    gw_alg_e     alg;
    size_t       sig_len;
} row_t;


static const row_t  rows[] = {
    { "ML-DSA-44", GW_ALG_ML_DSA_44, 2420 },
    { "ML-DSA-65", GW_ALG_ML_DSA_65, 3309 },
    { "ML-DSA-87", GW_ALG_ML_DSA_87, 4627 },
    { NULL, GW_ALG_MAX, 0 }
};


static gw_hash_t     *hash;
static gw_jws_ctx_t  *ctx;


/* "ML-DSA-44", "jwks" is the file ml-dsa-44.jwks */

static const char *
file(const char *name, const char *suffix)
{
    static char  text[64];

    snprintf(text, sizeof(text), "ml-dsa-%s.%s", name + 7, suffix);

    return text;
}


static gw_jwk_set_t *
text_keys(const char *text)
{
    gw_jwk_error_t  err;

    return gw_jwk_set_parse((const unsigned char *) text, strlen(text),
                            GW_JWK_JWKS, 0, hash, &err);
}


/* the reason, GW_REASON_NONE if the token is good */

static gw_reason_e
verify(const unsigned char *token, size_t len, const gw_jwk_set_t *set,
    gw_alg_mask_t allowed)
{
    gw_jws_t         jws;
    gw_reason_e      reason;
    const gw_jwk_t  *key;
    unsigned char   *buf;

    reason = GW_REASON_NONE;
    buf = jose_alloc(gw_jws_buffer_size(len));

    if (gw_jws_parse(ctx, &jws, token, len, 16384, buf, &reason) == GW_OK) {
        (void) jose_verify(ctx, &jws, set, allowed, &key, &reason);
        gw_jws_release(&jws);
    }

    free(buf);

    return reason;
}


/* a JWK Set whose first key has other text at a place of the file */

static gw_jwk_set_t *
changed(const row_t *row, const char *from, const char *to)
{
    char          *text, *p;
    size_t         len;
    gw_jwk_set_t  *set;

    text = (char *) jose_file(file(row->name, "jwks"), &len);
    p = strstr(text, from);

    if (p == NULL || strlen(from) != strlen(to)) {
        abort();
    }

    memcpy(p, to, strlen(to));

    set = text_keys(text);

    free(text);

    return set;
}


static void
test_token(const row_t *row, const row_t *other)
{
    size_t           len;
    gw_jwk_set_t    *set, *pem;
    gw_jwk_error_t   err;
    gw_alg_mask_t    mask;
    unsigned char    c, *token;

    mask = gw_alg_bit(row->alg);

    set = jose_keys(file(row->name, "jwks"), hash, &err);
    ok(set != NULL && set->algs == mask && set->keys[0].kty == GW_KTY_AKP
       && set->keys[0].sig_len == row->sig_len, "%s: a JWK", row->name);

    pem = jose_keys(file(row->name, "pem"), hash, &err);
    ok(pem != NULL && pem->algs == mask
       && memcmp(pem->keys[0].thumbprint, set->keys[0].thumbprint,
                 GW_JWK_THUMBPRINT_LEN) == 0,
       "%s: the same key in PEM", row->name);

    token = jose_file(file(row->name, "token"), &len);

    ok(verify(token, len, set, mask) == GW_REASON_NONE, "%s: good", row->name);
    ok(verify(token, len, set, mask) == GW_REASON_NONE, "%s: again",
       row->name);
    ok(verify(token, len, pem, mask) == GW_REASON_NONE, "%s: by PEM",
       row->name);
    ok(verify(token, len, set, GW_ALG_MASK_DEFAULT) == GW_REASON_ALG,
       "%s: not allowed unless it is named", row->name);

    c = token[len - 9];
    token[len - 9] = (c == 'A') ? 'B' : 'A';
    ok(verify(token, len, set, mask) == GW_REASON_SIG,
       "%s: another signature", row->name);
    token[len - 9] = c;

    ok(verify(token, len - 4, set, mask) != GW_REASON_NONE,
       "%s: a shorter one", row->name);

    gw_jwk_set_destroy(pem);

    pem = jose_keys(file(other->name, "pem"), hash, &err);
    ok(verify(token, len, pem, GW_ALG_MASK_ML_DSA) == GW_REASON_ALG_KEY,
       "%s: the key of another one", row->name);

    ok(verify(token, len, set, mask) == GW_REASON_NONE, "%s: still good",
       row->name);

    free(token);
    gw_jwk_set_destroy(pem);
    gw_jwk_set_destroy(set);

    ok(changed(row, row->name, other->name) == NULL,
       "%s: a key that is too long or too short", row->name);
    ok(changed(row, "\"pub\"", "\"pvb\"") == NULL, "%s: no key", row->name);
    ok(changed(row, "\"use\": \"sig\"", "\"priv\": \"AA\"") == NULL,
       "%s: a private key", row->name);
    ok(ERR_peek_error() == 0, "%s: no error is left", row->name);
}


/* an older libcrypto */

static void
test_none(const row_t *row)
{
    size_t           len;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;
    unsigned char   *token;

    set = jose_keys(file(row->name, "jwks"), hash, &err);
    ok(set == NULL && err.code == GW_JWK_E_EMPTY, "%s: a JWK is of no use",
       row->name);
    gw_jwk_set_destroy(set);

    set = jose_keys(file(row->name, "pem"), hash, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "%s: PEM is refused",
       row->name);
    gw_jwk_set_destroy(set);

    set = jose_keys("p256.jwks", hash, &err);
    token = jose_file(file(row->name, "token"), &len);
    ok(verify(token, len, set, GW_ALG_MASK_DEFAULT) == GW_REASON_ALG,
       "%s: a token", row->name);
    free(token);
    gw_jwk_set_destroy(set);

    ok(ERR_peek_error() == 0, "%s: no error is left", row->name);
}


int
main(void)
{
    const row_t  *row;

    hash = gw_hash_create();
    ctx = gw_jws_ctx_create(hash);

    ok(gw_jwk_supports(GW_ALG_RS256) && gw_jwk_supports(GW_ALG_ED448),
       "what every libcrypto has");

    for (row = rows; row->name != NULL; row++) {

        if (gw_jwk_supports(row->alg)) {
            test_token(row, (row == rows) ? row + 1 : rows);

        } else {
            test_none(row);
        }
    }

    gw_jws_ctx_destroy(ctx);
    gw_hash_destroy(hash);

    return done();
}
