
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A gather is one request that waits for its parts.  It is woken by a posted
 * event: whatever closes a connection happens there, at top level, never
 * inside of a filter or of a part's post handler, where the upstream code is
 * still on the stack.
 */


#ifndef NGX_HTTP_GW_GATHER_H
#define NGX_HTTP_GW_GATHER_H


#include "ngx_http_gw_aggregate.h"


/*
 * Starts the parts, whose path, args and body are set unless they wait for
 * others, and the deadline.
 *
 *     handler  becomes the request's write event handler, and calls
 *              ngx_http_gw_gather_run(); it is called at least once, even
 *              when no part was started
 *
 * Returns NGX_OK; NGX_ERROR when no part was started.
 */
ngx_int_t ngx_http_gw_gather_start(ngx_http_gw_gather_t *gather,
    ngx_http_event_handler_pt handler);


/*
 * The step that the write event handler takes.
 *
 * Returns NGX_OK when the request is to be answered now, with all parts done
 * and their connections closed; NGX_AGAIN when it waits on or is dead.
 */
ngx_int_t ngx_http_gw_gather_run(ngx_http_gw_gather_t *gather);


/*
 * Adds a part that waits to be started.
 */
void ngx_http_gw_gather_add(ngx_http_gw_part_t *part);


/*
 * Sends the request of a part whose path, args and body are set.  A part
 * whose request cannot be made has failed.  At top level only.
 */
void ngx_http_gw_gather_fetch(ngx_http_gw_part_t *part);


/*
 * Bounds the time for a part that has failed and is read to its end, so that
 * its connection can be used again.
 */
void ngx_http_gw_gather_drain(ngx_http_gw_part_t *part);


/*
 * Posts the request, unless it has answered or waits to be run already.
 */
void ngx_http_gw_gather_wake(ngx_http_gw_gather_t *gather);


/*
 * Ends a gather that is part of another one and is not wanted any more.  At
 * top level only; its request is the caller's to finalize.
 */
void ngx_http_gw_gather_stop(ngx_http_gw_gather_t *gather);


/*
 * With gw_aggregate_ignore_client_abort hides from parts that the client's
 * connection has an error, that it was closed for one.
 *
 * Returns 1 when it did.
 */
ngx_uint_t ngx_http_gw_gather_leave(ngx_http_gw_gather_t *gather);


/*
 * Takes back what a filter that failed in a part did to the client's
 * connection.
 */
void ngx_http_gw_gather_clear_error(ngx_http_gw_gather_t *gather);


/*
 * The http cleanup of a gather: drops the timer, and what is left of parts
 * when the client's request was terminated.
 */
void ngx_http_gw_gather_cleanup(void *data);


#endif /* NGX_HTTP_GW_GATHER_H */
