
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
    ngx_uint_t own, ngx_http_gw_template_escape_e escape);
static ngx_http_gw_template_escape_e ngx_http_gw_template_kind(
    ngx_str_t *name, ngx_http_gw_template_names_t *names);
static ngx_uint_t ngx_http_gw_template_number(ngx_str_t *name,
    ngx_array_t *names);
static u_char *ngx_http_gw_template_variable(u_char *p, u_char *last,
    ngx_str_t *name);
static u_char *ngx_http_gw_template_quotes(u_char *p, u_char *last,
    ngx_uint_t *quoted);
static ngx_int_t ngx_http_gw_template_escape(ngx_http_request_t *r,
    ngx_http_gw_template_escape_e escape, ngx_str_t *value);
static void ngx_http_gw_template_own(ngx_http_gw_own_t *own,
    ngx_http_gw_template_escape_e *escape, ngx_str_t *value);


ngx_int_t
ngx_http_gw_template_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_gw_template_e type, ngx_http_gw_template_names_t *names,
    ngx_http_gw_template_t *template)
{
    u_char                         *p, *last, *start, *next;
    ngx_str_t                       name;
    ngx_uint_t                      own, quoted;
    ngx_http_gw_template_escape_e   escape;

    template->text = *text;
    template->own = 0;
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
        own = names ? ngx_http_gw_template_number(&name, names->own) : 0;

        if (own) {
            template->own |= (uint64_t) 1 << (own - 1);
        }

        if (type == NGX_HTTP_GW_TEMPLATE_JSON) {
            escape = quoted ? NGX_HTTP_GW_TEMPLATE_STRING
                            : NGX_HTTP_GW_TEMPLATE_VALUE;

        } else {
            escape = own ? NGX_HTTP_GW_TEMPLATE_SEGMENT
                         : ngx_http_gw_template_kind(&name, names);

            if (escape == NGX_HTTP_GW_TEMPLATE_PLAIN) {
                p = next;
                continue;
            }
        }

        if (ngx_http_gw_template_add(cf, template, start, p, 0,
                                     NGX_HTTP_GW_TEMPLATE_PLAIN)
            != NGX_OK
            || ngx_http_gw_template_add(cf, template, p, next, own, escape)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = next;
        start = next;
    }

    return ngx_http_gw_template_add(cf, template, start, last, 0,
                                    NGX_HTTP_GW_TEMPLATE_PLAIN);
}


uint64_t
ngx_http_gw_template_mentions(ngx_str_t *text, ngx_array_t *names)
{
    u_char      *p, *last;
    uint64_t     mask;
    ngx_str_t    name;
    ngx_uint_t   n;

    mask = 0;
    p = text->data;
    last = p + text->len;

    while (p < last) {

        if (*p != '$') {
            p++;
            continue;
        }

        p = ngx_http_gw_template_variable(p, last, &name);
        n = ngx_http_gw_template_number(&name, names);

        if (n) {
            mask |= (uint64_t) 1 << (n - 1);
        }
    }

    return mask;
}


static ngx_int_t
ngx_http_gw_template_add(ngx_conf_t *cf, ngx_http_gw_template_t *template,
    u_char *start, u_char *end, ngx_uint_t own,
    ngx_http_gw_template_escape_e escape)
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
    piece->own = own;

    if (own) {
        return NGX_OK;
    }

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
ngx_http_gw_template_kind(ngx_str_t *name,
    ngx_http_gw_template_names_t *names)
{
    if (names && ngx_http_gw_template_number(name, names->other)) {
        return NGX_HTTP_GW_TEMPLATE_SEGMENT;
    }

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


/* 1 and the number of the name; 0: it is not there */

static ngx_uint_t
ngx_http_gw_template_number(ngx_str_t *name, ngx_array_t *names)
{
    ngx_str_t   *known;
    ngx_uint_t   i;

    if (names == NULL) {
        return 0;
    }

    known = names->elts;

    for (i = 0; i < names->nelts; i++) {
        if (known[i].len == name->len && name->len
            && ngx_strncasecmp(known[i].data, name->data, name->len) == 0)
        {
            return i + 1;
        }
    }

    return 0;
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
    ngx_http_gw_template_t *template, ngx_http_gw_own_t *own,
    ngx_str_t *text)
{
    u_char                        *p;
    size_t                         len;
    ngx_int_t                      rc;
    ngx_str_t                     *values;
    ngx_uint_t                     i, n;
    ngx_http_gw_template_piece_t  *piece;
    ngx_http_gw_template_escape_e  escape;

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
        escape = piece[i].escape;

        if (piece[i].own) {
            ngx_http_gw_template_own(own ? &own[piece[i].own - 1] : NULL,
                                     &escape, &values[i]);

        } else if (ngx_http_complex_value(r, &piece[i].value, &values[i])
                   != NGX_OK)
        {
            return NGX_ERROR;
        }

        rc = ngx_http_gw_template_escape(r, escape, &values[i]);
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

    case NGX_HTTP_GW_TEMPLATE_QUOTED:

        if (gw_json_escape_len(value->data, value->len, &len, &offset)
            != GW_OK)
        {
            return NGX_DECLINED;
        }

        len += 2;
        break;

    default: /* percent-encoded */
        len = value->len * GW_URI_ESCAPE_MAX;
        break;
    }

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (escape == NGX_HTTP_GW_TEMPLATE_STRING) {
        len = gw_json_escape(p, value->data, value->len) - p;

    } else if (escape == NGX_HTTP_GW_TEMPLATE_QUOTED) {
        p[0] = '"';
        (void) gw_json_escape(p + 1, value->data, value->len);
        p[len - 1] = '"';

    } else if (escape == NGX_HTTP_GW_TEMPLATE_SEGMENT) {
        len = (u_char *) ngx_escape_uri(p, value->data, value->len,
                                        NGX_ESCAPE_URI_COMPONENT)
              - p;

    } else if (escape == NGX_HTTP_GW_TEMPLATE_PATH) {
        len = gw_uri_text(p, value->data, value->len) - p;

    } else {
        len = gw_uri_component(p, value->data, value->len) - p;
    }

    value->data = p;
    value->len = len;

    return NGX_OK;
}


/* a value that is given: its JSON, or what is to be done with its text */

static void
ngx_http_gw_template_own(ngx_http_gw_own_t *own,
    ngx_http_gw_template_escape_e *escape, ngx_str_t *value)
{
    if (own == NULL) {
        ngx_str_set(value, "0");
        return;
    }

    *value = own->text;

    if (*escape != NGX_HTTP_GW_TEMPLATE_VALUE) {
        return;
    }

    if (own->json.data == NULL) {
        *escape = NGX_HTTP_GW_TEMPLATE_QUOTED;
        return;
    }

    /* it is known to be JSON */

    *value = own->json;
    *escape = NGX_HTTP_GW_TEMPLATE_PLAIN;
}
