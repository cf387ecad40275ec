
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_siphash.h"
#include "ngx_http_gw_concurrency_request.h"


/* seconds between two messages about the same mistake */
#define NGX_HTTP_GW_CONCURRENCY_COMPLAIN  60


static ngx_int_t ngx_http_gw_concurrency_decide(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static void ngx_http_gw_concurrency_answered(void *data);
static ngx_int_t ngx_http_gw_concurrency_answers(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
static ngx_int_t ngx_http_gw_concurrency_answer(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_concurrency_entry_t *entry);
static ngx_int_t ngx_http_gw_concurrency_invalid(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx);
static ngx_int_t ngx_http_gw_concurrency_reject(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_concurrency_entry_t *entry);
static void ngx_http_gw_concurrency_set_status(
    ngx_http_gw_concurrency_ctx_t *cctx,
    ngx_http_gw_concurrency_status_e status);


static ngx_str_t  ngx_http_gw_concurrency_statuses[] = {
    ngx_null_string,
    ngx_string("PASSED"),
    ngx_string("REJECTED_DRY_RUN"),
    ngx_string("REJECTED")
};


ngx_int_t
ngx_http_gw_concurrency_handle(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_conf_t *conf,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                       rc;
    ngx_http_gw_concurrency_ctx_t  *cctx;

    cctx = &ctx->concurrency;

    if (cctx->waiting) {

        if (cctx->pending) {
            return NGX_AGAIN;
        }

        ctx->woken = 0;
        cctx->waiting = 0;

        return ngx_http_gw_concurrency_answers(r, ctx, phase);
    }

    if (ctx->sealed
        || conf->concurrencies == NULL
        || conf->concurrencies->count[phase] == 0
        || cctx->decided & (1 << phase))
    {
        return NGX_DECLINED;
    }

    cctx->decided |= 1 << phase;

    ctx->conf = conf;

    if (conf->bypass != NULL
        && ngx_http_test_predicates(r, conf->bypass) == NGX_DECLINED)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_gw_concurrency_prepare(r, conf->concurrencies, phase, cctx);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (cctx->invalid) {
        rc = ngx_http_gw_concurrency_invalid(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_gw_concurrency_decide(r, ctx, phase);
}


/*
 * What is in progress on this host is in progress: if that is too much, Redis
 * is not asked.
 */

static ngx_int_t
ngx_http_gw_concurrency_decide(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_http_gw_concurrency_ctx_t    *cctx;
    ngx_http_gw_concurrency_zone_t   *zone;
    ngx_http_gw_concurrency_entry_t  *entry;

    cctx = &ctx->concurrency;

    for (i = 0; i < cctx->n[phase]; i++) {
        entry = &cctx->entries[phase][i];

        if (ctx->conf->dry_run) {
            entry->silent = 1;

        } else if (ctx->conf->share < 100
                   && !ngx_http_gw_limit_enforced(&entry->value,
                                                  ctx->conf->share))
        {
            entry->silent = 1;
            entry->shadow = 1;
        }

        if (ngx_http_gw_concurrency_take(entry) != NGX_OK) {
            rc = ngx_http_gw_concurrency_reject(r, ctx, entry);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    for (i = 0; i < cctx->n[phase]; i++) {
        entry = &cctx->entries[phase][i];
        zone = entry->limit->zone;

        if (!entry->held || zone->remote.redis == NULL) {
            continue;
        }

        entry->ask.handler = ngx_http_gw_concurrency_answered;
        entry->ask.data = ctx;

        if (ngx_http_gw_concurrency_ask(&zone->remote, r->pool, &zone->name,
                                        &entry->value, &ctx->worker->links,
                                        entry->max, &entry->ask)
            == NGX_AGAIN)
        {
            cctx->pending++;
        }
    }

    if (cctx->pending) {
        cctx->waiting = 1;
        return ngx_http_gw_limit_park(r);
    }

    return ngx_http_gw_concurrency_answers(r, ctx, phase);
}


static void
ngx_http_gw_concurrency_answered(void *data)
{
    ngx_http_gw_limit_ctx_t *ctx = data;

    if (--ctx->concurrency.pending == 0) {
        ngx_http_gw_limit_resume(ctx);
    }
}


static ngx_int_t
ngx_http_gw_concurrency_answers(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_http_gw_concurrency_ctx_t    *cctx;
    ngx_http_gw_concurrency_entry_t  *entry;

    cctx = &ctx->concurrency;

    for (i = 0; i < cctx->n[phase]; i++) {
        entry = &cctx->entries[phase][i];

        if (!entry->held) {
            continue;
        }

        if (entry->limit->zone->remote.redis != NULL) {
            rc = ngx_http_gw_concurrency_answer(r, ctx, entry);

            if (rc != NGX_OK) {
                return rc;
            }

        } else if (entry != cctx->invalid) {
            ngx_http_gw_concurrency_count(entry->limit->zone,
                                      NGX_HTTP_GW_CONCURRENCY_COUNT_PASSED);
        }

        ngx_http_gw_concurrency_set_status(cctx,
                                           NGX_HTTP_GW_CONCURRENCY_PASSED);
    }

    return NGX_DECLINED;
}


/* Returns NGX_OK if the request goes on to the next limit. */

static ngx_int_t
ngx_http_gw_concurrency_answer(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_concurrency_entry_t *entry)
{
    ngx_http_gw_limit_conf_t        *conf;
    ngx_http_gw_concurrency_zone_t  *zone;

    conf = ctx->conf;
    zone = entry->limit->zone;

    switch (entry->ask.status) {

    case NGX_OK:

        entry->current = entry->ask.total;

        if (entry != ctx->concurrency.invalid) {
            ngx_http_gw_concurrency_count(zone,
                                      NGX_HTTP_GW_CONCURRENCY_COUNT_PASSED);
        }

        return NGX_OK;

    case NGX_DECLINED:

        entry->current = entry->ask.total;

        ngx_http_gw_concurrency_drop(entry);

        return ngx_http_gw_concurrency_reject(r, ctx, entry);

    default: /* NGX_ERROR */
        break;
    }

    if (conf->on_error != NGX_HTTP_GW_LIMIT_ERROR_REJECT
        || conf->dry_run
        || entry->shadow)
    {
        ngx_http_gw_concurrency_keep(&entry->ask);

        ngx_http_gw_concurrency_count(zone,
                             conf->on_error == NGX_HTTP_GW_LIMIT_ERROR_LOCAL
                             ? NGX_HTTP_GW_CONCURRENCY_COUNT_FALLBACK_PASSED
                             : NGX_HTTP_GW_CONCURRENCY_COUNT_ERROR_PASSED);
        return NGX_OK;
    }

    ngx_http_gw_concurrency_count(zone,
                                NGX_HTTP_GW_CONCURRENCY_COUNT_ERROR_REJECTED);

    ngx_http_gw_concurrency_set_status(&ctx->concurrency,
                                       NGX_HTTP_GW_CONCURRENCY_REJECTED);

    ngx_http_gw_concurrency_release(&ctx->concurrency);

    /* the next probe may find it */

    ctx->retry_after = ngx_http_gw_limit_jitter(conf->jitter, &ctx->dice,
                                                1000000);

    return ngx_http_gw_limit_refuse(r, ctx, conf->error_status, NULL);
}


/* the limit of a request is a mistake of the configuration: told, seldom */

static ngx_int_t
ngx_http_gw_concurrency_invalid(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx)
{
    time_t                           now;
    ngx_http_gw_limit_conf_t        *conf;
    ngx_http_gw_concurrency_zone_t  *zone;

    now = ngx_time();
    conf = ctx->conf;
    zone = ctx->concurrency.invalid->limit->zone;

    if (zone->complained == 0
        || now - zone->complained >= NGX_HTTP_GW_CONCURRENCY_COMPLAIN)
    {
        zone->complained = now;

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the limit of a gw_concurrency of zone \"%V\" is not a "
                      "number, the request is %s", &zone->name,
                      conf->on_error == NGX_HTTP_GW_LIMIT_ERROR_REJECT
                      ? "rejected" : "not limited");
    }

    if (conf->on_error != NGX_HTTP_GW_LIMIT_ERROR_REJECT || conf->dry_run) {
        ngx_http_gw_concurrency_count(zone,
                                  NGX_HTTP_GW_CONCURRENCY_COUNT_ERROR_PASSED);
        return NGX_OK;
    }

    ngx_http_gw_concurrency_count(zone,
                                NGX_HTTP_GW_CONCURRENCY_COUNT_ERROR_REJECTED);

    ngx_http_gw_concurrency_set_status(&ctx->concurrency,
                                       NGX_HTTP_GW_CONCURRENCY_REJECTED);

    ngx_http_gw_concurrency_release(&ctx->concurrency);

    return ngx_http_gw_limit_refuse(r, ctx, conf->error_status, NULL);
}


/* Returns NGX_OK if the request goes on to the next limit. */

static ngx_int_t
ngx_http_gw_concurrency_reject(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_concurrency_entry_t *entry)
{
    ngx_http_gw_limit_conf_t        *conf;
    ngx_http_gw_concurrency_ctx_t   *cctx;
    ngx_http_gw_concurrency_zone_t  *zone;

    cctx = &ctx->concurrency;
    conf = ctx->conf;
    zone = entry->limit->zone;

    ngx_log_error(conf->limit_log_level, r->connection->log, 0,
                  "request rejected%s, in progress: %L, zone \"%V\"",
                  conf->dry_run ? ", dry run"
                                : entry->shadow ? ", shadow" : "",
                  entry->current, &zone->name);

    if (cctx->failed == NULL || cctx->failed->silent) {
        cctx->failed = entry;
    }

    if (entry->shadow || conf->dry_run) {

        ngx_http_gw_concurrency_count(zone,
                              NGX_HTTP_GW_CONCURRENCY_COUNT_REJECTED_DRY_RUN);

        ngx_http_gw_concurrency_set_status(cctx,
                                    NGX_HTTP_GW_CONCURRENCY_REJECTED_DRY_RUN);

        if (entry->shadow) {
            return NGX_OK;
        }

        /* as limit_conn does: it would not be in progress */

        ngx_http_gw_concurrency_release(cctx);

        return NGX_DECLINED;
    }

    ngx_http_gw_concurrency_count(zone,
                                  NGX_HTTP_GW_CONCURRENCY_COUNT_REJECTED);

    ngx_http_gw_concurrency_set_status(cctx, NGX_HTTP_GW_CONCURRENCY_REJECTED);

    /* what is rejected takes nothing of the rates of its phase either */

    ngx_http_gw_limit_give(&ctx->set[entry->limit->phase]);

    ngx_http_gw_concurrency_release(cctx);

    return ngx_http_gw_limit_refuse(r, ctx, conf->concurrency_status,
                                    &zone->policy);
}


static void
ngx_http_gw_concurrency_set_status(ngx_http_gw_concurrency_ctx_t *cctx,
    ngx_http_gw_concurrency_status_e status)
{
    if (status > cctx->status) {
        cctx->status = status;
    }
}


ngx_int_t
ngx_http_gw_concurrency_extras(ngx_pool_t *pool,
    ngx_http_gw_concurrency_ctx_t *cctx, ngx_array_t *extras)
{
    ngx_uint_t                        i, phase;
    ngx_http_gw_limit_extra_t        *extra;
    ngx_http_gw_concurrency_entry_t  *entry;

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {

        for (i = 0; i < cctx->n[phase]; i++) {
            entry = &cctx->entries[phase][i];

            if (entry->silent
                || !entry->told
                || entry->max == NGX_HTTP_GW_CONCURRENCY_UNLIMITED)
            {
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

            extra->failed = (entry == cctx->failed);
            extra->seed = entry->limit->zone->store->seed;

            gw_siphash13(extra->seed, entry->value.data, entry->value.len,
                         extra->key);

            extra->item.name = entry->limit->zone->policy.data;
            extra->item.name_len = entry->limit->zone->policy.len;
            extra->item.unit = "concurrent-requests";
            extra->item.cost = 1;
            extra->item.quota = entry->max;
            extra->item.capacity = entry->max;
            extra->item.remaining = entry->max - entry->current;
        }
    }

    return NGX_OK;
}


ngx_str_t *
ngx_http_gw_concurrency_status(ngx_http_gw_concurrency_ctx_t *cctx)
{
    return &ngx_http_gw_concurrency_statuses[cctx->status];
}
