
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * How many hosts share a Redis: one worker of each tells it once a second
 * that its host is alive, and keeps what it answers in shared memory.
 */


#ifndef NGX_HTTP_GW_REDIS_HOSTS_H
#define NGX_HTTP_GW_REDIS_HOSTS_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_redis_link.h"


/* msec between two signs of life of a host, and for which one is believed */
#define NGX_HTTP_GW_REDIS_HOSTS_BEAT  1000
#define NGX_HTTP_GW_REDIS_HOSTS_KEEP  3000

/* no limit is divided by more */
#define NGX_HTTP_GW_REDIS_HOSTS_MAX   10000


/* of one worker and service */

typedef struct {
    ngx_http_gw_redis_link_t  *link;
    ngx_http_gw_redis_conf_t  *conf;
    ngx_http_gw_redis_duty_t  *duty;
    ngx_str_t                  key;
} ngx_http_gw_redis_hosts_t;


/*
 * Prepares the beats of a worker.
 *
 *     pool  of the cycle
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_redis_hosts_start(ngx_http_gw_redis_hosts_t *hosts,
    ngx_pool_t *pool, ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_link_conf_t *lcf);

/* Once a second: tells that the host is alive unless another worker did. */
void ngx_http_gw_redis_hosts_beat(ngx_http_gw_redis_hosts_t *hosts);

/*
 * Returns the number of hosts, as it was known last: 1 or more.  When Redis
 * comes back or has lost its data, hosts that it has not heard of yet count
 * until they have had time to tell it.
 */
ngx_uint_t ngx_http_gw_redis_hosts(ngx_http_gw_redis_duty_t *duty);


#endif /* NGX_HTTP_GW_REDIS_HOSTS_H */
