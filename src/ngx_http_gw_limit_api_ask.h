
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * One request of gw_limit_api: looks at a key in shared memory or in Redis,
 * resets it, or grants it units.
 */


#ifndef NGX_HTTP_GW_LIMIT_API_ASK_H
#define NGX_HTTP_GW_LIMIT_API_ASK_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_limit_target.h"
#include "ngx_http_gw_concurrency_zone.h"
#include "ngx_http_gw_limit_api.h"
#include "ngx_http_gw_limit_plan.h"
#include "ngx_http_gw_limit_redis.h"
#include "ngx_http_gw_quota_zone.h"


typedef enum {
    NGX_HTTP_GW_LIMIT_API_LOOK = 0,
    NGX_HTTP_GW_LIMIT_API_RESET,
    NGX_HTTP_GW_LIMIT_API_GRANT
} ngx_http_gw_limit_api_action_e;


typedef struct ngx_http_gw_limit_api_ask_s  ngx_http_gw_limit_api_ask_t;

/*
 * Ends a call, never from within ngx_http_gw_limit_api_ask(): rc is NGX_OK,
 * or NGX_ABORT as there.
 */
typedef void (*ngx_http_gw_limit_api_done_pt)(
    ngx_http_gw_limit_api_ask_t *ask, ngx_int_t rc);


/* zeroed by the caller, alive until the end or the cancellation */

struct ngx_http_gw_limit_api_ask_s {
    ngx_http_request_t                *request;
    const ngx_http_gw_limit_api_t     *api;
    ngx_http_gw_limit_api_done_pt      done;

    gw_limit_target_t                  target;
    ngx_http_gw_limit_api_action_e     action;
    ngx_str_t                          key;
    int64_t                            grant;    /* units */

    ngx_http_gw_limit_zone_t          *limit;    /* the one of target.kind */
    ngx_http_gw_quota_zone_t          *quota;
    ngx_http_gw_concurrency_zone_t    *concurrency;

    /* the answer */

    const char                        *error;    /* of NGX_DECLINED */
    const char                        *reason;   /* of NGX_ABORT */
    ngx_uint_t                         remote;   /* it is of Redis */
    ngx_http_gw_limit_plan_t           plan;
    gw_gcra_result_t                   state;    /* usec */
    int64_t                            units;    /* a quota, -1: not known */
    gw_quota_result_t                  used;     /* carried -1: in granted */
    uint64_t                           current;

    /* private from here on */

    ngx_http_gw_limit_redis_t          check;
    ngx_http_gw_limit_redis_cell_t     cell;
    ngx_http_gw_limit_redis_quota_t    remains;
    gw_period_span_t                   span;
    int64_t                            since;    /* the value of the anchor */
    ngx_uint_t                         turns;    /* periods that were named */
    ngx_http_gw_redis_link_t          *link;
    uint32_t                           seq;
    unsigned                           waiting:1;
};


/*
 * Finds the zone of the target.  Returns NGX_OK, or NGX_DECLINED if there is
 * none of this name.
 */
ngx_int_t ngx_http_gw_limit_api_zone(ngx_http_gw_limit_api_ask_t *ask);

/*
 * Does what ask->action says.
 *
 * Returns NGX_OK: ask has the answer; NGX_AGAIN: ask->done is called later;
 * NGX_DECLINED: ask->error says which argument is wrong; NGX_ABORT: Redis
 * does not answer, ask->reason says why; NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_api_ask(ngx_http_gw_limit_api_ask_t *ask);

/* ask->done will not be called. */
void ngx_http_gw_limit_api_cancel(ngx_http_gw_limit_api_ask_t *ask);

/*
 * Makes the document with the answer.
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_api_answer(ngx_http_gw_limit_api_ask_t *ask,
    ngx_str_t *json);

/* The same with all zones. */
ngx_int_t ngx_http_gw_limit_api_zones(ngx_pool_t *pool,
    const ngx_http_gw_limit_api_t *api, ngx_str_t *json);


#endif /* NGX_HTTP_GW_LIMIT_API_ASK_H */
