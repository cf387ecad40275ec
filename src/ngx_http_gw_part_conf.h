
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_PART_CONF_H
#define NGX_HTTP_GW_PART_CONF_H


#include "ngx_http_gw_aggregate.h"


/*
 * Reads the directive gw_aggregate_part, whose words are in cf->args.
 *
 *     pcf  out: the part; a time and a size that were not given are left
 *          unset for the location's values
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR with the error logged.
 */
char *ngx_http_gw_part_conf(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf);


#endif /* NGX_HTTP_GW_PART_CONF_H */
