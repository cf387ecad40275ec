
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Parameters of directives that may have variables.
 */


#ifndef NGX_HTTP_GW_VALUE_H
#define NGX_HTTP_GW_VALUE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Compiles a text.
 *
 *     cv  out: on NGX_OK; cv->lengths is NULL if there are no variables
 *
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_value_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *cv);


/*
 * Compiles what follows the name of a parameter.
 *
 *     skip  bytes of "name="
 *
 * Returns the value, or NULL (logged).
 */

ngx_http_complex_value_t *ngx_http_gw_value_create(ngx_conf_t *cf,
    ngx_str_t *param, size_t skip);


#endif /* NGX_HTTP_GW_VALUE_H */
