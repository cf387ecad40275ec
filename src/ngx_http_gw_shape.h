
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


/* of a request */

struct ngx_http_gw_shape_s {
    gw_json_shape_t      shape;
    gw_json_range_t     *ranges;
};


/* where pieces of a part's answer, in the order in which they stand, go */

typedef struct {
    ngx_http_request_t  *request;
    ngx_chain_t       ***last;          /* where the next link goes */
    gw_json_shape_t     *shape;         /* or NULL */
    ngx_chain_t         *in;            /* where the next range begins */
    size_t               passed;        /* bytes of links before that */
    ngx_buf_t           *buf;           /* the last one, if it was copied */
    u_char              *pos;           /* room for copies */
    u_char              *end;
} ngx_http_gw_shape_out_t;


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
 * Makes room for more members, a gw_json_shape_t's more_members(); its data is
 * the pool.
 *
 * Returns GW_OK, or GW_ERROR when memory is short.
 */
gw_status_e ngx_http_gw_shape_more_members(gw_json_shape_t *sh);


/*
 * Takes what the scan, which ended well, found: part->range, or the part
 * fails.
 */
void ngx_http_gw_shape_finish(ngx_http_gw_part_t *part);


/*
 * Begins to write what is left of a part's answer.
 *
 *     in    the answer
 *     last  in/out: where the next link goes
 */
void ngx_http_gw_shape_begin(ngx_http_gw_shape_out_t *out,
    ngx_http_request_t *r, ngx_chain_t ***last, ngx_http_gw_part_t *part,
    ngx_chain_t *in);


/*
 * Adds what is left of bytes of the answer: the value, or members or elements
 * of it.  No range begins before the end of the last one.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_shape_slice(ngx_http_gw_shape_out_t *out,
    gw_json_range_t *range);


/*
 * Adds bytes; few of them are copied next to those before.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_shape_put(ngx_http_gw_shape_out_t *out, u_char *data,
    size_t len);


/*
 * Finds the new key of a member that is renamed.
 */
gw_json_text_t *ngx_http_gw_shape_key(ngx_http_gw_part_conf_t *pcf,
    ngx_uint_t n);


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
