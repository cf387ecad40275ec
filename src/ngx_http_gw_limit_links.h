
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The links of one worker to the Redis services that the limits use, and
 * what they counted, summed up over all workers.
 */


#ifndef NGX_HTTP_GW_LIMIT_LINKS_H
#define NGX_HTTP_GW_LIMIT_LINKS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_limit_redis.h"
#include "ngx_http_gw_limit_times.h"
#include "ngx_http_gw_metrics.h"
#include "ngx_http_gw_redis_hosts.h"


/* the worker's counters are added to the shared ones that often */
#define NGX_HTTP_GW_LIMIT_LINKS_FLUSH  1000      /* ms */


typedef struct {
    ngx_http_gw_redis_link_t   *link;
    ngx_http_gw_redis_stat_t    flushed;         /* already counted */
} ngx_http_gw_limit_way_t;


typedef struct {
    ngx_http_gw_redis_conf_t   *conf;
    ngx_http_gw_counters_t     *counters;        /* NULL: not used by limits */
    ngx_http_gw_redis_duty_zone_t  *duty;
    ngx_http_gw_redis_link_t   *link;            /* of the worker, the first */
    ngx_http_gw_limit_way_t    *ways;            /* all of them */
    ngx_uint_t                  nways;
    ngx_uint_t                  turn;            /* of decisions */
    ngx_http_gw_redis_hosts_t   hosts;

    /* of its clock to that of this host, usec */
    int64_t                     ahead;
    unsigned                    clock:1;         /* it has told the time */
} ngx_http_gw_limit_service_t;


typedef struct {
    ngx_http_gw_limit_service_t  *services;      /* as in the registry */
    ngx_uint_t                    n;
    ngx_event_t                   flush;
    ngx_event_t                   beat;
} ngx_http_gw_limit_links_t;


/*
 * Adds the counters of a service that a limit uses; when all is parsed.
 *
 *     services  of the registry, ngx_http_gw_redis_conf_t *
 *     n         number of the service
 *     tag       of the shared memory: the module
 *     node      name of this host, read when the configuration is complete
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_limit_links_use(ngx_conf_t *cf,
    ngx_http_gw_limit_links_t *links, ngx_array_t *services, ngx_uint_t n,
    void *tag, ngx_str_t *node);

/* Makes the links of a worker that starts.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_gw_limit_links_start(ngx_http_gw_limit_links_t *links,
    ngx_cycle_t *cycle, ngx_str_t *node);

/* Ends them when the worker exits. */
void ngx_http_gw_limit_links_exit(ngx_http_gw_limit_links_t *links);

/* Returns link n to be asked now, NULL if there is none in this process. */
ngx_http_gw_redis_link_t *ngx_http_gw_limit_link(
    ngx_http_gw_limit_links_t *links, ngx_uint_t n);

/*
 * Returns the link for the next decision: one of "connections" after the
 * other, as long as it is up.  What must keep its order uses one link.
 */
ngx_http_gw_redis_link_t *ngx_http_gw_limit_link_next(
    ngx_http_gw_limit_links_t *links, ngx_uint_t n);

/* Returns the state of a service: the best of its links. */
ngx_http_gw_redis_state_e ngx_http_gw_limit_links_state(
    ngx_http_gw_limit_service_t *service);

/* Returns a service by its name, NULL if the limits do not use it. */
ngx_http_gw_limit_service_t *ngx_http_gw_limit_service_find(
    ngx_http_gw_limit_links_t *links, u_char *name, size_t len);

/*
 * Keeps what time it is at service n.
 *
 *     now  usec since 1970, of a reply that has just come; 0: it has not told
 */
void ngx_http_gw_limit_links_learn(ngx_http_gw_limit_links_t *links,
    ngx_uint_t n, int64_t now);

/* Counts a decision that service n was asked for, and the usec it took. */
void ngx_http_gw_limit_links_took(ngx_http_gw_limit_links_t *links,
    ngx_uint_t n, ngx_http_gw_limit_times_e source, int64_t usec);

/* Returns the number of hosts that use service n, as known last: >= 1. */
ngx_uint_t ngx_http_gw_limit_links_hosts(ngx_http_gw_limit_links_t *links,
    ngx_uint_t n);

/* Returns how far the clock of service n is ahead of this host's, usec. */
int64_t ngx_http_gw_limit_links_ahead(ngx_http_gw_limit_links_t *links,
    ngx_uint_t n);

/* The clock of this host, usec since 1970, as nginx has it. */
int64_t ngx_http_gw_limit_links_now(void);

/* Adds the samples gw_redis_*.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_gw_limit_links_metrics(ngx_http_gw_limit_links_t *links,
    ngx_http_gw_metrics_t *metrics);


#endif /* NGX_HTTP_GW_LIMIT_LINKS_H */
