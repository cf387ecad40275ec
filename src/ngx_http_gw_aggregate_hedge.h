
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The second request of a part that is slow.  The part itself stays where it
 * is and has one of the two requests; a copy of it has the other one.  The
 * part's is the one that may still succeed: when that fails first the two
 * change places, so that the part is done last, and only once.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_HEDGE_H
#define NGX_HTTP_GW_AGGREGATE_HEDGE_H


#include "ngx_http_gw_aggregate.h"


/*
 * The handler of the parameter.
 */
char *ngx_http_gw_part_hedge(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value);


/*
 * Looks whether a part had its time for a header.  Of a timer's handler,
 * which wakes the gather.
 */
void ngx_http_gw_hedge_timeout(ngx_http_gw_part_t *part);


/*
 * Sends the second requests that are due, as far as there is room for them.
 * At top level only.
 */
void ngx_http_gw_hedge_run(ngx_http_gw_gather_t *gather);


/*
 * The header of a part's request is a good one: its answer is the part's, and
 * the other request is to be stopped.
 *
 * Returns the part itself, which has the request from then on.
 */
ngx_http_gw_part_t *ngx_http_gw_hedge_commit(ngx_http_gw_part_t *part);


/*
 * The request of a part failed, part->error is set.
 *
 * Returns the part itself when it has failed with that, or NULL while there
 * is hope for its other request.
 */
ngx_http_gw_part_t *ngx_http_gw_hedge_failed(ngx_http_gw_part_t *part);


/*
 * The request of a part is about to end with no answer that is used.
 *
 * Returns what has the request from then on, which is to be ended: the copy
 * when the part itself goes on with the other request.
 */
ngx_http_gw_part_t *ngx_http_gw_hedge_yield(ngx_http_gw_part_t *part);


/*
 * A part is done: when both of its requests failed, the first one tells why,
 * whichever came last.
 */
void ngx_http_gw_hedge_end(ngx_http_gw_part_t *part);


/*
 * Counts and logs a request that is not taken.
 */
void ngx_http_gw_hedge_account(ngx_http_gw_part_t *part);


#endif /* NGX_HTTP_GW_AGGREGATE_HEDGE_H */
