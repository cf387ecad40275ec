
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/rand.h>

#include "ngx_http_gw_limit_memory.h"


/* slab pages that the table leaves for the small allocations */
#define NGX_HTTP_GW_LIMIT_MEMORY_SPARE  1

/* the smallest zone, pages */
#define NGX_HTTP_GW_LIMIT_MEMORY_PAGES  8


static void ngx_http_gw_limit_memory_resized(ngx_shm_zone_t *shm_zone,
    const char *directive);


ngx_int_t
ngx_http_gw_limit_memory_parse(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *name, ssize_t *size)
{
    u_char     *p;
    ngx_str_t   s;

    name->data = value->data + sizeof("zone=") - 1;

    p = (u_char *) ngx_strchr(name->data, ':');

    if (p == NULL || p == name->data) {
        goto invalid;
    }

    name->len = p - name->data;

    s.data = p + 1;
    s.len = value->data + value->len - s.data;

    *size = ngx_parse_size(&s);

    if (*size == NGX_ERROR) {
        goto invalid;
    }

    if (*size < (ssize_t) (NGX_HTTP_GW_LIMIT_MEMORY_PAGES * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small, it needs %ui bytes",
                           value, NGX_HTTP_GW_LIMIT_MEMORY_PAGES
                                  * ngx_pagesize);
        return NGX_ERROR;
    }

    return NGX_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid zone size \"%V\", it must be like "
                       "\"zone=name:1m\"", value);
    return NGX_ERROR;
}


void *
ngx_http_gw_limit_memory_create(ngx_shm_zone_t *shm_zone,
    const char *directive, size_t *size, ngx_http_gw_limit_seed_t seed)
{
    void             *mem;
    size_t            len;
    ngx_slab_pool_t  *shpool;

    ngx_http_gw_limit_memory_resized(shm_zone, directive);

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    len = sizeof(" in  \"\"") + ngx_strlen(directive)
          + shm_zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NULL;
    }

    ngx_sprintf(shpool->log_ctx, " in %s \"%V\"%Z", directive,
                &shm_zone->shm.name);

    if (shpool->pfree <= NGX_HTTP_GW_LIMIT_MEMORY_SPARE) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NULL;
    }

    *size = (shpool->pfree - NGX_HTTP_GW_LIMIT_MEMORY_SPARE) * ngx_pagesize;

    mem = ngx_slab_alloc(shpool, *size);
    if (mem == NULL) {
        return NULL;
    }

#if (NGX_DEBUG_MALLOC || NGX_HAVE_DEBUG_MALLOC)

    /* otherwise it is as zero as mmap() made it, and not yet touched */

    ngx_memzero(mem, *size);

#endif

    if (RAND_bytes((u_char *) seed, sizeof(ngx_http_gw_limit_seed_t)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no random bytes for zone \"%V\"", &shm_zone->shm.name);
        return NULL;
    }

    return mem;
}


static void
ngx_http_gw_limit_memory_resized(ngx_shm_zone_t *shm_zone,
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
ngx_http_gw_limit_memory_key(ngx_shm_zone_t *shm_zone, const char *directive,
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
