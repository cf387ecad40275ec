
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


ngx_int_t
ngx_http_gw_text_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_gw_text_t *compiled)
{
    u_char      ch;
    ngx_str_t   name;
    ngx_uint_t  i;

    compiled->index = NGX_DECLINED;

    if (ngx_http_gw_value_compile(cf, text, &compiled->cv) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a digit is a capture */

    if (text->len < 2
        || text->data[0] != '$'
        || (text->data[1] >= '0' && text->data[1] <= '9'))
    {
        return NGX_OK;
    }

    name.data = text->data + 1;
    name.len = text->len - 1;

    for (i = 0; i < name.len; i++) {
        ch = name.data[i];

        if (!((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z')
              || (ch >= 'a' && ch <= 'z') || ch == '_'))
        {
            return NGX_OK;
        }
    }

    compiled->index = ngx_http_get_variable_index(cf, &name);

    return (compiled->index == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_gw_text(ngx_http_request_t *r, ngx_http_gw_text_t *text,
    ngx_str_t *value)
{
    ngx_http_variable_value_t  *vv;

    if (text->index == NGX_DECLINED) {
        return ngx_http_complex_value(r, &text->cv, value);
    }

    vv = ngx_http_get_flushed_variable(r, text->index);

    if (vv == NULL || vv->not_found) {
        ngx_str_null(value);
        return NGX_OK;
    }

    value->data = vv->data;
    value->len = vv->len;

    return NGX_OK;
}
