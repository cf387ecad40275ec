
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * gw_aggregate_each: a part that is fetched for each element of an array in
 * the answer of another one.  Each request is a part of its own, an item, in
 * the list of the gather behind those that are declared.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_EACH_H
#define NGX_HTTP_GW_AGGREGATE_EACH_H


#include "ngx_http_gw_aggregate.h"


/* the handler of the directive gw_aggregate_each */
char *ngx_http_gw_aggregate_each(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Adds $gw_item and $gw_item_index, in preconfiguration.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_each_add_variables(ngx_conf_t *cf);


/*
 * Makes the items of a part, whose source is done, and adds them to the
 * gather.
 *
 * Returns NGX_OK; NGX_DECLINED when the part has failed or is not wanted.
 */
ngx_int_t ngx_http_gw_each_start(ngx_http_gw_part_t *part);


/*
 * Whether an item may not start now, because others of its part run.
 */
ngx_uint_t ngx_http_gw_each_full(ngx_http_gw_part_t *part);


/*
 * Gives the values of an item to templates.
 *
 *     own  the first two are set
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_each_own(ngx_http_gw_part_t *part,
    ngx_http_gw_own_t *own);


/*
 * Ends a part whose items are all done.
 *
 * Returns 1 if it has ended now.
 */
ngx_uint_t ngx_http_gw_each_finish(ngx_http_gw_part_t *part);


/*
 * Adds the answers of the items of a part to the body; of one that is merged
 * or appended what is inside, without the members that lost their names.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_each_compose(ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part);


/*
 * Lists the names of the members of a part with result=object.
 *
 *     names  out: in the request's pool
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_each_names(ngx_http_gw_part_t *part,
    gw_json_text_t **names, ngx_uint_t *n);


/*
 * Adds bytes [start, end) of a part's answer to the body, and into its
 * objects the answers of the items that belong there.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_each_embed(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part, size_t start, size_t end);


#endif /* NGX_HTTP_GW_AGGREGATE_EACH_H */
