
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The answer that is made of parts: complete, partial, or a problem document
 * (RFC 9457).  Which of them, and with what status, depends on the parts and
 * the configuration alone, never on the order in which parts arrived, unless
 * gw_aggregate_fail_fast lets the first failure decide.
 */


#ifndef NGX_HTTP_GW_COMPOSE_H
#define NGX_HTTP_GW_COMPOSE_H


#include "ngx_http_gw_aggregate.h"


/*
 * Answers a request whose parts are all done.
 *
 * Returns what ngx_http_finalize_request() takes; a status when error_page
 * of the location has a page for it.
 */
ngx_int_t ngx_http_gw_compose(ngx_http_gw_gather_t *gather);


/*
 * Answers a request that no part was started for, because a value in a URI
 * or a body could not be used.  Returns as ngx_http_gw_compose() does.
 */
ngx_int_t ngx_http_gw_compose_refusal(ngx_http_gw_gather_t *gather);


/*
 * Adds bytes to the end of a chain, where they stand; none: nothing.
 *
 *     last  in/out: where the next link goes
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_compose_add(ngx_http_request_t *r, ngx_chain_t ***last,
    u_char *data, size_t len);


/*
 * Adds what stands in the slot of a part that is done: the value that it
 * answered, or its default, or what is merged or appended of that.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_compose_part(ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part);


/*
 * Adds bytes [start, end) of what a part answered.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_compose_range(ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part, size_t start, size_t end);


/*
 * Makes the JSON text that tells of the parts that failed, as much of it as
 * gw_aggregate_errors allows, which must not be "off".
 *
 *     text  out: an object or an array, in the request's pool
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_compose_errors(ngx_http_gw_gather_t *gather,
    ngx_str_t *text);


/*
 * Notes which slots of the document that are no parts are left out, when
 * gather->state is known.
 *
 *     omitted  out: the bytes of these slots
 */
void ngx_http_gw_compose_omit(ngx_http_gw_gather_t *gather, u_char *omitted);


/*
 * Finds the text of a slot of the document that is no part.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_compose_text(ngx_http_gw_gather_t *gather,
    ngx_uint_t slot, ngx_str_t *text);


/*
 * Decides what the answer of a request is whose parts are all done, and sets
 * gather->state.
 *
 *     status  out: of the answer, when it is FAILED
 *
 * Returns the part at fault, or NULL.
 */
ngx_http_gw_part_t *ngx_http_gw_compose_decide(ngx_http_gw_gather_t *gather,
    ngx_uint_t *status);


#endif /* NGX_HTTP_GW_COMPOSE_H */
