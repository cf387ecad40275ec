
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_quota.h"
#include "ngx_http_gw_value.h"


static ngx_int_t ngx_http_gw_quota_parameter(ngx_conf_t *cf,
    ngx_http_gw_quota_t *quota, ngx_str_t *value);
static ngx_int_t ngx_http_gw_quota_zone_name(ngx_conf_t *cf,
    ngx_http_gw_quota_t *quota, ngx_str_t *value);
static ngx_int_t ngx_http_gw_quota_cost(ngx_conf_t *cf,
    ngx_http_complex_value_t **cost, ngx_str_t *value, size_t prefix);
static ngx_int_t ngx_http_gw_quota_warn(ngx_conf_t *cf,
    ngx_http_gw_quota_t *quota, ngx_str_t *value);


char *
ngx_http_gw_quota(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t              *value;
    ngx_uint_t              i;
    ngx_http_gw_quota_t    *quota, *prev;
    ngx_http_gw_quotas_t  **quotas;

    quotas = (ngx_http_gw_quotas_t **) ((u_char *) conf + cmd->offset);

    if (*quotas == NGX_CONF_UNSET_PTR) {

        *quotas = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_quotas_t));
        if (*quotas == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    if ((*quotas)->off) {
        return "is not allowed after \"gw_quota off\"";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if ((*quotas)->quotas.nelts) {
            return "\"off\" is not allowed with other quotas";
        }

        (*quotas)->off = 1;

        return NGX_CONF_OK;
    }

    if ((*quotas)->quotas.elts == NULL
        && ngx_array_init(&(*quotas)->quotas, cf->pool, 2,
                          sizeof(ngx_http_gw_quota_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    quota = ngx_array_push(&(*quotas)->quotas);
    if (quota == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(quota, sizeof(ngx_http_gw_quota_t));

    quota->phase = NGX_HTTP_GW_LIMIT_POSTACCESS;
    quota->file = cf->conf_file->file.name.data;
    quota->line = cf->conf_file->line;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_gw_quota_parameter(cf, quota, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (quota->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter", &value[0]);
        return NGX_CONF_ERROR;
    }

    prev = (*quotas)->quotas.elts;

    for (i = 0; i < (*quotas)->quotas.nelts - 1; i++) {
        if (prev[i].shm_zone == quota->shm_zone) {
            return "is duplicate";
        }
    }

    (*quotas)->count[quota->phase]++;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_quota_parameter(ngx_conf_t *cf, ngx_http_gw_quota_t *quota,
    ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_gw_quota_zone_name(cf, quota, value);
    }

    if (ngx_strncmp(value->data, "cost=", 5) == 0) {
        return ngx_http_gw_quota_cost(cf, &quota->cost, value, 5);
    }

    if (ngx_strncmp(value->data, "final_cost=", 11) == 0) {
        return ngx_http_gw_quota_cost(cf, &quota->final_cost, value, 11);
    }

    if (ngx_strncmp(value->data, "warn=", 5) == 0) {
        return ngx_http_gw_quota_warn(cf, quota, value);
    }

    if (ngx_strncmp(value->data, "if=", 3) == 0) {
        quota->filter = ngx_http_gw_value_create(cf, value, 3);
        return (quota->filter == NULL) ? NGX_ERROR : NGX_OK;
    }

    if (ngx_strcmp(value->data, "overage") == 0) {
        quota->overage = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "shadow") == 0) {
        quota->shadow = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "phase=preaccess") == 0) {
        quota->phase = NGX_HTTP_GW_LIMIT_PREACCESS;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "phase=postaccess") == 0) {
        quota->phase = NGX_HTTP_GW_LIMIT_POSTACCESS;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_quota_zone_name(ngx_conf_t *cf, ngx_http_gw_quota_t *quota,
    ngx_str_t *value)
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

    quota->shm_zone = ngx_shared_memory_add(cf, &name, 0,
                                            ngx_http_gw_quota_tag());

    return (quota->shm_zone == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_gw_quota_cost(ngx_conf_t *cf, ngx_http_complex_value_t **cost,
    ngx_str_t *value, size_t prefix)
{
    int64_t  units;

    *cost = ngx_http_gw_value_create(cf, value, prefix);
    if (*cost == NULL) {
        return NGX_ERROR;
    }

    if ((*cost)->lengths == NULL
        && (ngx_http_gw_quota_units(&(*cost)->value, &units) != NGX_OK
            || units < 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %*s value \"%V\"",
                           prefix - 1, value->data, value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_quota_warn(ngx_conf_t *cf, ngx_http_gw_quota_t *quota,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = NGX_ERROR;

    if (value->len > 6 && value->data[value->len - 1] == '%') {
        n = ngx_atoi(value->data + 5, value->len - 6);
    }

    if (n < 1 || n > 100) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be a percentage "
                           "from \"1%%\" to \"100%%\"", value);
        return NGX_ERROR;
    }

    quota->warn = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_quotas_resolve(ngx_conf_t *cf, ngx_http_gw_quotas_t *quotas)
{
    ngx_uint_t            i;
    ngx_http_gw_quota_t  *quota;

    /* several levels may have inherited it */

    if (quotas->resolved) {
        return NGX_OK;
    }

    quotas->resolved = 1;

    quota = quotas->quotas.elts;

    for (i = 0; i < quotas->quotas.nelts; i++) {

        quota[i].zone = quota[i].shm_zone->data;

        if (quota[i].zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown gw_quota_zone \"%V\" in %s:%ui",
                          &quota[i].shm_zone->shm.name, quota[i].file,
                          quota[i].line);
            return NGX_ERROR;
        }

        if (quota[i].zone->redis != NULL) {
            quotas->remote[quota[i].phase]++;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_quotas_check(ngx_conf_t *cf, ngx_http_gw_limits_t *limits,
    ngx_http_gw_quotas_t *quotas)
{
    ngx_uint_t                 i, n[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_http_gw_limit_t       *limit;
    ngx_http_gw_quota_t       *quota;
    ngx_http_gw_redis_conf_t  *redis[NGX_HTTP_GW_LIMIT_PHASES];

    if (quotas == NULL) {
        return NGX_OK;
    }

    ngx_memzero(n, sizeof(n));
    ngx_memzero(redis, sizeof(redis));

    if (limits != NULL) {
        limit = limits->limits.elts;

        for (i = 0; i < limits->limits.nelts; i++) {
            if (limit[i].zone->redis != NULL) {
                redis[limit[i].phase] = limit[i].zone->redis;
                n[limit[i].phase]++;
            }
        }
    }

    quota = quotas->quotas.elts;

    for (i = 0; i < quotas->quotas.nelts; i++) {

        if (quota[i].zone->redis == NULL) {
            continue;
        }

        if (redis[quota[i].phase] != NULL
            && redis[quota[i].phase] != quota[i].zone->redis)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "gw_quota of zone \"%V\" uses the gw_redis \"%V\" "
                          "while another quota or limit of the same request "
                          "and phase uses \"%V\" in %s:%ui",
                          &quota[i].zone->name, &quota[i].zone->redis->name,
                          &redis[quota[i].phase]->name, quota[i].file,
                          quota[i].line);
            return NGX_ERROR;
        }

        redis[quota[i].phase] = quota[i].zone->redis;

        if (++n[quota[i].phase] > NGX_HTTP_GW_LIMIT_REDIS_MAX) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "more than %d limits and quotas in Redis for one "
                          "request and phase in %s:%ui",
                          NGX_HTTP_GW_LIMIT_REDIS_MAX, quota[i].file,
                          quota[i].line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_gw_quotas_final(ngx_http_gw_quotas_t *quotas)
{
    ngx_uint_t            i;
    ngx_http_gw_quota_t  *quota;

    quota = quotas->quotas.elts;

    for (i = 0; i < quotas->quotas.nelts; i++) {
        if (quota[i].final_cost != NULL) {
            return 1;
        }
    }

    return 0;
}


ngx_http_gw_quota_entry_t *
ngx_http_gw_quota_nearest(ngx_http_gw_quota_ctx_t *qctx)
{
    ngx_uint_t                  i, phase;
    ngx_http_gw_quota_entry_t  *entry, *nearest;

    if (qctx->failed != NULL) {
        return qctx->failed;
    }

    nearest = NULL;

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {

        for (i = 0; i < qctx->n[phase]; i++) {
            entry = &qctx->entries[phase][i];

            /* the one with the smaller part of it left */

            if (entry->status != NGX_HTTP_GW_QUOTA_NONE
                && (nearest == NULL
                    || (double) (entry->result.limit - entry->result.used)
                       * nearest->result.limit
                       < (double) (nearest->result.limit
                                   - nearest->result.used)
                         * entry->result.limit))
            {
                nearest = entry;
            }
        }
    }

    return nearest;
}
