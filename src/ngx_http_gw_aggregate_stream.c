
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_header.h"
#include "ngx_http_gw_aggregate_stream.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_part.h"


/* bytes of a line beside the name and the value of its part */
#define NGX_HTTP_GW_LINE_SIZE                                                 \
    (sizeof("{\"part\":\"\",\"value\":") - 1)


typedef struct {
    ngx_buf_t                  *last;      /* of its value, NULL: not given */
    ngx_uint_t                  turn;      /* in which parts came, from 1 */
    unsigned                    given:1;   /* to the output filters */
    unsigned                    released:1;
} ngx_http_gw_stream_part_t;


struct ngx_http_gw_stream_s {
    ngx_http_gw_stream_part_t  *parts;
    gw_json_splice_walk_t       walk;      /* of an ordered document */
    u_char                     *omitted;
    ngx_uint_t                  turns;
    ngx_uint_t                  next;      /* turn to be given */
    ngx_chain_t                *out;
    ngx_chain_t               **last;
    unsigned                    flushed:1; /* the header was */
};


static ngx_http_gw_stream_t *ngx_http_gw_stream_create(
    ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_stream_run(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_stream_note(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_stream_ready(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_stream_header(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_stream_stop(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_stream_ordered(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_stream_next(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_stream_there(ngx_http_gw_gather_t *gather,
    ngx_uint_t slot);
static ngx_int_t ngx_http_gw_stream_lines(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_stream_line(ngx_http_gw_gather_t *gather,
    ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_stream_flat(ngx_http_request_t *r,
    ngx_chain_t *cl);
static ngx_int_t ngx_http_gw_stream_value(ngx_http_gw_gather_t *gather,
    ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_stream_last(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_stream_wait(ngx_http_request_t *r);
static void ngx_http_gw_stream_release(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_stream_needed(ngx_http_gw_part_t *part);
static void ngx_http_gw_stream_release_part(ngx_http_gw_part_t *part);


static const ngx_str_t  ngx_http_gw_trailer_name = ngx_string("Trailer");
static const ngx_str_t  ngx_http_gw_cache_name = ngx_string("Cache-Control");
static const ngx_str_t  ngx_http_gw_no_store = ngx_string("no-store");


char *
ngx_http_gw_stream_init(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_str_t *location)
{
    ngx_uint_t                i;
    const char               *what;
    ngx_http_gw_part_conf_t  *pcf;

    if (conf->stream == NGX_HTTP_GW_STREAM_OFF) {
        return NGX_CONF_OK;
    }

    what = NULL;
    pcf = conf->parts->elts;

    if (conf->partial_status != NGX_HTTP_OK) {
        what = "\"gw_aggregate_partial_status\": the status is sent before "
               "it is known whether all parts are there";
    }

    for (i = 0; i < conf->parts->nelts; i++) {
        if (pcf[i].place == GW_JSON_SPLICE_ROOT
            && conf->conflict == NGX_HTTP_GW_CONFLICT_ERROR)
        {
            what = "\"gw_aggregate_conflict error\": the status is sent "
                   "before it is known whether parts with \"root\" conflict";
        }
    }

    if (conf->stream == NGX_HTTP_GW_STREAM_NDJSON) {

        if (conf->errors_member.len) {
            what = "\"member\" of \"gw_aggregate_errors\": each line tells of "
                   "its own error";
        }

        if (conf->statics) {
            what = "\"gw_aggregate_static\": each line is that of a part";
        }

        for (i = 0; i < conf->parts->nelts; i++) {
            if (pcf[i].as.len || pcf[i].place != GW_JSON_SPLICE_VALUE) {
                what = "\"as\", \"root\" or \"append\" of a part: each part "
                       "has a line of its own";
            }
        }
    }

    if (what) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate_stream %s\" in location \"%V\" does not "
                      "go with %s",
                      conf->stream == NGX_HTTP_GW_STREAM_ORDERED ? "ordered"
                                                                 : "ndjson",
                      location, what);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_gw_stream_wanted(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t                 i;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = gather->request;

    if (gather->conf->stream == NGX_HTTP_GW_STREAM_OFF || r != r->main) {
        return 0;
    }

    if (gather->conf->stream == NGX_HTTP_GW_STREAM_NDJSON) {
        return 1;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->http_version < NGX_HTTP_VERSION_11
        || !clcf->chunked_transfer_encoding)
    {
        return 0;
    }

    for (i = 0; i < gather->nparts; i++) {
        if (gather->parts[i].conf->optional) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_gw_stream_handler(ngx_http_gw_gather_t *gather)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (gather->done) {
        return;
    }

    r = gather->request;
    c = r->connection;

    if (gather->stream == NULL) {
        gather->stream = ngx_http_gw_stream_create(gather);

        if (gather->stream == NULL) {
            ngx_http_gw_gather_stop(gather);
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }
    }

    if (gather->begun && !gather->gone && c->write->timedout && c->buffered) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_http_gw_gather_run(gather) != NGX_OK && gather->done) {
        return;
    }

    rc = ngx_http_gw_stream_run(gather);

    if (gather->done) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_http_gw_stream_t *
ngx_http_gw_stream_create(ngx_http_gw_gather_t *gather)
{
    ngx_pool_t            *pool;
    ngx_http_gw_stream_t  *s;

    pool = gather->request->pool;

    s = ngx_pcalloc(pool, sizeof(ngx_http_gw_stream_t));
    if (s == NULL) {
        return NULL;
    }

    s->parts = ngx_pcalloc(pool, gather->nparts
                                 * sizeof(ngx_http_gw_stream_part_t));

    s->omitted = ngx_pcalloc(pool, gather->conf->nslots);

    if (s->parts == NULL || s->omitted == NULL) {
        return NULL;
    }

    s->next = 1;
    gw_json_splice_begin(&s->walk, gather->conf->splice, s->omitted);

    return s;
}


/*
 * A step: sends what there is to send.  Returns NGX_AGAIN when the request
 * waits on; with gather->done set what ngx_http_finalize_request() takes.
 */

static ngx_int_t
ngx_http_gw_stream_run(ngx_http_gw_gather_t *gather)
{
    ngx_int_t              rc;
    ngx_uint_t             status;
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_gw_stream_t  *s;

    r = gather->request;
    c = r->connection;
    s = gather->stream;

    ngx_http_gw_stream_note(gather);

    if (gather->gone) {
        return NGX_AGAIN;
    }

    if (!gather->begun) {

        if (gather->done && gather->refused) {
            return ngx_http_gw_compose_refusal(gather);
        }

        if (!ngx_http_gw_stream_ready(gather)) {
            return gather->done ? ngx_http_gw_compose(gather) : NGX_AGAIN;
        }

        rc = ngx_http_gw_stream_header(gather);

        if (rc == NGX_ERROR && !gather->done
            && ngx_http_gw_gather_leave(gather))
        {
            return NGX_AGAIN;
        }

        if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
            ngx_http_gw_stream_stop(gather);
            return rc;
        }
    }

    /* content made by a script in a part may have moved it */

    c->data = r;

    s->out = NULL;
    s->last = &s->out;

    if (gather->done) {
        (void) ngx_http_gw_compose_decide(gather, &status);
    }

    rc = (gather->conf->stream == NGX_HTTP_GW_STREAM_ORDERED)
         ? ngx_http_gw_stream_ordered(gather)
         : ngx_http_gw_stream_lines(gather);

    if (rc == NGX_OK) {
        rc = ngx_http_gw_stream_last(gather);
    }

    if (rc == NGX_OK && (s->out || r->buffered || c->buffered)) {
        rc = ngx_http_output_filter(r, s->out);
    }

    if (rc == NGX_ERROR) {

        if (!gather->done && ngx_http_gw_gather_leave(gather)) {
            return NGX_AGAIN;
        }

        ngx_http_gw_stream_stop(gather);
        return NGX_ERROR;
    }

    ngx_http_gw_stream_release(gather);

    return gather->done ? rc : ngx_http_gw_stream_wait(r);
}


/* the turn of parts that came since the last step, of one kind in order */

static void
ngx_http_gw_stream_note(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t             i;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_stream_t  *s;

    s = gather->stream;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (!part->done || s->parts[i].turn) {
            continue;
        }

        if (gather->begun && part->cancelled
            && part->error == NGX_HTTP_GW_PART_OK)
        {
            /* there is no status any more that could tell of it */

            part->error = NGX_HTTP_GW_PART_DEPENDENCY;
        }

        s->parts[i].turn = ++s->turns;
        s->omitted[i] = ngx_http_gw_merge_omitted(part);
    }
}


/*
 * Whether the status is known: all required parts are there, and enough of
 * the others.  When all are done ngx_http_gw_compose_decide() knows.
 */

static ngx_uint_t
ngx_http_gw_stream_ready(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           i, ok, optional, status;
    ngx_http_gw_part_t  *part;

    if (gather->done) {
        (void) ngx_http_gw_compose_decide(gather, &status);

        return gather->state != NGX_HTTP_GW_STATE_FAILED;
    }

    if (gather->overflow || gather->refused) {
        return 0;
    }

    ok = 0;
    optional = 0;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (!part->done || (part->error != NGX_HTTP_GW_PART_OK)) {

            if (!part->conf->optional) {
                return 0;
            }

            continue;
        }

        if (!part->skipped) {
            ok++;
            optional += part->conf->optional;
        }
    }

    switch (gather->conf->require) {

    case NGX_HTTP_GW_REQUIRE_ANY:
        return ok != 0;

    case NGX_HTTP_GW_REQUIRE_NUMBER:
        return optional >= gather->conf->require_number;

    case NGX_HTTP_GW_REQUIRE_NONE:
        return 1;

    default: /* NGX_HTTP_GW_REQUIRE_ALL */
        return 0;
    }
}


static ngx_int_t
ngx_http_gw_stream_header(ngx_http_gw_gather_t *gather)
{
    ngx_str_t            names;
    ngx_http_request_t  *r;

    r = gather->request;

    gather->begun = 1;

    if (ngx_http_gw_header_trailers(gather, &names) != NGX_OK
        || ngx_http_gw_header_add(r, &ngx_http_gw_cache_name,
                                  &ngx_http_gw_no_store)
           != NGX_OK
        || ngx_http_gw_header_pass(gather) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (names.len) {
        if (ngx_http_gw_header_add(r, &ngx_http_gw_trailer_name, &names)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        r->expect_trailers = 1;
    }

    r->headers_out.status = NGX_HTTP_OK;

    if (gather->conf->stream == NGX_HTTP_GW_STREAM_NDJSON) {
        ngx_str_set(&r->headers_out.content_type, "application/x-ndjson");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    ngx_http_clear_content_length(r);

    /* "If-None-Match: *" needs no ETag to match */

    r->disable_not_modified = 1;

    r->connection->data = r;

    return ngx_http_send_header(r);
}


/* HEAD has its answer, or there was an error: other parts are not wanted */

static void
ngx_http_gw_stream_stop(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t  status;

    if (!gather->done) {
        ngx_http_gw_gather_stop(gather);
        gather->time = ngx_current_msec - gather->start;
    }

    (void) ngx_http_gw_compose_decide(gather, &status);

    (void) ngx_http_gw_header_complete(gather);

    if (gather->request->count > 1) {
        gather->request->keepalive = 0;
    }
}


static ngx_int_t
ngx_http_gw_stream_ordered(ngx_http_gw_gather_t *gather)
{
    ngx_str_t                text;
    ngx_http_request_t      *r;
    ngx_http_gw_stream_t    *s;
    gw_json_splice_piece_t   piece;

    r = gather->request;
    s = gather->stream;

    if (gather->done) {
        ngx_http_gw_compose_omit(gather, s->omitted);
    }

    if (ngx_http_gw_merge_run(gather, s->omitted) != NGX_OK) {
        return NGX_ERROR;
    }

    while (ngx_http_gw_stream_next(gather)
           && gw_json_splice_next(&s->walk, &piece) == GW_OK)
    {
        if (piece.slot == GW_JSON_SPLICE_GLUE) {
            text.data = (u_char *) piece.data;
            text.len = piece.len;

        } else if (piece.slot < gather->nparts) {

            if (ngx_http_gw_stream_value(gather, &gather->parts[piece.slot])
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;

        } else if (ngx_http_gw_compose_text(gather, piece.slot, &text)
                   != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_gw_compose_add(r, &s->last, text.data, text.len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Whether the walk may go on to the next slot that is there.  Nothing behind
 * it is looked at: that may be left out later.
 */

static ngx_uint_t
ngx_http_gw_stream_next(ngx_http_gw_gather_t *gather)
{
    size_t                        i;
    ngx_http_gw_stream_t         *s;
    const gw_json_splice_step_t  *step;

    s = gather->stream;

    if (gather->done || s->walk.slot != GW_JSON_SPLICE_GLUE) {
        return 1;
    }

    for (i = s->walk.step; i < s->walk.splice->nsteps; i++) {
        step = &s->walk.splice->steps[i];

        if (step->kind != GW_JSON_SPLICE_SLOT) {
            continue;
        }

        if (!ngx_http_gw_merge_known(gather, i)) {
            return 0;
        }

        /* what lost its name may do so before it is there */

        if (!s->omitted[step->slot]) {
            return ngx_http_gw_stream_there(gather, step->slot);
        }
    }

    return 0;
}


/* the member for errors, for one, is not known before the end */

static ngx_uint_t
ngx_http_gw_stream_there(ngx_http_gw_gather_t *gather, ngx_uint_t slot)
{
    ngx_http_gw_static_conf_t  *st;

    if (slot < gather->nparts) {
        return gather->stream->parts[slot].turn != 0;
    }

    if (slot == gather->nparts) {
        return 0;
    }

    st = gather->conf->statics->elts;

    return st[slot - gather->nparts - 1].when == NGX_HTTP_GW_WHEN_ALWAYS;
}


static ngx_int_t
ngx_http_gw_stream_lines(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t             i;
    ngx_http_gw_stream_t  *s;

    s = gather->stream;

    while (s->next <= s->turns) {

        for (i = 0; s->parts[i].turn != s->next; i++) { /* void */ }

        s->next++;

        if (!s->omitted[i]
            && ngx_http_gw_stream_line(gather, &gather->parts[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* names need no escaping, the directive has checked that */

static ngx_int_t
ngx_http_gw_stream_line(ngx_http_gw_gather_t *gather,
    ngx_http_gw_part_t *part)
{
    u_char                *p;
    ngx_str_t              text;
    ngx_chain_t          **value;
    ngx_http_request_t    *r;
    ngx_http_gw_stream_t  *s;

    r = gather->request;
    s = gather->stream;

    p = ngx_pnalloc(r->pool, NGX_HTTP_GW_LINE_SIZE + part->conf->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_sprintf(p, "{\"part\":\"%V\",\"value\":",
                           &part->conf->name)
               - p;

    if (ngx_http_gw_compose_add(r, &s->last, text.data, text.len) != NGX_OK) {
        return NGX_ERROR;
    }

    value = s->last;

    if (ngx_http_gw_stream_value(gather, part) != NGX_OK
        || ngx_http_gw_stream_flat(r, *value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&text, "}\n");

    if (part->error != NGX_HTTP_GW_PART_OK
        && gather->conf->errors >= NGX_HTTP_GW_ERRORS_CODE)
    {
        p = ngx_pnalloc(r->pool, NGX_HTTP_GW_ERROR_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        text.data = p;
        text.len = ngx_sprintf(p, ",\"error\":\"%V\"}\n",
                               ngx_http_gw_part_error_name(part->error))
                   - p;
    }

    return ngx_http_gw_compose_add(r, &s->last, text.data, text.len);
}


/*
 * A value has no line feeds but between its tokens, where a space does as
 * well.  What was kept of a part is ours to write to, texts of the
 * configuration are not.
 */

static ngx_int_t
ngx_http_gw_stream_flat(ngx_http_request_t *r, ngx_chain_t *cl)
{
    u_char     *p;
    size_t      len;
    ngx_buf_t  *b;

    for ( /* void */ ; cl; cl = cl->next) {
        b = cl->buf;
        len = b->last - b->pos;

        if (ngx_strlchr(b->pos, b->last, LF) == NULL
            && ngx_strlchr(b->pos, b->last, CR) == NULL)
        {
            continue;
        }

        if (!b->temporary) {
            p = ngx_pnalloc(r->pool, len);
            if (p == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(p, b->pos, len);

            b->pos = p;
            b->last = p + len;
        }

        for (p = b->pos; p < b->last; p++) {
            if (*p == LF || *p == CR) {
                *p = ' ';
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_stream_value(ngx_http_gw_gather_t *gather,
    ngx_http_gw_part_t *part)
{
    ngx_uint_t                  ours;
    ngx_chain_t                *cl, **first;
    ngx_http_gw_stream_t       *s;
    ngx_http_gw_stream_part_t  *sp;

    s = gather->stream;
    sp = &s->parts[part - gather->parts];
    first = s->last;

    /* bytes that filters may change: of no text of ours, not read again */

    ours = (part->error == NGX_HTTP_GW_PART_OK && !part->skipped
            && !part->null && part->each == NULL
            && !ngx_http_gw_stream_needed(part));

    if (ngx_http_gw_compose_part(gather->request, &s->last, part) != NGX_OK) {
        return NGX_ERROR;
    }

    for (cl = *first; cl; cl = cl->next) {

        cl->buf->temporary = ours;
        cl->buf->memory = !ours;

        sp->last = cl->buf;
    }

    sp->given = 1;

    return NGX_OK;
}


/* ends the answer, or makes filters send what they have so far */

static ngx_int_t
ngx_http_gw_stream_last(ngx_http_gw_gather_t *gather)
{
    ngx_buf_t             *b;
    ngx_chain_t           *cl;
    ngx_http_request_t    *r;
    ngx_http_gw_stream_t  *s;

    r = gather->request;
    s = gather->stream;

    if (!gather->done && s->out == NULL && s->flushed) {
        return NGX_OK;
    }

    s->flushed = 1;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->flush = !gather->done;
    b->last_buf = gather->done;
    b->last_in_chain = gather->done;

    cl->buf = b;
    cl->next = NULL;

    *s->last = cl;
    s->last = &cl->next;

    if (!gather->done) {
        return NGX_OK;
    }

    if (r->count > 1 + (ngx_uint_t) r->discard_body) {

        /* what could not be stopped still runs */

        r->keepalive = 0;
    }

    return ngx_http_gw_header_complete(gather);
}


/* as ngx_http_writer() does, for a request that is not finalized yet */

static ngx_int_t
ngx_http_gw_stream_wait(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->buffered || c->buffered) {

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

    } else if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


/* the memory of parts whose last byte has been sent */

static void
ngx_http_gw_stream_release(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t                  i;
    ngx_http_gw_stream_part_t  *sp;

    for (i = 0; i < gather->nparts; i++) {
        sp = &gather->stream->parts[i];

        if (!sp->given || sp->released
            || (sp->last && sp->last->pos != sp->last->last))
        {
            continue;
        }

        sp->released = 1;

        ngx_http_gw_stream_release_part(&gather->parts[i]);
    }
}


/* others take values from its answer, or are compared with its names */

static ngx_uint_t
ngx_http_gw_stream_needed(ngx_http_gw_part_t *part)
{
    return part->conf->marks || part->conf->place == GW_JSON_SPLICE_ROOT;
}


static void
ngx_http_gw_stream_release_part(ngx_http_gw_part_t *part)
{
    void        **block;
    ngx_uint_t    i;
    ngx_pool_t   *pool;
    ngx_chain_t  *cl;

    if (part->request == NULL || ngx_http_gw_stream_needed(part)) {
        return;
    }

    pool = part->request->pool;

    for (cl = part->out; cl; cl = cl->next) {

        /* a buffer that was read into in place has no start of its own */

        if (cl->buf->start) {
            (void) ngx_pfree(pool, cl->buf->start);
        }
    }

    part->out = NULL;
    part->last_out = NULL;

    if (part->blocks) {
        block = part->blocks->elts;

        for (i = 0; i < part->blocks->nelts; i++) {
            (void) ngx_pfree(pool, block[i]);
        }

        part->blocks->nelts = 0;
    }

    /* what it took of gw_aggregate_max_size is free for others */

    if (part->error == NGX_HTTP_GW_PART_OK && !part->null) {
        part->gather->size -= ngx_min(part->gather->size, part->size);
    }
}
