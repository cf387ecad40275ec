
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_reason.h"


static ngx_int_t ngx_http_gw_auth_add_cache(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_counters_t *counters, uint64_t evicted);
static ngx_int_t ngx_http_gw_auth_add_labelled(ngx_http_gw_metrics_t *metrics,
    const gw_metric_desc_t *desc, const char *name, const char *text,
    uint64_t value);


/* in the order of ngx_http_gw_auth_cache_e */

static const char *const  ngx_http_gw_auth_cache_results[] = {
    "hit", "l2", "miss"
};


static const gw_metric_desc_t  ngx_http_gw_auth_requests_metric = {
    "gw_auth_requests_total",
    "Requests by the outcome of their authentication.",
    GW_METRIC_COUNTER
};


static const gw_metric_desc_t  ngx_http_gw_auth_cache_metric = {
    "gw_auth_token_cache_total",
    "Tokens by what was known of them.",
    GW_METRIC_COUNTER
};


static const gw_metric_desc_t  ngx_http_gw_auth_evictions_metric = {
    "gw_auth_token_cache_evictions_total",
    "Tokens that were forgotten before their end to make room.",
    GW_METRIC_COUNTER
};


const char *
ngx_http_gw_auth_reason_text(ngx_uint_t reason)
{
    switch (reason) {

    case GW_REASON_NONE:
        return "-";

    case NGX_HTTP_GW_AUTH_MISSING:
        return "missing";

    case NGX_HTTP_GW_AUTH_TWICE:
        return "twice";

    case NGX_HTTP_GW_AUTH_BUDGET:
        return "budget";

    case NGX_HTTP_GW_AUTH_CIDR:
        return "cidr";

    case NGX_HTTP_GW_AUTH_KEYSET_DOWN:
        return "keyset_down";

    case NGX_HTTP_GW_AUTH_NOT_ALLOWED:
        return "consumer";

    case NGX_HTTP_GW_AUTH_PREFLIGHT:
        return "preflight";

    default:
        return gw_reason_text(reason);
    }
}


const char *
ngx_http_gw_auth_method_text(ngx_uint_t methods)
{
    switch (methods) {

    case NGX_HTTP_GW_AUTH_JWT:
        return "jwt";

    case NGX_HTTP_GW_AUTH_KEY:
        return "api_key";

    case NGX_HTTP_GW_AUTH_JWT|NGX_HTTP_GW_AUTH_KEY:
        return "jwt,api_key";

    default:
        return "-";
    }
}


const char *
ngx_http_gw_auth_status_text(ngx_uint_t reason, ngx_uint_t dry)
{
    if (dry) {
        return "dry";
    }

    switch (reason) {

    case GW_REASON_NONE:
        return "ok";

    case NGX_HTTP_GW_AUTH_MISSING:
    case NGX_HTTP_GW_AUTH_PREFLIGHT:
        return "missing";

    case GW_REASON_MEMORY:
    case NGX_HTTP_GW_AUTH_KEYSET_DOWN:
        return "error";

    default:
        return "denied";
    }
}


ngx_int_t
ngx_http_gw_auth_add_metrics(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_counters_t *counters, uint64_t evicted)
{
    uint64_t            value;
    ngx_uint_t          i, n, reason;
    const char         *text[3];
    gw_metric_label_t   labels[3];

    for (i = 0; i < NGX_HTTP_GW_AUTH_OUTCOMES; i++) {

        value = ngx_http_gw_counters_sum(counters, i);

        if (value == 0) {
            continue;
        }

        reason = i % NGX_HTTP_GW_AUTH_REASONS;
        n = i / NGX_HTTP_GW_AUTH_REASONS;

        text[0] = ngx_http_gw_auth_method_text(n % NGX_HTTP_GW_AUTH_METHODS);
        text[1] = ngx_http_gw_auth_status_text(reason,
                                               n / NGX_HTTP_GW_AUTH_METHODS);
        text[2] = ngx_http_gw_auth_reason_text(reason);

        labels[0].name = "method";
        labels[1].name = "result";
        labels[2].name = "reason";

        for (n = 0; n < 3; n++) {
            labels[n].data = (u_char *) text[n];
            labels[n].len = ngx_strlen(text[n]);
        }

        if (ngx_http_gw_metrics_add(metrics,
                                    &ngx_http_gw_auth_requests_metric, 3,
                                    labels, value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_gw_auth_add_cache(metrics, counters, evicted);
}


static ngx_int_t
ngx_http_gw_auth_add_cache(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_counters_t *counters, uint64_t evicted)
{
    ngx_uint_t  i;

    for (i = 0; i < 3; i++) {

        if (ngx_http_gw_auth_add_labelled(metrics,
                &ngx_http_gw_auth_cache_metric, "result",
                ngx_http_gw_auth_cache_results[i],
                ngx_http_gw_counters_sum(counters,
                                         NGX_HTTP_GW_AUTH_OUTCOMES + i))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_gw_auth_add_labelled(metrics,
            &ngx_http_gw_auth_evictions_metric, "level", "worker",
            ngx_http_gw_counters_sum(counters,
                                     NGX_HTTP_GW_AUTH_COUNTER_EVICTED))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_add_labelled(metrics,
               &ngx_http_gw_auth_evictions_metric, "level", "zone", evicted);
}


static ngx_int_t
ngx_http_gw_auth_add_labelled(ngx_http_gw_metrics_t *metrics,
    const gw_metric_desc_t *desc, const char *name, const char *text,
    uint64_t value)
{
    gw_metric_label_t  label;

    label.name = name;
    label.data = (u_char *) text;
    label.len = ngx_strlen(text);

    return ngx_http_gw_metrics_add(metrics, desc, 1, &label, value);
}
