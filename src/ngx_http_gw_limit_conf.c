
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_value.h"


#define NGX_HTTP_GW_LIMIT_NODELAY  NGX_MAX_INT_T_VALUE


static ngx_int_t ngx_http_gw_limit_parameter(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limit_t *limit, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_zone_name(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limit_t *limit, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_resolve(ngx_conf_t *cf,
    ngx_http_gw_limit_t *limit);
static ngx_int_t ngx_http_gw_limit_policy(ngx_conf_t *cf,
    ngx_http_gw_limit_t *limit);
static ngx_int_t ngx_http_gw_limit_percent(ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_check(ngx_conf_t *cf,
    ngx_http_gw_limits_t *limits, ngx_uint_t phase);


char *
ngx_http_gw_limit_add(ngx_conf_t *cf, void *tag, ngx_http_gw_limits_t *limits)
{
    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_http_gw_limit_t  *limit, *prev;

    value = cf->args->elts;

    if (limits->off) {
        return "is not allowed after \"gw_limit off\"";
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
                          sizeof(ngx_http_gw_limit_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    limit = ngx_array_push(&limits->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(limit, sizeof(ngx_http_gw_limit_t));

    limit->phase = NGX_HTTP_GW_LIMIT_POSTACCESS;
    limit->burst.units = -1;
    limit->cost.units = 1;
    limit->final_cost.units = -1;
    limit->file = cf->conf_file->file.name.data;
    limit->line = cf->conf_file->line;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_gw_limit_parameter(cf, tag, limit, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (limit->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter", &value[0]);
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
ngx_http_gw_limit_parameter(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limit_t *limit, ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_gw_limit_zone_name(cf, tag, limit, value);
    }

    if (ngx_strncmp(value->data, "burst=", 6) == 0) {
        return ngx_http_gw_limit_number_conf(cf, &limit->burst, value, 6, 0,
                                             GW_GCRA_CAPACITY_MAX - 1);
    }

    if (ngx_strncmp(value->data, "delay=", 6) == 0) {
        return ngx_http_gw_limit_number_conf(cf, &limit->delay, value, 6, 1,
                                             NGX_HTTP_GW_LIMIT_NODELAY);
    }

    if (ngx_strcmp(value->data, "nodelay") == 0) {
        limit->delay.units = NGX_HTTP_GW_LIMIT_NODELAY;
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

    if (ngx_strcmp(value->data, "shadow") == 0) {
        limit->shadow = 1;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "if=", 3) == 0) {
        limit->filter = ngx_http_gw_value_create(cf, value, 3);
        return (limit->filter == NULL) ? NGX_ERROR : NGX_OK;
    }

    if (ngx_strncmp(value->data, "cost=", 5) == 0) {
        return ngx_http_gw_limit_number_conf(cf, &limit->cost, value, 5, 0,
                                             GW_GCRA_CAPACITY_MAX);
    }

    if (ngx_strncmp(value->data, "final_cost=", 11) == 0) {
        limit->final = 1;
        return ngx_http_gw_limit_number_conf(cf, &limit->final_cost, value,
                                             11, 0, GW_GCRA_CAPACITY_MAX);
    }

    if (ngx_strncmp(value->data, "penalty=", 8) == 0) {
        limit->penalized = 1;
        return ngx_http_gw_limit_number_conf(cf, &limit->penalty, value, 8, 0,
                                             GW_GCRA_CAPACITY_MAX);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_limit_zone_name(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limit_t *limit, ngx_str_t *value)
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

    limit->shm_zone = ngx_shared_memory_add(cf, &name, 0, tag);

    return (limit->shm_zone == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_gw_limits_resolve(ngx_conf_t *cf, ngx_http_gw_limits_t *limits)
{
    ngx_uint_t            i;
    ngx_http_gw_limit_t  *limit;

    /* several levels may have inherited it */

    if (limits->resolved) {
        return NGX_OK;
    }

    limits->resolved = 1;

    limit = limits->limits.elts;

    for (i = 0; i < limits->limits.nelts; i++) {
        if (ngx_http_gw_limit_resolve(cf, &limit[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < NGX_HTTP_GW_LIMIT_PHASES; i++) {
        if (ngx_http_gw_limit_check(cf, limits, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_resolve(ngx_conf_t *cf, ngx_http_gw_limit_t *limit)
{
    int64_t                    burst;
    ngx_http_gw_limit_zone_t  *zone;

    zone = limit->shm_zone->data;

    if (zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown gw_limit_zone \"%V\" in %s:%ui",
                      &limit->shm_zone->shm.name, limit->file, limit->line);
        return NGX_ERROR;
    }

    limit->zone = zone;

    if (zone->algorithm != NGX_HTTP_GW_LIMIT_GCRA
        && (limit->burst.units != -1 || limit->burst.cv != NULL
            || limit->delay.cv != NULL
            || (limit->delay.units != 0
                && limit->delay.units != NGX_HTTP_GW_LIMIT_NODELAY)))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"burst\" and \"delay\" need \"algorithm=gcra\" in "
                      "gw_limit_zone \"%V\", remove them in %s:%ui",
                      &zone->name, limit->file, limit->line);
        return NGX_ERROR;
    }

    burst = (limit->burst.units == -1) ? ngx_max(zone->burst.units, 0)
                                       : limit->burst.units;

    limit->dynamic = (zone->rate_cv != NULL || limit->burst.cv != NULL
                      || (limit->burst.units == -1 && zone->burst.cv != NULL));

    limit->variable = (limit->dynamic || limit->delay.cv != NULL
                       || limit->cost.cv != NULL);

    if (zone->rate.value == GW_RATE_GIVEN
        && ngx_http_gw_limit_plan_init(&limit->plan, zone, &zone->rate.rate,
                                       burst)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "burst %L is too large for the rate of gw_limit_zone "
                      "\"%V\" in %s:%ui", burst, &zone->name, limit->file,
                      limit->line);
        return NGX_ERROR;
    }

    if (limit->dynamic) {

        /* what is left is told of a rate of 0 */

        ngx_memzero(&limit->plan, sizeof(ngx_http_gw_limit_plan_t));
        limit->plan.algorithm = zone->algorithm;
        limit->plan.capacity = 1;
        limit->plan.window = 1;
        return NGX_OK;
    }

    limit->plan.quota = zone->rate.quota;
    limit->plan.window = zone->rate.window;

    return ngx_http_gw_limit_policy(cf, limit);
}


/* The member of RateLimit-Policy, when it is the same for all requests. */

static ngx_int_t
ngx_http_gw_limit_policy(ngx_conf_t *cf, ngx_http_gw_limit_t *limit)
{
    u_char               *p;
    gw_ratelimit_item_t   item;

    ngx_memzero(&item, sizeof(gw_ratelimit_item_t));

    item.name = limit->zone->policy.data;
    item.name_len = limit->zone->policy.len;
    item.unit = limit->zone->unit;
    item.quota = limit->plan.quota;
    item.window = limit->plan.window;
    item.burst = (limit->plan.algorithm == NGX_HTTP_GW_LIMIT_GCRA)
                 ? limit->plan.capacity - 1 : 0;

    p = ngx_pnalloc(cf->pool, gw_ratelimit_item_size(&item));
    if (p == NULL) {
        return NGX_ERROR;
    }

    limit->policy.data = p;
    limit->policy.len = gw_ratelimit_policy(p, &item, 0) - p;
    limit->quoted = gw_ratelimit_name_size(item.name, item.name_len);

    return NGX_OK;
}


/* The limits in Redis of one phase are decided in one call. */

static ngx_int_t
ngx_http_gw_limit_check(ngx_conf_t *cf, ngx_http_gw_limits_t *limits,
    ngx_uint_t phase)
{
    ngx_uint_t                 i, n;
    ngx_http_gw_limit_t       *limit;
    ngx_http_gw_redis_conf_t  *redis;

    n = 0;
    redis = NULL;
    limit = limits->limits.elts;

    for (i = 0; i < limits->limits.nelts; i++) {

        if (limit[i].phase != phase || limit[i].zone->redis == NULL) {
            continue;
        }

        if (redis != NULL && limit[i].zone->redis != redis) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "gw_limit of zone \"%V\" uses the gw_redis \"%V\" "
                          "while another limit of the same request and phase "
                          "uses \"%V\" in %s:%ui", &limit[i].zone->name,
                          &limit[i].zone->redis->name, &redis->name,
                          limit[i].file, limit[i].line);
            return NGX_ERROR;
        }

        if (++n > NGX_HTTP_GW_LIMIT_REDIS_MAX) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "more than %d limits in Redis for one request and "
                          "phase in %s:%ui", NGX_HTTP_GW_LIMIT_REDIS_MAX,
                          limit[i].file, limit[i].line);
            return NGX_ERROR;
        }

        redis = limit[i].zone->redis;
    }

    return NGX_OK;
}


/* gw_limit_dry_run on | off | percent */

char *
ngx_http_gw_limit_dry_run(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_limit_conf_t *lcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (lcf->dry_run != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    lcf->dry_run = (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0);
    lcf->share = 100;

    if (lcf->dry_run
        || ngx_strcasecmp(value[1].data, (u_char *) "off") == 0)
    {
        return NGX_CONF_OK;
    }

    n = ngx_http_gw_limit_percent(&value[1]);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"on\", \"off\" "
                           "or the percentage of the keys that are limited, "
                           "such as \"10%%\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    lcf->share = n;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_limit_retry_jitter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_limit_conf_t *lcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (lcf->jitter != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = ngx_http_gw_limit_percent(&value[1]);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be a percentage "
                           "from \"0%%\" to \"100%%\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    lcf->jitter = n;

    return NGX_CONF_OK;
}


/* Returns NGX_ERROR if it is no percentage of 0 to 100. */

static ngx_int_t
ngx_http_gw_limit_percent(ngx_str_t *value)
{
    ngx_int_t  n;

    if (value->len < 2 || value->data[value->len - 1] != '%') {
        return NGX_ERROR;
    }

    n = ngx_atoi(value->data, value->len - 1);

    return (n >= 0 && n <= 100) ? n : NGX_ERROR;
}
