
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The first byte holds the format and the flags; the rest is the text.
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "gw_jws.h"


int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static gw_hash_t  *hash;


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    json_object_seed(1);

    hash = gw_hash_create();

    return hash == NULL;
}


static void
check(const gw_jwk_set_t *set)
{
    size_t           i;
    gw_alg_mask_t    algs;
    const gw_jwk_t  *key;

    algs = 0;

    for (i = 0; i < set->nkeys; i++) {
        key = &set->keys[i];
        algs |= key->algs;

        if (key->algs == 0) {
            continue;
        }

        /* what is usable can be used */

        if ((key->kty == GW_KTY_OCT) != !!(key->algs & GW_ALG_MASK_HS)
            || (key->kty == GW_KTY_OCT) != (key->pkey == NULL))
        {
            abort();
        }
    }

    if (algs == 0 || algs != set->algs || set->nkeys > GW_JWK_MAX_KEYS
        || (!(algs & GW_ALG_MASK_HS) == !(algs & ~GW_ALG_MASK_HS)))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;
    unsigned char   *text;

    if (size == 0) {
        return 0;
    }

    text = malloc(size);
    if (text == NULL) {
        abort();
    }

    memcpy(text, data + 1, size - 1);
    text = realloc(text, size > 1 ? size - 1 : 1);

    memset(&err, 0, sizeof(gw_jwk_error_t));

    set = gw_jwk_set_parse(text, size - 1,
                           (data[0] & 4) ? GW_JWK_KEYVAL
                           : (data[0] & 1) ? GW_JWK_PEM : GW_JWK_JWKS,
                           (data[0] & 2) ? GW_JWK_REMOTE : 0, hash, &err);

    free(text);

    if (set != NULL) {
        check(set);

    } else if (err.code == GW_JWK_OK || err.code == GW_JWK_E_MEMORY
               || err.text == NULL)
    {
        abort();
    }

    if (ERR_peek_error() != 0) {
        abort();
    }

    gw_jwk_set_destroy(set);

    return 0;
}
