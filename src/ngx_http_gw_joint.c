
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sys/random.h>

#include "ngx_http_gw_joint.h"


static ngx_http_gw_joint_t *ngx_http_gw_joint_of(ngx_module_t *module,
    void **main_conf);
static ngx_http_gw_registry_t *ngx_http_gw_joint_create_registry(
    ngx_conf_t *cf);
static ngx_int_t ngx_http_gw_joint_json_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_joint_prometheus_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_joint_send(ngx_http_request_t *r,
    gw_metrics_format_e format);
static ngx_int_t ngx_http_gw_joint_info(ngx_http_gw_registry_t *registry,
    ngx_http_gw_metrics_t *metrics);


static const char *const  ngx_http_gw_joint_modules[] = {
    "ngx_http_gw_auth_module",
    "ngx_http_gw_ratelimit_module",
    "ngx_http_gw_aggregate_module",
    NULL
};


static const gw_metric_desc_t  ngx_http_gw_joint_info_desc = {
    "gw_info",
    "Version of the gateway modules and identity of this instance.",
    GW_METRIC_GAUGE
};


void
ngx_http_gw_joint_init(ngx_http_gw_joint_t *joint, const char *module,
    ngx_http_gw_joint_metrics_pt metrics)
{
    joint->magic = NGX_HTTP_GW_MAGIC;
    joint->abi = NGX_HTTP_GW_ABI;
    joint->module = module;
    joint->registry = NULL;
    joint->metrics = metrics;
}


ngx_int_t
ngx_http_gw_joint_join(ngx_conf_t *cf, ngx_http_gw_joint_t *joint)
{
    ngx_uint_t                 i;
    ngx_http_conf_ctx_t       *ctx;
    ngx_http_gw_joint_t       *sibling, **member;
    ngx_http_gw_registry_t    *registry;

    ctx = cf->ctx;
    registry = NULL;

    for (i = 0; cf->cycle->modules[i]; i++) {

        sibling = ngx_http_gw_joint_of(cf->cycle->modules[i], ctx->main_conf);
        if (sibling == NULL) {
            continue;
        }

        /* nothing behind a foreign layout may be touched but these two */

        if (sibling->magic != NGX_HTTP_GW_MAGIC
            || ngx_strcmp(sibling->abi, joint->abi) != 0)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%s\" (%s) and \"%s\" (%s) are of different "
                          "builds, load gateway modules of one build only",
                          joint->module, joint->abi,
                          cf->cycle->modules[i]->name,
                          sibling->magic == NGX_HTTP_GW_MAGIC ? sibling->abi
                                                              : "unknown");
            return NGX_ERROR;
        }

        if (sibling->registry) {
            registry = sibling->registry;
        }
    }

    if (registry == NULL) {
        registry = ngx_http_gw_joint_create_registry(cf);
        if (registry == NULL) {
            return NGX_ERROR;
        }
    }

    member = ngx_array_push(&registry->members);
    if (member == NULL) {
        return NGX_ERROR;
    }

    *member = joint;
    joint->registry = registry;

    return NGX_OK;
}


/* NULL: not a module of this family, or one whose conf failed to be made */

static ngx_http_gw_joint_t *
ngx_http_gw_joint_of(ngx_module_t *module, void **main_conf)
{
    ngx_uint_t  i;

    if (module->type != NGX_HTTP_MODULE) {
        return NULL;
    }

    for (i = 0; ngx_http_gw_joint_modules[i]; i++) {
        if (ngx_strcmp(module->name, ngx_http_gw_joint_modules[i]) == 0) {
            /* ctx_index may change with each cycle */
            return main_conf[module->ctx_index];
        }
    }

    return NULL;
}


static ngx_http_gw_registry_t *
ngx_http_gw_joint_create_registry(ngx_conf_t *cf)
{
    u_char                  *p;
    uint32_t                 word;
    ngx_str_t               *hostname;
    ngx_uint_t               i;
    ngx_http_gw_registry_t  *registry;

    registry = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_registry_t));
    if (registry == NULL) {
        return NULL;
    }

    if (ngx_array_init(&registry->services, cf->pool, 2,
                       sizeof(ngx_http_gw_redis_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&registry->members, cf->pool, 3,
                       sizeof(ngx_http_gw_joint_t *))
        != NGX_OK)
    {
        return NULL;
    }

    /* hosts may be clones of one image: the name alone is not unique */

    hostname = &cf->cycle->hostname;

    p = ngx_pnalloc(cf->pool, NGX_HTTP_GW_NODE_ID_MAX);
    if (p == NULL) {
        return NULL;
    }

    registry->node_id.data = p;

    for (i = 0; i < hostname->len && i < NGX_HTTP_GW_NODE_ID_MAX - 9; i++) {
        *p++ = (hostname->data[i] > ' ' && hostname->data[i] < 0x7f)
               ? hostname->data[i] : '-';
    }

    /* the generator of nginx is not seeded yet: clones would be the same */

    if (getrandom(&word, sizeof(word), GRND_NONBLOCK)
        != (ssize_t) sizeof(word))
    {
        word = (uint32_t) (ngx_random() ^ ngx_time() ^ ngx_pid << 16);
    }

    p = ngx_sprintf(p, "-%08xD", word);

    registry->node_id.len = p - registry->node_id.data;

    return registry;
}


char *
ngx_http_gw_joint_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_joint_t  *joint = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_http_gw_redis_block(cf, &joint->registry->services, &value[1]);
}


char *
ngx_http_gw_joint_node_id(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_joint_t  *joint = conf;

    u_char       ch;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (joint->registry->node_id_set) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].len > NGX_HTTP_GW_NODE_ID_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_node_id must have 1 to %d characters",
                           NGX_HTTP_GW_NODE_ID_MAX);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < value[1].len; i++) {
        ch = value[1].data[i];

        if (ch <= ' ' || ch >= 0x7f) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "gw_node_id \"%V\" has a character that is "
                               "not printable ASCII", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    joint->registry->node_id = value[1];
    joint->registry->node_id_set = 1;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_joint_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_gw_joint_json_handler
        || clcf->handler == ngx_http_gw_joint_prometheus_handler)
    {
        return "is duplicate";
    }

    if (clcf->handler) {
        return "conflicts with another content handler in this location";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "json") == 0) {
        clcf->handler = ngx_http_gw_joint_json_handler;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "prometheus") == 0) {
        clcf->handler = ngx_http_gw_joint_prometheus_handler;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid gw_metrics format \"%V\", it must be "
                       "\"json\" or \"prometheus\"", &value[1]);
    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_gw_joint_json_handler(ngx_http_request_t *r)
{
    return ngx_http_gw_joint_send(r, GW_METRICS_JSON);
}


static ngx_int_t
ngx_http_gw_joint_prometheus_handler(ngx_http_request_t *r)
{
    return ngx_http_gw_joint_send(r, GW_METRICS_PROMETHEUS);
}


static ngx_int_t
ngx_http_gw_joint_send(ngx_http_request_t *r, gw_metrics_format_e format)
{
    ngx_buf_t               *b;
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_chain_t              out;
    ngx_http_gw_joint_t     *joint, **member;
    ngx_http_gw_metrics_t    metrics;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    /* no module is named here: any member leads to the registry */

    joint = NULL;

    for (i = 0; ngx_cycle->modules[i]; i++) {
        joint = ngx_http_gw_joint_of(ngx_cycle->modules[i], r->main_conf);
        if (joint) {
            break;
        }
    }

    if (joint == NULL
        || ngx_http_gw_metrics_init(&metrics, r->pool) != NGX_OK
        || ngx_http_gw_joint_info(joint->registry, &metrics) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    member = joint->registry->members.elts;

    for (i = 0; i < joint->registry->members.nelts; i++) {

        if (member[i]->metrics
            && member[i]->metrics(member[i], &metrics) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    b = ngx_http_gw_metrics_render(&metrics, format);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    if (format == GW_METRICS_JSON) {
        ngx_str_set(&r->headers_out.content_type, "application/json");

    } else {
        ngx_str_set(&r->headers_out.content_type,
                    "text/plain; version=0.0.4; charset=utf-8");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}


/* a document is never empty, so neither is the buffer that is sent */

static ngx_int_t
ngx_http_gw_joint_info(ngx_http_gw_registry_t *registry,
    ngx_http_gw_metrics_t *metrics)
{
    gw_metric_label_t  labels[3];

    labels[0].name = "version";
    labels[0].data = (u_char *) NGX_HTTP_GW_VERSION;
    labels[0].len = sizeof(NGX_HTTP_GW_VERSION) - 1;

    labels[1].name = "nginx";
    labels[1].data = (u_char *) NGINX_VERSION;
    labels[1].len = sizeof(NGINX_VERSION) - 1;

    labels[2].name = "node";
    labels[2].data = registry->node_id.data;
    labels[2].len = registry->node_id.len;

    return ngx_http_gw_metrics_add(metrics, &ngx_http_gw_joint_info_desc, 3,
                                   labels, 1);
}
