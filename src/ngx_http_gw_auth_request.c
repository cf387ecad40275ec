
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_check.h"
#include "ngx_http_gw_auth_conf.h"
#include "ngx_http_gw_auth_reason.h"
#include "ngx_http_gw_auth_request.h"
#include "ngx_http_gw_auth_require.h"
#include "ngx_http_gw_counters.h"


static ngx_int_t ngx_http_gw_auth_begin(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_decide(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_gw_auth_answer(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);
static void ngx_http_gw_auth_take_back(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx);


ngx_int_t
ngx_http_gw_auth_run(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_uint_t  early;

    early = ctx->early;
    ctx->early = 0;

    /* "set" may have changed a variable with a token since, or "require" */

    if (early
        && (ctx->id == NULL
            || (alcf->jwt && alcf->jwt->token != NGX_ERROR)))
    {
        ctx->policy = NULL;
    }

    if (ctx->policy == alcf->policy) {

        if (early) {
            ngx_http_gw_auth_count_cache(gmcf, ctx);
        }

        if (ctx->id == NULL || !ctx->id->has_jwt) {
            return early ? ngx_http_gw_auth_decide(r, gmcf, alcf, ctx, NGX_OK)
                         : ngx_http_gw_auth_answer(r, alcf, ctx);
        }

        /*
         * After an internal redirect credentials are not verified again, but
         * what is required of them may depend on the new URI.
         */

        rc = ngx_http_gw_auth_require(r, alcf, ctx);

        if (rc == NGX_OK && !early) {
            return ngx_http_gw_auth_answer(r, alcf, ctx);
        }

        if (rc == NGX_OK) {
            return ngx_http_gw_auth_decide(r, gmcf, alcf, ctx, NGX_OK);
        }

        ctx->methods = NGX_HTTP_GW_AUTH_JWT;

        return ngx_http_gw_auth_decide(r, gmcf, alcf, ctx, rc);
    }

    if (ctx->policy) {
        ngx_http_gw_auth_take_back(r, ctx);
    }

    rc = ngx_http_gw_auth_begin(r, gmcf, alcf, ctx);

    if (rc == NGX_AGAIN) {

        /* parked by the source of its keys, which runs the phases again */

        ctx->policy = NULL;
        ctx->id = NULL;

        return NGX_AGAIN;
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_gw_auth_failed(r, gmcf, alcf, ctx);
    }

    ctx->paid = 0;

    return ngx_http_gw_auth_decide(r, gmcf, alcf, ctx, rc);
}


void
ngx_http_gw_auth_early(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->policy == alcf->policy) {
        return;
    }

    ctx->early = 1;

    rc = ngx_http_gw_auth_begin(r, gmcf, alcf, ctx);

    if (rc == NGX_OK) {
        return;
    }

    /* the request may be answered before anybody decides it */

    if (rc == NGX_DECLINED && ctx->reason == GW_REASON_SIG) {
        rc = ngx_http_gw_auth_failed(r, gmcf, alcf, ctx);
        ctx->paid = 1;
    }

    ctx->id = NULL;
    ctx->status = 0;
    ctx->dry = alcf->rules.dry_run;

    if (rc != NGX_DECLINED) {
        ctx->reason = GW_REASON_MEMORY;
    }
}


static ngx_int_t
ngx_http_gw_auth_begin(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_http_gw_auth_saved_t  saved;

    ctx->policy = alcf->policy;
    ctx->dry = 0;
    ctx->id = NULL;
    ctx->methods = 0;
    ctx->reason = GW_REASON_NONE;
    ctx->status = 0;
    ctx->cache = NGX_HTTP_GW_AUTH_CACHE_NONE;

    /* another location may have taken the credentials out */

    rc = ngx_http_gw_auth_present(r, &ctx->stripped, &saved);

    if (rc == NGX_OK) {

        /* variables that it reads may be made of what it finds out */

        ctx->busy = 1;

        rc = ngx_http_gw_auth_evaluate(r, gmcf, alcf, ctx);

        ctx->busy = 0;

        ngx_http_gw_auth_restore(r, &saved);
    }

    return rc;
}


static ngx_int_t
ngx_http_gw_auth_decide(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx, ngx_int_t rc)
{
    ctx->dry = (rc != NGX_OK && alcf->rules.dry_run);

    if (rc != NGX_OK) {

        ctx->id = NULL;

        if (rc == NGX_ERROR) {
            ctx->reason = GW_REASON_MEMORY;
            ctx->status = NGX_HTTP_INTERNAL_SERVER_ERROR;

        } else if (ctx->reason == NGX_HTTP_GW_AUTH_TWICE) {
            ctx->status = NGX_HTTP_BAD_REQUEST;

        } else if (ctx->reason == NGX_HTTP_GW_AUTH_KEYSET_DOWN) {
            ctx->status = NGX_HTTP_SERVICE_UNAVAILABLE;

        } else if (ctx->status == 0) {
            ctx->status = NGX_HTTP_UNAUTHORIZED;
        }

        ngx_http_gw_auth_log(r, gmcf, ctx);

        if (ctx->dry) {
            ctx->status = 0;
        }
    }

    ngx_http_gw_count(gmcf->counters,
                      ngx_http_gw_auth_counter(ctx->methods, ctx->reason,
                                               ctx->dry));

    return ngx_http_gw_auth_answer(r, alcf, ctx);
}


static ngx_int_t
ngx_http_gw_auth_answer(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (ctx->status == 0) {

        if (ctx->reason == NGX_HTTP_GW_AUTH_PREFLIGHT) {
            return NGX_OK;
        }

        /*
         * An absent optional credential satisfies nobody, and a dry run opens
         * nothing that is closed without it.
         */

        return (ctx->methods && !ctx->dry) ? NGX_OK : NGX_DECLINED;
    }

    /* in the location before, core took them back if another check passed */

    ngx_http_gw_auth_take_back(r, ctx);

    if (ngx_http_gw_auth_refuse(r, alcf, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* there core goes on to the next module on 401 and 403 only */

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY
        && (ctx->status == NGX_HTTP_BAD_REQUEST
            || ctx->status == NGX_HTTP_TOO_MANY_REQUESTS
            || ctx->status == NGX_HTTP_SERVICE_UNAVAILABLE))
    {
        return NGX_HTTP_UNAUTHORIZED;
    }

    return ctx->status;
}


/* what a refusal has added to the answer */

static void
ngx_http_gw_auth_take_back(ngx_http_request_t *r, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_http_gw_auth_clear_challenges(r, &ctx->challenges);

    if (ctx->retry_after) {
        ctx->retry_after->hash = 0;
        ctx->retry_after = NULL;
    }
}


ngx_int_t
ngx_http_gw_auth_forward(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_http_gw_auth_stripped_t  *stripped, own;

    if (alcf->rules.strip && ngx_http_gw_auth_asks(alcf)) {

        /* a subrequest has copies of what its request has presented */

        ngx_memzero(&own, sizeof(ngx_http_gw_auth_stripped_t));

        stripped = (r == r->main) ? &ctx->stripped : &own;

        if (alcf->jwt
            && ngx_http_gw_auth_strip(r, 1, &alcf->jwt->source, stripped)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (alcf->key
            && ngx_http_gw_auth_strip(r, 0, &alcf->key->source, stripped)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (alcf->rules.headers == NULL) {
        return NGX_OK;
    }

    return ngx_http_gw_auth_set_headers(r, alcf->rules.headers,
                                        ctx->id == NULL || ctx->methods == 0);
}
