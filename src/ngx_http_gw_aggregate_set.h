
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Values that are taken from the answer of a part and given to others:
 * gw_aggregate_set, and the marks that it and gw_aggregate_each set.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_SET_H
#define NGX_HTTP_GW_AGGREGATE_SET_H


#include "ngx_http_gw_aggregate.h"


/* the handler of the directive gw_aggregate_set */
char *ngx_http_gw_aggregate_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Compiles a pointer that must name one value.
 *
 *     what   whose it is, for the message
 *     trie   out
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR with the error logged.
 */
char *ngx_http_gw_set_pointer(ngx_conf_t *cf, ngx_str_t *pointer,
    const char *what, gw_json_trie_t **trie);


/*
 * Adds the names of the variables that some location sets, ngx_str_t.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_set_names(ngx_conf_t *cf, ngx_array_t *names);


/*
 * Sets a variable whose value a back end has chosen.  It may stand in a
 * header, where a line break would begin another one: a value with control
 * characters is none, which is logged.
 *
 * Returns NGX_OK.
 */
ngx_int_t ngx_http_gw_set_safe_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_str_t *name, ngx_str_t *value);


/*
 * Takes from a part that is done what others wait for: its marks, and the
 * values of gw_aggregate_set.  Once for each part.
 *
 * Returns NGX_OK or NGX_ERROR (no memory).
 */
ngx_int_t ngx_http_gw_set_collect(ngx_http_gw_part_t *part);


/*
 * Makes a value of bytes of an answer.
 *
 *     out    the captured body
 *     range  of a valid JSON value in it
 *     any    an array or an object is a value too, its text is its JSON
 *     value  out: on NGX_OK
 *
 * Returns NGX_OK; NGX_DECLINED when it is null, no scalar or no text;
 * NGX_ERROR.
 */
ngx_int_t ngx_http_gw_set_value(ngx_pool_t *pool, ngx_chain_t *out,
    gw_json_range_t *range, ngx_uint_t any, ngx_http_gw_own_t *value);


/*
 * Feeds bytes [start, end) of a captured body to a scan.
 *
 * Returns as gw_json_scan_finish() does.
 */
gw_json_scan_e ngx_http_gw_set_scan(gw_json_scan_t *scan, ngx_chain_t *out,
    gw_json_range_t *range);


#endif /* NGX_HTTP_GW_AGGREGATE_SET_H */
