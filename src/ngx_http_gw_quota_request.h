
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* One request on its way through its quotas. */


#ifndef NGX_HTTP_GW_QUOTA_REQUEST_H
#define NGX_HTTP_GW_QUOTA_REQUEST_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_fields.h"
#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_limit_response.h"


/* the variables of ngx_http_gw_quota_value() */

typedef enum {
    NGX_HTTP_GW_QUOTA_VAR_STATUS = 0,
    NGX_HTTP_GW_QUOTA_VAR_WARNING,
    NGX_HTTP_GW_QUOTA_VAR_USED,
    NGX_HTTP_GW_QUOTA_VAR_REMAINING,
    NGX_HTTP_GW_QUOTA_VAR_RESET
} ngx_http_gw_quota_variable_e;


/*
 * The work of a phase handler after that of the other limits: a request that
 * these reject takes nothing of a quota.
 *
 * Returns what the phase handler is to return.
 */
ngx_int_t ngx_http_gw_quota_handle(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_conf_t *conf,
    ngx_http_gw_limit_phase_e phase);

/*
 * Names the period of a quota.
 *
 *     now  seconds since 1970, of the clock that decides
 */
void ngx_http_gw_quota_period(ngx_http_gw_quota_entry_t *entry, int64_t now);

/*
 * The request goes on; entry->result has the decision about a quota.
 *
 *     room  0: it was exceeded, but that may be
 */
void ngx_http_gw_quota_pass(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry, ngx_uint_t room);

/*
 * A quota has too little left.  Returns NGX_OK if the request goes on anyway,
 * otherwise what the phase handler is to return.
 */
ngx_int_t ngx_http_gw_quota_exceeded(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_entry_t *entry);

/* Returns the usec until an exceeded quota has more, -1: never enough. */
int64_t ngx_http_gw_quota_wait(ngx_http_gw_quota_entry_t *entry);

/*
 * A rejected request takes nothing of what this host counts in the phase; a
 * limit of an earlier phase shields this one, and is not given back.
 */
void ngx_http_gw_quota_give(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase);

/* Logs that a value of a zone is not a number, but seldom. */
void ngx_http_gw_quota_complain(ngx_http_request_t *r,
    ngx_http_gw_quota_zone_t *zone, const char *what);

/*
 * Adds what the client is told to an array of ngx_http_gw_limit_extra_t,
 * which may be zeroed.  Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_quota_extras(ngx_pool_t *pool,
    ngx_http_gw_quota_ctx_t *qctx, ngx_array_t *extras);

/*
 * The value of a variable of the quotas; "not found" if there is none.
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_quota_value(ngx_http_request_t *r,
    ngx_http_gw_quota_ctx_t *qctx, ngx_http_gw_quota_variable_e which,
    ngx_http_variable_value_t *v);


#endif /* NGX_HTTP_GW_QUOTA_REQUEST_H */
