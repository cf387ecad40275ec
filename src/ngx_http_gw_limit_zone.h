
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A zone of gw_limit_zone: the key, the rate, and the shared memory with the
 * limits of all its keys.
 */


#ifndef NGX_HTTP_GW_LIMIT_ZONE_H
#define NGX_HTTP_GW_LIMIT_ZONE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_store.h"
#include "gw_rate.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_redis_conf.h"
#include "ngx_http_gw_value.h"


/* the longest rate that a worker remembers, bytes */
#define NGX_HTTP_GW_LIMIT_RATE_LEN   23

/* ticks of a microsecond are too coarse for more, units a second */
#define NGX_HTTP_GW_LIMIT_REDIS_RATE  100000


/* labels of gw_limit_requests_total; the numbers are kept in shared memory */

typedef enum {
    NGX_HTTP_GW_LIMIT_SHM = 0,
    NGX_HTTP_GW_LIMIT_REDIS,
    NGX_HTTP_GW_LIMIT_FALLBACK,
    NGX_HTTP_GW_LIMIT_NOWHERE,
    NGX_HTTP_GW_LIMIT_DENY_CACHE,
    NGX_HTTP_GW_LIMIT_SOURCES
} ngx_http_gw_limit_source_e;

typedef enum {
    NGX_HTTP_GW_LIMIT_COUNT_PASSED = 0,
    NGX_HTTP_GW_LIMIT_COUNT_DELAYED,
    NGX_HTTP_GW_LIMIT_COUNT_REJECTED,
    NGX_HTTP_GW_LIMIT_COUNT_DELAYED_DRY_RUN,
    NGX_HTTP_GW_LIMIT_COUNT_REJECTED_DRY_RUN,
    NGX_HTTP_GW_LIMIT_COUNT_ERROR_PASSED,
    NGX_HTTP_GW_LIMIT_COUNT_ERROR_REJECTED,
    NGX_HTTP_GW_LIMIT_RESULTS
} ngx_http_gw_limit_count_e;


/* labels of gw_limit_adjusted_units_total, behind the counters above */

typedef enum {
    NGX_HTTP_GW_LIMIT_CHARGED = 0,
    NGX_HTTP_GW_LIMIT_GIVEN,
    NGX_HTTP_GW_LIMIT_PENALTY,
    NGX_HTTP_GW_LIMIT_DROPPED,                   /* never sent, or refused */
    NGX_HTTP_GW_LIMIT_UNKNOWN,                   /* no reply */
    NGX_HTTP_GW_LIMIT_ADJUSTED
} ngx_http_gw_limit_adjusted_e;

#define NGX_HTTP_GW_LIMIT_COUNTERS                                            \
    (NGX_HTTP_GW_LIMIT_SOURCES * NGX_HTTP_GW_LIMIT_RESULTS                    \
     + NGX_HTTP_GW_LIMIT_ADJUSTED)


typedef enum {
    NGX_HTTP_GW_LIMIT_GCRA = 0,
    NGX_HTTP_GW_LIMIT_SLIDING,
    NGX_HTTP_GW_LIMIT_FIXED
} ngx_http_gw_limit_algorithm_e;


/* a number of units that may have variables */

typedef struct {
    ngx_http_complex_value_t   *cv;              /* NULL: a constant */
    int64_t                     units;           /* -1: not given */
} ngx_http_gw_limit_number_t;


/* a rate and what its text was */

typedef struct {
    size_t                      len;
    u_char                      text[NGX_HTTP_GW_LIMIT_RATE_LEN + 1];
    gw_rate_value_e             value;
    gw_rate_t                   rate;
    int64_t                     quota;
    int64_t                     window;
} ngx_http_gw_limit_rate_t;

/* the part in shared memory, found again after a reload */

typedef struct {
    gw_limit_store_t           *store;

    /*
     * The latest time, ns, at which a key that was charged here instead of
     * in Redis has a full bucket again.
     */
    int64_t                     owed;
} ngx_http_gw_limit_shared_t;


typedef struct {
    ngx_str_t                   name;
    ngx_str_t                   policy;
    const char                 *unit;        /* NULL: requests */
    ngx_http_gw_text_t          key;

    /*
     * What is written without variables; behind a value with variables it is
     * the default.  rate.value is GW_RATE_INVALID if there is none.
     */
    ngx_http_gw_limit_rate_t    rate;
    ngx_http_complex_value_t   *rate_cv;     /* NULL: none */
    ngx_http_gw_limit_number_t  burst;

    ngx_uint_t                  algorithm;

    int64_t                     most;        /* burst of all its limits */

    ngx_str_t                   service;     /* empty: shared memory */
    ngx_http_gw_redis_conf_t   *redis;       /* set when all is parsed */
    ngx_uint_t                  link;        /* number of the service */

    ngx_uint_t                  nlimits;     /* gw_limits of the zone */
    unsigned                    mixed:1;     /* bursts vary and differ */
    unsigned                    debt:1;      /* keys may owe one bucket */
    unsigned                    full:1;      /* rejects what has no place */
    unsigned                    scope:1;     /* each location counts alone */

    /* of the worker: calls without a reply in time, which may still come */
    ngx_uint_t                  late;

    ngx_http_gw_limit_shared_t *shared;
    ngx_slab_pool_t            *shpool;
    ngx_http_gw_counters_t     *counters;
} ngx_http_gw_limit_zone_t;


/*
 * The handler of gw_limit_zone.
 *
 *     tag     of the shared memory: the module
 *     zones   array of ngx_http_gw_limit_zone_t *, the new zone is appended
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after the reason is logged.
 */
char *ngx_http_gw_limit_zone_add(ngx_conf_t *cf, void *tag,
    ngx_array_t *zones);

/*
 * Finds the services of the zones once all directives are read.
 *
 *     services  array of ngx_http_gw_redis_conf_t *
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_limit_zone_resolve(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_array_t *services);

/*
 * Hashes a key for the store of a zone; every algorithm has other keys.
 *
 *     value  of the key
 */
void ngx_http_gw_limit_zone_key(ngx_http_gw_limit_zone_t *zone,
    ngx_uint_t algorithm, ngx_str_t *value, gw_limit_key_t *key);

/*
 * A clock for the store: CLOCK_MONOTONIC in ns.  ngx_current_msec is too
 * coarse: it stands still while one turn of the event loop lasts.
 */
int64_t ngx_http_gw_limit_clock(void);


#define ngx_http_gw_limit_count(zone, source, result)                         \
    ngx_http_gw_count((zone)->counters,                                       \
                      (source) * NGX_HTTP_GW_LIMIT_RESULTS + (result))


/* adds units that were charged or given back afterwards */

#define ngx_http_gw_limit_adjusted(zone, what, units)                         \
    ngx_http_gw_counters_add((zone)->counters,                                \
                             NGX_HTTP_GW_LIMIT_SOURCES                        \
                             * NGX_HTTP_GW_LIMIT_RESULTS + (what), units)


#endif /* NGX_HTTP_GW_LIMIT_ZONE_H */
