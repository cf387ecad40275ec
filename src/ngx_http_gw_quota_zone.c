
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_limit_fields.h"
#include "ngx_http_gw_limit_metrics.h"
#include "ngx_http_gw_limit_redis.h"
#include "ngx_http_gw_memory.h"
#include "ngx_http_gw_quota_zone.h"
#include "ngx_http_gw_value.h"


#define NGX_HTTP_GW_QUOTA_ZONEINFO  "/usr/share/zoneinfo/"


static ngx_int_t ngx_http_gw_quota_zone_parameter(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ssize_t *size, ngx_str_t *value);
static ngx_int_t ngx_http_gw_quota_zone_period(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_gw_quota_zone_carry(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_gw_quota_zone_policy(ngx_conf_t *cf,
    ngx_str_t *policy);
static ngx_int_t ngx_http_gw_quota_zone_check(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ngx_str_t *anchor);
static ngx_int_t ngx_http_gw_quota_zone_redis(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone);
static ngx_int_t ngx_http_gw_quota_timezone(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ngx_str_t *value);
static gw_status_e ngx_http_gw_quota_timezone_libc(ngx_str_t *name,
    gw_period_zone_t *timezone);
static int64_t ngx_http_gw_quota_offset(int64_t t);
static ngx_int_t ngx_http_gw_quota_zone_memory(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ssize_t size);
static ngx_int_t ngx_http_gw_quota_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_gw_quota_zone_metrics(
    ngx_http_gw_quota_zone_t *zone, ngx_http_gw_metrics_t *metrics);


static const gw_metric_desc_t  ngx_http_gw_quota_requests = {
    "gw_quota_requests_total", "Requests by policy and result.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_quota_keys = {
    "gw_zone_keys", "Slots of the zone that hold or held a key.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_quota_slots = {
    "gw_zone_slots", "Keys that the zone can hold.", GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_quota_evictions = {
    "gw_zone_evictions_total", "Keys that gave their slot to another one.",
    GW_METRIC_COUNTER
};


static const gw_metric_desc_t  ngx_http_gw_quota_adjusted_units = {
    "gw_quota_adjusted_units_total",
    "Units charged or given back after the decision.", GW_METRIC_COUNTER
};

static const char *const  ngx_http_gw_quota_results[] = {
    "passed", "rejected", "warned", "overage", "rejected_dry_run",
    "error_passed", "error_rejected", "fallback_passed", "fallback_rejected"
};


void *
ngx_http_gw_quota_tag(void)
{
    return (void *) ngx_http_gw_quota_results;
}


char *
ngx_http_gw_quota_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t                            size;
    ngx_str_t                         *value, anchor;
    ngx_uint_t                         i;
    ngx_http_gw_quota_zone_t          *zone, **zp;

    value = cf->args->elts;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_quota_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) gw_period_zone_fixed((u_char *) "UTC", 3, &zone->timezone);

    if (ngx_http_gw_text_compile(cf, &value[1], &zone->key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    size = 0;
    ngx_str_null(&anchor);

    for (i = 2; i < cf->args->nelts; i++) {

        /* it depends on the period, which may follow */

        if (ngx_strncmp(value[i].data, "anchor=", 7) == 0) {
            anchor = value[i];
            continue;
        }

        if (ngx_http_gw_quota_zone_parameter(cf, zone, &size, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_gw_quota_zone_check(cf, zone, &anchor) != NGX_OK
        || ngx_http_gw_quota_zone_memory(cf, zone, size) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    zp = ngx_array_push((ngx_array_t *) ((u_char *) conf + cmd->offset));
    if (zp == NULL) {
        return NGX_CONF_ERROR;
    }

    *zp = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_quota_zone_parameter(ngx_conf_t *cf,
    ngx_http_gw_quota_zone_t *zone, ssize_t *size, ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_gw_memory_parse(cf, value, 5, ngx_http_gw_memory_min(),
                                        &zone->name, size);
    }

    if (ngx_strncmp(value->data, "quota=", 6) == 0) {

        zone->quota = ngx_http_gw_value_create(cf, value, 6);
        if (zone->quota == NULL) {
            return NGX_ERROR;
        }

        if (zone->quota->lengths == NULL
            && ngx_http_gw_quota_units(&zone->quota->value, &zone->units)
               != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\", the quota must be a "
                               "number of at most %L or \"unlimited\"", value,
                               GW_QUOTA_MAX);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "period=", 7) == 0) {
        return ngx_http_gw_quota_zone_period(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "timezone=", 9) == 0) {
        return ngx_http_gw_quota_timezone(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "carry=", 6) == 0) {
        return ngx_http_gw_quota_zone_carry(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "redis=", 6) == 0) {

        zone->service.data = value->data + 6;
        zone->service.len = value->len - 6;

        if (zone->service.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid redis name \"%V\"", value);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    /* the only one: quotas are money */

    if (ngx_strcmp(value->data, "mode=strict") == 0) {
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "unit=", 5) == 0) {
        return ngx_http_gw_limit_unit(cf, value, &zone->unit);
    }

    if (ngx_strncmp(value->data, "policy=", 7) == 0) {

        zone->policy.data = value->data + 7;
        zone->policy.len = value->len - 7;

        return ngx_http_gw_quota_zone_policy(cf, &zone->policy);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_quota_zone_period(ngx_conf_t *cf, ngx_http_gw_quota_zone_t *zone,
    ngx_str_t *value)
{
    if (gw_period_parse(value->data + 7, value->len - 7, &zone->period)
        == GW_OK)
    {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\", the period must be \"minute\", "
                       "\"hour\", \"day\", \"week\", \"month\", \"year\", or "
                       "a time of one minute to 3660 days such as \"30d\"",
                       value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_quota_zone_carry(ngx_conf_t *cf, ngx_http_gw_quota_zone_t *zone,
    ngx_str_t *value)
{
    ngx_str_t  s;

    s.data = value->data + 6;
    s.len = value->len - 6;

    if (s.len > 1 && s.data[s.len - 1] == '%') {
        s.len--;
        zone->percent = 1;
    }

    if (ngx_http_gw_quota_units(&s, &zone->carry) != NGX_OK
        || zone->carry < 0
        || (zone->percent && zone->carry > 100))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be a number of "
                           "units, or a percentage of the quota such as "
                           "\"10%%\"", value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_quota_zone_policy(ngx_conf_t *cf, ngx_str_t *policy)
{
    if (gw_ratelimit_name_valid(policy->data, policy->len)) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid policy \"%V\", it must be 1 to %d characters "
                       "of printable ASCII", policy, GW_RATELIMIT_NAME_MAX);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_quota_zone_check(ngx_conf_t *cf, ngx_http_gw_quota_zone_t *zone,
    ngx_str_t *anchor)
{
    ngx_str_t   *value;
    const char  *missing;

    value = cf->args->elts;

    missing = (zone->name.len == 0) ? "zone"
              : (zone->quota == NULL) ? "quota"
              : (zone->period.day == 0) ? "period" : NULL;

    if (missing) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"%s\" parameter", &value[0],
                           missing);
        return NGX_ERROR;
    }

    if (zone->policy.len == 0) {
        zone->policy = zone->name;
    }

    if (ngx_http_gw_quota_zone_policy(cf, &zone->policy) != NGX_OK
        || ngx_http_gw_quota_zone_redis(cf, zone) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (anchor->len == 0) {
        return NGX_OK;
    }

    zone->anchor = ngx_http_gw_value_create(cf, anchor, 7);
    if (zone->anchor == NULL) {
        return NGX_ERROR;
    }

    if (zone->anchor->lengths == NULL) {

        if (gw_period_day(anchor->data + 7, anchor->len - 7, &zone->period)
            == GW_OK)
        {
            zone->anchor = NULL;
            return NGX_OK;
        }

    } else if (zone->period.kind >= GW_PERIOD_WEEK) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\", the anchor of a month is a day "
                       "from 1 to 31, that of a week one of \"mon\" to "
                       "\"sun\", and a week, month, year or longer time may "
                       "have a variable with a Unix time", anchor);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_quota_zone_redis(ngx_conf_t *cf, ngx_http_gw_quota_zone_t *zone)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (zone->service.len == 0) {

        for (i = 2; i < cf->args->nelts; i++) {
            if (ngx_strncmp(value[i].data, "mode=", 5) == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" needs the \"redis\" parameter",
                                   &value[i]);
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    if (zone->units > NGX_HTTP_GW_LIMIT_REDIS_UNITS
        || (!zone->percent && zone->carry > NGX_HTTP_GW_LIMIT_REDIS_UNITS))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the quota or the carry of zone \"%V\" is above "
                           "%L, too much for \"redis\"", &zone->name,
                           (int64_t) NGX_HTTP_GW_LIMIT_REDIS_UNITS);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_quota_zones_resolve(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_array_t *services)
{
    ngx_uint_t                  i;
    ngx_http_gw_quota_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        if (zone[i]->service.len == 0) {
            continue;
        }

        zone[i]->redis = ngx_http_gw_redis_of_zone(cf, services,
                                                   &zone[i]->service,
                                                   "gw_quota_zone",
                                                   &zone[i]->name,
                                                   &zone[i]->link);
        if (zone[i]->redis == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_quota_timezone(ngx_conf_t *cf, ngx_http_gw_quota_zone_t *zone,
    ngx_str_t *value)
{
    ngx_str_t    s;
    gw_status_e  rc;

    s.data = value->data + 9;
    s.len = value->len - 9;

    rc = gw_period_zone_fixed(s.data, s.len, &zone->timezone);

    if (rc != GW_OK) {
        rc = ngx_http_gw_quota_timezone_libc(&s, &zone->timezone);
    }

    if (rc == GW_OK) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\", the timezone must be \"UTC\", "
                       "an offset such as \"+02:00\", or a name in %s such as "
                       "\"Europe/Berlin\"", value, NGX_HTTP_GW_QUOTA_ZONEINFO);
    return NGX_ERROR;
}


/* Asks libc, which takes a zone that it does not know for UTC. */

static gw_status_e
ngx_http_gw_quota_timezone_libc(ngx_str_t *name, gw_period_zone_t *timezone)
{
    char             *old;
    u_char            path[sizeof(NGX_HTTP_GW_QUOTA_ZONEINFO)
                           + GW_PERIOD_NAME_MAX];
    gw_status_e       rc;
    ngx_file_info_t   fi;

    if (!gw_period_zone_named(name->data, name->len)) {
        return GW_DECLINED;
    }

    ngx_sprintf(path, "%s%V%Z", NGX_HTTP_GW_QUOTA_ZONEINFO, name);

    if (ngx_file_info(path, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return GW_DECLINED;
    }

    old = getenv("TZ");

    if (old != NULL) {
        old = strdup(old);

        if (old == NULL) {
            return GW_ERROR;
        }
    }

    rc = GW_ERROR;

    if (setenv("TZ", (char *) path + sizeof(NGX_HTTP_GW_QUOTA_ZONEINFO) - 1, 1)
        == 0)
    {
        tzset();
        rc = gw_period_zone_changes(ngx_http_gw_quota_offset, ngx_time(),
                                    timezone);
    }

    if (old != NULL) {
        (void) setenv("TZ", old, 1);
        free(old);

    } else {
        (void) unsetenv("TZ");
    }

    tzset();

    return rc;
}


static int64_t
ngx_http_gw_quota_offset(int64_t t)
{
    ngx_tm_t  tm;

    ngx_libc_localtime((time_t) t, &tm);

    return tm.tm_gmtoff;
}


ngx_int_t
ngx_http_gw_quota_units(ngx_str_t *value, int64_t *units)
{
    off_t  n;

    if (value->len == 0
        || (value->len == sizeof("unlimited") - 1
            && ngx_strncmp(value->data, "unlimited", value->len) == 0))
    {
        *units = -1;
        return NGX_OK;
    }

    n = ngx_atoof(value->data, value->len);

    if (n < 0 || n > GW_QUOTA_MAX) {
        return NGX_DECLINED;
    }

    *units = n;

    return NGX_OK;
}


void
ngx_http_gw_quota_zone_terms(ngx_http_gw_quota_zone_t *zone, int64_t limit,
    int64_t since, int64_t now, gw_quota_t *terms, gw_period_span_t *span)
{
    /* what goes on for so long is not computed for each request */

    if (now >= zone->span.start && now < zone->span.end
        && since == zone->since)
    {
        *span = zone->span;

    } else {
        gw_period_at(&zone->period, &zone->timezone, now, since, span);

        zone->span = *span;
        zone->since = since;

        if (zone->period.kind == GW_PERIOD_LENGTH
            && since == GW_PERIOD_NEVER)
        {
            /* of the request alone */
            zone->span.end = 0;
        }
    }

    terms->limit = limit;
    terms->carry = zone->percent
                   ? (int64_t) ((double) limit * zone->carry / 100)
                   : zone->carry;
    terms->start = span->start;
    terms->end = span->end;

    terms->length = (zone->period.kind == GW_PERIOD_LENGTH
                     && since == GW_PERIOD_NEVER)
                    ? zone->period.length : 0;
}


static ngx_int_t
ngx_http_gw_quota_zone_memory(ngx_conf_t *cf, ngx_http_gw_quota_zone_t *zone,
    ssize_t size)
{
    ngx_str_t        name, *value;
    ngx_shm_zone_t  *shm_zone;

    value = cf->args->elts;

    shm_zone = ngx_shared_memory_add(cf, &zone->name, size,
                                     ngx_http_gw_quota_tag());
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the zone \"%V\" of \"%V\" is already defined, "
                           "use another name", &zone->name, &value[0]);
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_gw_quota_zone_init;
    shm_zone->data = zone;

    name.len = sizeof("gw_quota_counters:") - 1 + zone->name.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "gw_quota_counters:%V", &zone->name);

    zone->counters = ngx_http_gw_counters_create(cf, &name,
                                                 ngx_http_gw_quota_tag(),
                                                 NGX_HTTP_GW_QUOTA_RESULTS
                                                 + NGX_HTTP_GW_LIMIT_ADJUSTED);

    return (zone->counters == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_gw_quota_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_gw_quota_zone_t  *prev = data;

    void                      *mem;
    size_t                     size;
    ngx_http_gw_seed_t   seed;
    ngx_http_gw_quota_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (prev) {

        if (ngx_http_gw_memory_key(shm_zone, "gw_quota_zone",
                                         &zone->key.cv.value,
                                         &prev->key.cv.value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        zone->store = prev->store;

    } else if (shm_zone->shm.exists) {
        zone->store = zone->shpool->data;

    } else {
        mem = ngx_http_gw_memory_table(shm_zone, "gw_quota_zone", &size,
                                              seed);
        if (mem == NULL) {
            return NGX_ERROR;
        }

        zone->store = gw_quota_store_create(mem, size, seed);
        zone->shpool->data = zone->store;
    }

    if (zone->store == NULL || zone->store->layout != GW_QUOTA_LAYOUT) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "gw_quota_zone \"%V\" is too small, or of another build "
                      "of the module: restart nginx", &zone->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_quota_metrics(ngx_array_t *zones, ngx_http_gw_metrics_t *metrics)
{
    uint64_t                    value;
    ngx_uint_t                  i, result;
    gw_metric_label_t           labels[2];
    ngx_http_gw_quota_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        labels[0].name = "policy";
        labels[0].data = zone[i]->policy.data;
        labels[0].len = zone[i]->policy.len;

        for (result = 0; result < NGX_HTTP_GW_QUOTA_RESULTS; result++) {

            value = ngx_http_gw_counters_sum(zone[i]->counters, result);

            /* the usual ones are there from start */

            if (value == 0 && result > NGX_HTTP_GW_QUOTA_COUNT_REJECTED) {
                continue;
            }

            labels[1].name = "result";
            labels[1].data = (u_char *) ngx_http_gw_quota_results[result];
            labels[1].len = ngx_strlen(labels[1].data);

            if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_quota_requests,
                                        2, labels, value)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (ngx_http_gw_limit_metrics_corrected(zone[i]->counters,
                                                NGX_HTTP_GW_QUOTA_RESULTS,
                                                &zone[i]->policy,
                                            &ngx_http_gw_quota_adjusted_units,
                                                0, metrics)
            != NGX_OK
            || ngx_http_gw_quota_zone_metrics(zone[i], metrics) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_quota_zone_metrics(ngx_http_gw_quota_zone_t *zone,
    ngx_http_gw_metrics_t *metrics)
{
    gw_quota_store_t   *store;
    gw_metric_label_t   labels[2];

    store = zone->store;

    labels[0].name = "zone";
    labels[0].data = zone->name.data;
    labels[0].len = zone->name.len;

    labels[1].name = "lossless";
    labels[1].len = 1;

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_quota_keys, 1, labels,
                                store->used)
        != NGX_OK
        || ngx_http_gw_metrics_add(metrics, &ngx_http_gw_quota_slots, 1,
                                   labels, (uint64_t) store->buckets
                                           * GW_QUOTA_WAYS)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    labels[1].data = (u_char *) "1";

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_quota_evictions, 2,
                                labels, store->expired)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    labels[1].data = (u_char *) "0";

    return ngx_http_gw_metrics_add(metrics, &ngx_http_gw_quota_evictions, 2,
                                   labels, store->evicted);
}
