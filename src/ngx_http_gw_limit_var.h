
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The variables of the rate-limit module.
 */


#ifndef NGX_HTTP_GW_LIMIT_VAR_H
#define NGX_HTTP_GW_LIMIT_VAR_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_quota_request.h"


typedef enum {

    /* of the request */

    NGX_HTTP_GW_LIMIT_VAR_STATUS = 0,
    NGX_HTTP_GW_LIMIT_VAR_RETRY_AFTER,
    NGX_HTTP_GW_LIMIT_VAR_DELAY,
    NGX_HTTP_GW_LIMIT_VAR_TIME,

    /* of the limit that rejected, or is nearest to exhaustion */

    NGX_HTTP_GW_LIMIT_VAR_SOURCE,
    NGX_HTTP_GW_LIMIT_VAR_ZONE,
    NGX_HTTP_GW_LIMIT_VAR_POLICY,
    NGX_HTTP_GW_LIMIT_VAR_LIMIT,
    NGX_HTTP_GW_LIMIT_VAR_REMAINING,
    NGX_HTTP_GW_LIMIT_VAR_RESET,
    NGX_HTTP_GW_LIMIT_VAR_COST,

    /* of the main request, from here on */

    NGX_HTTP_GW_LIMIT_VAR_MAIN,

    NGX_HTTP_GW_LIMIT_VAR_CONCURRENCY_STATUS = NGX_HTTP_GW_LIMIT_VAR_MAIN,
    NGX_HTTP_GW_LIMIT_VAR_CONCURRENCY_CURRENT,

    /* in the order of ngx_http_gw_quota_variable_e */

    NGX_HTTP_GW_LIMIT_VAR_QUOTA,

    NGX_HTTP_GW_LIMIT_VAR_QUOTA_STATUS = NGX_HTTP_GW_LIMIT_VAR_QUOTA,
    NGX_HTTP_GW_LIMIT_VAR_QUOTA_WARNING,
    NGX_HTTP_GW_LIMIT_VAR_QUOTA_USED,
    NGX_HTTP_GW_LIMIT_VAR_QUOTA_REMAINING,
    NGX_HTTP_GW_LIMIT_VAR_QUOTA_RESET
} ngx_http_gw_limit_var_e;


/*
 * The value of a variable, "not found" if there is none.
 *
 *     ctx  NULL: the request has no limits
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_get_value(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var);

/*
 * The value of $gw_limit_limit_<zone> or $gw_limit_remaining_<zone>.
 *
 *     ctx   NULL: the request has no limits
 *     name  of the variable
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_zone_variable(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_str_t *name);

/*
 * The value of $gw_redis_state_<name>, "not found" if nobody uses it.
 *
 *     name  of the variable
 */
void ngx_http_gw_limit_get_state(ngx_http_gw_limit_links_t *links,
    ngx_http_variable_value_t *v, ngx_str_t *name);


#endif /* NGX_HTTP_GW_LIMIT_VAR_H */
