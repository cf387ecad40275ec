
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Event counters over all workers.  Each worker adds in a row of its own, so
 * that no cache line is shared on the request path; a reader sums the rows.
 * They survive a reload and a killed worker.
 */


#ifndef NGX_HTTP_GW_COUNTERS_H
#define NGX_HTTP_GW_COUNTERS_H


#include <ngx_config.h>
#include <ngx_core.h>


/* workers above that number share rows, which is only slower */
#define NGX_HTTP_GW_COUNTERS_ROWS  64

#define NGX_HTTP_GW_COUNTERS_LINE  (64 / sizeof(ngx_atomic_t))


typedef struct {
    ngx_atomic_t    *row;        /* NULL before the zone is initialized */
    ngx_uint_t       n;          /* counters a row */
    ngx_uint_t       stride;     /* n rounded up to a cache line */
    ngx_shm_zone_t  *zone;
} ngx_http_gw_counters_t;


/*
 * Adds a shared zone with counters to the configuration.
 *
 *     cf    configuration being read
 *     name  name of the zone
 *     tag   address of the module, as for ngx_shared_memory_add()
 *     n     number of counters, > 0; the same in each cycle
 *
 * Returns the counters, all 0 or as the previous cycle left them; NULL when
 * memory ran out or the name is taken (logged).
 */

ngx_http_gw_counters_t *ngx_http_gw_counters_create(ngx_conf_t *cf,
    ngx_str_t *name, void *tag, ngx_uint_t n);


/*
 * Returns the sum of counter i over all workers, i < n.  Rows are read one
 * after the other, without a lock: each is exact, their sum a moment wide.
 */

uint64_t ngx_http_gw_counters_sum(ngx_http_gw_counters_t *counters,
    ngx_uint_t i);


/* adds to a counter, i < n; only in a worker */

#define ngx_http_gw_counters_add(counters, i, value)                          \
    (void) ngx_atomic_fetch_add(&(counters)->row[                             \
             (ngx_worker % NGX_HTTP_GW_COUNTERS_ROWS) * (counters)->stride    \
             + (i)], value)

#define ngx_http_gw_count(counters, i)                                        \
    ngx_http_gw_counters_add(counters, i, 1)


#endif /* NGX_HTTP_GW_COUNTERS_H */
