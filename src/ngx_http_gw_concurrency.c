
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_concurrency.h"
#include "ngx_http_gw_value.h"


static ngx_int_t ngx_http_gw_concurrency_parameter(ngx_conf_t *cf,
    ngx_http_gw_concurrency_t *limit, ngx_str_t *value);
static ngx_int_t ngx_http_gw_concurrency_zone_name(ngx_conf_t *cf,
    ngx_http_gw_concurrency_t *limit, ngx_str_t *value);
static ngx_int_t ngx_http_gw_concurrency_limit_value(ngx_conf_t *cf,
    ngx_http_gw_concurrency_t *limit, ngx_str_t *value);
static ngx_int_t ngx_http_gw_concurrency_number(ngx_str_t *value,
    int64_t *max);
static ngx_int_t ngx_http_gw_concurrency_entry(ngx_http_request_t *r,
    ngx_http_gw_concurrency_t *limit, ngx_http_gw_concurrency_entry_t *entry);


char *
ngx_http_gw_concurrency_add(ngx_conf_t *cf,
    ngx_http_gw_concurrencies_t *limits)
{
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_gw_concurrency_t  *limit, *prev;

    value = cf->args->elts;

    if (limits->off) {
        return "is not allowed after \"gw_concurrency off\"";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if (limits->limits.nelts) {
            return "\"off\" is not allowed with other limits";
        }

        limits->off = 1;

        return NGX_CONF_OK;
    }

    if (limits->limits.elts == NULL
        && ngx_array_init(&limits->limits, cf->pool, 2,
                          sizeof(ngx_http_gw_concurrency_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    limit = ngx_array_push(&limits->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(limit, sizeof(ngx_http_gw_concurrency_t));

    limit->phase = NGX_HTTP_GW_LIMIT_POSTACCESS;
    limit->file = cf->conf_file->file.name.data;
    limit->line = cf->conf_file->line;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_gw_concurrency_parameter(cf, limit, &value[i]) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (limit->shm_zone == NULL || limit->limit == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"%s\" parameter", &value[0],
                           limit->shm_zone ? "limit" : "zone");
        return NGX_CONF_ERROR;
    }

    prev = limits->limits.elts;

    for (i = 0; i < limits->limits.nelts - 1; i++) {
        if (prev[i].shm_zone == limit->shm_zone) {
            return "is duplicate";
        }
    }

    limits->count[limit->phase]++;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_concurrency_parameter(ngx_conf_t *cf,
    ngx_http_gw_concurrency_t *limit, ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_gw_concurrency_zone_name(cf, limit, value);
    }

    if (ngx_strncmp(value->data, "limit=", 6) == 0) {
        return ngx_http_gw_concurrency_limit_value(cf, limit, value);
    }

    if (ngx_strncmp(value->data, "if=", 3) == 0) {
        limit->filter = ngx_http_gw_value_create(cf, value, 3);
        return (limit->filter == NULL) ? NGX_ERROR : NGX_OK;
    }

    if (ngx_strcmp(value->data, "shadow") == 0) {
        limit->shadow = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "phase=preaccess") == 0) {
        limit->phase = NGX_HTTP_GW_LIMIT_PREACCESS;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "phase=postaccess") == 0) {
        limit->phase = NGX_HTTP_GW_LIMIT_POSTACCESS;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_concurrency_zone_name(ngx_conf_t *cf,
    ngx_http_gw_concurrency_t *limit, ngx_str_t *value)
{
    ngx_str_t  name;

    name.data = value->data + 5;
    name.len = value->len - 5;

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone name \"%V\"", value);
        return NGX_ERROR;
    }

    /* the zone may be defined further down */

    limit->shm_zone = ngx_shared_memory_add(cf, &name, 0,
                                            ngx_http_gw_concurrency_tag());

    return (limit->shm_zone == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_gw_concurrency_limit_value(ngx_conf_t *cf,
    ngx_http_gw_concurrency_t *limit, ngx_str_t *value)
{
    limit->limit = ngx_http_gw_value_create(cf, value, 6);
    if (limit->limit == NULL) {
        return NGX_ERROR;
    }

    if (limit->limit->lengths == NULL
        && ngx_http_gw_concurrency_number(&limit->limit->value, &limit->max)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", the limit must be a number "
                           "of at most %d or \"unlimited\"", value,
                           NGX_HTTP_GW_CONCURRENCY_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Returns NGX_OK, or NGX_DECLINED if the text is not a limit. */

static ngx_int_t
ngx_http_gw_concurrency_number(ngx_str_t *value, int64_t *max)
{
    ngx_int_t  n;

    if (value->len == 0
        || (value->len == sizeof("unlimited") - 1
            && ngx_strncmp(value->data, "unlimited", value->len) == 0))
    {
        *max = NGX_HTTP_GW_CONCURRENCY_UNLIMITED;
        return NGX_OK;
    }

    n = ngx_atoi(value->data, value->len);

    if (n < 0 || n > NGX_HTTP_GW_CONCURRENCY_MAX) {
        return NGX_DECLINED;
    }

    *max = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_concurrencies_resolve(ngx_conf_t *cf,
    ngx_http_gw_concurrencies_t *limits)
{
    ngx_uint_t                  i;
    ngx_http_gw_concurrency_t  *limit;

    /* several levels may have inherited it */

    if (limits->resolved) {
        return NGX_OK;
    }

    limits->resolved = 1;

    limit = limits->limits.elts;

    for (i = 0; i < limits->limits.nelts; i++) {

        limit[i].zone = limit[i].shm_zone->data;

        if (limit[i].zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown gw_concurrency_zone \"%V\" in %s:%ui",
                          &limit[i].shm_zone->shm.name, limit[i].file,
                          limit[i].line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_concurrency_prepare(ngx_http_request_t *r,
    ngx_http_gw_concurrencies_t *limits, ngx_uint_t phase,
    ngx_http_gw_concurrency_ctx_t *ctx)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_http_gw_concurrency_t        *limit;
    ngx_http_gw_concurrency_entry_t  *entry;

    entry = ngx_pcalloc(r->pool, limits->count[phase]
                                 * sizeof(ngx_http_gw_concurrency_entry_t));
    if (entry == NULL) {
        return NGX_ERROR;
    }

    ctx->entries[phase] = entry;

    limit = limits->limits.elts;

    for (i = 0; i < limits->limits.nelts; i++) {

        if (limit[i].phase != phase) {
            continue;
        }

        rc = ngx_http_gw_concurrency_entry(r, &limit[i], entry);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc == NGX_ABORT) {
            ctx->invalid = entry;
        }

        ctx->n[phase]++;
        entry++;
    }

    return ctx->n[phase] ? NGX_OK : NGX_DECLINED;
}


/*
 * Returns NGX_OK; NGX_DECLINED if the limit does not apply; NGX_ABORT if its
 * value is a mistake; NGX_ERROR.
 */

static ngx_int_t
ngx_http_gw_concurrency_entry(ngx_http_request_t *r,
    ngx_http_gw_concurrency_t *limit, ngx_http_gw_concurrency_entry_t *entry)
{
    ngx_str_t  value;

    if (limit->filter != NULL) {

        if (ngx_http_complex_value(r, limit->filter, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0 || (value.len == 1 && value.data[0] == '0')) {
            return NGX_DECLINED;
        }
    }

    if (ngx_http_gw_text(r, &limit->zone->key, &entry->value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (entry->value.len == 0) {
        return NGX_DECLINED;
    }

    entry->limit = limit;
    entry->silent = limit->shadow;
    entry->shadow = limit->shadow;

    if (limit->limit->lengths == NULL) {
        entry->max = limit->max;
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, limit->limit, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_gw_concurrency_number(&value, &entry->max) != NGX_OK) {
        entry->max = NGX_HTTP_GW_CONCURRENCY_UNLIMITED;
        return NGX_ABORT;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_concurrency_take(ngx_http_gw_concurrency_entry_t *entry)
{
    uint64_t   current;
    ngx_int_t  rc;

    rc = ngx_http_gw_concurrency_zone_take(entry->limit->zone, &entry->value,
                                           entry->max, &entry->hold, &current);

    entry->current = current;
    entry->told = 1;
    entry->held = (rc == NGX_OK);

    return rc;
}


void
ngx_http_gw_concurrency_drop(ngx_http_gw_concurrency_entry_t *entry)
{
    if (entry->held) {
        ngx_http_gw_concurrency_zone_give(entry->limit->zone, entry->hold);
        entry->held = 0;
    }

    ngx_http_gw_concurrency_end(&entry->ask);
}


void
ngx_http_gw_concurrency_release(ngx_http_gw_concurrency_ctx_t *ctx)
{
    ngx_uint_t  i, phase;

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {

        for (i = 0; i < ctx->n[phase]; i++) {
            ngx_http_gw_concurrency_drop(&ctx->entries[phase][i]);
        }
    }
}


ngx_http_gw_concurrency_entry_t *
ngx_http_gw_concurrency_nearest(ngx_http_gw_concurrency_ctx_t *ctx,
    ngx_uint_t silent)
{
    ngx_uint_t                        i, phase;
    ngx_http_gw_concurrency_entry_t  *entry, *nearest;

    if (ctx->failed != NULL && (silent || !ctx->failed->silent)) {
        return ctx->failed;
    }

    nearest = NULL;

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {

        for (i = 0; i < ctx->n[phase]; i++) {
            entry = &ctx->entries[phase][i];

            if (!entry->told || (entry->silent && !silent)) {
                continue;
            }

            if (nearest == NULL
                || entry->max - entry->current
                   < nearest->max - nearest->current)
            {
                nearest = entry;
            }
        }
    }

    return nearest;
}
