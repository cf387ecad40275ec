
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_metrics.h"


static ngx_int_t ngx_http_gw_limit_metrics_requests(
    ngx_http_gw_limit_zone_t *zone, ngx_http_gw_metrics_t *metrics);
static ngx_int_t ngx_http_gw_limit_metrics_store(
    ngx_http_gw_limit_zone_t *zone, ngx_http_gw_metrics_t *metrics);
static void ngx_http_gw_limit_label(gw_metric_label_t *label,
    const char *name, const char *value);


static const gw_metric_desc_t  ngx_http_gw_limit_requests = {
    "gw_limit_requests_total", "Requests by policy, result and source.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_limit_adjusted_units = {
    "gw_limit_adjusted_units_total",
    "Units charged or given back after the decision.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_limit_keys = {
    "gw_zone_keys", "Slots of the zone that hold or held a key.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_limit_slots = {
    "gw_zone_slots", "Keys that the zone can hold.", GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_limit_evictions = {
    "gw_zone_evictions_total", "Keys that gave their slot to another one.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_limit_retries = {
    "gw_zone_retries_total", "Lost races for a slot.", GW_METRIC_COUNTER
};


static const char *const  ngx_http_gw_limit_sources[] = {
    "shm", "redis", "fallback", "none", "deny_cache"
};

static const char *const  ngx_http_gw_limit_results[] = {
    "passed", "delayed", "rejected", "delayed_dry_run", "rejected_dry_run",
    "error_passed", "error_rejected"
};


static const char *const  ngx_http_gw_limit_adjustments[] = {
    "charged", "given", "penalty", "dropped", "unknown"
};


ngx_int_t
ngx_http_gw_limit_metrics(ngx_array_t *zones, ngx_http_gw_metrics_t *metrics)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        if (ngx_http_gw_limit_metrics_requests(zone[i], metrics) != NGX_OK
            || ngx_http_gw_limit_metrics_corrected(zone[i]->counters,
                                                   NGX_HTTP_GW_LIMIT_SOURCES
                                                   * NGX_HTTP_GW_LIMIT_RESULTS,
                                                   &zone[i]->policy,
                                            &ngx_http_gw_limit_adjusted_units,
                                                   zone[i]->debt, metrics)
               != NGX_OK
            || ngx_http_gw_limit_metrics_store(zone[i], metrics) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_metrics_requests(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_metrics_t *metrics)
{
    uint64_t            value;
    ngx_uint_t          source, result;
    gw_metric_label_t   labels[3];

    labels[0].name = "policy";
    labels[0].data = zone->policy.data;
    labels[0].len = zone->policy.len;

    for (source = 0; source < NGX_HTTP_GW_LIMIT_SOURCES; source++) {

        for (result = 0; result < NGX_HTTP_GW_LIMIT_RESULTS; result++) {

            value = ngx_http_gw_counters_sum(zone->counters,
                                             source * NGX_HTTP_GW_LIMIT_RESULTS
                                             + result);

            /* most pairs never occur; the usual ones are there from start */

            if (value == 0
                && (result > NGX_HTTP_GW_LIMIT_COUNT_REJECTED
                    || source != (zone->redis ? NGX_HTTP_GW_LIMIT_REDIS
                                              : NGX_HTTP_GW_LIMIT_SHM)))
            {
                continue;
            }

            ngx_http_gw_limit_label(&labels[1], "result",
                                    ngx_http_gw_limit_results[result]);
            ngx_http_gw_limit_label(&labels[2], "source",
                                    ngx_http_gw_limit_sources[source]);

            if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_requests,
                                        3, labels, value)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_metrics_corrected(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, ngx_str_t *policy, const gw_metric_desc_t *desc,
    ngx_uint_t zeros, ngx_http_gw_metrics_t *metrics)
{
    uint64_t            value;
    ngx_uint_t          i;
    gw_metric_label_t   labels[2];

    labels[0].name = "policy";
    labels[0].data = policy->data;
    labels[0].len = policy->len;

    for (i = 0; i < NGX_HTTP_GW_LIMIT_ADJUSTED; i++) {

        value = ngx_http_gw_counters_sum(counters, first + i);

        if (value == 0 && !zeros) {
            continue;
        }

        ngx_http_gw_limit_label(&labels[1], "result",
                                ngx_http_gw_limit_adjustments[i]);

        if (ngx_http_gw_metrics_add(metrics, desc, 2, labels, value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_metrics_store(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_metrics_t *metrics)
{
    gw_limit_store_t   *store;
    gw_metric_label_t   labels[2];

    store = zone->shared->store;

    labels[0].name = "zone";
    labels[0].data = zone->name.data;
    labels[0].len = zone->name.len;

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_keys, 1, labels,
                                store->used)
        != NGX_OK
        || ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_slots, 1,
                                   labels, (uint64_t) store->buckets
                                           * GW_LIMIT_STORE_WAYS)
           != NGX_OK
        || ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_retries, 1,
                                   labels, store->retries)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_gw_limit_label(&labels[1], "lossless", "1");

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_evictions, 2,
                                labels, store->expired)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_gw_limit_label(&labels[1], "lossless", "0");

    return ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_evictions, 2,
                                   labels, store->evicted);
}


static void
ngx_http_gw_limit_label(gw_metric_label_t *label, const char *name,
    const char *value)
{
    label->name = name;
    label->data = (u_char *) value;
    label->len = ngx_strlen(value);
}
