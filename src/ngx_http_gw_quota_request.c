
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_quota_redis.h"
#include "ngx_http_gw_quota_request.h"


/* seconds to the end of the period, by the clock that has decided */
#define ngx_http_gw_quota_left(entry)                                         \
    ((entry)->result.end - ngx_time() - (entry)->ahead)

/* seconds between two messages about the same mistake */
#define NGX_HTTP_GW_QUOTA_COMPLAIN  60


static ngx_int_t ngx_http_gw_quota_here(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_quota_entry(ngx_http_request_t *r,
    ngx_http_gw_quota_t *quota, ngx_uint_t share,
    ngx_http_gw_quota_entry_t *entry);
static ngx_int_t ngx_http_gw_quota_filtered(ngx_http_request_t *r,
    ngx_http_gw_quota_t *quota);
static ngx_int_t ngx_http_gw_quota_terms(ngx_http_request_t *r,
    ngx_http_gw_quota_zone_t *zone, ngx_http_gw_quota_entry_t *entry);
static ngx_int_t ngx_http_gw_quota_decide(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_entry_t *entry);
static ngx_int_t ngx_http_gw_quota_invalid(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_t *quota);
static void ngx_http_gw_quota_set_status(ngx_http_gw_quota_ctx_t *qctx,
    ngx_http_gw_quota_entry_t *entry, ngx_http_gw_quota_status_e status);


static ngx_str_t  ngx_http_gw_quota_statuses[] = {
    ngx_null_string,
    ngx_string("OK"),
    ngx_string("WARN"),
    ngx_string("OVERAGE"),
    ngx_string("EXCEEDED")
};


ngx_int_t
ngx_http_gw_quota_handle(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_conf_t *conf,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                 rc;
    ngx_http_gw_quota_ctx_t  *qctx;

    qctx = ctx->quota;

    if (qctx == NULL) {

        if (ctx->sealed
            || conf->quotas == NULL
            || conf->quotas->count[phase] == 0)
        {
            return NGX_DECLINED;
        }

        qctx = ngx_pcalloc(r->pool, sizeof(ngx_http_gw_quota_ctx_t));
        if (qctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->quota = qctx;
    }

    if (qctx->waiting) {

        if (!ctx->woken) {
            return NGX_AGAIN;
        }

        ctx->woken = 0;

        return ngx_http_gw_quota_answer(r, ctx, phase);
    }

    if (!ctx->sealed
        && conf->quotas != NULL
        && conf->quotas->count[phase] != 0
        && !(qctx->decided & (1 << phase)))
    {
        qctx->decided |= 1 << phase;

        ctx->conf = conf;

        rc = ngx_http_gw_quota_here(r, ctx, phase);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (ctx->sealed
        || (qctx->remote == 0
            && ctx->state[phase] != NGX_HTTP_GW_LIMIT_DEFERRED))
    {
        return NGX_DECLINED;
    }

    return ngx_http_gw_quota_ask(r, ctx, phase);
}


/* The quotas in shared memory; ctx->quota->remote counts the other ones. */

static ngx_int_t
ngx_http_gw_quota_here(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_gw_quota_t        *quota;
    ngx_http_gw_quota_ctx_t    *qctx;
    ngx_http_gw_limit_conf_t   *conf;
    ngx_http_gw_quota_entry_t  *entry;

    conf = ctx->conf;
    qctx = ctx->quota;

    if (conf->bypass != NULL
        && ngx_http_test_predicates(r, conf->bypass) == NGX_DECLINED)
    {
        return NGX_DECLINED;
    }

    entry = ngx_pcalloc(r->pool, conf->quotas->count[phase]
                                 * sizeof(ngx_http_gw_quota_entry_t));
    if (entry == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    qctx->entries[phase] = entry;

    quota = conf->quotas->quotas.elts;

    for (i = 0; i < conf->quotas->quotas.nelts; i++) {

        if (quota[i].phase != phase) {
            continue;
        }

        rc = ngx_http_gw_quota_entry(r, &quota[i], conf->share, entry);

        if (rc == NGX_OK) {
            qctx->n[phase]++;

            if (conf->dry_run) {
                entry->silent = 1;
            }

            if (quota[i].zone->redis != NULL) {
                qctx->remote++;
                entry++;

            } else {
                rc = ngx_http_gw_quota_decide(r, ctx, entry++);
            }

        } else if (rc == NGX_ABORT) {
            rc = ngx_http_gw_quota_invalid(r, ctx, &quota[i]);

        } else if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/*
 * Returns NGX_OK; NGX_DECLINED if the quota does not apply; NGX_ABORT if its
 * value is a mistake; NGX_ERROR.
 */

static ngx_int_t
ngx_http_gw_quota_entry(ngx_http_request_t *r, ngx_http_gw_quota_t *quota,
    ngx_uint_t share, ngx_http_gw_quota_entry_t *entry)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_http_gw_quota_zone_t  *zone;

    zone = quota->zone;

    rc = ngx_http_gw_quota_filtered(r, quota);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_gw_text(r, &zone->key, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        return NGX_DECLINED;
    }

    entry->quota = quota;
    entry->value = value;
    entry->silent = quota->shadow
                    || (share < 100
                        && !ngx_http_gw_limit_enforced(&value, share));
    entry->cost = 1;

    gw_quota_store_key(zone->store, value.data, value.len, &entry->key);

    if (quota->cost != NULL) {

        if (ngx_http_complex_value(r, quota->cost, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_gw_quota_units(&value, &entry->cost) != NGX_OK
            || (entry->cost < 0 && value.len))
        {
            ngx_http_gw_quota_complain(r, zone, "cost of a gw_quota");
            entry->cost = 1;

        } else if (entry->cost < 0) {
            entry->cost = 1;
        }

        if (zone->redis != NULL
            && entry->cost > NGX_HTTP_GW_LIMIT_REDIS_UNITS)
        {
            entry->cost = NGX_HTTP_GW_LIMIT_REDIS_UNITS;
        }
    }

    return ngx_http_gw_quota_terms(r, zone, entry);
}


static ngx_int_t
ngx_http_gw_quota_filtered(ngx_http_request_t *r, ngx_http_gw_quota_t *quota)
{
    ngx_str_t  value;

    if (quota->filter == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, quota->filter, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    return (value.len == 0 || (value.len == 1 && value.data[0] == '0'))
           ? NGX_DECLINED : NGX_OK;
}


/* The quota, and what its periods depend on. */

static ngx_int_t
ngx_http_gw_quota_terms(ngx_http_request_t *r, ngx_http_gw_quota_zone_t *zone,
    ngx_http_gw_quota_entry_t *entry)
{
    time_t       anchor;
    ngx_str_t    value;
    gw_quota_t  *terms;

    terms = &entry->terms;

    if (zone->quota->lengths == NULL) {
        terms->limit = zone->units;

    } else {

        if (ngx_http_complex_value(r, zone->quota, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_gw_quota_units(&value, &terms->limit) != NGX_OK
            || (zone->redis != NULL
                && terms->limit > NGX_HTTP_GW_LIMIT_REDIS_UNITS))
        {
            return NGX_ABORT;
        }
    }

    if (terms->limit < 0) {
        return NGX_DECLINED;
    }

    entry->since = GW_PERIOD_NEVER;

    if (zone->anchor != NULL) {

        if (ngx_http_complex_value(r, zone->anchor, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len) {
            anchor = ngx_atotm(value.data, value.len);

            if (anchor == NGX_ERROR) {
                ngx_http_gw_quota_complain(r, zone, "anchor of a "
                                                    "gw_quota_zone");
            } else {
                entry->since = anchor;
            }
        }
    }

    return NGX_OK;
}


void
ngx_http_gw_quota_period(ngx_http_gw_quota_entry_t *entry, int64_t now)
{
    ngx_http_gw_quota_zone_terms(entry->quota->zone, entry->terms.limit,
                                 entry->since, now, &entry->terms,
                                 &entry->span);
}


/* Returns NGX_OK if the request goes on to the next quota. */

static ngx_int_t
ngx_http_gw_quota_decide(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry)
{
    gw_status_e                rc;
    ngx_http_gw_quota_t       *quota;
    ngx_http_gw_quota_zone_t  *zone;

    quota = entry->quota;
    zone = quota->zone;

    ngx_http_gw_quota_period(entry, ngx_time());

    /* the mutex of the slab pool: nginx unlocks it for a killed worker */

    ngx_shmtx_lock(&zone->shpool->mutex);

    rc = gw_quota_store_take(zone->store, &entry->key, &entry->terms,
                             ngx_time(), entry->cost, quota->overage,
                             &entry->result);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (rc != GW_OK && !quota->overage) {
        return ngx_http_gw_quota_exceeded(r, ctx, entry);
    }

    entry->taken = 1;

    ngx_http_gw_quota_pass(ctx, entry, rc == GW_OK);

    return NGX_OK;
}


void
ngx_http_gw_quota_pass(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_entry_t *entry, ngx_uint_t room)
{
    ngx_http_gw_quota_t        *quota;
    ngx_http_gw_quota_count_e   count;

    quota = entry->quota;

    entry->warned = quota->warn
                    && (double) entry->result.used * 100
                       >= (double) entry->result.limit * quota->warn;

    if (!room) {
        count = NGX_HTTP_GW_QUOTA_COUNT_OVERAGE;
        ngx_http_gw_quota_set_status(ctx->quota, entry,
                                     NGX_HTTP_GW_QUOTA_OVERAGE);

    } else if (entry->warned) {
        count = NGX_HTTP_GW_QUOTA_COUNT_WARNED;
        ngx_http_gw_quota_set_status(ctx->quota, entry,
                                     NGX_HTTP_GW_QUOTA_WARN);

    } else {
        count = NGX_HTTP_GW_QUOTA_COUNT_PASSED;
        ngx_http_gw_quota_set_status(ctx->quota, entry, NGX_HTTP_GW_QUOTA_OK);
    }

    ngx_http_gw_quota_count(quota->zone,
                            entry->local
                            ? NGX_HTTP_GW_QUOTA_COUNT_FALLBACK_PASSED
                            : count);
}


ngx_int_t
ngx_http_gw_quota_exceeded(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_quota_entry_t *entry)
{
    ngx_http_gw_limit_conf_t  *conf;
    ngx_http_gw_quota_zone_t  *zone;

    conf = ctx->conf;
    zone = entry->quota->zone;

    ngx_log_error(conf->limit_log_level, r->connection->log, 0,
                  "request rejected%s, %L of quota %L used, zone \"%V\"",
                  conf->dry_run ? ", dry run"
                                : entry->silent ? ", shadow" : "",
                  entry->result.used, entry->result.limit, &zone->name);

    ngx_http_gw_quota_set_status(ctx->quota, entry,
                                 NGX_HTTP_GW_QUOTA_EXCEEDED);

    if (entry->silent) {
        ngx_http_gw_quota_count(zone,
                                NGX_HTTP_GW_QUOTA_COUNT_REJECTED_DRY_RUN);
        return NGX_OK;
    }

    ctx->quota->failed = entry;

    ngx_http_gw_quota_count(zone,
                            entry->local
                            ? NGX_HTTP_GW_QUOTA_COUNT_FALLBACK_REJECTED
                            : NGX_HTTP_GW_QUOTA_COUNT_REJECTED);

    ctx->retry_after = ngx_http_gw_limit_jitter(conf->jitter, &ctx->dice,
                                   ngx_max(ngx_http_gw_quota_wait(entry), 0));

    ngx_http_gw_quota_give(ctx, entry->quota->phase);

    return ngx_http_gw_limit_refuse(r, ctx, conf->quota_status, &zone->policy);
}


int64_t
ngx_http_gw_quota_wait(ngx_http_gw_quota_entry_t *entry)
{
    /* a cost that never fits need not be tried again */

    return (entry->cost > entry->result.limit || entry->result.limit == 0)
           ? -1 : ngx_http_gw_quota_left(entry) * 1000000;
}


/* the quota of a request is a mistake of the configuration */

static ngx_int_t
ngx_http_gw_quota_invalid(ngx_http_request_t *r, ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_quota_t *quota)
{
    ngx_http_gw_quota_zone_t  *zone;

    zone = quota->zone;

    ngx_http_gw_quota_complain(r, zone, "quota of a gw_quota_zone");

    if (ctx->conf->on_error != NGX_HTTP_GW_LIMIT_ERROR_REJECT
        || ctx->conf->dry_run)
    {
        ngx_http_gw_quota_count(zone, NGX_HTTP_GW_QUOTA_COUNT_ERROR_PASSED);
        return NGX_OK;
    }

    ngx_http_gw_quota_count(zone, NGX_HTTP_GW_QUOTA_COUNT_ERROR_REJECTED);

    ngx_http_gw_quota_give(ctx, quota->phase);

    return ngx_http_gw_limit_refuse(r, ctx, ctx->conf->error_status, NULL);
}


void
ngx_http_gw_quota_give(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_zone_t   *zone;
    ngx_http_gw_quota_entry_t  *entry;

    ngx_http_gw_limit_give(&ctx->set[phase]);
    ngx_http_gw_concurrency_release(&ctx->concurrency);

    for (i = 0; i < ctx->quota->n[phase]; i++) {
        entry = &ctx->quota->entries[phase][i];

        if (!entry->taken) {
            continue;
        }

        entry->taken = 0;
        zone = entry->quota->zone;

        ngx_shmtx_lock(&zone->shpool->mutex);

        if (entry->local) {
            gw_quota_copy_give(zone->store, &entry->key, entry->result.start,
                               entry->cost);
        } else {
            gw_quota_store_give(zone->store, &entry->key, entry->result.start,
                                entry->cost);
        }

        ngx_shmtx_unlock(&zone->shpool->mutex);
    }
}


void
ngx_http_gw_quota_complain(ngx_http_request_t *r,
    ngx_http_gw_quota_zone_t *zone, const char *what)
{
    time_t  now;

    now = ngx_time();

    if (zone->complained
        && now - zone->complained < NGX_HTTP_GW_QUOTA_COMPLAIN)
    {
        return;
    }

    zone->complained = now;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "the %s \"%V\" is not a number", what, &zone->name);
}


static void
ngx_http_gw_quota_set_status(ngx_http_gw_quota_ctx_t *qctx,
    ngx_http_gw_quota_entry_t *entry, ngx_http_gw_quota_status_e status)
{
    entry->status = status;

    if (status > qctx->status) {
        qctx->status = status;
    }
}


ngx_int_t
ngx_http_gw_quota_extras(ngx_pool_t *pool, ngx_http_gw_quota_ctx_t *qctx,
    ngx_array_t *extras)
{
    ngx_uint_t                  i, phase;
    ngx_http_gw_limit_extra_t  *extra;
    ngx_http_gw_quota_entry_t  *entry;

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {

        for (i = 0; i < qctx->n[phase]; i++) {
            entry = &qctx->entries[phase][i];

            if (entry->silent || entry->status == NGX_HTTP_GW_QUOTA_NONE) {
                continue;
            }

            if (extras->elts == NULL
                && ngx_array_init(extras, pool, 2,
                                  sizeof(ngx_http_gw_limit_extra_t))
                   != NGX_OK)
            {
                return NGX_ERROR;
            }

            extra = ngx_array_push(extras);
            if (extra == NULL) {
                return NGX_ERROR;
            }

            ngx_memzero(extra, sizeof(ngx_http_gw_limit_extra_t));

            extra->failed = (entry == qctx->failed);
            extra->seed = entry->quota->zone->store->seed;
            extra->key[0] = entry->key.key[0];
            extra->key[1] = entry->key.key[1];

            extra->item.name = entry->quota->zone->policy.data;
            extra->item.name_len = entry->quota->zone->policy.len;
            extra->item.unit = entry->quota->zone->unit;
            extra->item.cost = entry->cost;
            extra->item.quota = entry->result.limit;
            extra->item.capacity = ngx_max(entry->result.limit, 1);
            extra->item.window = entry->result.end - entry->result.start;
            extra->item.remaining = entry->result.limit - entry->result.used;
            extra->item.reset = ngx_http_gw_quota_left(entry) * 1000000;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_quota_value(ngx_http_request_t *r, ngx_http_gw_quota_ctx_t *qctx,
    ngx_http_gw_quota_variable_e which, ngx_http_variable_value_t *v)
{
    int64_t                     n;
    ngx_str_t                  *s;
    ngx_http_gw_quota_entry_t  *entry;

    entry = ngx_http_gw_quota_nearest(qctx);

    if (entry == NULL
        || (which == NGX_HTTP_GW_QUOTA_VAR_WARNING && !entry->warned))
    {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    switch (which) {

    case NGX_HTTP_GW_QUOTA_VAR_STATUS:
    case NGX_HTTP_GW_QUOTA_VAR_WARNING:

        s = (which == NGX_HTTP_GW_QUOTA_VAR_STATUS)
            ? &ngx_http_gw_quota_statuses[qctx->status]
            : &entry->quota->zone->policy;

        v->len = s->len;
        v->data = s->data;

        return NGX_OK;

    case NGX_HTTP_GW_QUOTA_VAR_USED:
        n = entry->result.used;
        break;

    case NGX_HTTP_GW_QUOTA_VAR_REMAINING:
        n = entry->result.limit - entry->result.used;
        break;

    default: /* NGX_HTTP_GW_QUOTA_VAR_RESET */
        n = ngx_http_gw_quota_left(entry);
        break;
    }

    v->data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%L", ngx_max(n, 0)) - v->data;

    return NGX_OK;
}
