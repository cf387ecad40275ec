
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_challenge.h"


#if (nginx_version < 1023000)
static ngx_int_t ngx_http_gw_auth_join(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *more);
#endif


ngx_int_t
ngx_http_gw_auth_challenge(ngx_pool_t *pool, const ngx_str_t *scheme,
    ngx_str_t *realm, ngx_str_t *error, ngx_str_t *more, ngx_str_t *value)
{
    size_t   i, len;
    u_char  *p;

    len = scheme->len + sizeof(" realm=\"\"") - 1 + 2 * realm->len
          + more->len;

    if (error->len) {
        len += sizeof(", error=\"\"") - 1 + error->len;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    p = ngx_cpymem(p, scheme->data, scheme->len);
    p = ngx_cpymem(p, " realm=\"", sizeof(" realm=\"") - 1);

    for (i = 0; i < realm->len; i++) {

        if (realm->data[i] < 0x20 || realm->data[i] == 0x7f) {
            continue;
        }

        if (realm->data[i] == '"' || realm->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = realm->data[i];
    }

    *p++ = '"';

    if (error->len) {
        p = ngx_cpymem(p, ", error=\"", sizeof(", error=\"") - 1);
        p = ngx_cpymem(p, error->data, error->len);
        *p++ = '"';
    }

    if (more->len) {
        p = ngx_cpymem(p, more->data, more->len);
    }

    value->len = p - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_add_challenge(ngx_http_request_t *r,
    ngx_http_gw_auth_challenges_t *added, ngx_str_t *value, ngx_uint_t join)
{
    ngx_table_elt_t  *h;

#if (nginx_version < 1023000)

    if (join && added->n) {
        return ngx_http_gw_auth_join(r, &added->header[added->n - 1]->value,
                                     value);
    }

#endif

    if (added->n == NGX_HTTP_GW_AUTH_CHALLENGES) {
        return NGX_ERROR;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "WWW-Authenticate");
    h->value = *value;
    h->lowcase_key = (u_char *) "www-authenticate";

#if (nginx_version >= 1023000)
    h->next = r->headers_out.www_authenticate;
#endif

    r->headers_out.www_authenticate = h;

    added->header[added->n++] = h;

    return NGX_OK;
}


#if (nginx_version < 1023000)

static ngx_int_t
ngx_http_gw_auth_join(ngx_http_request_t *r, ngx_str_t *value, ngx_str_t *more)
{
    u_char  *p, *start;

    start = ngx_pnalloc(r->pool, value->len + 2 + more->len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(start, value->data, value->len);
    *p++ = ',';
    *p++ = ' ';
    if (more->len) {
        p = ngx_cpymem(p, more->data, more->len);
    }

    value->len = p - start;
    value->data = start;

    return NGX_OK;
}

#endif


void
ngx_http_gw_auth_clear_challenges(ngx_http_request_t *r,
    ngx_http_gw_auth_challenges_t *added)
{
    ngx_uint_t  i;

    /* with filter_finalize set, core has emptied the list already */

    if (!r->filter_finalize) {

        for (i = 0; i < added->n; i++) {
            added->header[i]->hash = 0;
        }
    }

    added->n = 0;
}
