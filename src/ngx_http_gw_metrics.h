
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Collects the samples of all loaded modules for one answer of gw_metrics.
 * Samples of one family may come from several modules; they are kept together
 * because the Prometheus text format wants each family once.
 */


#ifndef NGX_HTTP_GW_METRICS_H
#define NGX_HTTP_GW_METRICS_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_metrics.h"


typedef struct {
    ngx_pool_t   *pool;
    ngx_array_t   families;      /* ngx_http_gw_metrics_family_t */
} ngx_http_gw_metrics_t;


/*
 * Starts an empty collection.
 *
 *     metrics  out: the collection
 *     pool     holds all that is added, a request's pool
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_metrics_init(ngx_http_gw_metrics_t *metrics,
    ngx_pool_t *pool);


/*
 * Adds one sample.
 *
 *     desc     its family; the structure must live as long as the collection,
 *              families are equal when their names are
 *     labels   nlabels pairs, copied; their texts are not: they must live as
 *              long as the collection.  At most GW_METRICS_LABELS.
 *     value    in the unit of the family: a count, or microseconds for
 *              GW_METRIC_USEC, which is shown in seconds
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_metrics_add(ngx_http_gw_metrics_t *metrics,
    const gw_metric_desc_t *desc, ngx_uint_t nlabels,
    const gw_metric_label_t *labels, uint64_t value);


/*
 * Renders all families in the order of their first sample.
 * Returns a memory buffer of the pool, or NULL when memory ran out.
 */

ngx_buf_t *ngx_http_gw_metrics_render(ngx_http_gw_metrics_t *metrics,
    gw_metrics_format_e format);


#endif /* NGX_HTTP_GW_METRICS_H */
