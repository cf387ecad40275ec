
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The first byte says what the rest is: a token as it is, or the text of a
 * header, which is encoded here and signed, so that the fuzzer gets behind
 * base64url and the MAC.  Parsing with and without a kept header must agree.
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "gw_jws.h"
#include "jose_verify.h"


#define MAX_TOKEN  4096


static const char  jwk[] =
    "{\"kty\":\"oct\",\"kid\":\"a\",\"k\":"
    "\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"
    "-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}";

static const char  ec[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";


int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static gw_hash_t     *hash;
static gw_jws_ctx_t  *ctx;
static gw_jwk_set_t  *sets[2];


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    gw_jwk_error_t  err;

    (void) argc;
    (void) argv;

    /* the same run twice takes the same paths */

    json_object_seed(1);

    hash = gw_hash_create();

    sets[0] = gw_jwk_set_parse((const unsigned char *) jwk, sizeof(jwk) - 1,
                               GW_JWK_JWKS, 0, hash, &err);
    sets[1] = gw_jwk_set_parse((const unsigned char *) ec, sizeof(ec) - 1,
                               GW_JWK_JWKS, 0, hash, &err);

    if (sets[0] == NULL || sets[1] == NULL) {
        abort();
    }

    return 0;
}


static gw_status_e
verify(const unsigned char *token, size_t len, gw_reason_e *reason,
    unsigned set, unsigned *known)
{
    gw_jws_t         jws;
    gw_status_e      rc;
    const gw_jwk_t  *key;
    unsigned char   *buf;

    buf = malloc(gw_jws_buffer_size(len) + 1);
    if (buf == NULL) {
        abort();
    }

    *reason = GW_REASON_NONE;

    rc = gw_jws_parse(ctx, &jws, token, len, MAX_TOKEN, buf, reason);

    *known = jws.known;

    if (rc == GW_OK) {
        rc = jose_verify(ctx, &jws, sets[set], ~(gw_alg_mask_t) 0, &key,
                         reason);
        gw_jws_release(&jws);
    }

    if ((rc == GW_OK) != (*reason == GW_REASON_NONE)
        || rc == GW_ERROR || ERR_peek_error() != 0)
    {
        abort();
    }

    free(buf);

    return rc;
}


static size_t
sign(unsigned char *token, const uint8_t *data, size_t size)
{
    size_t         n;
    unsigned char  mac[GW_HASH_MAX_LEN];

    n = gw_base64url_encode(token, data, size);
    memcpy(token + n, ".e30", 4);
    n += 4;

    gw_hmac(hash, sets[0]->keys[0].hmac[GW_HASH_SHA256], token, n, mac);

    token[n++] = '.';

    return n + gw_base64url_encode(token + n, mac, 32);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          len;
    unsigned        known, set;
    gw_reason_e     first, second;
    gw_status_e     rc;
    unsigned char  *token;

    if (size == 0 || size > MAX_TOKEN / 2) {
        return 0;
    }

    ctx = gw_jws_ctx_create(hash);
    token = malloc(2 * MAX_TOKEN);

    if (ctx == NULL || token == NULL) {
        abort();
    }

    set = data[0] >> 1 & 1;

    if (data[0] & 1) {
        len = sign(token, data + 1, size - 1);

    } else {
        len = size - 1;
        memcpy(token, data + 1, len);
    }

    /* nothing behind the token may be read */

    token = realloc(token, len ? len : 1);

    rc = verify(token, len, &first, set, &known);

    if (known
        || verify(token, len, &second, set, &known) != rc
        || first != second
        || known != (rc == GW_OK))
    {
        abort();
    }

    free(token);
    gw_jws_ctx_destroy(ctx);

    return 0;
}
