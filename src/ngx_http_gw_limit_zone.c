
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_fields.h"
#include "ngx_http_gw_limit_plan.h"
#include "ngx_http_gw_limit_zone.h"
#include "ngx_http_gw_memory.h"
#include "ngx_http_gw_value.h"


static ngx_int_t ngx_http_gw_limit_zone_parameter(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ssize_t *size, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_zone_choice(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_zone_rate(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_zone_burst(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_zone_algorithm(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_gw_limit_zone_check(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone);
static ngx_int_t ngx_http_gw_limit_zone_memory(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limit_zone_t *zone, ssize_t size);
static ngx_int_t ngx_http_gw_limit_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_gw_limit_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_limit_zone_t *zone);
static ngx_int_t ngx_http_gw_limit_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_limit_zone_t *zone);


char *
ngx_http_gw_limit_zone_add(ngx_conf_t *cf, void *tag, ngx_array_t *zones)
{
    ssize_t                            size;
    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ngx_http_gw_limit_zone_t          *zone, **zp;

    value = cf->args->elts;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_limit_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_text_compile(cf, &value[1], &zone->key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    zone->rate.value = GW_RATE_INVALID;
    zone->burst.units = -1;
    size = 0;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_gw_limit_zone_parameter(cf, zone, &size, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_gw_limit_zone_check(cf, zone) != NGX_OK
        || ngx_http_gw_limit_zone_memory(cf, tag, zone, size) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    zp = ngx_array_push(zones);
    if (zp == NULL) {
        return NGX_CONF_ERROR;
    }

    *zp = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_limit_zone_parameter(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ssize_t *size, ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_gw_memory_parse(cf, value, 5, ngx_http_gw_memory_min(),
                                        &zone->name, size);
    }

    if (ngx_strncmp(value->data, "rate=", 5) == 0) {
        return ngx_http_gw_limit_zone_rate(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "burst=", 6) == 0) {
        return ngx_http_gw_limit_zone_burst(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "algorithm=", 10) == 0) {
        return ngx_http_gw_limit_zone_algorithm(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "redis=", 6) == 0) {

        zone->service.data = value->data + 6;
        zone->service.len = value->len - 6;

        if (zone->service.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid redis name \"%V\"", value);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "policy=", 7) == 0) {

        zone->policy.data = value->data + 7;
        zone->policy.len = value->len - 7;

        if (zone->policy.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid policy \"%V\", it must be 1 to %d "
                               "characters of printable ASCII", value,
                               GW_RATELIMIT_NAME_MAX);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "full=", 5) == 0
        || ngx_strncmp(value->data, "scope=", 6) == 0)
    {
        return ngx_http_gw_limit_zone_choice(cf, zone, value);
    }

    if (ngx_strncmp(value->data, "unit=", 5) == 0) {
        return ngx_http_gw_limit_unit(cf, value, &zone->unit);
    }

    if (ngx_strcmp(value->data, "mode=strict") == 0) {
        /* the only one, and the default */
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "mode=leased") == 0
        || ngx_strncmp(value->data, "error=", 6) == 0
        || ngx_strncmp(value->data, "ttl=", 4) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not supported in this release, which "
                           "has only \"mode=strict\"", value);
        return NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);
    return NGX_ERROR;
}


/* full=evict | reject, scope=shared | location */

static ngx_int_t
ngx_http_gw_limit_zone_choice(ngx_conf_t *cf, ngx_http_gw_limit_zone_t *zone,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "full=reject") == 0) {
        zone->full = 1;

    } else if (ngx_strcmp(value->data, "full=evict") == 0) {
        zone->full = 0;

    } else if (ngx_strcmp(value->data, "scope=location") == 0) {
        zone->scope = 1;

    } else if (ngx_strcmp(value->data, "scope=shared") == 0) {
        zone->scope = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be "
                           "\"full=evict\", \"full=reject\", "
                           "\"scope=shared\" or \"scope=location\"", value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_zone_rate(ngx_conf_t *cf, ngx_http_gw_limit_zone_t *zone,
    ngx_str_t *value)
{
    ngx_http_complex_value_t  *cv;

    cv = ngx_http_gw_value_create(cf, value, 5);
    if (cv == NULL) {
        return NGX_ERROR;
    }

    if (cv->lengths != NULL) {

        if (zone->rate_cv != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is the second rate with variables, the "
                               "default must have none", value);
            return NGX_ERROR;
        }

        zone->rate_cv = cv;

        return NGX_OK;
    }

    if (zone->rate.value == GW_RATE_GIVEN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate rate \"%V\", only a rate with variables "
                           "has a default", value);
        return NGX_ERROR;
    }

    if (gw_rate_parse(value->data + 5, value->len - 5, &zone->rate.rate)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rate \"%V\", it must be like \"10r/s\" or "
                           "\"10r/5m\", at most %d a second", value,
                           GW_RATE_MAX);
        return NGX_ERROR;
    }

    zone->rate.value = GW_RATE_GIVEN;

    gw_rate_window(&zone->rate.rate, &zone->rate.quota, &zone->rate.window);

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_zone_burst(ngx_conf_t *cf, ngx_http_gw_limit_zone_t *zone,
    ngx_str_t *value)
{
    ngx_http_gw_limit_number_t  number;

    if (ngx_http_gw_limit_number_conf(cf, &number, value, sizeof("burst=") - 1,
                                      0, GW_GCRA_CAPACITY_MAX - 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (number.cv != NULL && zone->burst.cv == NULL) {
        zone->burst.cv = number.cv;
        return NGX_OK;
    }

    if (number.cv == NULL && zone->burst.units == -1) {
        zone->burst.units = number.units;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "duplicate burst \"%V\", only a burst with variables "
                       "has a default", value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_limit_zone_algorithm(ngx_conf_t *cf,
    ngx_http_gw_limit_zone_t *zone, ngx_str_t *value)
{
    u_char  *name;

    name = value->data + sizeof("algorithm=") - 1;

    if (ngx_strcmp(name, "gcra") == 0) {
        zone->algorithm = NGX_HTTP_GW_LIMIT_GCRA;

    } else if (ngx_strcmp(name, "sliding") == 0) {
        zone->algorithm = NGX_HTTP_GW_LIMIT_SLIDING;

    } else if (ngx_strcmp(name, "fixed") == 0) {
        zone->algorithm = NGX_HTTP_GW_LIMIT_FIXED;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid algorithm \"%V\", it must be \"gcra\", "
                           "\"sliding\" or \"fixed\"", value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_zone_check(ngx_conf_t *cf, ngx_http_gw_limit_zone_t *zone)
{
    ngx_uint_t   i;
    ngx_str_t   *value;

    value = cf->args->elts;

    if (zone->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter", &value[0]);
        return NGX_ERROR;
    }

    if (zone->rate.value != GW_RATE_GIVEN && zone->rate_cv == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"rate\" parameter", &value[0]);
        return NGX_ERROR;
    }

    if (zone->algorithm != NGX_HTTP_GW_LIMIT_GCRA) {

        if (zone->burst.units != -1 || zone->burst.cv != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a window has no \"burst\", only "
                               "\"algorithm=gcra\" has one in zone \"%V\"",
                               &zone->name);
            return NGX_ERROR;
        }

        if (zone->rate.value == GW_RATE_GIVEN
            && zone->rate.rate.count > GW_WINDOW_LIMIT_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a window of zone \"%V\" has more than %L "
                               "units, use \"algorithm=gcra\" or a shorter "
                               "period", &zone->name, GW_WINDOW_LIMIT_MAX);
            return NGX_ERROR;
        }
    }

    zone->most = ngx_max(zone->burst.units, 0);

    if (zone->policy.len == 0) {
        zone->policy = zone->name;
    }

    if (!gw_ratelimit_name_valid(zone->policy.data, zone->policy.len)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid policy \"%V\", it must be 1 to %d "
                           "characters of printable ASCII", &zone->policy,
                           GW_RATELIMIT_NAME_MAX);
        return NGX_ERROR;
    }

    if (zone->service.len == 0) {

        for (i = 2; i < cf->args->nelts; i++) {
            if (ngx_strncmp(value[i].data, "mode=", 5) == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" needs the \"redis\" parameter",
                                   &value[i]);
                return NGX_ERROR;
            }
        }

    } else if (zone->rate.value == GW_RATE_GIVEN
               && zone->rate.rate.count > zone->rate.rate.period / 1000000.0
                                          * NGX_HTTP_GW_LIMIT_REDIS_RATE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the rate of zone \"%V\" is above %d a second, too "
                           "much for \"redis\"", &zone->name,
                           NGX_HTTP_GW_LIMIT_REDIS_RATE);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_zone_memory(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limit_zone_t *zone, ssize_t size)
{
    ngx_str_t                  name, *value;
    ngx_shm_zone_t            *shm_zone;
    ngx_http_gw_limit_zone_t  *prev;

    value = cf->args->elts;

    shm_zone = ngx_shared_memory_add(cf, &zone->name, size, tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    if (shm_zone->data) {
        prev = shm_zone->data;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V \"%V\" is already bound to key \"%V\"",
                           &value[0], &zone->name, &prev->key.cv.value);
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_gw_limit_zone_init;
    shm_zone->data = zone;

    /* the counters survive a change of the size */

    name.len = sizeof("gw_limit_counters:") - 1 + zone->name.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "gw_limit_counters:%V", &zone->name);

    zone->counters = ngx_http_gw_counters_create(cf, &name, tag,
                                                 NGX_HTTP_GW_LIMIT_COUNTERS);

    return (zone->counters == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_zone_resolve(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_array_t *services)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        if (zone[i]->service.len == 0) {
            continue;
        }

        zone[i]->redis = ngx_http_gw_redis_of_zone(cf, services,
                                                   &zone[i]->service,
                                                   "gw_limit_zone",
                                                   &zone[i]->name,
                                                   &zone[i]->link);
        if (zone[i]->redis == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_gw_limit_zone_t  *prev = data;

    ngx_http_gw_limit_zone_t  *zone;

    zone = shm_zone->data;

    if (prev) {

        if (ngx_http_gw_memory_key(shm_zone, "gw_limit_zone",
                                   &zone->key.cv.value,
                                   &prev->key.cv.value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        zone->shared = prev->shared;
        zone->shpool = prev->shpool;

        return ngx_http_gw_limit_zone_layout(shm_zone, zone);
    }

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        zone->shared = zone->shpool->data;
        return ngx_http_gw_limit_zone_layout(shm_zone, zone);
    }

    return ngx_http_gw_limit_zone_create(shm_zone, zone);
}


/* What another build of the module left is not read. */

static ngx_int_t
ngx_http_gw_limit_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_limit_zone_t *zone)
{
    if (zone->shared->store->layout == GW_LIMIT_STORE_LAYOUT) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "gw_limit_zone \"%V\" is of another build of the module, "
                  "restart nginx", &zone->name);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_limit_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_limit_zone_t *zone)
{
    void                *mem;
    size_t               size;
    ngx_http_gw_seed_t   seed;

    mem = ngx_http_gw_memory_table(shm_zone, "gw_limit_zone", &size, seed);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    zone->shared = ngx_slab_calloc(zone->shpool,
                                   sizeof(ngx_http_gw_limit_shared_t));
    if (zone->shared == NULL) {
        return NGX_ERROR;
    }

    zone->shared->store = gw_limit_store_create(mem, size, seed);
    if (zone->shared->store == NULL) {
        return NGX_ERROR;
    }

    zone->shpool->data = zone->shared;

    return NGX_OK;
}


void
ngx_http_gw_limit_zone_key(ngx_http_gw_limit_zone_t *zone,
    ngx_uint_t algorithm, ngx_str_t *value, gw_limit_key_t *key)
{
    gw_limit_store_key(zone->shared->store, value->data, value->len, key);

    /* what another algorithm has left is another key */

    key->key[0] ^= algorithm;
}


int64_t
ngx_http_gw_limit_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec + 1;
}
