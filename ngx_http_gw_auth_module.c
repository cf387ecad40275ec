
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <jansson.h>
#include <openssl/rand.h>

#include "ngx_http_gw_auth_check.h"
#include "ngx_http_gw_auth_conf.h"
#include "ngx_http_gw_auth_fetch.h"
#include "ngx_http_gw_auth_identity.h"
#include "ngx_http_gw_auth_issuer_conf.h"
#include "ngx_http_gw_auth_key_conf.h"
#include "ngx_http_gw_auth_key_metrics.h"
#include "ngx_http_gw_auth_reason.h"
#include "ngx_http_gw_auth_request.h"
#include "ngx_http_gw_auth_require.h"
#include "ngx_http_gw_auth_server.h"
#include "ngx_http_gw_auth_store.h"
#include "ngx_http_gw_auth_var.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_joint.h"


static ngx_int_t ngx_http_gw_auth_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_auth_preaccess_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_auth_precontent_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_auth_check(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf);
static ngx_int_t ngx_http_gw_auth_metadata_handler(ngx_http_request_t *r);
static ngx_http_gw_auth_ctx_t *ngx_http_gw_auth_context(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_gw_auth_ahead(ngx_http_request_t *r);
static ngx_http_gw_auth_ctx_t *ngx_http_gw_auth_find_ctx(
    ngx_http_request_t *r);
static ngx_http_gw_auth_ctx_t *ngx_http_gw_auth_own_ctx(
    ngx_http_request_t *r);
static ngx_http_gw_auth_ctx_t *ngx_http_gw_auth_create_ctx(
    ngx_http_request_t *r);
static void ngx_http_gw_auth_cleanup(void *data);

static ngx_int_t ngx_http_gw_auth_value_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_auth_meta_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_auth_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_auth_header_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_auth_named_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_auth_result_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_auth_uri_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static ngx_int_t ngx_http_gw_auth_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics);

static char *ngx_http_gw_auth_set_jwt(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gw_auth_set_issuer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gw_auth_set_key_file(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_auth_set_key_request(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_auth_set_key_cache(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_auth_set_metadata(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_gw_auth_set_claim(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gw_auth_set_api_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_gw_auth_set_api_keys(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);

static ngx_int_t ngx_http_gw_auth_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_gw_auth_init(ngx_conf_t *cf);
static void *ngx_http_gw_auth_create_main_conf(ngx_conf_t *cf);
static void ngx_http_gw_auth_free_scratch(void *data);
static char *ngx_http_gw_auth_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_gw_auth_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_gw_auth_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_gw_auth_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


static ngx_conf_enum_t  ngx_http_gw_auth_modes[] = {
    { ngx_string("all"), NGX_HTTP_GW_AUTH_ALL },
    { ngx_string("any"), NGX_HTTP_GW_AUTH_ANY },
    { ngx_string("off"), NGX_HTTP_GW_AUTH_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gw_auth_phases[] = {
    { ngx_string("access"), NGX_HTTP_ACCESS_PHASE },
    { ngx_string("preaccess"), NGX_HTTP_PREACCESS_PHASE },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_gw_auth_max_size = {
    ngx_http_gw_auth_conf_size
};


static ngx_conf_post_t  ngx_http_gw_auth_leeway = {
    ngx_http_gw_auth_conf_leeway
};


static ngx_command_t  ngx_http_gw_auth_commands[] = {

    NGX_HTTP_GW_JOINT_COMMANDS,

    { ngx_string("gw_jwt"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_1MORE,
      ngx_http_gw_auth_set_jwt,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_gw_auth_set_issuer,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE123,
      ngx_http_gw_auth_set_key_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_key_request"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE12,
      ngx_http_gw_auth_set_key_request,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_key_cache"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE123,
      ngx_http_gw_auth_set_key_cache,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_algorithms"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_1MORE,
      ngx_http_gw_auth_conf_algorithms,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_leeway"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, leeway),
      &ngx_http_gw_auth_leeway },

    { ngx_string("gw_jwt_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_1MORE,
      ngx_http_gw_auth_conf_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_require_claim"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE23|NGX_CONF_TAKE4,
      ngx_http_gw_auth_conf_require_claim,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, require_claims),
      NULL },

    { ngx_string("gw_jwt_require_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE23|NGX_CONF_TAKE4,
      ngx_http_gw_auth_conf_require_claim,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, require_headers),
      NULL },

    { ngx_string("gw_jwt_validate_exp"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, validate_exp),
      NULL },

    { ngx_string("gw_jwt_cache"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE12,
      ngx_http_gw_auth_cache_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, cache),
      NULL },

    { ngx_string("gw_jwt_max_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, max_size),
      &ngx_http_gw_auth_max_size },

    { ngx_string("gw_jwt_claim_set"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_gw_auth_set_claim,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_jwt_header_set"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_gw_auth_set_claim,
      NGX_HTTP_MAIN_CONF_OFFSET,
      1,
      NULL },

    { ngx_string("gw_api_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_1MORE,
      ngx_http_gw_auth_set_api_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_api_keys"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_gw_auth_set_api_keys,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, mode),
      &ngx_http_gw_auth_modes },

    { ngx_string("gw_auth_budget"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE123,
      ngx_http_gw_auth_budget_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_loc_conf_t, budget),
      NULL },

    { ngx_string("gw_auth_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_auth_zone_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_gw_auth_main_conf_t, zone),
      NULL },

    { ngx_string("gw_auth_challenge"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF
                        |NGX_CONF_TAKE1,
      ngx_http_gw_auth_conf_challenge,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_auth_metadata"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_auth_set_metadata,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    NGX_HTTP_GW_AUTH_RULES_COMMANDS(&ngx_http_gw_auth_phases),

      ngx_null_command
};


static ngx_http_module_t  ngx_http_gw_auth_module_ctx = {
    ngx_http_gw_auth_preconfiguration,     /* preconfiguration */
    ngx_http_gw_auth_init,                 /* postconfiguration */

    ngx_http_gw_auth_create_main_conf,     /* create main configuration */
    ngx_http_gw_auth_init_main_conf,       /* init main configuration */

    ngx_http_gw_auth_create_srv_conf,      /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_gw_auth_create_loc_conf,      /* create location configuration */
    ngx_http_gw_auth_merge_loc_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_gw_auth_module = {
    NGX_MODULE_V1,
    &ngx_http_gw_auth_module_ctx,          /* module context */
    ngx_http_gw_auth_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_gw_auth_vars[] = {

    { ngx_string("gw_consumer"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_CONSUMER,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_consumer_plan"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_PLAN,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_consumer_groups"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_GROUPS,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_consumer_meta_"), NULL,
      ngx_http_gw_auth_meta_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("gw_credential_id"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_CREDENTIAL_ID,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_scope"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_SCOPE,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_jwt_claim_"), NULL,
      ngx_http_gw_auth_claim_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("gw_jwt_header_"), NULL,
      ngx_http_gw_auth_header_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("gw_jwt_payload"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_PAYLOAD,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_jwt_issuer"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_ISSUER,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_jwt_kid"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_KID,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_jwt_alg"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_ALG,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_jwt_exp_in"), NULL,
      ngx_http_gw_auth_value_variable, NGX_HTTP_GW_AUTH_EXP_IN,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_auth_status"), NULL,
      ngx_http_gw_auth_result_variable, NGX_HTTP_GW_AUTH_VAR_STATUS,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_auth_reason"), NULL,
      ngx_http_gw_auth_result_variable, NGX_HTTP_GW_AUTH_VAR_REASON,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_auth_method"), NULL,
      ngx_http_gw_auth_result_variable, NGX_HTTP_GW_AUTH_VAR_METHOD,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_auth_cache"), NULL,
      ngx_http_gw_auth_result_variable, NGX_HTTP_GW_AUTH_VAR_CACHE,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_request_uri"), NULL,
      ngx_http_gw_auth_uri_variable, 0, 0, 0 },

      ngx_http_null_variable
};


static ngx_int_t
ngx_http_gw_auth_handler(ngx_http_request_t *r)
{
    ngx_http_gw_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_auth_module);

    if (!ngx_http_gw_auth_asks(alcf)
        || alcf->rules.phase != NGX_HTTP_ACCESS_PHASE)
    {
        return NGX_DECLINED;
    }

    return ngx_http_gw_auth_check(r, alcf);
}


static ngx_int_t
ngx_http_gw_auth_check(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf)
{
    ngx_http_gw_auth_ctx_t        *ctx;
    ngx_http_gw_auth_main_conf_t  *gmcf;

    ctx = ngx_http_gw_auth_own_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_http_gw_auth_create_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_run(r, gmcf, alcf, ctx);
}


/* runs for subrequests, too, which core does not ask for access */

static ngx_int_t
ngx_http_gw_auth_preaccess_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_str_t                     spare;
    ngx_uint_t                    asks;
    ngx_http_gw_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_auth_module);

    /* a fetch is nobody's: it is not asked, and says nothing of anybody */

    if (r != r->main && ngx_http_gw_auth_fetch_is(r)) {
        return NGX_DECLINED;
    }

    asks = ngx_http_gw_auth_asks(alcf);

    if (alcf->rules.headers) {

        ngx_str_null(&spare);

        if (asks) {
            spare = alcf->key ? alcf->key->source.header
                              : alcf->jwt->source.header;
        }

        if (ngx_http_gw_auth_clear(r, alcf->rules.headers, &spare)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (!asks || alcf->rules.phase != NGX_HTTP_PREACCESS_PHASE) {
        return NGX_DECLINED;
    }

    rc = ngx_http_gw_auth_check(r, alcf);

    /* NGX_OK would end the phase for the others */

    return (rc == NGX_OK) ? NGX_DECLINED : rc;
}


/* the request has passed all checks of access */

static ngx_int_t
ngx_http_gw_auth_precontent_handler(ngx_http_request_t *r)
{
    ngx_http_gw_auth_ctx_t       *ctx;
    ngx_http_gw_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_auth_module);

    if (!alcf->rules.strip && alcf->rules.headers == NULL) {
        return NGX_DECLINED;
    }

    /* a fetch is nobody's: it is not asked, and says nothing of anybody */

    if (r != r->main && ngx_http_gw_auth_fetch_is(r)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_gw_auth_find_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_http_gw_auth_create_ctx(r->main);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ngx_http_gw_auth_forward(r, alcf, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_auth_metadata_handler(ngx_http_request_t *r)
{
    ngx_http_gw_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_metadata_send(r, alcf->metadata);
}


/* the context for a variable, which may be read before there is a decision */

static ngx_http_gw_auth_ctx_t *
ngx_http_gw_auth_context(ngx_http_request_t *r)
{
    ngx_http_gw_auth_ctx_t        *ctx;
    ngx_http_gw_auth_loc_conf_t   *alcf;
    ngx_http_gw_auth_main_conf_t  *gmcf;

    ctx = ngx_http_gw_auth_find_ctx(r);

    if (ctx && ngx_http_gw_auth_decided(ctx)) {
        return ctx;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_auth_module);

    if (r != r->main
        || !ngx_http_gw_auth_asks(alcf)
        || !ngx_http_gw_auth_ahead(r))
    {
        /* what another location has verified early is of no use here */

        return (ctx && ctx->early && ctx->policy != alcf->policy) ? NULL
                                                                  : ctx;
    }

    if (ctx == NULL) {
        ctx = ngx_http_gw_auth_create_ctx(r);
        if (ctx == NULL) {
            return NULL;
        }
    }

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_gw_auth_module);

    ngx_http_gw_auth_early(r, gmcf, alcf, ctx);

    return ctx;
}


/* our handler is still to come, unless the request is answered before */

static ngx_uint_t
ngx_http_gw_auth_ahead(ngx_http_request_t *r)
{
    ngx_int_t                   i;
    ngx_http_phase_handler_t   *ph;
    ngx_http_core_main_conf_t  *cmcf;

    /* when a request is logged, nobody counts on it any more */

    if (r->header_sent || r->main->count == 0) {
        return 0;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    ph = cmcf->phase_engine.handlers;

    for (i = 0; ph[i].checker; i++) {

        if (ph[i].handler == ngx_http_gw_auth_handler) {
            return r->phase_handler <= i;
        }
    }

    return 0;
}


/*
 * An internal redirect clears the contexts of all modules.  Subrequests see
 * the identity of the main request, unless they have been asked themselves.
 */

static ngx_http_gw_auth_ctx_t *
ngx_http_gw_auth_find_ctx(ngx_http_request_t *r)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_own_ctx(r);

    if (ctx == NULL && r != r->main) {
        return ngx_http_gw_auth_own_ctx(r->main);
    }

    return ctx;
}


static ngx_http_gw_auth_ctx_t *
ngx_http_gw_auth_own_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_gw_auth_ctx_t       *ctx;
    ngx_http_gw_auth_loc_conf_t  *alcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_gw_auth_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    if (r != r->main) {

        alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_auth_module);

        if (alcf->rules.phase == NGX_HTTP_ACCESS_PHASE) {
            return NULL;
        }
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_gw_auth_cleanup) {
            continue;
        }

        ctx = cln->data;

        if (ctx->request == r) {
            ngx_http_set_ctx(r, ctx, ngx_http_gw_auth_module);
            return ctx;
        }
    }

    return NULL;
}


static ngx_http_gw_auth_ctx_t *
ngx_http_gw_auth_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_gw_auth_ctx_t  *ctx, *main;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_gw_auth_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_gw_auth_ctx_t));

    /* a subrequest has its headers from its request */

    main = (r == r->main) ? NULL : ngx_http_gw_auth_own_ctx(r->main);

    if (main) {
        ctx->stripped.headers = main->stripped.headers;
    }

    ctx->request = r;
    cln->handler = ngx_http_gw_auth_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_gw_auth_module);

    return ctx;
}


static void
ngx_http_gw_auth_cleanup(void *data)
{
    /* void: marks the context for ngx_http_gw_auth_find_ctx() */
}


static ngx_int_t
ngx_http_gw_auth_value_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_context(r);

    return ngx_http_gw_auth_get_value(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_auth_meta_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_context(r);

    return ngx_http_gw_auth_get_meta(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_auth_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_context(r);

    return ngx_http_gw_auth_get_claim(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_auth_header_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_context(r);

    return ngx_http_gw_auth_get_header(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_auth_named_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_context(r);

    return ngx_http_gw_auth_get_named(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_auth_result_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_ctx_t  *ctx;

    ctx = ngx_http_gw_auth_context(r);

    return ngx_http_gw_auth_get_result(r, ctx, v, data);
}


static ngx_int_t
ngx_http_gw_auth_uri_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_get_module_main_conf(r, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_get_uri(r, gmcf, v);
}


static ngx_int_t
ngx_http_gw_auth_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics)
{
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = (ngx_http_gw_auth_main_conf_t *) joint;

    if (ngx_http_gw_auth_add_metrics(metrics, gmcf->counters,
                                     gmcf->zone->sh->tokens->evicted)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_key_metrics(metrics, &gmcf->keyring);
}


static ngx_int_t
ngx_http_gw_auth_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_variable_t           *var, *v;
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    if (ngx_http_gw_joint_join(cf, &gmcf->joint) != NGX_OK) {
        return NGX_ERROR;
    }

    for (v = ngx_http_gw_auth_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static void *
ngx_http_gw_auth_create_main_conf(ngx_conf_t *cf)
{
    uint32_t                       seed;
    ngx_str_t                     *arg;
    ngx_pool_cleanup_t            *cln;
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_main_conf_t));
    if (gmcf == NULL) {
        return NULL;
    }

    ngx_http_gw_joint_init(&gmcf->joint, "ngx_http_gw_auth_module",
                           ngx_http_gw_auth_metrics);

    if (ngx_array_init(&gmcf->stores, cf->pool, 4,
                       sizeof(ngx_http_gw_auth_store_t *))
        != NGX_OK
        || ngx_array_init(&gmcf->issuers, cf->pool, 4,
                          sizeof(ngx_http_gw_auth_issuer_t *))
           != NGX_OK
        || ngx_array_init(&gmcf->key_confs, cf->pool, 4,
                          sizeof(ngx_http_gw_auth_key_conf_t *))
           != NGX_OK
        || ngx_array_init(&gmcf->args, cf->pool, 4, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_http_gw_auth_lint_init(cf, &gmcf->lint) != NGX_OK)
    {
        return NULL;
    }

    arg = ngx_array_push(&gmcf->args);
    if (arg == NULL) {
        return NULL;
    }

    ngx_str_set(arg, "access_token");

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gw_auth_free_scratch;
    cln->data = gmcf;

    gmcf->cache = ngx_http_gw_auth_cache_create(cf->pool);
    if (gmcf->cache == NULL) {
        return NULL;
    }

    /*
     * Once, in the master process: jansson's seed belongs to the process.  Its
     * own one is made of the time where there is no /dev/urandom.
     */

    if (RAND_bytes((u_char *) &seed, sizeof(seed)) != 1) {
        return NULL;
    }

    json_object_seed(seed);

    /*
     * Made here rather than in each worker, which has a copy of its own after
     * fork(): a process without a master does not start workers on a reload.
     */

    gmcf->hash = gw_hash_create();
    if (gmcf->hash == NULL) {
        return NULL;
    }

    gmcf->jws = gw_jws_ctx_create(gmcf->hash);
    if (gmcf->jws == NULL) {
        return NULL;
    }

    if (ngx_http_gw_auth_keyring_init(cf, &gmcf->keyring, gmcf->hash,
                                      &ngx_http_gw_auth_module)
        != NGX_OK)
    {
        return NULL;
    }

    return gmcf;
}


static void
ngx_http_gw_auth_free_scratch(void *data)
{
    ngx_http_gw_auth_main_conf_t  *gmcf = data;

    gw_jws_ctx_destroy(gmcf->jws);
    gw_hash_destroy(gmcf->hash);
}


static char *
ngx_http_gw_auth_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf = conf;

    ngx_str_t  name;

    if (ngx_http_gw_auth_conf_stores(cf, gmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_auth_zone_default(cf, &gmcf->zone) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_auth_keyring_share(cf, &gmcf->keyring, gmcf->zone)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&name, "gw_auth_counters");

    gmcf->counters = ngx_http_gw_counters_create(cf, &name,
                         &ngx_http_gw_auth_module,
                         NGX_HTTP_GW_AUTH_COUNTERS);
    if (gmcf->counters == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_gw_auth_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_server_t));
}


static void *
ngx_http_gw_auth_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf;

    alcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_loc_conf_t));
    if (alcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     alcf->issuers = NULL;
     *     alcf->challenge_text = { 0, NULL };
     *     alcf->policy = NULL;
     *     alcf->checked = 0;
     */

    alcf->jwt = NGX_CONF_UNSET_PTR;
    alcf->key = NGX_CONF_UNSET_PTR;
    alcf->keys = NGX_CONF_UNSET_PTR;
    alcf->key_cache = NGX_CONF_UNSET_PTR;
    alcf->require = NGX_CONF_UNSET_PTR;
    alcf->require_claims = NGX_CONF_UNSET_PTR;
    alcf->require_headers = NGX_CONF_UNSET_PTR;
    alcf->algorithms = NGX_CONF_UNSET_UINT;
    alcf->leeway = NGX_CONF_UNSET;
    alcf->max_size = NGX_CONF_UNSET_SIZE;
    alcf->validate_exp = NGX_CONF_UNSET;
    alcf->cache = NGX_CONF_UNSET;
    alcf->budget = NGX_CONF_UNSET_PTR;
    alcf->mode = NGX_CONF_UNSET_UINT;
    alcf->challenge = NGX_CONF_UNSET_UINT;

    ngx_http_gw_auth_rules_init(&alcf->rules);

    return alcf;
}


static char *
ngx_http_gw_auth_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_gw_auth_loc_conf_t  *prev = parent;
    ngx_http_gw_auth_loc_conf_t  *conf = child;

    char                          *rv;
    ngx_uint_t                     server;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_gw_auth_server_t     *sscf;
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    /* while it is merged, a location is the one that cf->ctx is for */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    server = (clcf->name.len == 0 && !clcf->noname);

    sscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_gw_auth_module);
    conf->resources = sscf->resources;

    /* inside of "if" and "limit_except" the handler is that of the location */

    if (clcf->noname && prev->metadata) {
        conf->metadata = prev->metadata;
        clcf->handler = ngx_http_gw_auth_metadata_handler;
    }

    rv = ngx_http_gw_auth_conf_merge(cf, gmcf, prev, conf, server);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_http_gw_auth_lint_location(cf, &gmcf->lint, conf->issuers)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_set_jwt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_conf_jwt(cf, gmcf, conf);
}


static char *
ngx_http_gw_auth_set_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf = conf;

    return ngx_http_gw_auth_issuer_block(cf, gmcf);
}


static char *
ngx_http_gw_auth_set_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_key_file(cf, &gmcf->keyring, &alcf->keys);
}


static char *
ngx_http_gw_auth_set_key_request(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_key_request(cf, &gmcf->keyring, &alcf->keys);
}


static char *
ngx_http_gw_auth_set_key_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    return ngx_http_gw_auth_key_cache(cf, &alcf->key_cache);
}


static char *
ngx_http_gw_auth_set_api_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    return ngx_http_gw_auth_conf_api_key(cf, gmcf, conf);
}


static char *
ngx_http_gw_auth_set_api_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf = conf;

    return ngx_http_gw_auth_store_block(cf, &gmcf->stores);
}


static char *
ngx_http_gw_auth_set_metadata(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    char                       *rv;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_gw_auth_server_t  *sscf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    sscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_gw_auth_module);

    rv = ngx_http_gw_auth_metadata_set(cf, clcf, &sscf->resources,
                                       &alcf->metadata);

    if (rv == NGX_CONF_OK) {
        clcf->handler = ngx_http_gw_auth_metadata_handler;
    }

    return rv;
}


static char *
ngx_http_gw_auth_set_claim(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                     *value, name;
    ngx_http_variable_t           *v;
    ngx_http_gw_auth_claim_var_t  *claim;

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    claim = ngx_http_gw_auth_conf_claim(cf);
    if (claim == NULL) {
        return NGX_CONF_ERROR;
    }

    claim->header = (cmd->offset != 0);

    name.len = value[1].len - 1;
    name.data = value[1].data + 1;

    v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (v == NULL) {
        return NGX_CONF_ERROR;
    }

    v->get_handler = ngx_http_gw_auth_named_variable;
    v->data = (uintptr_t) claim;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_auth_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt           *h;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_gw_auth_main_conf_t  *gmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gw_auth_preaccess_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gw_auth_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gw_auth_precontent_handler;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gw_auth_module);

    ngx_http_gw_auth_lint_check(cf, &gmcf->lint);

    return ngx_http_gw_auth_server_init(cf, gmcf->hash,
                                        &ngx_http_gw_auth_module);
}
