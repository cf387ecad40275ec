
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * How long decisions took that Redis was asked for: in buckets since nginx
 * was started, and those of the last minute or two for quantiles.
 */


#ifndef NGX_HTTP_GW_LIMIT_TIMES_H
#define NGX_HTTP_GW_LIMIT_TIMES_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_metrics.h"


/* bounds, and one more for what is above them */
#define NGX_HTTP_GW_LIMIT_TIMES_BUCKETS  14


typedef enum {
    NGX_HTTP_GW_LIMIT_TIMES_REDIS = 0,           /* it has decided */
    NGX_HTTP_GW_LIMIT_TIMES_OTHER,               /* it was late, or is gone */
    NGX_HTTP_GW_LIMIT_TIMES_SOURCES
} ngx_http_gw_limit_times_e;


/* of each source: buckets, usec, and twice a minute with its buckets */

#define NGX_HTTP_GW_LIMIT_TIMES_SOURCE                                        \
    (NGX_HTTP_GW_LIMIT_TIMES_BUCKETS + 1                                      \
     + 2 * (1 + NGX_HTTP_GW_LIMIT_TIMES_BUCKETS))

#define NGX_HTTP_GW_LIMIT_TIMES                                               \
    (NGX_HTTP_GW_LIMIT_TIMES_SOURCES * NGX_HTTP_GW_LIMIT_TIMES_SOURCE)


/*
 * Counts a decision.
 *
 *     first  of NGX_HTTP_GW_LIMIT_TIMES counters
 *     usec   that it took
 */
void ngx_http_gw_limit_times_add(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, ngx_http_gw_limit_times_e source, int64_t usec);

/*
 * Adds the samples gw_limit_decision_seconds_*.
 *
 *     name  of the Redis
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_limit_times_metrics(ngx_http_gw_counters_t *counters,
    ngx_uint_t first, ngx_str_t *name, ngx_http_gw_metrics_t *metrics);


#endif /* NGX_HTTP_GW_LIMIT_TIMES_H */
