
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "gw_jwk.h"
#include "gw_jwk_key.h"


static gw_status_e gw_jwk_read_set(gw_jwk_set_t *set,
    const unsigned char *data, size_t len, unsigned flags, gw_hash_t *hash,
    gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_json(gw_jwk_set_t *set, const json_t *json,
    unsigned flags, gw_hash_t *hash, gw_jwk_error_t *err);
static gw_status_e gw_jwk_set_check(gw_jwk_set_t *set, gw_jwk_error_t *err);
static gw_status_e gw_jwk_set_check_kid(const gw_jwk_set_t *set, size_t n,
    gw_jwk_error_t *err);
static void gw_jwk_clear(gw_jwk_t *key);


gw_jwk_set_t *
gw_jwk_set_parse(const unsigned char *data, size_t len,
    gw_jwk_format_e format, unsigned flags, gw_hash_t *hash,
    gw_jwk_error_t *err)
{
    gw_status_e    rc;
    gw_jwk_set_t  *set;

    err->index = -1;
    err->position = 0;

    if (len > GW_JWK_MAX_SET) {
        (void) gw_jwk_fail(err, GW_JWK_E_SIZE, "the set of keys is larger "
                           "than 512 KiB; publish fewer keys");
        return NULL;
    }

    set = calloc(1, sizeof(gw_jwk_set_t));
    if (set == NULL) {
        (void) gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
        return NULL;
    }

    if (format == GW_JWK_PEM) {
        rc = gw_jwk_read_pem(set, data, len, hash, err);

    } else if (format == GW_JWK_KEYVAL) {
        rc = gw_jwk_read_keyval(set, data, len, hash, err);

    } else {
        rc = gw_jwk_read_set(set, data, len, flags, hash, err);
    }

    if (rc == GW_OK) {
        rc = gw_jwk_set_check(set, err);
    }

    /* decoders leave errors of what they have tried, also on success */

    ERR_clear_error();

    if (rc != GW_OK) {
        gw_jwk_set_destroy(set);
        return NULL;
    }

    return set;
}


gw_status_e
gw_jwk_fail(gw_jwk_error_t *err, gw_jwk_error_e code, const char *text)
{
    err->code = code;
    err->text = text;

    return GW_ERROR;
}


gw_status_e
gw_jwk_fail_crypto(gw_jwk_error_t *err, gw_jwk_error_e code,
    const char *text)
{
    unsigned long  e;

    gw_jwk_fail(err, code, text);

    for (e = ERR_get_error(); e != 0; e = ERR_get_error()) {
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) {
            gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
        }
    }

    return GW_ERROR;
}


gw_jwk_t *
gw_jwk_set_add(gw_jwk_set_t *set, gw_jwk_error_t *err)
{
    gw_jwk_t  *keys;

    if (set->nkeys == GW_JWK_MAX_KEYS) {
        (void) gw_jwk_fail(err, GW_JWK_E_SIZE, "the set has more than 64 "
                           "keys; publish fewer keys");
        return NULL;
    }

    keys = realloc(set->keys, (set->nkeys + 1) * sizeof(gw_jwk_t));
    if (keys == NULL) {
        (void) gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
        return NULL;
    }

    set->keys = keys;
    keys += set->nkeys++;

    memset(keys, 0, sizeof(gw_jwk_t));

    return keys;
}


static gw_status_e
gw_jwk_read_set(gw_jwk_set_t *set, const unsigned char *data, size_t len,
    unsigned flags, gw_hash_t *hash, gw_jwk_error_t *err)
{
    json_t           *json;
    gw_status_e       rc;
    gw_json_error_t   error;

    json = gw_json_load(data, len, GW_JSON_DEPTH, &error);

    if (json == NULL) {
        err->position = error.position;

        return gw_jwk_fail(err, (error.code == GW_JSON_MEMORY)
                                ? GW_JWK_E_MEMORY : GW_JWK_E_JSON,
                           error.text);
    }

    rc = gw_jwk_read_json(set, json, flags, hash, err);

    json_decref(json);

    return rc;
}


static gw_status_e
gw_jwk_read_json(gw_jwk_set_t *set, const json_t *json, unsigned flags,
    gw_hash_t *hash, gw_jwk_error_t *err)
{
    size_t         i, n;
    gw_jwk_t      *key;
    const json_t  *keys, *jwk;

    keys = json_object_get(json, "keys");

    if (keys == NULL && json_object_get(json, "kty") != NULL) {
        n = 1;

    } else if (json_is_array(keys)) {
        n = json_array_size(keys);

    } else {
        return gw_jwk_fail(err, GW_JWK_E_FORMAT, "there is no array \"keys\" "
                           "and no \"kty\"; give a JWK Set or a JWK");
    }

    for (i = 0; i < n; i++) {
        jwk = (keys != NULL) ? json_array_get(keys, i) : json;

        err->index = (int) i;

        key = gw_jwk_set_add(set, err);
        if (key == NULL) {
            return GW_ERROR;
        }

        if (!json_is_object(jwk)) {
            return gw_jwk_fail(err, GW_JWK_E_FORMAT,
                               "an element of \"keys\" is not an object");
        }

        if (gw_jwk_read(key, jwk, flags, hash, err) != GW_OK) {
            return GW_ERROR;
        }
    }

    err->index = -1;

    return GW_OK;
}


static gw_status_e
gw_jwk_set_check(gw_jwk_set_t *set, gw_jwk_error_t *err)
{
    size_t  i;

    for (i = 0; i < set->nkeys; i++) {

        if (set->keys[i].algs == 0) {
            continue;
        }

        err->index = (int) i;

        /* a public key that may serve as a secret ends all security */

        if (set->algs != 0
            && (!(set->algs & GW_ALG_MASK_HS)
                != !(set->keys[i].algs & GW_ALG_MASK_HS)))
        {
            return gw_jwk_fail(err, GW_JWK_E_MIXED, "the set has secrets "
                               "beside public keys; use a set for each kind");
        }

        set->algs |= set->keys[i].algs;

        if (gw_jwk_set_check_kid(set, i, err) != GW_OK) {
            return GW_ERROR;
        }
    }

    err->index = -1;

    if (set->algs == 0) {
        return gw_jwk_fail(err, GW_JWK_E_EMPTY, "no key can verify a "
                           "signature; check \"kty\", \"use\" and \"alg\"");
    }

    return GW_OK;
}


static gw_status_e
gw_jwk_set_check_kid(const gw_jwk_set_t *set, size_t n, gw_jwk_error_t *err)
{
    size_t           i;
    const gw_jwk_t  *key, *other;

    key = &set->keys[n];

    if (key->kid == NULL) {
        return GW_OK;
    }

    for (i = 0; i < n; i++) {
        other = &set->keys[i];

        if (other->algs != 0
            && other->kty == key->kty
            && other->kid != NULL
            && other->kid_len == key->kid_len
            && memcmp(other->kid, key->kid, key->kid_len) == 0)
        {
            return gw_jwk_fail(err, GW_JWK_E_DUPLICATE, "two keys of one "
                               "kind have the same \"kid\"; rename one");
        }
    }

    return GW_OK;
}


void
gw_jwk_set_destroy(gw_jwk_set_t *set)
{
    size_t  i;

    if (set == NULL) {
        return;
    }

    for (i = 0; i < set->nkeys; i++) {
        gw_jwk_clear(&set->keys[i]);
    }

    free(set->keys);
    free(set);
}


static void
gw_jwk_clear(gw_jwk_t *key)
{
    int  i;

    for (i = 0; i < GW_ALG_MAX; i++) {
        EVP_PKEY_CTX_free(key->verify[i]);
    }

    for (i = 0; i < GW_HASH_MAX; i++) {
        gw_hmac_key_destroy(key->hmac[i]);
    }

    EVP_MD_CTX_free(key->ed);
    EVP_PKEY_free(key->pkey);

    if (key->secret != NULL) {
        OPENSSL_cleanse(key->secret, key->secret_len);
        free(key->secret);
    }

    free(key->kid);
}
