
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_redis_duty.h"


static ngx_int_t ngx_http_gw_redis_duty_init(ngx_shm_zone_t *shm_zone,
    void *data);


ngx_http_gw_redis_duty_zone_t *
ngx_http_gw_redis_duty_create(ngx_conf_t *cf, ngx_str_t *name, void *tag,
    ngx_str_t *node)
{
    ngx_shm_zone_t                 *shm_zone;
    ngx_http_gw_redis_duty_zone_t  *zone;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_redis_duty_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    shm_zone = ngx_shared_memory_add(cf, name, 8 * ngx_pagesize, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    shm_zone->init = ngx_http_gw_redis_duty_init;
    shm_zone->data = zone;
    zone->node = node;

    return zone;
}


static ngx_int_t
ngx_http_gw_redis_duty_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_gw_redis_duty_zone_t  *prev = data;

    ngx_slab_pool_t                *shpool;
    ngx_http_gw_redis_duty_zone_t  *zone;

    zone = shm_zone->data;

    if (prev) {
        zone->duty = prev->duty;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        zone->duty = shpool->data;
        return NGX_OK;
    }

    zone->duty = ngx_slab_calloc(shpool, sizeof(ngx_http_gw_redis_duty_t));
    if (zone->duty == NULL) {
        return NGX_ERROR;
    }

    /* the name of the first configuration stays: it is the same host */

    zone->duty->node_len = ngx_min(zone->node->len,
                                   NGX_HTTP_GW_REDIS_DUTY_NODE);
    ngx_memcpy(zone->duty->node, zone->node->data, zone->duty->node_len);

    shpool->data = zone->duty;

    return NGX_OK;
}


ngx_uint_t
ngx_http_gw_redis_duty_take(ngx_atomic_t *until, ngx_msec_t wait)
{
    ngx_atomic_uint_t  old;

    /* the clock of all processes is the same, that of the system's start */

    old = *until;

    if (old != 0 && (ngx_msec_int_t) (old - ngx_current_msec) > 0) {
        return 0;
    }

    return ngx_atomic_cmp_set(until, old, ngx_current_msec + wait);
}


ngx_int_t
ngx_http_gw_redis_duty_parse(u_char *data, size_t len,
    ngx_atomic_uint_t *evicted)
{
    u_char  *p, *last;

    static const char  name[] = "evicted_keys:";

    last = data + len;

    p = ngx_strlcasestrn(data, last, (u_char *) name, sizeof(name) - 2);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    *evicted = 0;

    for (p += sizeof(name) - 1; p < last && *p >= '0' && *p <= '9'; p++) {
        *evicted = *evicted * 10 + (*p - '0');
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_gw_redis_duty_evicted(ngx_http_gw_redis_duty_t *duty,
    ngx_atomic_uint_t evicted)
{
    ngx_atomic_uint_t  known;

    known = duty->known;
    duty->known = evicted + 1;

    /* what was before we came is no matter; a new start counts from 0 */

    if (known == 0 || evicted + 1 == known) {
        return 0;
    }

    if (evicted + 1 > known) {
        evicted = evicted + 1 - known;
    }

    if (evicted == 0) {
        return 0;
    }

    (void) ngx_atomic_fetch_add(&duty->evicted, evicted);

    return ngx_atomic_cmp_set(&duty->warned, 0, 1);
}
