
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the modules share at configuration time.  Each module loads alone, so
 * each declares the shared directives; nginx gives a directive to the first
 * module that declares it.  Whatever it defines goes to one registry that all
 * loaded modules of this family refer to.
 */


#ifndef NGX_HTTP_GW_JOINT_H
#define NGX_HTTP_GW_JOINT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_metrics.h"
#include "ngx_http_gw_redis_conf.h"


#define NGX_HTTP_GW_VERSION  "0.1.0"

/* "gwj1": changes when the two first members of the header below move */
#define NGX_HTTP_GW_MAGIC    0x67776a31

/* the layouts behind the registry are those of one build of the modules */
#define NGX_HTTP_GW_ABI                                                       \
    "gateway modules " NGX_HTTP_GW_VERSION " for nginx " NGINX_VERSION

/* gw_node_id, in bytes */
#define NGX_HTTP_GW_NODE_ID_MAX  64


typedef struct ngx_http_gw_joint_s  ngx_http_gw_joint_t;


typedef struct {
    ngx_array_t                     services;  /* ngx_http_gw_redis_conf_t * */
    ngx_array_t                     members;   /* ngx_http_gw_joint_t * */
    ngx_str_t                       node_id;   /* never empty after parsing */
    unsigned                        node_id_set:1;
} ngx_http_gw_registry_t;


/*
 * Adds the samples of one module, see ngx_http_gw_metrics_add().
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

typedef ngx_int_t (*ngx_http_gw_joint_metrics_pt)(ngx_http_gw_joint_t *joint,
    ngx_http_gw_metrics_t *metrics);


/* must be the first member of the main configuration of each module */

struct ngx_http_gw_joint_s {
    uint32_t                        magic;
    const char                     *abi;
    const char                     *module;
    ngx_http_gw_registry_t         *registry;
    ngx_http_gw_joint_metrics_pt    metrics;
};


/* the shared directives: the first lines of each module's table */

#define NGX_HTTP_GW_JOINT_COMMANDS                                            \
                                                                              \
    { ngx_string("gw_redis"),                                                 \
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,                       \
      ngx_http_gw_joint_redis,                                                \
      NGX_HTTP_MAIN_CONF_OFFSET,                                              \
      0,                                                                      \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_node_id"),                                               \
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,                                      \
      ngx_http_gw_joint_node_id,                                              \
      NGX_HTTP_MAIN_CONF_OFFSET,                                              \
      0,                                                                      \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_metrics"),                                               \
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,                                       \
      ngx_http_gw_joint_metrics,                                              \
      NGX_HTTP_MAIN_CONF_OFFSET,                                              \
      0,                                                                      \
      NULL }


/*
 * Fills the header of a main configuration; for create_main_conf().
 *
 *     joint    first member of a zeroed main configuration
 *     module   name of the module, a static string
 *     metrics  adds the samples of the module, NULL if it has none
 *
 * Cannot fail.
 */

void ngx_http_gw_joint_init(ngx_http_gw_joint_t *joint, const char *module,
    ngx_http_gw_joint_metrics_pt metrics);


/*
 * Makes the module a member of the registry, which the first one creates.
 * For preconfiguration(): every create_main_conf() has run by then, and no
 * directive of http{} has been read.
 *
 *     cf     configuration being read, cf->ctx is that of http{}
 *     joint  header filled by ngx_http_gw_joint_init()
 *
 * Returns NGX_OK; NGX_ERROR when memory ran out or when the modules are of
 * different builds (logged).
 */

ngx_int_t ngx_http_gw_joint_join(ngx_conf_t *cf, ngx_http_gw_joint_t *joint);


/*
 * Handlers of the shared directives.  A service may be defined after its use:
 * look it up with ngx_http_gw_redis_find(&registry->services, name) when the
 * whole http{} has been read (init_main_conf, merge or postconfiguration).
 */

char *ngx_http_gw_joint_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_gw_joint_node_id(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_joint_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_GW_JOINT_H */
