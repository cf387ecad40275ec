
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Zones of shared memory: what all directives that make one have in common.
 */


#ifndef NGX_HTTP_GW_MEMORY_H
#define NGX_HTTP_GW_MEMORY_H


#include <ngx_config.h>
#include <ngx_core.h>


/* the seed of a keyed hash */

typedef uint64_t  ngx_http_gw_seed_t[2];


/*
 * Parses "name:size".
 *
 *     param  the whole parameter, for messages
 *     skip   bytes of it before the name, such as "zone="
 *     min    bytes
 *     name, size  out: on NGX_OK; size in bytes
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_memory_parse(ngx_conf_t *cf, ngx_str_t *param,
    size_t skip, ssize_t min, ngx_str_t *name, ssize_t *size);

/*
 * Prepares the slab pool of a new zone; says so when a reload leaves a zone of
 * another size behind.
 *
 *     directive  of the zone, for messages
 *
 * Returns NGX_OK, or NGX_ERROR when the zone is too small.
 */
ngx_int_t ngx_http_gw_memory_begin(ngx_shm_zone_t *shm_zone,
    const char *directive);

/*
 * Takes pages of a new zone.
 *
 *     size  bytes, of whole pages
 *
 * Returns zeroed memory, or NULL.
 */
void *ngx_http_gw_memory_pages(ngx_slab_pool_t *shpool, size_t size);

/*
 * Makes a secret.
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_memory_seed(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_seed_t seed);

/*
 * ngx_http_gw_memory_begin() for a zone whose pages are one table, but one for
 * small allocations.
 *
 *     size       out: bytes of the memory
 *     seed       out: random
 *
 * Returns zeroed memory, or NULL after the reason is logged.
 */
void *ngx_http_gw_memory_table(ngx_shm_zone_t *shm_zone,
    const char *directive, size_t *size, ngx_http_gw_seed_t seed);

/*
 * Checks that a reload keeps the key of a zone.
 *
 *     key, prev  texts of the directive, now and before
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_memory_key(ngx_shm_zone_t *shm_zone,
    const char *directive, ngx_str_t *key, ngx_str_t *prev);


/* bytes: the smallest zone with a table */

#define ngx_http_gw_memory_min()  ((ssize_t) (8 * ngx_pagesize))


#endif /* NGX_HTTP_GW_MEMORY_H */
