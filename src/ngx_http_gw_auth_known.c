
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_known.h"


static ngx_int_t ngx_http_gw_auth_cached_key(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_uint_t flags, ngx_http_gw_auth_cached_t *cached,
    ngx_http_gw_auth_issuer_t **issuer, gw_reason_e *reason);
static ngx_http_gw_auth_issuer_t *ngx_http_gw_auth_cached_issuer(
    ngx_array_t *issuers, ngx_http_gw_auth_cached_t *cached);
static gw_token_store_t *ngx_http_gw_auth_shared(
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_token_t *token);


ngx_int_t
ngx_http_gw_auth_cached(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_uint_t flags, ngx_http_gw_auth_identity_t *id, ngx_str_t *text,
    gw_reason_e *reason)
{
    time_t                      now;
    ngx_int_t                   rc;
    ngx_http_gw_auth_cached_t  *cached;

    now = ngx_time();

    cached = ngx_http_gw_auth_cache_find(gmcf->cache, text, now);

    if (cached == NULL || now - cached->token->since >= alcf->cache) {
        return NGX_DECLINED;
    }

    rc = ngx_http_gw_auth_cached_key(r, gmcf, alcf, flags, cached,
                                     &id->issuer, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    cached->token->refs++;

    id->token = cached->token;

    return NGX_OK;
}


/*
 * A key may have left its set, and another location has other keys: the key
 * is chosen anew, unless its sets cannot have changed since it was.
 */

static ngx_int_t
ngx_http_gw_auth_cached_key(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_uint_t flags, ngx_http_gw_auth_cached_t *cached,
    ngx_http_gw_auth_issuer_t **issuer, gw_reason_e *reason)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    gw_alg_mask_t                   allowed;
    ngx_http_gw_auth_issuer_t      *is;
    ngx_http_gw_auth_candidates_t   cand;

    is = ngx_http_gw_auth_cached_issuer(alcf->issuers, cached);

    if (is == NULL
        && ngx_http_gw_auth_find_issuer(alcf->issuers, cached->token, &is,
                                        reason)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *issuer = is;
    allowed = ngx_http_gw_auth_allowed(alcf, is);

    if (cached->issuer == is && cached->allowed == allowed) {
        return NGX_OK;
    }

    rc = ngx_http_gw_auth_choose(r, &gmcf->keyring, is, allowed, cached->token,
                                 flags, &cand, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < cand.n; i++) {

        if (ngx_memcmp(cand.keys[i]->thumbprint, cached->token->thumbprint,
                       GW_JWK_THUMBPRINT_LEN)
            != 0)
        {
            continue;
        }

        if (ngx_http_gw_auth_keys_fixed(is)) {
            cached->issuer = is;
            cached->allowed = allowed;
        }

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* spares the look into the payload for "iss"; NULL: it is necessary */

static ngx_http_gw_auth_issuer_t *
ngx_http_gw_auth_cached_issuer(ngx_array_t *issuers,
    ngx_http_gw_auth_cached_t *cached)
{
    ngx_uint_t                   i;
    ngx_http_gw_auth_issuer_t  **is;

    is = issuers->elts;

    for (i = 0; i < issuers->nelts; i++) {

        if (is[i] == cached->issuer) {
            return is[i];
        }

        /* the first one of that name is asked */

        if (cached->issuer == NULL
            || cached->issuer->iss.len == 0
            || (is[i]->iss.len == cached->issuer->iss.len
                && ngx_memcmp(is[i]->iss.data, cached->issuer->iss.data,
                              is[i]->iss.len)
                   == 0))
        {
            return NULL;
        }
    }

    return NULL;
}


gw_alg_mask_t
ngx_http_gw_auth_allowed(ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_issuer_t *issuer)
{
    if (alcf->algorithms == 0) {
        return issuer->algorithms;
    }

    return issuer->algorithms & (gw_alg_mask_t) alcf->algorithms;
}


ngx_int_t
ngx_http_gw_auth_known(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_token_t *token,
    ngx_http_gw_auth_candidates_t *cand)
{
    time_t             now;
    u_char             digest[GW_TOKEN_DIGEST_LEN];
    ngx_uint_t         i;
    gw_token_entry_t   entry;
    gw_token_store_t  *store;

    store = ngx_http_gw_auth_shared(gmcf, alcf, token);

    if (store == NULL
        || gw_hash_digest(gmcf->hash, GW_HASH_SHA256, token->text.data,
                          token->text.len, digest)
           != GW_OK)
    {
        return NGX_DECLINED;
    }

    now = ngx_time();

    if (gw_token_store_find(store, digest, now, &entry) != GW_OK
        || now - entry.since >= alcf->cache)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < cand->n; i++) {

        if (ngx_memcmp(cand->keys[i]->thumbprint, entry.key, GW_TOKEN_KEY_LEN)
            == 0)
        {
            ngx_memcpy(token->thumbprint, cand->keys[i]->thumbprint,
                       GW_JWK_THUMBPRINT_LEN);
            token->since = entry.since;

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_http_gw_auth_keep(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_identity_t *id,
    ngx_uint_t known, ngx_log_t *log)
{
    time_t                     end, leeway;
    ngx_uint_t                 evicted;
    gw_token_entry_t           entry;
    gw_token_store_t          *store;
    ngx_http_gw_auth_token_t  *token;

    token = id->token;
    end = token->since + alcf->cache;

    /* beyond exp by the leeway: what is good is found, the rest is decided */

    if (token->jwt.has_exp && alcf->validate_exp) {

        leeway = (id->issuer->leeway == NGX_CONF_UNSET) ? alcf->leeway
                                                        : id->issuer->leeway;

        end = ngx_min(end, (time_t) (token->jwt.exp / 1000000) + 1 + leeway);
    }

    evicted = ngx_http_gw_auth_cache_put(gmcf->cache, token, end, log);

    if (evicted) {
        ngx_http_gw_counters_add(gmcf->counters,
                                 NGX_HTTP_GW_AUTH_COUNTER_EVICTED, evicted);
    }

    store = known ? NULL : ngx_http_gw_auth_shared(gmcf, alcf, token);

    if (store == NULL
        || gw_hash_digest(gmcf->hash, GW_HASH_SHA256, token->text.data,
                          token->text.len, entry.digest)
           != GW_OK)
    {
        return;
    }

    ngx_memcpy(entry.key, token->thumbprint, GW_TOKEN_KEY_LEN);

    entry.since = token->since;
    entry.end = end;

    gw_token_store_put(store, &entry, token->since);
}


/* NULL: to ask would not be cheaper than to verify, and nobody pays for it */

static gw_token_store_t *
ngx_http_gw_auth_shared(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_token_t *token)
{
    if ((gw_alg_bit(token->jws.alg) & GW_ALG_MASK_HS)
        && alcf->budget == NULL)
    {
        return NULL;
    }

    return gmcf->zone->sh->tokens;
}
