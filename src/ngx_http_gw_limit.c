
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_window.h"
#include "ngx_http_gw_limit.h"
#include "ngx_http_gw_limit_deny.h"
#include "ngx_http_gw_limit_final.h"


/* what was taken from shared memory for a call that may come late */

typedef struct {
    ngx_http_gw_limit_zone_t   *zone;
    ngx_http_gw_limit_plan_t    plan;
    gw_limit_key_t              key;
    ngx_uint_t                  cell;            /* of the call */
    ngx_uint_t                  entry;           /* of the set */
    int64_t                     end;
    int64_t                     units;
    int64_t                     final;           /* to be corrected by */
    ngx_str_t                   name;            /* the key in Redis */
    unsigned                    given:1;         /* back already */
} ngx_http_gw_limit_taken_t;


struct ngx_http_gw_limit_late_s {
    ngx_http_gw_limit_set_t    *set;             /* NULL: the request ended */
    ngx_http_gw_redis_late_pt   more;
    void                       *data;
    ngx_http_gw_limit_finals_t *finals;
    ngx_uint_t                  n;
    ngx_http_gw_limit_taken_t   taken[1];
};


#define ngx_http_gw_limit_hosts(set, entry)                                   \
    ngx_http_gw_limit_links_hosts((set)->finals->links,                       \
                                  (entry)->limit->zone->link)


static ngx_int_t ngx_http_gw_limit_values(ngx_http_request_t *r,
    ngx_http_gw_limit_entry_t *entry, ngx_http_gw_limit_rates_t *rates,
    ngx_http_gw_limit_bad_t *bad);
static ngx_int_t ngx_http_gw_limit_value(ngx_http_request_t *r,
    ngx_http_gw_limit_t *limit, ngx_http_gw_limit_number_t *number,
    int64_t *units, int64_t other, ngx_http_gw_limit_bad_e kind,
    ngx_http_gw_limit_bad_t *bad);
static gw_status_e ngx_http_gw_limit_store_take(
    ngx_http_gw_limit_entry_t *entry, int64_t *now, int64_t cost,
    gw_gcra_result_t *res, int64_t *until);
static void ngx_http_gw_limit_store_give(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_plan_t *plan, gw_limit_key_t *key, int64_t end,
    int64_t units);
static int64_t ngx_http_gw_limit_store_drain(ngx_http_gw_limit_entry_t *entry,
    ngx_http_gw_limit_plan_t *plan, int64_t now);
static ngx_http_gw_limit_plan_t *ngx_http_gw_limit_local(
    ngx_http_gw_limit_set_t *set, ngx_http_gw_limit_entry_t *entry,
    ngx_http_gw_limit_plan_t *plan);
static ngx_uint_t ngx_http_gw_limit_owing(ngx_http_gw_limit_shared_t *shared,
    int64_t *now);
static ngx_int_t ngx_http_gw_limit_debit(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_redis_cell_t *cells, ngx_http_gw_limit_calls_t *calls);
static void ngx_http_gw_limit_restore(ngx_http_gw_limit_set_t *set);
static void ngx_http_gw_limit_late(void *data, redisReply *reply);
static void ngx_http_gw_limit_moved(ngx_http_gw_limit_late_t *late,
    ngx_http_gw_limit_taken_t *taken, redisReply *reply);
static void ngx_http_gw_limit_debited(void *data,
    ngx_http_gw_limit_redis_t *check);


ngx_int_t
ngx_http_gw_limit_prepare(ngx_http_request_t *r, ngx_http_gw_limits_t *limits,
    ngx_uint_t phase, ngx_uint_t share, ngx_http_gw_limit_rates_t *rates,
    ngx_http_gw_limit_set_t *set, ngx_http_gw_limit_bad_t *bad)
{
    ngx_int_t                   rc;
    ngx_str_t                   value;
    ngx_uint_t                  i, off, nokey, silent;
    ngx_http_gw_limit_t        *limit;
    ngx_http_gw_limit_entry_t  *entry;

    if (set->entries == NULL) {
        set->entries = ngx_palloc(r->pool,
                                  limits->count[phase]
                                  * sizeof(ngx_http_gw_limit_entry_t));
        if (set->entries == NULL) {
            return NGX_ERROR;
        }
    }

    off = 0;
    nokey = 0;
    limit = limits->limits.elts;

    for (i = 0; i < limits->limits.nelts; i++) {

        if (limit[i].phase != phase) {
            continue;
        }

        if (limit[i].filter != NULL) {

            if (ngx_http_complex_value(r, limit[i].filter, &value) != NGX_OK) {
                return NGX_ERROR;
            }

            if (value.len == 0 || (value.len == 1 && value.data[0] == '0')) {
                continue;
            }
        }

        if (ngx_http_gw_text(r, &limit[i].zone->key, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            nokey = 1;
            continue;
        }

        silent = (share < 100 && !ngx_http_gw_limit_enforced(&value, share));

        if (limit[i].zone->scope
            && ngx_http_gw_limit_scope(r, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }

        entry = &set->entries[set->n];

        ngx_memzero(&entry->owed,
                    sizeof(ngx_http_gw_limit_entry_t)
                    - offsetof(ngx_http_gw_limit_entry_t, owed));

        entry->limit = &limit[i];
        entry->value = value;
        entry->plan = &limit[i].plan;
        entry->place = limit[i].zone->redis ? NGX_HTTP_GW_LIMIT_REMOTE
                                            : NGX_HTTP_GW_LIMIT_HERE;
        entry->at_once = limit[i].delay.units;
        entry->cost = limit[i].cost.units;

        if (limit[i].shadow || silent) {
            entry->shadow = 1;
            set->shadows = 1;
        }

        if (limit[i].variable) {
            rc = ngx_http_gw_limit_values(r, entry, rates, bad);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_DECLINED) {
                off = 1;
                continue;
            }
        }

        set->n++;

        if (entry->place == NGX_HTTP_GW_LIMIT_REMOTE) {
            set->remote++;

        } else if (entry->place == NGX_HTTP_GW_LIMIT_NOBODY) {

            if (entry->shadow) {
                entry->denied = entry->told;

            } else if (!entry->told) {
                set->invalid = 1;

            } else if (set->failed == NULL) {
                set->failed = entry;
            }
        }
    }

    if (set->n) {
        return NGX_OK;
    }

    return off ? NGX_DONE : nokey ? NGX_DECLINED : NGX_ABORT;
}


ngx_uint_t
ngx_http_gw_limit_enforced(ngx_str_t *value, ngx_uint_t share)
{
    return ngx_murmur_hash2(value->data, value->len) % 100 < share;
}


/* Returns NGX_DECLINED if the limit is off for this request. */

static ngx_int_t
ngx_http_gw_limit_values(ngx_http_request_t *r,
    ngx_http_gw_limit_entry_t *entry, ngx_http_gw_limit_rates_t *rates,
    ngx_http_gw_limit_bad_t *bad)
{
    ngx_int_t             rc;
    ngx_http_gw_limit_t  *limit;

    limit = entry->limit;

    if (limit->dynamic) {
        rc = ngx_http_gw_limit_plan(r, limit->zone, &limit->burst, rates,
                                    &entry->plan, bad);

        if (rc == NGX_ERROR || rc == NGX_DECLINED) {
            return rc;
        }

        if (rc == NGX_ABORT) {
            entry->place = NGX_HTTP_GW_LIMIT_NOBODY;
            entry->plan = &limit->plan;

        } else if (entry->plan == NULL) {
            entry->place = NGX_HTTP_GW_LIMIT_NOBODY;
            entry->plan = &limit->plan;
            entry->retry = -1;
            entry->zero = 1;
            entry->told = 1;
        }
    }

    if (limit->delay.cv != NULL
        && ngx_http_gw_limit_value(r, limit, &limit->delay, &entry->at_once, 0,
                                   NGX_HTTP_GW_LIMIT_BAD_DELAY, bad)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (limit->cost.cv != NULL
        && ngx_http_gw_limit_value(r, limit, &limit->cost, &entry->cost, 1,
                                   NGX_HTTP_GW_LIMIT_BAD_COST, bad)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what is empty or no number counts as "other" */

static ngx_int_t
ngx_http_gw_limit_value(ngx_http_request_t *r, ngx_http_gw_limit_t *limit,
    ngx_http_gw_limit_number_t *number, int64_t *units, int64_t other,
    ngx_http_gw_limit_bad_e kind, ngx_http_gw_limit_bad_t *bad)
{
    size_t     len;
    ngx_int_t  rc;

    rc = ngx_http_gw_limit_number(r, number, units, &len);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_http_gw_limit_bad(bad, kind, &limit->zone->name, len);
    }

    if (*units < 0) {
        *units = other;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_take(ngx_pool_t *pool, ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_source_e source)
{
    int64_t                     now, until;
    ngx_uint_t                  i;
    gw_status_e                 rc;
    gw_gcra_result_t            res;
    ngx_http_gw_limit_plan_t   *plan;
    ngx_http_gw_limit_place_e   place;
    ngx_http_gw_limit_entry_t  *entry;

    place = (source == NGX_HTTP_GW_LIMIT_FALLBACK) ? NGX_HTTP_GW_LIMIT_REMOTE
                                                   : NGX_HTTP_GW_LIMIT_HERE;
    now = 0;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->place != place) {
            continue;
        }

        if (now == 0) {
            now = ngx_http_gw_limit_clock();
        }

        ngx_http_gw_limit_hash(entry);

        if (place == NGX_HTTP_GW_LIMIT_REMOTE
            && ngx_http_gw_limit_hosts(set, entry) > 1)
        {
            /* what is corrected later is corrected by this plan, too */

            plan = ngx_palloc(pool, sizeof(ngx_http_gw_limit_plan_t));
            if (plan == NULL) {
                ngx_http_gw_limit_give(set);
                return NGX_ERROR;
            }

            entry->plan = ngx_http_gw_limit_local(set, entry, plan);
        }

        rc = ngx_http_gw_limit_store_take(entry, &now, entry->cost, &res,
                                          &until);

        ngx_http_gw_limit_answer(entry, source, &entry->plan->gcra, &res,
                                 (entry->plan->algorithm
                                  == NGX_HTTP_GW_LIMIT_GCRA) ? 1000 : 1);

        if (source == NGX_HTTP_GW_LIMIT_FALLBACK) {
            set->fallback = 1;
        }

        if (rc != GW_OK && entry->shadow) {
            entry->denied = 1;
            continue;
        }

        if (rc != GW_OK) {
            set->failed = entry;
            ngx_http_gw_limit_give(set);
            return NGX_DECLINED;
        }

        entry->taken = 1;

        if (source == NGX_HTTP_GW_LIMIT_FALLBACK) {
            ngx_http_gw_limit_owe(entry->limit->zone->shared, until);
        }
    }

    return NGX_OK;
}


void
ngx_http_gw_limit_hash(ngx_http_gw_limit_entry_t *entry)
{
    if (!entry->hashed) {
        ngx_http_gw_limit_zone_key(entry->limit->zone, entry->plan->algorithm,
                                   &entry->value, &entry->key);
        entry->hashed = 1;
    }
}


/* until: ns, the time at which nothing of it counts any more */

static gw_status_e
ngx_http_gw_limit_store_take(ngx_http_gw_limit_entry_t *entry, int64_t *now,
    int64_t cost, gw_gcra_result_t *res, int64_t *until)
{
    int64_t            wait;
    gw_status_e        rc;
    gw_limit_store_t  *store;

    store = entry->limit->zone->shared->store;

    if (entry->limit->zone->full
        && gw_limit_store_room(store, &entry->key, *now, &wait) != GW_OK)
    {
        ngx_memzero(res, sizeof(gw_gcra_result_t));

        res->next = (entry->plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA)
                    ? wait : wait / 1000 + 1;
        res->retry = res->next;

        return GW_DECLINED;
    }

    if (entry->plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        rc = gw_limit_store_take(store, &entry->key, &entry->plan->gcra, now,
                                 ngx_http_gw_limit_clock, cost, res);
        *until = res->tat;

        return rc;
    }

    rc = gw_limit_window_take(store, &entry->key, &entry->plan->meter, now,
                              ngx_http_gw_limit_clock, cost, res);
    *until = res->tat * 1000;

    return rc;
}


static void
ngx_http_gw_limit_store_give(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_plan_t *plan, gw_limit_key_t *key, int64_t end,
    int64_t units)
{
    if (plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        gw_limit_store_give(zone->shared->store, key, &plan->gcra, units);

    } else {
        gw_limit_window_give(zone->shared->store, key, end, units);
    }
}


static int64_t
ngx_http_gw_limit_store_drain(ngx_http_gw_limit_entry_t *entry,
    ngx_http_gw_limit_plan_t *plan, int64_t now)
{
    gw_limit_store_t  *store;

    store = entry->limit->zone->shared->store;

    if (plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA) {
        return gw_limit_store_drain(store, &entry->key, &plan->gcra, now);
    }

    return gw_limit_window_drain(store, &entry->key, &plan->meter, now);
}


/*
 * The share that this host has of a limit while Redis is away.
 *
 *     plan  memory for it, if it is needed
 */

static ngx_http_gw_limit_plan_t *
ngx_http_gw_limit_local(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_entry_t *entry, ngx_http_gw_limit_plan_t *plan)
{
    ngx_uint_t  hosts;

    hosts = ngx_http_gw_limit_hosts(set, entry);

    if (hosts == 1) {
        return entry->plan;
    }

    *plan = *entry->plan;

    ngx_http_gw_limit_plan_share(plan, hosts);

    return plan;
}


void
ngx_http_gw_limit_answer(ngx_http_gw_limit_entry_t *entry,
    ngx_http_gw_limit_source_e source, gw_gcra_t *gcra, gw_gcra_result_t *res,
    int64_t ticks)
{
    entry->source = source;
    entry->told = 1;

    entry->remaining = res->remaining;
    entry->excess = res->excess;
    entry->next = (res->next + ticks - 1) / ticks;
    entry->retry = (res->retry > 0) ? (res->retry + ticks - 1) / ticks
                                    : res->retry;

    if (entry->plan->algorithm != NGX_HTTP_GW_LIMIT_GCRA) {
        entry->end = res->tat;
        return;
    }

    entry->delay = (ngx_msec_t) (gw_gcra_delay(gcra, res, entry->at_once)
                                 / (1000 * ticks));
}


void
ngx_http_gw_limit_give(ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->taken) {
            ngx_http_gw_limit_store_give(entry->limit->zone, entry->plan,
                                         &entry->key, entry->end,
                                         entry->cost);
            entry->taken = 0;
        }

        if (entry->granted) {
            entry->granted = 0;

            if (entry->cost) {
                ngx_http_gw_limit_deny_drop(entry);

                ngx_http_gw_limit_correct_redis(set->finals,
                                                entry->limit->zone,
                                                entry->plan,
                                                &entry->cell->key, entry->end,
                                                -entry->cost,
                                                NGX_HTTP_GW_LIMIT_GIVEN);
            }
        }
    }

    /* a late answer must not give it back once more */

    if (set->late != NULL) {
        for (i = 0; i < set->late->n; i++) {
            set->late->taken[i].given = 1;
        }
    }
}


void
ngx_http_gw_limit_owe(ngx_http_gw_limit_shared_t *shared, int64_t until)
{
    int64_t  owed;

    owed = __atomic_load_n(&shared->owed, __ATOMIC_RELAXED);

    while (owed < until
           && !__atomic_compare_exchange_n(&shared->owed, &owed, until, 0,
                                           __ATOMIC_RELAXED,
                                           __ATOMIC_RELAXED))
    {
        /* void */
    }
}


/* now: in/out, read once, 0 if it was not */

static ngx_uint_t
ngx_http_gw_limit_owing(ngx_http_gw_limit_shared_t *shared, int64_t *now)
{
    int64_t  owed;

    owed = __atomic_load_n(&shared->owed, __ATOMIC_RELAXED);

    if (owed == 0) {
        return 0;
    }

    if (*now == 0) {
        *now = ngx_http_gw_limit_clock();
    }

    if (owed > *now) {
        return 1;
    }

    (void) __atomic_compare_exchange_n(&shared->owed, &owed, 0, 0,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);

    return 0;
}


void
ngx_http_gw_limit_cell(ngx_http_gw_limit_redis_cell_t *cell,
    ngx_http_gw_limit_plan_t *plan)
{
    static const char  kinds[] = { 'g', 's', 'f' };

    cell->kind = kinds[plan->algorithm];
    cell->gcra = &plan->remote;
    cell->window = &plan->far;
    cell->shadow = 0;
}


ngx_uint_t
ngx_http_gw_limit_service(ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t  i;

    /* all of them use the same service */

    for (i = 0; set->entries[i].place != NGX_HTTP_GW_LIMIT_REMOTE; i++) {
        /* void */
    }

    return set->entries[i].limit->zone->link;
}


ngx_int_t
ngx_http_gw_limit_ask(ngx_pool_t *pool, ngx_http_gw_limit_set_t *set,
    ngx_http_gw_redis_link_t *link, ngx_http_gw_limit_calls_t *calls,
    ngx_http_gw_limit_redis_cell_t *more, ngx_uint_t n)
{
    ngx_uint_t                       i;
    ngx_http_gw_limit_zone_t        *zone;
    ngx_http_gw_limit_entry_t       *entry;
    ngx_http_gw_limit_redis_cell_t  *cell, *cells;

    calls->take.expired = 0;

    if (link == NULL) {
        return NGX_ERROR;
    }

    /* those to take, and behind them those for what is owed */

    cells = ngx_palloc(pool, (2 * set->remote + n)
                             * sizeof(ngx_http_gw_limit_redis_cell_t));
    if (cells == NULL) {
        return NGX_ERROR;
    }

    cell = cells;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];
        zone = entry->limit->zone;

        if (entry->place != NGX_HTTP_GW_LIMIT_REMOTE) {
            continue;
        }

        ngx_http_gw_limit_cell(cell, entry->plan);

        if (ngx_http_gw_limit_redis_key(pool, &cell->key,
                                        &zone->redis->prefix, cell->kind,
                                        &zone->name, &entry->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        cell->shadow = entry->shadow;
        cell->cost = entry->cost;
        entry->cell = cell++;
    }

    for (i = 0; i < n; i++) {
        *cell++ = more[i];
    }

    calls->asked = ngx_http_gw_limit_clock();
    calls->take.link = link;
    calls->take.cells = cells;
    calls->take.ncells = set->remote + n;
    calls->take.mode = NGX_HTTP_GW_LIMIT_REDIS_TAKE;

    /* replies come in the order of the calls: first what is owed */

    if (ngx_http_gw_limit_debit(set, cells, calls) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_gw_limit_redis_check(&calls->take);
}


/*
 * Charges in Redis what was admitted while it was away, so that its return
 * is no second burst.
 */

static ngx_int_t
ngx_http_gw_limit_debit(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_redis_cell_t *cells, ngx_http_gw_limit_calls_t *calls)
{
    int64_t                          now;
    ngx_int_t                        rc;
    ngx_uint_t                       i;
    ngx_http_gw_limit_plan_t         plan, *local;
    ngx_http_gw_limit_entry_t       *entry;
    ngx_http_gw_limit_shared_t      *shared;
    ngx_http_gw_limit_redis_cell_t  *take, *owed;

    /* that of the other phase may be on its way again, behind its call */

    if (calls->debit.waiting) {
        return NGX_OK;
    }

    now = 0;
    take = cells;
    owed = cells + calls->take.ncells;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];
        entry->owed = 0;

        if (entry->place != NGX_HTTP_GW_LIMIT_REMOTE) {
            continue;
        }

        shared = entry->limit->zone->shared;

        /* a reply that is still due may change what is owed */

        if (entry->limit->zone->late == 0
            && ngx_http_gw_limit_owing(shared, &now))
        {
            ngx_http_gw_limit_hash(entry);

            local = ngx_http_gw_limit_local(set, entry, &plan);

            entry->owed = ngx_http_gw_limit_store_drain(entry, local, now);
            if (entry->owed) {
                *owed = *take;
                owed->cost = entry->owed;
                owed++;
            }
        }

        take++;
    }

    calls->debit.ncells = owed - (cells + calls->take.ncells);

    if (calls->debit.ncells == 0) {
        return NGX_OK;
    }

    calls->debit.link = calls->take.link;
    calls->debit.cells = cells + calls->take.ncells;
    calls->debit.mode = NGX_HTTP_GW_LIMIT_REDIS_FORCE;
    calls->debit.handler = ngx_http_gw_limit_debited;
    calls->debit.data = set;

    rc = ngx_http_gw_limit_redis_check(&calls->debit);

    if (rc == NGX_ERROR) {
        ngx_http_gw_limit_restore(set);
    }

    return rc;
}


/* Redis is away again: what was drained is still owed. */

static void
ngx_http_gw_limit_restore(ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t                  i;
    gw_gcra_result_t            res;
    ngx_http_gw_limit_plan_t    plan, *local;
    ngx_http_gw_limit_entry_t  *entry;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->owed) {
            local = ngx_http_gw_limit_local(set, entry, &plan);

            ngx_http_gw_limit_force(entry->limit->zone, local,
                                    &entry->key, entry->owed, 0, 1, &res);
            entry->owed = 0;
        }
    }
}


static void
ngx_http_gw_limit_debited(void *data, ngx_http_gw_limit_redis_t *check)
{
    ngx_http_gw_limit_set_t *set = data;

    /* what timed out is on its way; what was refused or lost is not */

    if (check->status == NGX_ERROR && !check->expired) {
        ngx_http_gw_limit_restore(set);
    }
}


void
ngx_http_gw_limit_took(ngx_http_gw_limit_links_t *links,
    ngx_http_gw_limit_calls_t *calls)
{
    ngx_http_gw_limit_times_e  source;

    source = (calls->take.status == NGX_OK
              || calls->take.status == NGX_DECLINED)
             ? NGX_HTTP_GW_LIMIT_TIMES_REDIS : NGX_HTTP_GW_LIMIT_TIMES_OTHER;

    ngx_http_gw_limit_links_took(links, calls->service, source,
                                 (ngx_http_gw_limit_clock() - calls->asked)
                                 / 1000);
}


ngx_int_t
ngx_http_gw_limit_told(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_calls_t *calls)
{
    ngx_uint_t                       i;
    ngx_http_gw_limit_entry_t       *entry;
    ngx_http_gw_limit_redis_cell_t  *cell;

    if (calls->take.status != NGX_OK && calls->take.status != NGX_DECLINED) {
        return NGX_ERROR;
    }

    ngx_http_gw_limit_deny_told(set, calls);

    cell = calls->take.cells;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->place != NGX_HTTP_GW_LIMIT_REMOTE) {
            continue;
        }

        ngx_http_gw_limit_answer(entry, NGX_HTTP_GW_LIMIT_REDIS,
                                 &entry->plan->remote, &cell->result, 1);

        /* of several that have no room, the one to wait longest for */

        entry->granted = (calls->take.status == NGX_OK
                          && cell->status == NGX_OK);

        if (cell->status == NGX_DECLINED && entry->shadow) {
            entry->denied = 1;

        } else if (cell->status == NGX_DECLINED
                   && (set->failed == NULL
                       || (set->failed->retry != -1
                           && (entry->retry == -1
                               || entry->retry > set->failed->retry))))
        {
            set->failed = entry;
        }

        cell++;
    }

    if (calls->take.status == NGX_OK) {
        return NGX_OK;
    }

    if (set->failed == NULL) {
        /* a refusal that names nobody is no answer */
        return (calls->take.ncells > set->remote) ? NGX_OK : NGX_ERROR;
    }

    ngx_http_gw_limit_give(set);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_gw_limit_expect(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_calls_t *calls, ngx_log_t *log,
    ngx_http_gw_redis_late_pt more, void *data)
{
    size_t                      size;
    u_char                     *p;
    ngx_uint_t                  i, cell;
    ngx_http_gw_limit_late_t   *late;
    ngx_http_gw_limit_entry_t  *entry;
    ngx_http_gw_limit_taken_t  *taken;

    if (!calls->take.expired) {
        return NGX_DECLINED;
    }

    /* it outlives the request; there are as many as the link has places */

    size = sizeof(ngx_http_gw_limit_late_t)
           + set->remote * sizeof(ngx_http_gw_limit_taken_t);

    for (i = 0; i < set->n; i++) {
        if (set->entries[i].place == NGX_HTTP_GW_LIMIT_REMOTE) {
            size += set->entries[i].cell->key.len;
        }
    }

    late = ngx_alloc(size, log);
    if (late == NULL) {
        return NGX_DECLINED;
    }

    p = (u_char *) &late->taken[1 + set->remote];

    late->set = set->remote ? set : NULL;
    late->more = more;
    late->data = data;
    late->finals = set->finals;
    late->n = 0;

    cell = 0;

    for (i = 0; i < set->n; i++) {
        entry = &set->entries[i];

        if (entry->place != NGX_HTTP_GW_LIMIT_REMOTE) {
            continue;
        }

        cell++;

        if (entry->source != NGX_HTTP_GW_LIMIT_FALLBACK || !entry->taken) {
            continue;
        }

        taken = &late->taken[late->n++];

        taken->zone = entry->limit->zone;
        taken->plan = *entry->plan;
        taken->key = entry->key;
        taken->cell = cell - 1;
        taken->entry = i;
        taken->given = 0;
        taken->final = 0;
        taken->name.len = entry->cell->key.len;
        taken->name.data = p;
        p = ngx_cpymem(p, entry->cell->key.data, entry->cell->key.len);
        taken->end = entry->end;
        taken->units = entry->cost;
    }

    if (ngx_http_gw_limit_redis_late(&calls->take, ngx_http_gw_limit_late,
                                     late)
        != NGX_OK)
    {
        ngx_free(late);
        return NGX_DECLINED;
    }

    if (set->remote) {
        set->late = late;
    }

    for (i = 0; i < late->n; i++) {
        late->taken[i].zone->late++;
    }

    return NGX_OK;
}


static void
ngx_http_gw_limit_late(void *data, redisReply *reply)
{
    ngx_http_gw_limit_late_t *late = data;

    ngx_uint_t                  i;
    ngx_http_gw_limit_taken_t  *taken;

    for (i = 0; i < late->n; i++) {
        taken = &late->taken[i];

        taken->zone->late--;

        if (ngx_http_gw_limit_redis_charged(reply, taken->cell)) {
            ngx_http_gw_limit_moved(late, taken, reply);

        } else if (taken->final) {
            ngx_http_gw_limit_correct(taken->zone, &taken->plan, &taken->key,
                                      taken->end, taken->final, 1);
        }
    }

    if (late->set != NULL) {
        late->set->late = NULL;
    }

    if (late->more != NULL) {
        late->more(late->data, reply);
    }

    ngx_free(late);
}


/* it is charged in Redis, and not here */

static void
ngx_http_gw_limit_moved(ngx_http_gw_limit_late_t *late,
    ngx_http_gw_limit_taken_t *taken, redisReply *reply)
{
    int64_t                     end, units;
    ngx_http_gw_limit_entry_t  *entry;

    end = 0;

    if (taken->plan.algorithm != NGX_HTTP_GW_LIMIT_GCRA) {
        end = gw_window_end(&taken->plan.far,
                            ngx_http_gw_limit_redis_now(reply));
    }

    units = taken->final;

    if (taken->given) {
        units = -taken->units;

    } else {
        ngx_http_gw_limit_store_give(taken->zone, &taken->plan, &taken->key,
                                     taken->end, taken->units);

        if (late->set != NULL) {
            entry = &late->set->entries[taken->entry];

            entry->taken = 0;
            entry->granted = 1;
            entry->end = end;
        }
    }

    if (units) {
        ngx_http_gw_limit_correct_redis(late->finals, taken->zone,
                                        &taken->plan, &taken->name, end, units,
                                        units > 0 ? NGX_HTTP_GW_LIMIT_CHARGED
                                                  : NGX_HTTP_GW_LIMIT_GIVEN);
    }
}


ngx_int_t
ngx_http_gw_limit_defer(ngx_http_gw_limit_set_t *set, ngx_uint_t i,
    int64_t units)
{
    ngx_uint_t  k;

    if (set->late == NULL) {
        return NGX_DECLINED;
    }

    for (k = 0; k < set->late->n; k++) {

        if (set->late->taken[k].entry == i) {
            set->late->taken[k].final = units;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_http_gw_limit_forget(ngx_http_gw_limit_set_t *set)
{
    if (set->late != NULL) {
        set->late->set = NULL;
        set->late = NULL;
    }
}


void
ngx_http_gw_limit_cancel(ngx_http_gw_limit_calls_t *calls)
{
    ngx_http_gw_limit_redis_cancel(&calls->take);
    ngx_http_gw_limit_redis_cancel(&calls->debit);
}


ngx_http_gw_limit_entry_t *
ngx_http_gw_limit_slowest(ngx_http_gw_limit_set_t *set)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_entry_t  *entry;

    entry = &set->entries[0];

    for (i = 1; i < set->n; i++) {

        if (!set->entries[i].shadow
            && (entry->shadow || set->entries[i].delay > entry->delay))
        {
            entry = &set->entries[i];
        }
    }

    return entry;
}


ngx_http_gw_limit_entry_t *
ngx_http_gw_limit_of_zone(ngx_http_gw_limit_set_t *sets, ngx_uint_t n,
    u_char *name, size_t len)
{
    ngx_str_t   *s;
    ngx_uint_t   i, k;

    for (i = 0; i < n; i++) {

        for (k = 0; k < sets[i].n; k++) {
            s = &sets[i].entries[k].limit->zone->name;

            if (sets[i].entries[k].told
                && s->len == len
                && ngx_strncmp(s->data, name, len) == 0)
            {
                return &sets[i].entries[k];
            }
        }
    }

    return NULL;
}
