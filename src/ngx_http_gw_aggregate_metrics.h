
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_AGGREGATE_METRICS_H
#define NGX_HTTP_GW_AGGREGATE_METRICS_H


#include "ngx_http_gw_aggregate.h"
#include "ngx_http_gw_metrics.h"


/*
 * Adds the samples of the module: gw_aggregate_*.
 *
 *     joint  that of ngx_http_gw_aggregate_main_conf_t
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_aggregate_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics);


/*
 * Counts a part by the milliseconds that it took.
 */
void ngx_http_gw_aggregate_count_time(ngx_http_gw_counters_t *counters,
    ngx_msec_t msec);


#endif /* NGX_HTTP_GW_AGGREGATE_METRICS_H */
