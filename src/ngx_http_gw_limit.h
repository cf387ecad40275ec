
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The limits of one request and phase: which apply, what each of them
 * answers, and that either all of them are charged or none.
 */


#ifndef NGX_HTTP_GW_LIMIT_H
#define NGX_HTTP_GW_LIMIT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_deny.h"
#include "ngx_http_gw_limit_links.h"
#include "ngx_http_gw_limit_plan.h"
#include "ngx_http_gw_limit_redis.h"
#include "ngx_http_gw_limit_zone.h"


typedef enum {
    NGX_HTTP_GW_LIMIT_PREACCESS = 0,
    NGX_HTTP_GW_LIMIT_POSTACCESS,
    NGX_HTTP_GW_LIMIT_PHASES
} ngx_http_gw_limit_phase_e;


/* one gw_limit */

typedef struct {
    ngx_shm_zone_t                   *shm_zone;
    ngx_http_gw_limit_zone_t         *zone;      /* set when all is parsed */
    ngx_http_gw_limit_phase_e         phase;
    ngx_http_gw_limit_number_t        burst;     /* -1: that of the zone */
    ngx_http_gw_limit_number_t        delay;     /* units that pass at once */
    ngx_http_gw_limit_number_t        cost;
    ngx_http_gw_limit_number_t        final_cost;
    ngx_http_gw_limit_number_t        penalty;
    ngx_http_gw_limit_plan_t          plan;      /* unless it has variables */
    ngx_str_t                         policy;    /* of RateLimit-Policy */
    size_t                            quoted;    /* bytes of its name */
    ngx_http_complex_value_t         *filter;    /* of "if", NULL: none */
    unsigned                          shadow:1;
    unsigned                          dynamic:1; /* the plan has variables */
    unsigned                          variable:1;  /* anything has */
    unsigned                          final:1;   /* there is final_cost */
    unsigned                          penalized:1;  /* there is penalty */
    u_char                           *file;
    ngx_uint_t                        line;
} ngx_http_gw_limit_t;


/* the gw_limits of one level */

typedef struct {
    ngx_array_t                       limits;    /* ngx_http_gw_limit_t */
    ngx_uint_t                        count[NGX_HTTP_GW_LIMIT_PHASES];
    unsigned                          off:1;
    unsigned                          resolved:1;
} ngx_http_gw_limits_t;


/* who decides about a limit */

typedef enum {
    NGX_HTTP_GW_LIMIT_HERE = 0,                  /* shared memory */
    NGX_HTTP_GW_LIMIT_REMOTE,                    /* Redis */
    NGX_HTTP_GW_LIMIT_NOBODY                     /* there is no valid rate */
} ngx_http_gw_limit_place_e;


/* one limit of one request */

typedef struct {
    ngx_http_gw_limit_t              *limit;
    ngx_http_gw_limit_plan_t         *plan;
    ngx_http_gw_limit_place_e         place;
    ngx_str_t                         value;     /* of the key */
    int64_t                           cost;
    int64_t                           at_once;   /* units, without delay */
    gw_limit_key_t                    key;       /* if it is hashed */
    gw_limit_deny_t                   deny;      /* of the deny cache */

    /* all that follows is zeroed at first */

    int64_t                           owed;      /* units, to Redis */
    ngx_http_gw_limit_redis_cell_t   *cell;      /* of the call of Redis */
    int64_t                           end;       /* usec, of the window */

    /* the answer */

    int64_t                           remaining; /* units */
    int64_t                           excess;    /* thousandths of a unit */
    int64_t                           next;      /* usec, 0: full */
    int64_t                           retry;     /* usec, -1: never */
    ngx_msec_t                        delay;
    ngx_http_gw_limit_source_e        source;
    unsigned                          hashed:1;
    unsigned                          told:1;    /* there is an answer */
    unsigned                          zero:1;    /* a rate of 0 */
    unsigned                          shadow:1;  /* rejects nobody */
    unsigned                          denied:1;  /* shadow: has no room */
    unsigned                          taken:1;   /* from shared memory */
    unsigned                          granted:1; /* by Redis */
    unsigned                          known:1;   /* deny is of the key */
    unsigned                          reserved:1;
} ngx_http_gw_limit_entry_t;


/* a call of Redis whose answer is late: it outlives the request */

typedef struct ngx_http_gw_limit_late_s  ngx_http_gw_limit_late_t;

/* of the worker, ngx_http_gw_limit_final.h */

typedef struct ngx_http_gw_limit_finals_s  ngx_http_gw_limit_finals_t;


typedef struct {
    ngx_http_gw_limit_entry_t        *entries;
    ngx_uint_t                        n;
    ngx_uint_t                        remote;    /* of them, in Redis */
    ngx_http_gw_limit_entry_t        *failed;    /* the one that rejected */
    ngx_http_gw_limit_late_t         *late;      /* NULL: none is due */
    ngx_http_gw_limit_finals_t       *finals;
    ngx_msec_t                        deny;      /* time of denials, 0: none */
    unsigned                          silent:1;  /* not shown to the client */
    unsigned                          invalid:1; /* has one without a rate */
    unsigned                          shadows:1; /* some reject nobody */
    unsigned                          fallback:1;  /* taken for Redis */
} ngx_http_gw_limit_set_t;


/* the two calls of Redis that a request may wait for */

typedef struct {
    ngx_http_gw_limit_redis_t         take;
    ngx_http_gw_limit_redis_t         debit;
    ngx_uint_t                        service;   /* number of it */
    int64_t                           asked;     /* ns, our clock */
} ngx_http_gw_limit_calls_t;


/*
 * The handler of gw_limit.
 *
 *     tag     of the zones: the module
 *     limits  of this level
 *
 * Returns NGX_CONF_OK, an error text, or NGX_CONF_ERROR when it is logged.
 */
char *ngx_http_gw_limit_add(ngx_conf_t *cf, void *tag,
    ngx_http_gw_limits_t *limits);

/*
 * Finds the zones once all directives are read, and computes what depends on
 * them.  Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_limits_resolve(ngx_conf_t *cf,
    ngx_http_gw_limits_t *limits);


/*
 * Evaluates the keys, plans and costs of the limits of a phase.
 *
 *     share  percentage of the keys whose limits may reject
 *     rates  of the worker
 *     set    zeroed, but for entries if there is room for those of the phase;
 *            out: the limits that apply; set->failed has a rate of 0
 *     bad    in/out: values that are mistakes are added
 *
 * Returns NGX_OK; otherwise no limit applies: NGX_DONE if one has an unlimited
 * rate, NGX_DECLINED if a key is empty, NGX_ABORT for another reason; or
 * NGX_ERROR when memory is short or a value failed.
 */
ngx_int_t ngx_http_gw_limit_prepare(ngx_http_request_t *r,
    ngx_http_gw_limits_t *limits, ngx_uint_t phase, ngx_uint_t share,
    ngx_http_gw_limit_rates_t *rates, ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_bad_t *bad);

/*
 * Takes from shared memory: for the limits in shared memory, or for those in
 * Redis when it could not be asked (source NGX_HTTP_GW_LIMIT_FALLBACK), each
 * host its share of their rates.
 *
 * Returns NGX_OK; NGX_DECLINED: set->failed has no room, and all that was
 * taken for the set is given back; NGX_ERROR when memory is short, with the
 * fallback only.
 */
ngx_int_t ngx_http_gw_limit_take(ngx_pool_t *pool,
    ngx_http_gw_limit_set_t *set, ngx_http_gw_limit_source_e source);

/*
 * Fills in the answer of an entry.
 *
 *     gcra   that decided, if it is of the algorithm
 *     ticks  of gcra and the result in one microsecond
 */
void ngx_http_gw_limit_answer(ngx_http_gw_limit_entry_t *entry,
    ngx_http_gw_limit_source_e source, gw_gcra_t *gcra,
    gw_gcra_result_t *res, int64_t ticks);

/* Computes entry->key, once. */
void ngx_http_gw_limit_hash(ngx_http_gw_limit_entry_t *entry);

/*
 * Gives back all that was taken for the set: what Redis has charged by a call
 * that nobody waits for.
 */
void ngx_http_gw_limit_give(ngx_http_gw_limit_set_t *set);

/*
 * Asks Redis about its limits in one call.  handler and data of calls->take
 * are set by the caller.
 *
 *     more  what is asked in the same call, behind the limits
 *     n     of them
 *
 * Returns NGX_AGAIN: the handler is called later; NGX_ERROR: it could not be
 * asked.  ngx_http_gw_limit_cancel() must precede the end of the pool.
 */
ngx_int_t ngx_http_gw_limit_ask(ngx_pool_t *pool,
    ngx_http_gw_limit_set_t *set, ngx_http_gw_redis_link_t *link,
    ngx_http_gw_limit_calls_t *calls, ngx_http_gw_limit_redis_cell_t *more,
    ngx_uint_t n);

/* Returns the number of the Redis of the limits, of which some are there. */
ngx_uint_t ngx_http_gw_limit_service(ngx_http_gw_limit_set_t *set);

/* Counts the time that Redis took to answer, or not to. */
void ngx_http_gw_limit_took(ngx_http_gw_limit_links_t *links,
    ngx_http_gw_limit_calls_t *calls);

/*
 * Keeps the answer of Redis.
 *
 * Returns NGX_OK, also if none of the limits but another part of the call has
 * no room; NGX_DECLINED: set->failed has no room, and what was taken from
 * shared memory is given back; NGX_ERROR: there is no answer.
 */
ngx_int_t ngx_http_gw_limit_told(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_calls_t *calls);

/*
 * After a fallback was taken because Redis did not answer in time: gives it
 * back if the late answer says that Redis has charged it.
 *
 *     more  called with that answer, or with NULL if there will never be one;
 *           NULL: nobody else is interested
 *
 * Returns NGX_OK, or NGX_DECLINED if there is no late answer.
 */
ngx_int_t ngx_http_gw_limit_expect(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_calls_t *calls, ngx_log_t *log,
    ngx_http_gw_redis_late_pt more, void *data);

/*
 * Leaves it to a late answer where the units of an entry are charged, or given
 * back if they are < 0.  Returns NGX_OK, or NGX_DECLINED: none is due.
 */
ngx_int_t ngx_http_gw_limit_defer(ngx_http_gw_limit_set_t *set, ngx_uint_t i,
    int64_t units);

/* Fills in what a call of Redis has to know of a plan. */
void ngx_http_gw_limit_cell(ngx_http_gw_limit_redis_cell_t *cell,
    ngx_http_gw_limit_plan_t *plan);

/* Raises the time, ns, until which something may be owed to Redis. */
void ngx_http_gw_limit_owe(ngx_http_gw_limit_shared_t *shared, int64_t until);

/* The set goes away: a late answer finds its own memory only. */
void ngx_http_gw_limit_forget(ngx_http_gw_limit_set_t *set);

void ngx_http_gw_limit_cancel(ngx_http_gw_limit_calls_t *calls);

/* The limit of an allowed request with the longest delay. */
ngx_http_gw_limit_entry_t *ngx_http_gw_limit_slowest(
    ngx_http_gw_limit_set_t *set);

/*
 * Returns 1 if the limits of a key may reject when only a share of the keys
 * is to be limited: always the same keys, whatever the zone and the host.
 *
 *     share  percent
 */
ngx_uint_t ngx_http_gw_limit_enforced(ngx_str_t *value, ngx_uint_t share);

/* Returns the limit of a zone, NULL if there is no answer of one. */
ngx_http_gw_limit_entry_t *ngx_http_gw_limit_of_zone(
    ngx_http_gw_limit_set_t *sets, ngx_uint_t n, u_char *name, size_t len);


#endif /* NGX_HTTP_GW_LIMIT_H */
