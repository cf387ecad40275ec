
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_hedge.h"
#include "ngx_http_gw_aggregate_metrics.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_part.h"
#include "ngx_http_gw_part_text.h"
#include "ngx_http_gw_shape.h"


static ngx_int_t ngx_http_gw_part_post(ngx_http_request_t *sr, void *data,
    ngx_int_t rc);
static ngx_int_t ngx_http_gw_part_guard(ngx_http_request_t *sr, void *data,
    ngx_int_t rc);
static void ngx_http_gw_part_cut_nested(ngx_http_gw_part_t *part,
    ngx_http_request_t *sr);
static void ngx_http_gw_part_complete(ngx_http_gw_part_t *part);
static void ngx_http_gw_part_end(ngx_http_gw_part_t *part);
static void ngx_http_gw_part_account(ngx_http_gw_part_t *part);
static ngx_uint_t ngx_http_gw_part_stop(ngx_http_request_t *sr,
    ngx_http_gw_gather_t *inner);


static const ngx_str_t  ngx_http_gw_part_errors[] = {
    ngx_string("ok"),
    ngx_string("unreachable"),
    ngx_string("timeout"),
    ngx_string("status"),
    ngx_string("type"),
    ngx_string("encoding"),
    ngx_string("invalid_json"),
    ngx_string("invalid_utf8"),
    ngx_string("truncated"),
    ngx_string("too_large"),
    ngx_string("too_deep"),
    ngx_string("missing"),
    ngx_string("not_object"),
    ngx_string("dependency"),
    ngx_string("limit"),
    ngx_string("loop"),
    ngx_string("not_internal"),
    ngx_string("nested_output"),
    ngx_string("internal")
};


void
ngx_http_gw_part_init(ngx_http_gw_part_t *part, ngx_http_gw_gather_t *gather,
    ngx_http_gw_part_conf_t *pcf)
{
    part->gather = gather;
    part->conf = pcf;
    part->expect = -1;

    part->post.handler = ngx_http_gw_part_post;
    part->post.data = part;

    part->guard.handler = ngx_http_gw_part_guard;
    part->guard.data = part;
}


const ngx_str_t *
ngx_http_gw_part_error_name(ngx_http_gw_part_error_e error)
{
    return &ngx_http_gw_part_errors[error];
}


/*
 * Not through the module's context: an internal redirect inside of a part,
 * error_page for one, clears that, but keeps the post handler.
 */

ngx_http_gw_part_t *
ngx_http_gw_part_find(ngx_http_request_t *r, ngx_uint_t *nested)
{
    ngx_http_request_t  *p;

    for (p = r; p != r->main; p = p->parent) {
        if (p->post_subrequest
            && p->post_subrequest->handler == ngx_http_gw_part_post)
        {
            *nested = (p != r);
            return p->post_subrequest->data;
        }
    }

    return NULL;
}


void
ngx_http_gw_part_fail(ngx_http_gw_part_t *part,
    ngx_http_gw_part_error_e error)
{
    ngx_http_gw_gather_t  *gather;

    if (part->error != NGX_HTTP_GW_PART_OK || part->cancelled) {
        return;
    }

    part->error = error;
    part->keep = 0;

    part = ngx_http_gw_hedge_failed(part);

    if (part == NULL || part->base) {
        /* what that means is seen when all requests, or items, are done */
        return;
    }

    gather = part->gather;

    if (!part->conf->optional && gather->failed == NULL) {
        gather->failed = part;

        if (gather->conf->fail_fast) {
            ngx_http_gw_gather_wake(gather);
        }
    }
}


static ngx_int_t
ngx_http_gw_part_post(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_gw_part_t  *part = data;

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, sr->connection->log, 0,
                   "gw aggregate part \"%V\" rc:%i buffered:%d last:%d err:%d",
                   &part->conf->name, rc, (int) sr->buffered,
                   (int) part->last, (int) sr->connection->error);

    ngx_http_gw_gather_clear_error(part->gather);

    if (rc == NGX_ERROR
        || rc == NGX_HTTP_REQUEST_TIME_OUT
        || rc == NGX_HTTP_CLIENT_CLOSED_REQUEST
        || rc == NGX_HTTP_CLOSE)
    {
        /* these would terminate the client's request */

        ngx_http_gw_part_fail(part, part->header ? NGX_HTTP_GW_PART_TRUNCATED
                                                 : NGX_HTTP_GW_PART_INTERNAL);
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

        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TRUNCATED);
        rc = NGX_OK;
    }

    if (sr->aio) {
        return rc;
    }

    /* filters before this one may still hold what was cut */

    sr->buffered = 0;

    ngx_http_gw_part_cut_nested(part, sr);

    /* core looks at it next: a request of the background is not waited for */

    sr->background = 1;
    sr->write_event_handler = ngx_http_request_empty_handler;

    if (!part->done) {
        ngx_http_gw_part_complete(part);
        ngx_http_gw_part_finish(part);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_part_guard(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_gw_part_t  *part = data;

    ngx_http_gw_gather_clear_error(part->gather);

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


/* children of SSI or addition: cut loose, or the part would wait for them */

static void
ngx_http_gw_part_cut_nested(ngx_http_gw_part_t *part, ngx_http_request_t *sr)
{
    ngx_http_postponed_request_t  *pr, *next;

    for (pr = sr->postponed; pr; pr = next) {
        next = pr->next;

        if (pr->request == NULL) {
            continue;
        }

        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_NESTED_OUTPUT);

        pr->request->background = 1;
        pr->next = part->nested;
        part->nested = pr;
    }

    sr->postponed = NULL;
}


/* all of the answer is here: is it whole, and is it JSON */

static void
ngx_http_gw_part_complete(ngx_http_gw_part_t *part)
{
    gw_json_scan_e            rc;
    ngx_http_gw_part_error_e  error;

    if (part->error != NGX_HTTP_GW_PART_OK || part->null || part->kill) {
        return;
    }

    if (!part->last
        || (part->expect >= 0 && part->expect != (off_t) part->size))
    {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TRUNCATED);
        return;
    }

    if (part->conf->type != NGX_HTTP_GW_PART_JSON) {
        error = ngx_http_gw_part_text(part);

        if (error != NGX_HTTP_GW_PART_OK) {
            ngx_http_gw_part_fail(part, error);
        }

        return;
    }

    rc = gw_json_scan_finish(&part->scan);

    switch (rc) {

    case GW_JSON_SCAN_OK:
        break;

    case GW_JSON_SCAN_EMPTY:
        part->null = 1;
        return;

    default:
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INVALID_JSON);
        return;
    }

    if (part->shape) {
        ngx_http_gw_shape_finish(part);
        return;
    }

    if (part->conf->trie == NULL) {
        part->range = part->scan.value;
    }

    if (part->range.start == part->range.end) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_MISSING);
        return;
    }

    ngx_http_gw_merge_check(part);
}


void
ngx_http_gw_part_finish(ngx_http_gw_part_t *part)
{
    ngx_http_gw_part_end(ngx_http_gw_hedge_yield(part));
    ngx_http_gw_gather_wake(part->gather);
}


static void
ngx_http_gw_part_end(ngx_http_gw_part_t *part)
{
    part->done = 1;
    part->waiting = 0;
    part->gather->pending--;

    if (part->running) {
        part->running = 0;
        part->gather->running--;

        if (part->base) {
            part->base->each->running--;
        }
    }

    ngx_http_gw_hedge_end(part);

    ngx_http_gw_part_account(part);
}


static void
ngx_http_gw_part_account(ngx_http_gw_part_t *part)
{
    ngx_log_t               *log;
    ngx_uint_t               level;
    ngx_http_gw_counters_t  *counters;

    part->time = ngx_current_msec - part->start;

    counters = part->gather->counters;

    if (part->copy) {
        /* the part itself is counted */
        ngx_http_gw_hedge_account(part);
        return;
    }

    if (part->each && part->error == NGX_HTTP_GW_PART_OK) {
        /* its items are counted */
        return;
    }

    if (part->skipped) {
        ngx_http_gw_count(counters, NGX_HTTP_GW_COUNT_SKIPPED);
        return;
    }

    if (part->cancelled) {
        ngx_http_gw_count(counters, NGX_HTTP_GW_COUNT_CANCELLED);

    } else {
        ngx_http_gw_count(counters, part->error);

        if (part->request) {
            ngx_http_gw_aggregate_count_time(counters, part->time);
        }
    }

    ngx_http_gw_counters_add(counters, NGX_HTTP_GW_COUNT_BYTES, part->size);

    switch (part->error) {

    case NGX_HTTP_GW_PART_OK:
    case NGX_HTTP_GW_PART_LOOP:
    case NGX_HTTP_GW_PART_NOT_INTERNAL:
        return;

    case NGX_HTTP_GW_PART_UNREACHABLE:
    case NGX_HTTP_GW_PART_STATUS:
    case NGX_HTTP_GW_PART_DEPENDENCY:
        /* nginx, or the back end, has told more */
        level = NGX_LOG_INFO;
        break;

    case NGX_HTTP_GW_PART_INTERNAL:
        level = NGX_LOG_ERR;
        break;

    default:
        level = NGX_LOG_WARN;
        break;
    }

    log = part->gather->request->connection->log;

    if (part->error == NGX_HTTP_GW_PART_INVALID_JSON
        || part->error == NGX_HTTP_GW_PART_INVALID_UTF8
        || part->error == NGX_HTTP_GW_PART_TOO_DEEP)
    {
        ngx_log_error(level, log, 0,
                      "part \"%V\" failed: %V at byte %uz of its answer",
                      &part->conf->name,
                      ngx_http_gw_part_error_name(part->error),
                      part->scan.offset);
        return;
    }

    ngx_log_error(level, log, 0, "part \"%V\" failed: %V, status %ui",
                  &part->conf->name, ngx_http_gw_part_error_name(part->error),
                  part->status);
}


/* at top level only */

void
ngx_http_gw_part_cancel(ngx_http_gw_part_t *part)
{
    ngx_http_request_t            *sr;
    ngx_http_gw_gather_t          *inner;
    ngx_http_postponed_request_t  *nested;

    part = ngx_http_gw_hedge_yield(part);

    sr = part->request;
    nested = part->nested;

    if (!part->done) {
        part->keep = 0;
        part->cancelled = (part->error == NGX_HTTP_GW_PART_OK);

        inner = part->inner;
        part->inner = NULL;

        ngx_http_gw_part_end(part);

        if (sr && !ngx_http_gw_part_stop(sr, inner)) {
            ngx_http_gw_count(part->gather->counters,
                              NGX_HTTP_GW_COUNT_DETACHED);

            ngx_log_error(NGX_LOG_NOTICE, sr->connection->log, 0,
                          "part \"%V\" cannot be stopped and runs on",
                          &part->conf->name);
        }
    }

    ngx_http_gw_part_stop_nested(nested);

    if (sr) {
        ngx_http_gw_part_stop_nested(sr->postponed);
    }
}


/* 1: the request is over; 0: it runs on and must not be touched */

static ngx_uint_t
ngx_http_gw_part_stop(ngx_http_request_t *sr, ngx_http_gw_gather_t *inner)
{
    if (sr->done) {
        return 1;
    }

    if (inner) {
        ngx_http_gw_gather_stop(inner);
        ngx_http_finalize_request(sr, NGX_DONE);

    } else if (sr->upstream && sr->upstream->cleanup) {

        /* ends with NGX_DONE, which gives one reference back */

        (*sr->upstream->cleanup)(sr);

    } else if (ngx_http_gw_part_unlock(sr)
               || ngx_http_gw_part_delayed(sr)
               || sr->write_event_handler == ngx_http_handler)
    {
        /* waits for a lock or a timer, or has not been run yet */

        ngx_http_finalize_request(sr, NGX_DONE);

    } else {
        return 0;
    }

    ngx_http_gw_part_log_request(sr);

    sr->done = 1;
    sr->read_event_handler = ngx_http_block_reading;
    sr->write_event_handler = ngx_http_request_empty_handler;

    return 1;
}


ngx_uint_t
ngx_http_gw_part_delayed(ngx_http_request_t *sr)
{
    return sr->upstream == NULL && !sr->aio
           && sr->read_event_handler == ngx_http_test_reading;
}


/* undoes what waiting for proxy_cache_lock did */

ngx_uint_t
ngx_http_gw_part_unlock(ngx_http_request_t *sr)
{
#if (NGX_HTTP_CACHE)

    ngx_http_cache_t  *c;

    c = sr->cache;

    if (c && c->waiting && c->wait_event.timer_set) {
        ngx_del_timer(&c->wait_event);
        c->waiting = 0;
        sr->main->blocked--;
        return 1;
    }

#endif

    return 0;
}


void
ngx_http_gw_part_stop_nested(ngx_http_postponed_request_t *pr)
{
    for ( /* void */ ; pr; pr = pr->next) {

        if (pr->request == NULL) {
            continue;
        }

        ngx_http_gw_part_stop_nested(pr->request->postponed);

        pr->request->background = 1;
        (void) ngx_http_gw_part_stop(pr->request, NULL);
    }
}


/* core leaves the log phase out for a request that ends with NGX_DONE */

void
ngx_http_gw_part_log_request(ngx_http_request_t *sr)
{
    ngx_uint_t                  i, n;
    ngx_http_handler_pt        *handler;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_core_main_conf_t  *cmcf;

    clcf = ngx_http_get_module_loc_conf(sr, ngx_http_core_module);

    if (!clcf->log_subrequest || sr->logged) {
        return;
    }

    sr->logged = 1;

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);

    handler = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.elts;
    n = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.nelts;

    for (i = 0; i < n; i++) {
        (void) handler[i](sr);
    }
}
