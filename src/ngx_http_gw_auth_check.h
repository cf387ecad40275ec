
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Whether a request is let in, and what it is told if not.
 */


#ifndef NGX_HTTP_GW_AUTH_CHECK_H
#define NGX_HTTP_GW_AUTH_CHECK_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_challenge.h"
#include "ngx_http_gw_auth_conf.h"
#include "ngx_http_gw_auth_identity.h"
#include "ngx_http_gw_auth_reason.h"


typedef struct {
    ngx_http_request_t             *request;
    ngx_http_gw_auth_loc_conf_t    *policy;      /* has decided, or NULL */
    ngx_http_gw_auth_identity_t    *id;          /* NULL: nobody */
    ngx_http_gw_auth_challenges_t   challenges;
    ngx_uint_t                      methods;     /* verified or refused */
    ngx_uint_t                      reason;
    ngx_uint_t                      status;      /* of the refusal, or 0 */
    ngx_uint_t                      retry;       /* seconds, of 429, 503 */
    ngx_table_elt_t                *retry_after;
    ngx_uint_t                      cache;       /* ..._auth_cache_e */
    ngx_http_gw_auth_stripped_t     stripped;    /* of the main request */
    unsigned                        early:1;     /* for a variable */
    unsigned                        busy:1;      /* being verified */
    unsigned                        paid:1;      /* before it is decided */
    unsigned                        dry:1;       /* refused, let pass */
} ngx_http_gw_auth_ctx_t;


/*
 * Verifies what the request presents against the policy of its location, and
 * whether its client may do what it asks for.
 *
 *     alcf  has gw_jwt or gw_api_key
 *     ctx   out: an identity, methods, reason, and status if a requirement
 *           chose one.  Unless NGX_OK is returned, the caller takes the
 *           identity from the context.
 *
 * Returns NGX_OK: nothing speaks against the request, ctx->methods is what has
 * been verified, 0 if nothing was presented and nothing is needed;
 * NGX_DECLINED: refused for ctx->reason, because of ctx->methods; NGX_AGAIN:
 * the request waits for keys, and is to be evaluated anew when its phases are
 * run again; NGX_ERROR: could not tell.
 */

ngx_int_t ngx_http_gw_auth_evaluate(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);

/*
 * Counts what was known of the token of a request, if it had one.
 */

void ngx_http_gw_auth_count_cache(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_ctx_t *ctx);

/*
 * Takes what a refusal costs from gw_auth_budget: ngx_http_gw_auth_evaluate()
 * has returned NGX_DECLINED.
 *
 *     ctx   in/out: the budget is the reason of the refusal once it is spent
 *
 * Returns NGX_DECLINED or NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_failed(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);

/*
 * Adds the challenges of a refusal to the answer: ctx->status, reason and
 * methods are set.
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_refuse(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);

/*
 * Logs a refusal, without credentials: ctx is as above.
 */

void ngx_http_gw_auth_log(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_ctx_t *ctx);


#endif /* NGX_HTTP_GW_AUTH_CHECK_H */
