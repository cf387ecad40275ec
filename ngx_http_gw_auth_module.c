
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_joint.h"


typedef struct {
    ngx_http_gw_joint_t  joint;      /* must be first */
} ngx_http_gw_auth_main_conf_t;


static ngx_int_t ngx_http_gw_auth_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics);

static ngx_int_t ngx_http_gw_auth_preconfiguration(ngx_conf_t *cf);
static void *ngx_http_gw_auth_create_main_conf(ngx_conf_t *cf);


static ngx_command_t  ngx_http_gw_auth_commands[] = {

    NGX_HTTP_GW_JOINT_COMMANDS,

      ngx_null_command
};


static ngx_http_module_t  ngx_http_gw_auth_module_ctx = {
    ngx_http_gw_auth_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_gw_auth_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_gw_auth_module = {
    NGX_MODULE_V1,
    &ngx_http_gw_auth_module_ctx,      /* module context */
    ngx_http_gw_auth_commands,         /* module directives */
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


static ngx_int_t
ngx_http_gw_auth_metrics(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics)
{
    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf,
                                           ngx_http_gw_auth_module);

    return ngx_http_gw_joint_join(cf, &gmcf->joint);
}


static void *
ngx_http_gw_auth_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_gw_auth_main_conf_t  *gmcf;

    gmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_main_conf_t));
    if (gmcf == NULL) {
        return NULL;
    }

    ngx_http_gw_joint_init(&gmcf->joint, "ngx_http_gw_auth_module",
                           ngx_http_gw_auth_metrics);

    return gmcf;
}
