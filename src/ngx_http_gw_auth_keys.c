
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_keys.h"


/* the directives that an error is about */

#define ngx_http_gw_auth_owner(issuer)                                        \
    ((issuer)->name.len ? "gw_jwt_issuer" : "gw_jwt")

#define ngx_http_gw_auth_list(issuer)                                         \
    ((issuer)->name.len ? "algorithms" : "gw_jwt_algorithms")


static void ngx_http_gw_auth_free_keys(void *data);
static gw_jwk_set_t *ngx_http_gw_auth_load_keys(ngx_conf_t *cf,
    ngx_str_t *name, gw_jwk_format_e format, gw_hash_t *hash);
static gw_jwk_set_t *ngx_http_gw_auth_parse_keys(ngx_conf_t *cf,
    ngx_str_t *name, ngx_str_t *text, gw_jwk_format_e format,
    gw_hash_t *hash);
static gw_alg_mask_t ngx_http_gw_auth_wanted(gw_alg_mask_t allowed);
static ngx_int_t ngx_http_gw_auth_check_kids(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer, ngx_http_gw_auth_keys_t *one,
    ngx_http_gw_auth_keys_t *two);
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

    keys->set = ngx_http_gw_auth_load_keys(cf, &full, format, hash);
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


ngx_http_gw_auth_keys_t *
ngx_http_gw_auth_inline_keys(ngx_conf_t *cf, ngx_str_t *issuer,
    ngx_str_t *text, gw_jwk_format_e format, gw_hash_t *hash)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_gw_auth_keys_t  *keys;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_gw_auth_keys_t));
    if (cln == NULL) {
        return NULL;
    }

    keys = cln->data;
    keys->name = *issuer;
    keys->format = format;

    keys->set = ngx_http_gw_auth_parse_keys(cf, issuer, text, format, hash);
    if (keys->set == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gw_auth_free_keys;

    return keys;
}


static gw_jwk_set_t *
ngx_http_gw_auth_load_keys(ngx_conf_t *cf, ngx_str_t *name,
    gw_jwk_format_e format, gw_hash_t *hash)
{
    ngx_str_t      text;
    gw_jwk_set_t  *set;

    if (ngx_http_gw_auth_read_file(cf, name, GW_JWK_MAX_SET, &text)
        != NGX_OK)
    {
        return NULL;
    }

    set = ngx_http_gw_auth_parse_keys(cf, name, &text, format, hash);

    ngx_http_gw_auth_free_file(&text);

    return set;
}


static gw_jwk_set_t *
ngx_http_gw_auth_parse_keys(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text,
    gw_jwk_format_e format, gw_hash_t *hash)
{
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;

    ngx_memzero(&err, sizeof(gw_jwk_error_t));

    set = gw_jwk_set_parse(text->data, text->len, format, 0, hash, &err);

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
ngx_http_gw_auth_check_keys(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer)
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
                          "\"%s HS256\", for \"%s\" in %s:%ui",
                          &key[i]->name, ngx_http_gw_auth_list(issuer),
                          ngx_http_gw_auth_owner(issuer),
                          issuer->conf_file, issuer->conf_line);
            return NGX_ERROR;
        }

        if ((key[i]->set->algs & wanted) == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no key in \"%V\" can verify an allowed "
                          "algorithm, change \"%s\" for \"%s\" in %s:%ui",
                          &key[i]->name, ngx_http_gw_auth_list(issuer),
                          ngx_http_gw_auth_owner(issuer),
                          issuer->conf_file, issuer->conf_line);
            return NGX_ERROR;
        }

        for (n = 0; n < i; n++) {
            if (ngx_http_gw_auth_check_kids(cf, issuer, key[n], key[i])
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
                      "\"%s\" that names algorithms of both, for \"%s\" "
                      "in %s:%ui", ngx_http_gw_auth_list(issuer),
                      ngx_http_gw_auth_owner(issuer), issuer->conf_file,
                      issuer->conf_line);
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
                          "\"%s\" names %s and no key can verify it, for "
                          "\"%s\" in %s:%ui", ngx_http_gw_auth_list(issuer),
                          gw_alg_name(alg), ngx_http_gw_auth_owner(issuer),
                          issuer->conf_file, issuer->conf_line);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_kids(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_keys_t *one, ngx_http_gw_auth_keys_t *two)
{
    size_t     i, n;
    gw_jwk_t  *a, *b;

    if (one == two) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "key file \"%V\" is named twice for \"%s\" in "
                      "%s:%ui", &one->name, ngx_http_gw_auth_owner(issuer),
                      issuer->conf_file, issuer->conf_line);
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
                              "same \"kid\", for \"%s\" in %s:%ui",
                              &one->name, &two->name,
                              ngx_http_gw_auth_owner(issuer),
                              issuer->conf_file, issuer->conf_line);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_choose(ngx_http_gw_auth_issuer_t *issuer,
    gw_alg_mask_t allowed, ngx_http_gw_auth_token_t *token,
    ngx_http_gw_auth_candidates_t *cand, gw_reason_e *reason)
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

        if (gw_jws_choose(&token->jws, key[i]->set, allowed, keys, &ncand,
                          &why)
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
