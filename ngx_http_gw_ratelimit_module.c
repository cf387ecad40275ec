
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_concurrency_request.h"
#include "ngx_http_gw_joint.h"
#include "ngx_http_gw_limit_api.h"
#include "ngx_http_gw_limit_deny.h"
#include "ngx_http_gw_limit_fields.h"
#include "ngx_http_gw_limit_metrics.h"
#include "ngx_http_gw_limit_request.h"
#include "ngx_http_gw_limit_response.h"
#include "ngx_http_gw_limit_var.h"
#include "ngx_http_gw_quota_request.h"


#define NGX_HTTP_GW_RATELIMIT_DELAY_MAX  1024    /* requests of a worker */
#define NGX_HTTP_GW_RATELIMIT_DENY       1000    /* ms */


typedef struct {
    ngx_http_gw_joint_t             joint;       /* must be first */
    ngx_array_t                     zones;       /* of pointers */
    ngx_array_t                     concurrency_zones;
    ngx_array_t                     quota_zones;
    ngx_http_gw_limit_worker_t      worker;
    ngx_http_gw_limit_api_t         api;
} ngx_http_gw_ratelimit_main_conf_t;


static ngx_int_t ngx_http_gw_ratelimit_preaccess(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_ratelimit_postaccess(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_ratelimit_handler(ngx_http_request_t *r,
    ngx_http_gw_limit_phase_e phase);
static ngx_http_gw_limit_ctx_t *ngx_http_gw_ratelimit_get_ctx(
    ngx_http_request_t *r);
static ngx_http_gw_limit_ctx_t *ngx_http_gw_ratelimit_create_ctx(
    ngx_http_request_t *r, ngx_http_gw_limits_t *limits);
static ngx_int_t ngx_http_gw_ratelimit_api_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_ratelimit_header_filter(ngx_http_request_t *r);

static ngx_int_t ngx_http_gw_ratelimit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_ratelimit_zone_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_ratelimit_state_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_gw_limit_ctx_t *ngx_http_gw_ratelimit_variable_ctx(
    ngx_http_request_t *r);

static ngx_int_t ngx_http_gw_ratelimit_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics);

static ngx_int_t ngx_http_gw_ratelimit_preconfiguration(ngx_conf_t *cf);
static void *ngx_http_gw_ratelimit_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_gw_ratelimit_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_gw_ratelimit_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_gw_ratelimit_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_gw_ratelimit_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gw_ratelimit_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gw_ratelimit_concurrency_zone(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_ratelimit_concurrency(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_ratelimit_on_error(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_ratelimit_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_gw_ratelimit_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_gw_ratelimit_init_process(ngx_cycle_t *cycle);
static void ngx_http_gw_ratelimit_exit_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_gw_ratelimit_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gw_ratelimit_bodies[] = {
    { ngx_string("off"), 0 },
    { ngx_string("problem"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_gw_ratelimit_status_bounds = {
    ngx_conf_check_num_bounds, 400, 599
};


static ngx_conf_num_bounds_t  ngx_http_gw_ratelimit_delay_bounds = {
    ngx_conf_check_num_bounds, 0, 1000000
};


static ngx_command_t  ngx_http_gw_ratelimit_commands[] = {

    NGX_HTTP_GW_JOINT_COMMANDS,

    { ngx_string("gw_limit_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_gw_ratelimit_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_ratelimit_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_concurrency_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_gw_ratelimit_concurrency_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_concurrency"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_ratelimit_concurrency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_concurrency_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, concurrency_status),
      &ngx_http_gw_ratelimit_status_bounds },

    { ngx_string("gw_quota_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_gw_quota_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_gw_ratelimit_main_conf_t, quota_zones),
      NULL },

    { ngx_string("gw_quota"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_quota,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, quotas),
      NULL },

    { ngx_string("gw_quota_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, quota_status),
      &ngx_http_gw_ratelimit_status_bounds },

    { ngx_string("gw_limit_on_error"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_ratelimit_on_error,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_limit_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_limit_dry_run,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_limit_bypass"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, bypass),
      NULL },

    { ngx_string("gw_limit_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, status),
      &ngx_http_gw_ratelimit_status_bounds },

    { ngx_string("gw_limit_log_level"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, limit_log_level),
      &ngx_http_gw_ratelimit_log_levels },

    { ngx_string("gw_limit_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_limit_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, headers),
      NULL },

    { ngx_string("gw_limit_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, body),
      &ngx_http_gw_ratelimit_bodies },

    { ngx_string("gw_limit_retry_after"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, retry_after),
      NULL },

    { ngx_string("gw_limit_retry_jitter"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_limit_retry_jitter,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_limit_subrequests"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_limit_conf_t, subrequests),
      NULL },

    { ngx_string("gw_limit_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_gw_ratelimit_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_limit_delay_max"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_gw_ratelimit_main_conf_t, worker.delay_max),
      &ngx_http_gw_ratelimit_delay_bounds },

    { ngx_string("gw_limit_deny_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_limit_deny_cache,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_gw_ratelimit_main_conf_t, worker.deny),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_gw_ratelimit_module_ctx = {
    ngx_http_gw_ratelimit_preconfiguration, /* preconfiguration */
    ngx_http_gw_ratelimit_init,            /* postconfiguration */

    ngx_http_gw_ratelimit_create_main_conf, /* create main configuration */
    ngx_http_gw_ratelimit_init_main_conf,  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_gw_ratelimit_create_loc_conf, /* create location configuration */
    ngx_http_gw_ratelimit_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_gw_ratelimit_module = {
    NGX_MODULE_V1,
    &ngx_http_gw_ratelimit_module_ctx,     /* module context */
    ngx_http_gw_ratelimit_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_gw_ratelimit_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_gw_ratelimit_exit_process,    /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_gw_ratelimit_vars[] = {

    { ngx_string("gw_limit_status"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_STATUS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_source"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_SOURCE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_zone"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_ZONE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_policy"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_POLICY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_limit"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_LIMIT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_remaining"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_REMAINING, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_reset"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_RESET, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_cost"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_COST, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_retry_after"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_RETRY_AFTER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_delay"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_DELAY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_time"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_concurrency_status"), NULL,
      ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_CONCURRENCY_STATUS,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_concurrency_current"), NULL,
      ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_CONCURRENCY_CURRENT,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_quota_status"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_QUOTA_STATUS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_quota_warning"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_QUOTA_WARNING, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_quota_used"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_QUOTA_USED, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_quota_remaining"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_QUOTA_REMAINING, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_quota_reset"), NULL, ngx_http_gw_ratelimit_variable,
      NGX_HTTP_GW_LIMIT_VAR_QUOTA_RESET, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_limit_limit_"), NULL,
      ngx_http_gw_ratelimit_zone_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("gw_limit_remaining_"), NULL,
      ngx_http_gw_ratelimit_zone_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("gw_redis_state_"), NULL,
      ngx_http_gw_ratelimit_state_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


static ngx_int_t
ngx_http_gw_ratelimit_preaccess(ngx_http_request_t *r)
{
    return ngx_http_gw_ratelimit_handler(r, NGX_HTTP_GW_LIMIT_PREACCESS);
}


static ngx_int_t
ngx_http_gw_ratelimit_postaccess(ngx_http_request_t *r)
{
    return ngx_http_gw_ratelimit_handler(r, NGX_HTTP_GW_LIMIT_POSTACCESS);
}


static ngx_int_t
ngx_http_gw_ratelimit_handler(ngx_http_request_t *r,
    ngx_http_gw_limit_phase_e phase)
{
    ngx_int_t                  rc;
    ngx_http_gw_limit_ctx_t   *ctx;
    ngx_http_gw_limit_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_gw_ratelimit_module);

    if (r != r->main && !conf->subrequests) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_gw_ratelimit_get_ctx(r);

    if (ctx == NULL) {

        if (conf->limits == NULL
            && ((conf->concurrencies == NULL && conf->quotas == NULL)
                || r != r->main))
        {
            return NGX_DECLINED;
        }

        ctx = ngx_http_gw_ratelimit_create_ctx(r, conf->limits);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (phase == NGX_HTTP_GW_LIMIT_PREACCESS
            && !(conf->phases & (1 << phase)))
        {
            /* it came by, which is all that matters here */

            ctx->fresh = 0;

            return NGX_DECLINED;
        }
    }

    rc = (ctx->concurrency.waiting || (ctx->quota && ctx->quota->waiting))
         ? NGX_DECLINED : ngx_http_gw_limit_handle(r, ctx, conf, phase);

    if (rc != NGX_DECLINED || r != r->main) {
        return rc;
    }

    if (conf->concurrencies != NULL || ctx->concurrency.waiting) {
        rc = ngx_http_gw_concurrency_handle(r, ctx, conf, phase);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (conf->quotas != NULL || ctx->quota != NULL) {
        return ngx_http_gw_quota_handle(r, ctx, conf, phase);
    }

    return NGX_DECLINED;
}


static ngx_http_gw_limit_ctx_t *
ngx_http_gw_ratelimit_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_gw_limit_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_gw_ratelimit_module);

    if (ctx != NULL || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    /*
     * an internal redirect zeroes the contexts of modules;
     * subrequests share the pool of the main request
     */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_gw_limit_cleanup) {
            continue;
        }

        ctx = cln->data;

        if (ctx->request == r) {
            ngx_http_set_ctx(r, ctx, ngx_http_gw_ratelimit_module);
            return ctx;
        }
    }

    return NULL;
}


static ngx_http_gw_limit_ctx_t *
ngx_http_gw_ratelimit_create_ctx(ngx_http_request_t *r,
    ngx_http_gw_limits_t *limits)
{
    size_t                              size;
    ngx_pool_cleanup_t                 *cln;
    ngx_http_gw_limit_ctx_t            *ctx;
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    rmcf = ngx_http_get_module_main_conf(r, ngx_http_gw_ratelimit_module);

    /* room for what the limits here will say */

    size = sizeof(ngx_http_gw_limit_ctx_t);

    if (limits != NULL) {
        size += limits->limits.nelts * sizeof(ngx_http_gw_limit_entry_t);
    }

    cln = ngx_pool_cleanup_add(r->pool, size);
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;

    ngx_memzero(ctx, offsetof(ngx_http_gw_limit_ctx_t, timer));

    ctx->limits = limits;

    ctx->request = r;
    ctx->worker = &rmcf->worker;
    ctx->fresh = 1;

    cln->handler = ngx_http_gw_limit_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_gw_ratelimit_module);

    return ctx;
}


static ngx_int_t
ngx_http_gw_ratelimit_api_handler(ngx_http_request_t *r)
{
    ngx_http_gw_limit_conf_t           *conf;
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_gw_ratelimit_module);
    rmcf = ngx_http_get_module_main_conf(r, ngx_http_gw_ratelimit_module);

    return ngx_http_gw_limit_api_handle(r, &rmcf->api, conf->api);
}


static ngx_int_t
ngx_http_gw_ratelimit_header_filter(ngx_http_request_t *r)
{
    ngx_array_t                extras;
    ngx_http_gw_limit_ctx_t   *ctx;
    ngx_http_gw_limit_view_t   view;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_gw_ratelimit_get_ctx(r);

    if (ctx == NULL || ctx->conf == NULL) {
        return ngx_http_next_header_filter(r);
    }

    if (ctx->conf->headers) {

        ngx_memzero(&extras, sizeof(ngx_array_t));

        view.headers = ctx->conf->headers;
        view.sets = ctx->set;
        view.n = NGX_HTTP_GW_LIMIT_PHASES;
        view.extras = &extras;
        view.jitter = ctx->conf->jitter;
        view.dice = &ctx->dice;

        if (ngx_http_gw_concurrency_extras(r->pool, &ctx->concurrency, &extras)
            != NGX_OK
            || (ctx->quota != NULL
                && ngx_http_gw_quota_extras(r->pool, ctx->quota, &extras)
                   != NGX_OK)
            || ngx_http_gw_limit_add_fields(r, &view) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ctx->retry_after
        && ctx->conf->retry_after
        && ngx_http_gw_limit_add_retry_after(r, ctx->retry_after) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_gw_ratelimit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_limit_ctx_t  *ctx;

    /* requests in progress and quotas are those of the main request */

    ctx = (data < NGX_HTTP_GW_LIMIT_VAR_MAIN)
          ? ngx_http_gw_ratelimit_variable_ctx(r)
          : ngx_http_gw_ratelimit_get_ctx(r->main);

    return ngx_http_gw_limit_get_value(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_ratelimit_zone_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    return ngx_http_gw_limit_zone_variable(r,
                                    ngx_http_gw_ratelimit_variable_ctx(r), v,
                                    (ngx_str_t *) data);
}


static ngx_int_t
ngx_http_gw_ratelimit_state_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    rmcf = ngx_http_get_module_main_conf(r, ngx_http_gw_ratelimit_module);

    ngx_http_gw_limit_get_state(&rmcf->worker.links, v, (ngx_str_t *) data);

    return NGX_OK;
}


static ngx_http_gw_limit_ctx_t *
ngx_http_gw_ratelimit_variable_ctx(ngx_http_request_t *r)
{
    ngx_http_gw_limit_ctx_t  *ctx;

    ctx = ngx_http_gw_ratelimit_get_ctx(r);

    if (ctx == NULL && r != r->main) {
        ctx = ngx_http_gw_ratelimit_get_ctx(r->main);
    }

    return ctx;
}


static ngx_int_t
ngx_http_gw_ratelimit_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics)
{
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    rmcf = (ngx_http_gw_ratelimit_main_conf_t *) joint;

    if (ngx_http_gw_limit_metrics(&rmcf->zones, metrics) != NGX_OK
        || ngx_http_gw_concurrency_metrics(&rmcf->concurrency_zones, metrics)
           != NGX_OK
        || ngx_http_gw_quota_metrics(&rmcf->quota_zones, metrics) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_limit_links_metrics(&rmcf->worker.links, metrics);
}


static ngx_int_t
ngx_http_gw_ratelimit_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_variable_t                *var, *v;
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    for (v = ngx_http_gw_ratelimit_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_gw_ratelimit_module);

    return ngx_http_gw_joint_join(cf, &rmcf->joint);
}


static void *
ngx_http_gw_ratelimit_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    rmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_ratelimit_main_conf_t));
    if (rmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&rmcf->zones, cf->pool, 4,
                       sizeof(ngx_http_gw_limit_zone_t *))
        != NGX_OK
        || ngx_array_init(&rmcf->concurrency_zones, cf->pool, 2,
                          sizeof(ngx_http_gw_concurrency_zone_t *))
           != NGX_OK
        || ngx_array_init(&rmcf->quota_zones, cf->pool, 2,
                          sizeof(ngx_http_gw_quota_zone_t *))
           != NGX_OK)
    {
        return NULL;
    }

    ngx_http_gw_joint_init(&rmcf->joint, "ngx_http_gw_ratelimit_module",
                           ngx_http_gw_ratelimit_metrics);

    rmcf->worker.delay_max = NGX_CONF_UNSET;
    rmcf->worker.deny = NGX_CONF_UNSET_MSEC;

    rmcf->api.limits = &rmcf->zones;
    rmcf->api.quotas = &rmcf->quota_zones;
    rmcf->api.concurrencies = &rmcf->concurrency_zones;
    rmcf->api.links = &rmcf->worker.links;

    return rmcf;
}


static char *
ngx_http_gw_ratelimit_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_gw_ratelimit_main_conf_t *rmcf = conf;

    ngx_str_t                  *node;
    ngx_uint_t                  i;
    ngx_array_t                *services;
    ngx_http_gw_limit_zone_t  **zone;
    ngx_http_gw_quota_zone_t  **quota;
    ngx_http_gw_concurrency_zone_t  **concurrency;

    ngx_conf_init_value(rmcf->worker.delay_max,
                        NGX_HTTP_GW_RATELIMIT_DELAY_MAX);
    ngx_conf_init_msec_value(rmcf->worker.deny, NGX_HTTP_GW_RATELIMIT_DENY);

    ngx_http_gw_limit_finals_resolve(&rmcf->worker.finals);

    node = &rmcf->joint.registry->node_id;
    services = &rmcf->joint.registry->services;

    if (ngx_http_gw_limit_zone_resolve(cf, &rmcf->zones, services) != NGX_OK
        || ngx_http_gw_quota_zones_resolve(cf, &rmcf->quota_zones, services)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_concurrency_zones_resolve(cf, &rmcf->concurrency_zones,
                                              services, node)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    concurrency = rmcf->concurrency_zones.elts;

    for (i = 0; i < rmcf->concurrency_zones.nelts; i++) {

        if (concurrency[i]->remote.redis
            && ngx_http_gw_limit_links_use(cf, &rmcf->worker.links, services,
                                           concurrency[i]->remote.number,
                                           &ngx_http_gw_ratelimit_module,
                                           node)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    quota = rmcf->quota_zones.elts;

    for (i = 0; i < rmcf->quota_zones.nelts; i++) {

        if (quota[i]->redis
            && ngx_http_gw_limit_links_use(cf, &rmcf->worker.links, services,
                                           quota[i]->link,
                                           &ngx_http_gw_ratelimit_module,
                                           node)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    zone = rmcf->zones.elts;

    for (i = 0; i < rmcf->zones.nelts; i++) {

        if (zone[i]->redis
            && ngx_http_gw_limit_links_use(cf, &rmcf->worker.links, services,
                                           zone[i]->link,
                                           &ngx_http_gw_ratelimit_module,
                                           node)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_gw_ratelimit_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_gw_limit_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_limit_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->phases = 0;
     *     conf->error_status = 0;
     *     conf->api = NGX_HTTP_GW_LIMIT_API_OFF;
     */

    conf->limits = NGX_CONF_UNSET_PTR;
    conf->concurrencies = NGX_CONF_UNSET_PTR;
    conf->quotas = NGX_CONF_UNSET_PTR;
    conf->status = NGX_CONF_UNSET_UINT;
    conf->concurrency_status = NGX_CONF_UNSET_UINT;
    conf->quota_status = NGX_CONF_UNSET_UINT;
    conf->on_error = NGX_CONF_UNSET_UINT;
    conf->limit_log_level = NGX_CONF_UNSET_UINT;
    conf->headers = NGX_CONF_UNSET_UINT;
    conf->body = NGX_CONF_UNSET_UINT;
    conf->dry_run = NGX_CONF_UNSET;
    conf->share = NGX_CONF_UNSET_UINT;
    conf->jitter = NGX_CONF_UNSET_UINT;
    conf->bypass = NGX_CONF_UNSET_PTR;
    conf->retry_after = NGX_CONF_UNSET;
    conf->subrequests = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_gw_ratelimit_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_gw_limit_conf_t *prev = parent;
    ngx_http_gw_limit_conf_t *conf = child;

    ngx_uint_t                          phase;
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    ngx_conf_merge_ptr_value(conf->limits, prev->limits, NULL);

    if (conf->limits && conf->limits->off) {
        conf->limits = NULL;
    }

    if (conf->limits
        && ngx_http_gw_limits_resolve(cf, conf->limits) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_ptr_value(conf->concurrencies, prev->concurrencies, NULL);

    if (conf->concurrencies && conf->concurrencies->off) {
        conf->concurrencies = NULL;
    }

    if (conf->concurrencies
        && ngx_http_gw_concurrencies_resolve(cf, conf->concurrencies)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_ptr_value(conf->quotas, prev->quotas, NULL);

    if (conf->quotas && conf->quotas->off) {
        conf->quotas = NULL;
    }

    if (conf->quotas
        && ngx_http_gw_quotas_resolve(cf, conf->quotas) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (phase = 0; phase < NGX_HTTP_GW_LIMIT_PHASES; phase++) {

        if ((conf->limits && conf->limits->count[phase])
            || (conf->concurrencies && conf->concurrencies->count[phase])
            || (conf->quotas && conf->quotas->count[phase]))
        {
            conf->phases |= 1 << phase;
        }
    }

    if (conf->quotas && ngx_http_gw_quotas_final(conf->quotas)) {
        rmcf = ngx_http_conf_get_module_main_conf(cf,
                                                 ngx_http_gw_ratelimit_module);
        rmcf->worker.finals.used = 1;
    }

    if (ngx_http_gw_quotas_check(cf, conf->limits, conf->quotas) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->on_error == NGX_CONF_UNSET_UINT) {
        conf->error_status = prev->error_status;
    }

    ngx_conf_merge_uint_value(conf->on_error, prev->on_error,
                              NGX_HTTP_GW_LIMIT_ERROR_LOCAL);

    ngx_conf_merge_uint_value(conf->limit_log_level, prev->limit_log_level,
                              NGX_LOG_ERR);

    conf->delay_log_level = (conf->limit_log_level == NGX_LOG_INFO)
                            ? NGX_LOG_INFO : conf->limit_log_level + 1;

    ngx_conf_merge_uint_value(conf->status, prev->status,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->concurrency_status,
                              prev->concurrency_status,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->quota_status, prev->quota_status,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->headers, prev->headers,
                              NGX_HTTP_GW_LIMIT_HEADERS(
                                                       GW_RATELIMIT_DRAFT_08));
    ngx_conf_merge_uint_value(conf->body, prev->body, 1);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_uint_value(conf->share, prev->share, 100);
    ngx_conf_merge_uint_value(conf->jitter, prev->jitter, 0);
    ngx_conf_merge_ptr_value(conf->bypass, prev->bypass, NULL);
    ngx_conf_merge_value(conf->retry_after, prev->retry_after, 1);
    ngx_conf_merge_value(conf->subrequests, prev->subrequests, 0);

    ngx_http_gw_limit_api_inherit(cf, &conf->api, prev->api,
                                  ngx_http_gw_ratelimit_api_handler);

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_ratelimit_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_ratelimit_main_conf_t *rmcf = conf;

    return ngx_http_gw_limit_zone_add(cf, &ngx_http_gw_ratelimit_module,
                                      &rmcf->zones);
}


static char *
ngx_http_gw_ratelimit_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_limit_conf_t *lcf = conf;

    char                               *rv;
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    if (lcf->limits == NGX_CONF_UNSET_PTR) {

        lcf->limits = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_limits_t));
        if (lcf->limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rv = ngx_http_gw_limit_add(cf, &ngx_http_gw_ratelimit_module, lcf->limits);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_gw_ratelimit_module);

    return (ngx_http_gw_limit_finals_note(cf, &rmcf->worker.finals,
                                          lcf->limits)
            == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_gw_ratelimit_concurrency_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_ratelimit_main_conf_t *rmcf = conf;

    return ngx_http_gw_concurrency_zone_add(cf, &rmcf->concurrency_zones);
}


static char *
ngx_http_gw_ratelimit_concurrency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_limit_conf_t *lcf = conf;

    if (lcf->concurrencies == NGX_CONF_UNSET_PTR) {

        lcf->concurrencies = ngx_pcalloc(cf->pool,
                                         sizeof(ngx_http_gw_concurrencies_t));
        if (lcf->concurrencies == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_gw_concurrency_add(cf, lcf->concurrencies);
}


/* gw_limit_on_error local | pass | reject[=code] */

static char *
ngx_http_gw_ratelimit_on_error(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_limit_conf_t *lcf = conf;

    ngx_int_t   code;
    ngx_str_t  *value;

    if (lcf->on_error != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "local") == 0) {
        lcf->on_error = NGX_HTTP_GW_LIMIT_ERROR_LOCAL;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "pass") == 0) {
        lcf->on_error = NGX_HTTP_GW_LIMIT_ERROR_PASS;
        return NGX_CONF_OK;
    }

    code = NGX_HTTP_SERVICE_UNAVAILABLE;

    if (ngx_strncmp(value[1].data, "reject=", 7) == 0) {
        code = ngx_atoi(value[1].data + 7, value[1].len - 7);

    } else if (ngx_strcmp(value[1].data, "reject") != 0) {
        code = NGX_ERROR;
    }

    if (code < 400 || code > 599) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"local\", "
                           "\"pass\", \"reject\" or \"reject=code\" with a "
                           "code between 400 and 599", &value[1]);
        return NGX_CONF_ERROR;
    }

    lcf->on_error = NGX_HTTP_GW_LIMIT_ERROR_REJECT;
    lcf->error_status = code;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_ratelimit_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_limit_conf_t *lcf = conf;

    return ngx_http_gw_limit_api(cf, &lcf->api,
                                 ngx_http_gw_ratelimit_api_handler);
}


static ngx_int_t
ngx_http_gw_ratelimit_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_gw_ratelimit_module);

    if (rmcf->zones.nelts == 0
        && rmcf->concurrency_zones.nelts == 0
        && rmcf->quota_zones.nelts == 0)
    {
        /* there is nothing to limit: no request is charged with that */
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gw_ratelimit_preaccess;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gw_ratelimit_postaccess;

    if (rmcf->worker.finals.used) {

        h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = ngx_http_gw_limit_settle;
    }

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_gw_ratelimit_header_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_ratelimit_init_process(ngx_cycle_t *cycle)
{
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_gw_ratelimit_module);

    if (rmcf == NULL) {
        return NGX_OK;
    }

    ngx_http_gw_limit_finals_start(&rmcf->worker.finals, &rmcf->worker.links,
                                   cycle->log);

    return ngx_http_gw_limit_links_start(&rmcf->worker.links, cycle,
                                         &rmcf->joint.registry->node_id);
}


static void
ngx_http_gw_ratelimit_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_gw_ratelimit_main_conf_t  *rmcf;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_gw_ratelimit_module);

    if (rmcf != NULL) {
        ngx_http_gw_concurrency_zones_leave(&rmcf->concurrency_zones);
        ngx_http_gw_limit_finals_exit(&rmcf->worker.finals);
        ngx_http_gw_limit_links_exit(&rmcf->worker.links);
    }
}
