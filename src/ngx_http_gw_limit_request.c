
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_client.h"
#include "ngx_http_gw_limit_deny.h"
#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_limit_response.h"


/* seconds between two messages about the same mistake */
#define NGX_HTTP_GW_LIMIT_COMPLAIN  60


static ngx_int_t ngx_http_gw_limit_decide(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_limit_ask_redis(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_limit_wake(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_limit_untold(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static void ngx_http_gw_limit_shadows(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_set_t *set);
static ngx_int_t ngx_http_gw_limit_delay(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase,
    ngx_http_gw_limit_entry_t *entry);
static void ngx_http_gw_limit_count_all(ngx_http_gw_limit_set_t *set,
    ngx_uint_t result);
static void ngx_http_gw_limit_parked(ngx_http_request_t *r);
static void ngx_http_gw_limit_done(void *data,
    ngx_http_gw_limit_redis_t *check);
static void ngx_http_gw_limit_timer(ngx_event_t *ev);


ngx_int_t
ngx_http_gw_limit_handle(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_conf_t *conf, ngx_http_gw_limit_phase_e phase)
{
    switch (ctx->state[phase]) {

    case NGX_HTTP_GW_LIMIT_WAITING:

        if (!ctx->woken) {
            return NGX_AGAIN;
        }

        return ngx_http_gw_limit_wake(r, ctx, phase);

    case NGX_HTTP_GW_LIMIT_DELAYING:

        if (!ctx->woken) {
            return NGX_AGAIN;
        }

        ctx->woken = 0;
        ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;

        return NGX_DECLINED;

    case NGX_HTTP_GW_LIMIT_DEFERRED:
        return NGX_DECLINED;

    default:
        break;
    }

    if (phase == NGX_HTTP_GW_LIMIT_POSTACCESS) {
        ctx->seen_postaccess = 1;

    } else if (!ctx->fresh) {

        /*
         * Here again by an internal redirect, but not by way of the
         * PRECONTENT phase: the access was refused, and the page of that
         * error is free of charge.
         */

        if (!ctx->seen_postaccess) {
            ctx->sealed = 1;
        }

        ctx->seen_postaccess = 0;
    }

    ctx->fresh = 0;

    if (ctx->sealed
        || ctx->state[phase] == NGX_HTTP_GW_LIMIT_DONE
        || conf->limits == NULL
        || conf->limits->count[phase] == 0)
    {
        return NGX_DECLINED;
    }

    ctx->conf = conf;

    return ngx_http_gw_limit_decide(r, ctx, phase);
}


static ngx_int_t
ngx_http_gw_limit_decide(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                 rc;
    ngx_http_gw_limit_bad_t   bad;
    ngx_http_gw_limit_set_t  *set;

    set = &ctx->set[phase];

    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;
    ctx->start = ngx_current_msec;

    if (ctx->conf->bypass != NULL
        && ngx_http_test_predicates(r, ctx->conf->bypass) == NGX_DECLINED)
    {
        ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_BYPASSED);
        return NGX_DECLINED;
    }

    bad.found = 0;

    if (ctx->conf->limits == ctx->limits) {
        set->entries = (ngx_http_gw_limit_entry_t *) (ctx + 1);

        if (phase == NGX_HTTP_GW_LIMIT_POSTACCESS) {
            set->entries +=
                       ctx->limits->count[NGX_HTTP_GW_LIMIT_PREACCESS];
        }
    }

    rc = ngx_http_gw_limit_prepare(r, ctx->conf->limits, phase,
                                   ctx->conf->share, &ctx->worker->rates, set,
                                   &bad);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    set->silent = ctx->conf->dry_run;
    set->finals = &ctx->worker->finals;

    if (bad.found) {
        ngx_http_gw_limit_complain(r, ctx->worker, &bad);
    }

    if (rc == NGX_DECLINED) {
        ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_NOKEY);
        return NGX_DECLINED;
    }

    if (rc == NGX_ABORT) {
        return NGX_DECLINED;
    }

    if (rc == NGX_DONE) {
        ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_PASSED);
        return NGX_DECLINED;
    }

    if (set->failed != NULL) {
        return ngx_http_gw_limit_reject(r, ctx, phase);
    }

    if (set->invalid) {

        /* there is no rate to decide by, so "local" has no answer either */

        if (ctx->conf->on_error != NGX_HTTP_GW_LIMIT_ERROR_PASS) {
            return ngx_http_gw_limit_unable(r, ctx, phase);
        }

        ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_ERROR_PASSED);
    }

    if (set->remote
        && ngx_http_gw_limit_deny(set, ctx->worker->deny) != NGX_OK)
    {
        return ngx_http_gw_limit_reject(r, ctx, phase);
    }

    if (ngx_http_gw_limit_take(r->pool, set, NGX_HTTP_GW_LIMIT_SHM)
        != NGX_OK)
    {
        ngx_http_gw_limit_penalties(r, ctx, set->failed);
        return ngx_http_gw_limit_reject(r, ctx, phase);
    }

    if (set->remote == 0) {
        return ngx_http_gw_limit_pass(r, ctx, phase);
    }

    if (r == r->main
        && ctx->conf->quotas != NULL
        && ctx->conf->quotas->remote[phase])
    {
        ctx->state[phase] = NGX_HTTP_GW_LIMIT_DEFERRED;
        return NGX_DECLINED;
    }

    return ngx_http_gw_limit_ask_redis(r, ctx, phase);
}


static ngx_int_t
ngx_http_gw_limit_ask_redis(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_http_gw_limit_set_t   *set;
    ngx_http_gw_redis_link_t  *link;

    set = &ctx->set[phase];

    if (ngx_http_gw_limit_deny_reserve(set) != NGX_OK) {
        ngx_http_gw_limit_give(set);
        return ngx_http_gw_limit_reject(r, ctx, phase);
    }

    if (ngx_http_gw_limit_calls(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->calls->service = ngx_http_gw_limit_service(set);

    link = ngx_http_gw_limit_link_next(&ctx->worker->links,
                                       ctx->calls->service);

    ctx->calls->take.handler = ngx_http_gw_limit_done;
    ctx->calls->take.data = ctx;

    if (ngx_http_gw_limit_ask(r->pool, set, link, ctx->calls, NULL, 0)
        != NGX_AGAIN)
    {
        return ngx_http_gw_limit_untold(r, ctx, phase);
    }

    ctx->state[phase] = NGX_HTTP_GW_LIMIT_WAITING;

    return ngx_http_gw_limit_park(r);
}


ngx_int_t
ngx_http_gw_limit_calls(ngx_http_gw_limit_ctx_t *ctx)
{
    if (ctx->calls == NULL) {
        ctx->calls = ngx_pcalloc(ctx->request->pool,
                                 sizeof(ngx_http_gw_limit_calls_t));
    }

    return ctx->calls ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_limit_wake(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ctx->woken = 0;
    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;

    switch (ngx_http_gw_limit_told(&ctx->set[phase], ctx->calls)) {

    case NGX_OK:
        return ngx_http_gw_limit_pass(r, ctx, phase);

    case NGX_DECLINED:
        ngx_http_gw_limit_penalties(r, ctx, ctx->set[phase].failed);
        return ngx_http_gw_limit_reject(r, ctx, phase);

    default: /* NGX_ERROR */
        return ngx_http_gw_limit_untold(r, ctx, phase);
    }
}


/* Redis did not decide */

static ngx_int_t
ngx_http_gw_limit_untold(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                  rc;
    ngx_http_gw_limit_set_t   *set;
    ngx_http_gw_limit_conf_t  *conf;

    set = &ctx->set[phase];
    conf = ctx->conf;

    ngx_http_gw_limit_deny_release(set);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "gw ratelimit: redis did not decide: %s, policy %ui",
                   ctx->calls->take.reason ? ctx->calls->take.reason : "",
                   conf->on_error);

    if (conf->on_error == NGX_HTTP_GW_LIMIT_ERROR_LOCAL) {

        rc = ngx_http_gw_limit_take(r->pool, set, NGX_HTTP_GW_LIMIT_FALLBACK);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc != NGX_OK) {
            ngx_http_gw_limit_penalties(r, ctx, set->failed);
            return ngx_http_gw_limit_reject(r, ctx, phase);
        }

        (void) ngx_http_gw_limit_expect(set, ctx->calls, r->connection->log,
                                        NULL, NULL);

        return ngx_http_gw_limit_pass(r, ctx, phase);
    }

    if (conf->on_error == NGX_HTTP_GW_LIMIT_ERROR_PASS) {
        ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_ERROR_PASSED);
        return ngx_http_gw_limit_pass(r, ctx, phase);
    }

    /* NGX_HTTP_GW_LIMIT_ERROR_REJECT */

    return ngx_http_gw_limit_unable(r, ctx, phase);
}


ngx_int_t
ngx_http_gw_limit_unable(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_uint_t                 status;
    ngx_http_gw_limit_set_t   *set;
    ngx_http_gw_limit_conf_t  *conf;

    set = &ctx->set[phase];
    conf = ctx->conf;

    ngx_http_gw_limit_give(set);

    ctx->spent += ngx_current_msec - ctx->start;

    if (conf->dry_run) {
        ngx_http_gw_limit_count_all(set,
                                NGX_HTTP_GW_LIMIT_COUNT_REJECTED_DRY_RUN);
        ngx_http_gw_limit_set_status(ctx,
                                    NGX_HTTP_GW_LIMIT_REJECTED_DRY_RUN);
        return NGX_DECLINED;
    }

    ngx_http_gw_limit_count_all(set, NGX_HTTP_GW_LIMIT_COUNT_ERROR_REJECTED);
    ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_ERROR_REJECTED);

    /* the next probe may find it */

    ctx->retry_after = ngx_http_gw_limit_jitter(conf->jitter, &ctx->dice,
                                                1000000);

    status = conf->error_status ? conf->error_status
                                : NGX_HTTP_SERVICE_UNAVAILABLE;

    return ngx_http_gw_limit_refuse(r, ctx, status, NULL);
}


ngx_int_t
ngx_http_gw_limit_pass(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_http_gw_limit_set_t    *set;
    ngx_http_gw_limit_entry_t  *entry;

    set = &ctx->set[phase];

    ctx->spent += ngx_current_msec - ctx->start;

    if (set->shadows) {
        ngx_http_gw_limit_shadows(r, ctx, set);
    }

    entry = ngx_http_gw_limit_slowest(set);

    if (entry->delay && !entry->shadow) {
        return ngx_http_gw_limit_delay(r, ctx, phase, entry);
    }

    ngx_http_gw_limit_count_all(set, NGX_HTTP_GW_LIMIT_COUNT_PASSED);

    ngx_http_gw_limit_set_status(ctx, set->fallback
                                      ? NGX_HTTP_GW_LIMIT_FALLBACK_PASSED
                                      : NGX_HTTP_GW_LIMIT_PASSED);

    return NGX_DECLINED;
}


/* what the limits that reject nobody have to say */

static void
ngx_http_gw_limit_shadows(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (!entry->shadow) {
            continue;
        }

        if (entry->denied) {
            ngx_http_gw_limit_penalties(r, ctx, entry);

            ngx_log_error(ctx->conf->limit_log_level, r->connection->log, 0,
                          "request rejected, shadow, excess: %L.%03L, "
                          "zone \"%V\"", entry->excess / 1000,
                          entry->excess % 1000, &entry->limit->zone->name);

            ngx_http_gw_limit_set_status(ctx,
                                         NGX_HTTP_GW_LIMIT_REJECTED_DRY_RUN);

        } else if (entry->delay) {
            ngx_log_error(ctx->conf->delay_log_level, r->connection->log, 0,
                          "request delayed, shadow, for %M ms, excess: "
                          "%L.%03L, zone \"%V\"", entry->delay,
                          entry->excess / 1000, entry->excess % 1000,
                          &entry->limit->zone->name);

            ngx_http_gw_limit_set_status(ctx,
                                         NGX_HTTP_GW_LIMIT_DELAYED_DRY_RUN);
        }
    }
}


void
ngx_http_gw_limit_penalties(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_entry_t *entry)
{
    ngx_http_gw_limit_bad_t  bad;

    bad.found = 0;

    ngx_http_gw_limit_penalize(r, &ctx->worker->finals, ctx->calls, entry,
                               &bad);

    if (bad.found) {
        ngx_http_gw_limit_complain(r, ctx->worker, &bad);
    }
}


static ngx_int_t
ngx_http_gw_limit_delay(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase,
    ngx_http_gw_limit_entry_t *entry)
{
    ngx_http_gw_limit_set_t            *set;
    ngx_http_gw_limit_conf_t   *conf;
    ngx_http_gw_limit_worker_t  *worker;

    set = &ctx->set[phase];
    conf = ctx->conf;
    worker = ctx->worker;

    if (!conf->dry_run && worker->delayed >= worker->delay_max) {
        set->failed = entry;
        entry->retry = (int64_t) entry->delay * 1000;
        ngx_http_gw_limit_give(set);
        return ngx_http_gw_limit_reject(r, ctx, phase);
    }

    ctx->delay += entry->delay;

    ngx_log_error(conf->delay_log_level, r->connection->log, 0,
                  "request delayed%s for %M ms, excess: %L.%03L, "
                  "zone \"%V\"", conf->dry_run ? ", dry run," : "",
                  entry->delay, entry->excess / 1000, entry->excess % 1000,
                  &entry->limit->zone->name);

    if (conf->dry_run) {
        ngx_http_gw_limit_count_all(set,
                                    NGX_HTTP_GW_LIMIT_COUNT_DELAYED_DRY_RUN);
        ngx_http_gw_limit_set_status(ctx,
                                     NGX_HTTP_GW_LIMIT_DELAYED_DRY_RUN);
        return NGX_DECLINED;
    }

    ngx_http_gw_limit_count_all(set, NGX_HTTP_GW_LIMIT_COUNT_DELAYED);
    ngx_http_gw_limit_set_status(ctx, NGX_HTTP_GW_LIMIT_DELAYED);

    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DELAYING;

    ngx_memzero(&ctx->timer, sizeof(ngx_event_t));

    ctx->timer.handler = ngx_http_gw_limit_timer;
    ctx->timer.data = ctx;
    ctx->timer.log = r->connection->log;

    ngx_add_timer(&ctx->timer, entry->delay);
    ctx->delaying = 1;
    worker->delayed++;

    return ngx_http_gw_limit_park(r);
}


ngx_int_t
ngx_http_gw_limit_reject(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_http_gw_limit_zone_t          *zone;
    ngx_http_gw_limit_entry_t         *entry;
    ngx_http_gw_limit_conf_t  *conf;

    conf = ctx->conf;
    entry = ctx->set[phase].failed;
    zone = entry->limit->zone;

    ctx->spent += ngx_current_msec - ctx->start;

    ngx_log_error(conf->limit_log_level, r->connection->log, 0,
                  "request rejected%s, excess: %L.%03L, zone \"%V\"",
                  conf->dry_run ? ", dry run" : "",
                  entry->excess / 1000, entry->excess % 1000, &zone->name);

    if (conf->dry_run) {
        ngx_http_gw_limit_count(zone, entry->source,
                                NGX_HTTP_GW_LIMIT_COUNT_REJECTED_DRY_RUN);
        ngx_http_gw_limit_set_status(ctx,
                                     NGX_HTTP_GW_LIMIT_REJECTED_DRY_RUN);
        return NGX_DECLINED;
    }

    ngx_http_gw_limit_count(zone, entry->source,
                            NGX_HTTP_GW_LIMIT_COUNT_REJECTED);

    ngx_http_gw_limit_set_status(ctx,
                             entry->source == NGX_HTTP_GW_LIMIT_FALLBACK
                             ? NGX_HTTP_GW_LIMIT_FALLBACK_REJECTED
                             : NGX_HTTP_GW_LIMIT_REJECTED);

    if (entry->retry > 0) {
        ctx->retry_after = ngx_http_gw_limit_jitter(conf->jitter, &ctx->dice,
                                                    entry->retry);
    }

    return ngx_http_gw_limit_refuse(r, ctx, conf->status, &zone->policy);
}


ngx_int_t
ngx_http_gw_limit_refuse(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_uint_t status, ngx_str_t *policy)
{
    /* whatever error_page does with it, nothing more is charged */

    ctx->sealed = 1;
    ctx->refused = 1;

    if (ctx->conf->body == 0 || r != r->main) {
        return status;
    }

    return ngx_http_gw_limit_problem(r, status, policy);
}


void
ngx_http_gw_limit_set_status(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_status_e status)
{
    if (status > ctx->status) {
        ctx->status = status;
    }
}


/* counts the same result for all the limits of a request */

static void
ngx_http_gw_limit_count_all(ngx_http_gw_limit_set_t *set, ngx_uint_t result)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->shadow && entry->denied) {
            ngx_http_gw_limit_count(entry->limit->zone, entry->source,
                                    NGX_HTTP_GW_LIMIT_COUNT_REJECTED_DRY_RUN);

        } else if (entry->shadow && entry->delay) {
            ngx_http_gw_limit_count(entry->limit->zone, entry->source,
                                    NGX_HTTP_GW_LIMIT_COUNT_DELAYED_DRY_RUN);

        } else if (entry->told) {
            ngx_http_gw_limit_count(entry->limit->zone, entry->source, result);

        } else {
            ngx_http_gw_limit_count(entry->limit->zone,
                                NGX_HTTP_GW_LIMIT_NOWHERE,
                                result == NGX_HTTP_GW_LIMIT_COUNT_PASSED
                                ? NGX_HTTP_GW_LIMIT_COUNT_ERROR_PASSED
                                : result);
        }
    }
}


/* a value that is none is a mistake of the configuration: told, seldom */

void
ngx_http_gw_limit_complain(ngx_http_request_t *r,
    ngx_http_gw_limit_worker_t *worker, ngx_http_gw_limit_bad_t *bad)
{
    time_t      now;
    ngx_uint_t  kind;

    static const char *const  names[] = {
        "the rate of a gw_limit is invalid or too large",
        "the burst of a gw_limit is not a number",
        "the delay of a gw_limit is not a number, it counts as 0",
        "the cost of a gw_limit is not a number, it counts as 1",
        "the final_cost of a gw_limit is not a number, the cost stays",
        "the penalty of a gw_limit is not a number, it counts as 0"
    };

    now = ngx_time();

    for (kind = 0; kind < NGX_HTTP_GW_LIMIT_BAD; kind++) {

        if (!(bad->found & (1 << kind))
            || (worker->complained[kind]
                && now - worker->complained[kind]
                   < NGX_HTTP_GW_LIMIT_COMPLAIN))
        {
            continue;
        }

        worker->complained[kind] = now;

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "%s, zone \"%V\" (%uz bytes)", names[kind],
                      bad->zone[kind], bad->len[kind]);
    }
}


/*
 * As limit_req does, in a subrequest too: events of the client's connection
 * reach the subrequest that is active, and gw_aggregate knows a part that it
 * may stop by this handler.
 */

ngx_int_t
ngx_http_gw_limit_park(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    r->write_event_handler = ngx_http_gw_limit_parked;

    rev = r->connection->read;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->read_event_handler = ngx_http_test_reading;

    return NGX_AGAIN;
}


static void
ngx_http_gw_limit_parked(ngx_http_request_t *r)
{
    if (r == r->main && ngx_http_gw_client_stopped(r->connection)) {
        r->connection->error = 1;
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    }
}


static void
ngx_http_gw_limit_done(void *data, ngx_http_gw_limit_redis_t *check)
{
    ngx_http_gw_limit_ctx_t  *ctx = data;

    ngx_http_gw_limit_links_learn(&ctx->worker->links, ctx->calls->service,
                                  check->now);

    ngx_http_gw_limit_took(&ctx->worker->links, ctx->calls);

    ngx_http_gw_limit_resume(ctx);
}


static void
ngx_http_gw_limit_timer(ngx_event_t *ev)
{
    ngx_http_gw_limit_ctx_t  *ctx;

    ctx = ev->data;

    ctx->worker->delayed--;
    ctx->delaying = 0;

    ngx_http_gw_limit_resume(ctx);
}


void
ngx_http_gw_limit_resume(ngx_http_gw_limit_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    if (r->done) {
        /* a part that gw_aggregate has stopped meanwhile */
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "gw ratelimit resume: \"%V?%V\"", &r->uri, &r->args);

    ctx->woken = 1;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_gw_limit_cleanup(void *data)
{
    ngx_http_gw_limit_ctx_t  *ctx = data;

    ngx_uint_t  phase;

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {
        ngx_http_gw_limit_forget(&ctx->set[phase]);
    }

    if (ctx->calls) {
        ngx_http_gw_limit_cancel(ctx->calls);
    }

    if (ctx->quota) {
        ngx_http_gw_limit_redis_cancel(&ctx->quota->debit);
    }

    ngx_http_gw_concurrency_release(&ctx->concurrency);

    if (ctx->delaying) {
        ctx->worker->delayed--;
        ngx_del_timer(&ctx->timer);
    }
}
