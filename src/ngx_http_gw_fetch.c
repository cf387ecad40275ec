
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_uri.h"
#include "ngx_http_gw_fetch.h"


static ngx_int_t ngx_http_gw_fetch_set_headers(ngx_http_request_t *r,
    ngx_http_request_t *sr, ngx_array_t *headers, ngx_uint_t body);
static ngx_table_elt_t *ngx_http_gw_fetch_add_header(ngx_http_request_t *sr,
    ngx_http_gw_fetch_header_t *fh);
static ngx_int_t ngx_http_gw_fetch_set_body(ngx_http_request_t *sr,
    ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_fetch_set_length(ngx_http_request_t *r,
    ngx_http_request_t *sr);


ngx_int_t
ngx_http_gw_fetch_uri(ngx_pool_t *pool, ngx_str_t *uri, ngx_str_t *path,
    ngx_str_t *args, ngx_uint_t *encoded)
{
    u_char    *p;
    size_t     len;
    unsigned   slash;

    *path = *uri;
    ngx_str_null(args);

    p = ngx_strlchr(uri->data, uri->data + uri->len, '?');

    if (p) {
        path->len = p - uri->data;
        args->data = p + 1;
        args->len = uri->len - path->len - 1;

        if (gw_uri_args(args->data, args->len) != GW_OK) {
            return NGX_DECLINED;
        }
    }

    p = ngx_pnalloc(pool, path->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (gw_uri_path(path->data, path->len, p, &len, &slash) != GW_OK) {
        return NGX_DECLINED;
    }

    *encoded = slash;

    if (!slash) {
        path->data = p;
        path->len = len;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_fetch_wanted(ngx_http_request_t *r, ngx_http_gw_part_t *part)
{
    ngx_str_t  text;

    if (part->conf->condition == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, part->conf->condition, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    part->skipped = (text.len == 0
                     || (text.len == 1 && text.data[0] == '0'));

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_fetch_prepare(ngx_http_request_t *r, ngx_http_gw_part_t *part,
    ngx_http_gw_own_t *own)
{
    ngx_int_t                 rc;
    ngx_str_t                 text;
    ngx_uint_t                encoded;
    ngx_http_gw_part_conf_t  *pcf;

    pcf = part->conf;

    if (pcf->uri.constant) {
        part->path = pcf->path;
        part->args = pcf->args;
        part->encoded = pcf->encoded;

    } else {
        rc = ngx_http_gw_template_run(r, &pcf->uri, own, &text);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_gw_fetch_uri(r->pool, &text, &part->path, &part->args,
                                   &encoded);
        if (rc != NGX_OK) {
            return rc;
        }

        part->encoded = encoded;
    }

    if (pcf->body) {
        return ngx_http_gw_template_run(r, pcf->body, own, &part->body);
    }

    return NGX_OK;
}


ngx_array_t *
ngx_http_gw_fetch_headers(ngx_http_request_t *r, ngx_hash_t *strip)
{
    ngx_uint_t                   i;
    ngx_array_t                 *headers;
    ngx_table_elt_t             *h;
    ngx_list_part_t             *part;
    ngx_http_gw_fetch_header_t  *fh;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    headers = ngx_array_create(r->pool, 16,
                               sizeof(ngx_http_gw_fetch_header_t));
    if (headers == NULL) {
        return NULL;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0
                || ngx_hash_find(strip, h[i].hash, h[i].lowcase_key,
                                 h[i].key.len))
            {
                continue;
            }

            fh = ngx_array_push(headers);
            if (fh == NULL) {
                return NULL;
            }

            fh->header = &h[i];
            fh->known = ngx_hash_find(&cmcf->headers_in_hash, h[i].hash,
                                      h[i].lowcase_key, h[i].key.len);
            fh->body = (&h[i] == r->headers_in.content_type
                        || (h[i].key.len == sizeof("Content-Encoding") - 1
                            && ngx_strncmp(h[i].lowcase_key,
                                           "content-encoding", 16)
                               == 0));
        }
    }

    return headers;
}


ngx_int_t
ngx_http_gw_fetch_start(ngx_http_request_t *r, ngx_http_gw_part_t *part,
    ngx_array_t *headers)
{
    size_t                      size;
    ngx_http_request_t         *sr;
    ngx_http_gw_part_conf_t    *pcf;
    ngx_http_variable_value_t  *variables;
    ngx_http_core_main_conf_t  *cmcf;

    pcf = part->conf;
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    /* parts that set the same variable must not see each other's value */

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    variables = ngx_palloc(r->pool, size);
    if (variables == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(variables, r->variables, size);

    sr = NULL;

    if (ngx_http_subrequest(r, &part->path, &part->args, &sr, &part->post,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        if (sr) {
            /* it was counted, but could not be posted */
            r->main->count--;
        }

        return NGX_ERROR;
    }

    part->request = sr;

    /* a background request is never answered from a stale cache entry */

    sr->background = 0;
    sr->variables = variables;
    sr->discard_body = 0;
    sr->header_only = 0;

    if (pcf->method == 0 && r->method != NGX_HTTP_HEAD) {
        sr->method = r->method;
        sr->method_name = r->method_name;

    } else if (pcf->method) {
        sr->method = pcf->method;
        sr->method_name = pcf->method_name;
    }

    if (ngx_http_gw_fetch_set_headers(r, sr, headers, pcf->inherit_body)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (pcf->inherit_body) {
        return ngx_http_gw_fetch_set_length(r, sr);
    }

    sr->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (sr->request_body == NULL) {
        return NGX_ERROR;
    }

    if (pcf->body) {
        return ngx_http_gw_fetch_set_body(sr, part);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_fetch_set_headers(ngx_http_request_t *r, ngx_http_request_t *sr,
    ngx_array_t *headers, ngx_uint_t body)
{
    ngx_uint_t                   i;
    ngx_http_headers_in_t       *in;
    ngx_http_gw_fetch_header_t  *fh;

    in = &sr->headers_in;

    ngx_memzero(in, sizeof(ngx_http_headers_in_t));

    in->content_length_n = -1;
    in->keep_alive_n = -1;
    in->server = r->headers_in.server;
    in->user = r->headers_in.user;
    in->passwd = r->headers_in.passwd;

    /* room for Content-Type and Content-Length */

    if (ngx_list_init(&in->headers, r->pool, headers->nelts + 2,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    fh = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        if (fh[i].body && !body) {
            continue;
        }

        if (ngx_http_gw_fetch_add_header(sr, &fh[i]) == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_gw_fetch_add_header(ngx_http_request_t *sr,
    ngx_http_gw_fetch_header_t *fh)
{
    ngx_table_elt_t    *h;
    ngx_http_header_t  *hh;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NULL;
    }

    *h = *fh->header;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    hh = fh->known;

    if (hh == NULL) {
        return h;
    }

    if (hh->offset == offsetof(ngx_http_headers_in_t, host)) {

        /* its handler would choose the server once more */

        sr->headers_in.host = h;
        return h;
    }

    if (hh->handler(sr, h, hh->offset) != NGX_OK) {
        return NULL;
    }

    return h;
}


static ngx_int_t
ngx_http_gw_fetch_set_body(ngx_http_request_t *sr, ngx_http_gw_part_t *part)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_table_elt_t          *h;
    ngx_http_request_body_t  *rb;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = ngx_hash_key((u_char *) "content-type", 12);
    ngx_str_set(&h->key, "Content-Type");
    h->lowcase_key = (u_char *) "content-type";
    h->value = part->conf->content_type;

    sr->headers_in.content_type = h;

    rb = sr->request_body;

    if (part->body.len) {
        b = ngx_calloc_buf(sr->pool);
        if (b == NULL) {
            return NGX_ERROR;
        }

        b->start = part->body.data;
        b->pos = b->start;
        b->last = b->start + part->body.len;
        b->end = b->last;
        b->memory = 1;
        b->last_buf = 1;

        cl = ngx_alloc_chain_link(sr->pool);
        if (cl == NULL) {
            return NGX_ERROR;
        }

        cl->buf = b;
        cl->next = NULL;

        rb->bufs = cl;
        rb->buf = b;
    }

    return ngx_http_gw_fetch_set_length(sr, sr);
}


/* Content-Length from the body that r has and sr shares */

static ngx_int_t
ngx_http_gw_fetch_set_length(ngx_http_request_t *r, ngx_http_request_t *sr)
{
    off_t             len;
    ngx_chain_t      *cl;
    ngx_table_elt_t  *h;

    len = 0;

    if (r->request_body) {
        for (cl = r->request_body->bufs; cl; cl = cl->next) {
            len += ngx_buf_size(cl->buf);
        }
    }

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->value.data = ngx_pnalloc(sr->pool, NGX_OFF_T_LEN);
    if (h->value.data == NULL) {
        return NGX_ERROR;
    }

    h->value.len = ngx_sprintf(h->value.data, "%O", len) - h->value.data;
    h->hash = ngx_hash_key((u_char *) "content-length", 14);
    ngx_str_set(&h->key, "Content-Length");
    h->lowcase_key = (u_char *) "content-length";

    sr->headers_in.content_length = h;
    sr->headers_in.content_length_n = len;

    return NGX_OK;
}
