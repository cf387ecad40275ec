
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_deny.h"
#include "gw_limit_deny.h"
#include "gw_limit_window.h"
#include "ngx_http_gw_limit_api_ask.h"
#include "ngx_http_gw_limit_lua.h"


/* words of the longest command: EVAL, script, 1, key */
#define NGX_HTTP_GW_LIMIT_API_WORDS  4

/* times that a period is named again by the clock of Redis */
#define NGX_HTTP_GW_LIMIT_API_TURNS  2


static void *ngx_http_gw_limit_api_find(ngx_array_t *zones,
    gw_limit_text_t *text);
static ngx_int_t ngx_http_gw_limit_api_limit(ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_plan(ngx_http_gw_limit_api_ask_t *ask);
static void ngx_http_gw_limit_api_peek(ngx_http_gw_limit_api_ask_t *ask);
static void ngx_http_gw_limit_api_forget(ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_check(ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_call(ngx_http_gw_limit_api_ask_t *ask,
    ngx_uint_t service);
static void ngx_http_gw_limit_api_checked(void *data,
    ngx_http_gw_limit_redis_t *check);
static ngx_int_t ngx_http_gw_limit_api_quota(ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_remains(
    ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_period(
    ngx_http_gw_limit_api_ask_t *ask, int64_t now);
static ngx_int_t ngx_http_gw_limit_api_terms(ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_concurrency(
    ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_send(ngx_http_gw_limit_api_ask_t *ask,
    ngx_uint_t service, ngx_str_t *args, ngx_uint_t n);
static void ngx_http_gw_limit_api_reply(void *data, ngx_int_t rc,
    redisReply *reply);


static ngx_str_t  ngx_http_gw_limit_api_conc =
    ngx_string(NGX_HTTP_GW_LIMIT_CONC_LUA);


ngx_int_t
ngx_http_gw_limit_api_zone(ngx_http_gw_limit_api_ask_t *ask)
{
    void             *zone;
    gw_limit_text_t  *name;

    name = &ask->target.zone;

    switch (ask->target.kind) {

    case GW_LIMIT_TARGET_LIMIT:
        zone = ngx_http_gw_limit_api_find(ask->api->limits, name);
        ask->limit = zone;
        break;

    case GW_LIMIT_TARGET_QUOTA:
        zone = ngx_http_gw_limit_api_find(ask->api->quotas, name);
        ask->quota = zone;
        break;

    default: /* GW_LIMIT_TARGET_CONCURRENCY */
        zone = ngx_http_gw_limit_api_find(ask->api->concurrencies, name);
        ask->concurrency = zone;
        break;
    }

    return (zone != NULL) ? NGX_OK : NGX_DECLINED;
}


static void *
ngx_http_gw_limit_api_find(ngx_array_t *zones, gw_limit_text_t *text)
{
    ngx_str_t   **name;
    ngx_uint_t    i;

    /* pointers to zones, each of which begins with its name */

    name = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        if (name[i]->len == text->len
            && ngx_memcmp(name[i]->data, text->data, text->len) == 0)
        {
            return name[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_gw_limit_api_ask(ngx_http_gw_limit_api_ask_t *ask)
{
    switch (ask->target.kind) {

    case GW_LIMIT_TARGET_LIMIT:
        return ngx_http_gw_limit_api_limit(ask);

    case GW_LIMIT_TARGET_QUOTA:
        return ngx_http_gw_limit_api_quota(ask);

    default: /* GW_LIMIT_TARGET_CONCURRENCY */
        return ngx_http_gw_limit_api_concurrency(ask);
    }
}


static ngx_int_t
ngx_http_gw_limit_api_limit(ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_int_t                  rc;
    ngx_str_t                  args[3];
    ngx_pool_t                *pool;
    ngx_http_gw_limit_zone_t  *zone;

    zone = ask->limit;
    pool = ask->request->pool;

    if (ask->action == NGX_HTTP_GW_LIMIT_API_LOOK) {
        rc = ngx_http_gw_limit_api_plan(ask);

        if (rc != NGX_OK) {
            return rc;
        }

        if (zone->redis != NULL) {
            return ngx_http_gw_limit_api_check(ask);
        }

        ngx_http_gw_limit_api_peek(ask);

        return NGX_OK;
    }

    /* in shared memory there may be what was decided without Redis */

    ngx_http_gw_limit_api_forget(ask);

    if (zone->redis == NULL) {
        return NGX_OK;
    }

    /* also what another algorithm has left */

    ngx_str_set(&args[0], "DEL");

    if (ngx_http_gw_limit_redis_key(pool, &args[1], &zone->redis->prefix, 'g',
                                    &zone->name, &ask->key)
        != NGX_OK
        || ngx_http_gw_limit_redis_key(pool, &args[2], &zone->redis->prefix,
                                       's', &zone->name, &ask->key)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_limit_api_send(ask, zone->link, args, 3);
}


/* the rate and the burst to look with */

static ngx_int_t
ngx_http_gw_limit_api_plan(ngx_http_gw_limit_api_ask_t *ask)
{
    int64_t                    burst;
    gw_rate_t                  rate;
    gw_limit_text_t           *arg;
    ngx_http_gw_limit_zone_t  *zone;

    zone = ask->limit;
    arg = &ask->target.args[GW_LIMIT_ARG_RATE];

    if (arg->data != NULL) {

        if (gw_rate_parse(arg->data, arg->len, &rate) != GW_OK) {
            ask->error = "the argument \"rate\" is no rate such as \"10r/s\"";
            return NGX_DECLINED;
        }

    } else if (zone->rate.value == GW_RATE_GIVEN) {
        rate = zone->rate.rate;

    } else {
        ask->error = "the rate of the zone has variables and no default, "
                     "add an argument such as \"rate=10r/s\"";
        return NGX_DECLINED;
    }

    burst = zone->most;
    arg = &ask->target.args[GW_LIMIT_ARG_BURST];

    if (arg->data != NULL) {
        burst = ngx_atoi((u_char *) arg->data, arg->len);

        if (burst < 0 || burst >= GW_GCRA_CAPACITY_MAX
            || zone->algorithm != NGX_HTTP_GW_LIMIT_GCRA)
        {
            ask->error = "the argument \"burst\" is no number of units, or "
                         "the zone counts in windows";
            return NGX_DECLINED;
        }
    }

    if (ngx_http_gw_limit_plan_init(&ask->plan, zone, &rate, burst) != NGX_OK)
    {
        ask->error = "the rate or the burst is too large for the zone";
        return NGX_DECLINED;
    }

    gw_rate_window(&rate, &ask->plan.quota, &ask->plan.window);

    return NGX_OK;
}


static void
ngx_http_gw_limit_api_peek(ngx_http_gw_limit_api_ask_t *ask)
{
    int64_t                    now, tat;
    gw_limit_key_t             key;
    ngx_http_gw_limit_zone_t  *zone;

    zone = ask->limit;
    now = ngx_http_gw_limit_clock();

    ngx_http_gw_limit_zone_key(zone, zone->algorithm, &ask->key, &key);

    if (zone->algorithm != NGX_HTTP_GW_LIMIT_GCRA) {
        gw_limit_window_peek(zone->shared->store, &key, &ask->plan.meter, now,
                             &ask->state);
        return;
    }

    tat = gw_limit_store_peek(zone->shared->store, &key);

    gw_gcra_state(&ask->plan.gcra, tat - now, now, &ask->state);

    ask->state.next = (ask->state.next + 999) / 1000;
    ask->state.full = (ask->state.full + 999) / 1000;
}


static void
ngx_http_gw_limit_api_forget(ngx_http_gw_limit_api_ask_t *ask)
{
    gw_limit_key_t             key;
    gw_limit_store_t          *store;
    ngx_http_gw_limit_zone_t  *zone;

    zone = ask->limit;
    store = zone->shared->store;

    ngx_http_gw_limit_zone_key(zone, zone->algorithm, &ask->key, &key);
    gw_limit_deny_drop(store, &key);

    ngx_http_gw_limit_zone_key(zone, NGX_HTTP_GW_LIMIT_GCRA, &ask->key, &key);
    gw_limit_store_reset(store, &key);
    gw_limit_deny_drop(store, &key);

    ngx_http_gw_limit_zone_key(zone, NGX_HTTP_GW_LIMIT_SLIDING, &ask->key,
                               &key);
    gw_limit_window_reset(store, &key);
    gw_limit_deny_drop(store, &key);

    ngx_http_gw_limit_zone_key(zone, NGX_HTTP_GW_LIMIT_FIXED, &ask->key, &key);
    gw_limit_window_reset(store, &key);
    gw_limit_deny_drop(store, &key);
}


static ngx_int_t
ngx_http_gw_limit_api_check(ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_http_gw_limit_zone_t  *zone;

    static const char  kinds[] = { 'g', 's', 'f' };

    zone = ask->limit;

    ask->cell.kind = kinds[zone->algorithm];
    ask->cell.gcra = &ask->plan.remote;
    ask->cell.window = &ask->plan.meter;

    if (ngx_http_gw_limit_redis_key(ask->request->pool, &ask->cell.key,
                                    &zone->redis->prefix, ask->cell.kind,
                                    &zone->name, &ask->key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ask->check.mode = NGX_HTTP_GW_LIMIT_REDIS_PEEK;

    return ngx_http_gw_limit_api_call(ask, zone->link);
}


/* ask->cell and ask->check.mode are set */

static ngx_int_t
ngx_http_gw_limit_api_call(ngx_http_gw_limit_api_ask_t *ask,
    ngx_uint_t service)
{
    ask->remote = 1;

    ask->check.link = ngx_http_gw_limit_link(ask->api->links, service);

    if (ask->check.link == NULL) {
        return NGX_ERROR;
    }

    ask->check.cells = &ask->cell;
    ask->check.ncells = 1;
    ask->check.handler = ngx_http_gw_limit_api_checked;
    ask->check.data = ask;

    if (ngx_http_gw_limit_redis_check(&ask->check) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    ask->reason = ask->check.reason;

    return NGX_ABORT;
}


static void
ngx_http_gw_limit_api_checked(void *data, ngx_http_gw_limit_redis_t *check)
{
    ngx_http_gw_limit_api_ask_t *ask = data;

    if (check->status == NGX_ABORT
        && ask->turns++ < NGX_HTTP_GW_LIMIT_API_TURNS
        && ngx_http_gw_limit_api_period(ask, check->now / 1000000) == NGX_OK
        && ngx_http_gw_limit_redis_again(check) == NGX_AGAIN)
    {
        return;
    }

    if (check->status == NGX_ERROR || check->status == NGX_ABORT) {
        ask->reason = check->reason ? check->reason : "out of memory";
        ask->done(ask, NGX_ABORT);
        return;
    }

    /* whether one more unit would have room does not matter */

    if (ask->cell.quota == NULL) {
        ask->state = ask->cell.result;

    } else {
        ask->used = ask->remains.result;
        ask->used.granted = ask->remains.extra;
        ask->used.carried = ask->quota->carry ? -1 : 0;
    }

    ask->done(ask, NGX_OK);
}


static ngx_int_t
ngx_http_gw_limit_api_quota(ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_int_t                  rc;
    gw_status_e                granted;
    gw_quota_key_t             key;
    ngx_http_gw_quota_zone_t  *zone;

    zone = ask->quota;

    if (ask->action != NGX_HTTP_GW_LIMIT_API_RESET || zone->redis != NULL) {
        rc = ngx_http_gw_limit_api_terms(ask);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    gw_quota_store_key(zone->store, ask->key.data, ask->key.len, &key);

    granted = GW_OK;

    /* the mutex of the slab pool: nginx unlocks it for a killed worker */

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (ask->action == NGX_HTTP_GW_LIMIT_API_RESET) {

        /* with Redis it is what this host knows */

        gw_quota_store_reset(zone->store, &key);

    } else if (zone->redis == NULL) {

        if (ask->action == NGX_HTTP_GW_LIMIT_API_GRANT) {
            granted = gw_quota_store_grant(zone->store, &key,
                                           &ask->remains.terms, ngx_time(),
                                           ask->grant, &ask->used);
        } else {
            gw_quota_store_peek(zone->store, &key, &ask->remains.terms,
                                ngx_time(), &ask->used);
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (granted != GW_OK) {
        ask->error = "more units would be granted than can be counted";
        return NGX_DECLINED;
    }

    return (zone->redis != NULL) ? ngx_http_gw_limit_api_remains(ask) : NGX_OK;
}


/* asks Redis about a quota */

static ngx_int_t
ngx_http_gw_limit_api_remains(ngx_http_gw_limit_api_ask_t *ask)
{
    int64_t                    now;
    ngx_http_gw_quota_zone_t  *zone;

    static const ngx_uint_t  modes[] = {
        NGX_HTTP_GW_LIMIT_REDIS_PEEK,
        NGX_HTTP_GW_LIMIT_REDIS_RESET,
        NGX_HTTP_GW_LIMIT_REDIS_GRANT
    };

    zone = ask->quota;

    if (ask->grant > NGX_HTTP_GW_LIMIT_REDIS_UNITS) {
        ask->error = "more units would be granted than Redis can count";
        return NGX_DECLINED;
    }

    now = ngx_http_gw_limit_links_now()
          + ngx_http_gw_limit_links_ahead(ask->api->links, zone->link);

    if (ngx_http_gw_limit_api_period(ask, now / 1000000) != NGX_OK) {
        return NGX_ERROR;
    }

    ask->check.mode = modes[ask->action];

    return ngx_http_gw_limit_api_call(ask, zone->link);
}


/* now: seconds, of the clock of Redis */

static ngx_int_t
ngx_http_gw_limit_api_period(ngx_http_gw_limit_api_ask_t *ask, int64_t now)
{
    ngx_str_t                         id;
    ngx_http_gw_quota_zone_t         *zone;
    ngx_http_gw_limit_redis_quota_t  *remains;

    zone = ask->quota;
    remains = &ask->remains;

    ngx_http_gw_quota_zone_terms(zone, remains->terms.limit, ask->since, now,
                                 &remains->terms, &ask->span);

    remains->id.data = ask->span.id;
    remains->id.len = ask->span.len;

    ngx_str_null(&id);

    ask->cell.kind = 'r';

    if (remains->terms.carry == 0 && remains->terms.length == 0) {
        ask->cell.kind = 'q';
        id = remains->id;
    }

    ask->cell.quota = remains;
    ask->cell.cost = ask->grant;

    return ngx_http_gw_limit_redis_quota_keys(ask->request->pool,
                                              &ask->cell.key, &remains->beside,
                                              &zone->redis->prefix,
                                              &zone->name, &ask->key, &id);
}


/* the quota and the period to look with */

static ngx_int_t
ngx_http_gw_limit_api_terms(ngx_http_gw_limit_api_ask_t *ask)
{
    int64_t                    since;
    ngx_str_t                  value;
    gw_limit_text_t           *arg;
    ngx_http_gw_quota_zone_t  *zone;

    zone = ask->quota;
    arg = &ask->target.args[GW_LIMIT_ARG_QUOTA];

    ask->units = -1;

    value = zone->quota->value;

    if (arg->data != NULL) {
        value.data = (u_char *) arg->data;
        value.len = arg->len;
    }

    if ((arg->data != NULL || zone->quota->lengths == NULL)
        && ngx_http_gw_quota_units(&value, &ask->units) != NGX_OK)
    {
        ask->error = "the argument \"quota\" is no number of units";
        return NGX_DECLINED;
    }

    if (ask->units < 0
        && zone->carry
        && (ask->action == NGX_HTTP_GW_LIMIT_API_GRANT
            || (zone->redis != NULL && zone->percent)))
    {
        /*
         * A grant may begin a period, and what is carried over depends on it.
         * In Redis the keys of a quota that carries nothing are others.
         */

        ask->error = "the quota of the zone has variables, add an argument "
                     "such as \"quota=1000\"";
        return NGX_DECLINED;
    }

    since = GW_PERIOD_NEVER;
    arg = &ask->target.args[GW_LIMIT_ARG_ANCHOR];

    if ((arg->data != NULL) != (zone->anchor != NULL)) {
        ask->error = (arg->data != NULL)
                     ? "the zone has no anchor with variables"
                     : "the anchor of the zone has variables, add an argument "
                       "such as \"anchor=1700000000\", which may be empty";
        return NGX_DECLINED;
    }

    if (arg->len > 0) {
        since = ngx_atotm((u_char *) arg->data, arg->len);

        if (since == NGX_ERROR) {
            ask->error = "the argument \"anchor\" is no Unix time";
            return NGX_DECLINED;
        }
    }

    ask->since = since;

    ngx_http_gw_quota_zone_terms(zone, ngx_max(ask->units, 0), since,
                                 ngx_time(), &ask->remains.terms, &ask->span);

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_api_concurrency(ngx_http_gw_limit_api_ask_t *ask)
{
    uint32_t                         hold;
    ngx_str_t                        args[NGX_HTTP_GW_LIMIT_API_WORDS];
    ngx_http_gw_concurrency_zone_t  *zone;

    zone = ask->concurrency;

    if (zone->remote.redis == NULL) {

        /* a limit of 0 has no room for a request: this one is not counted */

        (void) ngx_http_gw_concurrency_zone_take(zone, &ask->key, 0, &hold,
                                                 &ask->current);
        return NGX_OK;
    }

    ask->remote = 1;

    ngx_str_set(&args[0], "EVAL");
    args[1] = ngx_http_gw_limit_api_conc;
    ngx_str_set(&args[2], "1");

    if (ngx_http_gw_limit_redis_key(ask->request->pool, &args[3],
                                    &zone->remote.redis->prefix, 'c',
                                    &zone->name, &ask->key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_limit_api_send(ask, zone->remote.number, args, 4);
}


static ngx_int_t
ngx_http_gw_limit_api_send(ngx_http_gw_limit_api_ask_t *ask,
    ngx_uint_t service, ngx_str_t *args, ngx_uint_t n)
{
    ngx_http_gw_redis_cmd_t  cmd;

    ask->remote = 1;
    ask->link = ngx_http_gw_limit_link(ask->api->links, service);

    if (ask->link == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&cmd, sizeof(ngx_http_gw_redis_cmd_t));

    cmd.args = args;
    cmd.nargs = n;
    cmd.done = ngx_http_gw_limit_api_reply;
    cmd.data = ask;

    if (ngx_http_gw_redis_link_send(ask->link, &cmd, &ask->seq) != NGX_OK) {
        ask->reason = "Redis is down or its queue is full";
        return NGX_ABORT;
    }

    ask->waiting = 1;

    return NGX_AGAIN;
}


static void
ngx_http_gw_limit_api_reply(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_limit_api_ask_t *ask = data;

    ask->waiting = 0;

    if (rc != NGX_OK) {
        ask->reason = (rc == NGX_BUSY) ? "no reply in time"
                                       : "the connection is lost";

    } else if (reply->type == REDIS_REPLY_ERROR) {
        ask->reason = ngx_http_gw_limit_redis_reason(reply);

    } else if (ask->action == NGX_HTTP_GW_LIMIT_API_LOOK) {

        if (reply->type == REDIS_REPLY_ARRAY
            && reply->elements == 2
            && reply->element[0]->type == REDIS_REPLY_INTEGER
            && reply->element[0]->integer >= 0)
        {
            ask->current = reply->element[0]->integer;

        } else {
            ask->reason = "malformed answer";
        }

    } else if (reply->type != REDIS_REPLY_INTEGER) {
        ask->reason = "malformed answer";

    } else {

        /* a denial may have come in the meantime */

        ngx_http_gw_limit_api_forget(ask);
    }

    ask->done(ask, ask->reason ? NGX_ABORT : NGX_OK);
}


void
ngx_http_gw_limit_api_cancel(ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_http_gw_limit_redis_cancel(&ask->check);

    if (ask->waiting) {
        ask->waiting = 0;
        ngx_http_gw_redis_link_cancel(ask->link, ask->seq);
    }
}
