
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_zone.h"
#include "ngx_http_gw_memory.h"


static ngx_http_gw_auth_zone_t *ngx_http_gw_auth_zone_create(ngx_conf_t *cf,
    ngx_str_t *name, size_t size);
static ngx_int_t ngx_http_gw_auth_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_gw_auth_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone);
static ngx_int_t ngx_http_gw_auth_zone_tables(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone);


/* its address says whose memory it is */

static const char  ngx_http_gw_auth_zone_tag[] = "gw_auth_zone";


char *
ngx_http_gw_auth_zone_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *base = conf;

    ssize_t                    size;
    ngx_str_t                 *value, name;
    ngx_http_gw_auth_zone_t  **zone;

    zone = (ngx_http_gw_auth_zone_t **) (base + cmd->offset);

    if (*zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_gw_memory_parse(cf, &value[1], 0, NGX_HTTP_GW_AUTH_ZONE_MIN,
                                 &name, &size)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *zone = ngx_http_gw_auth_zone_create(cf, &name, size);

    return *zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_gw_auth_zone_default(ngx_conf_t *cf, ngx_http_gw_auth_zone_t **zone)
{
    ngx_str_t  name;

    if (*zone) {
        return NGX_OK;
    }

    ngx_str_set(&name, "gw_auth");

    *zone = ngx_http_gw_auth_zone_create(cf, &name,
                                         NGX_HTTP_GW_AUTH_ZONE_SIZE);

    return *zone ? NGX_OK : NGX_ERROR;
}


static ngx_http_gw_auth_zone_t *
ngx_http_gw_auth_zone_create(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_http_gw_auth_zone_t  *zone;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->shm_zone = ngx_shared_memory_add(cf, name, size,
                                           (void *) ngx_http_gw_auth_zone_tag);
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

    if (ngx_http_gw_memory_begin(shm_zone, "gw_auth_zone") != NGX_OK) {
        return NGX_ERROR;
    }

    /* running out of it is no accident here */

    zone->shpool->log_nomem = 0;

    zone->sh = ngx_slab_calloc(zone->shpool,
                               sizeof(ngx_http_gw_auth_shared_t));
    if (zone->sh == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_gw_auth_zone_tables(shm_zone, zone) != NGX_OK) {
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


static ngx_int_t
ngx_http_gw_auth_zone_tables(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone)
{
    void                       *mem;
    size_t                      size, pages;
    ngx_http_gw_seed_t          seed, budgets;
    ngx_http_gw_auth_shared_t  *sh;

    sh = zone->sh;

    if (ngx_http_gw_memory_seed(shm_zone, seed) != NGX_OK
        || ngx_http_gw_memory_seed(shm_zone, budgets) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sh->layout = NGX_HTTP_GW_AUTH_ZONE_LAYOUT;

    pages = zone->shpool->pfree;

    size = pages / NGX_HTTP_GW_AUTH_ZONE_TOKENS * ngx_pagesize;

    mem = ngx_http_gw_memory_pages(zone->shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    sh->tokens = gw_token_store_create(mem, size, seed);

    size = pages / NGX_HTTP_GW_AUTH_ZONE_BUDGETS * ngx_pagesize;

    mem = ngx_http_gw_memory_pages(zone->shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    sh->budgets = gw_limit_store_create(mem, size, budgets);

    return (sh->tokens && sh->budgets) ? NGX_OK : NGX_ERROR;
}
