
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The filter that keeps what parts answer.
 */


#ifndef NGX_HTTP_GW_CAPTURE_H
#define NGX_HTTP_GW_CAPTURE_H


#include "ngx_http_gw_aggregate.h"


/*
 * Whether a part may run in its location.  To be called in PREACCESS.
 *
 * Returns NGX_DECLINED, or NGX_HTTP_FORBIDDEN with the part failed and the
 * error logged.
 */
ngx_int_t ngx_http_gw_capture_access(ngx_http_request_t *r);


/*
 * The filters.  Return NGX_DECLINED when r is not of ours and goes to the
 * next filter, else NGX_OK: a part never fails in its filters.
 */
ngx_int_t ngx_http_gw_capture_header(ngx_http_request_t *r);
ngx_int_t ngx_http_gw_capture_body(ngx_http_request_t *r, ngx_chain_t *in);


/*
 * What a script wanted to keep in memory could not be kept there: its part
 * has failed, but not the client's request.
 *
 * Returns NGX_OK, or NGX_ERROR when r is not of ours.
 */
ngx_int_t ngx_http_gw_capture_failed(ngx_http_request_t *r, ngx_chain_t *in);


#endif /* NGX_HTTP_GW_CAPTURE_H */
