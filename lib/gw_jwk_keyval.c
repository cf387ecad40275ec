
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_jwk.h"
#include "gw_jwk_key.h"


#define GW_JWK_PEM_BEGIN  "-----BEGIN "


static gw_status_e gw_jwk_read_pair(gw_jwk_set_t *set, const char *kid,
    const json_t *value, gw_hash_t *hash, gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_text(gw_jwk_set_t *set, const char *text,
    size_t len, gw_hash_t *hash, gw_jwk_error_t *err);


gw_status_e
gw_jwk_read_keyval(gw_jwk_set_t *set, const unsigned char *data, size_t len,
    gw_hash_t *hash, gw_jwk_error_t *err)
{
    int               index;
    void             *iter;
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

    rc = GW_OK;
    index = 0;
    iter = json_object_iter(json);

    while (iter != NULL) {

        rc = gw_jwk_read_pair(set, json_object_iter_key(iter),
                              json_object_iter_value(iter), hash, err);

        if (rc != GW_OK) {
            err->index = index;
            break;
        }

        index++;
        iter = json_object_iter_next(json, iter);
    }

    json_decref(json);

    return rc;
}


static gw_status_e
gw_jwk_read_pair(gw_jwk_set_t *set, const char *kid, const json_t *value,
    gw_hash_t *hash, gw_jwk_error_t *err)
{
    size_t       n, len;
    const char  *text;

    if (!json_is_string(value)) {
        return gw_jwk_fail(err, GW_JWK_E_FORMAT, "the value of a key ID is "
                           "not a string; give a secret or PEM");
    }

    text = json_string_value(value);
    len = json_string_length(value);
    n = set->nkeys;

    if (len >= sizeof(GW_JWK_PEM_BEGIN) - 1
        && memcmp(text, GW_JWK_PEM_BEGIN, sizeof(GW_JWK_PEM_BEGIN) - 1) == 0)
    {
        if (gw_jwk_read_pem(set, (const unsigned char *) text, len, hash, err)
            != GW_OK)
        {
            return GW_ERROR;
        }

        if (set->nkeys != n + 1) {
            return gw_jwk_fail(err, GW_JWK_E_FORMAT, "the PEM text of a key "
                               "ID is not one key; give one for each ID");
        }

    } else if (gw_jwk_read_text(set, text, len, hash, err) != GW_OK) {
        return GW_ERROR;
    }

    return gw_jwk_set_kid(&set->keys[n], kid, strlen(kid), err);
}


/* a secret is taken as it stands, without a base64 of any kind */

static gw_status_e
gw_jwk_read_text(gw_jwk_set_t *set, const char *text, size_t len,
    gw_hash_t *hash, gw_jwk_error_t *err)
{
    gw_jwk_t  *key;

    key = gw_jwk_set_add(set, err);
    if (key == NULL) {
        return GW_ERROR;
    }

    if (len > GW_JWK_MAX_SECRET) {
        return gw_jwk_fail(err, GW_JWK_E_SIZE, "a secret is longer than 1024 "
                           "bytes; use a shorter one");
    }

    key->kty = GW_KTY_OCT;

    key->secret = malloc(len + 1);
    if (key->secret == NULL) {
        return gw_jwk_fail(err, GW_JWK_E_MEMORY, "out of memory");
    }

    memcpy(key->secret, text, len);
    key->secret_len = len;

    key->algs = gw_jwk_family(key);

    if (key->algs == 0) {
        return gw_jwk_fail(err, GW_JWK_E_SECRET, "the secret is shorter "
                           "than 32 bytes; use a longer one");
    }

    if (gw_jwk_thumbprint(key, hash, key->secret, key->secret_len, NULL, 0,
                          err)
        != GW_OK)
    {
        return GW_ERROR;
    }

    return gw_jwk_prepare(key, hash, err);
}
