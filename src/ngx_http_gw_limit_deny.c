
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_deny.h"


/* lost races of a request that wants to ask */
#define NGX_HTTP_GW_LIMIT_DENY_TRIES  4


static gw_status_e ngx_http_gw_limit_deny_look(
    ngx_http_gw_limit_entry_t *entry, gw_gcra_result_t *res);
static void ngx_http_gw_limit_deny_plan(gw_limit_deny_plan_t *plan,
    ngx_http_gw_limit_plan_t *from);


ngx_int_t
ngx_http_gw_limit_deny(ngx_http_gw_limit_set_t *set, ngx_msec_t time)
{
    ngx_uint_t                  i;
    gw_status_e                 rc;
    gw_gcra_result_t            res;
    ngx_http_gw_limit_entry_t  *entry;

    set->deny = time;

    if (time == 0) {
        return NGX_OK;
    }

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        /* a penalty is charged in Redis each time */

        if (entry->place != NGX_HTTP_GW_LIMIT_REMOTE
            || entry->shadow
            || entry->limit->penalized)
        {
            continue;
        }

        rc = ngx_http_gw_limit_deny_look(entry, &res);

        entry->known = (rc == GW_OK);

        if (rc != GW_DECLINED) {
            continue;
        }

        ngx_http_gw_limit_answer(entry, NGX_HTTP_GW_LIMIT_DENY_CACHE,
                                 &entry->plan->remote, &res, 1);

        /* of several that have no room, the one to wait longest for */

        if (set->failed == NULL
            || (set->failed->retry != -1
                && (entry->retry == -1 || entry->retry > set->failed->retry)))
        {
            set->failed = entry;
        }
    }

    return (set->failed == NULL) ? NGX_OK : NGX_DECLINED;
}


static gw_status_e
ngx_http_gw_limit_deny_look(ngx_http_gw_limit_entry_t *entry,
    gw_gcra_result_t *res)
{
    gw_limit_deny_plan_t       plan;
    ngx_http_gw_limit_zone_t  *zone;

    zone = entry->limit->zone;

    ngx_http_gw_limit_hash(entry);
    ngx_http_gw_limit_deny_plan(&plan, entry->plan);

    return gw_limit_deny_look(zone->shared->store, &entry->key, &plan,
                              ngx_http_gw_limit_clock(), zone->redis->timeout,
                              entry->cost, &entry->deny, res);
}


static void
ngx_http_gw_limit_deny_plan(gw_limit_deny_plan_t *plan,
    ngx_http_gw_limit_plan_t *from)
{
    plan->gcra = NULL;
    plan->window = NULL;

    if (from->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        plan->gcra = &from->remote;

    } else {
        plan->window = &from->far;
    }
}


ngx_int_t
ngx_http_gw_limit_deny_reserve(ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t                  i, n;
    gw_status_e                 rc;
    gw_gcra_result_t            res;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        for (n = 0; n < NGX_HTTP_GW_LIMIT_DENY_TRIES && entry->known; n++) {

            if (gw_limit_deny_reserve(&entry->deny) == GW_OK) {
                entry->reserved = 1;
                break;
            }

            rc = ngx_http_gw_limit_deny_look(entry, &res);

            entry->known = (rc == GW_OK);

            if (rc == GW_DECLINED) {
                ngx_http_gw_limit_answer(entry, NGX_HTTP_GW_LIMIT_DENY_CACHE,
                                         &entry->plan->remote, &res, 1);
                set->failed = entry;

                ngx_http_gw_limit_deny_release(set);

                return NGX_DECLINED;
            }
        }
    }

    return NGX_OK;
}


void
ngx_http_gw_limit_deny_release(ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->reserved) {
            entry->reserved = 0;
            gw_limit_deny_release(&entry->deny);
        }
    }
}


void
ngx_http_gw_limit_deny_told(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_calls_t *calls)
{
    int64_t                          now;
    ngx_uint_t                       i;
    gw_limit_deny_told_t             told;
    gw_limit_deny_plan_t             plan;
    ngx_http_gw_limit_entry_t       *entry;
    ngx_http_gw_limit_redis_cell_t  *cell;

    if (set->deny == 0) {
        return;
    }

    now = 0;
    cell = calls->take.cells;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->place != NGX_HTTP_GW_LIMIT_REMOTE) {
            continue;
        }

        entry->reserved = 0;

        /* what is known of a key stays known while it is asked for */

        if (!entry->shadow
            && !entry->limit->penalized
            && (entry->known || cell->status == NGX_DECLINED))
        {
            if (now == 0) {
                now = ngx_http_gw_limit_clock();
            }

            told.now = calls->take.now;
            told.tat = cell->result.tat;
            told.count = cell->counted.count;
            told.previous = cell->counted.previous;

            ngx_http_gw_limit_deny_plan(&plan, entry->plan);

            gw_limit_deny_keep(entry->limit->zone->shared->store, &entry->key,
                               &plan, &told, calls->asked, now, set->deny);
        }

        cell++;
    }
}


void
ngx_http_gw_limit_deny_drop(ngx_http_gw_limit_entry_t *entry)
{
    ngx_http_gw_limit_hash(entry);
    gw_limit_deny_drop(entry->limit->zone->shared->store, &entry->key);
}


char *
ngx_http_gw_limit_deny_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    ngx_str_t   *value;
    ngx_int_t    ms;
    ngx_msec_t  *time;

    time = (ngx_msec_t *) (p + cmd->offset);

    if (*time != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;
    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR || ms > GW_LIMIT_DENY_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\", it must be 0, or a time of "
                           "at most 1h for which a denial by Redis is "
                           "believed", &value[1]);
        return NGX_CONF_ERROR;
    }

    *time = ms;

    return NGX_CONF_OK;
}
