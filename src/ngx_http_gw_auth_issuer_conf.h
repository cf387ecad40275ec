
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The block "gw_jwt_issuer name { ... }" and "issuer=name" of gw_jwt.
 */


#ifndef NGX_HTTP_GW_AUTH_ISSUER_CONF_H
#define NGX_HTTP_GW_AUTH_ISSUER_CONF_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_conf.h"


/* of each kind in a block: audiences, types, paths */
#define NGX_HTTP_GW_AUTH_ISSUER_VALUES  64


/*
 * Reads a block into the list of issuers in the main configuration.
 *
 * Returns NGX_CONF_OK, or what a handler of a directive returns.
 */

char *ngx_http_gw_auth_issuer_block(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf);


/*
 * Finds the issuers that gw_jwt names, when all of http{} has been read.
 *
 *     alcf  with gw_jwt and names; gets the issuers
 *
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_auth_issuer_resolve(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf);


/*
 * Makes the issuer of a location without "issuer=".
 *
 *     prev  the level above, whose issuer serves if nothing of it changes
 *     conf  gets it; nothing if there is no gw_jwt or are no keys
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_issuer_anonymous(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf);


#endif /* NGX_HTTP_GW_AUTH_ISSUER_CONF_H */
