
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_AUTH_FILE_H
#define NGX_HTTP_GW_AUTH_FILE_H


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Reads a whole regular file while the configuration is read.
 *
 *     name  full name, zero-terminated
 *     max   bytes allowed
 *     text  out: the contents, to be given back with
 *           ngx_http_gw_auth_free_file()
 *
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_auth_read_file(ngx_conf_t *cf, ngx_str_t *name,
    size_t max, ngx_str_t *text);

/*
 * Clears and frees what was read: it may hold secrets.
 */

void ngx_http_gw_auth_free_file(ngx_str_t *text);


#endif /* NGX_HTTP_GW_AUTH_FILE_H */
