
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_keys.h"


static void ngx_http_gw_auth_free_keys(void *data);
static gw_jwk_set_t *ngx_http_gw_auth_parse_keys(ngx_conf_t *cf,
    ngx_str_t *name, gw_jwk_format_e format, gw_hash_t *hash);
static gw_alg_mask_t ngx_http_gw_auth_wanted(gw_alg_mask_t allowed);
static ngx_int_t ngx_http_gw_auth_check_kids(ngx_conf_t *cf,
    ngx_http_gw_auth_keys_t *one, ngx_http_gw_auth_keys_t *two, u_char *file,
    ngx_uint_t line);
static ngx_uint_t ngx_http_gw_auth_reason_rank(gw_reason_e reason);


ngx_http_gw_auth_keys_t *
ngx_http_gw_auth_read_keys(ngx_conf_t *cf, ngx_array_t *files,
    ngx_str_t *name, gw_jwk_format_e format, gw_hash_t *hash)
{
    ngx_str_t                  full;
    ngx_uint_t                 i;
    ngx_pool_cleanup_t        *cln;
    ngx_http_gw_auth_keys_t   *keys, **file;

    full = *name;

    if (ngx_conf_full_name(cf->cycle, &full, 1) != NGX_OK) {
        return NULL;
    }

    file = files->elts;

    for (i = 0; i < files->nelts; i++) {

        if (file[i]->format == format
            && file[i]->name.len == full.len
            && ngx_strncmp(file[i]->name.data, full.data, full.len) == 0)
        {
            return file[i];
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_gw_auth_keys_t));
    if (cln == NULL) {
        return NULL;
    }

    keys = cln->data;
    keys->name = full;
    keys->format = format;

    keys->set = ngx_http_gw_auth_parse_keys(cf, &full, format, hash);
    if (keys->set == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gw_auth_free_keys;

    file = ngx_array_push(files);
    if (file == NULL) {
        return NULL;
    }

    *file = keys;

    return keys;
}


static void
ngx_http_gw_auth_free_keys(void *data)
{
    ngx_http_gw_auth_keys_t  *keys = data;

    gw_jwk_set_destroy(keys->set);
}


static gw_jwk_set_t *
ngx_http_gw_auth_parse_keys(ngx_conf_t *cf, ngx_str_t *name,
    gw_jwk_format_e format, gw_hash_t *hash)
{
    ngx_str_t        text;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;

    if (ngx_http_gw_auth_read_file(cf, name, GW_JWK_MAX_SET, &text)
        != NGX_OK)
    {
        return NULL;
    }

    ngx_memzero(&err, sizeof(gw_jwk_error_t));

    set = gw_jwk_set_parse(text.data, text.len, format, 0, hash, &err);

    ngx_http_gw_auth_free_file(&text);

    if (set) {
        return set;
    }

    if (err.code == GW_JWK_E_JSON) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" is not JSON at byte %uz: %s",
                           name, err.position, err.text);

    } else if (err.index >= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key #%d in \"%V\" is refused: %s",
                           err.index, name, err.text);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" is refused: %s", name, err.text);
    }

    return NULL;
}


/* what keys may offer so that a token of an allowed algorithm can pass */

static gw_alg_mask_t
ngx_http_gw_auth_wanted(gw_alg_mask_t allowed)
{
    gw_alg_e       alg;
    gw_alg_mask_t  wanted;

    wanted = 0;

    for (alg = 0; alg < GW_ALG_MAX; alg++) {
        wanted |= gw_alg_wanted(alg, allowed);
    }

    return wanted;
}


ngx_int_t
ngx_http_gw_auth_check_keys(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    u_char *file, ngx_uint_t line)
{
    gw_alg_e                    alg;
    ngx_uint_t                  i, n;
    gw_alg_mask_t               algs, wanted, allowed;
    ngx_http_gw_auth_keys_t   **key;

    algs = 0;
    allowed = issuer->algorithms;
    wanted = ngx_http_gw_auth_wanted(allowed);
    key = issuer->keys->elts;

    for (i = 0; i < issuer->keys->nelts; i++) {

        if ((key[i]->set->algs & ~GW_ALG_MASK_HS) == 0
            && (allowed & GW_ALG_MASK_HS) == 0)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "key file \"%V\" holds secrets and no HMAC "
                          "algorithm is allowed, name one as in "
                          "\"gw_jwt_algorithms HS256\", for \"gw_jwt\" "
                          "in %s:%ui", &key[i]->name, file, line);
            return NGX_ERROR;
        }

        if ((key[i]->set->algs & wanted) == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no key in \"%V\" can verify an allowed "
                          "algorithm, change \"gw_jwt_algorithms\" for "
                          "\"gw_jwt\" in %s:%ui",
                          &key[i]->name, file, line);
            return NGX_ERROR;
        }

        for (n = 0; n < i; n++) {
            if (ngx_http_gw_auth_check_kids(cf, key[n], key[i], file, line)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        algs |= key[i]->set->algs;
    }

    /* a key serves its own family only: both are a choice, not a mistake */

    if ((algs & GW_ALG_MASK_HS)
        && (algs & ~GW_ALG_MASK_HS)
        && ((allowed & GW_ALG_MASK_HS) == 0
            || (allowed & ~GW_ALG_MASK_HS) == 0))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "secrets and public keys in one location need "
                      "\"gw_jwt_algorithms\" that names algorithms of "
                      "both, for \"gw_jwt\" in %s:%ui", file, line);
        return NGX_ERROR;
    }

    if (!issuer->named) {
        return NGX_OK;
    }

    for (alg = 0; alg < GW_ALG_MAX; alg++) {

        if ((allowed & gw_alg_bit(alg))
            && (gw_alg_wanted(alg, allowed) & algs) == 0)
        {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"gw_jwt_algorithms\" names %s and no key can "
                          "verify it, for \"gw_jwt\" in %s:%ui",
                          gw_alg_name(alg), file, line);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_kids(ngx_conf_t *cf, ngx_http_gw_auth_keys_t *one,
    ngx_http_gw_auth_keys_t *two, u_char *file, ngx_uint_t line)
{
    size_t     i, n;
    gw_jwk_t  *a, *b;

    if (one == two) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "key file \"%V\" is named twice for \"gw_jwt\" in "
                      "%s:%ui", &one->name, file, line);
        return NGX_ERROR;
    }

    for (i = 0; i < one->set->nkeys; i++) {
        a = &one->set->keys[i];

        for (n = 0; n < two->set->nkeys; n++) {
            b = &two->set->keys[n];

            if (a->kid
                && b->kid
                && a->algs
                && b->algs
                && a->kty == b->kty
                && a->kid_len == b->kid_len
                && ngx_memcmp(a->kid, b->kid, a->kid_len) == 0)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "\"%V\" and \"%V\" hold two keys with the "
                              "same \"kid\", for \"gw_jwt\" in %s:%ui",
                              &one->name, &two->name, file, line);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_choose(ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_candidates_t *cand,
    gw_reason_e *reason)
{
    size_t                      n, ncand;
    ngx_uint_t                  i;
    gw_reason_e                 why;
    const gw_jwk_t             *keys[GW_JWK_MAX_TRIES];
    ngx_http_gw_auth_keys_t   **key;

    cand->n = 0;
    *reason = GW_REASON_KID;
    key = issuer->keys->elts;

    for (i = 0; i < issuer->keys->nelts; i++) {

        if (gw_jws_choose(&token->jws, key[i]->set, issuer->algorithms, keys,
                          &ncand, &why)
            != GW_OK)
        {
            if (ngx_http_gw_auth_reason_rank(why)
                > ngx_http_gw_auth_reason_rank(*reason))
            {
                *reason = why;
            }

            continue;
        }

        for (n = 0; n < ncand && cand->n < GW_JWK_MAX_TRIES; n++) {
            cand->keys[cand->n++] = keys[n];
        }
    }

    return cand->n ? NGX_OK : NGX_DECLINED;
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

    case GW_REASON_KEY_UNUSABLE:
        return 1;

    case GW_REASON_ALG_KEY:
        return 2;

    case GW_REASON_ALG:
        return 3;

    default:
        return 4;
    }
}
