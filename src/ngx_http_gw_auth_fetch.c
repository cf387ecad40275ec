
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_fetch.h"
#include "ngx_http_gw_auth_file.h"


/* bytes, of a body whose length is not known */
#define NGX_HTTP_GW_AUTH_FETCH_BUFFER  8192


static ngx_http_request_t *ngx_http_gw_auth_fetch_request(
    ngx_http_request_t *r, ngx_http_gw_auth_fetch_t *fetch, ngx_str_t *uri);
static ngx_http_gw_auth_fetch_t *ngx_http_gw_auth_fetch_find(
    ngx_http_request_t *r, ngx_uint_t *nested);
static ngx_int_t ngx_http_gw_auth_fetch_post(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static ngx_int_t ngx_http_gw_auth_fetch_guard(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_http_gw_auth_fetch_complete(ngx_http_gw_auth_fetch_t *fetch);
static void ngx_http_gw_auth_fetch_end(ngx_http_gw_auth_fetch_t *fetch);
static void ngx_http_gw_auth_fetch_stop(ngx_event_t *ev);
static void ngx_http_gw_auth_fetch_cleanup(void *data);
static void ngx_http_gw_auth_fetch_fail(ngx_http_gw_auth_fetch_t *fetch,
    const char *error);
static time_t ngx_http_gw_auth_fetch_age(ngx_http_request_t *r);
static time_t ngx_http_gw_auth_fetch_number(ngx_str_t *value,
    const char *name, size_t len);
static ngx_int_t ngx_http_gw_auth_fetch_store(ngx_http_gw_auth_fetch_t *fetch,
    u_char *data, size_t len);


ngx_http_gw_auth_fetch_t *
ngx_http_gw_auth_fetch(ngx_http_request_t *r, ngx_str_t *uri, size_t max,
    ngx_msec_t timeout, ngx_http_gw_auth_fetch_pt handler, void *data)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_gw_auth_fetch_t  *fetch;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_gw_auth_fetch_t));
    if (cln == NULL) {
        return NULL;
    }

    fetch = cln->data;
    ngx_memzero(fetch, sizeof(ngx_http_gw_auth_fetch_t));

    fetch->post.handler = ngx_http_gw_auth_fetch_post;
    fetch->post.data = fetch;
    fetch->guard.handler = ngx_http_gw_auth_fetch_guard;
    fetch->guard.data = fetch;
    fetch->handler = handler;
    fetch->data = data;
    fetch->max = max;
    fetch->expect = -1;
    fetch->max_age = -1;

    fetch->request = ngx_http_gw_auth_fetch_request(r, fetch, uri);
    if (fetch->request == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gw_auth_fetch_cleanup;

    fetch->timer.handler = ngx_http_gw_auth_fetch_stop;
    fetch->timer.data = fetch;
    fetch->timer.log = ngx_cycle->log;

    ngx_add_timer(&fetch->timer, timeout);

    return fetch;
}


static ngx_http_request_t *
ngx_http_gw_auth_fetch_request(ngx_http_request_t *r,
    ngx_http_gw_auth_fetch_t *fetch, ngx_str_t *uri)
{
    u_char                     *p;
    ngx_str_t                   path, args;
    ngx_http_request_t         *sr;
    ngx_http_request_body_t    *body;
    ngx_http_variable_value_t  *variables;
    ngx_http_core_main_conf_t  *cmcf;

    path = *uri;
    ngx_str_null(&args);

    p = ngx_strlchr(uri->data, uri->data + uri->len, '?');

    if (p) {
        path.len = p - uri->data;
        args.data = p + 1;
        args.len = uri->len - path.len - 1;
    }

    /*
     * What variables of this request depend on headers of the client, and
     * other clients will use the answer: it begins without any value.
     */

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                     * sizeof(ngx_http_variable_value_t));
    body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));

    if (variables == NULL || body == NULL) {
        return NULL;
    }

    sr = NULL;

    /* not a part of the answer: the client's request does not wait for it */

    if (ngx_http_subrequest(r, &path, &args, &sr, &fetch->post,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        if (sr) {
            /* it was counted, but could not be posted */
            r->main->count--;
        }

        return NULL;
    }

    sr->variables = variables;
    sr->request_body = body;
    sr->unparsed_uri = *uri;
    sr->discard_body = 0;
    sr->header_only = 0;

    ngx_str_null(&sr->request_line);
    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));

    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;

    if (ngx_list_init(&sr->headers_in.headers, r->pool, 1,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        /* it is posted already: it must not run as it is */

        sr->write_event_handler = ngx_http_request_empty_handler;
        r->main->count--;

        return NULL;
    }

    return sr;
}


ngx_uint_t
ngx_http_gw_auth_fetch_is(ngx_http_request_t *r)
{
    ngx_uint_t  nested;

    return ngx_http_gw_auth_fetch_find(r, &nested) != NULL;
}


/*
 * Not through the module's context: error_page and other redirects in the
 * location clear that, but keep the handler.
 */

static ngx_http_gw_auth_fetch_t *
ngx_http_gw_auth_fetch_find(ngx_http_request_t *r, ngx_uint_t *nested)
{
    ngx_http_request_t  *p;

    for (p = r; p != r->main; p = p->parent) {
        if (p->post_subrequest
            && p->post_subrequest->handler == ngx_http_gw_auth_fetch_post)
        {
            *nested = (p != r);
            return p->post_subrequest->data;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_gw_auth_fetch_post(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_gw_auth_fetch_t *fetch = data;

    ngx_http_postponed_request_t  *pr;

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, sr->connection->log, 0,
                   "gw auth fetch \"%V\" rc:%i status:%ui last:%d",
                   &sr->uri, rc, fetch->status, (int) fetch->last);

    if (rc == NGX_ERROR
        || rc == NGX_HTTP_REQUEST_TIME_OUT
        || rc == NGX_HTTP_CLIENT_CLOSED_REQUEST
        || rc == NGX_HTTP_CLOSE)
    {
        /* these would end the client's request */

        ngx_http_gw_auth_fetch_fail(fetch, "its answer was cut short");
        rc = NGX_OK;
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE
        || rc == NGX_HTTP_CREATED
        || rc == NGX_HTTP_NO_CONTENT)
    {
        if (!sr->header_sent) {
            /* core makes an answer of it, or error_page does, and is back */
            return rc;
        }

        ngx_http_gw_auth_fetch_fail(fetch, "its answer was cut short");
        rc = NGX_OK;
    }

    if (sr->aio) {
        return rc;
    }

    /* what filters have held back, or have added, is not waited for */

    sr->buffered = 0;

    for (pr = sr->postponed; pr; pr = pr->next) {
        if (pr->request) {
            pr->request->background = 1;

            ngx_http_gw_auth_fetch_fail(fetch, "its location includes others");
        }
    }

    sr->postponed = NULL;
    sr->background = 1;
    sr->write_event_handler = ngx_http_request_empty_handler;

    if (fetch->request) {
        ngx_http_gw_auth_fetch_complete(fetch);
        ngx_http_gw_auth_fetch_end(fetch);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_fetch_guard(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    if (rc == NGX_ERROR
        || rc == NGX_HTTP_REQUEST_TIME_OUT
        || rc == NGX_HTTP_CLIENT_CLOSED_REQUEST
        || rc == NGX_HTTP_CLOSE
        || (rc >= NGX_HTTP_SPECIAL_RESPONSE && sr->header_sent))
    {
        return NGX_OK;
    }

    return rc;
}


static void
ngx_http_gw_auth_fetch_complete(ngx_http_gw_auth_fetch_t *fetch)
{
    if (fetch->error) {
        return;
    }

    if (!fetch->header) {
        ngx_http_gw_auth_fetch_fail(fetch, "there was no answer");
        return;
    }

    if (!fetch->last
        || (fetch->expect >= 0 && fetch->expect != (off_t) fetch->body.len))
    {
        ngx_http_gw_auth_fetch_fail(fetch, "its answer was cut short");
    }
}


static void
ngx_http_gw_auth_fetch_end(ngx_http_gw_auth_fetch_t *fetch)
{
    fetch->request = NULL;

    if (fetch->timer.timer_set) {
        ngx_del_timer(&fetch->timer);
    }

    fetch->handler(fetch);

    if (fetch->body.data) {
        ngx_http_gw_auth_free_file(&fetch->body);
    }
}


/* at top level: it took too long, or more of it is of no use */

static void
ngx_http_gw_auth_fetch_stop(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *sr;
    ngx_http_gw_auth_fetch_t  *fetch;

    fetch = ev->data;
    sr = fetch->request;
    c = sr->connection;

    ngx_http_gw_auth_fetch_fail(fetch, "its answer took too long");
    ngx_http_gw_auth_fetch_end(fetch);

    if (sr->upstream == NULL || sr->upstream->cleanup == NULL) {

        /* it waits for something else: it runs on, and is not listened to */

        return;
    }

    ngx_http_set_log_request(c->log, sr);

    /* the client's request may only be waiting for this one to end */

    sr->main->count++;

    (*sr->upstream->cleanup)(sr);

    sr->done = 1;
    sr->read_event_handler = ngx_http_block_reading;
    sr->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_finalize_request(sr, NGX_DONE);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_gw_auth_fetch_cleanup(void *data)
{
    ngx_http_gw_auth_fetch_t *fetch = data;

    if (fetch->request) {
        fetch->lost = 1;
        ngx_http_gw_auth_fetch_fail(fetch, "the client has gone");
        ngx_http_gw_auth_fetch_end(fetch);
    }
}


static void
ngx_http_gw_auth_fetch_fail(ngx_http_gw_auth_fetch_t *fetch,
    const char *error)
{
    if (fetch->error == NULL) {
        fetch->error = error;
    }
}


ngx_int_t
ngx_http_gw_auth_fetch_header(ngx_http_request_t *r)
{
    ngx_uint_t                 nested;
    ngx_table_elt_t           *h;
    ngx_http_upstream_t       *u;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_gw_auth_fetch_t  *fetch;

    fetch = ngx_http_gw_auth_fetch_find(r, &nested);

    if (fetch == NULL) {
        return NGX_DECLINED;
    }

    r->header_sent = 1;

    if (nested) {

        if (r->post_subrequest == NULL) {
            r->post_subrequest = &fetch->guard;
        }

        return NGX_OK;
    }

    r->filter_need_in_memory = 1;
    r->limit_rate = 0;
    r->limit_rate_set = 1;

    u = r->upstream;

    if (u && u->buffering && !u->cacheable && !u->store) {

        /*
         * The event pipe hands nothing on before its end unless the request
         * is the one that writes to the client.
         */

        u->buffering = 0;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    fetch->header = 1;
    fetch->internal = clcf->internal;
    fetch->status = r->headers_out.status;
    fetch->expect = r->headers_out.content_length_n;
    fetch->max_age = ngx_http_gw_auth_fetch_age(r);

    if (fetch->status != NGX_HTTP_OK) {
        fetch->code = fetch->status;
        ngx_http_gw_auth_fetch_fail(fetch, "the status of its answer is %ui");
        return NGX_OK;
    }

    h = r->headers_out.content_encoding;

    if (h && h->hash && h->value.len
        && !(h->value.len == 8
             && ngx_strncasecmp(h->value.data, (u_char *) "identity", 8)
                == 0))
    {
        ngx_http_gw_auth_fetch_fail(fetch, "its answer is compressed, use "
                                    "\"gunzip on\" in its location");
    }

    return NGX_OK;
}


/* seconds for which the provider lets its answer be used, less its age */

static time_t
ngx_http_gw_auth_fetch_age(ngx_http_request_t *r)
{
    time_t            max_age, age, n;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    age = 0;
    max_age = -1;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0) {
                continue;
            }

            if (h[i].key.len == sizeof("Cache-Control") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Cache-Control",
                                   sizeof("Cache-Control") - 1)
                   == 0)
            {
                n = ngx_http_gw_auth_fetch_number(&h[i].value, "max-age=", 8);

                if (n >= 0 && (max_age < 0 || n < max_age)) {
                    max_age = n;
                }

            } else if (h[i].key.len == sizeof("Age") - 1
                       && ngx_strncasecmp(h[i].key.data, (u_char *) "Age",
                                          sizeof("Age") - 1)
                          == 0)
            {
                n = ngx_http_gw_auth_fetch_number(&h[i].value, "", 0);
                age = (n > 0) ? n : 0;
            }
        }
    }

    if (max_age < 0) {
        return -1;
    }

    return (max_age > age) ? max_age - age : 0;
}


/* RFC 9111, 5.2: "name=digits" or name="digits", among others; or -1 */

static time_t
ngx_http_gw_auth_fetch_number(ngx_str_t *value, const char *name, size_t len)
{
    u_char  *p, *start, *last;
    time_t   n;

    last = value->data + value->len;

    for (p = value->data; p + len < last; p++) {

        if (ngx_strncasecmp(p, (u_char *) name, len) != 0
            || (p > value->data && p[-1] != ' ' && p[-1] != ','))
        {
            continue;
        }

        p += len;

        if (*p == '"') {
            p++;
        }

        for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }

        n = ngx_atotm(start, p - start);

        if (n == NGX_ERROR && p - start > 9) {
            /* RFC 9111, 1.2.2: more than can be counted is a lot */
            return NGX_MAX_INT32_VALUE;
        }

        return n;
    }

    return -1;
}


ngx_int_t
ngx_http_gw_auth_fetch_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                 *b;
    ngx_uint_t                 nested;
    ngx_http_gw_auth_fetch_t  *fetch;

    fetch = ngx_http_gw_auth_fetch_find(r, &nested);

    if (fetch == NULL) {
        return NGX_DECLINED;
    }

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (!nested) {

            if (b->last_buf || b->last_in_chain) {
                fetch->last = 1;
            }

            if (!ngx_buf_special(b)
                && fetch->request
                && fetch->error == NULL
                && (!ngx_buf_in_memory(b)
                    || ngx_http_gw_auth_fetch_store(fetch, b->pos,
                                                    b->last - b->pos)
                       != NGX_OK))
            {
                ngx_http_gw_auth_fetch_fail(fetch, "no memory");
            }
        }

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    if (!nested && fetch->request && fetch->error && !fetch->last
        && !fetch->told)
    {
        /* not here, the upstream code is on the stack: at once */

        fetch->told = 1;

        ngx_add_timer(&fetch->timer, 0);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_fetch_store(ngx_http_gw_auth_fetch_t *fetch, u_char *data,
    size_t len)
{
    u_char  *p;
    size_t   size, stored;

    if (len > fetch->max - fetch->body.len) {
        ngx_http_gw_auth_fetch_fail(fetch, "its answer is larger than 512 "
                                    "KiB, publish fewer keys");
        return NGX_OK;
    }

    if (len > fetch->allocated - fetch->body.len) {

        size = ngx_max(fetch->allocated * 2, NGX_HTTP_GW_AUTH_FETCH_BUFFER);

        if (fetch->expect > (off_t) size) {
            size = (size_t) fetch->expect;
        }

        size = ngx_min(ngx_max(size, fetch->body.len + len), fetch->max);

        p = ngx_alloc(size, ngx_cycle->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        stored = fetch->body.len;

        if (fetch->body.data) {
            ngx_memcpy(p, fetch->body.data, stored);
            ngx_http_gw_auth_free_file(&fetch->body);
        }

        fetch->body.data = p;
        fetch->body.len = stored;
        fetch->allocated = size;
    }

    ngx_memcpy(fetch->body.data + fetch->body.len, data, len);
    fetch->body.len += len;

    return NGX_OK;
}
