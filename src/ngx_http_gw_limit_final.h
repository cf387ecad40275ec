
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What a request costs in the end: final_cost and penalty of gw_limit.  What
 * was charged is corrected when the request is over, and nobody waits for it.
 */


#ifndef NGX_HTTP_GW_LIMIT_FINAL_H
#define NGX_HTTP_GW_LIMIT_FINAL_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit.h"
#include "ngx_http_gw_limit_links.h"


/* corrections of a worker that are on their way to Redis, at most */
#define NGX_HTTP_GW_LIMIT_FINAL_JOBS   1024

/* times that one is sent, as long as it is known not to have run */
#define NGX_HTTP_GW_LIMIT_FINAL_TRIES  5

/* ms until it is sent again */
#define NGX_HTTP_GW_LIMIT_FINAL_RETRY  1000

/* ms for a reply: nobody waits, a slow Redis may take its time */
#define NGX_HTTP_GW_LIMIT_FINAL_WAIT   1000


/* a part of the main configuration */

/* the burst of one gw_limit */

typedef struct {
    ngx_shm_zone_t                *shm_zone;
    int64_t                        units;    /* -1: none of its own */
    ngx_uint_t                     variable;
} ngx_http_gw_limit_burst_t;


struct ngx_http_gw_limit_finals_s {
    ngx_array_t                 zones;       /* ngx_shm_zone_t *: may owe */
    ngx_flag_t                  used;        /* there is a final_cost */

    ngx_http_gw_limit_links_t  *links;       /* of the worker from here on */
    ngx_queue_t                 jobs;
    ngx_uint_t                  njobs;
    ngx_event_t                 retry;
    ngx_array_t                    bursts;   /* ngx_http_gw_limit_burst_t */
};


/*
 * Notes the gw_limit that was read last: the keys of its zone may owe units
 * if it has final_cost or penalty.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_limit_finals_note(ngx_conf_t *cf,
    ngx_http_gw_limit_finals_t *finals, ngx_http_gw_limits_t *limits);

/* Tells the zones once all directives are read, before plans are computed. */
void ngx_http_gw_limit_finals_resolve(ngx_http_gw_limit_finals_t *finals);

/* Prepares a worker that starts. */
void ngx_http_gw_limit_finals_start(ngx_http_gw_limit_finals_t *finals,
    ngx_http_gw_limit_links_t *links, ngx_log_t *log);

/* Drops what is on its way when the worker exits. */
void ngx_http_gw_limit_finals_exit(ngx_http_gw_limit_finals_t *finals);


/*
 * The handler of the log phase.  nginx calls it once for every request before
 * its pool is destroyed, whatever has ended it; subrequests are corrected
 * together with the main request.  Returns NGX_OK.
 */
ngx_int_t ngx_http_gw_limit_settle(ngx_http_request_t *r);

/*
 * Charges the penalty of a limit that had no room for the request.
 *
 *     calls  with the answer of Redis if it decided
 *     entry  in/out: remaining, next and retry become those after it
 *     bad    in/out: a value that is a mistake is added
 */
void ngx_http_gw_limit_penalize(ngx_http_request_t *r,
    ngx_http_gw_limit_finals_t *finals, ngx_http_gw_limit_calls_t *calls,
    ngx_http_gw_limit_entry_t *entry, ngx_http_gw_limit_bad_t *bad);


/*
 * Charges a key in shared memory, whether it has the units or not.
 *
 *     cost   of the question that is answered
 *     owed   1 if it is charged here instead of in Redis
 *     res    out: in ticks of the plan, what gw_limit_store_force() and
 *            gw_limit_window_force() say
 */
void ngx_http_gw_limit_force(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_plan_t *plan, gw_limit_key_t *key, int64_t units,
    int64_t cost, ngx_uint_t owed, gw_gcra_result_t *res);

/*
 * Corrects what was charged for a key in shared memory.
 *
 *     end    of the window in which it was charged
 *     units  > 0 to charge, < 0 to give back
 *     owed   1 if it is charged here instead of in Redis
 */
void ngx_http_gw_limit_correct(ngx_http_gw_limit_zone_t *zone,
    ngx_http_gw_limit_plan_t *plan, gw_limit_key_t *key, int64_t end,
    int64_t units, ngx_uint_t owed);

/*
 * Corrects what was charged for a key in Redis, by a call that no request
 * waits for.
 *
 *     key    the whole Redis key, is copied
 *     end    of the window in which it was charged
 *     units  > 0 to charge, < 0 to give back
 *     what   the counter of it
 */
void ngx_http_gw_limit_correct_redis(ngx_http_gw_limit_finals_t *finals,
    ngx_http_gw_limit_zone_t *zone, ngx_http_gw_limit_plan_t *plan,
    ngx_str_t *key, int64_t end, int64_t units,
    ngx_http_gw_limit_adjusted_e what);


#endif /* NGX_HTTP_GW_LIMIT_FINAL_H */
