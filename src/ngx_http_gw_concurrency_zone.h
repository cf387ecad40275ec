
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_CONCURRENCY_ZONE_H
#define NGX_HTTP_GW_CONCURRENCY_ZONE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_concurrency_store.h"
#include "ngx_http_gw_concurrency_redis.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_metrics.h"
#include "ngx_http_gw_value.h"


/* the results of gw_concurrency_requests_total; kept in shared memory */

typedef enum {
    NGX_HTTP_GW_CONCURRENCY_COUNT_PASSED = 0,
    NGX_HTTP_GW_CONCURRENCY_COUNT_REJECTED,
    NGX_HTTP_GW_CONCURRENCY_COUNT_REJECTED_DRY_RUN,
    NGX_HTTP_GW_CONCURRENCY_COUNT_ERROR_PASSED,
    NGX_HTTP_GW_CONCURRENCY_COUNT_ERROR_REJECTED,
    NGX_HTTP_GW_CONCURRENCY_COUNT_FALLBACK_PASSED,
    NGX_HTTP_GW_CONCURRENCY_RESULTS
} ngx_http_gw_concurrency_count_e;


typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    policy;
    ngx_http_gw_text_t           key;

    ngx_http_gw_concurrency_remote_t  remote;

    gw_concurrency_store_t      *store;
    ngx_slab_pool_t             *shpool;
    ngx_http_gw_counters_t      *counters;

    /* of the worker */
    gw_concurrency_self_t        self;
    ngx_pid_t                    pid;        /* that self is of */
    time_t                       complained;
} ngx_http_gw_concurrency_zone_t;


/*
 * The tag of the shared memory: not that of the rate limits, so that a name
 * is that of one kind of zone.
 */
void *ngx_http_gw_concurrency_tag(void);

/*
 * The handler of gw_concurrency_zone.
 *
 *     zones   array of ngx_http_gw_concurrency_zone_t *, the new zone is
 *             appended
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after the reason is logged.
 */
char *ngx_http_gw_concurrency_zone_add(ngx_conf_t *cf, ngx_array_t *zones);

/*
 * Finds the services of the zones once all directives are read.
 *
 *     services  array of ngx_http_gw_redis_conf_t *
 *     host      gw_node_id
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_concurrency_zones_resolve(ngx_conf_t *cf,
    ngx_array_t *zones, ngx_array_t *services, ngx_str_t *host);

/* What the worker holds in the zones is free: it exits. */
void ngx_http_gw_concurrency_zones_leave(ngx_array_t *zones);

/*
 * Counts a request, as gw_concurrency_store_take().
 *
 *     value  of the key
 *
 * Returns NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_gw_concurrency_zone_take(
    ngx_http_gw_concurrency_zone_t *zone, ngx_str_t *value, uint64_t limit,
    uint32_t *hold, uint64_t *current);

/* The request has ended: as gw_concurrency_store_give(). */
void ngx_http_gw_concurrency_zone_give(ngx_http_gw_concurrency_zone_t *zone,
    uint32_t hold);

/*
 * Adds the samples of the zones: gw_concurrency_* and gw_zone_*.  Returns
 * NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_concurrency_metrics(ngx_array_t *zones,
    ngx_http_gw_metrics_t *metrics);


#define ngx_http_gw_concurrency_count(zone, result)                           \
    ngx_http_gw_count((zone)->counters, result)


#endif /* NGX_HTTP_GW_CONCURRENCY_ZONE_H */
