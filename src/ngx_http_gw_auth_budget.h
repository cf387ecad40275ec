
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * How often a client may fail: a signature that does not verify costs the
 * gateway much more than it costs who has made it up.
 */


#ifndef NGX_HTTP_GW_AUTH_BUDGET_H
#define NGX_HTTP_GW_AUTH_BUDGET_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_gcra.h"
#include "ngx_http_gw_auth_zone.h"


typedef struct {
    ngx_http_complex_value_t   key;
    gw_gcra_t                  gcra;      /* nanoseconds */

    /*
     * Budgets of the same words are one, over locations and reloads; others
     * with the same key are not.
     */
    uint64_t                   tag[2];
} ngx_http_gw_auth_budget_t;


/*
 * The handler of "gw_auth_budget key=value rate=rate [burst=number] | off";
 * cmd->offset is that of an ngx_http_gw_auth_budget_t * in the configuration
 * of a location, which becomes NULL for "off".
 */

char *ngx_http_gw_auth_budget_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Takes from the budget of a request.
 *
 *     cost   failures, 0 only looks whether there is one left
 *     retry  out: on NGX_DECLINED, seconds until there is, 1 or more
 *
 * Returns NGX_OK, also if the key is empty; NGX_DECLINED: the budget is spent,
 * nothing was taken; NGX_ERROR: the key could not be evaluated.
 */

ngx_int_t ngx_http_gw_auth_budget_take(ngx_http_request_t *r,
    ngx_http_gw_auth_zone_t *zone, ngx_http_gw_auth_budget_t *budget,
    ngx_uint_t cost, ngx_uint_t *retry);


#endif /* NGX_HTTP_GW_AUTH_BUDGET_H */
