
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_conf.h"
#include "ngx_http_gw_capture.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_fetch.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_joint.h"
#include "ngx_http_gw_part.h"


typedef struct {
    ngx_http_gw_joint_t      joint;     /* must be first */
    ngx_http_gw_counters_t  *counters;
    ngx_uint_t               used;      /* some location aggregates */
} ngx_http_gw_aggregate_main_conf_t;


typedef struct {
    const gw_metric_desc_t  *desc;
    ngx_uint_t               counter;
    const char              *label;
    ngx_str_t                value;
} ngx_http_gw_aggregate_sample_t;


static ngx_int_t ngx_http_gw_aggregate_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_nest(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf, ngx_http_gw_part_t **outer);
static ngx_http_gw_gather_t *ngx_http_gw_aggregate_create(
    ngx_http_request_t *r, ngx_http_gw_aggregate_conf_t *alcf,
    ngx_http_gw_part_t *outer);
static ngx_int_t ngx_http_gw_aggregate_prepare(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_aggregate_prepare_part(ngx_http_request_t *r,
    ngx_http_gw_part_t *part);
static void ngx_http_gw_aggregate_body_handler(ngx_http_request_t *r);
static void ngx_http_gw_aggregate_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_not_allowed(ngx_http_request_t *r,
    ngx_http_gw_aggregate_conf_t *alcf);
static ngx_int_t ngx_http_gw_aggregate_preaccess_handler(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);

static void ngx_http_gw_aggregate_mark(void *data);
static ngx_http_gw_gather_t *ngx_http_gw_aggregate_find(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_aggregate_cost_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_failed_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_parts_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_name_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_part_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const ngx_str_t *value);
static u_char *ngx_http_gw_aggregate_write_time(u_char *p, ngx_msec_t msec);
static const ngx_str_t *ngx_http_gw_aggregate_cache_status(
    ngx_http_gw_part_t *part);

static ngx_int_t ngx_http_gw_aggregate_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics);
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


static ngx_http_variable_t  ngx_http_gw_aggregate_variables[] = {

    { ngx_string("gw_aggregate_cost"), NULL,
      ngx_http_gw_aggregate_cost_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_status"), NULL,
      ngx_http_gw_aggregate_status_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_failed"), NULL,
      ngx_http_gw_aggregate_failed_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_parts"), NULL,
      ngx_http_gw_aggregate_parts_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_time"), NULL,
      ngx_http_gw_aggregate_time_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_part_name"), NULL,
      ngx_http_gw_aggregate_name_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_part_"), NULL,
      ngx_http_gw_aggregate_part_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


static const gw_metric_desc_t  ngx_http_gw_aggregate_answers = {
    "gw_aggregate_answers_total", "Answers of aggregates, by their state.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_parts = {
    "gw_aggregate_parts_total", "Parts, by what became of them.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_detached = {
    "gw_aggregate_parts_detached_total",
    "Parts that ran on because they could not be stopped.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_aggregate_bytes = {
    "gw_aggregate_part_bytes_total", "Bytes in the answers of parts.",
    GW_METRIC_COUNTER
};


/* beside the parts by their error */

static const ngx_http_gw_aggregate_sample_t  ngx_http_gw_agg_samples[] = {

    { &ngx_http_gw_aggregate_answers, NGX_HTTP_GW_COUNT_COMPLETE,
      "state", ngx_string("complete") },

    { &ngx_http_gw_aggregate_answers, NGX_HTTP_GW_COUNT_PARTIAL,
      "state", ngx_string("partial") },

    { &ngx_http_gw_aggregate_answers, NGX_HTTP_GW_COUNT_FAILED,
      "state", ngx_string("failed") },

    { &ngx_http_gw_aggregate_bytes, NGX_HTTP_GW_COUNT_BYTES,
      NULL, ngx_null_string },

    { &ngx_http_gw_aggregate_detached, NGX_HTTP_GW_COUNT_DETACHED,
      NULL, ngx_null_string },

    { &ngx_http_gw_aggregate_parts, NGX_HTTP_GW_COUNT_SKIPPED,
      "result", ngx_string("skipped") },

    { &ngx_http_gw_aggregate_parts, NGX_HTTP_GW_COUNT_CANCELLED,
      "result", ngx_string("cancelled") },

    { NULL, 0, NULL, ngx_null_string }
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
    ngx_uint_t                          i;
    ngx_pool_cleanup_t                 *mark;
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

    pcf = alcf->parts->elts;

    for (i = 0; i < gather->nparts; i++) {
        ngx_http_gw_part_init(&gather->parts[i], gather, &pcf[i]);
    }

    /* error_page clears the context, the log is written after that */

    mark = ngx_pool_cleanup_add(r->pool, 0);
    cln = ngx_http_cleanup_add(r, 0);

    if (mark == NULL || cln == NULL) {
        return NULL;
    }

    mark->handler = ngx_http_gw_aggregate_mark;
    mark->data = gather;

    cln->handler = ngx_http_gw_gather_cleanup;
    cln->data = gather;

    ngx_http_set_ctx(r, gather, ngx_http_gw_aggregate_module);

    return gather;
}


/* all of them before the first one starts: a bad value stops them all */

static ngx_int_t
ngx_http_gw_aggregate_prepare(ngx_http_gw_gather_t *gather)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    ngx_http_gw_part_t  *part;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        rc = ngx_http_gw_aggregate_prepare_part(gather->request, part);

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


static ngx_int_t
ngx_http_gw_aggregate_prepare_part(ngx_http_request_t *r,
    ngx_http_gw_part_t *part)
{
    ngx_int_t                 rc;
    ngx_str_t                 text;
    ngx_uint_t                encoded;
    ngx_http_gw_part_conf_t  *pcf;

    pcf = part->conf;

    if (pcf->condition) {
        if (ngx_http_complex_value(r, pcf->condition, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (text.len == 0 || (text.len == 1 && text.data[0] == '0')) {
            part->skipped = 1;
            return NGX_OK;
        }
    }

    if (pcf->uri.constant) {
        part->path = pcf->path;
        part->args = pcf->args;
        part->encoded = pcf->encoded;

    } else {
        rc = ngx_http_gw_template_run(r, &pcf->uri, &text);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_gw_fetch_uri(r->pool, &text, &part->path, &part->args,
                                   &encoded);
        if (rc != NGX_OK) {
            return rc;
        }

        part->encoded = encoded;
    }

    if (pcf->body) {
        return ngx_http_gw_template_run(r, pcf->body, &part->body);
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

    if (ngx_http_gw_gather_run(gather) == NGX_OK) {
        ngx_http_finalize_request(r, ngx_http_gw_compose(gather));
    }
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

    return ngx_http_next_body_filter(r, in);
}


/* names the entry of the pool's cleanups that keeps the gather */

static void
ngx_http_gw_aggregate_mark(void *data)
{
    /* void */
}


static ngx_http_gw_gather_t *
ngx_http_gw_aggregate_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_get_module_ctx(r, ngx_http_gw_aggregate_module);

    if (gather || !(r->internal || r->filter_finalize)) {
        return gather;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_gw_aggregate_mark) {
            gather = cln->data;

            if (gather->request == r) {
                return gather;
            }
        }
    }

    return NULL;
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
ngx_http_gw_aggregate_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_gather_t  *gather;

    static const ngx_str_t  states[] = {
        ngx_null_string,
        ngx_string("complete"),
        ngx_string("partial"),
        ngx_string("failed")
    };

    gather = ngx_http_gw_aggregate_find(r);

    return ngx_http_gw_aggregate_value(r, v,
                                       gather ? &states[gather->state] : NULL);
}


static ngx_int_t
ngx_http_gw_aggregate_failed_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    len = 0;

    for (i = 0; i < gather->nparts; i++) {
        len += gather->parts[i].conf->name.len + 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (part->error == NGX_HTTP_GW_PART_OK && !part->partial) {
            continue;
        }

        if (p != value.data) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, part->conf->name.data, part->conf->name.len);
    }

    value.len = p - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              value;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    value.data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_http_gw_aggregate_write_time(value.data, gather->time)
                - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_parts_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    const ngx_str_t       *error;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    len = sizeof("[]") - 1;

    for (i = 0; i < gather->nparts; i++) {
        len += sizeof("{\"name\":\"\",\"status\":,\"time\":,\"bytes\":,"
                      "\"cache\":\"REVALIDATED\",\"error\":\"\"},") - 1
               + gather->parts[i].conf->name.len + 2 * NGX_INT_T_LEN
               + NGX_TIME_T_LEN + 4 + NGX_HTTP_GW_ERROR_LEN;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    *p++ = '[';

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        p = ngx_sprintf(p, "%s{\"name\":\"%V\",\"status\":%ui,\"time\":",
                        i ? "," : "", &part->conf->name, part->status);
        p = ngx_http_gw_aggregate_write_time(p, part->time);
        p = ngx_sprintf(p, ",\"bytes\":%uz,\"cache\":\"%V\",\"error\":\"",
                        part->size, ngx_http_gw_aggregate_cache_status(part));

        if (part->error != NGX_HTTP_GW_PART_OK) {
            error = ngx_http_gw_part_error_name(part->error);
            p = ngx_cpymem(p, error->data, error->len);
        }

        *p++ = '"';
        *p++ = '}';
    }

    *p++ = ']';
    value.len = p - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_name_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_uint_t           nested;
    ngx_http_gw_part_t  *part;

    part = ngx_http_gw_part_find(r, &nested);

    return ngx_http_gw_aggregate_value(r, v, part ? &part->conf->name : NULL);
}


/* $gw_part_<name>_<field> */

static ngx_int_t
ngx_http_gw_aggregate_part_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    u_char                *p, *start, *field;
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    /* the shortest name is "gw_part_": then the field is its last "_" */

    start = name->data + sizeof("gw_part_") - 1;
    field = name->data + name->len - 1;

    while (field > start && *field != '_') {
        field--;
    }

    part = NULL;
    len = (field > start) ? (size_t) (field - start) : 0;

    for (i = 0; i < gather->nparts; i++) {

        if (gather->parts[i].conf->name.len == len
            && ngx_strncasecmp(gather->parts[i].conf->name.data, start, len)
               == 0)
        {
            part = &gather->parts[i];
            break;
        }
    }

    if (part == NULL || part->skipped) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    value.len = name->data + name->len - field;
    value.data = field;

    p = ngx_pnalloc(r->pool, NGX_OFF_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (value.len == 7 && ngx_strncmp(field, "_status", 7) == 0) {
        value.len = ngx_sprintf(p, "%ui", part->status) - p;
        value.data = p;

    } else if (value.len == 5 && ngx_strncmp(field, "_time", 5) == 0) {
        value.len = ngx_http_gw_aggregate_write_time(p, part->time) - p;
        value.data = p;

    } else if (value.len == 6 && ngx_strncmp(field, "_bytes", 6) == 0) {
        value.len = ngx_sprintf(p, "%uz", part->size) - p;
        value.data = p;

    } else if (value.len == 6 && ngx_strncmp(field, "_error", 6) == 0) {
        ngx_str_null(&value);

        if (part->error != NGX_HTTP_GW_PART_OK) {
            value = *ngx_http_gw_part_error_name(part->error);
        }

    } else if (value.len == 6 && ngx_strncmp(field, "_cache", 6) == 0) {
        value = *ngx_http_gw_aggregate_cache_status(part);

    } else {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const ngx_str_t *value)
{
    if (value == NULL || value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = value->data;
    v->len = value->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static u_char *
ngx_http_gw_aggregate_write_time(u_char *p, ngx_msec_t msec)
{
    return ngx_sprintf(p, "%T.%03M", (time_t) (msec / 1000), msec % 1000);
}


static const ngx_str_t *
ngx_http_gw_aggregate_cache_status(ngx_http_gw_part_t *part)
{
    static const ngx_str_t  none = ngx_null_string;

#if (NGX_HTTP_CACHE)

    ngx_http_upstream_t  *u;

    u = part->request ? part->request->upstream : NULL;

    if (u && u->cache_status) {
        return &ngx_http_cache_status[u->cache_status - 1];
    }

#endif

    return &none;
}


static ngx_int_t
ngx_http_gw_aggregate_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics)
{
    ngx_uint_t                             i;
    gw_metric_label_t                      label;
    ngx_http_gw_counters_t                *counters;
    ngx_http_gw_aggregate_main_conf_t     *amcf;
    const ngx_http_gw_aggregate_sample_t  *sample;

    /* the joint is its first member */

    amcf = (ngx_http_gw_aggregate_main_conf_t *) joint;
    counters = amcf->counters;

    if (counters == NULL) {
        return NGX_OK;
    }

    for (sample = ngx_http_gw_agg_samples; sample->desc; sample++) {
        label.name = sample->label;
        label.data = sample->value.data;
        label.len = sample->value.len;

        if (ngx_http_gw_metrics_add(metrics, sample->desc,
                                    sample->label ? 1 : 0, &label,
                                    ngx_http_gw_counters_sum(counters,
                                                           sample->counter))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < NGX_HTTP_GW_PART_ERRORS; i++) {
        label.name = "result";
        label.data = ngx_http_gw_part_error_name(i)->data;
        label.len = ngx_http_gw_part_error_name(i)->len;

        if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_aggregate_parts, 1,
                                    &label,
                                    ngx_http_gw_counters_sum(counters, i))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_aggregate_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_variable_t                *var, *v;
    ngx_http_gw_aggregate_main_conf_t  *amcf;

    for (v = ngx_http_gw_aggregate_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
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
