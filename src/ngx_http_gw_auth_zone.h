
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The shared memory of the module: one zone for all that workers know
 * together.  It survives a reload unless its size changes.
 */


#ifndef NGX_HTTP_GW_AUTH_ZONE_H
#define NGX_HTTP_GW_AUTH_ZONE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* changes when something below, or what it points to, moves */
#define NGX_HTTP_GW_AUTH_ZONE_LAYOUT  1

/* bytes, without gw_auth_zone */
#define NGX_HTTP_GW_AUTH_ZONE_SIZE    (8 * 1024 * 1024)


typedef struct {
    ngx_uint_t                  layout;
    uint64_t                    seed[2];   /* random, of this memory */
    void                       *jwks;      /* requested key sets */
} ngx_http_gw_auth_shared_t;


typedef struct {
    ngx_shm_zone_t             *shm_zone;
    ngx_slab_pool_t            *shpool;
    ngx_http_gw_auth_shared_t  *sh;        /* NULL before it is initialized */
} ngx_http_gw_auth_zone_t;


/*
 * Adds the zone to the configuration.
 *
 *     name  of the shared memory
 *     size  bytes
 *     tag   address of the module, as for ngx_shared_memory_add()
 *
 * Returns the zone, or NULL when memory ran out or the name is taken (logged).
 */

ngx_http_gw_auth_zone_t *ngx_http_gw_auth_zone_create(ngx_conf_t *cf,
    ngx_str_t *name, size_t size, void *tag);


#endif /* NGX_HTTP_GW_AUTH_ZONE_H */
