
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Where parts, and what is static, stand in the document: the configuration
 * of that.
 */


#ifndef NGX_HTTP_GW_PLACE_H
#define NGX_HTTP_GW_PLACE_H


#include "ngx_http_gw_aggregate.h"


/* the handler of the directive gw_aggregate_static */
char *ngx_http_gw_aggregate_static(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* parameters of gw_aggregate_part */
char *ngx_http_gw_part_root(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value);
char *ngx_http_gw_part_append(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value);


/*
 * Makes the plan of the document of a location, after all directives.
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR with the error logged.
 */
char *ngx_http_gw_place_init(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf);


#endif /* NGX_HTTP_GW_PLACE_H */
