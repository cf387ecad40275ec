
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The configuration of the aggregate module: directives and their checks.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_CONF_H
#define NGX_HTTP_GW_AGGREGATE_CONF_H


#include "ngx_http_gw_aggregate.h"


/* create_loc_conf and merge_loc_conf of the module */
void *ngx_http_gw_aggregate_create_conf(ngx_conf_t *cf);
char *ngx_http_gw_aggregate_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);


/* handlers of the directives of the same names */
char *ngx_http_gw_aggregate_part(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_types(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_methods(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_errors(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_aggregate_partial_status(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_gw_aggregate_complete_header(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_gw_aggregate_strip_header(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


/* the check that a size, read by ngx_conf_set_size_slot(), is not 0 */
char *ngx_http_gw_aggregate_check_size(ngx_conf_t *cf, void *post,
    void *data);


/* whether a text may be the name of a header field */
ngx_uint_t ngx_http_gw_aggregate_token(ngx_str_t *text);


#endif /* NGX_HTTP_GW_AGGREGATE_CONF_H */
