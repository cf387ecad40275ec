
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The header of an answer that is made of parts: what may be kept of it and
 * how long, what it is known by, and the fields that parts lend to it.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_HEADER_H
#define NGX_HTTP_GW_AGGREGATE_HEADER_H


#include "ngx_http_gw_aggregate.h"


/*
 * gw_aggregate_pass_header: adds a field to the configuration.
 */
char *ngx_http_gw_aggregate_pass_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Finds the parts that the fields are taken from, once all parts of the
 * location are known.
 *
 * Returns NGX_CONF_OK or NGX_CONF_ERROR (logged).
 */
char *ngx_http_gw_header_init(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_str_t *location);


/*
 * Adds a field to the answer of a request; name and value are not copied.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_add(ngx_http_request_t *r, const ngx_str_t *name,
    const ngx_str_t *value);


/*
 * Adds all lines of a field that the answer of a part has.
 *
 *     found  out: the number of lines; may be NULL
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_copy(ngx_http_request_t *r,
    ngx_http_gw_part_t *part, const ngx_str_t *name, ngx_uint_t *found);


/*
 * Adds what says whether the answer is complete, and counts it; for an answer
 * of parts also what may be kept of it and the fields of the parts, else
 * "no-store"; Server-Timing.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_answer(ngx_http_gw_gather_t *gather);


/*
 * Gives a complete answer its ETag, the hash of its body, which core compares
 * with If-None-Match.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_etag(ngx_http_gw_gather_t *gather,
    ngx_chain_t *body);


/*
 * Adds the fields of gw_aggregate_pass_header; of an answer that is streamed
 * only those of required parts.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_pass(ngx_http_gw_gather_t *gather);


/*
 * The names of the trailers that an answer that is streamed may have.
 *
 *     names  out: the value of Trailer, in the request's pool; empty when
 *            there are none, or the client cannot be sent any
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_trailers(ngx_http_gw_gather_t *gather,
    ngx_str_t *names);


/*
 * Counts an answer that was streamed, by its state, and adds the trailers
 * that tell of it if r->expect_trailers is set.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_header_complete(ngx_http_gw_gather_t *gather);


#endif /* NGX_HTTP_GW_AGGREGATE_HEADER_H */
