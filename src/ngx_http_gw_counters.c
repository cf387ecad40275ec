
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_counters.h"


static ngx_int_t ngx_http_gw_counters_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);


ngx_http_gw_counters_t *
ngx_http_gw_counters_create(ngx_conf_t *cf, ngx_str_t *name, void *tag,
    ngx_uint_t n)
{
    size_t                   size;
    ngx_shm_zone_t          *shm_zone;
    ngx_http_gw_counters_t  *counters;

    counters = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_counters_t));
    if (counters == NULL) {
        return NULL;
    }

    counters->n = n;
    counters->stride = ngx_align(n, NGX_HTTP_GW_COUNTERS_LINE);

    size = NGX_HTTP_GW_COUNTERS_ROWS * counters->stride * sizeof(ngx_atomic_t);

    /* the slab pool: its header, a descriptor a page, and its alignment */

    size = ngx_align(size, ngx_pagesize);
    size += (8 + size / ngx_pagesize / 64) * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    shm_zone->init = ngx_http_gw_counters_init_zone;
    shm_zone->data = counters;
    counters->zone = shm_zone;

    return counters;
}


static ngx_int_t
ngx_http_gw_counters_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_gw_counters_t  *prev = data;

    size_t                   size;
    ngx_slab_pool_t         *shpool;
    ngx_http_gw_counters_t  *counters;

    counters = shm_zone->data;

    if (prev) {
        counters->row = prev->row;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        counters->row = shpool->data;
        return NGX_OK;
    }

    size = NGX_HTTP_GW_COUNTERS_ROWS * counters->stride * sizeof(ngx_atomic_t);

    /* more than a page, hence aligned to one: rows start at a cache line */

    counters->row = ngx_slab_calloc(shpool, ngx_align(size, ngx_pagesize));
    if (counters->row == NULL) {
        return NGX_ERROR;
    }

    shpool->data = (void *) counters->row;

    return NGX_OK;
}


uint64_t
ngx_http_gw_counters_sum(ngx_http_gw_counters_t *counters, ngx_uint_t i)
{
    uint64_t    sum;
    ngx_uint_t  row;

    sum = 0;

    for (row = 0; row < NGX_HTTP_GW_COUNTERS_ROWS; row++) {
        sum += counters->row[row * counters->stride + i];
    }

    return sum;
}
