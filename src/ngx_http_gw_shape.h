
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * gw_aggregate_pick, gw_aggregate_drop and gw_aggregate_rename: what of the
 * value of a part goes into the answer.
 */


#ifndef NGX_HTTP_GW_SHAPE_H
#define NGX_HTTP_GW_SHAPE_H


#include "ngx_http_gw_aggregate.h"


/* handlers of the directives */
char *ngx_http_gw_aggregate_pick(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_drop(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_rename(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Gives the parts of a location their pointers, after all directives.
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR with the error logged.
 */
char *ngx_http_gw_shape_init(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf);


/*
 * Makes the scanner of a part shape its value; before the first byte.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_shape_start(ngx_http_gw_part_t *part);


/*
 * Takes what the scan, which ended well, found: part->range, or the part
 * fails.
 */
void ngx_http_gw_shape_finish(ngx_http_gw_part_t *part);


/*
 * Adds what is left of the value to a chain.
 *
 *     last  in/out: where the next link goes
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_shape_write(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part);


#endif /* NGX_HTTP_GW_SHAPE_H */
