
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * One request on its way through its limits: it is decided, perhaps parked,
 * resumed, and passed on or refused.
 */


#ifndef NGX_HTTP_GW_LIMIT_REQUEST_H
#define NGX_HTTP_GW_LIMIT_REQUEST_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_concurrency.h"
#include "ngx_http_gw_limit.h"
#include "ngx_http_gw_limit_final.h"
#include "ngx_http_gw_quota.h"
#include "ngx_http_gw_limit_links.h"


/* gw_limit_on_error */

typedef enum {
    NGX_HTTP_GW_LIMIT_ERROR_LOCAL = 0,
    NGX_HTTP_GW_LIMIT_ERROR_PASS,
    NGX_HTTP_GW_LIMIT_ERROR_REJECT
} ngx_http_gw_limit_error_e;


/* $gw_limit_status: the later one stands when two phases decide */

typedef enum {
    NGX_HTTP_GW_LIMIT_NONE = 0,
    NGX_HTTP_GW_LIMIT_NOKEY,
    NGX_HTTP_GW_LIMIT_BYPASSED,
    NGX_HTTP_GW_LIMIT_PASSED,
    NGX_HTTP_GW_LIMIT_FALLBACK_PASSED,
    NGX_HTTP_GW_LIMIT_ERROR_PASSED,
    NGX_HTTP_GW_LIMIT_DELAYED_DRY_RUN,
    NGX_HTTP_GW_LIMIT_DELAYED,
    NGX_HTTP_GW_LIMIT_REJECTED_DRY_RUN,
    NGX_HTTP_GW_LIMIT_REJECTED,
    NGX_HTTP_GW_LIMIT_FALLBACK_REJECTED,
    NGX_HTTP_GW_LIMIT_ERROR_REJECTED
} ngx_http_gw_limit_status_e;


typedef enum {
    NGX_HTTP_GW_LIMIT_NEW = 0,
    NGX_HTTP_GW_LIMIT_WAITING,                   /* for Redis */
    NGX_HTTP_GW_LIMIT_DEFERRED,                  /* asked with the quotas */
    NGX_HTTP_GW_LIMIT_DELAYING,
    NGX_HTTP_GW_LIMIT_DONE
} ngx_http_gw_limit_state_e;


/* what a location says; a part of its configuration */

typedef struct {
    ngx_http_gw_limits_t             *limits;    /* NULL: none */
    ngx_http_gw_concurrencies_t      *concurrencies;     /* the same */
    ngx_http_gw_quotas_t             *quotas;            /* the same */
    ngx_uint_t                        phases;    /* bits, of all of these */
    ngx_uint_t                        status;
    ngx_uint_t                        concurrency_status;
    ngx_uint_t                        quota_status;
    ngx_uint_t                        on_error;
    ngx_uint_t                        error_status;
    ngx_uint_t                        limit_log_level;
    ngx_uint_t                        delay_log_level;
    ngx_uint_t                        headers;
    ngx_uint_t                        body;
    ngx_flag_t                        dry_run;
    ngx_uint_t                        share;     /* percent that may reject */
    ngx_uint_t                        jitter;    /* percent of Retry-After */
    ngx_array_t                      *bypass;    /* of complex values */
    ngx_flag_t                        retry_after;
    ngx_flag_t                        subrequests;

    /* of gw_limit_api */
    ngx_uint_t                        api;       /* its mode */
} ngx_http_gw_limit_conf_t;


/* what a worker keeps; a part of the main configuration */

typedef struct {
    ngx_http_gw_limit_links_t         links;
    ngx_int_t                         delay_max;
    ngx_msec_t                        deny;      /* time of denials */
    ngx_int_t                         delayed;   /* requests */
    ngx_http_gw_limit_rates_t         rates;
    ngx_http_gw_limit_finals_t        finals;
    time_t                            complained[NGX_HTTP_GW_LIMIT_BAD];
} ngx_http_gw_limit_worker_t;


typedef struct {
    ngx_http_request_t               *request;
    ngx_http_gw_limit_worker_t       *worker;
    ngx_http_gw_limit_conf_t         *conf;      /* of the last decision */

    /* the entries of these limits stand behind the context */
    ngx_http_gw_limits_t             *limits;

    ngx_http_gw_limit_state_e         state[NGX_HTTP_GW_LIMIT_PHASES];
    ngx_http_gw_limit_set_t           set[NGX_HTTP_GW_LIMIT_PHASES];

    ngx_http_gw_limit_status_e        status;
    int64_t                           retry_after;  /* usec, 0: none */
    ngx_uint_t                        dice;      /* of the jitter, 16 bits */
    ngx_msec_t                        start;
    ngx_msec_t                        spent;
    ngx_msec_t                        delay;

    ngx_http_gw_limit_calls_t        *calls;     /* NULL: none was made */
    ngx_http_gw_concurrency_ctx_t     concurrency;
    ngx_http_gw_quota_ctx_t          *quota;     /* NULL: no quota yet */

    unsigned                          delaying:1;   /* counted as delayed */
    unsigned                          fresh:1;      /* just made */
    unsigned                          woken:1;
    unsigned                          seen_postaccess:1;
    unsigned                          sealed:1;     /* nothing is charged */
    unsigned                          refused:1;    /* by a limit */
    unsigned                          settled:1;    /* final_cost is charged */

    /* not zeroed at first, and of a request that is delaying only */
    ngx_event_t                       timer;
} ngx_http_gw_limit_ctx_t;


/*
 * The work of a phase handler.  The context is zeroed up to timer, but for
 * request, worker and limits; ngx_http_gw_limit_cleanup() is called at the end
 * of the pool.
 *
 * Returns what the phase handler is to return.  NGX_AGAIN: the request is
 * parked, and the phases are run again by the reply of Redis or by a timer.
 */
ngx_int_t ngx_http_gw_limit_handle(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_conf_t *conf,
    ngx_http_gw_limit_phase_e phase);

/*
 * What follows the decision about the limits of a phase: they have room, one
 * of them has none, there is no decision and the request is to be refused.
 *
 * Return what the phase handler is to return.
 */
ngx_int_t ngx_http_gw_limit_pass(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
ngx_int_t ngx_http_gw_limit_reject(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);
ngx_int_t ngx_http_gw_limit_unable(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_phase_e phase);

/* Sets $gw_limit_status unless a later one stands. */
void ngx_http_gw_limit_set_status(ngx_http_gw_limit_ctx_t *ctx,
    ngx_http_gw_limit_status_e status);

/*
 * Answers with a rejection; whatever error_page does with it, no limit is
 * charged any more.
 *
 *     policy  that is violated, NULL: the decision could not be made
 *
 * Returns what a phase handler is to return.
 */
ngx_int_t ngx_http_gw_limit_refuse(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_uint_t status, ngx_str_t *policy);

/*
 * Charges the penalty of a limit that had no room for the request, whether it
 * rejects it or would have.
 */
void ngx_http_gw_limit_penalties(ngx_http_request_t *r,
    ngx_http_gw_limit_ctx_t *ctx, ngx_http_gw_limit_entry_t *entry);

/* Logs values that are mistakes of the configuration, but seldom. */
void ngx_http_gw_limit_complain(ngx_http_request_t *r,
    ngx_http_gw_limit_worker_t *worker, ngx_http_gw_limit_bad_t *bad);

/*
 * What a request needs to ask Redis: made at the first question, so that
 * others are not charged with it.
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_calls(ngx_http_gw_limit_ctx_t *ctx);

/* Stops the phases until ngx_http_gw_limit_resume(); returns NGX_AGAIN. */
ngx_int_t ngx_http_gw_limit_park(ngx_http_request_t *r);

/* Runs the phases again; sets ctx->woken.  The request may be gone then. */
void ngx_http_gw_limit_resume(ngx_http_gw_limit_ctx_t *ctx);

/*
 * Forgets whatever the request waits for, and releases what it holds:
 * ngx_pool_cleanup_pt.
 */
void ngx_http_gw_limit_cleanup(void *data);

/* The handlers of gw_limit_dry_run and gw_limit_retry_jitter. */
char *ngx_http_gw_limit_dry_run(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_limit_retry_jitter(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_GW_LIMIT_REQUEST_H */
