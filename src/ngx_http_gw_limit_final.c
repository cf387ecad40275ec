
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_window.h"
#include "ngx_http_gw_limit_final.h"
#include "ngx_http_gw_limit_request.h"


/* a correction on its way to Redis: the request may be gone */

typedef struct {
    ngx_queue_t                      queue;
    ngx_http_gw_limit_finals_t      *finals;
    ngx_http_gw_limit_zone_t        *zone;
    ngx_http_gw_limit_adjusted_e     what;
    ngx_http_gw_limit_redis_t        call;
    ngx_http_gw_limit_redis_cell_t   cell;
    gw_gcra_t                        gcra;
    gw_window_t                      meter;
    ngx_uint_t                       tries;
    unsigned                         idle:1;     /* to be sent again */
} ngx_http_gw_limit_job_t;


static void ngx_http_gw_limit_settle_set(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_set_t *set, ngx_http_gw_limit_bad_t *bad);
static ngx_int_t ngx_http_gw_limit_final_value(ngx_http_request_t *r,
    ngx_http_gw_limit_t *limit, ngx_http_gw_limit_number_t *number,
    ngx_http_gw_limit_bad_e kind, ngx_http_gw_limit_bad_t *bad,
    int64_t *units);
static void ngx_http_gw_limit_foresee(ngx_http_gw_limit_calls_t *calls,
    ngx_http_gw_limit_entry_t *entry, int64_t units, gw_gcra_result_t *res);
static void ngx_http_gw_limit_job_send(ngx_http_gw_limit_job_t *job);
static void ngx_http_gw_limit_job_done(void *data,
    ngx_http_gw_limit_redis_t *call);
static void ngx_http_gw_limit_job_end(ngx_http_gw_limit_job_t *job,
    ngx_http_gw_limit_adjusted_e what);
static void ngx_http_gw_limit_finals_retry(ngx_event_t *ev);


ngx_int_t
ngx_http_gw_limit_finals_note(ngx_conf_t *cf,
    ngx_http_gw_limit_finals_t *finals, ngx_http_gw_limits_t *limits)
{
    ngx_shm_zone_t       **shm_zone;
    ngx_http_gw_limit_t   *limit;

    if (limits->limits.nelts == 0) {
        return NGX_OK;
    }

    limit = (ngx_http_gw_limit_t *) limits->limits.elts
            + limits->limits.nelts - 1;

    if (!limit->final && !limit->penalized) {
        return NGX_OK;
    }

    if (limit->final) {
        finals->used = 1;
    }

    if (finals->zones.elts == NULL
        && ngx_array_init(&finals->zones, cf->pool, 4,
                          sizeof(ngx_shm_zone_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    shm_zone = ngx_array_push(&finals->zones);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    *shm_zone = limit->shm_zone;

    return NGX_OK;
}


void
ngx_http_gw_limit_finals_resolve(ngx_http_gw_limit_finals_t *finals)
{
    ngx_uint_t                  i;
    ngx_shm_zone_t            **shm_zone;
    ngx_http_gw_limit_zone_t   *zone;

    shm_zone = finals->zones.elts;

    for (i = 0; i < finals->zones.nelts; i++) {

        /* one that is not defined is found by its gw_limit */

        zone = shm_zone[i]->data;

        if (zone != NULL) {
            zone->debt = 1;
        }
    }
}


void
ngx_http_gw_limit_finals_start(ngx_http_gw_limit_finals_t *finals,
    ngx_http_gw_limit_links_t *links, ngx_log_t *log)
{
    finals->links = links;
    finals->njobs = 0;

    ngx_queue_init(&finals->jobs);

    /* a worker that shuts down does not wait for it */

    finals->retry.handler = ngx_http_gw_limit_finals_retry;
    finals->retry.data = finals;
    finals->retry.log = log;
    finals->retry.cancelable = 1;
}


void
ngx_http_gw_limit_finals_exit(ngx_http_gw_limit_finals_t *finals)
{
    ngx_queue_t              *q;
    ngx_http_gw_limit_job_t  *job;

    if (finals->links == NULL) {
        return;
    }

    while (!ngx_queue_empty(&finals->jobs)) {
        q = ngx_queue_head(&finals->jobs);
        job = ngx_queue_data(q, ngx_http_gw_limit_job_t, queue);

        ngx_http_gw_limit_redis_cancel(&job->call);
        ngx_http_gw_limit_job_end(job, NGX_HTTP_GW_LIMIT_DROPPED);
    }

    if (finals->retry.timer_set) {
        ngx_del_timer(&finals->retry);
    }
}


ngx_int_t
ngx_http_gw_limit_settle(ngx_http_request_t *r)
{
    ngx_uint_t                phase;
    ngx_pool_cleanup_t       *cln;
    ngx_http_gw_limit_bad_t   bad;
    ngx_http_gw_limit_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_OK;
    }

    /* subrequests share the pool, and the log phase knows few of them */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_gw_limit_cleanup) {
            continue;
        }

        ctx = cln->data;

        if (ctx->refused || ctx->settled) {
            continue;
        }

        ctx->settled = 1;
        bad.found = 0;

        for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {
            ngx_http_gw_limit_settle_set(ctx, &ctx->set[phase], &bad);
        }

        if (bad.found) {
            ngx_http_gw_limit_complain(ctx->request, ctx->worker, &bad);
        }
    }

    return NGX_OK;
}


static void
ngx_http_gw_limit_settle_set(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_set_t *set, ngx_http_gw_limit_bad_t *bad)
{
    int64_t                     units;
    ngx_uint_t                  i, owed;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (!entry->limit->final || !(entry->taken || entry->granted)) {
            continue;
        }

        if (ngx_http_gw_limit_final_value(ctx->request, entry->limit,
                                          &entry->limit->final_cost,
                                          NGX_HTTP_GW_LIMIT_BAD_FINAL, bad,
                                          &units)
            != NGX_OK)
        {
            continue;
        }

        units -= entry->cost;

        if (units == 0) {
            continue;
        }

        if (entry->granted) {
            ngx_http_gw_limit_correct_redis(&ctx->worker->finals,
                                            entry->limit->zone, entry->plan,
                                            &entry->cell->key, entry->end,
                                            units,
                                            units > 0
                                            ? NGX_HTTP_GW_LIMIT_CHARGED
                                            : NGX_HTTP_GW_LIMIT_GIVEN);
            continue;
        }

        owed = (entry->source == NGX_HTTP_GW_LIMIT_FALLBACK);

        /* a late answer tells where it was charged */

        if (owed && ngx_http_gw_limit_defer(set, i, units) == NGX_OK) {
            continue;
        }

        ngx_http_gw_limit_correct(entry->limit->zone, entry->plan,
                                  &entry->key, entry->end, units, owed);
    }
}


/* Returns NGX_DECLINED if there is no value, NGX_ERROR if it failed. */

static ngx_int_t
ngx_http_gw_limit_final_value(ngx_http_request_t *r,
    ngx_http_gw_limit_t *limit, ngx_http_gw_limit_number_t *number,
    ngx_http_gw_limit_bad_e kind, ngx_http_gw_limit_bad_t *bad,
    int64_t *units)
{
    size_t     len;
    ngx_int_t  rc;

    *units = number->units;

    if (number->cv == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_gw_limit_number(r, number, units, &len);

    if (rc == NGX_DECLINED) {
        ngx_http_gw_limit_bad(bad, kind, &limit->zone->name, len);
    }

    return (rc == NGX_OK && *units < 0) ? NGX_DECLINED : rc;
}


void
ngx_http_gw_limit_penalize(ngx_http_request_t *r,
    ngx_http_gw_limit_finals_t *finals, ngx_http_gw_limit_calls_t *calls,
    ngx_http_gw_limit_entry_t *entry, ngx_http_gw_limit_bad_t *bad)
{
    int64_t                    units, ticks;
    gw_gcra_result_t           res;
    ngx_http_gw_limit_zone_t  *zone;

    if (!entry->limit->penalized
        || !entry->told
        || entry->place == NGX_HTTP_GW_LIMIT_NOBODY
        || ngx_http_gw_limit_final_value(r, entry->limit,
                                         &entry->limit->penalty,
                                         NGX_HTTP_GW_LIMIT_BAD_PENALTY, bad,
                                         &units)
           != NGX_OK
        || units == 0)
    {
        return;
    }

    zone = entry->limit->zone;

    if (entry->source == NGX_HTTP_GW_LIMIT_REDIS) {
        ticks = 1;

        ngx_http_gw_limit_foresee(calls, entry, units, &res);
        ngx_http_gw_limit_correct_redis(finals, zone, entry->plan,
                                        &entry->cell->key, entry->end, units,
                                        NGX_HTTP_GW_LIMIT_PENALTY);

    } else {
        ticks = (entry->plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) ? 1000 : 1;

        ngx_http_gw_limit_force(zone, entry->plan, &entry->key, units,
                                entry->cost,
                                entry->source == NGX_HTTP_GW_LIMIT_FALLBACK,
                                &res);

        ngx_http_gw_limit_adjusted(zone, NGX_HTTP_GW_LIMIT_PENALTY, units);
    }

    entry->remaining = res.remaining;
    entry->next = (res.next + ticks - 1) / ticks;

    if (entry->retry != -1) {
        entry->retry = (res.retry + ticks - 1) / ticks;
    }
}


/* what Redis will answer when the penalty has arrived there */

static void
ngx_http_gw_limit_foresee(ngx_http_gw_limit_calls_t *calls,
    ngx_http_gw_limit_entry_t *entry, int64_t units, gw_gcra_result_t *res)
{
    int64_t                    tat;
    gw_gcra_t                 *gcra;
    gw_window_cell_t           window;
    ngx_http_gw_limit_plan_t  *plan;

    plan = entry->plan;

    if (plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        gcra = &plan->remote;
        tat = gw_gcra_force(gcra, entry->cell->result.tat, calls->take.now,
                            units);
        (void) gw_gcra_take(gcra, tat, calls->take.now, entry->cost, res);
        return;
    }

    window = entry->cell->counted;

    gw_window_force(&plan->meter, &window, units);
    (void) gw_window_take(&plan->meter, &window, calls->take.now, entry->cost,
                          res);
}


void
ngx_http_gw_limit_correct(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_plan_t *plan, gw_limit_key_t *key, int64_t end,
    int64_t units, ngx_uint_t owed)
{
    gw_gcra_result_t  res;

    if (units > 0) {
        ngx_http_gw_limit_force(zone, plan, key, units, 0, owed, &res);
        ngx_http_gw_limit_adjusted(zone, NGX_HTTP_GW_LIMIT_CHARGED, units);
        return;
    }

    if (plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        gw_limit_store_give(zone->shared->store, key, &plan->gcra, -units);

    } else {
        gw_limit_window_give(zone->shared->store, key, end, -units);
    }

    ngx_http_gw_limit_adjusted(zone, NGX_HTTP_GW_LIMIT_GIVEN, -units);
}


void
ngx_http_gw_limit_force(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_plan_t *plan, gw_limit_key_t *key, int64_t units,
    int64_t cost, ngx_uint_t owed, gw_gcra_result_t *res)
{
    int64_t  now, until;

    now = ngx_http_gw_limit_clock();

    if (plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        gw_limit_store_force(zone->shared->store, key, &plan->gcra, &now,
                             ngx_http_gw_limit_clock, units, cost, res);
        until = now + res->full;

    } else {
        gw_limit_window_force(zone->shared->store, key, &plan->meter, &now,
                              ngx_http_gw_limit_clock, units, cost, res);
        until = res->tat * 1000;
    }

    if (owed) {
        ngx_http_gw_limit_owe(zone->shared, until);
    }
}


void
ngx_http_gw_limit_correct_redis(ngx_http_gw_limit_finals_t *finals,
    ngx_http_gw_limit_zone_t *zone, ngx_http_gw_limit_plan_t *plan,
    ngx_str_t *key, int64_t end, int64_t units,
    ngx_http_gw_limit_adjusted_e what)
{
    ngx_http_gw_limit_job_t  *job;

    job = NULL;

    if (finals->njobs < NGX_HTTP_GW_LIMIT_FINAL_JOBS) {
        job = ngx_alloc(sizeof(ngx_http_gw_limit_job_t) + key->len,
                        finals->retry.log);
    }

    if (job == NULL) {
        ngx_http_gw_limit_adjusted(zone, NGX_HTTP_GW_LIMIT_DROPPED,
                                   units > 0 ? units : -units);
        return;
    }

    ngx_memzero(job, sizeof(ngx_http_gw_limit_job_t));

    job->finals = finals;
    job->zone = zone;
    job->what = what;
    job->gcra = plan->remote;
    job->meter = plan->meter;

    ngx_http_gw_limit_cell(&job->cell, plan);

    job->cell.gcra = &job->gcra;
    job->cell.window = &job->meter;
    job->cell.end = end;
    job->cell.cost = (units > 0) ? units : -units;
    job->cell.key.len = key->len;
    job->cell.key.data = (u_char *) job + sizeof(ngx_http_gw_limit_job_t);

    ngx_memcpy(job->cell.key.data, key->data, key->len);

    job->call.cells = &job->cell;
    job->call.ncells = 1;
    job->call.patience = NGX_HTTP_GW_LIMIT_FINAL_WAIT;
    job->call.handler = ngx_http_gw_limit_job_done;
    job->call.data = job;
    job->call.mode = (units > 0) ? NGX_HTTP_GW_LIMIT_REDIS_FORCE
                                 : NGX_HTTP_GW_LIMIT_REDIS_GIVE;

    ngx_queue_insert_tail(&finals->jobs, &job->queue);
    finals->njobs++;

    ngx_http_gw_limit_job_send(job);
}


static void
ngx_http_gw_limit_job_send(ngx_http_gw_limit_job_t *job)
{
    ngx_http_gw_limit_finals_t  *finals;

    finals = job->finals;

    job->idle = 0;
    job->tries++;
    job->call.link = ngx_http_gw_limit_link(finals->links, job->zone->link);

    if (job->call.link != NULL
        && ngx_http_gw_limit_redis_check(&job->call) == NGX_AGAIN)
    {
        return;
    }

    if (job->tries == NGX_HTTP_GW_LIMIT_FINAL_TRIES) {
        ngx_http_gw_limit_job_end(job, NGX_HTTP_GW_LIMIT_DROPPED);
        return;
    }

    job->idle = 1;

    if (!finals->retry.timer_set) {
        ngx_add_timer(&finals->retry, NGX_HTTP_GW_LIMIT_FINAL_RETRY);
    }
}


static void
ngx_http_gw_limit_job_done(void *data, ngx_http_gw_limit_redis_t *call)
{
    ngx_http_gw_limit_job_t *job = data;

    if (call->status != NGX_ERROR) {
        ngx_http_gw_limit_job_end(job, job->what);

    } else if (!call->unrun) {

        /* it may have run: to do it twice is worse than not at all */

        ngx_http_gw_limit_job_end(job, call->refused
                                       ? NGX_HTTP_GW_LIMIT_DROPPED
                                       : NGX_HTTP_GW_LIMIT_UNKNOWN);

    } else if (job->tries == NGX_HTTP_GW_LIMIT_FINAL_TRIES) {
        ngx_http_gw_limit_job_end(job, NGX_HTTP_GW_LIMIT_DROPPED);

    } else {
        job->idle = 1;

        if (!job->finals->retry.timer_set) {
            ngx_add_timer(&job->finals->retry, NGX_HTTP_GW_LIMIT_FINAL_RETRY);
        }
    }
}


static void
ngx_http_gw_limit_job_end(ngx_http_gw_limit_job_t *job,
    ngx_http_gw_limit_adjusted_e what)
{
    ngx_http_gw_limit_adjusted(job->zone, what, job->cell.cost);

    ngx_queue_remove(&job->queue);
    job->finals->njobs--;

    ngx_free(job);
}


static void
ngx_http_gw_limit_finals_retry(ngx_event_t *ev)
{
    ngx_queue_t                 *q, *next;
    ngx_http_gw_limit_job_t     *job;
    ngx_http_gw_limit_finals_t  *finals;

    finals = ev->data;

    q = ngx_queue_head(&finals->jobs);

    while (q != ngx_queue_sentinel(&finals->jobs)) {
        next = ngx_queue_next(q);
        job = ngx_queue_data(q, ngx_http_gw_limit_job_t, queue);

        if (job->idle) {
            ngx_http_gw_limit_job_send(job);
        }

        q = next;
    }
}
