
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* One request on its way through its limits of requests in progress. */


#ifndef NGX_HTTP_GW_CONCURRENCY_REQUEST_H
#define NGX_HTTP_GW_CONCURRENCY_REQUEST_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_fields.h"
#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_limit_response.h"


/*
 * The work of a phase handler after that of the rate limits: a request that
 * waits for its turn is not in progress yet.  ctx holds what is taken until
 * ngx_http_gw_limit_cleanup().
 *
 * Returns what the phase handler is to return.  NGX_AGAIN: the request is
 * parked, ctx->concurrency.waiting is set, and the answer of Redis runs the
 * phases again.
 */
ngx_int_t ngx_http_gw_concurrency_handle(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_conf_t *conf,
    ngx_http_gw_limit_phase_e phase);

/*
 * Adds what the client is told to an array of ngx_http_gw_limit_extra_t,
 * which may be zeroed: it is made in the pool when there is something.
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_concurrency_extras(ngx_pool_t *pool,
    ngx_http_gw_concurrency_ctx_t *cctx, ngx_array_t *extras);

/* The value of $gw_concurrency_status; empty if there is none. */
ngx_str_t *ngx_http_gw_concurrency_status(ngx_http_gw_concurrency_ctx_t *cctx);


#endif /* NGX_HTTP_GW_CONCURRENCY_REQUEST_H */
