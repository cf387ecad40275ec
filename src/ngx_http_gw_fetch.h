
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The internal request of a part: made fresh, so that nothing of the
 * client's request that is not meant for the part reaches it.
 */


#ifndef NGX_HTTP_GW_FETCH_H
#define NGX_HTTP_GW_FETCH_H


#include "ngx_http_gw_aggregate.h"


/* the headers of the client's request that parts are given */

typedef struct {
    ngx_table_elt_t                 *header;
    ngx_http_header_t               *known;     /* NULL: no special one */
    unsigned                         body:1;    /* describes a body */
} ngx_http_gw_fetch_header_t;


/*
 * Splits and checks the URI of a part.
 *
 *     uri      path with optional arguments, percent-encoded
 *     encoded  out: path has an encoded slash and was therefore left as it
 *              is, the proxy must not encode it again
 *
 * Returns NGX_OK, NGX_DECLINED when it is unsafe, NGX_ERROR.
 */
ngx_int_t ngx_http_gw_fetch_uri(ngx_pool_t *pool, ngx_str_t *uri,
    ngx_str_t *path, ngx_str_t *args, ngx_uint_t *encoded);


/*
 * Finds out whether a part is wanted at all: if= and part->skipped.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_fetch_wanted(ngx_http_request_t *r,
    ngx_http_gw_part_t *part);


/*
 * Makes the path, the arguments and the body of a part.
 *
 *     own  values that parts have made, NULL: any will do
 *
 * Returns NGX_OK, NGX_DECLINED when a value cannot be used, NGX_ERROR.
 */
ngx_int_t ngx_http_gw_fetch_prepare(ngx_http_request_t *r,
    ngx_http_gw_part_t *part, ngx_http_gw_own_t *own);


/*
 * Collects the headers for the parts of a request.
 *
 *     strip    names that parts must not see
 *
 * Returns an array of ngx_http_gw_fetch_header_t or NULL.
 */
ngx_array_t *ngx_http_gw_fetch_headers(ngx_http_request_t *r,
    ngx_hash_t *strip);


/*
 * Makes the request of a part, which is run when r's posted requests are,
 * and by then calls part->post.  It takes one reference of r->main.
 *
 *     headers  of ngx_http_gw_fetch_headers()
 *
 * Returns NGX_OK, or NGX_ERROR with part->request set when the request is
 * there but cannot be sent on.
 */
ngx_int_t ngx_http_gw_fetch_start(ngx_http_request_t *r,
    ngx_http_gw_part_t *part, ngx_array_t *headers);


#endif /* NGX_HTTP_GW_FETCH_H */
