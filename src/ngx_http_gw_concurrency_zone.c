
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_concurrency_zone.h"
#include "ngx_http_gw_memory.h"
#include "ngx_http_gw_value.h"


/* ms: the life of a field in Redis */
#define NGX_HTTP_GW_CONCURRENCY_BEAT      2000
#define NGX_HTTP_GW_CONCURRENCY_BEAT_MIN  100
#define NGX_HTTP_GW_CONCURRENCY_BEAT_MAX  60000


static ngx_int_t ngx_http_gw_concurrency_zone_parameter(ngx_conf_t *cf,
    ngx_http_gw_concurrency_zone_t *zone, ssize_t *size, ngx_str_t *value);
static ngx_int_t ngx_http_gw_concurrency_zone_check(ngx_conf_t *cf,
    ngx_http_gw_concurrency_zone_t *zone);
static ngx_int_t ngx_http_gw_concurrency_zone_memory(ngx_conf_t *cf,
    ngx_http_gw_concurrency_zone_t *zone, ssize_t size);
static ngx_int_t ngx_http_gw_concurrency_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_gw_concurrency_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_concurrency_zone_t *zone);
static void ngx_http_gw_concurrency_zone_enter(
    ngx_http_gw_concurrency_zone_t *zone);
static int ngx_http_gw_concurrency_alive(uint32_t pid);
static ngx_int_t ngx_http_gw_concurrency_zone_metrics(
    ngx_http_gw_concurrency_zone_t *zone, ngx_http_gw_metrics_t *metrics);


static const gw_metric_desc_t  ngx_http_gw_concurrency_requests = {
    "gw_concurrency_requests_total", "Requests by policy and result.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_concurrency_progress = {
    "gw_concurrency_in_progress", "Requests in progress on this host.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_concurrency_uncounted = {
    "gw_concurrency_uncounted_total", "Requests passed without a place.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_concurrency_keys = {
    "gw_zone_keys", "Slots of the zone that hold or held a key.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_concurrency_slots = {
    "gw_zone_slots", "Keys that the zone can hold.", GW_METRIC_GAUGE
};


static const char *const  ngx_http_gw_concurrency_results[] = {
    "passed", "rejected", "rejected_dry_run", "error_passed",
    "error_rejected", "fallback_passed"
};


void *
ngx_http_gw_concurrency_tag(void)
{
    return (void *) ngx_http_gw_concurrency_results;
}


char *
ngx_http_gw_concurrency_zone_add(ngx_conf_t *cf, ngx_array_t *zones)
{
    ssize_t                            size;
    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ngx_http_gw_concurrency_zone_t    *zone, **zp;

    value = cf->args->elts;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_concurrency_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->self.alive = ngx_http_gw_concurrency_alive;

    if (ngx_http_gw_text_compile(cf, &value[1], &zone->key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    size = 0;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_gw_concurrency_zone_parameter(cf, zone, &size, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_gw_concurrency_zone_check(cf, zone) != NGX_OK
        || ngx_http_gw_concurrency_zone_memory(cf, zone, size) != NGX_OK)
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
ngx_http_gw_concurrency_zone_parameter(ngx_conf_t *cf,
    ngx_http_gw_concurrency_zone_t *zone, ssize_t *size, ngx_str_t *value)
{
    ngx_int_t  beat;
    ngx_str_t  s;

    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_gw_memory_parse(cf, value, 5, ngx_http_gw_memory_min(),
                                        &zone->name, size);
    }

    if (ngx_strncmp(value->data, "policy=", 7) == 0) {

        zone->policy.data = value->data + 7;
        zone->policy.len = value->len - 7;

        if (!gw_ratelimit_name_valid(zone->policy.data, zone->policy.len)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid policy \"%V\", it must be 1 to %d "
                               "characters of printable ASCII", value,
                               GW_RATELIMIT_NAME_MAX);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "redis=", 6) == 0) {

        zone->remote.service.data = value->data + 6;
        zone->remote.service.len = value->len - 6;

        if (zone->remote.service.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid redis name \"%V\"", value);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "heartbeat=", 10) == 0) {

        s.data = value->data + 10;
        s.len = value->len - 10;

        beat = ngx_parse_time(&s, 0);

        if (beat == NGX_ERROR
            || beat < NGX_HTTP_GW_CONCURRENCY_BEAT_MIN
            || beat > NGX_HTTP_GW_CONCURRENCY_BEAT_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\", the heartbeat must be a "
                               "time from 100ms to 60s", value);
            return NGX_ERROR;
        }

        zone->remote.heartbeat = beat;

        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_concurrency_zone_check(ngx_conf_t *cf,
    ngx_http_gw_concurrency_zone_t *zone)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (zone->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone\" parameter", &value[0]);
        return NGX_ERROR;
    }

    if (zone->remote.heartbeat == 0) {
        zone->remote.heartbeat = NGX_HTTP_GW_CONCURRENCY_BEAT;

    } else if (zone->remote.service.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the parameter \"heartbeat\" of \"%V\" needs the "
                           "\"redis\" parameter", &value[0]);
        return NGX_ERROR;
    }

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

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_concurrency_zone_memory(ngx_conf_t *cf,
    ngx_http_gw_concurrency_zone_t *zone, ssize_t size)
{
    ngx_str_t        name, *value;
    ngx_shm_zone_t  *shm_zone;

    value = cf->args->elts;

    shm_zone = ngx_shared_memory_add(cf, &zone->name, size,
                                     ngx_http_gw_concurrency_tag());
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the zone \"%V\" of \"%V\" is already defined, "
                           "use another name", &zone->name, &value[0]);
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_gw_concurrency_zone_init;
    shm_zone->data = zone;

    /* the counters survive a change of the size */

    name.len = sizeof("gw_concurrency_counters:") - 1 + zone->name.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "gw_concurrency_counters:%V", &zone->name);

    zone->counters = ngx_http_gw_counters_create(cf, &name,
                                              ngx_http_gw_concurrency_tag(),
                                              NGX_HTTP_GW_CONCURRENCY_RESULTS);

    return (zone->counters == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_gw_concurrency_zones_resolve(ngx_conf_t *cf, ngx_array_t *zones,
    ngx_array_t *services, ngx_str_t *host)
{
    ngx_uint_t                         i;
    ngx_http_gw_concurrency_zone_t   **zone;
    ngx_http_gw_concurrency_remote_t  *remote;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        remote = &zone[i]->remote;

        if (remote->service.len == 0) {
            continue;
        }

        remote->host = host;

        remote->redis = ngx_http_gw_redis_of_zone(cf, services,
                                                  &remote->service,
                                                  "gw_concurrency_zone",
                                                  &zone[i]->name,
                                                  &remote->number);
        if (remote->redis == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_concurrency_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_gw_concurrency_zone_t  *prev = data;

    ngx_http_gw_concurrency_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (prev) {

        if (ngx_http_gw_memory_key(shm_zone, "gw_concurrency_zone",
                                         &zone->key.cv.value,
                                         &prev->key.cv.value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        zone->store = prev->store;

        /* without a master it goes on in the same process */

        zone->self = prev->self;
        zone->pid = prev->pid;

    } else if (shm_zone->shm.exists) {
        zone->store = zone->shpool->data;

    } else {
        return ngx_http_gw_concurrency_zone_create(shm_zone, zone);
    }

    if (zone->store->layout != GW_CONCURRENCY_LAYOUT) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "gw_concurrency_zone \"%V\" is of another build of the "
                      "module, restart nginx", &zone->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_concurrency_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_http_gw_concurrency_zone_t *zone)
{
    void                      *mem;
    size_t                     size;
    ngx_http_gw_seed_t   seed;

    mem = ngx_http_gw_memory_table(shm_zone, "gw_concurrency_zone",
                                          &size, seed);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    zone->store = gw_concurrency_store_create(mem, size, seed);

    if (zone->store == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &zone->name);
        return NGX_ERROR;
    }

    zone->shpool->data = zone->store;

    return NGX_OK;
}


/*
 * The slot of a process is that of the killed one it replaces, and no other
 * process of this master has the same.
 */

static void
ngx_http_gw_concurrency_zone_enter(ngx_http_gw_concurrency_zone_t *zone)
{
    gw_concurrency_store_enter(zone->store, ngx_process_slot,
                               (uint32_t) ngx_pid, &zone->self);
    zone->pid = ngx_pid;
}


/* A killed worker is a process until the master has asked for its status. */

static int
ngx_http_gw_concurrency_alive(uint32_t pid)
{
    return kill((ngx_pid_t) pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}


void
ngx_http_gw_concurrency_zones_leave(ngx_array_t *zones)
{
    ngx_uint_t                       i;
    ngx_http_gw_concurrency_zone_t  *zone, **zp;

    zp = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        zone = zp[i];

        if (zone->pid == ngx_pid) {
            ngx_shmtx_lock(&zone->shpool->mutex);
            gw_concurrency_store_leave(zone->store, &zone->self);
            ngx_shmtx_unlock(&zone->shpool->mutex);
        }
    }
}


ngx_int_t
ngx_http_gw_concurrency_zone_take(ngx_http_gw_concurrency_zone_t *zone,
    ngx_str_t *value, uint64_t limit, uint32_t *hold, uint64_t *current)
{
    gw_status_e           rc;
    gw_concurrency_key_t  key;

    gw_concurrency_store_key(zone->store, value->data, value->len, &key);

    zone->self.now = (uint32_t) ngx_current_msec;

    /* the mutex of the slab pool: nginx unlocks it for a killed worker */

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (zone->pid != ngx_pid) {
        ngx_http_gw_concurrency_zone_enter(zone);
    }

    rc = gw_concurrency_store_take(zone->store, &zone->self, &key, limit, hold,
                                   current);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return (rc == GW_OK) ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_gw_concurrency_zone_give(ngx_http_gw_concurrency_zone_t *zone,
    uint32_t hold)
{
    gw_concurrency_store_give(zone->store, &zone->self, hold);
}


ngx_int_t
ngx_http_gw_concurrency_metrics(ngx_array_t *zones,
    ngx_http_gw_metrics_t *metrics)
{
    uint64_t                          value;
    ngx_uint_t                        i, result;
    gw_metric_label_t                 labels[2];
    ngx_http_gw_concurrency_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        labels[0].name = "policy";
        labels[0].data = zone[i]->policy.data;
        labels[0].len = zone[i]->policy.len;

        for (result = 0; result < NGX_HTTP_GW_CONCURRENCY_RESULTS; result++) {

            value = ngx_http_gw_counters_sum(zone[i]->counters, result);

            /* the usual ones are there from start */

            if (value == 0 && result > NGX_HTTP_GW_CONCURRENCY_COUNT_REJECTED)
            {
                continue;
            }

            labels[1].name = "result";
            labels[1].data = (u_char *)
                                       ngx_http_gw_concurrency_results[result];
            labels[1].len = ngx_strlen(labels[1].data);

            if (ngx_http_gw_metrics_add(metrics,
                                        &ngx_http_gw_concurrency_requests, 2,
                                        labels, value)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        value = gw_concurrency_store_total(zone[i]->store, &zone[i]->self);

        if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_concurrency_progress,
                                    1, labels, value)
            != NGX_OK
            || ngx_http_gw_concurrency_zone_metrics(zone[i], metrics)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_concurrency_zone_metrics(ngx_http_gw_concurrency_zone_t *zone,
    ngx_http_gw_metrics_t *metrics)
{
    gw_metric_label_t        label;
    gw_concurrency_store_t  *store;

    store = zone->store;

    label.name = "zone";
    label.data = zone->name.data;
    label.len = zone->name.len;

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_concurrency_keys, 1,
                                &label, store->used)
        != NGX_OK
        || ngx_http_gw_metrics_add(metrics, &ngx_http_gw_concurrency_slots, 1,
                                   &label, store->ncells)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_metrics_add(metrics, &ngx_http_gw_concurrency_uncounted,
                                   1, &label, store->unstored);
}
