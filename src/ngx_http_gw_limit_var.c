
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_concurrency_request.h"
#include "ngx_http_gw_limit_var.h"


static ngx_int_t ngx_http_gw_limit_get_time(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var);
static ngx_int_t ngx_http_gw_limit_get_limit(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var);
static ngx_int_t ngx_http_gw_limit_get_concurrency(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var);
static void ngx_http_gw_limit_set_value(ngx_http_variable_value_t *v,
    const ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_set_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, int64_t number);


static const ngx_str_t  ngx_http_gw_limit_statuses[] = {
    ngx_null_string,
    ngx_string("NOKEY"),
    ngx_string("BYPASSED"),
    ngx_string("PASSED"),
    ngx_string("FALLBACK_PASSED"),
    ngx_string("ERROR_PASSED"),
    ngx_string("DELAYED_DRY_RUN"),
    ngx_string("DELAYED"),
    ngx_string("REJECTED_DRY_RUN"),
    ngx_string("REJECTED"),
    ngx_string("FALLBACK_REJECTED"),
    ngx_string("ERROR_REJECTED")
};


static const ngx_str_t  ngx_http_gw_limit_sources[] = {
    ngx_string("shm"),
    ngx_string("redis"),
    ngx_string("fallback"),
    ngx_null_string,
    ngx_string("deny_cache")
};


static const ngx_str_t  ngx_http_gw_limit_states[] = {
    ngx_string("down"),
    ngx_string("probing"),
    ngx_string("up")
};


ngx_int_t
ngx_http_gw_limit_get_value(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var)
{
    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (var <= NGX_HTTP_GW_LIMIT_VAR_TIME) {
        return ngx_http_gw_limit_get_time(r, ctx, v, var);
    }

    if (var < NGX_HTTP_GW_LIMIT_VAR_MAIN) {
        return ngx_http_gw_limit_get_limit(r, ctx, v, var);
    }

    if (var < NGX_HTTP_GW_LIMIT_VAR_QUOTA) {
        return ngx_http_gw_limit_get_concurrency(r, ctx, v, var);
    }

    if (ctx->quota == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_gw_quota_value(r, ctx->quota,
                                   var - NGX_HTTP_GW_LIMIT_VAR_QUOTA, v);
}


static ngx_int_t
ngx_http_gw_limit_get_time(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var)
{
    u_char      buf[NGX_INT64_LEN + sizeof(".000") - 1], *p;
    ngx_str_t   value;
    ngx_msec_t  ms;

    if (ctx->status == NGX_HTTP_GW_LIMIT_NONE
        || (var == NGX_HTTP_GW_LIMIT_VAR_RETRY_AFTER && ctx->retry_after == 0))
    {
        v->not_found = 1;
        return NGX_OK;
    }

    if (var == NGX_HTTP_GW_LIMIT_VAR_STATUS) {
        ngx_http_gw_limit_set_value(v,
                                    &ngx_http_gw_limit_statuses[ctx->status]);
        return NGX_OK;
    }

    if (var == NGX_HTTP_GW_LIMIT_VAR_RETRY_AFTER) {
        p = gw_ratelimit_seconds(buf, ctx->retry_after);

    } else {
        ms = (var == NGX_HTTP_GW_LIMIT_VAR_DELAY) ? ctx->delay : ctx->spent;

        p = ngx_sprintf(buf, "%T.%03M", (time_t) ms / 1000, ms % 1000);
    }

    value.len = p - buf;
    value.data = ngx_pnalloc(r->pool, value.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(value.data, buf, value.len);

    ngx_http_gw_limit_set_value(v, &value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_get_limit(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var)
{
    ngx_http_gw_limit_entry_t  *entry;

    entry = ngx_http_gw_limit_nearest(ctx->set, NGX_HTTP_GW_LIMIT_PHASES, 1);

    if (entry == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    switch (var) {

    case NGX_HTTP_GW_LIMIT_VAR_SOURCE:
        ngx_http_gw_limit_set_value(v,
                                   &ngx_http_gw_limit_sources[entry->source]);
        return NGX_OK;

    case NGX_HTTP_GW_LIMIT_VAR_ZONE:
        ngx_http_gw_limit_set_value(v, &entry->limit->zone->name);
        return NGX_OK;

    case NGX_HTTP_GW_LIMIT_VAR_POLICY:
        ngx_http_gw_limit_set_value(v, &entry->limit->zone->policy);
        return NGX_OK;

    case NGX_HTTP_GW_LIMIT_VAR_LIMIT:
        return ngx_http_gw_limit_set_number(r, v, entry->plan->quota);

    case NGX_HTTP_GW_LIMIT_VAR_REMAINING:
        return ngx_http_gw_limit_set_number(r, v, entry->remaining);

    case NGX_HTTP_GW_LIMIT_VAR_RESET:
        return ngx_http_gw_limit_set_number(r, v,
                                            (entry->next + 999999) / 1000000);

    default: /* NGX_HTTP_GW_LIMIT_VAR_COST */
        return ngx_http_gw_limit_set_number(r, v, entry->cost);
    }
}


static ngx_int_t
ngx_http_gw_limit_get_concurrency(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_uint_t var)
{
    ngx_http_gw_concurrency_entry_t  *entry;

    entry = ngx_http_gw_concurrency_nearest(&ctx->concurrency, 1);

    if (entry == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (var == NGX_HTTP_GW_LIMIT_VAR_CONCURRENCY_CURRENT) {
        return ngx_http_gw_limit_set_number(r, v, entry->current);
    }

    ngx_http_gw_limit_set_value(v,
                            ngx_http_gw_concurrency_status(&ctx->concurrency));

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_zone_variable(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_str_t *name)
{
    size_t                      skip;
    ngx_uint_t                  limit;
    ngx_http_gw_limit_entry_t  *entry;

    limit = (ngx_strncmp(name->data, "gw_limit_limit_",
                         sizeof("gw_limit_limit_") - 1)
             == 0);

    skip = limit ? sizeof("gw_limit_limit_") - 1
                 : sizeof("gw_limit_remaining_") - 1;

    entry = (ctx == NULL) ? NULL
                          : ngx_http_gw_limit_of_zone(ctx->set,
                                                NGX_HTTP_GW_LIMIT_PHASES,
                                                name->data + skip,
                                                name->len - skip);
    if (entry == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_gw_limit_set_number(r, v, limit ? entry->plan->quota
                                                    : entry->remaining);
}


void
ngx_http_gw_limit_get_state(ngx_http_gw_limit_links_t *links,
    ngx_http_variable_value_t *v, ngx_str_t *name)
{
    ngx_http_gw_limit_service_t  *service;

    service = ngx_http_gw_limit_service_find(links,
                                 name->data + (sizeof("gw_redis_state_") - 1),
                                 name->len - (sizeof("gw_redis_state_") - 1));
    if (service == NULL) {
        v->not_found = 1;
        return;
    }

    ngx_http_gw_limit_set_value(v,
           &ngx_http_gw_limit_states[ngx_http_gw_limit_links_state(service)]);
}


static void
ngx_http_gw_limit_set_value(ngx_http_variable_value_t *v,
    const ngx_str_t *value)
{
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->len = value->len;
    v->data = value->data;
}


static ngx_int_t
ngx_http_gw_limit_set_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, int64_t number)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%L", number) - value.data;

    ngx_http_gw_limit_set_value(v, &value);

    return NGX_OK;
}
