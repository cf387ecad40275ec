
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * gw_aggregate_stream: an answer that begins when nothing can change its
 * status any more, while optional parts still run.  What was sent of a part
 * is given back at once.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_STREAM_H
#define NGX_HTTP_GW_AGGREGATE_STREAM_H


#include "ngx_http_gw_aggregate.h"


typedef enum {
    NGX_HTTP_GW_STREAM_OFF = 0,
    NGX_HTTP_GW_STREAM_ORDERED,
    NGX_HTTP_GW_STREAM_NDJSON
} ngx_http_gw_stream_e;


/*
 * Refuses what an answer that is streamed cannot do.
 *
 * Returns NGX_CONF_OK or NGX_CONF_ERROR (logged).
 */
char *ngx_http_gw_stream_init(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_str_t *location);


/*
 * Whether the answer of a request is streamed: not that of a part, nor to
 * HTTP/1.0, which knows no chunks; a document without optional parts is as
 * fast in one piece.
 */
ngx_uint_t ngx_http_gw_stream_wanted(ngx_http_gw_gather_t *gather);


/*
 * The write event handler of a request that is streamed, instead of
 * ngx_http_gw_gather_run() and ngx_http_gw_compose().
 */
void ngx_http_gw_stream_handler(ngx_http_gw_gather_t *gather);


#endif /* NGX_HTTP_GW_AGGREGATE_STREAM_H */
