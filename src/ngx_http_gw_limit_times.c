
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_limit_times.h"


/* seconds of a set of buckets, of which there are two */
#define NGX_HTTP_GW_LIMIT_TIMES_MINUTE  60


typedef struct {
    int64_t            usec;
    ngx_str_t          label;
} ngx_http_gw_limit_time_t;

typedef struct {
    ngx_uint_t         percent;
    ngx_str_t          label;
} ngx_http_gw_limit_quantile_t;


static ngx_int_t ngx_http_gw_limit_times_source(
    ngx_http_gw_counters_t *counters, ngx_uint_t first,
    gw_metric_label_t *labels, ngx_http_gw_metrics_t *metrics);
static ngx_int_t ngx_http_gw_limit_times_quantiles(
    ngx_http_gw_counters_t *counters, ngx_uint_t first,
    gw_metric_label_t *labels, ngx_http_gw_metrics_t *metrics);
static uint64_t ngx_http_gw_limit_times_recent(
    ngx_http_gw_counters_t *counters, ngx_uint_t first, uint64_t *recent);


static const gw_metric_desc_t  ngx_http_gw_limit_time_bucket = {
    "gw_limit_decision_seconds_bucket",
    "Decisions that Redis was asked for and that took no longer than that.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_limit_time_count = {
    "gw_limit_decision_seconds_count", "Decisions that Redis was asked for.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_limit_time_sum = {
    "gw_limit_decision_seconds_sum", "Seconds that they took.",
    GW_METRIC_TIME
};

static const gw_metric_desc_t  ngx_http_gw_limit_time_recent = {
    "gw_limit_decision_recent_seconds",
    "Upper bound of what this part of the last decisions took.",
    GW_METRIC_USEC
};


/* usec, and as a label in seconds */

static const ngx_http_gw_limit_time_t  ngx_http_gw_limit_times[] = {
    { 100, ngx_string("0.0001") },
    { 200, ngx_string("0.0002") },
    { 300, ngx_string("0.0003") },
    { 500, ngx_string("0.0005") },
    { 750, ngx_string("0.00075") },
    { 1000, ngx_string("0.001") },
    { 2000, ngx_string("0.002") },
    { 5000, ngx_string("0.005") },
    { 10000, ngx_string("0.01") },
    { 20000, ngx_string("0.02") },
    { 50000, ngx_string("0.05") },
    { 100000, ngx_string("0.1") },
    { 1000000, ngx_string("1") },
    { 3600000000, ngx_string("+Inf") }
};

static const ngx_http_gw_limit_quantile_t  ngx_http_gw_limit_quantiles[] = {
    { 50, ngx_string("0.5") },
    { 99, ngx_string("0.99") }
};

static ngx_str_t  ngx_http_gw_limit_times_names[] = {
    ngx_string("redis"),
    ngx_string("fallback")
};


#define ngx_http_gw_limit_times_row(counters)                                 \
    &(counters)->row[(ngx_worker % NGX_HTTP_GW_COUNTERS_ROWS)                 \
                     * (counters)->stride]


void
ngx_http_gw_limit_times_add(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, ngx_http_gw_limit_times_e source, int64_t usec)
{
    ngx_uint_t     i, k;
    ngx_atomic_t  *row, *set, minute;

    for (i = 0; i < NGX_HTTP_GW_LIMIT_TIMES_BUCKETS - 1; i++) {
        if (usec <= ngx_http_gw_limit_times[i].usec) {
            break;
        }
    }

    row = ngx_http_gw_limit_times_row(counters);
    row += first + source * NGX_HTTP_GW_LIMIT_TIMES_SOURCE;

    (void) ngx_atomic_fetch_add(&row[i], 1);
    (void) ngx_atomic_fetch_add(&row[NGX_HTTP_GW_LIMIT_TIMES_BUCKETS], usec);

    /* the row is of this worker, or of a few: what is lost is a sample */

    minute = ngx_time() / NGX_HTTP_GW_LIMIT_TIMES_MINUTE;
    set = &row[NGX_HTTP_GW_LIMIT_TIMES_BUCKETS + 1
               + minute % 2 * (1 + NGX_HTTP_GW_LIMIT_TIMES_BUCKETS)];

    if (set[0] != minute) {

        for (k = 0; k < NGX_HTTP_GW_LIMIT_TIMES_BUCKETS; k++) {
            set[1 + k] = 0;
        }

        set[0] = minute;
    }

    (void) ngx_atomic_fetch_add(&set[1 + i], 1);
}


ngx_int_t
ngx_http_gw_limit_times_metrics(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, ngx_str_t *name, ngx_http_gw_metrics_t *metrics)
{
    ngx_uint_t         i;
    gw_metric_label_t  labels[3];

    labels[0].name = "name";
    labels[0].data = name->data;
    labels[0].len = name->len;

    for (i = 0; i < NGX_HTTP_GW_LIMIT_TIMES_SOURCES; i++) {
        labels[1].name = "source";
        labels[1].data = ngx_http_gw_limit_times_names[i].data;
        labels[1].len = ngx_http_gw_limit_times_names[i].len;

        if (ngx_http_gw_limit_times_source(counters, first, labels, metrics)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        first += NGX_HTTP_GW_LIMIT_TIMES_SOURCE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_times_source(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, gw_metric_label_t *labels,
    ngx_http_gw_metrics_t *metrics)
{
    uint64_t    n, usec;
    ngx_uint_t  i;

    n = 0;
    labels[2].name = "le";

    /* each is counted once; a bucket has those of all that are below it */

    for (i = 0; i < NGX_HTTP_GW_LIMIT_TIMES_BUCKETS; i++) {
        n += ngx_http_gw_counters_sum(counters, first + i);

        labels[2].data = ngx_http_gw_limit_times[i].label.data;
        labels[2].len = ngx_http_gw_limit_times[i].label.len;

        if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_time_bucket,
                                    3, labels, n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    usec = ngx_http_gw_counters_sum(counters,
                                    first + NGX_HTTP_GW_LIMIT_TIMES_BUCKETS);

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_time_count, 2,
                                labels, n)
        != NGX_OK
        || ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_time_sum, 2,
                                   labels, usec)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_limit_times_quantiles(counters, first, labels, metrics);
}


static ngx_int_t
ngx_http_gw_limit_times_quantiles(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, gw_metric_label_t *labels,
    ngx_http_gw_metrics_t *metrics)
{
    uint64_t    all, below, recent[NGX_HTTP_GW_LIMIT_TIMES_BUCKETS];
    ngx_uint_t  i, k;

    all = ngx_http_gw_limit_times_recent(counters, first, recent);

    if (all == 0) {
        return NGX_OK;
    }

    labels[2].name = "quantile";

    for (i = 0; i < sizeof(ngx_http_gw_limit_quantiles)
                    / sizeof(ngx_http_gw_limit_quantiles[0]); i++)
    {
        below = recent[0];

        for (k = 0; k < NGX_HTTP_GW_LIMIT_TIMES_BUCKETS - 1; k++) {

            if (below * 100 >= all * ngx_http_gw_limit_quantiles[i].percent) {
                break;
            }

            below += recent[k + 1];
        }

        labels[2].data = ngx_http_gw_limit_quantiles[i].label.data;
        labels[2].len = ngx_http_gw_limit_quantiles[i].label.len;

        if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_limit_time_recent,
                                    3, labels, ngx_http_gw_limit_times[k].usec)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* of this minute and the one before; returns how many there are */

static uint64_t
ngx_http_gw_limit_times_recent(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, uint64_t *recent)
{
    uint64_t            all;
    ngx_uint_t          i, k, n;
    ngx_atomic_t       *set;
    ngx_atomic_uint_t   minute;

    all = 0;
    minute = ngx_time() / NGX_HTTP_GW_LIMIT_TIMES_MINUTE;

    ngx_memzero(recent, NGX_HTTP_GW_LIMIT_TIMES_BUCKETS * sizeof(uint64_t));

    for (i = 0; i < NGX_HTTP_GW_COUNTERS_ROWS; i++) {
        set = &counters->row[i * counters->stride + first
                             + NGX_HTTP_GW_LIMIT_TIMES_BUCKETS + 1];

        for (n = 0; n < 2; n++) {

            if (set[0] + 1 >= minute) {
                for (k = 0; k < NGX_HTTP_GW_LIMIT_TIMES_BUCKETS; k++) {
                    recent[k] += set[1 + k];
                    all += set[1 + k];
                }
            }

            set += 1 + NGX_HTTP_GW_LIMIT_TIMES_BUCKETS;
        }
    }

    return all;
}
