
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The variables of ngx_http_gw_aggregate_module.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_VAR_H
#define NGX_HTTP_GW_AGGREGATE_VAR_H


#include "ngx_http_gw_aggregate.h"


/*
 * Adds the variables that are asked of a gather, in preconfiguration.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_aggregate_add_variables(ngx_conf_t *cf);


/*
 * Adds the variables of a table, whose last entry has no name.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_aggregate_add_table(ngx_conf_t *cf,
    ngx_http_variable_t *v);


/*
 * Sets a variable.
 *
 *     value  it lives as long as the request; NULL or empty: not found
 *
 * Returns NGX_OK.
 */
ngx_int_t ngx_http_gw_aggregate_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const ngx_str_t *value);


/*
 * Keeps a gather of a request where ngx_http_gw_aggregate_find() finds it
 * when the context of the request has been cleared.
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */
ngx_int_t ngx_http_gw_aggregate_keep(ngx_http_request_t *r,
    ngx_http_gw_gather_t *gather);


/*
 * The gather of a request, NULL if it has none.
 */
ngx_http_gw_gather_t *ngx_http_gw_aggregate_find(ngx_http_request_t *r);


#endif /* NGX_HTTP_GW_AGGREGATE_VAR_H */
