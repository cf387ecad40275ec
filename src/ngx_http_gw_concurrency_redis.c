
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_concurrency_redis.h"
#include "ngx_http_gw_limit_lua.h"


/* EVALSHA, script, 1, key, and at most six arguments */
#define NGX_HTTP_GW_CONCURRENCY_WORDS  10

/* a field is renewed three times in its life, the key lives for five */
#define NGX_HTTP_GW_CONCURRENCY_RENEW  3
#define NGX_HTTP_GW_CONCURRENCY_LIVES  5

/* looks for fields to renew in a life; fields renewed by one look */
#define NGX_HTTP_GW_CONCURRENCY_LOOKS  12
#define NGX_HTTP_GW_CONCURRENCY_BATCH  256

/* ms to the next look if there was more */
#define NGX_HTTP_GW_CONCURRENCY_MORE   20


struct ngx_http_gw_concurrency_node_s {
    ngx_str_node_t                     sn;       /* must be first */
    ngx_queue_t                        queue;
    ngx_http_gw_concurrency_remote_t  *remote;
    ngx_msec_t                         told;     /* when it was */
    ngx_uint_t                         refs;     /* requests that know it */
    ngx_uint_t                         held;     /* by some of these */
    ngx_uint_t                         asking;
    u_char                             key[1];
};


static void ngx_http_gw_concurrency_start(
    ngx_http_gw_concurrency_remote_t *remote,
    ngx_http_gw_limit_links_t *links);
static ngx_http_gw_concurrency_node_t *ngx_http_gw_concurrency_node(
    ngx_http_gw_concurrency_remote_t *remote, ngx_pool_t *pool,
    ngx_str_t *zone, ngx_str_t *value);
static void ngx_http_gw_concurrency_settle(
    ngx_http_gw_concurrency_node_t *node);
static ngx_int_t ngx_http_gw_concurrency_call(
    ngx_http_gw_concurrency_node_t *node, ngx_http_gw_concurrency_ask_t *ask);
static void ngx_http_gw_concurrency_done(void *data, ngx_int_t rc,
    redisReply *reply);
static ngx_int_t ngx_http_gw_concurrency_again(redisReply *reply);
static void ngx_http_gw_concurrency_late(void *data, redisReply *reply);
static void ngx_http_gw_concurrency_told(void *data, ngx_int_t rc,
    redisReply *reply);
static void ngx_http_gw_concurrency_beat(ngx_event_t *ev);


static ngx_str_t  ngx_http_gw_concurrency_lua =
    ngx_string(NGX_HTTP_GW_LIMIT_CONC_LUA);

static ngx_str_t  ngx_http_gw_concurrency_sha =
    ngx_string(NGX_HTTP_GW_LIMIT_CONC_SHA);


ngx_int_t
ngx_http_gw_concurrency_ask(ngx_http_gw_concurrency_remote_t *remote,
    ngx_pool_t *pool, ngx_str_t *zone, ngx_str_t *value,
    ngx_http_gw_limit_links_t *links, int64_t limit,
    ngx_http_gw_concurrency_ask_t *ask)
{
    ngx_http_gw_concurrency_node_t  *node;

    if (remote->pid != ngx_pid) {
        ngx_http_gw_concurrency_start(remote, links);
    }

    ask->status = NGX_ERROR;

    node = ngx_http_gw_concurrency_node(remote, pool, zone, value);
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->refs++;

    ask->node = node;
    ask->limit = limit;
    ask->deadline = ngx_current_msec + remote->redis->timeout;

    if (ngx_http_gw_concurrency_call(node, ask) != NGX_OK) {
        return NGX_ERROR;
    }

    ask->waiting = 1;
    node->asking++;

    return NGX_AGAIN;
}


static void
ngx_http_gw_concurrency_start(ngx_http_gw_concurrency_remote_t *remote,
    ngx_http_gw_limit_links_t *links)
{
    remote->pid = ngx_pid;
    remote->links = links;
    remote->unknown = 0;

    ngx_rbtree_init(&remote->tree, &remote->sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&remote->queue);

    remote->field.data = remote->text;
    remote->field.len = ngx_snprintf(remote->text,
                                     NGX_HTTP_GW_CONCURRENCY_FIELD, "%V/%P",
                                     remote->host, ngx_pid)
                        - remote->text;

    ngx_memzero(&remote->beat, sizeof(ngx_event_t));

    remote->beat.handler = ngx_http_gw_concurrency_beat;
    remote->beat.data = remote;
    remote->beat.log = ngx_cycle->log;
    remote->beat.cancelable = 1;
}


static ngx_http_gw_concurrency_node_t *
ngx_http_gw_concurrency_node(ngx_http_gw_concurrency_remote_t *remote,
    ngx_pool_t *pool, ngx_str_t *zone, ngx_str_t *value)
{
    uint32_t                         hash;
    ngx_str_t                        key;
    ngx_http_gw_concurrency_node_t  *node;

    if (ngx_http_gw_limit_redis_key(pool, &key, &remote->redis->prefix, 'c',
                                    zone, value)
        != NGX_OK)
    {
        return NULL;
    }

    hash = ngx_crc32_short(key.data, key.len);

    node = (ngx_http_gw_concurrency_node_t *)
               ngx_str_rbtree_lookup(&remote->tree, &key, hash);

    if (node != NULL) {
        return node;
    }

    /* it outlives the request; there are as many as requests in progress */

    node = ngx_calloc(sizeof(ngx_http_gw_concurrency_node_t) + key.len,
                      ngx_cycle->log);
    if (node == NULL) {
        return NULL;
    }

    ngx_memcpy(node->key, key.data, key.len);

    node->remote = remote;
    node->told = ngx_current_msec;
    node->sn.node.key = hash;
    node->sn.str.data = node->key;
    node->sn.str.len = key.len;

    ngx_rbtree_insert(&remote->tree, &node->sn.node);
    ngx_queue_insert_tail(&remote->queue, &node->queue);

    if (!remote->beat.timer_set) {
        ngx_add_timer(&remote->beat,
                      remote->heartbeat / NGX_HTTP_GW_CONCURRENCY_LOOKS);
    }

    return node;
}


/* A key that the worker has no business with any more is forgotten. */

static void
ngx_http_gw_concurrency_settle(ngx_http_gw_concurrency_node_t *node)
{
    (void) ngx_http_gw_concurrency_call(node, NULL);

    if (node->refs == 0 && node->asking == 0) {
        ngx_rbtree_delete(&node->remote->tree, &node->sn.node);
        ngx_queue_remove(&node->queue);
        ngx_free(node);
    }
}


/*
 * Tells Redis, and asks for a request unless ask is NULL.  Returns NGX_OK, or
 * NGX_DECLINED if Redis is away.
 */

static ngx_int_t
ngx_http_gw_concurrency_call(ngx_http_gw_concurrency_node_t *node,
    ngx_http_gw_concurrency_ask_t *ask)
{
    u_char                            *p;
    u_char                             text[5 * NGX_INT64_LEN];
    int64_t                            numbers[5];
    uint32_t                           seq;
    ngx_str_t                          args[NGX_HTTP_GW_CONCURRENCY_WORDS];
    ngx_uint_t                         i, n;
    ngx_http_gw_redis_cmd_t            cmd;
    ngx_http_gw_redis_link_t          *link;
    ngx_http_gw_concurrency_remote_t  *remote;

    remote = node->remote;

    link = ngx_http_gw_limit_link(remote->links, remote->number);

    if (link == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_gw_redis_link_conf(link)->eval
        || (ask ? ask->resent : remote->unknown))
    {
        ngx_str_set(&args[0], "EVAL");
        args[1] = ngx_http_gw_concurrency_lua;

    } else {
        ngx_str_set(&args[0], "EVALSHA");
        args[1] = ngx_http_gw_concurrency_sha;
    }

    ngx_str_set(&args[2], "1");
    args[3] = node->sn.str;
    args[4] = remote->field;

    numbers[0] = node->held;
    numbers[1] = node->asking;
    numbers[2] = (int64_t) remote->heartbeat * 1000;
    numbers[3] = (int64_t) remote->heartbeat * NGX_HTTP_GW_CONCURRENCY_LIVES;
    numbers[4] = ask ? ask->limit : 0;

    n = ask ? 5 : 4;
    p = text;

    for (i = 0; i < n; i++) {
        args[5 + i].data = p;
        p = ngx_sprintf(p, "%L", numbers[i]);
        args[5 + i].len = p - args[5 + i].data;
    }

    cmd.args = args;
    cmd.nargs = 5 + n;

    if (ask) {
        cmd.done = ngx_http_gw_concurrency_done;
        cmd.data = ask;
        cmd.late = ngx_http_gw_concurrency_late;
        cmd.late_data = node;
        cmd.deadline = ask->deadline;

    } else {
        cmd.done = ngx_http_gw_concurrency_told;
        cmd.data = remote;
        cmd.late = NULL;
        cmd.late_data = NULL;
        cmd.deadline = 0;
    }

    if (ngx_http_gw_redis_link_send(link, &cmd, ask ? &ask->seq : &seq)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    remote->unknown = 0;
    node->told = ngx_current_msec;

    ngx_queue_remove(&node->queue);
    ngx_queue_insert_tail(&remote->queue, &node->queue);

    return NGX_OK;
}


static void
ngx_http_gw_concurrency_done(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_concurrency_ask_t *ask = data;

    ngx_http_gw_concurrency_node_t  *node;

    node = ask->node;

    if (rc == NGX_BUSY) {

        /* the reply may still come: ngx_http_gw_concurrency_late() */

        ask->waiting = 0;
        ask->handler(ask->data);
        return;
    }

    node->asking--;

    if (rc == NGX_OK && ngx_http_gw_concurrency_again(reply) && !ask->resent) {
        ask->resent = 1;

        if (ngx_http_gw_concurrency_call(node, ask) == NGX_OK) {
            node->asking++;
            return;
        }
    }

    ask->waiting = 0;

    if (rc == NGX_OK
        && reply->type == REDIS_REPLY_ARRAY
        && reply->elements == 2
        && reply->element[0]->type == REDIS_REPLY_INTEGER
        && reply->element[1]->type == REDIS_REPLY_INTEGER)
    {
        ask->total = reply->element[0]->integer;
        ask->status = NGX_DECLINED;

        if (reply->element[1]->integer == 1) {
            ask->status = NGX_OK;
            ask->held = 1;
            node->held++;
        }
    }

    ask->handler(ask->data);
}


/* Whether the script is to be sent, since Redis has lost it. */

static ngx_int_t
ngx_http_gw_concurrency_again(redisReply *reply)
{
    static const char  noscript[] = "NOSCRIPT";

    return reply->type == REDIS_REPLY_ERROR
           && (size_t) reply->len >= sizeof(noscript) - 1
           && ngx_memcmp(reply->str, noscript, sizeof(noscript) - 1) == 0;
}


/* a request that did not wait; what it may have got is given back */

static void
ngx_http_gw_concurrency_late(void *data, redisReply *reply)
{
    ngx_http_gw_concurrency_node_t *node = data;

    node->asking--;

    ngx_http_gw_concurrency_settle(node);
}


static void
ngx_http_gw_concurrency_told(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_concurrency_remote_t *remote = data;

    if (rc == NGX_OK && ngx_http_gw_concurrency_again(reply)) {
        remote->unknown = 1;
    }
}


void
ngx_http_gw_concurrency_keep(ngx_http_gw_concurrency_ask_t *ask)
{
    if (ask->node != NULL && !ask->held) {
        ask->held = 1;
        ask->node->held++;
    }
}


void
ngx_http_gw_concurrency_end(ngx_http_gw_concurrency_ask_t *ask)
{
    ngx_http_gw_redis_link_t        *link;
    ngx_http_gw_concurrency_node_t  *node;

    node = ask->node;

    if (node == NULL) {
        return;
    }

    ask->node = NULL;
    node->refs--;

    if (ask->waiting) {

        /* its answer is not lost: ngx_http_gw_concurrency_late() */

        ask->waiting = 0;

        link = ngx_http_gw_limit_link(node->remote->links,
                                      node->remote->number);
        if (link != NULL) {
            ngx_http_gw_redis_link_cancel(link, ask->seq);
        }

        return;
    }

    if (ask->held) {
        ask->held = 0;
        node->held--;
        ngx_http_gw_concurrency_settle(node);

    } else if (node->refs == 0 && node->asking == 0) {
        ngx_http_gw_concurrency_settle(node);
    }
}


static void
ngx_http_gw_concurrency_beat(ngx_event_t *ev)
{
    ngx_uint_t                         n;
    ngx_msec_t                         next;
    ngx_queue_t                       *q;
    ngx_http_gw_concurrency_node_t    *node;
    ngx_http_gw_concurrency_remote_t  *remote;

    remote = ev->data;

    next = remote->heartbeat / NGX_HTTP_GW_CONCURRENCY_LOOKS;

    for (n = 0; !ngx_queue_empty(&remote->queue); n++) {

        q = ngx_queue_head(&remote->queue);
        node = ngx_queue_data(q, ngx_http_gw_concurrency_node_t, queue);

        if (ngx_current_msec - node->told
            < remote->heartbeat / NGX_HTTP_GW_CONCURRENCY_RENEW)
        {
            break;
        }

        if (n == NGX_HTTP_GW_CONCURRENCY_BATCH) {
            next = ngx_min(next, NGX_HTTP_GW_CONCURRENCY_MORE);
            break;
        }

        if (ngx_http_gw_concurrency_call(node, NULL) != NGX_OK) {

            /* Redis is away, or its queue is full: next time */

            break;
        }
    }

    if (!ngx_queue_empty(&remote->queue)) {
        ngx_add_timer(ev, next);
    }
}
