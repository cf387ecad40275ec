
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_cred.h"


#define NGX_HTTP_GW_AUTH_REDACTED  "***"


static ngx_int_t ngx_http_gw_auth_scheme(ngx_str_t *value,
    const ngx_str_t *scheme, ngx_str_t *credential);
static ngx_int_t ngx_http_gw_auth_add(ngx_str_t *found, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_header(ngx_http_request_t *r,
    ngx_http_gw_auth_source_t *source, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_arg(ngx_http_request_t *r,
    const ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_unescape(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_cookie_line(ngx_str_t *line,
    ngx_str_t *name, ngx_str_t *value);
static u_char *ngx_http_gw_auth_next_arg(u_char *p, u_char *last,
    ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_http_gw_auth_named(ngx_array_t *names, ngx_str_t *name);


static const ngx_str_t  ngx_http_gw_auth_bearer = ngx_string("Bearer");
static const ngx_str_t  ngx_http_gw_auth_access_token =
                                                  ngx_string("access_token");


ngx_int_t
ngx_http_gw_auth_find_token(ngx_http_request_t *r, ngx_int_t var,
    ngx_str_t *token, ngx_uint_t *reason)
{
    ngx_int_t                   rc;
    ngx_str_t                   other, value;
    ngx_http_variable_value_t  *vv;

    ngx_str_null(token);

    if (var != NGX_ERROR) {

        vv = ngx_http_get_flushed_variable(r, var);
        if (vv == NULL) {
            return NGX_ERROR;
        }

        if (!vv->not_found) {
            token->len = vv->len;
            token->data = vv->data;
        }
    }

    rc = NGX_DECLINED;
    ngx_str_null(&other);

    if (r->headers_in.authorization) {

        rc = ngx_http_gw_auth_scheme(&r->headers_in.authorization->value,
                                     &ngx_http_gw_auth_bearer, &other);

        if (rc == NGX_ERROR) {
            *reason = GW_REASON_MALFORMED;
            return NGX_DECLINED;
        }
    }

    /* a variable may well be made from the header itself */

    if (ngx_http_gw_auth_add(token, &other) != NGX_OK) {
        *reason = NGX_HTTP_GW_AUTH_TWICE;
        return NGX_DECLINED;
    }

    if (token->len == 0) {
        *reason = NGX_HTTP_GW_AUTH_MISSING;
        return NGX_DECLINED;
    }

    if (r->args.len) {

        ngx_str_null(&value);

        /*
         * The variable may be this very argument; beside the header it is a
         * second method of RFC 6750, 2, even with the same token.
         */

        if (ngx_http_gw_auth_arg(r, &ngx_http_gw_auth_access_token, &value)
            != NGX_OK
            || (var == NGX_ERROR && value.len)
            || ngx_http_gw_auth_add(token, &value) != NGX_OK)
        {
            *reason = NGX_HTTP_GW_AUTH_TWICE;
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_find_key(ngx_http_request_t *r,
    ngx_http_gw_auth_source_t *source, ngx_str_t *key, ngx_uint_t *reason)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    ngx_str_null(key);

    *reason = NGX_HTTP_GW_AUTH_TWICE;

    if (source->header.len) {
        if (ngx_http_gw_auth_header(r, source, key) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (source->scheme.len && r->headers_in.authorization) {

        ngx_str_null(&value);

        rc = ngx_http_gw_auth_scheme(&r->headers_in.authorization->value,
                                     &source->scheme, &value);

        if (rc == NGX_ERROR) {
            *reason = GW_REASON_MALFORMED;
            return NGX_DECLINED;
        }

        if (ngx_http_gw_auth_add(key, &value) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (source->cookie.len) {

        ngx_str_null(&value);

        if (ngx_http_gw_auth_cookie(r, &source->cookie, &value) != NGX_OK
            || ngx_http_gw_auth_add(key, &value) != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    if (source->arg.len && r->args.len) {

        ngx_str_null(&value);

        if (ngx_http_gw_auth_arg(r, &source->arg, &value) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (ngx_http_gw_auth_unescape(r, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_gw_auth_add(key, &value) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (key->len == 0) {
        *reason = NGX_HTTP_GW_AUTH_MISSING;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * NGX_OK: credentials of that scheme, 1*SP between (RFC 9110, 11.4);
 * NGX_DECLINED: another scheme; NGX_ERROR: the scheme without one token.
 */

static ngx_int_t
ngx_http_gw_auth_scheme(ngx_str_t *value, const ngx_str_t *scheme,
    ngx_str_t *credential)
{
    size_t   len;
    u_char  *p, *last;

    if (value->len < scheme->len
        || ngx_strncasecmp(value->data, scheme->data, scheme->len) != 0)
    {
        return NGX_DECLINED;
    }

    p = value->data + scheme->len;
    last = value->data + value->len;

    if (p == last || *p != ' ') {
        return NGX_ERROR;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    if (p == last) {
        return NGX_ERROR;
    }

    len = last - p;

    if (memchr(p, ' ', len) || memchr(p, '\t', len)) {
        return NGX_ERROR;
    }

    credential->len = len;
    credential->data = p;

    return NGX_OK;
}


/* NGX_DECLINED: two places hold two credentials */

static ngx_int_t
ngx_http_gw_auth_add(ngx_str_t *found, ngx_str_t *value)
{
    if (value->len == 0) {
        return NGX_OK;
    }

    if (found->len == 0) {
        *found = *value;
        return NGX_OK;
    }

    /* both come from the same client: the time taken tells nothing */

    if (found->len != value->len
        || ngx_memcmp(found->data, value->data, value->len) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_header(ngx_http_request_t *r,
    ngx_http_gw_auth_source_t *source, ngx_str_t *value)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash != source->header_hash
            || h[i].key.len != source->header.len
            || ngx_memcmp(h[i].lowcase_key, source->header.data,
                          source->header.len)
               != 0)
        {
            continue;
        }

        if (h[i].value.len == 0) {
            continue;
        }

        if (value->len) {
            return NGX_DECLINED;
        }

        *value = h[i].value;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_arg(ngx_http_request_t *r, const ngx_str_t *name,
    ngx_str_t *value)
{
    u_char     *p, *last;
    ngx_str_t   n, v;

    p = r->args.data;
    last = p + r->args.len;

    while (p < last) {

        p = ngx_http_gw_auth_next_arg(p, last, &n, &v);

        if (v.len == 0
            || n.len != name->len
            || ngx_strncasecmp(n.data, name->data, n.len) != 0)
        {
            continue;
        }

        if (value->len) {
            return NGX_DECLINED;
        }

        *value = v;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_unescape(ngx_http_request_t *r, ngx_str_t *value)
{
    u_char  *src, *dst;

    if (value->len == 0
        || ngx_strlchr(value->data, value->data + value->len, '%') == NULL)
    {
        return NGX_OK;
    }

    dst = ngx_pnalloc(r->pool, value->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    src = value->data;
    value->data = dst;

    ngx_unescape_uri(&dst, &src, value->len, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
#if (nginx_version >= 1023000)

    ngx_table_elt_t  *h;

    for (h = r->headers_in.cookie; h; h = h->next) {

        if (ngx_http_gw_auth_cookie_line(&h->value, name, value) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

#else

    ngx_uint_t         i;
    ngx_table_elt_t  **h;

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {

        if (ngx_http_gw_auth_cookie_line(&h[i]->value, name, value)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_cookie_line(ngx_str_t *line, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *p, *last, *end, *start;

    p = line->data;
    last = p + line->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == ';')) {
            p++;
        }

        end = ngx_strlchr(p, last, ';');
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) > name->len
            && p[name->len] == '='
            && ngx_strncasecmp(p, name->data, name->len) == 0)
        {
            start = p + name->len + 1;
            p = end;

            while (p > start && p[-1] == ' ') {
                p--;
            }

            if (p > start) {

                if (value->len) {
                    return NGX_DECLINED;
                }

                value->len = p - start;
                value->data = start;
            }
        }

        p = end;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_redact(ngx_pool_t *pool, ngx_array_t *names, ngx_str_t *text,
    ngx_str_t *out)
{
    size_t      len;
    u_char     *p, *next, *last, *dst, *args;
    ngx_str_t   n, v;

    *out = *text;

    if (text->len == 0) {
        return NGX_OK;
    }

    last = text->data + text->len;

    args = ngx_strlchr(text->data, last, '?');
    if (args == NULL) {
        return NGX_OK;
    }

    len = text->len;

    for (p = args + 1; p < last; /* void */) {

        p = ngx_http_gw_auth_next_arg(p, last, &n, &v);

        if (v.len && ngx_http_gw_auth_named(names, &n)) {
            len += sizeof(NGX_HTTP_GW_AUTH_REDACTED) - 1;
        }
    }

    if (len == text->len) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(pool, len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    out->data = dst;
    dst = ngx_cpymem(dst, text->data, args + 1 - text->data);

    for (p = args + 1; p < last; p = next) {

        next = ngx_http_gw_auth_next_arg(p, last, &n, &v);

        if (v.len && ngx_http_gw_auth_named(names, &n)) {
            dst = ngx_cpymem(dst, p, v.data - p);
            dst = ngx_cpymem(dst, NGX_HTTP_GW_AUTH_REDACTED,
                             sizeof(NGX_HTTP_GW_AUTH_REDACTED) - 1);
            p = v.data + v.len;
        }

        dst = ngx_cpymem(dst, p, next - p);
    }

    out->len = dst - out->data;

    return NGX_OK;
}


static u_char *
ngx_http_gw_auth_next_arg(u_char *p, u_char *last, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *end, *eq;

    end = ngx_strlchr(p, last, '&');
    if (end == NULL) {
        end = last;
    }

    eq = ngx_strlchr(p, end, '=');

    name->data = p;

    if (eq) {
        name->len = eq - p;
        value->data = eq + 1;
        value->len = end - eq - 1;

    } else {
        name->len = end - p;
        value->data = end;
        value->len = 0;
    }

    return (end == last) ? last : end + 1;
}


static ngx_uint_t
ngx_http_gw_auth_named(ngx_array_t *names, ngx_str_t *name)
{
    ngx_str_t   *n;
    ngx_uint_t   i;

    n = names->elts;

    for (i = 0; i < names->nelts; i++) {

        if (n[i].len == name->len
            && ngx_strncasecmp(n[i].data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
