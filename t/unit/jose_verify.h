
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The signature of a token under a set of keys, as the module verifies it.
 */


#ifndef GW_TEST_JOSE_VERIFY_H
#define GW_TEST_JOSE_VERIFY_H


#include "gw_jws.h"


static gw_status_e
jose_verify(gw_jws_ctx_t *ctx, const gw_jws_t *jws, const gw_jwk_set_t *set,
    gw_alg_mask_t allowed, const gw_jwk_t **key, gw_reason_e *reason)
{
    size_t           i, n;
    gw_status_e      rc;
    const gw_jwk_t  *keys[GW_JWK_MAX_TRIES];

    rc = gw_jws_choose(jws, set, allowed, keys, &n, reason);

    if (rc != GW_OK) {
        return rc;
    }

    for (i = 0; i < n; i++) {
        rc = gw_jws_verify_key(ctx, jws, keys[i]);

        if (rc == GW_OK) {
            *key = keys[i];
            return GW_OK;
        }

        if (rc == GW_ERROR) {
            *reason = GW_REASON_MEMORY;
            return GW_ERROR;
        }
    }

    *reason = GW_REASON_SIG;

    return GW_DECLINED;
}


#endif /* GW_TEST_JOSE_VERIFY_H */
