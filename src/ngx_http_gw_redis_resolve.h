
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The address of a Redis that is given by name with "resolve": asked of
 * nginx's resolver, never of the system, and again when its time is over.
 */


#ifndef NGX_HTTP_GW_REDIS_RESOLVE_H
#define NGX_HTTP_GW_REDIS_RESOLVE_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_redis_wire.h"


/*
 * Starts to resolve, if the service is of that kind.  Each answer with
 * another address ends in ngx_http_gw_redis_link_move().
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_redis_resolve_start(ngx_http_gw_redis_link_t *link,
    ngx_pool_t *pool);

/* Returns the address to connect to, NULL if none is known yet. */
ngx_addr_t *ngx_http_gw_redis_resolve_addr(ngx_http_gw_redis_link_t *link);

/* Nobody answers at that address: takes the next one of the name. */
void ngx_http_gw_redis_resolve_next(ngx_http_gw_redis_link_t *link);

/* Ends it when the worker exits. */
void ngx_http_gw_redis_resolve_exit(ngx_http_gw_redis_link_t *link);


#endif /* NGX_HTTP_GW_REDIS_RESOLVE_H */
