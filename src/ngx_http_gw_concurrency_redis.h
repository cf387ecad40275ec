
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Requests in progress of several hosts: a hash in Redis for each key, with
 * a field for each worker that has some.  The worker renews its fields; those
 * of a worker or host that is gone expire.
 *
 * A worker knows for each of its keys how many requests it holds, and how
 * many it has asked for.  Every call tells both, so that what was lost on the
 * way is put right by the next one.
 */


#ifndef NGX_HTTP_GW_CONCURRENCY_REDIS_H
#define NGX_HTTP_GW_CONCURRENCY_REDIS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_links.h"


/* bytes of "<node>/<pid>" */
#define NGX_HTTP_GW_CONCURRENCY_FIELD  128


typedef struct ngx_http_gw_concurrency_node_s  ngx_http_gw_concurrency_node_t;


/* a zone in Redis; the lower part is of the worker */

typedef struct {
    ngx_str_t                     service;     /* empty: shared memory */
    ngx_http_gw_redis_conf_t     *redis;       /* set when all is parsed */
    ngx_uint_t                    number;      /* of the service */
    ngx_msec_t                    heartbeat;   /* life of a field */
    ngx_str_t                    *host;        /* gw_node_id */

    ngx_pid_t                     pid;         /* that the rest is of */
    ngx_http_gw_limit_links_t    *links;
    ngx_rbtree_t                  tree;        /* of the nodes */
    ngx_rbtree_node_t             sentinel;
    ngx_queue_t                   queue;       /* nodes, last told first out */
    ngx_event_t                   beat;
    ngx_uint_t                    unknown;     /* Redis lost the script */
    ngx_str_t                     field;
    u_char                        text[NGX_HTTP_GW_CONCURRENCY_FIELD];
} ngx_http_gw_concurrency_remote_t;


typedef struct ngx_http_gw_concurrency_ask_s  ngx_http_gw_concurrency_ask_t;

/* Ends a call, never from within ngx_http_gw_concurrency_ask(). */
typedef void (*ngx_http_gw_concurrency_ask_pt)(void *data);

/* one request of one key; zeroed by the caller, alive until the release */

struct ngx_http_gw_concurrency_ask_s {
    ngx_http_gw_concurrency_ask_pt   handler;
    void                            *data;

    /* NGX_OK counted, NGX_DECLINED the limit is reached, NGX_ERROR no word */
    ngx_int_t                        status;
    int64_t                          total;    /* in progress everywhere */

    ngx_http_gw_concurrency_node_t  *node;     /* private from here on */
    int64_t                          limit;
    ngx_msec_t                       deadline;
    uint32_t                         seq;
    unsigned                         waiting:1;
    unsigned                         resent:1;
    unsigned                         held:1;
};


/*
 * Asks for a request.
 *
 *     pool   of the request
 *     zone   name of the zone
 *     value  of the key
 *     links  of the worker
 *
 * Returns NGX_AGAIN: the handler is called later; NGX_ERROR: it could not be
 * asked.
 */
ngx_int_t ngx_http_gw_concurrency_ask(
    ngx_http_gw_concurrency_remote_t *remote, ngx_pool_t *pool,
    ngx_str_t *zone, ngx_str_t *value, ngx_http_gw_limit_links_t *links,
    int64_t limit, ngx_http_gw_concurrency_ask_t *ask);

/* The request goes on though Redis has not counted it: it is told later. */
void ngx_http_gw_concurrency_keep(ngx_http_gw_concurrency_ask_t *ask);

/*
 * The request has ended, or does not go on; the handler will not be called.
 * Harmless when nothing was asked.
 */
void ngx_http_gw_concurrency_end(ngx_http_gw_concurrency_ask_t *ask);


#endif /* NGX_HTTP_GW_CONCURRENCY_REDIS_H */
