
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_LIMIT_METRICS_H
#define NGX_HTTP_GW_LIMIT_METRICS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_zone.h"
#include "ngx_http_gw_metrics.h"


/*
 * Adds the samples of the zones: gw_limit_requests_total and gw_zone_*.
 *
 *     zones   array of ngx_http_gw_limit_zone_t *
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_metrics(ngx_array_t *zones,
    ngx_http_gw_metrics_t *metrics);


/*
 * Adds the samples of units that were charged or given back afterwards.
 *
 *     first  of NGX_HTTP_GW_LIMIT_ADJUSTED counters
 *     zeros  0 leaves those out that have never counted
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_metrics_corrected(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, ngx_str_t *policy, const gw_metric_desc_t *desc,
    ngx_uint_t zeros, ngx_http_gw_metrics_t *metrics);


#endif /* NGX_HTTP_GW_LIMIT_METRICS_H */
