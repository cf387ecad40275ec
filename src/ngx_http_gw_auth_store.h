
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Stores of API keys: "gw_api_keys name { ... }".
 */


#ifndef NGX_HTTP_GW_AUTH_STORE_H
#define NGX_HTTP_GW_AUTH_STORE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_apikey.h"
#include "gw_hash.h"
#include "ngx_http_gw_auth_reason.h"


/* bytes; what is longer is no key of anybody */
#define NGX_HTTP_GW_AUTH_KEY_MAX  1024


typedef struct {
    ngx_str_t     name;
    u_char       *conf_file;     /* where it was defined */
    ngx_uint_t    conf_line;
    ngx_array_t   tables;        /* ngx_http_gw_auth_table_t */
} ngx_http_gw_auth_store_t;


/*
 * Reads a "gw_api_keys" block into the list of stores.
 *
 *     stores  ngx_http_gw_auth_store_t *
 *
 * Returns NGX_CONF_OK, or what a handler of a directive returns.
 */

char *ngx_http_gw_auth_store_block(ngx_conf_t *cf, ngx_array_t *stores);


/*
 * Returns the store with this name, or NULL if there is none.
 */

ngx_http_gw_auth_store_t *ngx_http_gw_auth_find_store(ngx_array_t *stores,
    ngx_str_t *name);


/*
 * Decides whether a key that a client has presented is valid.
 *
 *     stores  ngx_http_gw_auth_store_t *: where to look, in order
 *     hash    scratch of the worker
 *     key     out: the entry, on NGX_OK; lives as long as the configuration
 *     reason  out: on NGX_DECLINED
 *
 * Returns NGX_OK; NGX_DECLINED with GW_REASON_KEY (unknown),
 * GW_REASON_EXPIRED, GW_REASON_NBF or NGX_HTTP_GW_AUTH_CIDR; NGX_ERROR if
 * the digest could not be computed.
 */

ngx_int_t ngx_http_gw_auth_check_key(ngx_http_request_t *r,
    ngx_array_t *stores, gw_hash_t *hash, ngx_str_t *value,
    const gw_apikey_t **key, ngx_uint_t *reason);


#endif /* NGX_HTTP_GW_AUTH_STORE_H */
