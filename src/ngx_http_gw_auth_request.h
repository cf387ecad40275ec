
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
 *     ctx   of the main request; zeroes, or that of another policy
 *
 * Returns what a handler of the access phase returns.
 */

ngx_int_t ngx_http_gw_auth_run(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_ctx_t *ctx);

/*
 * Takes the credentials out of a request that has passed, and sets the headers
 * of gw_auth_header.
 *
 *     ctx  of the main request
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_forward(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);


#endif /* NGX_HTTP_GW_AUTH_REQUEST_H */
