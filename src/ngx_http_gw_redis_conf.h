
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The "gw_redis name { ... }" block: one Redis service, shared by all the
 * modules through the registry.  Read-only after the configuration is read.
 */


#ifndef NGX_HTTP_GW_REDIS_CONF_H
#define NGX_HTTP_GW_REDIS_CONF_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_GW_REDIS_PORT           6379

/* the bounds of the parameter "queue", commands */
#define NGX_HTTP_GW_REDIS_QUEUE_MIN      8
#define NGX_HTTP_GW_REDIS_QUEUE_MAX      65536

/* the bound of the parameter "connections" */
#define NGX_HTTP_GW_REDIS_CONNECTIONS_MAX  16

/* the bound of a password file, bytes */
#define NGX_HTTP_GW_REDIS_PASSWORD_MAX   4096


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 server;          /* as it was written */
    ngx_addr_t               *addr;            /* NULL with "resolve" */
    in_port_t                 port;
    ngx_flag_t                resolve;
    ngx_resolver_t           *resolver;
    ngx_msec_t                resolver_timeout;

    ngx_str_t                 user;
    ngx_str_t                 password;
    ngx_int_t                 database;
    ngx_str_t                 prefix;          /* of every key */

    ngx_msec_t                connect_timeout;
    ngx_msec_t                timeout;         /* of a decision */
    ngx_msec_t                stall_timeout;
    ngx_msec_t                fail_timeout;
    ngx_msec_t                keepalive_interval;
    ngx_int_t                 max_fails;       /* 0: no breaker */
    ngx_int_t                 queue;           /* commands in flight */
    ngx_int_t                 connections;     /* of a worker */
    ngx_flag_t                eval;            /* no EVALSHA */

    ngx_uint_t                mode;            /* set by "mode" */
    ngx_str_t                 password_file;

    ngx_str_t                 host;            /* without the port */

    ngx_flag_t                ssl;
    ngx_flag_t                ssl_verify;
    ngx_flag_t                ssl_server_name;
    ngx_flag_t                ssl_session_reuse;
    ngx_int_t                 ssl_verify_depth;
    ngx_uint_t                ssl_protocols;
    ngx_str_t                 ssl_ciphers;
    ngx_str_t                 ssl_certificate;
    ngx_str_t                 ssl_certificate_key;
    ngx_str_t                 ssl_trusted_certificate;
    ngx_str_t                 ssl_name;        /* in SNI and certificate */
#if (NGX_SSL)
    ngx_ssl_t                *ssl_ctx;         /* NULL: without TLS */
#endif

    u_char                   *file;            /* where it is defined */
    ngx_uint_t                line;
} ngx_http_gw_redis_conf_t;


/*
 * Reads one block; called by the handler of the directive "gw_redis", with
 * its name in cf->args.
 *
 *     services  array of ngx_http_gw_redis_conf_t *, of all modules; the
 *               new service is appended
 *     name      the argument of the directive
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after the reason is logged.
 */
char *ngx_http_gw_redis_block(ngx_conf_t *cf, ngx_array_t *services,
    ngx_str_t *name);

/*
 * Takes the resolver of the http level for a service that needs it; called
 * when all is parsed.
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_redis_resolver(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);

/* Returns the service of this name, or NULL. */
ngx_http_gw_redis_conf_t *ngx_http_gw_redis_find(ngx_array_t *services,
    ngx_str_t *name);

/*
 * Finds the service that a zone names.
 *
 *     directive, zone  who asks, for messages
 *     number           out: of the service, when it is there
 *
 * Returns it, or NULL after the reason is logged.
 */
ngx_http_gw_redis_conf_t *ngx_http_gw_redis_of_zone(ngx_conf_t *cf,
    ngx_array_t *services, ngx_str_t *name, const char *directive,
    ngx_str_t *zone, ngx_uint_t *number);


#endif /* NGX_HTTP_GW_REDIS_CONF_H */
