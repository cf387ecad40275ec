
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_plan.h"
#include "ngx_http_gw_limit_redis.h"
#include "ngx_http_gw_value.h"


static int64_t ngx_http_gw_limit_debt(ngx_http_gw_limit_zone_t *zone,
    gw_gcra_t *gcra, int64_t burst, int64_t max);
static ngx_http_gw_limit_rate_t *ngx_http_gw_limit_rate(
    ngx_http_gw_limit_rates_t *rates, ngx_str_t *value,
    ngx_http_gw_limit_rate_t *other);
static ngx_int_t ngx_http_gw_limit_burst(ngx_http_request_t *r,
    ngx_http_gw_limit_zone_t *zone, ngx_http_gw_limit_number_t *burst,
    int64_t *units, ngx_http_gw_limit_bad_t *bad);


ngx_int_t
ngx_http_gw_limit_number_conf(ngx_conf_t *cf,
    ngx_http_gw_limit_number_t *number, ngx_str_t *value, size_t prefix,
    int64_t min, int64_t max)
{
    number->cv = ngx_http_gw_value_create(cf, value, prefix);
    if (number->cv == NULL) {
        return NGX_ERROR;
    }

    if (number->cv->lengths != NULL) {
        return NGX_OK;
    }

    number->cv = NULL;
    number->units = ngx_atoi(value->data + prefix, value->len - prefix);

    if (number->units < min || number->units > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %*s value \"%V\"",
                           prefix - 1, value->data, value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_number(ngx_http_request_t *r,
    ngx_http_gw_limit_number_t *number, int64_t *units, size_t *len)
{
    int64_t     n;
    ngx_str_t   value;
    ngx_uint_t  i;

    if (ngx_http_complex_value(r, number->cv, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    *len = value.len;
    *units = -1;

    if (value.len == 0) {
        return NGX_OK;
    }

    n = 0;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] < '0' || value.data[i] > '9') {
            return NGX_DECLINED;
        }

        /* a number too large to be counted must not become a small one */

        if (n < NGX_HTTP_GW_LIMIT_UNITS_MAX) {
            n = n * 10 + (value.data[i] - '0');
        }
    }

    *units = ngx_min(n, NGX_HTTP_GW_LIMIT_UNITS_MAX);

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_scope(ngx_http_request_t *r, ngx_str_t *value)
{
    u_char                    *p;
    size_t                     len;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    len = value->len + 1 + cscf->server_name.len + clcf->name.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = ngx_cpymem(p, value->data, value->len);
    *value->data++ = '@';
    value->data = ngx_cpymem(value->data, cscf->server_name.data,
                             cscf->server_name.len);
    ngx_memcpy(value->data, clcf->name.data, clcf->name.len);

    value->data = p;
    value->len = len;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_plan_init(ngx_http_gw_limit_plan_t *plan,
    ngx_http_gw_limit_zone_t *zone, gw_rate_t *rate, int64_t burst)
{
    plan->algorithm = zone->algorithm;

    if (zone->redis
        && rate->count > rate->period / 1000000.0
                         * NGX_HTTP_GW_LIMIT_REDIS_RATE)
    {
        return NGX_DECLINED;
    }

    if (zone->algorithm != NGX_HTTP_GW_LIMIT_GCRA) {
        plan->capacity = rate->count;

        if (gw_window_init(&plan->meter, rate->count, rate->period,
                           zone->algorithm == NGX_HTTP_GW_LIMIT_SLIDING)
            != GW_OK)
        {
            return NGX_DECLINED;
        }

        plan->far = plan->meter;

        return NGX_OK;
    }

    if (gw_gcra_init(&plan->gcra, rate->count, rate->period * 1000, burst)
        != GW_OK)
    {
        return NGX_DECLINED;
    }

    plan->capacity = plan->gcra.capacity;
    plan->gcra.debt = ngx_http_gw_limit_debt(zone, &plan->gcra, burst,
                                             GW_GCRA_TAU_MAX);

    if (zone->redis) {

        if (gw_gcra_init(&plan->remote, rate->count, rate->period, burst)
            != GW_OK)
        {
            return NGX_DECLINED;
        }

        if (plan->remote.tau > (zone->debt
                                ? NGX_HTTP_GW_LIMIT_REDIS_TAU_MAX / 2
                                : NGX_HTTP_GW_LIMIT_REDIS_TAU_MAX))
        {
            return NGX_DECLINED;
        }

        plan->remote.debt = ngx_http_gw_limit_debt(zone, &plan->remote, burst,
                                              NGX_HTTP_GW_LIMIT_REDIS_TAU_MAX);
    }

    return NGX_OK;
}


/*
 * A key may be ahead by the largest bucket of the zone: a gw_limit with a
 * smaller burst does not forget what one with a larger burst has admitted.
 *
 *     max  ticks of bucket and debt
 */

static int64_t
ngx_http_gw_limit_debt(ngx_http_gw_limit_zone_t *zone, gw_gcra_t *gcra,
    int64_t burst, int64_t max)
{
    int64_t  units;

    units = ngx_max(zone->most, burst) + 1;

    if (zone->mixed && zone->nlimits > 1) {
        units = GW_GCRA_CAPACITY_MAX;
    }

    if (zone->debt) {
        units *= 2;
    }

    if (units > max / gcra->interval) {
        return max - gcra->tau;
    }

    return units * gcra->interval - gcra->tau;
}


void
ngx_http_gw_limit_plan_share(ngx_http_gw_limit_plan_t *plan, ngx_uint_t hosts)
{
    int64_t     most;
    gw_gcra_t  *gcra;

    if (plan->algorithm != NGX_HTTP_GW_LIMIT_GCRA) {
        plan->meter.limit = (plan->meter.limit + hosts - 1) / hosts;
        return;
    }

    gcra = &plan->gcra;

    /* a bucket that takes years to fill is not divided further */

    if (gcra->tau > GW_GCRA_TAU_MAX / (int64_t) hosts) {
        return;
    }

    most = (gcra->debt > GW_GCRA_TAU_MAX / (int64_t) hosts - gcra->tau)
           ? GW_GCRA_TAU_MAX : (gcra->tau + gcra->debt) * (int64_t) hosts;

    gcra->interval *= hosts;
    gcra->tau *= hosts;
    gcra->debt = most - gcra->tau;
}


ngx_int_t
ngx_http_gw_limit_plan(ngx_http_request_t *r, ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_number_t *burst, ngx_http_gw_limit_rates_t *rates,
    ngx_http_gw_limit_plan_t **plan, ngx_http_gw_limit_bad_t *bad)
{
    int64_t                    units;
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_http_gw_limit_rate_t   other, *rate;

    ngx_str_null(&value);

    if (zone->rate_cv == NULL) {
        rate = &zone->rate;

    } else {

        if (ngx_http_complex_value(r, zone->rate_cv, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        rate = ngx_http_gw_limit_rate(rates, &value, &other);
    }

    if (rate->value == GW_RATE_UNLIMITED) {
        return NGX_DECLINED;
    }

    *plan = NULL;

    if (rate->value == GW_RATE_NOTHING) {
        return NGX_OK;
    }

    rc = ngx_http_gw_limit_burst(r, zone, burst, &units, bad);

    if (rc != NGX_OK) {
        return rc;
    }

    *plan = ngx_palloc(r->pool, sizeof(ngx_http_gw_limit_plan_t));
    if (*plan == NULL) {
        return NGX_ERROR;
    }

    if (rate->value == GW_RATE_INVALID
        || ngx_http_gw_limit_plan_init(*plan, zone, &rate->rate, units)
           != NGX_OK)
    {
        ngx_http_gw_limit_bad(bad, NGX_HTTP_GW_LIMIT_BAD_RATE, &zone->name,
                              value.len);

        rate = &zone->rate;

        if (rate->value != GW_RATE_GIVEN
            || ngx_http_gw_limit_plan_init(*plan, zone, &rate->rate, units)
               != NGX_OK)
        {
            return NGX_ABORT;
        }
    }

    (*plan)->quota = rate->quota;
    (*plan)->window = rate->window;

    return NGX_OK;
}


/* A rate is parsed once, as long as the worker remembers it. */

static ngx_http_gw_limit_rate_t *
ngx_http_gw_limit_rate(ngx_http_gw_limit_rates_t *rates, ngx_str_t *value,
    ngx_http_gw_limit_rate_t *other)
{
    ngx_uint_t                 hash;
    ngx_http_gw_limit_rate_t  *rate;

    if (value->len == 0) {
        other->value = GW_RATE_UNLIMITED;
        return other;
    }

    rate = other;

    if (value->len <= NGX_HTTP_GW_LIMIT_RATE_LEN) {
        hash = value->data[0] + 5 * value->data[value->len / 2]
               + 7 * value->data[value->len - 1] + 11 * value->len;

        rate = &rates->rates[hash & (NGX_HTTP_GW_LIMIT_RATES - 1)];

        if (rate->len == value->len
            && ngx_memcmp(rate->text, value->data, value->len) == 0)
        {
            return rate;
        }

        rate->len = value->len;
        ngx_memcpy(rate->text, value->data, value->len);
    }

    rate->value = gw_rate_value(value->data, value->len, &rate->rate);

    if (rate->value == GW_RATE_GIVEN) {
        gw_rate_window(&rate->rate, &rate->quota, &rate->window);
    }

    return rate;
}


static ngx_int_t
ngx_http_gw_limit_burst(ngx_http_request_t *r, ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_number_t *burst, int64_t *units,
    ngx_http_gw_limit_bad_t *bad)
{
    size_t     len;
    ngx_int_t  rc;

    *units = burst->units;

    if (burst->cv != NULL) {
        rc = ngx_http_gw_limit_number(r, burst, units, &len);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            ngx_http_gw_limit_bad(bad, NGX_HTTP_GW_LIMIT_BAD_BURST,
                                  &zone->name, len);
        }
    }

    if (*units >= 0) {
        return NGX_OK;
    }

    if (zone->burst.cv != NULL) {
        rc = ngx_http_gw_limit_number(r, &zone->burst, units, &len);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            ngx_http_gw_limit_bad(bad, NGX_HTTP_GW_LIMIT_BAD_BURST,
                                  &zone->name, len);

            if (zone->burst.units < 0) {
                return NGX_ABORT;
            }
        }
    }

    if (*units < 0) {
        *units = ngx_max(zone->burst.units, 0);
    }

    return NGX_OK;
}
