
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * gw_limit_api: what keys have taken of their limits, over HTTP; with
 * "write=on" also to reset it, and to grant units of a quota.
 */


#ifndef NGX_HTTP_GW_LIMIT_API_H
#define NGX_HTTP_GW_LIMIT_API_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_links.h"


/* the body of a write, bytes */
#define NGX_HTTP_GW_LIMIT_API_BODY  1024


/* what a location says */

typedef enum {
    NGX_HTTP_GW_LIMIT_API_OFF = 0,
    NGX_HTTP_GW_LIMIT_API_READ,
    NGX_HTTP_GW_LIMIT_API_WRITE
} ngx_http_gw_limit_api_mode_e;


/* what there is to ask for; a part of the main configuration */

typedef struct {
    ngx_array_t                 *limits;         /* of pointers to zones */
    ngx_array_t                 *quotas;
    ngx_array_t                 *concurrencies;
    ngx_http_gw_limit_links_t   *links;          /* of the worker */
} ngx_http_gw_limit_api_t;


/*
 * The directive gw_limit_api: sets the content handler of the location.
 *
 *     mode     out: of the location
 *     handler  calls ngx_http_gw_limit_api_handle()
 *
 * Returns NGX_CONF_OK, an error text, or NGX_CONF_ERROR when it is logged.
 */
char *ngx_http_gw_limit_api(ngx_conf_t *cf, ngx_uint_t *mode,
    ngx_http_handler_pt handler);

/*
 * Blocks "if" and "limit_except" have a location of their own, which
 * has the handler, too.
 */
void ngx_http_gw_limit_api_inherit(ngx_conf_t *cf, ngx_uint_t *mode,
    ngx_uint_t prev, ngx_http_handler_pt handler);

/*
 * The content handler.
 *
 *     api  alive as long as the configuration
 */
ngx_int_t ngx_http_gw_limit_api_handle(ngx_http_request_t *r,
    const ngx_http_gw_limit_api_t *api, ngx_uint_t mode);


#endif /* NGX_HTTP_GW_LIMIT_API_H */
