
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_value.h"


ngx_int_t
ngx_http_gw_value_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *cv)
{
    ngx_http_compile_complex_value_t  ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = cv;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_http_complex_value_t *
ngx_http_gw_value_create(ngx_conf_t *cf, ngx_str_t *param, size_t skip)
{
    ngx_str_t                  text;
    ngx_http_complex_value_t  *cv;

    text.data = param->data + skip;
    text.len = param->len - skip;

    cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (cv == NULL) {
        return NULL;
    }

    return (ngx_http_gw_value_compile(cf, &text, cv) == NGX_OK) ? cv : NULL;
}
