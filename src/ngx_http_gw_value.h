
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


/*
 * A text that is evaluated for each request: of most, one variable is all,
 * whose value needs no copy.
 */

typedef struct {
    ngx_http_complex_value_t    cv;
    ngx_int_t                   index;       /* NGX_DECLINED: more than one */
} ngx_http_gw_text_t;


/* Compiles a text.  Returns NGX_OK or NGX_ERROR (logged). */

ngx_int_t ngx_http_gw_text_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_gw_text_t *compiled);


/*
 * Evaluates a text.
 *
 *     value  out: lives as long as the request; not to be written to
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short or a variable failed.
 */

ngx_int_t ngx_http_gw_text(ngx_http_request_t *r, ngx_http_gw_text_t *text,
    ngx_str_t *value);


#endif /* NGX_HTTP_GW_VALUE_H */
