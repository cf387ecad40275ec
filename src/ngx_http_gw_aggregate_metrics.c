
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

static const gw_metric_desc_t  ngx_http_gw_aggregate_bytes = {
    "gw_aggregate_part_bytes_total", "Bytes in the answers of parts.",
    GW_METRIC_COUNTER
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

    return NGX_OK;
}
