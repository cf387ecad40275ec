
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The variables of ngx_http_gw_auth_module.
 */


#ifndef NGX_HTTP_GW_AUTH_VAR_H
#define NGX_HTTP_GW_AUTH_VAR_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_check.h"
#include "ngx_http_gw_auth_conf.h"


#define NGX_HTTP_GW_AUTH_VAR_STATUS  0
#define NGX_HTTP_GW_AUTH_VAR_REASON  1
#define NGX_HTTP_GW_AUTH_VAR_METHOD  2
#define NGX_HTTP_GW_AUTH_VAR_CACHE   3


/*
 * These functions set a variable from a decision.
 *
 *     ctx   NULL: nothing has been decided
 *     data  what the variable is: for value ngx_http_gw_auth_value_e; for
 *           meta, claim and header its name, with the prefix; for named
 *           ngx_http_gw_auth_claim_var_t; for result one of the numbers above
 *
 * They return NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_get_value(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_gw_auth_get_meta(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_gw_auth_get_claim(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_gw_auth_get_header(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_gw_auth_get_named(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_gw_auth_get_result(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data);

/* $gw_request_uri */

ngx_int_t ngx_http_gw_auth_get_uri(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_variable_value_t *v);


#endif /* NGX_HTTP_GW_AUTH_VAR_H */
