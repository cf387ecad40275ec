
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What a client is told that is rejected: Retry-After, and the body.
 */


#ifndef NGX_HTTP_GW_LIMIT_RESPONSE_H
#define NGX_HTTP_GW_LIMIT_RESPONSE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_limit.h"


/*
 * Adds up to "jitter" percent to a time that the client is told, usec, in
 * whole seconds; of two times the longer one stays the longer one.
 *
 *     dice  in/out: of the request, 0 at first
 */
int64_t ngx_http_gw_limit_jitter(ngx_uint_t jitter, ngx_uint_t *dice,
    int64_t usec);

/*
 * Adds Retry-After; usec > 0.  Returns NGX_OK, or NGX_ERROR when memory is
 * short.
 */
ngx_int_t ngx_http_gw_limit_add_retry_after(ngx_http_request_t *r,
    int64_t usec);

/*
 * Adds a response field.
 *
 *     name  lives as long as the response
 *
 * Returns the field, without a value, or NULL when memory is short.
 */
ngx_table_elt_t *ngx_http_gw_limit_field(ngx_http_request_t *r,
    const ngx_str_t *name);

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
