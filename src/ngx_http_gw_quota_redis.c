
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_deny.h"
#include "ngx_http_gw_quota_redis.h"
#include "ngx_http_gw_quota_request.h"


/*
 * Times that a period is named again by the clock of Redis: its next period
 * may begin while the first correction is on its way.
 */
#define NGX_HTTP_GW_QUOTA_TURNS  2

#define ngx_http_gw_quota_is_remote(entry)                                    \
    ((entry)->quota->zone->redis != NULL)


/* what was taken in shared memory for a call that may come late */

typedef struct {
    ngx_http_gw_quota_zone_t   *zone;
    gw_quota_key_t              key;
    ngx_uint_t                  cell;            /* of the call */
    int64_t                     start;
    int64_t                     units;
} ngx_http_gw_quota_taken_t;


typedef struct {
    ngx_uint_t                  n;
    ngx_http_gw_quota_taken_t   taken[1];
} ngx_http_gw_quota_late_t;


static ngx_http_gw_limit_set_t *ngx_http_gw_quota_limits(
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_cells(ngx_pool_t *pool,
    ngx_http_gw_quota_ctx_t *qctx, int64_t now,
    ngx_http_gw_limit_redis_cell_t *cell);
static void ngx_http_gw_quota_done(void *data,
    ngx_http_gw_limit_redis_t *check);
static ngx_int_t ngx_http_gw_quota_told(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_http_gw_quota_entry_t *ngx_http_gw_quota_learn(
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_redis_cell_t *cell);
static ngx_int_t ngx_http_gw_quota_limited(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_denied(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase,
    ngx_http_gw_quota_entry_t *entry);
static void ngx_http_gw_quota_idle(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_untold(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_fallback(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_local(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_entry_t *entry);
static ngx_int_t ngx_http_gw_quota_unable(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_end(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static void ngx_http_gw_quota_count_all(ngx_http_gw_quota_ctx_t *qctx,
    ngx_http_gw_quota_count_e count);
static void ngx_http_gw_quota_debit(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_redis_link_t *link);
static ngx_int_t ngx_http_gw_quota_debit_cell(ngx_pool_t *pool,
    ngx_http_gw_quota_entry_t *entry, int64_t now,
    ngx_http_gw_limit_redis_cell_t *cell);
static void ngx_http_gw_quota_debited(void *data,
    ngx_http_gw_limit_redis_t *check);
static void ngx_http_gw_quota_restore(ngx_http_gw_quota_ctx_t *qctx);
static void ngx_http_gw_quota_expect(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static void ngx_http_gw_quota_late(void *data, redisReply *reply);


/* the clock of the service, seconds */

#define ngx_http_gw_quota_now(ctx)                                            \
    ((ngx_http_gw_limit_links_now()                                           \
      + ngx_http_gw_limit_links_ahead(&(ctx)->worker->links,                  \
                                      (ctx)->calls->service)) / 1000000)


ngx_int_t
ngx_http_gw_quota_ask(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_uint_t                       i;
    ngx_http_gw_quota_ctx_t         *qctx;
    ngx_http_gw_limit_set_t         *set;
    ngx_http_gw_redis_link_t        *link;
    ngx_http_gw_limit_redis_cell_t  *cells;

    if (ngx_http_gw_limit_calls(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    qctx = ctx->quota;
    qctx->phase = phase;
    qctx->turns = 0;

    set = ngx_http_gw_quota_limits(ctx, phase);

    if (set->remote) {
        ctx->calls->service = ngx_http_gw_limit_service(set);
    }

    for (i = 0; i < qctx->n[phase]; i++) {
        if (ngx_http_gw_quota_is_remote(&qctx->entries[phase][i])) {
            ctx->calls->service = qctx->entries[phase][i].quota->zone->link;
        }
    }

    link = ngx_http_gw_limit_link_next(&ctx->worker->links,
                                       ctx->calls->service);

    cells = ngx_palloc(r->pool, (qctx->remote + 1)
                                * sizeof(ngx_http_gw_limit_redis_cell_t));

    if (cells == NULL
        || ngx_http_gw_quota_cells(r->pool, qctx, ngx_http_gw_quota_now(ctx),
                                   cells)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_gw_limit_deny_reserve(set) != NGX_OK) {
        return ngx_http_gw_quota_limited(r, ctx, phase);
    }

    /* replies come in the order of the calls: first what is owed */

    ngx_http_gw_quota_debit(r, ctx, link);

    ctx->calls->take.handler = ngx_http_gw_quota_done;
    ctx->calls->take.data = ctx;

    if (ngx_http_gw_limit_ask(r->pool, set, link, ctx->calls, cells,
                              qctx->remote)
        != NGX_AGAIN)
    {
        return ngx_http_gw_quota_untold(r, ctx, phase);
    }

    qctx->waiting = 1;

    return ngx_http_gw_limit_park(r);
}


/* The limits that are asked with the quotas. */

static ngx_http_gw_limit_set_t *
ngx_http_gw_quota_limits(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    return (ctx->state[phase] == NGX_HTTP_GW_LIMIT_DEFERRED)
           ? &ctx->set[phase] : &ctx->quota->none;
}


/* now: seconds, of the clock of Redis */

static ngx_int_t
ngx_http_gw_quota_cells(ngx_pool_t *pool, ngx_http_gw_quota_ctx_t *qctx,
    int64_t now, ngx_http_gw_limit_redis_cell_t *cell)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_entry_t  *entry;

    for (i = 0; i < qctx->n[qctx->phase]; i++) {
        entry = &qctx->entries[qctx->phase][i];

        if (!ngx_http_gw_quota_is_remote(entry)) {
            continue;
        }

        ngx_http_gw_quota_period(entry, now);
        entry->ahead = now - ngx_time();

        if (ngx_http_gw_quota_cell(pool, entry, cell) != NGX_OK) {
            return NGX_ERROR;
        }

        cell++;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_quota_cell(ngx_pool_t *pool, ngx_http_gw_quota_entry_t *entry,
    ngx_http_gw_limit_redis_cell_t *cell)
{
    ngx_str_t                         id;
    ngx_http_gw_quota_zone_t         *zone;
    ngx_http_gw_limit_redis_quota_t  *remote;

    zone = entry->quota->zone;
    remote = &entry->remote;

    ngx_memzero(cell, sizeof(ngx_http_gw_limit_redis_cell_t));

    remote->terms = entry->terms;
    remote->id.data = entry->span.id;
    remote->id.len = entry->span.len;
    remote->overage = entry->quota->overage;

    ngx_str_null(&id);

    cell->kind = 'r';

    if (entry->terms.carry == 0 && entry->terms.length == 0) {
        cell->kind = 'q';
        id = remote->id;
    }

    cell->quota = remote;
    cell->cost = entry->cost;
    cell->shadow = entry->silent && !remote->overage;

    return ngx_http_gw_limit_redis_quota_keys(pool, &cell->key,
                                              &remote->beside,
                                              &zone->redis->prefix,
                                              &zone->name, &entry->value, &id);
}


static void
ngx_http_gw_quota_done(void *data, ngx_http_gw_limit_redis_t *check)
{
    ngx_http_gw_limit_ctx_t *ctx = data;

    ngx_http_gw_quota_ctx_t         *qctx;
    ngx_http_gw_limit_redis_cell_t  *cell;

    qctx = ctx->quota;

    ngx_http_gw_limit_links_learn(&ctx->worker->links, ctx->calls->service,
                                  check->now);

    if (check->status == NGX_ABORT && qctx->turns++ < NGX_HTTP_GW_QUOTA_TURNS)
    {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "gw ratelimit: wrong period, redis has %L",
                       check->now);

        cell = check->cells + check->ncells - qctx->remote;

        if (ngx_http_gw_quota_cells(ctx->request->pool, qctx,
                                    check->now / 1000000, cell)
            == NGX_OK
            && ngx_http_gw_limit_redis_again(check) == NGX_AGAIN)
        {
            return;
        }
    }

    ngx_http_gw_limit_took(&ctx->worker->links, ctx->calls);

    ngx_http_gw_limit_resume(ctx);
}


ngx_int_t
ngx_http_gw_quota_answer(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ctx->quota->waiting = 0;

    if (ctx->calls->take.status == NGX_OK
        || ctx->calls->take.status == NGX_DECLINED)
    {
        return ngx_http_gw_quota_told(r, ctx, phase);
    }

    return ngx_http_gw_quota_untold(r, ctx, phase);
}


static ngx_int_t
ngx_http_gw_quota_told(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    int64_t                          wait;
    ngx_int_t                        rc;
    ngx_http_gw_limit_set_t         *set;
    ngx_http_gw_quota_entry_t       *failed;
    ngx_http_gw_limit_redis_cell_t  *cell;

    set = ngx_http_gw_quota_limits(ctx, phase);

    rc = ngx_http_gw_limit_told(set, ctx->calls);

    if (rc == NGX_ERROR) {
        return ngx_http_gw_quota_untold(r, ctx, phase);
    }

    cell = ctx->calls->take.cells + set->remote;

    failed = ngx_http_gw_quota_learn(ctx, cell);

    if (ctx->calls->take.status == NGX_OK) {
        return ngx_http_gw_quota_end(r, ctx, phase);
    }

    if (failed == NULL && rc == NGX_OK) {
        /* a refusal that names nobody is no answer */
        return ngx_http_gw_quota_untold(r, ctx, phase);
    }

    /* of a limit and a quota, the one to wait longest for */

    wait = (failed != NULL) ? ngx_http_gw_quota_wait(failed) : 0;

    if (failed == NULL
        || (rc == NGX_DECLINED
            && wait != -1
            && (set->failed->retry == -1 || set->failed->retry > wait)))
    {
        return ngx_http_gw_quota_limited(r, ctx, phase);
    }

    return ngx_http_gw_quota_denied(r, ctx, phase, failed);
}


/*
 * Keeps the answers of Redis.  Returns the quota that has too little left, of
 * several the one to wait longest for; NULL if there is none.
 */

static ngx_http_gw_quota_entry_t *
ngx_http_gw_quota_learn(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_redis_cell_t *cell)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_ctx_t    *qctx;
    ngx_http_gw_quota_zone_t   *zone;
    ngx_http_gw_quota_entry_t  *entry, *failed;

    qctx = ctx->quota;
    failed = NULL;

    for (i = 0; i < qctx->n[qctx->phase]; i++) {
        entry = &qctx->entries[qctx->phase][i];

        if (!ngx_http_gw_quota_is_remote(entry)) {
            continue;
        }

        zone = entry->quota->zone;

        entry->result = entry->remote.result;
        entry->ahead = ctx->calls->take.now / 1000000 - ngx_time();

        ngx_shmtx_lock(&zone->shpool->mutex);

        gw_quota_copy_set(zone->store, &entry->key, entry->result.start,
                          entry->result.used, entry->remote.extra);

        ngx_shmtx_unlock(&zone->shpool->mutex);

        if (ctx->calls->take.status == NGX_OK) {

            if (cell->status != NGX_OK && cell->shadow) {
                (void) ngx_http_gw_quota_exceeded(ctx->request, ctx, entry);

            } else {
                entry->granted = 1;
                ngx_http_gw_quota_pass(ctx, entry, cell->status == NGX_OK);
            }

        } else if (cell->status != NGX_OK
                   && !cell->shadow
                   && !entry->quota->overage
                   && (failed == NULL
                       || (ngx_http_gw_quota_wait(failed) != -1
                           && (ngx_http_gw_quota_wait(entry) == -1
                               || entry->result.end > failed->result.end))))
        {
            failed = entry;
        }

        cell++;
    }

    return failed;
}


/* A limit of the call rejects. */

static ngx_int_t
ngx_http_gw_quota_limited(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;
    ctx->quota->remote = 0;

    if (!ctx->conf->dry_run) {
        ngx_http_gw_quota_give(ctx, phase);
    }

    ngx_http_gw_limit_penalties(r, ctx, ctx->set[phase].failed);

    return ngx_http_gw_limit_reject(r, ctx, phase);
}


/* A quota rejects; the limits had room, or have to wait less. */

static ngx_int_t
ngx_http_gw_quota_denied(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase, ngx_http_gw_quota_entry_t *entry)
{
    ngx_http_gw_quota_idle(ctx, phase);

    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;
    ctx->quota->remote = 0;

    return ngx_http_gw_quota_exceeded(r, ctx, entry);
}


/* Tells of the limits of the call, which a quota makes useless. */

static void
ngx_http_gw_quota_idle(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_set_t    *set;
    ngx_http_gw_limit_entry_t  *limit;
    ngx_http_gw_limit_count_e   count;

    set = ngx_http_gw_quota_limits(ctx, phase);

    for (i = 0; i < set->n; i++) {
        limit = &set->entries[i];

        if (!limit->told) {
            continue;
        }

        count = limit->denied ? NGX_HTTP_GW_LIMIT_COUNT_REJECTED_DRY_RUN
                : (limit == set->failed) ? NGX_HTTP_GW_LIMIT_COUNT_REJECTED
                : NGX_HTTP_GW_LIMIT_COUNT_PASSED;

        ngx_http_gw_limit_count(limit->limit->zone, limit->source, count);
    }

    if (set->n) {
        ngx_http_gw_limit_set_status(ctx,
                   set->failed ? NGX_HTTP_GW_LIMIT_REJECTED
                   : set->fallback ? NGX_HTTP_GW_LIMIT_FALLBACK_PASSED
                                   : NGX_HTTP_GW_LIMIT_PASSED);
    }
}


/* Redis did not decide */

static ngx_int_t
ngx_http_gw_quota_untold(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_http_gw_limit_deny_release(&ctx->set[phase]);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "gw ratelimit: redis did not decide: %s, policy %ui",
                   ctx->calls->take.reason ? ctx->calls->take.reason : "",
                   ctx->conf->on_error);

    switch (ctx->conf->on_error) {

    case NGX_HTTP_GW_LIMIT_ERROR_LOCAL:
        return ngx_http_gw_quota_fallback(r, ctx, phase);

    case NGX_HTTP_GW_LIMIT_ERROR_PASS:

        ngx_http_gw_quota_count_all(ctx->quota,
                                    NGX_HTTP_GW_QUOTA_COUNT_ERROR_PASSED);

        if (ctx->state[phase] == NGX_HTTP_GW_LIMIT_DEFERRED) {
            ngx_http_gw_limit_set_status(ctx,
                                         NGX_HTTP_GW_LIMIT_ERROR_PASSED);
        }

        return ngx_http_gw_quota_end(r, ctx, phase);

    default: /* NGX_HTTP_GW_LIMIT_ERROR_REJECT */
        return ngx_http_gw_quota_unable(r, ctx, phase);
    }
}


/* by what this host knows */

static ngx_int_t
ngx_http_gw_quota_fallback(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_gw_quota_ctx_t    *qctx;
    ngx_http_gw_limit_set_t    *set;
    ngx_http_gw_quota_entry_t  *entry;

    qctx = ctx->quota;
    set = ngx_http_gw_quota_limits(ctx, phase);

    if (set->remote) {
        rc = ngx_http_gw_limit_take(r->pool, set, NGX_HTTP_GW_LIMIT_FALLBACK);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc != NGX_OK) {
            return ngx_http_gw_quota_limited(r, ctx, phase);
        }
    }

    for (i = 0; i < qctx->n[phase]; i++) {
        entry = &qctx->entries[phase][i];

        if (!ngx_http_gw_quota_is_remote(entry)) {
            continue;
        }

        if (ngx_http_gw_quota_local(r, ctx, entry) != NGX_OK) {
            return ngx_http_gw_quota_denied(r, ctx, phase, entry);
        }
    }

    ngx_http_gw_quota_expect(r, ctx, phase);

    return ngx_http_gw_quota_end(r, ctx, phase);
}


/* Returns NGX_OK, or NGX_DECLINED if the request does not go on. */

static ngx_int_t
ngx_http_gw_quota_local(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry)
{
    int64_t                    now;
    gw_status_e                rc;
    ngx_http_gw_quota_zone_t  *zone;

    zone = entry->quota->zone;
    now = ngx_http_gw_quota_now(ctx);

    ngx_http_gw_quota_period(entry, now);

    entry->ahead = now - ngx_time();
    entry->local = 1;

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = gw_quota_copy_take(zone->store, &entry->key, &entry->terms, now,
                            entry->cost, entry->quota->overage,
                            &entry->result);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (rc != GW_OK && !entry->quota->overage) {
        return entry->silent ? ngx_http_gw_quota_exceeded(r, ctx, entry)
                             : NGX_DECLINED;
    }

    entry->taken = 1;

    ngx_http_gw_quota_pass(ctx, entry, rc == GW_OK);

    return NGX_OK;
}


/* a request that could not be decided is refused */

static ngx_int_t
ngx_http_gw_quota_unable(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_uint_t                 deferred;
    ngx_http_gw_limit_conf_t  *conf;

    conf = ctx->conf;

    ngx_http_gw_quota_count_all(ctx->quota,
                                conf->dry_run
                                ? NGX_HTTP_GW_QUOTA_COUNT_REJECTED_DRY_RUN
                                : NGX_HTTP_GW_QUOTA_COUNT_ERROR_REJECTED);

    deferred = (ctx->state[phase] == NGX_HTTP_GW_LIMIT_DEFERRED);

    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;
    ctx->quota->remote = 0;

    if (!conf->dry_run) {
        ngx_http_gw_quota_give(ctx, phase);
    }

    if (deferred) {
        return ngx_http_gw_limit_unable(r, ctx, phase);
    }

    if (conf->dry_run) {
        return NGX_DECLINED;
    }

    /* the next probe may find it */

    ctx->retry_after = ngx_http_gw_limit_jitter(conf->jitter, &ctx->dice,
                                                1000000);

    return ngx_http_gw_limit_refuse(r, ctx, conf->error_status, NULL);
}


/* The request goes on, after the delay of its limits. */

static ngx_int_t
ngx_http_gw_quota_end(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ctx->quota->remote = 0;

    if (ctx->state[phase] != NGX_HTTP_GW_LIMIT_DEFERRED) {
        return NGX_DECLINED;
    }

    ctx->state[phase] = NGX_HTTP_GW_LIMIT_DONE;

    return ngx_http_gw_limit_pass(r, ctx, phase);
}


/* counts the same result for all the quotas of the call */

static void
ngx_http_gw_quota_count_all(ngx_http_gw_quota_ctx_t *qctx,
    ngx_http_gw_quota_count_e count)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_entry_t  *entry;

    for (i = 0; i < qctx->n[qctx->phase]; i++) {
        entry = &qctx->entries[qctx->phase][i];

        if (ngx_http_gw_quota_is_remote(entry)) {
            ngx_http_gw_quota_count(entry->quota->zone, count);
        }
    }
}


/* Charges in Redis what was let pass while it was away. */

static void
ngx_http_gw_quota_debit(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_redis_link_t *link)
{
    int64_t                          now;
    ngx_uint_t                       i;
    ngx_http_gw_quota_ctx_t         *qctx;
    ngx_http_gw_quota_zone_t        *zone;
    ngx_http_gw_quota_entry_t       *entry;
    ngx_http_gw_limit_redis_cell_t  *cell;

    qctx = ctx->quota;

    if (link == NULL || qctx->debit.waiting) {
        return;
    }

    now = ngx_http_gw_quota_now(ctx);
    cell = NULL;
    qctx->debit.ncells = 0;

    for (i = 0; i < qctx->n[qctx->phase]; i++) {
        entry = &qctx->entries[qctx->phase][i];
        zone = entry->quota->zone;

        entry->owed = 0;
        entry->owed_start = 0;

        /* a reply that is still due may change what is owed */

        if (zone->redis == NULL || zone->late || zone->store->owed == 0) {
            continue;
        }

        if (cell == NULL) {
            cell = ngx_palloc(r->pool, qctx->remote
                                    * sizeof(ngx_http_gw_limit_redis_cell_t));
            if (cell == NULL) {
                return;
            }

            qctx->debit.cells = cell;
        }

        ngx_shmtx_lock(&zone->shpool->mutex);

        entry->owed = gw_quota_copy_settle(zone->store, &entry->key,
                                           &entry->owed_start, INT64_MAX);

        ngx_shmtx_unlock(&zone->shpool->mutex);

        if (entry->owed
            && ngx_http_gw_quota_debit_cell(r->pool, entry, now, cell)
               == NGX_OK)
        {
            qctx->debit.ncells++;
            cell++;
        }
    }

    if (qctx->debit.ncells == 0) {
        ngx_http_gw_quota_restore(qctx);
        return;
    }

    qctx->debit.link = link;
    qctx->debit.mode = NGX_HTTP_GW_LIMIT_REDIS_FORCE;
    qctx->debit.handler = ngx_http_gw_quota_debited;
    qctx->debit.data = qctx;

    if (ngx_http_gw_limit_redis_check(&qctx->debit) == NGX_ERROR) {
        ngx_http_gw_quota_restore(qctx);
    }
}


static ngx_int_t
ngx_http_gw_quota_debit_cell(ngx_pool_t *pool,
    ngx_http_gw_quota_entry_t *entry, int64_t now,
    ngx_http_gw_limit_redis_cell_t *cell)
{
    ngx_uint_t                        over;
    ngx_http_gw_quota_entry_t        *past;
    ngx_http_gw_limit_redis_quota_t  *remote;

    past = ngx_palloc(pool, sizeof(ngx_http_gw_quota_entry_t));
    if (past == NULL) {
        return NGX_ERROR;
    }

    *past = *entry;
    past->cost = entry->owed;
    past->silent = 0;

    over = entry->terms.length
           ? (now >= entry->owed_start + entry->terms.length)
           : (entry->owed_start < entry->terms.start);

    if (over) {

        /* what is left of it was carried over, or was not, long ago */

        if (entry->terms.length) {
            past->since = entry->owed_start;
        }

        ngx_http_gw_quota_period(past, entry->owed_start);

        past->terms.carry = 0;
        past->terms.length = 0;
    }

    if (ngx_http_gw_quota_cell(pool, past, cell) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the answer is not that of the request */

    remote = cell->quota;
    remote->overage = 1;

    return NGX_OK;
}


static void
ngx_http_gw_quota_debited(void *data, ngx_http_gw_limit_redis_t *check)
{
    ngx_http_gw_quota_ctx_t *qctx = data;

    /* what timed out is on its way; what was refused or lost is not */

    if (check->status == NGX_ERROR && !check->expired) {
        ngx_http_gw_quota_restore(qctx);
    }
}


/* Redis is away again: it is still owed. */

static void
ngx_http_gw_quota_restore(ngx_http_gw_quota_ctx_t *qctx)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_zone_t   *zone;
    ngx_http_gw_quota_entry_t  *entry;

    for (i = 0; i < qctx->n[qctx->phase]; i++) {
        entry = &qctx->entries[qctx->phase][i];
        zone = entry->quota->zone;

        if (entry->owed == 0) {
            continue;
        }

        ngx_shmtx_lock(&zone->shpool->mutex);

        gw_quota_copy_owe(zone->store, &entry->key, entry->owed_start,
                          entry->owed);

        ngx_shmtx_unlock(&zone->shpool->mutex);

        entry->owed = 0;
    }
}


/* What Redis has charged in spite of its silence is not owed. */

static void
ngx_http_gw_quota_expect(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_uint_t                  i, cell;
    ngx_http_gw_quota_ctx_t    *qctx;
    ngx_http_gw_limit_set_t    *set;
    ngx_http_gw_quota_late_t   *late;
    ngx_http_gw_quota_entry_t  *entry;
    ngx_http_gw_quota_taken_t  *taken;

    qctx = ctx->quota;
    set = ngx_http_gw_quota_limits(ctx, phase);

    if (!ctx->calls->take.expired) {
        return;
    }

    /* it outlives the request; there are as many as the link has places */

    late = ngx_alloc(sizeof(ngx_http_gw_quota_late_t)
                     + qctx->remote * sizeof(ngx_http_gw_quota_taken_t),
                     r->connection->log);
    if (late == NULL) {
        return;
    }

    late->n = 0;
    cell = set->remote;

    for (i = 0; i < qctx->n[phase]; i++) {
        entry = &qctx->entries[phase][i];

        if (!ngx_http_gw_quota_is_remote(entry)) {
            continue;
        }

        if (entry->local && entry->taken) {
            taken = &late->taken[late->n++];

            taken->zone = entry->quota->zone;
            taken->key = entry->key;
            taken->cell = cell;
            taken->start = entry->result.start;
            taken->units = entry->cost;
        }

        cell += 2;
    }

    if (ngx_http_gw_limit_expect(set, ctx->calls, r->connection->log,
                                 ngx_http_gw_quota_late, late)
        != NGX_OK)
    {
        ngx_free(late);
        return;
    }

    for (i = 0; i < late->n; i++) {
        late->taken[i].zone->late++;
    }
}


static void
ngx_http_gw_quota_late(void *data, redisReply *reply)
{
    ngx_http_gw_quota_late_t *late = data;

    int64_t                     start;
    ngx_uint_t                  i;
    ngx_http_gw_quota_taken_t  *taken;

    for (i = 0; i < late->n; i++) {
        taken = &late->taken[i];

        taken->zone->late--;

        if (ngx_http_gw_limit_redis_charged(reply, taken->cell)) {

            start = taken->start;

            ngx_shmtx_lock(&taken->zone->shpool->mutex);

            (void) gw_quota_copy_settle(taken->zone->store, &taken->key,
                                        &start, taken->units);

            ngx_shmtx_unlock(&taken->zone->shpool->mutex);
        }
    }

    ngx_free(late);
}
