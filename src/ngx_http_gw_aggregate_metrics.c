
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_metrics.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_part.h"


typedef struct {
    const gw_metric_desc_t  *desc;
    ngx_uint_t               counter;
    const char              *label;
    ngx_str_t                value;
} ngx_http_gw_aggregate_sample_t;


typedef struct {
    ngx_msec_t               msec;
    ngx_str_t                label;
} ngx_http_gw_aggregate_bound_t;


static ngx_int_t ngx_http_gw_aggregate_times(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_counters_t *counters);


static const gw_metric_desc_t  ngx_http_gw_aggregate_answers = {
    "gw_aggregate_answers_total", "Answers of aggregates, by their state.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_parts = {
    "gw_aggregate_parts_total", "Parts, by what became of them.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_detached = {
    "gw_aggregate_parts_detached_total",
    "Parts that ran on because they could not be stopped.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_hedged = {
    "gw_aggregate_parts_hedged_total",
    "Parts that were requested twice.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_hedges_won = {
    "gw_aggregate_hedges_won_total",
    "Parts that were answered by their second request.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_bytes = {
    "gw_aggregate_part_bytes_total", "Bytes in the answers of parts.",
    GW_METRIC_COUNTER
};


static const gw_metric_desc_t  ngx_http_gw_aggregate_time_bucket = {
    "gw_aggregate_part_seconds_bucket",
    "Parts that took no longer than that.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_time_count = {
    "gw_aggregate_part_seconds_count", "Parts whose time is known.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_time_sum = {
    "gw_aggregate_part_seconds_sum", "Seconds that parts took.",
    GW_METRIC_TIME
};


/* milliseconds, and as a label in seconds */

static const ngx_http_gw_aggregate_bound_t  ngx_http_gw_agg_bounds[] = {
    { 5, ngx_string("0.005") },
    { 10, ngx_string("0.01") },
    { 25, ngx_string("0.025") },
    { 50, ngx_string("0.05") },
    { 100, ngx_string("0.1") },
    { 250, ngx_string("0.25") },
    { 500, ngx_string("0.5") },
    { 1000, ngx_string("1") },
    { 2500, ngx_string("2.5") },
    { 5000, ngx_string("5") },
    { 10000, ngx_string("10") },
    { 0, ngx_string("+Inf") }
};


/* beside the parts by their error */

static const ngx_http_gw_aggregate_sample_t  ngx_http_gw_agg_samples[] = {

    { &ngx_http_gw_aggregate_answers, NGX_HTTP_GW_COUNT_COMPLETE,
      "state", ngx_string("complete") },

    { &ngx_http_gw_aggregate_answers, NGX_HTTP_GW_COUNT_PARTIAL,
      "state", ngx_string("partial") },

    { &ngx_http_gw_aggregate_answers, NGX_HTTP_GW_COUNT_FAILED,
      "state", ngx_string("failed") },

    { &ngx_http_gw_aggregate_bytes, NGX_HTTP_GW_COUNT_BYTES,
      NULL, ngx_null_string },

    { &ngx_http_gw_aggregate_detached, NGX_HTTP_GW_COUNT_DETACHED,
      NULL, ngx_null_string },

    { &ngx_http_gw_aggregate_hedged, NGX_HTTP_GW_COUNT_HEDGED,
      NULL, ngx_null_string },

    { &ngx_http_gw_aggregate_hedges_won, NGX_HTTP_GW_COUNT_HEDGES_WON,
      NULL, ngx_null_string },

    { &ngx_http_gw_aggregate_parts, NGX_HTTP_GW_COUNT_SKIPPED,
      "result", ngx_string("skipped") },

    { &ngx_http_gw_aggregate_parts, NGX_HTTP_GW_COUNT_CANCELLED,
      "result", ngx_string("cancelled") },

    { NULL, 0, NULL, ngx_null_string }
};


ngx_int_t
ngx_http_gw_aggregate_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics)
{
    ngx_uint_t                             i;
    gw_metric_label_t                      label;
    ngx_http_gw_counters_t                *counters;
    ngx_http_gw_aggregate_main_conf_t     *amcf;
    const ngx_http_gw_aggregate_sample_t  *sample;

    /* the joint is its first member */

    amcf = (ngx_http_gw_aggregate_main_conf_t *) joint;
    counters = amcf->counters;

    if (counters == NULL) {
        return NGX_OK;
    }

    for (sample = ngx_http_gw_agg_samples; sample->desc; sample++) {
        label.name = sample->label;
        label.data = sample->value.data;
        label.len = sample->value.len;

        if (ngx_http_gw_metrics_add(metrics, sample->desc,
                                    sample->label ? 1 : 0, &label,
                                    ngx_http_gw_counters_sum(counters,
                                                           sample->counter))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < NGX_HTTP_GW_PART_ERRORS; i++) {
        label.name = "result";
        label.data = ngx_http_gw_part_error_name(i)->data;
        label.len = ngx_http_gw_part_error_name(i)->len;

        if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_aggregate_parts, 1,
                                    &label,
                                    ngx_http_gw_counters_sum(counters, i))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_gw_aggregate_times(metrics, counters);
}


/* each part is counted once; a bucket has those of all that are below it */

static ngx_int_t
ngx_http_gw_aggregate_times(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_counters_t *counters)
{
    uint64_t           n;
    ngx_uint_t         i;
    gw_metric_label_t  label;

    n = 0;

    for (i = 0; i <= NGX_HTTP_GW_TIMES; i++) {
        n += ngx_http_gw_counters_sum(counters, NGX_HTTP_GW_COUNT_TIME + i);

        label.name = "le";
        label.data = ngx_http_gw_agg_bounds[i].label.data;
        label.len = ngx_http_gw_agg_bounds[i].label.len;

        if (ngx_http_gw_metrics_add(metrics,
                                    &ngx_http_gw_aggregate_time_bucket, 1,
                                    &label, n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_aggregate_time_count, 0,
                                NULL, n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ngx_http_gw_counters_sum(counters, NGX_HTTP_GW_COUNT_MSEC);

    return ngx_http_gw_metrics_add(metrics, &ngx_http_gw_aggregate_time_sum,
                                   0, NULL, n * 1000);
}


void
ngx_http_gw_aggregate_count_time(ngx_http_gw_counters_t *counters,
    ngx_msec_t msec)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_GW_TIMES; i++) {
        if (msec <= ngx_http_gw_agg_bounds[i].msec) {
            break;
        }
    }

    ngx_http_gw_count(counters, NGX_HTTP_GW_COUNT_TIME + i);
    ngx_http_gw_counters_add(counters, NGX_HTTP_GW_COUNT_MSEC, msec);
}
