
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The deny cache: a host that was told by Redis that a key has no room says
 * so itself, until there is some again.
 */


#ifndef NGX_HTTP_GW_LIMIT_DENY_H
#define NGX_HTTP_GW_LIMIT_DENY_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit.h"


/*
 * Looks whether one of the limits in Redis is known to have no room.
 *
 *     time  ms for which an answer is believed, 0: nothing is known
 *
 * Returns NGX_OK; or NGX_DECLINED: set->failed is that limit.
 */
ngx_int_t ngx_http_gw_limit_deny(ngx_http_gw_limit_set_t *set,
    ngx_msec_t time);

/*
 * Counts, before Redis is asked, what will be charged in limits that have
 * hardly any room: others who ask in the meantime are denied.
 *
 * Returns NGX_OK; or NGX_DECLINED: another request was first, set->failed has
 * no room and what was counted is released.
 */
ngx_int_t ngx_http_gw_limit_deny_reserve(ngx_http_gw_limit_set_t *set);

/* Redis was not asked, or has not answered. */
void ngx_http_gw_limit_deny_release(ngx_http_gw_limit_set_t *set);

/* Keeps what Redis has answered. */
void ngx_http_gw_limit_deny_told(ngx_http_gw_limit_set_t *set,
    ngx_http_gw_limit_calls_t *calls);

/* Forgets what is known of a key: units are given back to Redis. */
void ngx_http_gw_limit_deny_drop(ngx_http_gw_limit_entry_t *entry);

/*
 * The directive gw_limit_deny_cache; cmd->offset is that of an ngx_msec_t in
 * conf.
 */
char *ngx_http_gw_limit_deny_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_GW_LIMIT_DENY_H */
