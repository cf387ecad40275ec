
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_check.h"
#include "ngx_http_gw_auth_cred.h"
#include "ngx_http_gw_auth_keys.h"
#include "ngx_http_gw_auth_known.h"
#include "ngx_http_gw_auth_require.h"
#include "ngx_http_gw_auth_store.h"


static ngx_int_t ngx_http_gw_auth_right(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_api_key(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_jwt(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_token(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_str_t *text, gw_reason_e *reason);
static ngx_int_t ngx_http_gw_auth_fresh(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_str_t *text, gw_reason_e *reason);
static ngx_int_t ngx_http_gw_auth_pay(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_uint_t cost);
static ngx_int_t ngx_http_gw_auth_retry(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_join_params(ngx_pool_t *pool,
    ngx_str_t *one, ngx_str_t *two);
static void ngx_http_gw_auth_error(ngx_http_gw_auth_ctx_t *ctx,
    ngx_str_t *error);
static void ngx_http_gw_auth_log_redact(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_str_t *text);


static const ngx_str_t  ngx_http_gw_auth_bearer = ngx_string("Bearer");
static const ngx_str_t  ngx_http_gw_auth_apikey = ngx_string("ApiKey");


ngx_int_t
ngx_http_gw_auth_evaluate(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_uint_t  kinds, optional, verified;

    if (alcf->rules.preflight && ngx_http_gw_auth_preflight(r)) {
        ctx->reason = NGX_HTTP_GW_AUTH_PREFLIGHT;
        return NGX_OK;
    }

    ctx->id = ngx_http_gw_auth_identity_create(r->pool);
    if (ctx->id == NULL) {
        return NGX_ERROR;
    }

    kinds = 0;
    optional = 0;
    verified = 0;

    /* the cheap one first */

    if (alcf->key) {

        rc = ngx_http_gw_auth_api_key(r, gmcf, alcf, ctx);

        if (rc == NGX_OK) {
            verified |= NGX_HTTP_GW_AUTH_KEY;

        } else if (rc == NGX_ERROR
                   || ctx->reason != NGX_HTTP_GW_AUTH_MISSING
                   || (alcf->mode == NGX_HTTP_GW_AUTH_ALL
                       && !alcf->key->optional))
        {
            ctx->methods = NGX_HTTP_GW_AUTH_KEY;
            return rc;
        }

        kinds |= NGX_HTTP_GW_AUTH_KEY;
        optional |= alcf->key->optional;
    }

    if (alcf->jwt) {

        rc = ngx_http_gw_auth_jwt(r, gmcf, alcf, ctx);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_OK) {
            verified |= NGX_HTTP_GW_AUTH_JWT;

        } else if (rc == NGX_ERROR
                   || ctx->reason != NGX_HTTP_GW_AUTH_MISSING
                   || (alcf->mode == NGX_HTTP_GW_AUTH_ALL
                       && !alcf->jwt->optional))
        {
            ctx->methods = NGX_HTTP_GW_AUTH_JWT;
            return rc;
        }

        kinds |= NGX_HTTP_GW_AUTH_JWT;
        optional |= alcf->jwt->optional;
    }

    if (verified) {
        ctx->methods = verified;
        ctx->reason = GW_REASON_NONE;

        return ngx_http_gw_auth_right(r, alcf, ctx);
    }

    if (optional) {

        /* who has presented nothing may be asked for something */

        rc = ngx_http_gw_auth_permit(r->pool, &alcf->rules, NULL,
                                     &ctx->reason);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            kinds = 0;
        }

    } else {
        rc = NGX_DECLINED;
    }

    ctx->methods = kinds;
    ctx->reason = NGX_HTTP_GW_AUTH_MISSING;

    return rc;
}


static ngx_int_t
ngx_http_gw_auth_right(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_gw_auth_permit(r->pool, &alcf->rules, ctx->id,
                                 &ctx->reason);

    if (rc == NGX_DECLINED) {
        ctx->status = NGX_HTTP_FORBIDDEN;

        /* of two credentials it is the token that has the scopes */

        if (ctx->reason == GW_REASON_SCOPE && ctx->id->has_jwt) {
            ctx->methods = NGX_HTTP_GW_AUTH_JWT;
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_gw_auth_api_key(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    rc = ngx_http_gw_auth_find_key(r, &alcf->key->source, &value,
                                   &ctx->reason);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_gw_auth_check_key(r, &alcf->key->stores, gmcf->hash,
                                      &value, &ctx->id->key, &ctx->reason);
}


static ngx_int_t
ngx_http_gw_auth_jwt(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t    rc;
    ngx_str_t    token;
    gw_reason_e  reason;

    rc = ngx_http_gw_auth_find_token(r, alcf->jwt->token, &token,
                                     &ctx->reason);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_gw_auth_token(r, gmcf, alcf, ctx, &token, &reason);

    if (rc == NGX_BUSY) {
        ctx->reason = NGX_HTTP_GW_AUTH_KEYSET_DOWN;
        ctx->retry = gmcf->keyring.retry;
        return NGX_DECLINED;
    }

    if (rc != NGX_OK) {

        if (ctx->reason != NGX_HTTP_GW_AUTH_BUDGET) {
            ctx->reason = reason;
        }

        return rc;
    }

    ctx->id->has_jwt = 1;

    return ngx_http_gw_auth_require(r, alcf, ctx);
}


static ngx_int_t
ngx_http_gw_auth_token(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_str_t *text, gw_reason_e *reason)
{
    ngx_int_t                  rc;
    ngx_http_gw_auth_times_t   times;

    if (text->len > alcf->max_size) {
        *reason = GW_REASON_SIZE;
        return NGX_DECLINED;
    }

    /* a location always has keys, but a request may end at server{} */

    if (alcf->issuers == NULL) {
        *reason = GW_REASON_KEYSET;
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (alcf->cache) {
        rc = ngx_http_gw_auth_cached(r, gmcf, alcf,
                                     ctx->early ? NGX_HTTP_GW_AUTH_NOWAIT : 0,
                                     ctx->id, text, reason);

        ctx->cache = (rc == NGX_OK) ? NGX_HTTP_GW_AUTH_CACHE_HIT
                                    : NGX_HTTP_GW_AUTH_CACHE_MISS;
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_gw_auth_fresh(r, gmcf, alcf, ctx, text, reason);
    }

    /* what was verified for a variable is counted when it is decided by it */

    if (rc != NGX_AGAIN && !ctx->early) {
        ngx_http_gw_auth_count_cache(gmcf, ctx);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    times.leeway = alcf->leeway;
    times.validate_exp = alcf->validate_exp;

    rc = ngx_http_gw_auth_check_claims(ctx->id->issuer, &times,
                                       ctx->id->token, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->cache == NGX_HTTP_GW_AUTH_CACHE_L2
        || ctx->cache == NGX_HTTP_GW_AUTH_CACHE_MISS)
    {
        ngx_http_gw_auth_keep(gmcf, alcf, ctx->id,
                              ctx->cache == NGX_HTTP_GW_AUTH_CACHE_L2,
                              r->connection->log);
    }

    return NGX_OK;
}


void
ngx_http_gw_auth_count_cache(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    if (ctx->cache != NGX_HTTP_GW_AUTH_CACHE_NONE) {
        ngx_http_gw_count(gmcf->counters,
                          ngx_http_gw_auth_cache_counter(ctx->cache));
    }
}


static ngx_int_t
ngx_http_gw_auth_fresh(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_str_t *text, gw_reason_e *reason)
{
    ngx_int_t                       rc;
    gw_status_e                     status;
    ngx_http_gw_auth_token_t       *token;
    ngx_http_gw_auth_identity_t    *id;
    ngx_http_gw_auth_candidates_t   cand;

    id = ctx->id;

    rc = ngx_http_gw_auth_token_create(gmcf->jws, text, alcf->max_size,
                                       r->connection->log, &id->token,
                                       reason);
    if (rc != NGX_OK) {
        return rc;
    }

    token = id->token;

    if (ngx_http_gw_auth_find_issuer(alcf->issuers, token, &id->issuer,
                                     reason)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_gw_auth_choose(r, &gmcf->keyring, id->issuer,
                                 ngx_http_gw_auth_allowed(alcf, id->issuer),
                                 token,
                                 ctx->early ? NGX_HTTP_GW_AUTH_NOWAIT : 0,
                                 &cand, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    if (alcf->cache
        && ngx_http_gw_auth_known(gmcf, alcf, token, &cand) == NGX_OK)
    {
        ctx->cache = NGX_HTTP_GW_AUTH_CACHE_L2;

    } else {
        rc = ngx_http_gw_auth_pay(r, gmcf, alcf, ctx, 0);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_gw_auth_verify(gmcf->jws, token, &cand, reason);

        if (rc == NGX_DECLINED && !ctx->early) {
            return ngx_http_gw_auth_keys_refresh(r, &gmcf->keyring,
                                                 id->issuer);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        token->since = ngx_time();
    }

    status = gw_jwt_parse(&token->jwt, token->jws.payload,
                          token->jws.payload_len, reason);
    if (status != GW_OK) {
        return (status == GW_ERROR) ? NGX_ERROR : NGX_DECLINED;
    }

    token->verified = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_failed(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    if (ctx->status != 0 && ctx->status != NGX_HTTP_UNAUTHORIZED) {
        return NGX_DECLINED;
    }

    switch (ctx->reason) {

    case NGX_HTTP_GW_AUTH_MISSING:
    case NGX_HTTP_GW_AUTH_TWICE:
    case NGX_HTTP_GW_AUTH_KEYSET_DOWN:
        return NGX_DECLINED;
    }

    /* a token whose signature is good, and whose refusal was cheap */

    if (ctx->methods == NGX_HTTP_GW_AUTH_JWT
        && (ctx->cache == NGX_HTTP_GW_AUTH_CACHE_HIT
            || ctx->cache == NGX_HTTP_GW_AUTH_CACHE_L2))
    {
        return NGX_DECLINED;
    }

    if (ngx_http_gw_auth_pay(r, gmcf, alcf, ctx, 1) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_auth_pay(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_uint_t cost)
{
    ngx_int_t  rc;

    if (alcf->budget == NULL || ctx->paid) {
        return NGX_OK;
    }

    rc = ngx_http_gw_auth_budget_take(r, gmcf->zone, alcf->budget, cost,
                                      &ctx->retry);

    if (rc == NGX_DECLINED) {
        ctx->reason = NGX_HTTP_GW_AUTH_BUDGET;
        ctx->status = NGX_HTTP_TOO_MANY_REQUESTS;
    }

    return rc;
}


ngx_int_t
ngx_http_gw_auth_refuse(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_str_t                  error, more, param, realm, value;
    ngx_uint_t                 join;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    join = (clcf->satisfy == NGX_HTTP_SATISFY_ANY);

    if (ctx->status == NGX_HTTP_SERVICE_UNAVAILABLE
        || (ctx->status == NGX_HTTP_TOO_MANY_REQUESTS && !join))
    {
        return ngx_http_gw_auth_retry(r, ctx);
    }

    if (alcf->challenge == NGX_HTTP_GW_AUTH_CHALLENGE_OFF
        || ctx->status == NGX_HTTP_INTERNAL_SERVER_ERROR
        || ctx->reason == NGX_HTTP_GW_AUTH_NOT_ALLOWED)
    {
        return NGX_OK;
    }

    if (alcf->challenge == NGX_HTTP_GW_AUTH_CHALLENGE_TEXT) {
        return ngx_http_gw_auth_add_challenge(r, &ctx->challenges,
                                              &alcf->challenge_text, join);
    }

    ngx_http_gw_auth_error(ctx, &error);
    ngx_str_null(&more);

    if (ctx->reason == GW_REASON_SCOPE && error.len) {
        more = alcf->rules.scope->text;
    }

    if (alcf->jwt) {

        ngx_http_gw_auth_metadata_param(alcf->resources, &r->uri, &param);

        if (ngx_http_gw_auth_join_params(r->pool, &more, &param) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_complex_value(r, &alcf->jwt->realm, &realm) != NGX_OK
            || ngx_http_gw_auth_challenge(r->pool, &ngx_http_gw_auth_bearer,
                                          &realm, &error, &more, &value)
               != NGX_OK
            || ngx_http_gw_auth_add_challenge(r, &ctx->challenges, &value,
                                              join)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* another key would not help who lacks a right */

    if (alcf->key && ctx->status != NGX_HTTP_FORBIDDEN) {

        ngx_str_null(&error);
        ngx_str_null(&more);

        if (ngx_http_complex_value(r, &alcf->key->realm, &realm) != NGX_OK
            || ngx_http_gw_auth_challenge(r->pool, &ngx_http_gw_auth_apikey,
                                          &realm, &error, &more, &value)
               != NGX_OK
            || ngx_http_gw_auth_add_challenge(r, &ctx->challenges, &value,
                                              join)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_retry(ngx_http_request_t *r, ngx_http_gw_auth_ctx_t *ctx)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Retry-After");
    h->value.len = ngx_sprintf(p, "%ui", ctx->retry) - p;
    h->value.data = p;

    ctx->retry_after = h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_join_params(ngx_pool_t *pool, ngx_str_t *one,
    ngx_str_t *two)
{
    u_char  *p;

    if (one->len == 0) {
        *one = *two;
        return NGX_OK;
    }

    if (two->len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, one->len + two->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_cpymem(p, one->data, one->len), two->data, two->len);

    one->len += two->len;
    one->data = p;

    return NGX_OK;
}


/* RFC 6750, 3.1: no code for a request without a token */

static void
ngx_http_gw_auth_error(ngx_http_gw_auth_ctx_t *ctx, ngx_str_t *error)
{
    ngx_str_null(error);

    if (ctx->methods != NGX_HTTP_GW_AUTH_JWT
        || ctx->reason == NGX_HTTP_GW_AUTH_MISSING
        || ctx->reason == NGX_HTTP_GW_AUTH_BUDGET)
    {
        return;
    }

    switch (ctx->status) {

    case NGX_HTTP_BAD_REQUEST:
        ngx_str_set(error, "invalid_request");
        break;

    case NGX_HTTP_FORBIDDEN:
        ngx_str_set(error, "insufficient_scope");
        break;

    default:
        ngx_str_set(error, "invalid_token");
        break;
    }
}


/*
 * Core adds the request line and the Referer header, which may hold
 * credentials in arguments.
 */

void
ngx_http_gw_auth_log(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_str_t         line, page;
    ngx_uint_t        level;
    ngx_table_elt_t  *referer;

    level = (ctx->status == NGX_HTTP_INTERNAL_SERVER_ERROR) ? NGX_LOG_ERR
                                                            : NGX_LOG_INFO;

    if (r->connection->log->log_level < level) {
        return;
    }

    line = r->request_line;
    referer = r->headers_in.referer;

    ngx_str_null(&page);

    ngx_http_gw_auth_log_redact(r, gmcf, &r->request_line);

    if (referer) {
        page = referer->value;
        ngx_http_gw_auth_log_redact(r, gmcf, &referer->value);
    }

    ngx_log_error(level, r->connection->log, 0,
                  "request %s, credential \"%s\", reason \"%s\"",
                  ctx->dry ? "passes a dry run" : "refused",
                  ngx_http_gw_auth_method_text(ctx->methods),
                  ngx_http_gw_auth_reason_text(ctx->reason));

    r->request_line = line;

    if (referer) {
        referer->value = page;
    }
}


static void
ngx_http_gw_auth_log_redact(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_str_t *text)
{
    ngx_str_t  value;

    value = *text;

    if (ngx_http_gw_auth_redact(r->pool, &gmcf->args, &value, text)
        != NGX_OK)
    {
        ngx_str_set(text, "-");
    }
}
