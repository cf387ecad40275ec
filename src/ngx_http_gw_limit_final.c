
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_window.h"
#include "ngx_http_gw_limit_deny.h"
#include "ngx_http_gw_limit_final.h"
#include "gw_quota_copy.h"
#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_quota_redis.h"
#include "ngx_http_gw_quota_request.h"


/* a correction on its way to Redis: the request may be gone */

typedef struct {
    ngx_queue_t                      queue;
    ngx_http_gw_limit_finals_t      *finals;
    ngx_http_gw_counters_t          *counters;
    ngx_uint_t                       first;      /* of those of corrections */
    ngx_uint_t                       service;    /* number of the Redis */
    ngx_http_gw_limit_adjusted_e     what;
    int64_t                          units;      /* for the counter, > 0 */
    ngx_http_gw_limit_redis_t        call;
    ngx_http_gw_limit_redis_cell_t   cell;
    gw_gcra_t                        gcra;
    gw_window_t                      meter;
    ngx_http_gw_limit_redis_quota_t  quota;
    u_char                           id[sizeof(((gw_period_span_t *) 0)->id)];
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
static void ngx_http_gw_quota_settle(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry);
static void ngx_http_gw_quota_correct(ngx_http_gw_quota_entry_t *entry,
    int64_t units);
static void ngx_http_gw_quota_correct_redis(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry, int64_t units);
static ngx_http_gw_limit_job_t *ngx_http_gw_quota_job_charge(
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_entry_t *entry,
    int64_t units);
static ngx_http_gw_limit_job_t *ngx_http_gw_quota_job_give(
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_entry_t *entry,
    int64_t units);
static ngx_http_gw_limit_job_t *ngx_http_gw_limit_job(
    ngx_http_gw_limit_finals_t *finals, ngx_str_t *key);
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
    ngx_shm_zone_t             **shm_zone;
    ngx_http_gw_limit_t         *limit;
    ngx_http_gw_limit_burst_t   *burst;

    if (limits->limits.nelts == 0) {
        return NGX_OK;
    }

    limit = (ngx_http_gw_limit_t *) limits->limits.elts
            + limits->limits.nelts - 1;

    if (finals->bursts.elts == NULL
        && ngx_array_init(&finals->bursts, cf->pool, 8,
                          sizeof(ngx_http_gw_limit_burst_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    burst = ngx_array_push(&finals->bursts);
    if (burst == NULL) {
        return NGX_ERROR;
    }

    burst->shm_zone = limit->shm_zone;
    burst->units = limit->burst.units;
    burst->variable = (limit->burst.cv != NULL);

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
    ngx_http_gw_limit_burst_t  *burst;

    burst = finals->bursts.elts;

    for (i = 0; i < finals->bursts.nelts; i++) {
        zone = burst[i].shm_zone->data;

        if (zone == NULL) {
            continue;
        }

        zone->most = ngx_max(zone->most, burst[i].units);
        zone->nlimits++;

        /* what the others have is known with the request only */

        if (burst[i].variable || (burst[i].units != -1 && zone->burst.cv)) {
            zone->mixed = 1;
        }
    }

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
    ngx_uint_t                i, phase;
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

            if (ctx->quota == NULL) {
                continue;
            }

            for (i = 0; i < ctx->quota->n[phase]; i++) {
                ngx_http_gw_quota_settle(ctx, &ctx->quota->entries[phase][i]);
            }
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

            if (units < 0) {
                ngx_http_gw_limit_deny_drop(entry);
            }

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


static void
ngx_http_gw_quota_settle(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry)
{
    int64_t                    units;
    ngx_str_t                  value;
    ngx_http_request_t        *r;
    ngx_http_gw_quota_zone_t  *zone;

    zone = entry->quota->zone;
    r = ctx->request;

    if (entry->quota->final_cost == NULL
        || !(entry->taken || entry->granted)
        || ngx_http_complex_value(r, entry->quota->final_cost, &value)
           != NGX_OK)
    {
        return;
    }

    if (ngx_http_gw_quota_units(&value, &units) != NGX_OK
        || (units < 0 && value.len))
    {
        ngx_http_gw_quota_complain(r, zone, "final_cost of a gw_quota");
        return;
    }

    if (units < 0 || units == entry->cost) {
        return;
    }

    units -= entry->cost;

    if (entry->granted) {
        ngx_http_gw_quota_correct_redis(ctx, entry, units);

    } else {
        ngx_http_gw_quota_correct(entry, units);
    }
}


static void
ngx_http_gw_quota_correct(ngx_http_gw_quota_entry_t *entry, int64_t units)
{
    ngx_http_gw_quota_zone_t  *zone;

    zone = entry->quota->zone;

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (entry->local) {

        if (units > 0) {
            gw_quota_copy_owe(zone->store, &entry->key, entry->result.start,
                              units);
        } else {
            gw_quota_copy_give(zone->store, &entry->key, entry->result.start,
                               -units);
        }

    } else if (units > 0) {
        gw_quota_store_charge(zone->store, &entry->key, units);

    } else {
        gw_quota_store_give(zone->store, &entry->key, entry->result.start,
                            -units);
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (units > 0) {
        ngx_http_gw_quota_adjusted(zone, NGX_HTTP_GW_LIMIT_CHARGED, units);

    } else {
        ngx_http_gw_quota_adjusted(zone, NGX_HTTP_GW_LIMIT_GIVEN, -units);
    }
}


static void
ngx_http_gw_quota_correct_redis(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry, int64_t units)
{
    ngx_http_gw_limit_job_t   *job;
    ngx_http_gw_quota_zone_t  *zone;

    zone = entry->quota->zone;

    job = (units > 0) ? ngx_http_gw_quota_job_charge(ctx, entry, units)
                      : ngx_http_gw_quota_job_give(ctx, entry, -units);

    if (job == NULL) {
        ngx_http_gw_quota_adjusted(zone, NGX_HTTP_GW_LIMIT_DROPPED,
                                   units > 0 ? units : -units);
        return;
    }

    job->counters = zone->counters;
    job->first = NGX_HTTP_GW_QUOTA_RESULTS;
    job->service = zone->link;
    job->what = (units > 0) ? NGX_HTTP_GW_LIMIT_CHARGED
                            : NGX_HTTP_GW_LIMIT_GIVEN;
    job->units = job->cell.cost;

    ngx_http_gw_limit_job_send(job);
}


static ngx_http_gw_limit_job_t *
ngx_http_gw_quota_job_charge(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry, int64_t units)
{
    ngx_str_t                        keys;
    ngx_http_gw_limit_job_t         *job;
    ngx_http_gw_quota_entry_t        more;
    ngx_http_gw_limit_redis_cell_t   cell;

    more = *entry;
    more.cost = units;
    more.silent = 0;

    if (ngx_http_gw_quota_cell(ctx->request->pool, &more, &cell) != NGX_OK) {
        return NULL;
    }

    /* the second key is behind the first one */

    keys.data = cell.key.data;
    keys.len = cell.key.len + more.remote.beside.len;

    job = ngx_http_gw_limit_job(&ctx->worker->finals, &keys);
    if (job == NULL) {
        return NULL;
    }

    keys.data = job->cell.key.data;

    job->quota = more.remote;
    job->quota.overage = 1;
    job->quota.beside.data = keys.data + cell.key.len;
    job->quota.id.data = job->id;

    ngx_memcpy(job->id, more.remote.id.data, more.remote.id.len);

    job->cell = cell;
    job->cell.key.data = keys.data;
    job->cell.quota = &job->quota;

    job->call.mode = NGX_HTTP_GW_LIMIT_REDIS_FORCE;

    return job;
}


/* to the period in which the request was decided, and to no other one */

static ngx_http_gw_limit_job_t *
ngx_http_gw_quota_job_give(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry, int64_t units)
{
    u_char                     start[sizeof("f") + NGX_INT64_LEN];
    ngx_str_t                  key, beside, id;
    ngx_http_gw_limit_job_t   *job;
    ngx_http_gw_quota_zone_t  *zone;

    zone = entry->quota->zone;
    id = entry->remote.id;

    if (entry->terms.length) {
        id.data = start;
        id.len = ngx_sprintf(start, "f%L", entry->result.start) - start;
    }

    if (ngx_http_gw_limit_redis_quota_keys(ctx->request->pool, &key, &beside,
                                           &zone->redis->prefix, &zone->name,
                                           &entry->value, &id)
        != NGX_OK)
    {
        return NULL;
    }

    job = ngx_http_gw_limit_job(&ctx->worker->finals, &key);
    if (job == NULL) {
        return NULL;
    }

    job->cell.kind = 'u';
    job->cell.gcra = &job->gcra;
    job->cell.window = &job->meter;
    job->cell.cost = units;
    job->cell.end = entry->result.end * 1000000;

    job->call.mode = NGX_HTTP_GW_LIMIT_REDIS_GIVE;

    return job;
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

    gw_window_force(&plan->far, &window, units);
    (void) gw_window_take(&plan->far, &window, calls->take.now, entry->cost,
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

    job = ngx_http_gw_limit_job(finals, key);

    if (job == NULL) {
        ngx_http_gw_limit_adjusted(zone, NGX_HTTP_GW_LIMIT_DROPPED,
                                   units > 0 ? units : -units);
        return;
    }

    job->counters = zone->counters;
    job->first = NGX_HTTP_GW_LIMIT_SOURCES * NGX_HTTP_GW_LIMIT_RESULTS;
    job->service = zone->link;
    job->what = what;
    job->units = (units > 0) ? units : -units;
    job->gcra = plan->remote;
    job->meter = plan->far;

    ngx_http_gw_limit_cell(&job->cell, plan);

    job->cell.gcra = &job->gcra;
    job->cell.window = &job->meter;
    job->cell.end = end;
    job->cell.cost = job->units;
    job->call.mode = (units > 0) ? NGX_HTTP_GW_LIMIT_REDIS_FORCE
                                 : NGX_HTTP_GW_LIMIT_REDIS_GIVE;

    ngx_http_gw_limit_job_send(job);
}


/* Returns NULL if too many are on their way, or memory is short. */

static ngx_http_gw_limit_job_t *
ngx_http_gw_limit_job(ngx_http_gw_limit_finals_t *finals, ngx_str_t *key)
{
    ngx_http_gw_limit_job_t  *job;

    if (finals->njobs >= NGX_HTTP_GW_LIMIT_FINAL_JOBS) {
        return NULL;
    }

    job = ngx_alloc(sizeof(ngx_http_gw_limit_job_t) + key->len,
                    finals->retry.log);
    if (job == NULL) {
        return NULL;
    }

    ngx_memzero(job, sizeof(ngx_http_gw_limit_job_t));

    job->finals = finals;

    job->cell.key.len = key->len;
    job->cell.key.data = (u_char *) job + sizeof(ngx_http_gw_limit_job_t);

    ngx_memcpy(job->cell.key.data, key->data, key->len);

    job->call.cells = &job->cell;
    job->call.ncells = 1;
    job->call.patience = NGX_HTTP_GW_LIMIT_FINAL_WAIT;
    job->call.handler = ngx_http_gw_limit_job_done;
    job->call.data = job;

    ngx_queue_insert_tail(&finals->jobs, &job->queue);
    finals->njobs++;

    return job;
}


static void
ngx_http_gw_limit_job_send(ngx_http_gw_limit_job_t *job)
{
    ngx_http_gw_limit_finals_t  *finals;

    finals = job->finals;

    job->idle = 0;
    job->tries++;
    job->call.link = ngx_http_gw_limit_link(finals->links, job->service);

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
    ngx_http_gw_counters_add(job->counters, job->first + what, job->units);

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
