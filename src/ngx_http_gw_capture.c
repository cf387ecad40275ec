
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_hedge.h"
#include "ngx_http_gw_capture.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_part.h"
#include "ngx_http_gw_shape.h"


static ngx_uint_t ngx_http_gw_capture_memory(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_capture_nested(ngx_http_request_t *r,
    ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_capture_location(ngx_http_request_t *r,
    ngx_http_gw_part_t *part);
static ngx_http_gw_part_error_e ngx_http_gw_capture_check(
    ngx_http_request_t *r, ngx_http_gw_part_t *part);
static ngx_http_gw_part_error_e ngx_http_gw_capture_begin(
    ngx_http_gw_part_t *part);
static ngx_http_gw_part_error_e ngx_http_gw_capture_status(
    ngx_http_request_t *r, ngx_http_gw_part_t *part);
static ngx_uint_t ngx_http_gw_capture_type(ngx_http_request_t *r,
    ngx_array_t *types);
static void ngx_http_gw_capture_data(ngx_http_gw_part_t *part, ngx_buf_t *b,
    ngx_uint_t in_place);
static gw_json_scan_e ngx_http_gw_capture_scan(ngx_http_gw_part_t *part,
    u_char *data, size_t len);
static ngx_int_t ngx_http_gw_capture_store(ngx_http_gw_part_t *part,
    u_char *data, size_t len);
static ngx_int_t ngx_http_gw_capture_add(ngx_http_gw_part_t *part,
    ngx_buf_t *b);
static ngx_uint_t ngx_http_gw_capture_in_place(ngx_http_gw_part_t *part,
    ngx_buf_t *buffer, ngx_chain_t *in);
static ngx_int_t ngx_http_gw_capture_keep(ngx_http_gw_part_t *part,
    u_char *data, size_t len);
static void ngx_http_gw_capture_room(ngx_http_gw_part_t *part,
    ngx_buf_t *buffer);
static u_char *ngx_http_gw_capture_block(ngx_http_gw_part_t *part,
    size_t size);


ngx_int_t
ngx_http_gw_capture_access(ngx_http_request_t *r)
{
    ngx_uint_t           nested;
    ngx_http_gw_part_t  *part;

    part = ngx_http_gw_part_find(r, &nested);

    if (part == NULL || nested) {
        return NGX_DECLINED;
    }

    if (ngx_http_gw_capture_location(r, part) != NGX_OK) {
        return NGX_HTTP_FORBIDDEN;
    }

    if (part->encoded && r->uri.data == part->path.data) {

        /* the proxy escapes the URI of an internal request */

        r->internal = 0;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_capture_location(ngx_http_request_t *r, ngx_http_gw_part_t *part)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (part->allowed || part->error == NGX_HTTP_GW_PART_NOT_INTERNAL) {
        return part->allowed ? NGX_OK : NGX_DECLINED;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->internal || !part->gather->conf->internal_only) {
        part->allowed = 1;
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "location \"%V\" of part \"%V\" is not internal: its access "
                  "rules do not apply to parts; make it internal or set "
                  "gw_aggregate_internal_only off",
                  &clcf->name, &part->conf->name);

    ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_NOT_INTERNAL);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_gw_capture_header(ngx_http_request_t *r)
{
    ngx_uint_t                 nested;
    ngx_http_upstream_t       *u;
    ngx_http_gw_part_t        *part;
    ngx_http_gw_part_error_e   error;

    part = ngx_http_gw_part_find(r, &nested);

    if (part == NULL || ngx_http_gw_capture_memory(r)) {
        return NGX_DECLINED;
    }

    r->header_sent = 1;

    if (nested) {
        return ngx_http_gw_capture_nested(r, part);
    }

    r->filter_need_in_memory = 1;
    r->limit_rate = 0;
#if (nginx_version >= 1017000)
    r->limit_rate_set = 1;
#endif

    part->header = 1;
    part->status = r->headers_out.status;
    part->expect = r->headers_out.content_length_n;

    if (part->done || part->kill) {
        return NGX_OK;
    }

    if (ngx_http_gw_capture_location(r, part) != NGX_OK) {
        return NGX_OK;
    }

    error = ngx_http_gw_capture_check(r, part);

    if (error == NGX_HTTP_GW_PART_OK) {
        part = ngx_http_gw_hedge_commit(part);
        error = ngx_http_gw_capture_begin(part);
    }

    if (error != NGX_HTTP_GW_PART_OK) {
        ngx_http_gw_part_fail(part, error);

        /* a short text is read, so that its connection can be used again */

        if (part->expect > NGX_HTTP_GW_DRAIN_SIZE) {
            part->kill = 1;
            ngx_http_gw_gather_wake(part->gather);

        } else {
            ngx_http_gw_gather_drain(part);
        }
    }

    u = r->upstream;

    if (u && u->buffering && !u->cacheable && !u->store) {

        /*
         * The event pipe hands nothing on before its end unless the request
         * is the one that writes to the client: a long answer would go
         * through a temporary file.
         */

        u->buffering = 0;
    }

    /* there is no conf yet when the address to pass to is a bad one */

    part->in_place = (u && u->conf && !u->buffering
                      && u->conf->module.len == sizeof("proxy") - 1
                      && ngx_strncmp(u->conf->module.data, "proxy", 5) == 0);

    return NGX_OK;
}


/* of a script in a part, which keeps the answer for it in memory */

static ngx_uint_t
ngx_http_gw_capture_memory(ngx_http_request_t *r)
{
    return r->subrequest_in_memory;
}


static ngx_int_t
ngx_http_gw_capture_nested(ngx_http_request_t *r, ngx_http_gw_part_t *part)
{
    ngx_http_postponed_request_t  *pr, **ppr;

    if (r->post_subrequest == NULL) {
        r->post_subrequest = &part->guard;
    }

    if (r->background && r->header_only) {
        /* updates the cache */
        return NGX_OK;
    }

    ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_NESTED_OUTPUT);

    if (!part->done) {

        /* what includes with wait="yes" would never end */

        part->kill = 1;
        ngx_http_gw_gather_wake(part->gather);
    }

    if (r->background) {
        return NGX_OK;
    }

    r->background = 1;

    for (ppr = &r->parent->postponed; *ppr; ppr = &(*ppr)->next) {

        if ((*ppr)->request != r) {
            continue;
        }

        pr = *ppr;
        *ppr = pr->next;
        pr->next = part->nested;
        part->nested = pr;

        break;
    }

    if (r->parent->postponed == NULL && r->parent != part->request) {
        return ngx_http_post_request(r->parent, NULL);
    }

    return NGX_OK;
}


static ngx_http_gw_part_error_e
ngx_http_gw_capture_check(ngx_http_request_t *r, ngx_http_gw_part_t *part)
{
    ngx_table_elt_t              *h;
    ngx_http_gw_part_error_e      error;
    ngx_http_gw_aggregate_conf_t *conf;

    conf = part->gather->conf;

    if (part->error != NGX_HTTP_GW_PART_OK) {
        return part->error;
    }

    error = ngx_http_gw_capture_status(r, part);

    if (error != NGX_HTTP_GW_PART_OK || part->null) {
        return error;
    }

    if ((part->expect == 0 && part->conf->type == NGX_HTTP_GW_PART_JSON)
        || part->status == NGX_HTTP_NO_CONTENT
        || part->status == 205)
    {
        part->null = 1;
        return NGX_HTTP_GW_PART_OK;
    }

    h = r->headers_out.content_encoding;

    if (h && h->hash && h->value.len
        && !(h->value.len == 8
             && ngx_strncasecmp(h->value.data, (u_char *) "identity", 8)
                == 0))
    {
        return NGX_HTTP_GW_PART_ENCODING;
    }

    if (part->conf->type == NGX_HTTP_GW_PART_JSON
        && !ngx_http_gw_capture_type(r, conf->types))
    {
        return NGX_HTTP_GW_PART_TYPE;
    }

    if (part->expect > (off_t) part->conf->max_size) {
        return NGX_HTTP_GW_PART_TOO_LARGE;
    }

    if (part->expect > (off_t) conf->max_size - (off_t) part->gather->size) {
        part->gather->overflow = !part->gather->begun;
        ngx_http_gw_gather_wake(part->gather);
        return NGX_HTTP_GW_PART_TOO_LARGE;
    }

    return NGX_HTTP_GW_PART_OK;
}


/* the answer that is taken */

static ngx_http_gw_part_error_e
ngx_http_gw_capture_begin(ngx_http_gw_part_t *part)
{
    if (part->null) {
        return NGX_HTTP_GW_PART_OK;
    }

    part->keep = 1;

    if (part->expect > 0) {
        /* it gets its memory at once */
        part->gather->size += part->expect;
    }

    gw_json_scan_init(&part->scan, part->gather->conf->max_depth);

    if (part->conf->shape) {
        if (ngx_http_gw_shape_start(part) != NGX_OK) {
            part->keep = 0;
            return NGX_HTTP_GW_PART_INTERNAL;
        }

    } else if (part->conf->trie) {
        gw_json_scan_track(&part->scan, part->conf->trie, &part->range);
    }

    return NGX_HTTP_GW_PART_OK;
}


/*
 * A status that nginx itself made because there was no answer of the back end
 * is told from one that the back end sent by the status line it has read.
 */

static ngx_http_gw_part_error_e
ngx_http_gw_capture_status(ngx_http_request_t *r, ngx_http_gw_part_t *part)
{
    ngx_uint_t            status;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    status = part->status;

    if (status == 0) {
        /* HTTP/0.9, which is what anything but HTTP is taken for */
        return NGX_HTTP_GW_PART_UNREACHABLE;
    }

    if (ngx_http_gw_codes_has(&part->conf->null, status)) {
        part->null = 1;
        return NGX_HTTP_GW_PART_OK;
    }

    if (ngx_http_gw_codes_has(&part->conf->ok, status)) {
        return NGX_HTTP_GW_PART_OK;
    }

    if (u && u->headers_in.status_n != status) {

        if (status == NGX_HTTP_GATEWAY_TIME_OUT) {
            return NGX_HTTP_GW_PART_TIMEOUT;
        }

        if (status == NGX_HTTP_BAD_GATEWAY) {
            return NGX_HTTP_GW_PART_UNREACHABLE;
        }
    }

    return NGX_HTTP_GW_PART_STATUS;
}


static ngx_uint_t
ngx_http_gw_capture_type(ngx_http_request_t *r, ngx_array_t *types)
{
    u_char              *p, *last;
    size_t               len;
    ngx_uint_t           i;
    ngx_http_gw_type_t  *type;

    if (r->headers_out.content_type.len == 0) {
        return 1;
    }

    p = r->headers_out.content_type.data;
    last = p + r->headers_out.content_type.len;

    for (len = 0; p + len < last; len++) {
        if (p[len] == ';' || p[len] == ' ' || p[len] == '\t') {
            break;
        }
    }

    last = p + len;
    type = types->elts;

    for (i = 0; i < types->nelts; i++) {

        if (!type[i].wildcard) {
            if (len == type[i].prefix.len
                && ngx_strncasecmp(p, type[i].prefix.data, len) == 0)
            {
                return 1;
            }

            continue;
        }

        if (len >= type[i].prefix.len + type[i].suffix.len
            && ngx_strncasecmp(p, type[i].prefix.data, type[i].prefix.len)
               == 0
            && ngx_strncasecmp(last - type[i].suffix.len,
                               type[i].suffix.data, type[i].suffix.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_gw_capture_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t           *b;
    ngx_uint_t           nested, in_place;
    ngx_http_gw_part_t  *part;

    part = ngx_http_gw_part_find(r, &nested);

    if (part == NULL || ngx_http_gw_capture_memory(r)) {
        return NGX_DECLINED;
    }

    in_place = !nested && part->in_place && part->keep
               && ngx_http_gw_capture_in_place(part, &r->upstream->buffer,
                                               in);

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (!nested) {

            if (b->last_buf || b->last_in_chain) {
                part->last = 1;
            }

            if (!ngx_buf_special(b)) {
                ngx_http_gw_capture_data(part, b, in_place);
            }
        }

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    if (part->gather->stream && r->connection->write->delayed) {

        /* the upstream code takes the timer away that would end the delay */

        ngx_http_gw_gather_wake(part->gather);
    }

    if (in_place && part->keep && !part->last
        && part->expect != (off_t) part->size)
    {
        ngx_http_gw_capture_room(part, &r->upstream->buffer);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_capture_failed(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t           nested;
    ngx_http_gw_part_t  *part;

    part = ngx_http_gw_part_find(r, &nested);

    if (part == NULL) {
        return NGX_ERROR;
    }

    ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TOO_LARGE);

    /* or it would wait for room */

    for ( /* void */ ; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }

    return NGX_OK;
}


static void
ngx_http_gw_capture_data(ngx_http_gw_part_t *part, ngx_buf_t *b,
    ngx_uint_t in_place)
{
    size_t                 len;
    ngx_int_t              rc;
    ngx_http_gw_gather_t  *gather;

    if (part->done || part->kill) {
        return;
    }

    if (!ngx_buf_in_memory(b)) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);
        return;
    }

    len = b->last - b->pos;

    if (!part->keep) {

        if (part->gather->conf->errors == NGX_HTTP_GW_ERRORS_BODY
            && part->size == 0
            && ngx_http_gw_capture_store(part, b->pos, ngx_min(len,
                                                    NGX_HTTP_GW_DETAIL_SIZE))
               != NGX_OK)
        {
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);
        }

        part->size += len;

        if (part->size > NGX_HTTP_GW_DRAIN_SIZE) {
            part->kill = 1;
            ngx_http_gw_gather_wake(part->gather);
        }

        return;
    }

    gather = part->gather;

    if (len > part->conf->max_size - part->size) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TOO_LARGE);

    } else if (part->expect < 0
               && len > gather->conf->max_size - gather->size)
    {
        gather->overflow = !gather->begun;
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TOO_LARGE);

    } else {

        switch (ngx_http_gw_capture_scan(part, b->pos, len)) {

        case GW_JSON_SCAN_OK:

            rc = in_place ? ngx_http_gw_capture_keep(part, b->pos, len)
                          : ngx_http_gw_capture_store(part, b->pos, len);

            if (rc != NGX_OK) {
                ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);
                break;
            }

            part->size += len;

            if (part->expect < 0) {
                gather->size += len;
            }

            return;

        case GW_JSON_SCAN_INVALID_UTF8:
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INVALID_UTF8);
            break;

        case GW_JSON_SCAN_TOO_DEEP:
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TOO_DEEP);
            break;

        default:
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INVALID_JSON);
            break;
        }
    }

    /* not here: the upstream code is on the stack */

    part->kill = 1;
    ngx_http_gw_gather_wake(gather);
}


static gw_json_scan_e
ngx_http_gw_capture_scan(ngx_http_gw_part_t *part, u_char *data, size_t len)
{
    if (part->conf->type != NGX_HTTP_GW_PART_JSON) {
        return GW_JSON_SCAN_OK;
    }

    return gw_json_scan_feed(&part->scan, data, len);
}


static ngx_int_t
ngx_http_gw_capture_store(ngx_http_gw_part_t *part, u_char *data, size_t len)
{
    size_t        size, n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    while (len) {

        cl = part->last_out;

        if (cl == NULL || cl->buf->last == cl->buf->end) {

            if (part->expect > 0) {
                size = part->expect - part->size;

            } else {
                size = part->gather->conf->buffer_size;

                if (size > part->conf->max_size - part->size) {
                    size = part->conf->max_size - part->size;
                }
            }

            if (size < len) {
                size = len;
            }

            b = ngx_create_temp_buf(part->request->pool, size);

            if (b == NULL || ngx_http_gw_capture_add(part, b) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        b = part->last_out->buf;
        n = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, data, n);
        data += n;
        len -= n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_capture_add(ngx_http_gw_part_t *part, ngx_buf_t *b)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(part->request->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    if (part->last_out) {
        part->last_out->next = cl;

    } else {
        part->out = cl;
    }

    part->last_out = cl;

    return NGX_OK;
}


/*
 * The buffer that the upstream code reads into is ours to keep: what stands
 * there is not copied, and the next read goes behind it, or to a new buffer
 * that is as large as the rest of the answer.  The upstream code begins each
 * read at buffer->start.
 *
 * Returns 0 when data is not in that buffer, gunzip may have made it; or when
 * most of the buffer is framing and chunks that are too small to be kept.
 */

static ngx_uint_t
ngx_http_gw_capture_in_place(ngx_http_gw_part_t *part, ngx_buf_t *buffer,
    ngx_chain_t *in)
{
    size_t      len, kept;
    u_char     *last;
    ngx_buf_t  *b;

    kept = 0;
    last = buffer->start;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (ngx_buf_special(b)) {
            continue;
        }

        if (!ngx_buf_in_memory(b)
            || b->pos < buffer->start || b->last > buffer->end)
        {
            return 0;
        }

        len = b->last - b->pos;

        if (len >= NGX_HTTP_GW_IN_PLACE_SIZE) {
            kept += len;
        }

        last = b->last;
    }

    return part->expect >= 0 || kept >= (size_t) (last - buffer->start) / 2;
}


static ngx_int_t
ngx_http_gw_capture_keep(ngx_http_gw_part_t *part, u_char *data, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = part->last_out;

    if (cl && cl->buf->last == data) {
        cl->buf->last += len;
        cl->buf->end = cl->buf->last;
        part->kept = cl->buf->last;

        return NGX_OK;
    }

    if (part->expect < 0 && len < NGX_HTTP_GW_IN_PLACE_SIZE) {
        return ngx_http_gw_capture_store(part, data, len);
    }

    b = ngx_calloc_buf(part->request->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = data;
    b->last = data + len;
    b->end = b->last;
    b->memory = 1;

    part->kept = b->last;

    return ngx_http_gw_capture_add(part, b);
}


static void
ngx_http_gw_capture_room(ngx_http_gw_part_t *part, ngx_buf_t *buffer)
{
    size_t   need, size;
    u_char  *start;

    start = buffer->start;

    if (part->kept > start && part->kept <= buffer->end) {
        start = part->kept;
    }

    /* a byte more shows what a back end sends behind its answer */

    need = NGX_HTTP_GW_READ_SIZE;
    size = part->gather->conf->buffer_size;

    if (part->expect >= 0) {
        need = part->expect - part->size + 1;
        size = need;
    }

    if ((size_t) (buffer->end - start) < need) {
        start = ngx_http_gw_capture_block(part, ngx_max(size, need));

        if (start == NULL) {
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);
            part->kill = 1;
            ngx_http_gw_gather_wake(part->gather);
            return;
        }

        buffer->end = start + ngx_max(size, need);
    }

    buffer->start = start;
    buffer->pos = start;
    buffer->last = start;
}


/* memory to read into, noted where it is given back before the request ends */

static u_char *
ngx_http_gw_capture_block(ngx_http_gw_part_t *part, size_t size)
{
    void        **block;
    ngx_pool_t   *pool;

    pool = part->request->pool;

    if (part->gather->stream == NULL) {
        return ngx_palloc(pool, size);
    }

    if (part->blocks == NULL) {
        part->blocks = ngx_array_create(pool, 4, sizeof(void *));
        if (part->blocks == NULL) {
            return NULL;
        }
    }

    block = ngx_array_push(part->blocks);
    if (block == NULL) {
        return NULL;
    }

    *block = ngx_palloc(pool, size);

    if (*block == NULL) {
        part->blocks->nelts--;
        return NULL;
    }

    return *block;
}
