
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_limit_lua.h"
#include "ngx_http_gw_redis_hosts.h"


static void ngx_http_gw_redis_hosts_done(void *data, ngx_int_t rc,
    redisReply *reply);


ngx_int_t
ngx_http_gw_redis_hosts_start(ngx_http_gw_redis_hosts_t *hosts,
    ngx_pool_t *pool, ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_link_conf_t *lcf)
{
    u_char  *p;

    static const char  name[] = "1:nodes";

    hosts->link = link;
    hosts->conf = lcf->conf;
    hosts->duty = lcf->duty;

    hosts->key.len = lcf->conf->prefix.len + sizeof(name) - 1;
    hosts->key.data = ngx_pnalloc(pool, hosts->key.len);
    if (hosts->key.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(hosts->key.data, lcf->conf->prefix.data,
                   lcf->conf->prefix.len);
    ngx_memcpy(p, name, sizeof(name) - 1);

    return NGX_OK;
}


void
ngx_http_gw_redis_hosts_beat(ngx_http_gw_redis_hosts_t *hosts)
{
    u_char                     keep[NGX_INT64_LEN];
    ngx_str_t                  args[6];
    ngx_http_gw_redis_cmd_t    cmd;

    /* a little early, so that no timer of a worker is late by a turn */

    if (ngx_http_gw_redis_link_state(hosts->link) != NGX_HTTP_GW_REDIS_UP
        || !ngx_http_gw_redis_duty_take(&hosts->duty->beat,
                                        NGX_HTTP_GW_REDIS_HOSTS_BEAT * 9 / 10))
    {
        return;
    }

    /* seldom enough to be sent as text: it need not be found again */

    ngx_str_set(&args[0], "EVAL");
    ngx_str_set(&args[1], NGX_HTTP_GW_LIMIT_BEAT_LUA);
    ngx_str_set(&args[2], "1");
    args[3] = hosts->key;
    args[4].data = hosts->duty->node;
    args[4].len = hosts->duty->node_len;
    args[5].data = keep;
    args[5].len = ngx_sprintf(keep, "%d", NGX_HTTP_GW_REDIS_HOSTS_KEEP * 1000)
                  - keep;

    ngx_memzero(&cmd, sizeof(ngx_http_gw_redis_cmd_t));
    cmd.args = args;
    cmd.nargs = 6;
    cmd.done = ngx_http_gw_redis_hosts_done;
    cmd.data = hosts;

    (void) ngx_http_gw_redis_link_aside(hosts->link, &cmd);
}


static void
ngx_http_gw_redis_hosts_done(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_redis_hosts_t *hosts = data;

    ngx_msec_t                 now;
    ngx_http_gw_redis_duty_t  *duty;

    if (rc != NGX_OK || reply->type != REDIS_REPLY_INTEGER
        || reply->integer < 1)
    {
        return;
    }

    duty = hosts->duty;
    now = ngx_current_msec;

    /*
     * After a pause, or when Redis has lost its data, the others have to be
     * heard of first: fewer hosts are believed when they stay fewer.
     */

    if ((ngx_atomic_uint_t) reply->integer >= duty->hosts
        || now - duty->told > 2 * NGX_HTTP_GW_REDIS_HOSTS_BEAT)
    {
        duty->steady = now;
    }

    duty->told = now;

    if ((ngx_atomic_uint_t) reply->integer >= duty->hosts
        || now - duty->steady >= NGX_HTTP_GW_REDIS_HOSTS_KEEP)
    {
        duty->hosts = ngx_min(reply->integer, NGX_HTTP_GW_REDIS_HOSTS_MAX);
        duty->steady = now;
    }
}


ngx_uint_t
ngx_http_gw_redis_hosts(ngx_http_gw_redis_duty_t *duty)
{
    return ngx_max(duty->hosts, 1);
}
