
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Which parts wait for which: found out when the configuration is read, so
 * that parts that would wait for each other are refused there.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_GRAPH_H
#define NGX_HTTP_GW_AGGREGATE_GRAPH_H


#include "ngx_http_gw_aggregate.h"


/*
 * Resolves the names of parts and of values in a location, and compiles
 * what is taken from each part.
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR with the error logged.
 */
char *ngx_http_gw_graph_init(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf);


/*
 * Whether all that a part waits for is done.
 */
ngx_uint_t ngx_http_gw_graph_ready(ngx_http_gw_part_t *part);


/*
 * Whether the values are there that a part cannot do without.
 */
ngx_uint_t ngx_http_gw_graph_complete(ngx_http_gw_part_t *part);


#endif /* NGX_HTTP_GW_AGGREGATE_GRAPH_H */
