
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* The quotas of a request: units in a calendar period. */


#ifndef NGX_HTTP_GW_QUOTA_H
#define NGX_HTTP_GW_QUOTA_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit.h"
#include "ngx_http_gw_quota_zone.h"


/* one gw_quota */

typedef struct {
    ngx_shm_zone_t                *shm_zone;
    ngx_http_gw_quota_zone_t      *zone;         /* set when all is parsed */
    ngx_http_gw_limit_phase_e      phase;
    ngx_http_complex_value_t      *cost;         /* NULL: 1 */
    ngx_http_complex_value_t      *final_cost;   /* NULL: as charged */
    ngx_http_complex_value_t      *filter;       /* NULL: always */
    ngx_uint_t                     warn;         /* percent, 0: never */
    unsigned                       overage:1;
    unsigned                       shadow:1;
    u_char                        *file;
    ngx_uint_t                     line;
} ngx_http_gw_quota_t;


/* the gw_quotas of one level */

typedef struct {
    ngx_array_t                    quotas;       /* ngx_http_gw_quota_t */
    ngx_uint_t                     count[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_uint_t                     remote[NGX_HTTP_GW_LIMIT_PHASES];
    unsigned                       off:1;
    unsigned                       resolved:1;
} ngx_http_gw_quotas_t;


/* $gw_quota_status: the later one stands */

typedef enum {
    NGX_HTTP_GW_QUOTA_NONE = 0,
    NGX_HTTP_GW_QUOTA_OK,
    NGX_HTTP_GW_QUOTA_WARN,
    NGX_HTTP_GW_QUOTA_OVERAGE,
    NGX_HTTP_GW_QUOTA_EXCEEDED
} ngx_http_gw_quota_status_e;


/* one quota of one request */

typedef struct {
    ngx_http_gw_quota_t           *quota;
    ngx_str_t                      value;        /* of the zone's key */
    gw_quota_key_t                 key;
    gw_quota_t                     terms;
    int64_t                        since;        /* anchor of the periods */
    int64_t                        cost;
    gw_quota_result_t              result;
    ngx_http_gw_quota_status_e     status;       /* NONE: no answer yet */

    /* of those in Redis */

    gw_period_span_t               span;         /* the period named */
    int64_t                        ahead;        /* its clock, seconds */
    ngx_http_gw_limit_redis_quota_t  remote;
    int64_t                        owed;         /* units, to Redis */
    int64_t                        owed_start;

    unsigned                       taken:1;
    unsigned                       granted:1;    /* by Redis */
    unsigned                       local:1;      /* taken, and owed */
    unsigned                       silent:1;     /* not shown to the client */
    unsigned                       warned:1;
} ngx_http_gw_quota_entry_t;


/* what a request has of its quotas; zeroed at first */

typedef struct {
    ngx_http_gw_quota_entry_t     *entries[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_uint_t                     n[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_http_gw_quota_entry_t     *failed;       /* the one that rejected */
    ngx_http_gw_quota_status_e     status;
    unsigned                       decided:2;    /* a bit for each phase */

    ngx_uint_t                     remote;       /* of the phase, in Redis */
    ngx_http_gw_limit_phase_e      phase;        /* of those */
    ngx_uint_t                     turns;        /* periods tried */
    ngx_http_gw_limit_set_t        none;         /* no limits */
    ngx_http_gw_limit_redis_t      debit;        /* of what is owed */
    unsigned                       waiting:1;    /* for Redis */
} ngx_http_gw_quota_ctx_t;


/*
 * The directive gw_quota; cmd->offset is that of an ngx_http_gw_quotas_t * in
 * conf.
 */
char *ngx_http_gw_quota(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Finds the zones once all directives are read.  Returns NGX_OK, or
 * NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_quotas_resolve(ngx_conf_t *cf,
    ngx_http_gw_quotas_t *quotas);

/* Returns 1 if one of them has final_cost. */
ngx_uint_t ngx_http_gw_quotas_final(ngx_http_gw_quotas_t *quotas);

/*
 * Checks that one call of Redis can decide the quotas and limits of each
 * phase.
 *
 *     limits, quotas  of a level, resolved; NULL: none
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_quotas_check(ngx_conf_t *cf,
    ngx_http_gw_limits_t *limits, ngx_http_gw_quotas_t *quotas);

/*
 * Returns the quota that rejected, or is nearest to its end; NULL if there is
 * none.
 */
ngx_http_gw_quota_entry_t *ngx_http_gw_quota_nearest(
    ngx_http_gw_quota_ctx_t *qctx);


#endif /* NGX_HTTP_GW_QUOTA_H */
