
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_jwks.h"
#include "ngx_http_gw_auth_key_metrics.h"
#include "ngx_http_gw_auth_remote.h"


static const gw_metric_desc_t  ngx_http_gw_auth_key_fetches = {
    "gw_auth_key_fetches_total",
    "Fetches of requested key sets, by what came of them.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_auth_key_refetches = {
    "gw_auth_key_refetches_total",
    "Fetches because of an unknown key ID or a bad signature.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_auth_key_stale = {
    "gw_auth_key_stale_total",
    "Tokens looked up in a key set while its source was down.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_auth_key_sets = {
    "gw_auth_key_sets", "Requested key sets that are there.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_auth_key_age = {
    "gw_auth_key_age_seconds", "Age of the oldest requested key set.",
    GW_METRIC_GAUGE
};


static const ngx_str_t  ngx_http_gw_auth_key_results[] = {
    ngx_string("ok"),
    ngx_string("unchanged"),
    ngx_string("refused"),
    ngx_string("failed")
};


ngx_int_t
ngx_http_gw_auth_key_metrics(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_auth_keyring_t *ring)
{
    uint64_t           value;
    ngx_uint_t         i, sets;
    ngx_msec_t         age;
    gw_metric_label_t  label;

    label.name = "result";

    for (i = 0; i <= NGX_HTTP_GW_AUTH_FETCH_FAILED; i++) {

        value = ngx_http_gw_counters_sum(ring->counters, i);

        label.data = ngx_http_gw_auth_key_results[i].data;
        label.len = ngx_http_gw_auth_key_results[i].len;

        if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_auth_key_fetches, 1,
                                    &label, value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    value = ngx_http_gw_counters_sum(ring->counters,
                                     NGX_HTTP_GW_AUTH_FETCH_AGAIN);

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_auth_key_refetches, 0,
                                NULL, value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    value = ngx_http_gw_counters_sum(ring->counters,
                                     NGX_HTTP_GW_AUTH_FETCH_STALE);

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_auth_key_stale, 0, NULL,
                                value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sets = ngx_http_gw_auth_jwks_count(ring->zone, &age);

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_auth_key_sets, 0, NULL,
                                sets)
        != NGX_OK
        || ngx_http_gw_metrics_add(metrics, &ngx_http_gw_auth_key_age, 0,
                                   NULL, age / 1000)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
