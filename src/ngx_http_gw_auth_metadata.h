
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Metadata of protected resources (RFC 9728): where a client learns whom to
 * ask for a token.
 */


#ifndef NGX_HTTP_GW_AUTH_METADATA_H
#define NGX_HTTP_GW_AUTH_METADATA_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_str_t    resource;
    ngx_str_t    path;        /* of the resource: the URIs it is for */
    ngx_str_t    param;       /* ", resource_metadata=\"...\"" (5.1) */
    ngx_str_t    body;        /* JSON */
} ngx_http_gw_auth_metadata_t;


/*
 * Reads gw_auth_metadata.
 *
 *     clcf       the location
 *     resources  of the server, ngx_http_gw_auth_metadata_t *; in/out, may
 *                point to NULL
 *     metadata   out: on NGX_CONF_OK; NULL before
 *
 * Returns what a handler of a directive returns.
 */

char *ngx_http_gw_auth_metadata_set(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_array_t **resources,
    ngx_http_gw_auth_metadata_t **metadata);

/*
 * Finds the parameter of a challenge for a URI.
 *
 *     resources  as above, or NULL
 *     param      out: empty if the URI belongs to no resource
 */

void ngx_http_gw_auth_metadata_param(ngx_array_t *resources, ngx_str_t *uri,
    ngx_str_t *param);

/*
 * Answers a request; returns what a content handler returns.
 */

ngx_int_t ngx_http_gw_auth_metadata_send(ngx_http_request_t *r,
    ngx_http_gw_auth_metadata_t *metadata);


#endif /* NGX_HTTP_GW_AUTH_METADATA_H */
