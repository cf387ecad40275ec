
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_keys.h"
#include "ngx_http_gw_auth_remote.h"
#include "ngx_http_gw_auth_watch.h"


static void ngx_http_gw_auth_keyring_free(void *data);
static void ngx_http_gw_auth_keyring_reap(ngx_http_gw_auth_keyring_t *ring);
static ngx_uint_t ngx_http_gw_auth_reason_rank(gw_reason_e reason);


ngx_int_t
ngx_http_gw_auth_keyring_init(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, gw_hash_t *hash, ngx_module_t *module)
{
    ngx_pool_cleanup_t  *cln;

    if (ngx_array_init(&ring->sources, cf->pool, 4,
                       sizeof(ngx_http_gw_auth_keys_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ring->hash = hash;
    ring->module = module;
    ring->cycle = ngx_current_msec;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_gw_auth_keyring_free;
    cln->data = ring;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_keyring_share(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_zone_t *zone)
{
    ngx_str_t  name;

    ngx_str_set(&name, "gw_auth_key_counters");

    ring->counters = ngx_http_gw_counters_create(cf, &name, ring->module,
                                             NGX_HTTP_GW_AUTH_FETCH_COUNTERS);
    if (ring->counters == NULL) {
        return NGX_ERROR;
    }

    ring->zone = zone;

    return NGX_OK;
}


static void
ngx_http_gw_auth_keyring_free(void *data)
{
    ngx_http_gw_auth_keyring_t  *ring = data;

    ngx_http_gw_auth_watch_free(ring->watch);
    ngx_http_gw_auth_remote_free(ring->remote);
    ngx_http_gw_auth_keyring_reap(ring);
}


void
ngx_http_gw_auth_keyring_retire(ngx_http_gw_auth_keyring_t *ring,
    gw_jwk_set_t *set)
{
    ngx_http_gw_auth_retired_t  *retired;

    if (set == NULL) {
        return;
    }

    ring->generation++;

    retired = ngx_alloc(sizeof(ngx_http_gw_auth_retired_t), ngx_cycle->log);
    if (retired == NULL) {

        /* lost rather than used after it is freed */

        return;
    }

    retired->set = set;
    retired->next = ring->retired;
    ring->retired = retired;
}


static void
ngx_http_gw_auth_keyring_reap(ngx_http_gw_auth_keyring_t *ring)
{
    ngx_http_gw_auth_retired_t  *retired;

    while (ring->retired) {
        retired = ring->retired;
        ring->retired = retired->next;

        gw_jwk_set_destroy(retired->set);
        ngx_free(retired);
    }
}


ngx_int_t
ngx_http_gw_auth_keys_get(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_uint_t flags, const gw_jwk_set_t **set)
{
    if (keys->request) {
        return ngx_http_gw_auth_remote_get(r, ring, keys, flags, set);
    }

    return ngx_http_gw_auth_watch_get(r, ring, keys, set);
}


ngx_int_t
ngx_http_gw_auth_keys_refresh(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_issuer_t *issuer)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_gw_auth_keys_t   **keys;

    keys = issuer->keys->elts;

    for (i = 0; i < issuer->keys->nelts; i++) {

        if (!keys[i]->request) {
            continue;
        }

        rc = ngx_http_gw_auth_remote_refresh(r, ring, keys[i]);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_gw_auth_choose(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_issuer_t *issuer,
    gw_alg_mask_t allowed, ngx_http_gw_auth_token_t *token, ngx_uint_t flags,
    ngx_http_gw_auth_candidates_t *cand, gw_reason_e *reason)
{
    size_t                      n, ncand;
    ngx_int_t                   rc;
    ngx_uint_t                  i, down;
    gw_reason_e                 why;
    const gw_jwk_t             *found[GW_JWK_MAX_TRIES];
    const gw_jwk_set_t         *set;
    ngx_http_gw_auth_keys_t   **keys;

    /* nothing of the request before this one is used any more */

    ngx_http_gw_auth_keyring_reap(ring);

    down = 0;
    cand->n = 0;
    *reason = GW_REASON_KID;
    keys = issuer->keys->elts;

    for (i = 0; i < issuer->keys->nelts; i++) {

        rc = ngx_http_gw_auth_keys_get(r, ring, keys[i], flags, &set);

        if (rc == NGX_AGAIN || rc == NGX_ERROR) {
            *reason = GW_REASON_MEMORY;
            return rc;
        }

        if (rc == NGX_BUSY) {
            down = 1;
            continue;
        }

        if (rc == NGX_DECLINED) {
            why = GW_REASON_KEYSET;

        } else if (gw_jws_choose(&token->jws, set, allowed, found, &ncand,
                                 &why)
                   == GW_OK)
        {
            for (n = 0; n < ncand && cand->n < GW_JWK_MAX_TRIES; n++) {
                cand->keys[cand->n++] = found[n];
            }

            continue;
        }

        if (ngx_http_gw_auth_reason_rank(why)
            > ngx_http_gw_auth_reason_rank(*reason))
        {
            *reason = why;
        }
    }

    if (cand->n) {
        return NGX_OK;
    }

    if (down) {
        return NGX_BUSY;
    }

    if (*reason == GW_REASON_ALG || (flags & NGX_HTTP_GW_AUTH_NOWAIT)) {
        return NGX_DECLINED;
    }

    return ngx_http_gw_auth_keys_refresh(r, ring, issuer);
}


ngx_uint_t
ngx_http_gw_auth_keys_fixed(ngx_http_gw_auth_issuer_t *issuer)
{
    ngx_uint_t                  i;
    ngx_http_gw_auth_keys_t   **key;

    key = issuer->keys->elts;

    for (i = 0; i < issuer->keys->nelts; i++) {
        if (key[i]->value || key[i]->watch || key[i]->request) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_gw_auth_verify(gw_jws_ctx_t *ctx, ngx_http_gw_auth_token_t *token,
    ngx_http_gw_auth_candidates_t *cand, gw_reason_e *reason)
{
    ngx_uint_t   i;
    gw_status_e  status;

    for (i = 0; i < cand->n; i++) {

        status = gw_jws_verify_key(ctx, &token->jws, cand->keys[i]);

        if (status == GW_OK) {
            ngx_memcpy(token->thumbprint, cand->keys[i]->thumbprint,
                       GW_JWK_THUMBPRINT_LEN);
            return NGX_OK;
        }

        if (status == GW_ERROR) {
            *reason = GW_REASON_MEMORY;
            return NGX_ERROR;
        }
    }

    *reason = GW_REASON_SIG;

    return NGX_DECLINED;
}


/* of several files, the one that came closest says what was wrong */

static ngx_uint_t
ngx_http_gw_auth_reason_rank(gw_reason_e reason)
{
    switch (reason) {

    case GW_REASON_KID:
        return 0;

    case GW_REASON_KEYSET:
        return 1;

    case GW_REASON_KEY_UNUSABLE:
        return 2;

    case GW_REASON_ALG_KEY:
        return 3;

    case GW_REASON_ALG:
        return 4;

    default:
        return 5;
    }
}
