
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The limits and quotas of one request, decided by one atomic call of the
 * script src/scripts/take.lua: all are charged, or none.
 */


#ifndef NGX_HTTP_GW_LIMIT_REDIS_H
#define NGX_HTTP_GW_LIMIT_REDIS_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_quota_store.h"
#include "gw_window.h"
#include "ngx_http_gw_redis_link.h"


/* limits and quotas of one call */
#define NGX_HTTP_GW_LIMIT_REDIS_MAX  16

/* the longest key that stands literally in the hash tag, bytes */
#define NGX_HTTP_GW_LIMIT_REDIS_KEY_MAX  64


typedef enum {
    NGX_HTTP_GW_LIMIT_REDIS_TAKE = 0,
    NGX_HTTP_GW_LIMIT_REDIS_PEEK,              /* look, charge nothing */
    NGX_HTTP_GW_LIMIT_REDIS_FORCE,             /* charge in any case */
    NGX_HTTP_GW_LIMIT_REDIS_GIVE,              /* back: src/scripts/give.lua */

    /* of quotas only */

    NGX_HTTP_GW_LIMIT_REDIS_GRANT,             /* the cost */
    NGX_HTTP_GW_LIMIT_REDIS_RESET              /* as if never seen */
} ngx_http_gw_limit_redis_mode_e;


/* the largest bucket of a limit in Redis, usec; a Lua number keeps 53 bits */
#define NGX_HTTP_GW_LIMIT_REDIS_TAU_MAX  ((int64_t) 1 << 52)


/* the largest quota or cost in Redis, units; sums of some stay exact there */
#define NGX_HTTP_GW_LIMIT_REDIS_UNITS    1000000000000000


/* A quota of a request. */

typedef struct {
    gw_quota_t                terms;
    ngx_str_t                 id;              /* of the period */
    ngx_str_t                 beside;          /* key of the units granted */
    unsigned                  overage:1;       /* rejects nobody, and counts */
    gw_quota_result_t         result;          /* as gw_quota_store_take() */
    int64_t                   extra;           /* units in result.limit */
} ngx_http_gw_limit_redis_quota_t;


/*
 * One limit or quota.  gcra comes from gw_gcra_init() with ticks of one usec;
 * result is what gw_gcra_take() or gw_window_take() would have answered, with
 * what Redis holds and Redis's clock.
 *
 * A quota of kind 'q' has the keys of its period; those of kind 'r', with
 * terms.carry or terms.length, are the same without ":<period>".
 */

typedef struct {
    ngx_str_t                 key;             /* the whole Redis key */
    char                      kind;            /* a letter of take.lua */
    gw_gcra_t                *gcra;            /* of 'g' */
    gw_window_t              *window;          /* of 's' and 'f' */
    ngx_http_gw_limit_redis_quota_t  *quota;   /* of 'q' and 'r' */
    int64_t                   cost;            /* units, >= 0 */
    int64_t                   end;             /* of the window, to give */
    unsigned                  shadow:1;        /* rejects nobody */

    ngx_int_t                 status;          /* of this limit alone */
    int64_t                   granted;         /* units charged */
    gw_gcra_result_t          result;
    gw_window_cell_t          counted;         /* of 's' and 'f' */
} ngx_http_gw_limit_redis_cell_t;


typedef struct ngx_http_gw_limit_redis_s  ngx_http_gw_limit_redis_t;

/*
 * Ends a check.  check->status is
 *
 *     NGX_OK        all limits have room and, unless peeked, are charged
 *     NGX_DECLINED  at least one has no room, nothing was charged
 *     NGX_ABORT     check->now is not in the period of a quota
 *     NGX_ERROR     could not tell: check->reason says why
 *
 * and with the first two the answers stand in the cells: cell->status is
 * NGX_OK or NGX_DECLINED.  Of units that are given back nothing is told.
 *
 * After NGX_ERROR check->unrun is 1 if it is known that nothing was charged
 * and a later attempt may succeed, check->refused if it makes no sense.
 */
typedef void (*ngx_http_gw_limit_redis_pt)(void *data,
    ngx_http_gw_limit_redis_t *check);

/* memory of the caller, alive until the end or the cancellation */

struct ngx_http_gw_limit_redis_s {
    ngx_http_gw_redis_link_t           *link;
    ngx_http_gw_limit_redis_cell_t     *cells;
    ngx_uint_t                          ncells;
    ngx_http_gw_limit_redis_mode_e      mode;
    ngx_http_gw_limit_redis_pt          handler;
    void                               *data;
    ngx_msec_t                          patience; /* ms, 0: of the service */

    ngx_int_t                           status;
    const char                         *reason;   /* static, NULL if told */
    int64_t                             now;      /* Redis's clock, usec */

    ngx_msec_t                          deadline; /* private from here on */
    uint32_t                            seq;
    unsigned                            waiting:1;
    unsigned                            resent:1;
    unsigned                            expired:1;
    unsigned                            unrun:1;
    unsigned                            refused:1;
};


/*
 * Makes the key "<prefix>1:l:<zone>:{t}", with windows "1:s" in place of
 * "1:l", with requests in progress, kind 'c', "1:c".  t is the value itself
 * when it is at most 64 bytes of [A-Za-z0-9._@:-], otherwise "#" and 32 hex
 * digits of its SHA-256.
 *
 *     key   out: allocated from pool
 *     kind  as in the cell
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_redis_key(ngx_pool_t *pool, ngx_str_t *key,
    ngx_str_t *prefix, char kind, ngx_str_t *zone, ngx_str_t *value);

/*
 * Makes the two keys of a quota, "<prefix>1:q:<zone>:{t}:<period>" for the
 * units used, and the same with "1:g" for those granted beside its limit.
 *
 *     used, beside  out: allocated from pool, in one piece
 *     period        the id of gw_period_at(), empty: no ":<period>"
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_redis_quota_keys(ngx_pool_t *pool,
    ngx_str_t *used, ngx_str_t *beside, ngx_str_t *prefix, ngx_str_t *zone,
    ngx_str_t *value, ngx_str_t *period);

/*
 * Asks.  link, cells, ncells, mode, handler and data are set by the caller.
 *
 * Returns NGX_AGAIN: the handler is called later, never from within this
 * call; or NGX_ERROR: could not tell at once, status and reason are set and
 * the handler is not called.
 */
ngx_int_t ngx_http_gw_limit_redis_check(ngx_http_gw_limit_redis_t *check);

/*
 * Asks again after NGX_ABORT, within the same deadline; called by the handler.
 * Returns the same.
 */
ngx_int_t ngx_http_gw_limit_redis_again(ngx_http_gw_limit_redis_t *check);

/* The handler will not be called.  Harmless when nothing is asked. */
void ngx_http_gw_limit_redis_cancel(ngx_http_gw_limit_redis_t *check);

/*
 * Asks for the fate of a check that ended without a reply in time.
 *
 *     late  called with a reply for ngx_http_gw_limit_redis_charged(), or with
 *           NULL if there will never be one; data must outlive the request
 *
 * Returns NGX_OK or NGX_DECLINED as ngx_http_gw_redis_link_late().
 */
ngx_int_t ngx_http_gw_limit_redis_late(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_redis_late_pt late, void *data);

/*
 * Returns 1 if the late reply to a check says that the limit or quota was
 * charged whose first key is number i of the call.
 */
ngx_uint_t ngx_http_gw_limit_redis_charged(redisReply *reply, ngx_uint_t i);

/* Returns what an error reply means, a static text. */
const char *ngx_http_gw_limit_redis_reason(redisReply *reply);

/* Returns the time of a late reply that charged, usec since 1970. */
int64_t ngx_http_gw_limit_redis_now(redisReply *reply);

/* The scripts to be loaded by a link: ngx_http_gw_redis_link_conf_t. */
void ngx_http_gw_limit_redis_scripts(ngx_str_t **scripts, ngx_uint_t *n);


#endif /* NGX_HTTP_GW_LIMIT_REDIS_H */
