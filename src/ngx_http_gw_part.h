
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The life of a part's request, from its post handler to its end.
 */


#ifndef NGX_HTTP_GW_PART_H
#define NGX_HTTP_GW_PART_H


#include "ngx_http_gw_aggregate.h"


/*
 * Prepares a zeroed part.
 */
void ngx_http_gw_part_init(ngx_http_gw_part_t *part,
    ngx_http_gw_gather_t *gather, ngx_http_gw_part_conf_t *pcf);


/*
 * The name of an error in the closed set that clients, variables and logs
 * see.
 */
const ngx_str_t *ngx_http_gw_part_error_name(ngx_http_gw_part_error_e error);


/*
 * Finds the part that a request belongs to.
 *
 *     nested   out: 1 when r is not the part's own request but one made in
 *              it: SSI, a background update of the cache
 *
 * Returns the part, or NULL when r is not of ours.
 */
ngx_http_gw_part_t *ngx_http_gw_part_find(ngx_http_request_t *r,
    ngx_uint_t *nested);


/*
 * Notes that a part failed; the first error stays.
 */
void ngx_http_gw_part_fail(ngx_http_gw_part_t *part,
    ngx_http_gw_part_error_e error);


/*
 * Takes a part off those that are waited for, and wakes its gather.
 */
void ngx_http_gw_part_finish(ngx_http_gw_part_t *part);


/*
 * Ends a part now: its connection is closed.  What cannot be stopped runs
 * on, and what it answers is dropped.  At top level only.
 */
void ngx_http_gw_part_cancel(ngx_http_gw_part_t *part);


/*
 * Ends requests that were made inside of a part.  At top level only.
 */
void ngx_http_gw_part_stop_nested(ngx_http_postponed_request_t *pr);


/*
 * Whether a request waits for the timer of limit_req.
 */
ngx_uint_t ngx_http_gw_part_delayed(ngx_http_request_t *sr);


/*
 * Undoes what waiting for proxy_cache_lock did.  Returns 1 if it waited.
 */
ngx_uint_t ngx_http_gw_part_unlock(ngx_http_request_t *sr);


/*
 * Writes the access log of a request that core ends without it.
 */
void ngx_http_gw_part_log_request(ngx_http_request_t *sr);


#endif /* NGX_HTTP_GW_PART_H */
