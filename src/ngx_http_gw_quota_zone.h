
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_QUOTA_ZONE_H
#define NGX_HTTP_GW_QUOTA_ZONE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_period.h"
#include "gw_quota_store.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_metrics.h"
#include "ngx_http_gw_redis_conf.h"
#include "ngx_http_gw_value.h"


/* the results of gw_quota_requests_total; kept in shared memory */

typedef enum {
    NGX_HTTP_GW_QUOTA_COUNT_PASSED = 0,
    NGX_HTTP_GW_QUOTA_COUNT_REJECTED,
    NGX_HTTP_GW_QUOTA_COUNT_WARNED,
    NGX_HTTP_GW_QUOTA_COUNT_OVERAGE,
    NGX_HTTP_GW_QUOTA_COUNT_REJECTED_DRY_RUN,
    NGX_HTTP_GW_QUOTA_COUNT_ERROR_PASSED,
    NGX_HTTP_GW_QUOTA_COUNT_ERROR_REJECTED,
    NGX_HTTP_GW_QUOTA_COUNT_FALLBACK_PASSED,
    NGX_HTTP_GW_QUOTA_COUNT_FALLBACK_REJECTED,
    NGX_HTTP_GW_QUOTA_RESULTS
} ngx_http_gw_quota_count_e;


typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    policy;
    const char                  *unit;         /* NULL: requests */
    ngx_http_gw_text_t           key;
    ngx_http_complex_value_t    *quota;
    int64_t                      units;      /* of a quota without variables */
    ngx_http_complex_value_t    *anchor;     /* a Unix time, NULL: none */
    gw_period_t                  period;
    gw_period_zone_t             timezone;
    int64_t                      carry;      /* units, or percent */
    ngx_uint_t                   percent;    /* carry is */

    ngx_str_t                    service;    /* empty: shared memory */
    ngx_http_gw_redis_conf_t    *redis;      /* set when all is parsed */
    ngx_uint_t                   link;       /* number of the service */

    /* of the worker: calls without a reply in time, which may still come */
    ngx_uint_t                   late;

    gw_quota_store_t            *store;
    ngx_slab_pool_t             *shpool;
    ngx_http_gw_counters_t      *counters;
    time_t                       complained; /* of the worker */

    /* of the worker: the last period that was computed, and its anchor */
    gw_period_span_t             span;
    int64_t                      since;
} ngx_http_gw_quota_zone_t;


/* The tag of the shared memory: a name is that of one kind of zone. */
void *ngx_http_gw_quota_tag(void);

/*
 * The directive gw_quota_zone; cmd->offset is that of an array of
 * ngx_http_gw_quota_zone_t * in conf.
 */
char *ngx_http_gw_quota_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Finds the services of the zones once all directives are read.
 *
 *     services  array of ngx_http_gw_redis_conf_t *
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_quota_zones_resolve(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_array_t *services);

/*
 * Reads a number of units.
 *
 *     units  out: -1 for "unlimited" and an empty text
 *
 * Returns NGX_OK, or NGX_DECLINED if it is none.
 */
ngx_int_t ngx_http_gw_quota_units(ngx_str_t *value, int64_t *units);

/*
 * Computes the period of a moment, and what may be carried over to it.
 *
 *     limit   units
 *     since   Unix time, the value of the anchor; GW_PERIOD_NEVER: none
 *     now     Unix time of the clock that counts
 *     terms   out
 *     span    out: the period
 */
void ngx_http_gw_quota_zone_terms(ngx_http_gw_quota_zone_t *zone,
    int64_t limit, int64_t since, int64_t now, gw_quota_t *terms,
    gw_period_span_t *span);

/*
 * Adds the samples of the zones: gw_quota_* and gw_zone_*.  Returns NGX_OK,
 * or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_quota_metrics(ngx_array_t *zones,
    ngx_http_gw_metrics_t *metrics);


/* counters of units that were charged or given back, behind the others */

#define ngx_http_gw_quota_adjusted(zone, what, units)                         \
    ngx_http_gw_counters_add((zone)->counters,                                \
                             NGX_HTTP_GW_QUOTA_RESULTS + (what), units)

#define ngx_http_gw_quota_count(zone, result)                                 \
    ngx_http_gw_count((zone)->counters, result)


#endif /* NGX_HTTP_GW_QUOTA_ZONE_H */
