
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_gw_redis_resolve.h"


/* addresses of a name that are kept */
#define NGX_HTTP_GW_REDIS_ADDRS          8

/* msec to the next question: at least, and after one without an answer */
#define NGX_HTTP_GW_REDIS_RESOLVE_MIN    1000
#define NGX_HTTP_GW_REDIS_RESOLVE_RETRY  1000

/* the time to live is bounded, as a timer is: seconds */
#define NGX_HTTP_GW_REDIS_RESOLVE_MAX    86400


typedef struct {
    ngx_addr_t                 addr;
    ngx_sockaddr_t             sockaddr;
    u_char                     text[NGX_SOCKADDR_STRLEN];
} ngx_http_gw_redis_place_t;


struct ngx_http_gw_redis_resolve_s {
    ngx_http_gw_redis_link_t  *link;
    ngx_resolver_ctx_t        *ctx;            /* a question is out */
    ngx_event_t                timer;
    ngx_http_gw_redis_place_t  places[NGX_HTTP_GW_REDIS_ADDRS];
    ngx_uint_t                 n;
    ngx_uint_t                 current;
    unsigned                   failed:1;       /* the last question */
};


static void ngx_http_gw_redis_resolve_ask(ngx_event_t *ev);
static void ngx_http_gw_redis_resolve_handler(ngx_resolver_ctx_t *ctx);
static ngx_uint_t ngx_http_gw_redis_resolve_take(
    ngx_http_gw_redis_resolve_t *resolve, ngx_resolver_ctx_t *ctx);
static void ngx_http_gw_redis_resolve_failed(
    ngx_http_gw_redis_resolve_t *resolve, ngx_int_t state);


ngx_int_t
ngx_http_gw_redis_resolve_start(ngx_http_gw_redis_link_t *link,
    ngx_pool_t *pool)
{
    ngx_http_gw_redis_resolve_t  *resolve;

    if (!link->conf->resolve) {
        return NGX_OK;
    }

    resolve = ngx_pcalloc(pool, sizeof(ngx_http_gw_redis_resolve_t));
    if (resolve == NULL) {
        return NGX_ERROR;
    }

    resolve->link = link;

    resolve->timer.handler = ngx_http_gw_redis_resolve_ask;
    resolve->timer.data = resolve;
    resolve->timer.log = link->log;
    resolve->timer.cancelable = 1;

    link->resolve = resolve;

    ngx_add_timer(&resolve->timer, 0);

    return NGX_OK;
}


ngx_addr_t *
ngx_http_gw_redis_resolve_addr(ngx_http_gw_redis_link_t *link)
{
    ngx_http_gw_redis_resolve_t  *resolve;

    resolve = link->resolve;

    if (resolve == NULL) {
        return link->conf->addr;
    }

    return (resolve->n == 0) ? NULL : &resolve->places[resolve->current].addr;
}


void
ngx_http_gw_redis_resolve_next(ngx_http_gw_redis_link_t *link)
{
    ngx_http_gw_redis_resolve_t  *resolve;

    resolve = link->resolve;

    if (resolve != NULL && resolve->n != 0) {
        resolve->current = (resolve->current + 1) % resolve->n;
    }
}


static void
ngx_http_gw_redis_resolve_ask(ngx_event_t *ev)
{
    ngx_resolver_ctx_t           *ctx;
    ngx_http_gw_redis_conf_t     *conf;
    ngx_http_gw_redis_resolve_t  *resolve;

    resolve = ev->data;
    conf = resolve->link->conf;

    ctx = ngx_resolve_start(conf->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_http_gw_redis_resolve_failed(resolve, NGX_ERROR);
        return;
    }

    ctx->name = conf->host;
    ctx->handler = ngx_http_gw_redis_resolve_handler;
    ctx->data = resolve;
    ctx->timeout = conf->resolver_timeout;
    ctx->cancelable = 1;

    resolve->ctx = ctx;

    /* may call the handler, which frees the context, before it returns */

    if (ngx_resolve_name(ctx) != NGX_OK) {
        resolve->ctx = NULL;
        ngx_http_gw_redis_resolve_failed(resolve, NGX_ERROR);
    }
}


static void
ngx_http_gw_redis_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    time_t                        left;
    ngx_int_t                     state;
    ngx_uint_t                    moved;
    ngx_http_gw_redis_resolve_t  *resolve;

    resolve = ctx->data;
    resolve->ctx = NULL;

    state = ctx->state;
    left = ctx->valid - ngx_time() + 1;
    moved = 0;

    if (state == NGX_OK && ctx->naddrs != 0) {
        moved = ngx_http_gw_redis_resolve_take(resolve, ctx);

    } else if (state == NGX_OK) {
        state = NGX_RESOLVE_NXDOMAIN;
    }

    ngx_resolve_name_done(ctx);

    if (state != NGX_OK) {
        ngx_http_gw_redis_resolve_failed(resolve, state);
        return;
    }

    resolve->failed = 0;

    left = ngx_min(left, NGX_HTTP_GW_REDIS_RESOLVE_MAX);

    ngx_add_timer(&resolve->timer,
                  (left <= 0) ? NGX_HTTP_GW_REDIS_RESOLVE_MIN
                              : (ngx_msec_t) left * 1000);

    if (moved) {
        ngx_log_error(NGX_LOG_NOTICE, resolve->link->log, 0,
                      "redis \"%V\": %V is at %V now",
                      &resolve->link->conf->name,
                      &resolve->link->conf->host,
                      &resolve->places[resolve->current].addr.name);

        ngx_http_gw_redis_link_move(resolve->link);
    }
}


/* returns 1 if the address in use is none of the name any more */

static ngx_uint_t
ngx_http_gw_redis_resolve_take(ngx_http_gw_redis_resolve_t *resolve,
    ngx_resolver_ctx_t *ctx)
{
    socklen_t                   len;
    ngx_uint_t                  i, known;
    ngx_sockaddr_t              used;
    ngx_http_gw_redis_place_t  *place;

    len = 0;

    if (resolve->n != 0) {
        place = &resolve->places[resolve->current];
        used = place->sockaddr;
        len = place->addr.socklen;
    }

    known = NGX_HTTP_GW_REDIS_ADDRS;
    resolve->n = ngx_min(ctx->naddrs, NGX_HTTP_GW_REDIS_ADDRS);

    for (i = 0; i < resolve->n; i++) {
        place = &resolve->places[i];

        ngx_memzero(&place->sockaddr, sizeof(ngx_sockaddr_t));
        ngx_memcpy(&place->sockaddr, ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);

        place->addr.sockaddr = &place->sockaddr.sockaddr;
        place->addr.socklen = ctx->addrs[i].socklen;

        ngx_inet_set_port(place->addr.sockaddr, resolve->link->conf->port);

        place->addr.name.data = place->text;
        place->addr.name.len = ngx_sock_ntop(place->addr.sockaddr,
                                             place->addr.socklen, place->text,
                                             NGX_SOCKADDR_STRLEN, 1);

        if (len != 0
            && ngx_cmp_sockaddr(place->addr.sockaddr, place->addr.socklen,
                                &used.sockaddr, len, 1)
               == NGX_OK)
        {
            known = i;
        }
    }

    if (known != NGX_HTTP_GW_REDIS_ADDRS) {
        resolve->current = known;
        return 0;
    }

    resolve->current = 0;

    return 1;
}


/* the last address is as good as it was */

static void
ngx_http_gw_redis_resolve_failed(ngx_http_gw_redis_resolve_t *resolve,
    ngx_int_t state)
{
    ngx_http_gw_redis_link_t  *link;

    link = resolve->link;

    if (!resolve->failed) {
        resolve->failed = 1;

        ngx_log_error(NGX_LOG_WARN, link->log, 0,
                      "redis \"%V\": %V could not be resolved (%i: %s)%s",
                      &link->conf->name, &link->conf->host, state,
                      ngx_resolver_strerror(state),
                      resolve->n != 0 ? ", its last address is kept" : "");
    }

    ngx_add_timer(&resolve->timer, NGX_HTTP_GW_REDIS_RESOLVE_RETRY);
}


void
ngx_http_gw_redis_resolve_exit(ngx_http_gw_redis_link_t *link)
{
    ngx_http_gw_redis_resolve_t  *resolve;

    resolve = link->resolve;

    if (resolve == NULL) {
        return;
    }

    if (resolve->ctx != NULL) {
        ngx_resolve_name_done(resolve->ctx);
        resolve->ctx = NULL;
    }

    if (resolve->timer.timer_set) {
        ngx_del_timer(&resolve->timer);
    }
}
