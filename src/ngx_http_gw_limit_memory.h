
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A zone of shared memory whose pages are one table: what the directives
 * gw_*_zone have in common.
 */


#ifndef NGX_HTTP_GW_LIMIT_MEMORY_H
#define NGX_HTTP_GW_LIMIT_MEMORY_H


#include <ngx_config.h>
#include <ngx_core.h>


/* room for the seed of a keyed hash */

typedef uint64_t  ngx_http_gw_limit_seed_t[2];


/*
 * Parses the parameter "zone=name:size".
 *
 *     name, size  out: size in bytes, at least 8 pages
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_limit_memory_parse(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *name, ssize_t *size);

/*
 * Takes the pages of a new zone, but a few for small allocations; says so
 * when a reload leaves a zone of another size behind.
 *
 *     directive  of the zone, for messages
 *     size       out: bytes of the memory
 *     seed       out: random
 *
 * Returns zeroed memory, or NULL after the reason is logged.
 */
void *ngx_http_gw_limit_memory_create(ngx_shm_zone_t *shm_zone,
    const char *directive, size_t *size, ngx_http_gw_limit_seed_t seed);

/*
 * Checks that a reload keeps the key of a zone.
 *
 *     key, prev  texts of the directive, now and before
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_limit_memory_key(ngx_shm_zone_t *shm_zone,
    const char *directive, ngx_str_t *key, ngx_str_t *prev);


#endif /* NGX_HTTP_GW_LIMIT_MEMORY_H */
