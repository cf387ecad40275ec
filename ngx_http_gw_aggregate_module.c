
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_conf.h"
#include "ngx_http_gw_aggregate_each.h"
#include "ngx_http_gw_aggregate_header.h"
#include "ngx_http_gw_aggregate_set.h"
#include "ngx_http_gw_aggregate_metrics.h"
#include "ngx_http_gw_aggregate_stream.h"
#include "ngx_http_gw_aggregate_var.h"
#include "ngx_http_gw_capture.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_fetch.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_part.h"
#include "ngx_http_gw_place.h"
#include "ngx_http_gw_shape.h"


static ngx_int_t ngx_http_gw_aggregate_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_nest(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf, ngx_http_gw_part_t **outer);
static ngx_http_gw_gather_t *ngx_http_gw_aggregate_create(
    ngx_http_request_t *r, ngx_http_gw_aggregate_conf_t *alcf,
    ngx_http_gw_part_t *outer);
static ngx_int_t ngx_http_gw_aggregate_prepare(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_aggregate_body_handler(ngx_http_request_t *r);
static void ngx_http_gw_aggregate_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_not_allowed(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf);
static ngx_int_t ngx_http_gw_aggregate_preaccess_handler(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);

static ngx_int_t ngx_http_gw_aggregate_cost_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_gw_aggregate_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_gw_aggregate_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_gw_aggregate_init_main_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_gw_aggregate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_conf_post_t  ngx_http_gw_aggregate_size_post = {
    ngx_http_gw_aggregate_check_size
};

static ngx_conf_num_bounds_t  ngx_http_gw_aggregate_depth_bounds = {
    ngx_conf_check_num_bounds, 1, GW_JSON_SCAN_MAX_DEPTH
};

static ngx_conf_num_bounds_t  ngx_http_gw_aggregate_subrequests_bounds = {
    ngx_conf_check_num_bounds, 1, NGX_HTTP_GW_MAX_SUBREQUESTS
};

static ngx_conf_num_bounds_t  ngx_http_gw_aggregate_nesting_bounds = {
    ngx_conf_check_num_bounds, 1, NGX_HTTP_GW_MAX_NESTING
};


static ngx_conf_enum_t  ngx_http_gw_aggregate_cache_control[] = {
    { ngx_string("off"), 0 },
    { ngx_string("merge"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gw_aggregate_streams[] = {
    { ngx_string("off"), NGX_HTTP_GW_STREAM_OFF },
    { ngx_string("ordered"), NGX_HTTP_GW_STREAM_ORDERED },
    { ngx_string("ndjson"), NGX_HTTP_GW_STREAM_NDJSON },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_gw_aggregate_conflicts[] = {
    { ngx_string("last"), NGX_HTTP_GW_CONFLICT_LAST },
    { ngx_string("first"), NGX_HTTP_GW_CONFLICT_FIRST },
    { ngx_string("error"), NGX_HTTP_GW_CONFLICT_ERROR },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_gw_aggregate_commands[] = {

    NGX_HTTP_GW_JOINT_COMMANDS,

    { ngx_string("gw_aggregate"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_aggregate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_part"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_gw_aggregate_part,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_set"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE3|NGX_CONF_TAKE4|NGX_CONF_TAKE5
                       |NGX_CONF_TAKE6,
      ngx_http_gw_aggregate_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_each"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_gw_aggregate_each,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_pick"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_gw_aggregate_pick,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_drop"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_gw_aggregate_drop,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_rename"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE3,
      ngx_http_gw_aggregate_rename,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_static"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE23,
      ngx_http_gw_aggregate_static,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_conflict"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, conflict),
      &ngx_http_gw_aggregate_conflicts },

    { ngx_string("gw_aggregate_concurrency"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, concurrency),
      NULL },

    { ngx_string("gw_aggregate_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, timeout),
      NULL },

    { ngx_string("gw_aggregate_part_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, part_timeout),
      NULL },

    { ngx_string("gw_aggregate_max_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, max_size),
      &ngx_http_gw_aggregate_size_post },

    { ngx_string("gw_aggregate_part_max_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, part_max_size),
      &ngx_http_gw_aggregate_size_post },

    { ngx_string("gw_aggregate_buffer_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, buffer_size),
      &ngx_http_gw_aggregate_size_post },

    { ngx_string("gw_aggregate_max_depth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, max_depth),
      &ngx_http_gw_aggregate_depth_bounds },

    { ngx_string("gw_aggregate_max_subrequests"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, max_subrequests),
      &ngx_http_gw_aggregate_subrequests_bounds },

    { ngx_string("gw_aggregate_max_nesting"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, max_nesting),
      &ngx_http_gw_aggregate_nesting_bounds },

    { ngx_string("gw_aggregate_types"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_aggregate_types,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_methods"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_aggregate_methods,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_aggregate_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_fail_fast"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, fail_fast),
      NULL },

    { ngx_string("gw_aggregate_partial_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_aggregate_partial_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_errors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_gw_aggregate_errors,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_complete_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gw_aggregate_complete_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_strip_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_gw_aggregate_strip_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gw_aggregate_internal_only"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, internal_only),
      NULL },

    { ngx_string("gw_aggregate_ignore_client_abort"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, ignore_client_abort),
      NULL },

    { ngx_string("gw_aggregate_cache_control"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, cache_control),
      &ngx_http_gw_aggregate_cache_control },

    { ngx_string("gw_aggregate_etag"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, etag),
      NULL },

    { ngx_string("gw_aggregate_server_timing"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, server_timing),
      NULL },

    { ngx_string("gw_aggregate_stream"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gw_aggregate_conf_t, stream),
      &ngx_http_gw_aggregate_streams },

    { ngx_string("gw_aggregate_pass_header"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_gw_aggregate_pass_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_gw_aggregate_module_ctx = {
    ngx_http_gw_aggregate_preconfiguration,     /* preconfiguration */
    ngx_http_gw_aggregate_postconfiguration,    /* postconfiguration */

    ngx_http_gw_aggregate_create_main_conf,     /* create main configuration */
    ngx_http_gw_aggregate_init_main_conf,       /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_gw_aggregate_create_conf,     /* create location configuration */
    ngx_http_gw_aggregate_merge_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_gw_aggregate_module = {
    NGX_MODULE_V1,
    &ngx_http_gw_aggregate_module_ctx,     /* module context */
    ngx_http_gw_aggregate_commands,        /* module directives */
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


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


/* it is asked for before there is a gather */

static ngx_http_variable_t  ngx_http_gw_aggregate_variables[] = {

    { ngx_string("gw_aggregate_cost"), NULL,
      ngx_http_gw_aggregate_cost_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static ngx_int_t
ngx_http_gw_aggregate_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_gw_part_t            *outer;
    ngx_http_gw_gather_t          *gather;
    ngx_http_gw_aggregate_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_aggregate_module);

    if (!(r->method & alcf->methods)) {
        return ngx_http_gw_aggregate_not_allowed(r, alcf);
    }

    rc = ngx_http_gw_aggregate_nest(r, alcf, &outer);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!alcf->inherit_body) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    gather = ngx_http_gw_aggregate_create(r, alcf, outer);
    if (gather == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_gw_aggregate_prepare(gather);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        gather->done = 1;

        return ngx_http_gw_compose_refusal(gather);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (alcf->inherit_body) {

        r->preserve_body = 1;

        rc = ngx_http_read_client_request_body(r,
                                          ngx_http_gw_aggregate_body_handler);
        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        return NGX_DONE;
    }

    if (ngx_http_gw_gather_start(gather, ngx_http_gw_aggregate_write_handler)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* given back when the write handler finalizes the request */

    r->main->count++;

    return NGX_DONE;
}


/* an aggregate may be a part of another one, but of nothing else */

static ngx_int_t
ngx_http_gw_aggregate_nest(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf, ngx_http_gw_part_t **outer)
{
    ngx_uint_t                     nested;
    ngx_http_gw_part_t            *part;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_gw_aggregate_conf_t  *root;

    *outer = NULL;

    if (r == r->main) {
        return NGX_OK;
    }

    part = ngx_http_gw_part_find(r, &nested);

    if (part == NULL || nested) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"gw_aggregate\" works for requests of clients and "
                      "for parts, not for other subrequests");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    root = part->gather->root->conf;

    if (part->gather->level >= root->max_nesting) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "part \"%V\" leads to location \"%V\" and that is "
                      "nested deeper than %ui levels",
                      &part->conf->name, &clcf->name, root->max_nesting);

        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_LOOP);

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *outer = part;

    return NGX_OK;
}


static ngx_http_gw_gather_t *
ngx_http_gw_aggregate_create(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf, ngx_http_gw_part_t *outer)
{
    ngx_uint_t                          i, n;
    ngx_http_cleanup_t                 *cln;
    ngx_http_gw_gather_t               *gather;
    ngx_http_gw_part_conf_t            *pcf;
    ngx_http_gw_aggregate_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_gw_aggregate_module);

    gather = ngx_pcalloc(r->pool, sizeof(ngx_http_gw_gather_t));
    if (gather == NULL) {
        return NULL;
    }

    gather->request = r;
    gather->conf = alcf;
    gather->counters = amcf->counters;
    gather->nparts = alcf->parts->nelts;
    gather->outer = outer;
    gather->root = outer ? outer->gather->root : gather;
    gather->level = outer ? outer->gather->level + 1 : 1;
    gather->start = ngx_current_msec;

    gather->parts = ngx_pcalloc(r->pool,
                                gather->nparts * sizeof(ngx_http_gw_part_t));
    if (gather->parts == NULL) {
        return NULL;
    }

    n = NGX_HTTP_GW_OWN_SETS + (alcf->sets ? alcf->sets->nelts : 0);

    gather->own = ngx_pcalloc(r->pool, n * sizeof(ngx_http_gw_own_t));
    if (gather->own == NULL) {
        return NULL;
    }

    pcf = alcf->parts->elts;

    for (i = 0; i < gather->nparts; i++) {
        ngx_http_gw_part_init(&gather->parts[i], gather, &pcf[i]);
    }

    if (ngx_http_gw_aggregate_keep(r, gather) != NGX_OK) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gw_gather_cleanup;
    cln->data = gather;

    ngx_http_set_ctx(r, gather, ngx_http_gw_aggregate_module);

    return gather;
}


/*
 * All that do not wait for others before the first one starts: a bad value
 * stops them all.
 */

static ngx_int_t
ngx_http_gw_aggregate_prepare(ngx_http_gw_gather_t *gather)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    ngx_http_gw_part_t  *part;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (part->conf->deps) {
            continue;
        }

        rc = ngx_http_gw_fetch_wanted(gather->request, part);

        if (rc == NGX_OK && !part->skipped) {
            rc = ngx_http_gw_fetch_prepare(gather->request, part,
                                           gather->own);
        }

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_INFO, gather->request->connection->log, 0,
                          "a value in the URI or the body of part \"%V\" "
                          "cannot be used", &part->conf->name);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static void
ngx_http_gw_aggregate_body_handler(ngx_http_request_t *r)
{
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_get_module_ctx(r, ngx_http_gw_aggregate_module);

    if (ngx_http_gw_gather_start(gather, ngx_http_gw_aggregate_write_handler)
        != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_gw_aggregate_write_handler(ngx_http_request_t *r)
{
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_get_module_ctx(r, ngx_http_gw_aggregate_module);

    if (ngx_http_gw_stream_wanted(gather)) {
        ngx_http_gw_stream_handler(gather);
        return;
    }

    if (ngx_http_gw_gather_run(gather) != NGX_OK) {
        return;
    }

    ngx_http_finalize_request(r, gather->refused
                                 ? ngx_http_gw_compose_refusal(gather)
                                 : ngx_http_gw_compose(gather));
}


static ngx_int_t
ngx_http_gw_aggregate_not_allowed(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Allow");
    h->value = alcf->allow;
    h->lowcase_key = NULL;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_HTTP_NOT_ALLOWED;
}


static ngx_int_t
ngx_http_gw_aggregate_preaccess_handler(ngx_http_request_t *r)
{
    if (r == r->main) {
        return NGX_DECLINED;
    }

    return ngx_http_gw_capture_access(r);
}


static ngx_int_t
ngx_http_gw_aggregate_header_filter(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r != r->main) {
        rc = ngx_http_gw_capture_header(r);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_gw_aggregate_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t  rc;

    if (r != r->main) {
        rc = ngx_http_gw_capture_body(r, in);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    rc = ngx_http_next_body_filter(r, in);

    if (rc == NGX_ERROR && r != r->main) {
        return ngx_http_gw_capture_failed(r, in);
    }

    return rc;
}


static ngx_int_t
ngx_http_gw_aggregate_cost_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                      value;
    ngx_uint_t                     cost;
    ngx_http_gw_aggregate_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_gw_aggregate_module);

    cost = 1;

    if (alcf->handler && alcf->parts) {
        cost += alcf->parts->nelts;
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", cost) - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_gw_aggregate_main_conf_t  *amcf;

    if (ngx_http_gw_aggregate_add_variables(cf) != NGX_OK
        || ngx_http_gw_each_add_variables(cf) != NGX_OK
        || ngx_http_gw_aggregate_add_table(cf, ngx_http_gw_aggregate_variables)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_gw_aggregate_module);

    return ngx_http_gw_joint_join(cf, &amcf->joint);
}


static ngx_int_t
ngx_http_gw_aggregate_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt                *h;
    ngx_http_core_main_conf_t          *cmcf;
    ngx_http_gw_aggregate_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_gw_aggregate_module);

    if (!amcf->used) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_gw_aggregate_preaccess_handler;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_gw_aggregate_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_gw_aggregate_body_filter;

    return NGX_OK;
}


static void *
ngx_http_gw_aggregate_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_gw_aggregate_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_aggregate_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    ngx_http_gw_joint_init(&amcf->joint, "ngx_http_gw_aggregate_module",
                           ngx_http_gw_aggregate_metrics);

    return amcf;
}


static char *
ngx_http_gw_aggregate_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_gw_aggregate_main_conf_t *amcf = conf;

    ngx_str_t  name;

    if (!amcf->used) {
        return NGX_CONF_OK;
    }

    ngx_str_set(&name, "gw_aggregate_counters");

    amcf->counters = ngx_http_gw_counters_create(cf, &name,
                                                &ngx_http_gw_aggregate_module,
                                                NGX_HTTP_GW_COUNTERS);
    if (amcf->counters == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_aggregate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t *alcf = conf;

    ngx_str_t                          *value;
    ngx_http_core_loc_conf_t           *clcf;
    ngx_http_gw_aggregate_main_conf_t  *amcf;

    if (alcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        alcf->mode = NGX_HTTP_GW_MODE_OFF;
        return NGX_CONF_OK;

    } else if (ngx_strcmp(value[1].data, "object") == 0) {
        alcf->mode = NGX_HTTP_GW_MODE_OBJECT;

    } else if (ngx_strcmp(value[1].data, "array") == 0) {
        alcf->mode = NGX_HTTP_GW_MODE_ARRAY;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"object\", "
                           "\"array\" or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "conflicts with another content handler in this location";
    }

    clcf->handler = ngx_http_gw_aggregate_handler;
    alcf->handler = ngx_http_gw_aggregate_handler;

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_gw_aggregate_module);
    amcf->used = 1;

    return NGX_CONF_OK;
}
