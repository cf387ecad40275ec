
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What a limit allows one request: the constants of its rate and burst, and
 * the numbers that may have variables.
 */


#ifndef NGX_HTTP_GW_LIMIT_PLAN_H
#define NGX_HTTP_GW_LIMIT_PLAN_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_rate.h"
#include "gw_window.h"
#include "ngx_http_gw_limit_zone.h"


/* a number that is above every bucket, units */
#define NGX_HTTP_GW_LIMIT_UNITS_MAX  ((int64_t) GW_GCRA_CAPACITY_MAX + 1)

/* rates that a worker remembers, a power of 2 */
#define NGX_HTTP_GW_LIMIT_RATES      32


typedef struct {
    ngx_uint_t                  algorithm;
    gw_gcra_t                   gcra;            /* ns */
    gw_gcra_t                   remote;          /* usec, for Redis */
    gw_window_t                 meter;           /* instead of gcra */
    gw_window_t                 far;             /* instead of remote */
    int64_t                     capacity;        /* units of a full bucket */
    int64_t                     quota;           /* units in one window */
    int64_t                     window;          /* seconds */
} ngx_http_gw_limit_plan_t;


/* the rates that variables had last; a part of the main configuration */

typedef struct {
    ngx_http_gw_limit_rate_t    rates[NGX_HTTP_GW_LIMIT_RATES];
} ngx_http_gw_limit_rates_t;


/* values that are mistakes of the configuration */

typedef enum {
    NGX_HTTP_GW_LIMIT_BAD_RATE = 0,
    NGX_HTTP_GW_LIMIT_BAD_BURST,
    NGX_HTTP_GW_LIMIT_BAD_DELAY,
    NGX_HTTP_GW_LIMIT_BAD_COST,
    NGX_HTTP_GW_LIMIT_BAD_FINAL,
    NGX_HTTP_GW_LIMIT_BAD_PENALTY,
    NGX_HTTP_GW_LIMIT_BAD
} ngx_http_gw_limit_bad_e;

typedef struct {
    ngx_uint_t                  found;           /* bits */
    ngx_str_t                  *zone[NGX_HTTP_GW_LIMIT_BAD];
    size_t                      len[NGX_HTTP_GW_LIMIT_BAD];
} ngx_http_gw_limit_bad_t;

#define ngx_http_gw_limit_bad(b, kind, name, size)                            \
    (b)->found |= 1 << (kind);                                                \
    (b)->zone[kind] = name;                                                   \
    (b)->len[kind] = size


/*
 * Parses a parameter of a directive: a number of units from min to max, or
 * text with variables.
 *
 *     value   the whole parameter, for the message
 *     prefix  length of its name and "="
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_limit_number_conf(ngx_conf_t *cf,
    ngx_http_gw_limit_number_t *number, ngx_str_t *value, size_t prefix,
    int64_t min, int64_t max);

/*
 * Evaluates a number.
 *
 *     units  out: at most NGX_HTTP_GW_LIMIT_UNITS_MAX, -1 if it is empty
 *     len    out: bytes of the value
 *
 * Returns NGX_OK; NGX_DECLINED if it is no number; NGX_ERROR when the value
 * failed.
 */
ngx_int_t ngx_http_gw_limit_number(ngx_http_request_t *r,
    ngx_http_gw_limit_number_t *number, int64_t *units, size_t *len);

/*
 * Makes a key one of the location: "@", the name of the server and that of the
 * location are added.
 *
 *     value  in/out: of the key
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_scope(ngx_http_request_t *r, ngx_str_t *value);

/*
 * Computes what a rate and a burst allow in a zone.
 *
 * Returns NGX_OK, or NGX_DECLINED if they are too large.
 */
ngx_int_t ngx_http_gw_limit_plan_init(ngx_http_gw_limit_plan_t *plan,
    ngx_http_gw_limit_zone_t *zone, gw_rate_t *rate, int64_t burst);

/*
 * Divides the rate of a plan among hosts that cannot ask Redis: what this host
 * decides is one share of it, what Redis decides stays as it was.  The bucket
 * holds as many units as before, a window one share of them, rounded up.
 *
 *     hosts  > 1
 */
void ngx_http_gw_limit_plan_share(ngx_http_gw_limit_plan_t *plan,
    ngx_uint_t hosts);

/*
 * Evaluates the rate and the burst of a zone or limit with variables.
 *
 *     burst   of the limit, cv NULL and -1 if that of the zone counts
 *     plan    out: from r->pool; NULL: a rate of 0, everything is rejected
 *     bad     out: values that are none
 *
 * Returns NGX_OK; NGX_DECLINED: the limit is off for this request; NGX_ABORT:
 * an invalid value without a default; NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_plan(ngx_http_request_t *r,
    ngx_http_gw_limit_zone_t *zone, ngx_http_gw_limit_number_t *burst,
    ngx_http_gw_limit_rates_t *rates, ngx_http_gw_limit_plan_t **plan,
    ngx_http_gw_limit_bad_t *bad);


#endif /* NGX_HTTP_GW_LIMIT_PLAN_H */
