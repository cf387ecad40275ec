
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Parts with "root" and "append": what is inside of their answers goes into
 * the document.  Which of several members with one name it has depends on the
 * answers and the configuration alone.
 */


#ifndef NGX_HTTP_GW_MERGE_H
#define NGX_HTTP_GW_MERGE_H


#include "ngx_http_gw_aggregate.h"


/*
 * Fails a part, whose range is known, if its answer is not what is merged or
 * appended.
 */
void ngx_http_gw_merge_check(ngx_http_gw_part_t *part);


/*
 * What gw_json_splice_begin() is to be told of a part that is done.
 */
u_char ngx_http_gw_merge_omitted(ngx_http_gw_part_t *part);


/*
 * Finds who has each name, as far as that is known: of the parts that are
 * done, of all when the gather is.
 *
 *     omitted  what has lost its name is taken out there, and what has no
 *              members; NULL: of nothing, the gather is done
 *
 * With gw_aggregate_conflict "error" parts fail here.  Nothing is done where
 * no part has "root".
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_merge_run(ngx_http_gw_gather_t *gather,
    u_char *omitted);


/*
 * Whether it is known what is left of the member of the document that a step
 * of the plan belongs to.
 */
ngx_uint_t ngx_http_gw_merge_known(ngx_http_gw_gather_t *gather,
    ngx_uint_t step);


/*
 * Whether the member of a part that was merged as the n-th one, from 0, lost
 * its name.
 */
ngx_uint_t ngx_http_gw_merge_lost(ngx_http_gw_part_t *part, ngx_uint_t n);


/*
 * Adds the members or elements of a part, which has some.
 *
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_merge_write(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part);


/*
 * Prepares the default of a part, which is an object or an array, for that,
 * when the configuration is read.
 *
 * Returns NGX_OK, NGX_DECLINED if it is none, or NGX_ERROR.
 */
ngx_int_t ngx_http_gw_merge_default(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf);


#endif /* NGX_HTTP_GW_MERGE_H */
