
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "ngx_http_gw_aggregate_each.h"
#include "ngx_http_gw_aggregate_header.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_part.h"
#include "ngx_http_gw_shape.h"


typedef struct {
    ngx_uint_t    status;
    ngx_str_t     title;
} ngx_http_gw_title_t;


static ngx_uint_t ngx_http_gw_compose_missed(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_compose_status(ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_compose_answer(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_compose_body(ngx_http_gw_gather_t *gather,
    ngx_chain_t **out, off_t *length);
static ngx_int_t ngx_http_gw_compose_problem(ngx_http_gw_gather_t *gather,
    ngx_uint_t status, ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_compose_send(ngx_http_request_t *r,
    ngx_chain_t *out);
static ngx_uint_t ngx_http_gw_compose_error_page(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_uint_t ngx_http_gw_compose_listed(ngx_http_gw_part_t *part);
static u_char *ngx_http_gw_compose_error(u_char *p, ngx_http_gw_part_t *part,
    ngx_uint_t errors);
static u_char *ngx_http_gw_compose_detail(u_char *p,
    ngx_http_gw_part_t *part);


static const ngx_http_gw_title_t  ngx_http_gw_titles[] = {
    { 400, ngx_string("Bad Request") },
    { 401, ngx_string("Unauthorized") },
    { 403, ngx_string("Forbidden") },
    { 404, ngx_string("Not Found") },
    { 405, ngx_string("Method Not Allowed") },
    { 409, ngx_string("Conflict") },
    { 410, ngx_string("Gone") },
    { 413, ngx_string("Content Too Large") },
    { 415, ngx_string("Unsupported Media Type") },
    { 422, ngx_string("Unprocessable Content") },
    { 429, ngx_string("Too Many Requests") },
    { 451, ngx_string("Unavailable For Legal Reasons") },
    { 503, ngx_string("Service Unavailable") },
    { 504, ngx_string("Gateway Timeout") },
    { 502, ngx_string("Bad Gateway") },
    { 0, ngx_null_string }
};


static const ngx_str_t  ngx_http_gw_retry_after = ngx_string("Retry-After");
static const ngx_str_t  ngx_http_gw_authenticate =
    ngx_string("WWW-Authenticate");


ngx_int_t
ngx_http_gw_compose(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           status;
    ngx_http_gw_part_t  *part;

    if (gather->conf->conflict == NGX_HTTP_GW_CONFLICT_ERROR
        && !gather->overflow
        && !(gather->failed && gather->conf->fail_fast)
        && ngx_http_gw_merge_run(gather, NULL) != NGX_OK)
    {
        return NGX_ERROR;
    }

    part = ngx_http_gw_compose_decide(gather, &status);

    if (gather->state == NGX_HTTP_GW_STATE_FAILED) {

        if (part && gather->outer) {

            /* what made an aggregate fail is why the part failed that it is */

            ngx_http_gw_part_fail(gather->outer, part->error);
        }

        return ngx_http_gw_compose_problem(gather, status, part);
    }

    if (gather->outer && gather->state == NGX_HTTP_GW_STATE_PARTIAL) {
        gather->outer->partial = 1;
    }

    return ngx_http_gw_compose_answer(gather);
}


ngx_int_t
ngx_http_gw_compose_refusal(ngx_http_gw_gather_t *gather)
{
    gather->state = NGX_HTTP_GW_STATE_FAILED;

    return ngx_http_gw_compose_problem(gather, NGX_HTTP_BAD_REQUEST, NULL);
}


ngx_http_gw_part_t *
ngx_http_gw_compose_decide(ngx_http_gw_gather_t *gather, ngx_uint_t *status)
{
    ngx_uint_t           i;
    ngx_http_gw_part_t  *part, *failed;

    failed = NULL;
    *status = NGX_HTTP_BAD_GATEWAY;

    gather->state = NGX_HTTP_GW_STATE_COMPLETE;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (part->partial) {
            gather->state = NGX_HTTP_GW_STATE_PARTIAL;
        }

        if (part->error == NGX_HTTP_GW_PART_OK) {
            continue;
        }

        gather->state = NGX_HTTP_GW_STATE_PARTIAL;

        /* one that had to wait for another is not the one at fault */

        if (!part->conf->optional
            && (failed == NULL
                || (failed->error == NGX_HTTP_GW_PART_DEPENDENCY
                    && part->error != NGX_HTTP_GW_PART_DEPENDENCY)))
        {
            failed = part;
        }
    }

    if (gather->overflow) {

        /* the one that did not fit is only the one that came last */

        for (i = 0; i < gather->nparts; i++) {
            part = &gather->parts[i];

            if (part->error == NGX_HTTP_GW_PART_OK && !part->skipped) {
                part->error = NGX_HTTP_GW_PART_TOO_LARGE;
            }
        }

        gather->state = NGX_HTTP_GW_STATE_FAILED;
        return NULL;
    }

    if (failed) {

        if (gather->conf->fail_fast) {
            failed = gather->failed;
        }

        gather->state = NGX_HTTP_GW_STATE_FAILED;
        *status = ngx_http_gw_compose_status(failed);

        return failed;
    }

    if (ngx_http_gw_compose_missed(gather)) {
        gather->state = NGX_HTTP_GW_STATE_FAILED;
    }

    return NULL;
}


/* gw_aggregate_require */

static ngx_uint_t
ngx_http_gw_compose_missed(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           i, optional, ok, failed;
    ngx_http_gw_part_t  *part;

    ok = 0;
    failed = 0;
    optional = 0;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (part->skipped) {
            continue;
        }

        if (part->error != NGX_HTTP_GW_PART_OK) {
            failed++;
            continue;
        }

        ok++;
        optional += part->conf->optional;
    }

    switch (gather->conf->require) {

    case NGX_HTTP_GW_REQUIRE_ANY:
        return failed && ok == 0;

    case NGX_HTTP_GW_REQUIRE_ALL:
        return failed != 0;

    case NGX_HTTP_GW_REQUIRE_NUMBER:
        return optional < gather->conf->require_number;

    default: /* NGX_HTTP_GW_REQUIRE_NONE */
        return 0;
    }
}


/* what a required part that failed makes of the whole */

static ngx_uint_t
ngx_http_gw_compose_status(ngx_http_gw_part_t *part)
{
    if (part->error == NGX_HTTP_GW_PART_TIMEOUT) {
        return NGX_HTTP_GATEWAY_TIME_OUT;
    }

    if (part->error != NGX_HTTP_GW_PART_STATUS) {
        return NGX_HTTP_BAD_GATEWAY;
    }

    if (part->status == NGX_HTTP_GATEWAY_TIME_OUT) {
        return NGX_HTTP_GATEWAY_TIME_OUT;
    }

    if (part->conf->hide) {
        return NGX_HTTP_BAD_GATEWAY;
    }

    switch (part->status) {

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_FORBIDDEN:
    case NGX_HTTP_NOT_FOUND:
    case NGX_HTTP_NOT_ALLOWED:
    case NGX_HTTP_CONFLICT:
    case 410:
    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
    case 422:
    case NGX_HTTP_TOO_MANY_REQUESTS:
    case 451:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return part->status;

    default:
        return NGX_HTTP_BAD_GATEWAY;
    }
}


static ngx_int_t
ngx_http_gw_compose_answer(ngx_http_gw_gather_t *gather)
{
    off_t                          length;
    ngx_chain_t                   *out;
    ngx_http_request_t            *r;
    ngx_http_gw_aggregate_conf_t  *conf;

    r = gather->request;
    conf = gather->conf;

    if (ngx_http_gw_compose_body(gather, &out, &length) != NGX_OK
        || ngx_http_gw_header_answer(gather) != NGX_OK
        || ngx_http_gw_header_etag(gather, out) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;

    if (gather->state == NGX_HTTP_GW_STATE_PARTIAL) {
        r->headers_out.status = conf->partial_status;
    }

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = length;

    return ngx_http_gw_compose_send(r, out);
}


static ngx_int_t
ngx_http_gw_compose_body(ngx_http_gw_gather_t *gather, ngx_chain_t **out,
    off_t *length)
{
    u_char                   *omitted;
    ngx_str_t                 text;
    ngx_uint_t                i;
    ngx_chain_t              *cl, **last;
    ngx_http_request_t       *r;
    gw_json_splice_walk_t     walk;
    gw_json_splice_piece_t    piece;

    r = gather->request;
    last = out;
    *out = NULL;

    omitted = NULL;

    if (gather->conf->varies) {
        omitted = ngx_pnalloc(r->pool, gather->conf->nslots);
        if (omitted == NULL) {
            return NGX_ERROR;
        }

        for (i = 0; i < gather->nparts; i++) {
            omitted[i] = ngx_http_gw_merge_omitted(&gather->parts[i]);
        }

        ngx_http_gw_compose_omit(gather, omitted);

        if (ngx_http_gw_merge_run(gather, omitted) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    gw_json_splice_begin(&walk, gather->conf->splice, omitted);

    while (gw_json_splice_next(&walk, &piece) == GW_OK) {

        if (piece.slot == GW_JSON_SPLICE_GLUE) {
            if (ngx_http_gw_compose_add(r, &last, (u_char *) piece.data,
                                        piece.len)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        if (piece.slot < gather->nparts) {
            if (ngx_http_gw_compose_part(r, &last,
                                         &gather->parts[piece.slot])
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        if (ngx_http_gw_compose_text(gather, piece.slot, &text) != NGX_OK
            || ngx_http_gw_compose_add(r, &last, text.data, text.len)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    *length = 0;

    for (cl = *out; cl; cl = cl->next) {
        *length += cl->buf->last - cl->buf->pos;

        if (cl->next == NULL) {
            cl->buf->last_buf = (r == r->main) ? 1 : 0;
            cl->buf->last_in_chain = 1;
        }
    }

    return NGX_OK;
}


void
ngx_http_gw_compose_omit(ngx_http_gw_gather_t *gather, u_char *omitted)
{
    ngx_uint_t                  i, complete;
    ngx_array_t                *statics;
    ngx_http_gw_static_conf_t  *st;

    complete = (gather->state == NGX_HTTP_GW_STATE_COMPLETE);

    /* the slot after those of the parts is the member for errors */

    i = gather->nparts;
    omitted[i++] = complete;

    statics = gather->conf->statics;

    if (statics == NULL) {
        return;
    }

    for (st = statics->elts; i < gather->conf->nslots; st++) {
        omitted[i++] = (st->when == NGX_HTTP_GW_WHEN_COMPLETE && !complete)
                       || (st->when == NGX_HTTP_GW_WHEN_PARTIAL && complete);
    }
}


ngx_int_t
ngx_http_gw_compose_text(ngx_http_gw_gather_t *gather, ngx_uint_t slot,
    ngx_str_t *text)
{
    ngx_http_gw_static_conf_t  *st;

    if (slot == gather->nparts) {
        return ngx_http_gw_compose_errors(gather, text);
    }

    st = gather->conf->statics->elts;
    *text = st[slot - gather->nparts - 1].value;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_compose_add(ngx_http_request_t *r, ngx_chain_t ***last,
    u_char *data, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = data;
    b->last = data + len;
    b->memory = 1;

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    **last = cl;
    *last = &cl->next;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_compose_part(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part)
{
    if (part->conf->place != GW_JSON_SPLICE_VALUE && part->base == NULL) {
        return ngx_http_gw_merge_write(r, last, part);
    }

    if (part->skipped || part->error != NGX_HTTP_GW_PART_OK) {
        return ngx_http_gw_compose_add(r, last, part->conf->value.data,
                                       part->conf->value.len);
    }

    if (part->each) {
        return ngx_http_gw_each_compose(r, last, part);
    }

    if (part->null) {
        return ngx_http_gw_compose_add(r, last, (u_char *) "null", 4);
    }

    if (part->shape) {
        return ngx_http_gw_shape_write(r, last, part);
    }

    if (part->conf->embeds) {
        return ngx_http_gw_each_embed(r, last, part, part->range.start,
                                      part->range.end);
    }

    return ngx_http_gw_compose_range(r, last, part, part->range.start,
                                     part->range.end);
}


ngx_int_t
ngx_http_gw_compose_range(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part, size_t start, size_t end)
{
    size_t        len;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = part->out; cl && end; cl = cl->next) {
        b = cl->buf;
        len = b->last - b->pos;

        if (start >= len) {
            start -= len;
            end -= len;
            continue;
        }

        if (ngx_http_gw_compose_add(r, last, b->pos + start,
                                    ngx_min(end, len) - start)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        start = 0;
        end -= ngx_min(end, len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_compose_problem(ngx_http_gw_gather_t *gather, ngx_uint_t status,
    ngx_http_gw_part_t *part)
{
    u_char               *p;
    ngx_buf_t            *b;
    ngx_str_t             text;
    ngx_chain_t          *out, **last;
    ngx_http_request_t   *r;
    const ngx_http_gw_title_t  *title;

    r = gather->request;

    if (ngx_http_gw_header_answer(gather) != NGX_OK) {
        return NGX_ERROR;
    }

    if (part && part->request && part->error == NGX_HTTP_GW_PART_STATUS
        && status == part->status)
    {
        if ((status == NGX_HTTP_TOO_MANY_REQUESTS
             || status == NGX_HTTP_SERVICE_UNAVAILABLE)
            && ngx_http_gw_header_copy(r, part, &ngx_http_gw_retry_after, NULL)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (status == NGX_HTTP_UNAUTHORIZED
            && ngx_http_gw_header_copy(r, part, &ngx_http_gw_authenticate,
                                       NULL)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_gw_compose_error_page(r, status)) {
        return status;
    }

    for (title = ngx_http_gw_titles; title->status != status; title++) {
        if (title[1].status == 0) {
            break;
        }
    }

    ngx_str_null(&text);

    if (gather->conf->errors != NGX_HTTP_GW_ERRORS_OFF
        && ngx_http_gw_compose_errors(gather, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, sizeof("{\"type\":\"about:blank\",\"title\":\"\","
                                    "\"status\":,\"parts\":}") - 1
                             + title->title.len + NGX_INT_T_LEN + text.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = &out;

    if (ngx_http_gw_compose_add(r, &last, p, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    b = out->buf;

    p = ngx_sprintf(p, "{\"type\":\"about:blank\",\"title\":\"%V\","
                    "\"status\":%ui", &title->title, status);

    if (text.len) {
        p = ngx_sprintf(p, ",\"parts\":%V", &text);
    }

    *p++ = '}';

    b->last = p;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    r->headers_out.status = status;
    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = b->last - b->pos;

    return ngx_http_gw_compose_send(r, out);
}


static ngx_int_t
ngx_http_gw_compose_send(ngx_http_request_t *r, ngx_chain_t *out)
{
    ngx_int_t  rc;

    if (r == r->main && r->count > 1 + (ngx_uint_t) r->discard_body) {

        /*
         * What could not be stopped, or updates the cache, still runs, and
         * the connection cannot take the next request before its end.  A
         * body that is being discarded holds a reference of its own.
         */

        r->keepalive = 0;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


/* whether core would send a page of the location's error_page */

static ngx_uint_t
ngx_http_gw_compose_error_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->error_page || clcf->error_pages == NULL || r->uri_changes == 0) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}


/* a part that the client is told about: it failed, or is not whole */

static ngx_uint_t
ngx_http_gw_compose_listed(ngx_http_gw_part_t *part)
{
    return part->error != NGX_HTTP_GW_PART_OK || part->partial;
}


ngx_int_t
ngx_http_gw_compose_errors(ngx_http_gw_gather_t *gather, ngx_str_t *text)
{
    u_char              *p, *start;
    size_t               len;
    ngx_uint_t           i, errors;
    ngx_http_gw_part_t  *part;

    errors = gather->conf->errors;
    len = 2;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (ngx_http_gw_compose_listed(part)) {
            len += part->conf->name.len + NGX_HTTP_GW_ERROR_LEN;

            if (errors == NGX_HTTP_GW_ERRORS_BODY) {
                len += NGX_HTTP_GW_DETAIL_SIZE * GW_JSON_ESCAPE_MAX;
            }
        }
    }

    p = ngx_pnalloc(gather->request->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    *p++ = (errors == NGX_HTTP_GW_ERRORS_NAME) ? '[' : '{';
    start = p;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (!ngx_http_gw_compose_listed(part)) {
            continue;
        }

        if (p != start) {
            *p++ = ',';
        }

        p = ngx_http_gw_compose_error(p, part, errors);
    }

    *p++ = (errors == NGX_HTTP_GW_ERRORS_NAME) ? ']' : '}';

    text->len = p - text->data;

    return NGX_OK;
}


/* names need no escaping, the directive has checked that */

static u_char *
ngx_http_gw_compose_error(u_char *p, ngx_http_gw_part_t *part,
    ngx_uint_t errors)
{
    const ngx_str_t           *code;
    ngx_http_gw_part_error_e   error;

    error = part->error ? part->error : part->why;

    code = ngx_http_gw_part_error_name(error ? error
                                             : NGX_HTTP_GW_PART_DEPENDENCY);

    if (errors == NGX_HTTP_GW_ERRORS_NAME) {
        return ngx_sprintf(p, "\"%V\"", &part->conf->name);
    }

    if (errors == NGX_HTTP_GW_ERRORS_CODE) {
        return ngx_sprintf(p, "\"%V\":\"%V\"", &part->conf->name, code);
    }

    p = ngx_sprintf(p, "\"%V\":{\"code\":\"%V\"", &part->conf->name, code);

    if (part->status) {
        p = ngx_sprintf(p, ",\"status\":%ui", part->status);
    }

    if (errors == NGX_HTTP_GW_ERRORS_BODY) {
        p = ngx_http_gw_compose_detail(p, part);
    }

    *p++ = '}';

    return p;
}


/* the first bytes of what a back end said, as far as they are UTF-8 */

static u_char *
ngx_http_gw_compose_detail(u_char *p, ngx_http_gw_part_t *part)
{
    size_t      len, n, offset;
    ngx_buf_t  *b;

    if (part->out == NULL
        || (part->error != NGX_HTTP_GW_PART_STATUS
            && part->error != NGX_HTTP_GW_PART_TYPE))
    {
        return p;
    }

    b = part->out->buf;
    len = ngx_min(b->last - b->pos, NGX_HTTP_GW_DETAIL_SIZE);

    if (gw_json_escape_len(b->pos, len, &n, &offset) != GW_OK) {
        len = offset;
    }

    p = ngx_cpymem(p, ",\"body\":\"", sizeof(",\"body\":\"") - 1);
    p = gw_json_escape(p, b->pos, len);
    *p++ = '"';

    return p;
}
