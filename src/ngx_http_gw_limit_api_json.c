
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "ngx_http_gw_limit_api_ask.h"


/* room for all of an object but the texts in it, bytes */
#define NGX_HTTP_GW_LIMIT_API_OBJECT  512


static size_t ngx_http_gw_limit_api_size(ngx_http_gw_limit_api_ask_t *ask);
static u_char *ngx_http_gw_limit_api_state(u_char *p,
    ngx_http_gw_limit_api_ask_t *ask);
static u_char *ngx_http_gw_limit_api_used(u_char *p,
    ngx_http_gw_limit_api_ask_t *ask);
static u_char *ngx_http_gw_limit_api_limits(u_char *p, ngx_array_t *zones);
static u_char *ngx_http_gw_limit_api_quotas(u_char *p, ngx_array_t *zones);
static u_char *ngx_http_gw_limit_api_concurrencies(u_char *p,
    ngx_array_t *zones);
static u_char *ngx_http_gw_limit_api_period(u_char *p, gw_period_t *period);
static u_char *ngx_http_gw_limit_api_redis(u_char *p,
    ngx_http_gw_redis_conf_t *redis);
static u_char *ngx_http_gw_limit_api_text(u_char *p, const char *name,
    ngx_str_t *value);
static u_char *ngx_http_gw_limit_api_number(u_char *p, const char *name,
    int64_t value);


static const char *const  ngx_http_gw_limit_api_algorithms[] = {
    "gcra", "sliding", "fixed"
};

static const char *const  ngx_http_gw_limit_api_periods[] = {
    "minute", "hour", "day", "week", "month", "year"
};


ngx_int_t
ngx_http_gw_limit_api_answer(ngx_http_gw_limit_api_ask_t *ask,
    ngx_str_t *json)
{
    u_char  *p;

    p = ngx_pnalloc(ask->request->pool, ngx_http_gw_limit_api_size(ask));
    if (p == NULL) {
        return NGX_ERROR;
    }

    json->data = p;

    switch (ask->target.kind) {

    case GW_LIMIT_TARGET_LIMIT:
        p = ngx_http_gw_limit_api_text(p, "{\"zone\":", &ask->limit->name);
        p = ngx_http_gw_limit_api_text(p, ",\"policy\":", &ask->limit->policy);
        p = ngx_http_gw_limit_api_state(p, ask);
        break;

    case GW_LIMIT_TARGET_QUOTA:
        p = ngx_http_gw_limit_api_text(p, "{\"zone\":", &ask->quota->name);
        p = ngx_http_gw_limit_api_text(p, ",\"policy\":", &ask->quota->policy);
        p = ngx_http_gw_limit_api_used(p, ask);
        break;

    default: /* GW_LIMIT_TARGET_CONCURRENCY */
        p = ngx_http_gw_limit_api_text(p, "{\"zone\":",
                                       &ask->concurrency->name);
        p = ngx_http_gw_limit_api_text(p, ",\"policy\":",
                                       &ask->concurrency->policy);
        p = ngx_sprintf(p, ",\"source\":\"%s\",\"current\":%uL",
                        ask->remote ? "redis" : "shm", ask->current);
        break;
    }

    *p++ = '}';
    *p++ = LF;

    json->len = p - json->data;

    return NGX_OK;
}


static size_t
ngx_http_gw_limit_api_size(ngx_http_gw_limit_api_ask_t *ask)
{
    size_t  len;

    switch (ask->target.kind) {

    case GW_LIMIT_TARGET_LIMIT:
        len = ask->limit->name.len + ask->limit->policy.len;
        break;

    case GW_LIMIT_TARGET_QUOTA:
        len = ask->quota->name.len + ask->quota->policy.len;
        break;

    default: /* GW_LIMIT_TARGET_CONCURRENCY */
        len = ask->concurrency->name.len + ask->concurrency->policy.len;
        break;
    }

    return NGX_HTTP_GW_LIMIT_API_OBJECT + len * GW_JSON_ESCAPE_MAX;
}


static u_char *
ngx_http_gw_limit_api_state(u_char *p, ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_http_gw_limit_plan_t  *plan;

    plan = &ask->plan;

    p = ngx_sprintf(p, ",\"algorithm\":\"%s\",\"source\":\"%s\"",
                    ngx_http_gw_limit_api_algorithms[plan->algorithm],
                    ask->remote ? "redis" : "shm");

    p = ngx_http_gw_limit_api_number(p, ",\"limit\":", plan->quota);
    p = ngx_http_gw_limit_api_number(p, ",\"window\":", plan->window);

    if (plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        p = ngx_http_gw_limit_api_number(p, ",\"burst\":", plan->capacity - 1);
    }

    p = ngx_http_gw_limit_api_number(p, ",\"used\":",
                                     plan->capacity - ask->state.remaining);
    p = ngx_http_gw_limit_api_number(p, ",\"remaining\":",
                                     ask->state.remaining);
    p = ngx_http_gw_limit_api_number(p, ",\"reset\":",
                                     (ask->state.next + 999999) / 1000000);

    return ngx_http_gw_limit_api_number(p, ",\"full\":",
                                        (ask->state.full + 999999) / 1000000);
}


static u_char *
ngx_http_gw_limit_api_used(u_char *p, ngx_http_gw_limit_api_ask_t *ask)
{
    int64_t             left;
    gw_quota_result_t  *used;

    used = &ask->used;

    p = ngx_sprintf(p, ",\"source\":\"%s\"", ask->remote ? "redis" : "shm");

    p = ngx_http_gw_limit_api_number(p, ",\"limit\":", ask->units);
    p = ngx_http_gw_limit_api_number(p, ",\"used\":", used->used);
    p = ngx_sprintf(p, ",\"granted\":%L", used->granted);

    left = ngx_max(used->limit - used->used, 0);

    /* both depend on the quota */

    p = ngx_http_gw_limit_api_number(p, ",\"carried\":",
                                     (ask->units < 0) ? -1 : used->carried);
    p = ngx_http_gw_limit_api_number(p, ",\"remaining\":",
                                     (ask->units < 0) ? -1 : left);

    p = ngx_http_gw_limit_api_number(p, ",\"start\":", used->start);

    return ngx_http_gw_limit_api_number(p, ",\"end\":", used->end);
}


ngx_int_t
ngx_http_gw_limit_api_zones(ngx_pool_t *pool,
    const ngx_http_gw_limit_api_t *api, ngx_str_t *json)
{
    u_char                           *p;
    size_t                            len;
    ngx_uint_t                        i;
    ngx_http_gw_quota_zone_t        **quota;
    ngx_http_gw_limit_zone_t        **limit;
    ngx_http_gw_concurrency_zone_t  **concurrency;

    len = 0;
    limit = api->limits->elts;

    for (i = 0; i < api->limits->nelts; i++) {
        len += limit[i]->name.len + limit[i]->policy.len
               + limit[i]->key.cv.value.len + limit[i]->service.len;

        if (limit[i]->rate_cv != NULL) {
            len += limit[i]->rate_cv->value.len;
        }
    }

    quota = api->quotas->elts;

    for (i = 0; i < api->quotas->nelts; i++) {
        len += quota[i]->name.len + quota[i]->policy.len
               + quota[i]->key.cv.value.len + quota[i]->quota->value.len
               + quota[i]->service.len;
    }

    concurrency = api->concurrencies->elts;

    for (i = 0; i < api->concurrencies->nelts; i++) {
        len += concurrency[i]->name.len + concurrency[i]->policy.len
               + concurrency[i]->key.cv.value.len
               + concurrency[i]->remote.service.len;
    }

    i = api->limits->nelts + api->quotas->nelts + api->concurrencies->nelts;

    p = ngx_pnalloc(pool, (i + 1) * NGX_HTTP_GW_LIMIT_API_OBJECT
                          + len * GW_JSON_ESCAPE_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    json->data = p;

    p = ngx_cpymem(p, "{\"limits\":[", sizeof("{\"limits\":[") - 1);
    p = ngx_http_gw_limit_api_limits(p, api->limits);
    p = ngx_cpymem(p, "],\"quotas\":[", sizeof("],\"quotas\":[") - 1);
    p = ngx_http_gw_limit_api_quotas(p, api->quotas);
    p = ngx_cpymem(p, "],\"concurrency\":[",
                   sizeof("],\"concurrency\":[") - 1);
    p = ngx_http_gw_limit_api_concurrencies(p, api->concurrencies);
    p = ngx_cpymem(p, "]}\n", sizeof("]}\n") - 1);

    json->len = p - json->data;

    return NGX_OK;
}


static u_char *
ngx_http_gw_limit_api_limits(u_char *p, ngx_array_t *zones)
{
    ngx_uint_t                  i, given;
    ngx_http_gw_limit_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        given = (zone[i]->rate.value == GW_RATE_GIVEN);

        p = ngx_http_gw_limit_api_text(p, i ? ",{\"zone\":" : "{\"zone\":",
                                       &zone[i]->name);
        p = ngx_http_gw_limit_api_text(p, ",\"policy\":", &zone[i]->policy);
        p = ngx_http_gw_limit_api_text(p, ",\"key\":", &zone[i]->key.cv.value);
        p = ngx_sprintf(p, ",\"algorithm\":\"%s\"",
                        ngx_http_gw_limit_api_algorithms[zone[i]->algorithm]);

        if (zone[i]->rate_cv != NULL) {
            p = ngx_http_gw_limit_api_text(p, ",\"rate\":",
                                           &zone[i]->rate_cv->value);
        }

        p = ngx_http_gw_limit_api_number(p, ",\"limit\":",
                                         given ? zone[i]->rate.quota : -1);
        p = ngx_http_gw_limit_api_number(p, ",\"window\":",
                                         given ? zone[i]->rate.window : -1);

        if (zone[i]->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
            p = ngx_http_gw_limit_api_number(p, ",\"burst\":", zone[i]->most);
        }

        p = ngx_http_gw_limit_api_redis(p, zone[i]->redis);
        *p++ = '}';
    }

    return p;
}


static u_char *
ngx_http_gw_limit_api_quotas(u_char *p, ngx_array_t *zones)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        p = ngx_http_gw_limit_api_text(p, i ? ",{\"zone\":" : "{\"zone\":",
                                       &zone[i]->name);
        p = ngx_http_gw_limit_api_text(p, ",\"policy\":", &zone[i]->policy);
        p = ngx_http_gw_limit_api_text(p, ",\"key\":", &zone[i]->key.cv.value);
        p = ngx_http_gw_limit_api_text(p, ",\"quota\":",
                                       &zone[i]->quota->value);
        p = ngx_http_gw_limit_api_period(p, &zone[i]->period);
        p = ngx_http_gw_limit_api_redis(p, zone[i]->redis);
        *p++ = '}';
    }

    return p;
}


static u_char *
ngx_http_gw_limit_api_concurrencies(u_char *p, ngx_array_t *zones)
{
    ngx_uint_t                        i;
    ngx_http_gw_concurrency_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        p = ngx_http_gw_limit_api_text(p, i ? ",{\"zone\":" : "{\"zone\":",
                                       &zone[i]->name);
        p = ngx_http_gw_limit_api_text(p, ",\"policy\":", &zone[i]->policy);
        p = ngx_http_gw_limit_api_text(p, ",\"key\":", &zone[i]->key.cv.value);
        p = ngx_http_gw_limit_api_redis(p, zone[i]->remote.redis);
        *p++ = '}';
    }

    return p;
}


static u_char *
ngx_http_gw_limit_api_period(u_char *p, gw_period_t *period)
{
    if (period->kind == GW_PERIOD_LENGTH) {
        return ngx_sprintf(p, ",\"period\":\"%Ls\"", period->length);
    }

    return ngx_sprintf(p, ",\"period\":\"%s\"",
                       ngx_http_gw_limit_api_periods[period->kind]);
}


static u_char *
ngx_http_gw_limit_api_redis(u_char *p, ngx_http_gw_redis_conf_t *redis)
{
    if (redis != NULL) {
        return ngx_http_gw_limit_api_text(p, ",\"redis\":", &redis->name);
    }

    return ngx_sprintf(p, ",\"redis\":null");
}


/* A text of the configuration; what is no UTF-8 is taken for Latin-1. */

static u_char *
ngx_http_gw_limit_api_text(u_char *p, const char *name, ngx_str_t *value)
{
    size_t  i, len, offset;

    p = ngx_sprintf(p, "%s\"", name);

    if (gw_json_escape_len(value->data, value->len, &len, &offset) == GW_OK) {
        p = gw_json_escape(p, value->data, value->len);

    } else {
        for (i = 0; i < value->len; i++) {
            p = (value->data[i] < 0x80)
                ? gw_json_escape(p, &value->data[i], 1)
                : ngx_sprintf(p, "\\u%04xd", value->data[i]);
        }
    }

    *p++ = '"';

    return p;
}


/* value: -1 if it is not known */

static u_char *
ngx_http_gw_limit_api_number(u_char *p, const char *name, int64_t value)
{
    return (value < 0) ? ngx_sprintf(p, "%snull", name)
                       : ngx_sprintf(p, "%s%L", name, value);
}
