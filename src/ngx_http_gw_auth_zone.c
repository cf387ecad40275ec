
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/rand.h>

#include "ngx_http_gw_auth_zone.h"


static ngx_http_gw_auth_zone_t *ngx_http_gw_auth_zone_create(ngx_conf_t *cf,
    ngx_str_t *name, size_t size);
static void ngx_http_gw_auth_zone_other(ngx_shm_zone_t *shm_zone);
static ngx_int_t ngx_http_gw_auth_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_gw_auth_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone);
static ngx_int_t ngx_http_gw_auth_zone_tables(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_auth_zone_t *zone);
static void *ngx_http_gw_auth_zone_pages(ngx_slab_pool_t *shpool,
    size_t size);


/* its address says whose memory it is */

static const char  ngx_http_gw_auth_zone_tag[] = "gw_auth_zone";


char *
ngx_http_gw_auth_zone_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *base = conf;

    u_char                    *p;
    ssize_t                    size;
    ngx_str_t                 *value, name, text;
    ngx_http_gw_auth_zone_t  **zone;

    zone = (ngx_http_gw_auth_zone_t **) (base + cmd->offset);

    if (*zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    name.data = value[1].data;
    p = (u_char *) ngx_strchr(name.data, ':');

    if (p == NULL || p == name.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone \"%V\", it must be like "
                           "\"auth:8m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    name.len = p - name.data;

    text.data = p + 1;
    text.len = value[1].data + value[1].len - text.data;

    size = ngx_parse_size(&text);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size of the zone \"%V\", it must be like "
                           "\"auth:8m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (size < NGX_HTTP_GW_AUTH_ZONE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the zone \"%V\" is too small, it must have %dk "
                           "at least", &value[1],
                           NGX_HTTP_GW_AUTH_ZONE_MIN / 1024);
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

    ngx_http_gw_auth_zone_other(shm_zone);

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

    if (ngx_http_gw_auth_zone_tables(shm_zone, zone) != NGX_OK) {
        return NGX_ERROR;
    }

    zone->shpool->data = zone->sh;

    return NGX_OK;
}


/* Says so when what a zone of that name holds is left behind by a reload. */

static void
ngx_http_gw_auth_zone_other(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *prev;
    ngx_list_part_t  *part;

    /* still the previous cycle, without zones at the first start */

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;

    for ( /* void */ ; part != NULL; part = part->next) {
        prev = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (prev[i].shm.name.len == shm_zone->shm.name.len
                && ngx_strncmp(prev[i].shm.name.data, shm_zone->shm.name.data,
                               shm_zone->shm.name.len)
                   == 0)
            {
                ngx_log_error(NGX_LOG_NOTICE, shm_zone->shm.log, 0,
                              "gw_auth_zone \"%V\" has another size and "
                              "starts empty", &shm_zone->shm.name);
                return;
            }
        }
    }
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
    uint64_t                    seed[4];
    ngx_http_gw_auth_shared_t  *sh;

    sh = zone->sh;

    if (RAND_bytes((u_char *) seed, sizeof(seed)) != 1
        || RAND_bytes((u_char *) sh->seed, sizeof(sh->seed)) != 1)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no random bytes for gw_auth_zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    sh->layout = NGX_HTTP_GW_AUTH_ZONE_LAYOUT;

    pages = zone->shpool->pfree;

    size = pages / NGX_HTTP_GW_AUTH_ZONE_TOKENS * ngx_pagesize;

    mem = ngx_http_gw_auth_zone_pages(zone->shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    sh->tokens = gw_token_store_create(mem, size, seed);

    size = pages / NGX_HTTP_GW_AUTH_ZONE_BUDGETS * ngx_pagesize;

    mem = ngx_http_gw_auth_zone_pages(zone->shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    sh->budgets = gw_limit_store_create(mem, size, &seed[2]);

    return (sh->tokens && sh->budgets) ? NGX_OK : NGX_ERROR;
}


/* Zeroed pages: a fresh zone is as zero as mmap() made it. */

static void *
ngx_http_gw_auth_zone_pages(ngx_slab_pool_t *shpool, size_t size)
{
    void  *mem;

    mem = ngx_slab_alloc(shpool, size);

#if (NGX_DEBUG_MALLOC || NGX_HAVE_DEBUG_MALLOC)

    if (mem) {
        ngx_memzero(mem, size);
    }

#endif

    return mem;
}
