
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The shared memory of the module: one zone for all that workers know
 * together.  It survives a reload unless its size changes.  A quarter of it
 * is for verified tokens, an eighth for budgets; what is left is a slab pool
 * for requested key sets.
 */


#ifndef NGX_HTTP_GW_AUTH_ZONE_H
#define NGX_HTTP_GW_AUTH_ZONE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_store.h"
#include "gw_token_store.h"


/* changes when something below, or what it points to, moves */
#define NGX_HTTP_GW_AUTH_ZONE_LAYOUT                                          \
    (2 << 16 | GW_TOKEN_STORE_LAYOUT << 8 | GW_LIMIT_STORE_LAYOUT)

/* bytes, without gw_auth_zone */
#define NGX_HTTP_GW_AUTH_ZONE_SIZE    (8 * 1024 * 1024)

/* bytes, the least that has a place for everything */
#define NGX_HTTP_GW_AUTH_ZONE_MIN     (128 * 1024)

/* parts of the pages that are free at first */
#define NGX_HTTP_GW_AUTH_ZONE_TOKENS  4
#define NGX_HTTP_GW_AUTH_ZONE_BUDGETS 8


typedef struct {
    ngx_uint_t                  layout;
    gw_token_store_t           *tokens;
    gw_limit_store_t           *budgets;
    void                       *jwks;      /* requested key sets */
} ngx_http_gw_auth_shared_t;


typedef struct {
    ngx_shm_zone_t             *shm_zone;
    ngx_slab_pool_t            *shpool;
    ngx_http_gw_auth_shared_t  *sh;        /* NULL before it is initialized */
} ngx_http_gw_auth_zone_t;


/*
 * The handler of "gw_auth_zone name:size"; cmd->offset is that of an
 * ngx_http_gw_auth_zone_t * in the main configuration.
 */

char *ngx_http_gw_auth_zone_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Makes a zone "gw_auth" of NGX_HTTP_GW_AUTH_ZONE_SIZE if there is none.
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out or the name is taken
 * (logged).
 */

ngx_int_t ngx_http_gw_auth_zone_default(ngx_conf_t *cf,
    ngx_http_gw_auth_zone_t **zone);


#endif /* NGX_HTTP_GW_AUTH_ZONE_H */
