
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_AUTH_SERVER_H
#define NGX_HTTP_GW_AUTH_SERVER_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_hash.h"


#define NGX_HTTP_GW_AUTH_SERVER_ID  32    /* bytes, SHA-256 */


/* a server{}: the same URI leads to another place in another one */

typedef struct {
    /* of its addresses and names */
    u_char        id[NGX_HTTP_GW_AUTH_SERVER_ID];

    ngx_array_t  *resources;    /* ngx_http_gw_auth_metadata_t * */
} ngx_http_gw_auth_server_t;


/*
 * Gives each server{} its identity, when all of http{} has been read.  It
 * stays the same when the configuration is read again: what it is made of is
 * what nginx itself finds a server by.
 *
 *     module  whose server configuration is an ngx_http_gw_auth_server_t
 *
 * Returns NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_server_init(ngx_conf_t *cf, gw_hash_t *hash,
    ngx_module_t *module);


#endif /* NGX_HTTP_GW_AUTH_SERVER_H */
