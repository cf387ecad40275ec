
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "gw_hash.h"


#define GW_HASH_MAX_BLOCK  128      /* bytes, block of SHA-512 */


struct gw_hash_s {
    EVP_MD      *md[GW_HASH_MAX];
    EVP_MD_CTX  *ctx[GW_HASH_MAX];
};


struct gw_hmac_key_s {
    gw_hash_e    type;
    EVP_MD_CTX  *inner;
    EVP_MD_CTX  *outer;
};


static EVP_MD_CTX *gw_hmac_state(gw_hash_t *hash, gw_hash_e type,
    const unsigned char *padded, unsigned char pad);


static const char *const  gw_hash_names[GW_HASH_MAX] = {
    "SHA256", "SHA384", "SHA512"
};

static const unsigned char  gw_hash_lengths[GW_HASH_MAX] = { 32, 48, 64 };
static const unsigned char  gw_hash_blocks[GW_HASH_MAX] = { 64, 128, 128 };


gw_hash_t *
gw_hash_create(void)
{
    int         i;
    gw_hash_t  *hash;

    hash = calloc(1, sizeof(gw_hash_t));
    if (hash == NULL) {
        return NULL;
    }

    for (i = 0; i < GW_HASH_MAX; i++) {
        hash->md[i] = EVP_MD_fetch(NULL, gw_hash_names[i], NULL);
        hash->ctx[i] = EVP_MD_CTX_new();

        if (hash->md[i] == NULL
            || hash->ctx[i] == NULL
            || EVP_DigestInit_ex2(hash->ctx[i], hash->md[i], NULL) != 1)
        {
            ERR_clear_error();
            gw_hash_destroy(hash);
            return NULL;
        }
    }

    return hash;
}


void
gw_hash_destroy(gw_hash_t *hash)
{
    int  i;

    if (hash == NULL) {
        return;
    }

    for (i = 0; i < GW_HASH_MAX; i++) {
        EVP_MD_CTX_free(hash->ctx[i]);
        EVP_MD_free(hash->md[i]);
    }

    free(hash);
}


size_t
gw_hash_length(gw_hash_e type)
{
    return gw_hash_lengths[type];
}


gw_status_e
gw_hash_digest(gw_hash_t *hash, gw_hash_e type, const unsigned char *data,
    size_t len, unsigned char *out)
{
    EVP_MD_CTX  *ctx;

    ctx = hash->ctx[type];

    /* the same digest again: nothing is fetched, nothing is allocated */

    if (EVP_DigestInit_ex2(ctx, hash->md[type], NULL) != 1
        || EVP_DigestUpdate(ctx, data, len) != 1
        || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
    {
        ERR_clear_error();
        return GW_ERROR;
    }

    return GW_OK;
}


gw_hmac_key_t *
gw_hmac_key_create(gw_hash_t *hash, gw_hash_e type,
    const unsigned char *secret, size_t len)
{
    gw_hmac_key_t  *key;
    unsigned char   padded[GW_HASH_MAX_BLOCK];

    memset(padded, 0, sizeof(padded));

    if (len > gw_hash_blocks[type]) {
        if (gw_hash_digest(hash, type, secret, len, padded) != GW_OK) {
            return NULL;
        }

    } else if (len != 0) {
        memcpy(padded, secret, len);
    }

    key = calloc(1, sizeof(gw_hmac_key_t));

    if (key != NULL) {
        key->type = type;
        key->inner = gw_hmac_state(hash, type, padded, 0x36);
        key->outer = gw_hmac_state(hash, type, padded, 0x5c);

        if (key->inner == NULL || key->outer == NULL) {
            gw_hmac_key_destroy(key);
            key = NULL;
        }
    }

    OPENSSL_cleanse(padded, sizeof(padded));

    return key;
}


static EVP_MD_CTX *
gw_hmac_state(gw_hash_t *hash, gw_hash_e type, const unsigned char *padded,
    unsigned char pad)
{
    size_t          i;
    EVP_MD_CTX     *ctx;
    unsigned char   block[GW_HASH_MAX_BLOCK];

    for (i = 0; i < gw_hash_blocks[type]; i++) {
        block[i] = padded[i] ^ pad;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx != NULL
        && (EVP_DigestInit_ex2(ctx, hash->md[type], NULL) != 1
            || EVP_DigestUpdate(ctx, block, gw_hash_blocks[type]) != 1))
    {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }

    OPENSSL_cleanse(block, sizeof(block));
    ERR_clear_error();

    return ctx;
}


void
gw_hmac_key_destroy(gw_hmac_key_t *key)
{
    if (key == NULL) {
        return;
    }

    EVP_MD_CTX_free(key->inner);
    EVP_MD_CTX_free(key->outer);

    free(key);
}


/*
 * Copied states win over EVP_MAC (initialized again or duplicated) and over
 * hashing the padded blocks each time.
 */

gw_status_e
gw_hmac(gw_hash_t *hash, const gw_hmac_key_t *key,
    const unsigned char *data, size_t len, unsigned char *out)
{
    EVP_MD_CTX     *ctx;
    unsigned char   inner[GW_HASH_MAX_LEN];

    ctx = hash->ctx[key->type];

    if (EVP_MD_CTX_copy_ex(ctx, key->inner) != 1
        || EVP_DigestUpdate(ctx, data, len) != 1
        || EVP_DigestFinal_ex(ctx, inner, NULL) != 1
        || EVP_MD_CTX_copy_ex(ctx, key->outer) != 1
        || EVP_DigestUpdate(ctx, inner, gw_hash_lengths[key->type]) != 1
        || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
    {
        ERR_clear_error();
        return GW_ERROR;
    }

    return GW_OK;
}
