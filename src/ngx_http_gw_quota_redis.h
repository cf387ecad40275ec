
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The quotas of a request that Redis counts, and the limits that wait for
 * them: one call decides all those of a phase.
 */


#ifndef NGX_HTTP_GW_QUOTA_REDIS_H
#define NGX_HTTP_GW_QUOTA_REDIS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_quota_copy.h"
#include "ngx_http_gw_limit_request.h"


/*
 * Asks Redis about the quotas of ctx->quota->remote and the limits of the
 * phase, if they were deferred.
 *
 * Returns what the phase handler is to return; NGX_AGAIN: the request is
 * parked, and ctx->quota->waiting is set until ngx_http_gw_quota_answer().
 */
ngx_int_t ngx_http_gw_quota_ask(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);

/*
 * Fills in what a call of Redis has to know of a quota: the keys, and
 * entry->remote, to which the cell points; the second key follows the first
 * one in memory.  Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_quota_cell(ngx_pool_t *pool,
    ngx_http_gw_quota_entry_t *entry, ngx_http_gw_limit_redis_cell_t *cell);

/* Takes the answer.  Returns what the phase handler is to return. */
ngx_int_t ngx_http_gw_quota_answer(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);


#endif /* NGX_HTTP_GW_QUOTA_REDIS_H */
