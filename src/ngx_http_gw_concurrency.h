
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The limits of requests in progress: which apply to a request, and what it
 * holds of them until its end.
 */


#ifndef NGX_HTTP_GW_CONCURRENCY_H
#define NGX_HTTP_GW_CONCURRENCY_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_concurrency_zone.h"
#include "ngx_http_gw_limit.h"


#define NGX_HTTP_GW_CONCURRENCY_UNLIMITED  INT64_MAX

/* the largest limit, requests */
#define NGX_HTTP_GW_CONCURRENCY_MAX        1000000000


/* one gw_concurrency */

typedef struct {
    ngx_shm_zone_t                  *shm_zone;
    ngx_http_gw_concurrency_zone_t  *zone;       /* set when all is parsed */
    ngx_http_gw_limit_phase_e        phase;
    ngx_http_complex_value_t        *limit;
    int64_t                          max;        /* without variables */
    ngx_http_complex_value_t        *filter;     /* NULL: always */
    ngx_uint_t                       shadow;
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_gw_concurrency_t;


/* the gw_concurrencies of one level */

typedef struct {
    ngx_array_t                      limits;  /* ngx_http_gw_concurrency_t */
    ngx_uint_t                       count[NGX_HTTP_GW_LIMIT_PHASES];
    unsigned                         off:1;
    unsigned                         resolved:1;
} ngx_http_gw_concurrencies_t;


/* $gw_concurrency_status: the later one stands */

typedef enum {
    NGX_HTTP_GW_CONCURRENCY_NONE = 0,
    NGX_HTTP_GW_CONCURRENCY_PASSED,
    NGX_HTTP_GW_CONCURRENCY_REJECTED_DRY_RUN,
    NGX_HTTP_GW_CONCURRENCY_REJECTED
} ngx_http_gw_concurrency_status_e;


/* one limit of one request */

typedef struct {
    ngx_http_gw_concurrency_t       *limit;
    ngx_str_t                        value;      /* of the key */
    int64_t                          max;        /* requests */
    int64_t                          current;    /* in progress */
    uint32_t                         hold;
    ngx_http_gw_concurrency_ask_t    ask;        /* of Redis */
    unsigned                         told:1;     /* there is an answer */
    unsigned                         held:1;
    unsigned                         silent:1;   /* not shown to the client */
    unsigned                         shadow:1;   /* rejects nobody */
} ngx_http_gw_concurrency_entry_t;


/* what a request has of its limits; zeroed at first */

typedef struct {
    ngx_http_gw_concurrency_entry_t  *entries[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_uint_t                        n[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_http_gw_concurrency_entry_t  *failed;    /* the one that rejected */
    ngx_http_gw_concurrency_entry_t  *invalid;   /* has no limit to tell */
    ngx_http_gw_concurrency_status_e  status;
    ngx_uint_t                        pending;   /* calls of Redis */
    unsigned                          decided:2; /* a bit for each phase */
    unsigned                          waiting:1; /* for Redis */
} ngx_http_gw_concurrency_ctx_t;


/*
 * The handler of gw_concurrency.
 *
 *     limits  of this level
 *
 * Returns NGX_CONF_OK, an error text, or NGX_CONF_ERROR when it is logged.
 */
char *ngx_http_gw_concurrency_add(ngx_conf_t *cf,
    ngx_http_gw_concurrencies_t *limits);

/*
 * Finds the zones once all directives are read.  Returns NGX_OK, or
 * NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_concurrencies_resolve(ngx_conf_t *cf,
    ngx_http_gw_concurrencies_t *limits);


/*
 * Evaluates the limits of a phase.
 *
 * Returns NGX_OK: ctx->entries are those whose key is not empty; NGX_DECLINED:
 * there is none; NGX_ERROR when memory is short or a value failed.
 * ctx->invalid is set if the limit of one of them is not a number.
 */
ngx_int_t ngx_http_gw_concurrency_prepare(ngx_http_request_t *r,
    ngx_http_gw_concurrencies_t *limits, ngx_uint_t phase,
    ngx_http_gw_concurrency_ctx_t *ctx);

/*
 * Counts the request for an entry.  Returns NGX_OK, or NGX_DECLINED if as
 * many are in progress as the limit allows.
 */
ngx_int_t ngx_http_gw_concurrency_take(
    ngx_http_gw_concurrency_entry_t *entry);

/* The request holds nothing of this entry any more. */
void ngx_http_gw_concurrency_drop(ngx_http_gw_concurrency_entry_t *entry);

/* The request has ended, or does not go on: it holds nothing any more. */
void ngx_http_gw_concurrency_release(ngx_http_gw_concurrency_ctx_t *ctx);

/*
 * Returns the entry that rejected, or the one nearest to its limit; NULL if
 * there is none.
 *
 *     silent  not 0 counts those that are not shown to the client, too
 */
ngx_http_gw_concurrency_entry_t *ngx_http_gw_concurrency_nearest(
    ngx_http_gw_concurrency_ctx_t *ctx, ngx_uint_t silent);


#endif /* NGX_HTTP_GW_CONCURRENCY_H */
