
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The authentication of a request: when it is decided, and what becomes of
 * the decision.
 */


#ifndef NGX_HTTP_GW_AUTH_REQUEST_H
#define NGX_HTTP_GW_AUTH_REQUEST_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_check.h"


/*
 * Decides a request by the policy of its location, or takes the decision that
 * this policy has made before an internal redirect.
 *
 *     alcf  has gw_jwt or gw_api_key
 *     ctx   zeroes, or that of another policy, or undecided
 *
 * Returns what a handler of the access phase returns.
 */

ngx_int_t ngx_http_gw_auth_run(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);

/*
 * Verifies credentials for a variable that is read before the request is
 * decided, without waiting for anything.  Nothing is counted or logged; what
 * has been verified ngx_http_gw_auth_run() takes over.
 *
 *     alcf  has gw_jwt or gw_api_key
 *     ctx   undecided, see ngx_http_gw_auth_decided()
 */

void ngx_http_gw_auth_early(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);

/* it is decided, or is being verified just now */

#define ngx_http_gw_auth_decided(ctx)                                         \
    ((ctx)->busy || ((ctx)->policy && !(ctx)->early))

/*
 * Takes the credentials out of a request that has passed, and sets the headers
 * of gw_auth_header.
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_forward(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);


#endif /* NGX_HTTP_GW_AUTH_REQUEST_H */
