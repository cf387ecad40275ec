
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_each.h"
#include "ngx_http_gw_aggregate_graph.h"
#include "ngx_http_gw_aggregate_hedge.h"
#include "ngx_http_gw_aggregate_set.h"
#include "ngx_http_gw_aggregate_var.h"
#include "ngx_http_gw_client.h"
#include "ngx_http_gw_fetch.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_part.h"


static ngx_uint_t ngx_http_gw_gather_step(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_gather_settle(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_gather_begin(ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_gather_prepare(ngx_http_gw_part_t *part);
static void ngx_http_gw_gather_cancel(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_gather_answer(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_gather_arm(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_gather_timeout(ngx_event_t *ev);
static void ngx_http_gw_gather_watch(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_gather_read(ngx_http_request_t *r);
static void ngx_http_gw_gather_ignore(ngx_http_request_t *r);
static ngx_uint_t ngx_http_gw_gather_discard(ngx_http_request_t *r);
static void ngx_http_gw_gather_kick(ngx_http_gw_gather_t *gather);


ngx_int_t
ngx_http_gw_gather_start(ngx_http_gw_gather_t *gather,
    ngx_http_event_handler_pt handler)
{
    ngx_uint_t           i;
    ngx_http_request_t  *r;
    ngx_http_gw_part_t  *part;

    r = gather->request;

    gather->headers = ngx_http_gw_fetch_headers(r, &gather->conf->strip);
    if (gather->headers == NULL) {
        return NGX_ERROR;
    }

    gather->handler = handler;
    gather->start = ngx_current_msec;

    gather->timer.handler = ngx_http_gw_gather_timeout;
    gather->timer.data = gather;
    gather->timer.log = r->connection->log;

    gather->last = &gather->first;

    if (gather->outer) {
        gather->outer->inner = gather;
    }

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        ngx_http_gw_gather_add(part);

        if (part->skipped) {
            part->waiting = 0;
            ngx_http_gw_part_finish(part);
        }
    }

    while (ngx_http_gw_gather_step(gather)) { /* void */ }

    ngx_http_gw_gather_arm(gather);

    r->write_event_handler = handler;

    if (r == r->main) {
        ngx_http_gw_gather_watch(gather);
    }

    ngx_http_gw_gather_wake(gather);

    return NGX_OK;
}


void
ngx_http_gw_gather_add(ngx_http_gw_part_t *part)
{
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;

    part->waiting = 1;
    part->start = ngx_current_msec;
    part->has_deadline = (gather->conf->timeout != 0);
    part->deadline = gather->start + gather->conf->timeout;

    gather->pending++;

    *gather->last = part;
    gather->last = &part->next;
}


/*
 * Takes what is done, and starts what waited for it and has room.
 *
 * Returns 1 when that has ended another part, which others may wait for.
 */

static ngx_uint_t
ngx_http_gw_gather_step(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           again;
    ngx_http_gw_part_t  *part;

    again = ngx_http_gw_gather_settle(gather);

    if (gather->refused || gather->overflow
        || (gather->failed && gather->conf->fail_fast))
    {
        return 0;
    }

    for (part = gather->first; part; part = part->next) {

        if (!part->waiting || part->kill || !ngx_http_gw_graph_ready(part)) {
            continue;
        }

        if (gather->conf->concurrency
            && gather->running >= gather->conf->concurrency)
        {
            break;
        }

        if (ngx_http_gw_each_full(part)) {
            continue;
        }

        again |= ngx_http_gw_gather_begin(part);
    }

    ngx_http_gw_hedge_run(gather);

    return again;
}


static ngx_uint_t
ngx_http_gw_gather_settle(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           i, again;
    ngx_http_gw_part_t  *part;

    again = 0;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        again |= ngx_http_gw_each_finish(part);

        if (part->done && !part->collected
            && ngx_http_gw_set_collect(part) != NGX_OK)
        {
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);
        }
    }

    return again;
}


/* 1: it has ended at once; 0: it runs */

static ngx_uint_t
ngx_http_gw_gather_begin(ngx_http_gw_part_t *part)
{
    ngx_int_t              rc;
    ngx_msec_t             deadline;
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;

    part->waiting = 0;
    part->start = ngx_current_msec;

    if (part->conf->timeout && (part->conf->each == NULL || part->base)) {
        deadline = part->start + part->conf->timeout;

        if (!part->has_deadline
            || (ngx_msec_int_t) (deadline - part->deadline) < 0)
        {
            part->has_deadline = 1;
            part->deadline = deadline;
        }
    }

    if (part->conf->hedge) {
        part->has_hedge = (part->conf->each == NULL || part->base);
        part->hedge = part->start + part->conf->hedge;
    }

    if (part->conf->deps) {

        rc = ngx_http_gw_gather_prepare(part);

        if (rc == NGX_ERROR) {
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);
        }

        if (rc != NGX_OK || part->skipped) {
            ngx_http_gw_part_finish(part);
            return 1;
        }

        if (part->each) {
            return 1;
        }
    }

    if (gather->root->subrequests >= gather->root->conf->max_subrequests) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_LIMIT);
        ngx_http_gw_part_finish(part);
        return 1;
    }

    ngx_http_gw_gather_fetch(part);

    return part->done;
}


/* of a part whose values were not known before */

static ngx_int_t
ngx_http_gw_gather_prepare(ngx_http_gw_part_t *part)
{
    ngx_int_t              rc;
    ngx_http_request_t    *r;
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;
    r = gather->request;

    if (part->base == NULL) {
        rc = ngx_http_gw_fetch_wanted(r, part);

        if (rc != NGX_OK || part->skipped) {
            return rc;
        }

        if (part->conf->each) {
            return ngx_http_gw_each_start(part);
        }

    } else if (ngx_http_gw_each_own(part, gather->own) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!ngx_http_gw_graph_complete(part)) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_DEPENDENCY);
        return NGX_DECLINED;
    }

    rc = ngx_http_gw_fetch_prepare(r, part, gather->own);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "a value in the URI or the body of part \"%V\" cannot be "
                  "used", &part->conf->name);

    /* whose value is it */

    rc = ngx_http_gw_fetch_prepare(r, part, NULL);

    if (rc == NGX_DECLINED && !gather->begun) {
        gather->refused = 1;
        ngx_http_gw_gather_wake(gather);

    } else if (rc == NGX_OK || rc == NGX_DECLINED) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_DEPENDENCY);
        rc = NGX_DECLINED;
    }

    return rc;
}


void
ngx_http_gw_gather_fetch(ngx_http_gw_part_t *part)
{
    ngx_int_t              rc;
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;
    gather->root->subrequests++;

    rc = ngx_http_gw_fetch_start(gather->request, part, gather->headers);

    if (part->request) {
        part->running = 1;
        gather->running++;

        if (part->base) {
            part->base->each->running++;
        }
    }

    if (rc == NGX_OK) {
        return;
    }

    ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);

    if (part->request) {
        part->kill = 1;
        ngx_http_gw_gather_wake(gather);

    } else {
        ngx_http_gw_part_finish(part);
    }
}


/*
 * Only until the request has answered: it may be gone after that.  The entry
 * is the gather's own, or a lack of memory would leave the request waiting.
 * It may still stand in the list, when the request is run for another reason,
 * and nginx before 1.30.4 does not notice a request that is posted twice.
 */

void
ngx_http_gw_gather_wake(ngx_http_gw_gather_t *gather)
{
    ngx_http_posted_request_t  *pr;

    if (gather->done) {
        return;
    }

    for (pr = gather->request->main->posted_requests; pr; pr = pr->next) {
        if (pr == &gather->wake) {
            return;
        }
    }

    (void) ngx_http_post_request(gather->request, &gather->wake);
}


void
ngx_http_gw_gather_drain(ngx_http_gw_part_t *part)
{
    ngx_msec_t  deadline;

    deadline = ngx_current_msec + NGX_HTTP_GW_DRAIN_TIME;

    if (part->has_deadline
        && (ngx_msec_int_t) (deadline - part->deadline) >= 0)
    {
        return;
    }

    part->has_deadline = 1;
    part->deadline = deadline;

    ngx_http_gw_gather_arm(part->gather);
}


/* one timer for all parts: it is set for what comes first */

static void
ngx_http_gw_gather_arm(ngx_http_gw_gather_t *gather)
{
    ngx_msec_int_t       left, first;
    ngx_http_gw_part_t  *part;

    first = -1;

    for (part = gather->first; part; part = part->next) {

        if (part->done || part->kill) {
            continue;
        }

        if (part->has_deadline) {
            left = (ngx_msec_int_t) (part->deadline - ngx_current_msec);
            left = ngx_max(left, 1);

            if (first == -1 || left < first) {
                first = left;
            }
        }

        if (part->has_hedge && !part->header) {
            left = (ngx_msec_int_t) (part->hedge - ngx_current_msec);
            left = ngx_max(left, 1);

            if (first == -1 || left < first) {
                first = left;
            }
        }
    }

    /* a timer that is set is not moved by less than 300 ms */

    if (gather->timer.timer_set) {
        ngx_del_timer(&gather->timer);
    }

    if (first != -1) {
        ngx_add_timer(&gather->timer, (ngx_msec_t) first);
    }
}


static void
ngx_http_gw_gather_timeout(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ev->data;
    r = gather->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    for (part = gather->first; part; part = part->next) {

        if (part->done || part->kill) {
            continue;
        }

        ngx_http_gw_hedge_timeout(part);

        if (!part->has_deadline
            || (ngx_msec_int_t) (part->deadline - ngx_current_msec) > 0)
        {
            continue;
        }

        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_TIMEOUT);
        part->kill = 1;
        ngx_http_gw_gather_wake(gather);
    }

    ngx_http_gw_gather_arm(gather);

    ngx_http_run_posted_requests(c);
}


ngx_int_t
ngx_http_gw_gather_run(ngx_http_gw_gather_t *gather)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (gather->done) {
        return NGX_AGAIN;
    }

    r = gather->request;
    c = r->connection;

    if (r == r->main) {
        c->write->timedout = 0;

        if (((c->error && (c->read->eof || c->write->eof))
             || ngx_http_gw_client_stopped(c))
            && !ngx_http_gw_gather_leave(gather))
        {
            ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return NGX_AGAIN;
        }
    }

    do {
        ngx_http_gw_gather_cancel(gather);

    } while (ngx_http_gw_gather_step(gather));

    ngx_http_gw_gather_cancel(gather);

    if (gather->pending) {

        ngx_http_gw_gather_arm(gather);

        if (r == r->main) {
            ngx_http_gw_gather_watch(gather);
            ngx_http_gw_gather_kick(gather);
        }

        return NGX_AGAIN;
    }

    ngx_http_gw_gather_answer(gather);

    if (gather->gone) {
        c->error = 1;
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/* at top level: stops what is not wanted any more */

static void
ngx_http_gw_gather_cancel(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           decided;
    ngx_http_gw_part_t  *part;

    decided = gather->refused || gather->overflow
              || (gather->failed && gather->conf->fail_fast);

    for (part = gather->first; part; part = part->next) {

        /* once more when its other request has taken the place */

        while (!part->done && (part->kill || decided)) {
            ngx_http_gw_part_cancel(part);
        }
    }
}


/* all parts are done: nothing of them must stand in the answer's way */

static void
ngx_http_gw_gather_answer(ngx_http_gw_gather_t *gather)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;
    ngx_http_gw_part_t  *part;

    r = gather->request;
    c = r->connection;

    gather->done = 1;
    gather->time = ngx_current_msec - gather->start;

    if (gather->timer.timer_set) {
        ngx_del_timer(&gather->timer);
    }

    for (part = gather->first; part; part = part->next) {

        ngx_http_gw_part_stop_nested(part->nested);

        if (part->request) {
            ngx_http_gw_part_stop_nested(part->request->postponed);
        }
    }

    if (gather->outer) {
        gather->outer->inner = NULL;
    }

    if (r != r->main) {
        return;
    }

    /* content made by a script in a part may have moved it */

    c->data = r;

    /* the delay of a part that was stopped would delay the answer */

    if (c->write->delayed) {
        c->write->delayed = 0;

        if (c->write->timer_set) {
            ngx_del_timer(c->write);
        }
    }
}


/* looks for the end of the client's connection */

static void
ngx_http_gw_gather_watch(ngx_http_gw_gather_t *gather)
{
    gather->request->read_event_handler = gather->conf->ignore_client_abort
                                          ? ngx_http_gw_gather_ignore
                                          : ngx_http_gw_gather_read;
}


static void
ngx_http_gw_gather_read(ngx_http_request_t *r)
{
    if (ngx_http_gw_gather_discard(r)) {
        r->read_event_handler = ngx_http_gw_gather_read;
        ngx_http_test_reading(r);
    }
}


/* HTTP/2 tells that a stream has ended without being asked */

static void
ngx_http_gw_gather_ignore(ngx_http_request_t *r)
{
    if (ngx_http_gw_gather_discard(r)) {
        r->read_event_handler = ngx_http_gw_gather_ignore;

        (void) ngx_http_gw_gather_leave(ngx_http_gw_aggregate_find(r));

        ngx_http_block_reading(r);
    }
}


/*
 * Core's handler of a discarded body swallows the end of the connection and
 * leaves no handler behind, so it is looked for after it.
 *
 * Returns 0 when there is more to come, or the request was terminated.
 */

static ngx_uint_t
ngx_http_gw_gather_discard(ngx_http_request_t *r)
{
    ngx_http_event_handler_pt  handler;

    if (!r->discard_body) {
        return 1;
    }

    handler = r->write_event_handler;

    ngx_http_discarded_request_body_handler(r);

    return r->write_event_handler == handler && !r->discard_body;
}


ngx_uint_t
ngx_http_gw_gather_leave(ngx_http_gw_gather_t *gather)
{
    ngx_connection_t  *c;

    c = gather->request->connection;

    if (!gather->conf->ignore_client_abort
        || (!c->error && !ngx_http_gw_client_stopped(c)))
    {
        return 0;
    }

    gather->gone = 1;
    c->error = 0;

    if (c->write->timer_set && !c->write->delayed) {
        ngx_del_timer(c->write);
    }

    return 1;
}


/*
 * A part that limit_req delays waits for the write timer of the client's
 * connection, and that wakes the client's request only.
 */

static void
ngx_http_gw_gather_kick(ngx_http_gw_gather_t *gather)
{
    ngx_event_t         *wev;
    ngx_http_gw_part_t  *part;

    wev = gather->request->connection->write;

    if (wev->delayed && !wev->timer_set) {

        /* another part's upstream code took the timer away */

        wev->delayed = 0;
    }

    if (wev->delayed) {
        return;
    }

    for (part = gather->first; part; part = part->next) {

        if (part->done || part->request == NULL) {
            continue;
        }

        if (part->inner) {
            ngx_http_gw_gather_kick(part->inner);

        } else if (ngx_http_gw_part_delayed(part->request)) {
            (void) ngx_http_post_request(part->request, NULL);
        }
    }
}


/* an aggregate inside of a part that is cancelled */

void
ngx_http_gw_gather_stop(ngx_http_gw_gather_t *gather)
{
    ngx_http_gw_part_t  *part;

    gather->done = 1;

    if (gather->timer.timer_set) {
        ngx_del_timer(&gather->timer);
    }

    for (part = gather->first; part; part = part->next) {

        do {
            ngx_http_gw_part_cancel(part);

        } while (!part->done);
    }
}


void
ngx_http_gw_gather_cleanup(void *data)
{
    ngx_http_gw_gather_t  *gather = data;

    ngx_http_gw_part_t  *part;

    if (gather->timer.timer_set) {
        ngx_del_timer(&gather->timer);
    }

    if (gather->done) {
        return;
    }

    gather->done = 1;

    for (part = gather->first; part; part = part->next) {

        if (part->done || part->request == NULL) {
            continue;
        }

        /* else a closed client lives until the lock ends */

        (void) ngx_http_gw_part_unlock(part->request);
        ngx_http_gw_part_log_request(part->request);
    }
}


/*
 * A filter that fails in any part (gunzip, a short file) marks the client's
 * connection as broken, and core would then close it with no answer.  While
 * the client's request waits for parts nothing is written to the client, and
 * a failure of its own is found by the read handler and ends it at once: so
 * what is seen here is a part's.
 */

void
ngx_http_gw_gather_clear_error(ngx_http_gw_gather_t *gather)
{
    ngx_connection_t      *c;
    ngx_http_gw_gather_t  *root;

    root = gather->root;
    c = root->request->connection;

    if (c->error
        && root->request->write_event_handler == root->handler
        && (root->gone
            || (!c->read->eof && !c->read->error && !c->write->eof)))
    {
        c->error = 0;
    }
}
