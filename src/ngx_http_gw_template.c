
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "gw_json_scan.h"
#include "gw_uri.h"
#include "ngx_http_gw_template.h"
#include "ngx_http_gw_value.h"


static ngx_int_t ngx_http_gw_template_add(ngx_conf_t *cf,
    ngx_http_gw_template_t *template, u_char *start, u_char *end,
    ngx_http_gw_template_escape_e escape);
static ngx_http_gw_template_escape_e ngx_http_gw_template_kind(
    ngx_str_t *name);
static u_char *ngx_http_gw_template_variable(u_char *p, u_char *last,
    ngx_str_t *name);
static u_char *ngx_http_gw_template_quotes(u_char *p, u_char *last,
    ngx_uint_t *quoted);
static ngx_int_t ngx_http_gw_template_escape(ngx_http_request_t *r,
    ngx_http_gw_template_escape_e escape, ngx_str_t *value);


ngx_int_t
ngx_http_gw_template_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_gw_template_e type, ngx_http_gw_template_t *template)
{
    u_char                         *p, *last, *start, *next;
    ngx_str_t                       name;
    ngx_uint_t                      quoted;
    ngx_http_gw_template_escape_e   escape;

    template->text = *text;
    template->constant = (ngx_http_script_variables_count(text) == 0);

    if (ngx_array_init(&template->pieces, cf->pool, 4,
                       sizeof(ngx_http_gw_template_piece_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    quoted = 0;
    p = text->data;
    start = p;
    last = p + text->len;

    while (p < last) {

        if (*p != '$') {
            if (type == NGX_HTTP_GW_TEMPLATE_JSON) {
                p = ngx_http_gw_template_quotes(p, last, &quoted);

            } else {
                p++;
            }

            continue;
        }

        next = ngx_http_gw_template_variable(p, last, &name);

        if (type == NGX_HTTP_GW_TEMPLATE_JSON) {
            escape = quoted ? NGX_HTTP_GW_TEMPLATE_STRING
                            : NGX_HTTP_GW_TEMPLATE_VALUE;

        } else {
            escape = ngx_http_gw_template_kind(&name);

            if (escape == NGX_HTTP_GW_TEMPLATE_PLAIN) {
                p = next;
                continue;
            }
        }

        if (ngx_http_gw_template_add(cf, template, start, p,
                                     NGX_HTTP_GW_TEMPLATE_PLAIN)
            != NGX_OK
            || ngx_http_gw_template_add(cf, template, p, next, escape)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = next;
        start = next;
    }

    return ngx_http_gw_template_add(cf, template, start, last,
                                    NGX_HTTP_GW_TEMPLATE_PLAIN);
}


static ngx_int_t
ngx_http_gw_template_add(ngx_conf_t *cf, ngx_http_gw_template_t *template,
    u_char *start, u_char *end, ngx_http_gw_template_escape_e escape)
{
    ngx_str_t                          text;
    ngx_http_gw_template_piece_t      *piece;

    if (start == end) {
        return NGX_OK;
    }

    piece = ngx_array_push(&template->pieces);
    if (piece == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(piece, sizeof(ngx_http_gw_template_piece_t));
    piece->escape = escape;

    text.len = end - start;
    text.data = ngx_pnalloc(cf->pool, text.len + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text.data, start, text.len);
    text.data[text.len] = '\0';

    return ngx_http_gw_value_compile(cf, &text, &piece->value);
}


/* how the value of a variable stands in a URI */

static ngx_http_gw_template_escape_e
ngx_http_gw_template_kind(ngx_str_t *name)
{
    if (name->len > 4
        && ngx_strncasecmp(name->data, (u_char *) "arg_", 4) == 0)
    {
        return NGX_HTTP_GW_TEMPLATE_COMPONENT;
    }

    if ((name->len == 1 && name->data[0] >= '1' && name->data[0] <= '9')
        || (name->len == 3
            && ngx_strncasecmp(name->data, (u_char *) "uri", 3) == 0)
        || (name->len == 12
            && ngx_strncasecmp(name->data, (u_char *) "document_uri", 12)
               == 0))
    {
        return NGX_HTTP_GW_TEMPLATE_PATH;
    }

    return NGX_HTTP_GW_TEMPLATE_PLAIN;
}


/* the end of the variable at p, in the syntax of nginx scripts */

static u_char *
ngx_http_gw_template_variable(u_char *p, u_char *last, ngx_str_t *name)
{
    u_char  c;

    p++;

    if (p < last && *p == '{') {
        name->data = p + 1;

        while (p < last && *p != '}') {
            p++;
        }

        name->len = (p > name->data) ? (size_t) (p - name->data) : 0;

        return (p < last) ? p + 1 : p;
    }

    name->data = p;

    if (p < last && *p >= '1' && *p <= '9') {
        name->len = 1;
        return p + 1;
    }

    while (p < last) {
        c = (u_char) (*p | 0x20);

        if (!((c >= 'a' && c <= 'z') || (*p >= '0' && *p <= '9')
              || *p == '_'))
        {
            break;
        }

        p++;
    }

    name->len = p - name->data;

    return p;
}


/* steps over one character, an escaped one counts as one */

static u_char *
ngx_http_gw_template_quotes(u_char *p, u_char *last, ngx_uint_t *quoted)
{
    if (*p == '"') {
        *quoted = !*quoted;

    } else if (*p == '\\' && *quoted && p + 1 < last && p[1] != '$') {
        return p + 2;
    }

    return p + 1;
}


ngx_int_t
ngx_http_gw_template_sample(ngx_conf_t *cf, ngx_http_gw_template_t *template,
    ngx_str_t *sample)
{
    u_char                        *p;
    size_t                         len;
    ngx_uint_t                     i;
    ngx_http_gw_template_piece_t  *piece;

    len = 0;
    piece = template->pieces.elts;

    for (i = 0; i < template->pieces.nelts; i++) {
        len += piece[i].value.value.len + sizeof("null") - 1;
    }

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sample->data = p;

    for (i = 0; i < template->pieces.nelts; i++) {

        switch (piece[i].escape) {

        case NGX_HTTP_GW_TEMPLATE_PLAIN:
            p = ngx_cpymem(p, piece[i].value.value.data,
                           piece[i].value.value.len);
            break;

        case NGX_HTTP_GW_TEMPLATE_VALUE:
            p = ngx_cpymem(p, "null", sizeof("null") - 1);
            break;

        default:
            break;
        }
    }

    sample->len = p - sample->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_template_run(ngx_http_request_t *r,
    ngx_http_gw_template_t *template, ngx_str_t *text)
{
    u_char                        *p;
    size_t                         len;
    ngx_int_t                      rc;
    ngx_str_t                     *values;
    ngx_uint_t                     i, n;
    ngx_http_gw_template_piece_t  *piece;

    if (template->constant) {
        *text = template->text;
        return NGX_OK;
    }

    n = template->pieces.nelts;
    piece = template->pieces.elts;

    if (n == 1 && piece[0].escape == NGX_HTTP_GW_TEMPLATE_PLAIN) {
        return ngx_http_complex_value(r, &piece[0].value, text);
    }

    values = ngx_palloc(r->pool, n * sizeof(ngx_str_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    len = 0;

    for (i = 0; i < n; i++) {
        if (ngx_http_complex_value(r, &piece[i].value, &values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        rc = ngx_http_gw_template_escape(r, piece[i].escape, &values[i]);
        if (rc != NGX_OK) {
            return rc;
        }

        len += values[i].len;
    }

    text->data = ngx_pnalloc(r->pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = len;
    p = text->data;

    for (i = 0; i < n; i++) {
        p = ngx_cpymem(p, values[i].data, values[i].len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_template_escape(ngx_http_request_t *r,
    ngx_http_gw_template_escape_e escape, ngx_str_t *value)
{
    size_t           len, offset;
    u_char          *p;
    gw_json_range_t  range;

    switch (escape) {

    case NGX_HTTP_GW_TEMPLATE_PLAIN:
        return NGX_OK;

    case NGX_HTTP_GW_TEMPLATE_VALUE:

        if (value->len == 0) {
            ngx_str_set(value, "null");
            return NGX_OK;
        }

        if (gw_json_scan(value->data, value->len, GW_JSON_SCAN_DEPTH, &range,
                         &offset)
            != GW_JSON_SCAN_OK)
        {
            return NGX_DECLINED;
        }

        value->data += range.start;
        value->len = range.end - range.start;

        return NGX_OK;

    case NGX_HTTP_GW_TEMPLATE_STRING:

        if (gw_json_escape_len(value->data, value->len, &len, &offset)
            != GW_OK)
        {
            return NGX_DECLINED;
        }

        if (len == value->len) {
            return NGX_OK;
        }

        break;

    default: /* NGX_HTTP_GW_TEMPLATE_COMPONENT, NGX_HTTP_GW_TEMPLATE_PATH */
        len = value->len * GW_URI_ESCAPE_MAX;
        break;
    }

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (escape == NGX_HTTP_GW_TEMPLATE_STRING) {
        len = gw_json_escape(p, value->data, value->len) - p;

    } else if (escape == NGX_HTTP_GW_TEMPLATE_PATH) {
        len = gw_uri_text(p, value->data, value->len) - p;

    } else {
        len = gw_uri_component(p, value->data, value->len) - p;
    }

    value->data = p;
    value->len = len;

    return NGX_OK;
}
