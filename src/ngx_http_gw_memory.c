
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/rand.h>

#include "ngx_http_gw_memory.h"


/* slab pages that a table leaves for the small allocations */
#define NGX_HTTP_GW_MEMORY_SPARE  1


static void ngx_http_gw_memory_resized(ngx_shm_zone_t *shm_zone,
    const char *directive);


ngx_int_t
ngx_http_gw_memory_parse(ngx_conf_t *cf, ngx_str_t *param, size_t skip,
    ssize_t min, ngx_str_t *name, ssize_t *size)
{
    u_char     *p, *start;
    ngx_str_t   s;

    start = param->data + skip;

    p = (u_char *) ngx_strchr(start, ':');

    if (p == NULL || p == start) {
        goto invalid;
    }

    name->data = start;
    name->len = p - start;

    s.data = p + 1;
    s.len = param->data + param->len - s.data;

    *size = ngx_parse_size(&s);

    if (*size == NGX_ERROR) {
        goto invalid;
    }

    if (*size < min) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small, it must have %uzk at "
                           "least", param, min / 1024);
        return NGX_ERROR;
    }

    return NGX_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid zone size \"%V\", it must be like "
                       "\"%*sname:1m\"", param, skip, param->data);
    return NGX_ERROR;
}


ngx_int_t
ngx_http_gw_memory_begin(ngx_shm_zone_t *shm_zone, const char *directive)
{
    size_t            len;
    ngx_slab_pool_t  *shpool;

    ngx_http_gw_memory_resized(shm_zone, directive);

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    len = sizeof(" in  \"\"") + ngx_strlen(directive)
          + shm_zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(shpool->log_ctx, " in %s \"%V\"%Z", directive,
                &shm_zone->shm.name);

    return NGX_OK;
}


void *
ngx_http_gw_memory_pages(ngx_slab_pool_t *shpool, size_t size)
{
    void  *mem;

    mem = ngx_slab_alloc(shpool, size);

#if (NGX_DEBUG_MALLOC || NGX_HAVE_DEBUG_MALLOC)

    /* otherwise it is as zero as mmap() made it, and not yet touched */

    if (mem) {
        ngx_memzero(mem, size);
    }

#endif

    return mem;
}


ngx_int_t
ngx_http_gw_memory_seed(ngx_shm_zone_t *shm_zone, ngx_http_gw_seed_t seed)
{
    if (RAND_bytes((u_char *) seed, sizeof(ngx_http_gw_seed_t)) == 1) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "no random bytes for zone \"%V\"", &shm_zone->shm.name);
    return NGX_ERROR;
}


void *
ngx_http_gw_memory_table(ngx_shm_zone_t *shm_zone, const char *directive,
    size_t *size, ngx_http_gw_seed_t seed)
{
    ngx_slab_pool_t  *shpool;

    if (ngx_http_gw_memory_begin(shm_zone, directive) != NGX_OK
        || ngx_http_gw_memory_seed(shm_zone, seed) != NGX_OK)
    {
        return NULL;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shpool->pfree <= NGX_HTTP_GW_MEMORY_SPARE) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NULL;
    }

    *size = (shpool->pfree - NGX_HTTP_GW_MEMORY_SPARE) * ngx_pagesize;

    return ngx_http_gw_memory_pages(shpool, *size);
}


static void
ngx_http_gw_memory_resized(ngx_shm_zone_t *shm_zone,
    const char *directive)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *prev;
    ngx_list_part_t  *part;

    /* still the previous cycle, without zones at the first start */

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;

    for ( /* void */ ; part != NULL; part = part->next) {
        prev = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (prev[i].tag == shm_zone->tag
                && prev[i].shm.size != shm_zone->shm.size
                && prev[i].shm.name.len == shm_zone->shm.name.len
                && ngx_strncmp(prev[i].shm.name.data, shm_zone->shm.name.data,
                               shm_zone->shm.name.len)
                   == 0)
            {
                ngx_log_error(NGX_LOG_NOTICE, shm_zone->shm.log, 0,
                              "%s \"%V\" has another size and starts empty",
                              directive, &shm_zone->shm.name);
                return;
            }
        }
    }
}


ngx_int_t
ngx_http_gw_memory_key(ngx_shm_zone_t *shm_zone, const char *directive,
    ngx_str_t *key, ngx_str_t *prev)
{
    if (key->len == prev->len
        && ngx_strncmp(key->data, prev->data, key->len) == 0)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "%s \"%V\" uses the \"%V\" key while previously it used "
                  "the \"%V\" key", directive, &shm_zone->shm.name, key, prev);
    return NGX_ERROR;
}
