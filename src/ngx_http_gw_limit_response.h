
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the client is told about its limits: the fields RateLimit-Policy,
 * RateLimit and Retry-After, and the body of a rejection.
 */


#ifndef NGX_HTTP_GW_LIMIT_RESPONSE_H
#define NGX_HTTP_GW_LIMIT_RESPONSE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_limit.h"


/*
 * Returns the limit to be told of: one that rejected, otherwise the one that
 * is nearest to exhaustion; NULL if there is no answer in the sets.
 *
 *     sets    n of them
 *     silent  not 0 counts those that are not shown to the client, too
 */
ngx_http_gw_limit_entry_t *ngx_http_gw_limit_nearest(
    ngx_http_gw_limit_set_t *sets, ngx_uint_t n, ngx_uint_t silent);

/* another limit of the request, that is not one of its rate */

typedef struct {
    gw_ratelimit_item_t   item;
    ngx_uint_t            failed;      /* it rejected */
} ngx_http_gw_limit_extra_t;


/*
 * Adds RateLimit-Policy with all the limits of the sets that have an answer,
 * and RateLimit with the one that rejected, or the nearest one.
 *
 *     extras  array of ngx_http_gw_limit_extra_t, the other limits
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_add_fields(ngx_http_request_t *r,
    ngx_http_gw_limit_set_t *sets, ngx_uint_t n, ngx_array_t *extras,
    ngx_uint_t jitter, ngx_uint_t *dice);

/*
 * Adds up to "jitter" percent to a time that the client is told, usec, in
 * whole seconds; of two times the longer one stays the longer one.
 *
 *     dice  in/out: of the request, 0 at first
 */
int64_t ngx_http_gw_limit_jitter(ngx_uint_t jitter, ngx_uint_t *dice,
    int64_t usec);

/* Adds Retry-After; usec > 0.  Returns NGX_OK or NGX_ERROR, as above. */
ngx_int_t ngx_http_gw_limit_add_retry_after(ngx_http_request_t *r,
    int64_t usec);

/*
 * Answers with a problem document, unless error_page has a page for the
 * status.
 *
 *     policy  that is violated, NULL: the decision could not be made
 *
 * Returns what a phase handler is to return: NGX_DONE when the request is
 * finalized, otherwise status.
 */
ngx_int_t ngx_http_gw_limit_problem(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *policy);


#endif /* NGX_HTTP_GW_LIMIT_RESPONSE_H */
