
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/rand.h>

#include "ngx_http_gw_auth_zone.h"


static ngx_int_t ngx_http_gw_auth_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_gw_auth_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone);


ngx_http_gw_auth_zone_t *
ngx_http_gw_auth_zone_create(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    void *tag)
{
    ngx_http_gw_auth_zone_t  *zone;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->shm_zone = ngx_shared_memory_add(cf, name, size, tag);
    if (zone->shm_zone == NULL) {
        return NULL;
    }

    zone->shm_zone->init = ngx_http_gw_auth_zone_init;
    zone->shm_zone->data = zone;

    return zone;
}


static ngx_int_t
ngx_http_gw_auth_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_gw_auth_zone_t  *prev = data;

    size_t                    len;
    ngx_http_gw_auth_zone_t  *zone;

    zone = shm_zone->data;

    if (prev) {
        zone->sh = prev->sh;
        zone->shpool = prev->shpool;

        return ngx_http_gw_auth_zone_layout(shm_zone, zone);
    }

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        zone->sh = zone->shpool->data;

        return ngx_http_gw_auth_zone_layout(shm_zone, zone);
    }

    len = sizeof(" in gw_auth_zone \"\"") + shm_zone->shm.name.len;

    zone->shpool->log_ctx = ngx_slab_alloc(zone->shpool, len);
    if (zone->shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(zone->shpool->log_ctx, " in gw_auth_zone \"%V\"%Z",
                &shm_zone->shm.name);

    /* running out of it is no accident here */

    zone->shpool->log_nomem = 0;

    zone->sh = ngx_slab_calloc(zone->shpool,
                               sizeof(ngx_http_gw_auth_shared_t));
    if (zone->sh == NULL) {
        return NGX_ERROR;
    }

    zone->sh->layout = NGX_HTTP_GW_AUTH_ZONE_LAYOUT;

    if (RAND_bytes((u_char *) zone->sh->seed, sizeof(zone->sh->seed)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no random bytes for gw_auth_zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    zone->shpool->data = zone->sh;

    return NGX_OK;
}


/* What another build of the module left is not read. */

static ngx_int_t
ngx_http_gw_auth_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone)
{
    if (zone->sh->layout == NGX_HTTP_GW_AUTH_ZONE_LAYOUT) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "gw_auth_zone \"%V\" is of another build of the module, "
                  "restart nginx", &shm_zone->shm.name);
    return NGX_ERROR;
}
