
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Where a credential stands in a request.  Nothing here decides whether it is
 * valid; a credential presented twice is never a matter of taking the first.
 */


#ifndef NGX_HTTP_GW_AUTH_CRED_H
#define NGX_HTTP_GW_AUTH_CRED_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_reason.h"


/* places of an API key; names of length 0 are not looked at */

typedef struct {
    ngx_str_t    header;         /* lower case */
    ngx_uint_t   header_hash;    /* ngx_hash_key() of it */
    ngx_str_t    arg;
    ngx_str_t    cookie;
    ngx_str_t    scheme;         /* of the Authorization header */
} ngx_http_gw_auth_source_t;


/*
 * Finds the bearer token of a request (RFC 6750, 2).
 *
 *     var     index of the variable that holds the token, or NGX_ERROR for
 *             the Authorization header
 *     token   out: the token, not copied
 *     reason  out: on NGX_DECLINED
 *
 * An access_token argument beside the Authorization header is an error; so is
 * another token than that of the variable in either of them.
 *
 * Returns NGX_OK; NGX_DECLINED with NGX_HTTP_GW_AUTH_MISSING, TWICE or
 * GW_REASON_MALFORMED; NGX_ERROR if the variable could not be evaluated.
 */

ngx_int_t ngx_http_gw_auth_find_token(ngx_http_request_t *r, ngx_int_t var,
    ngx_str_t *token, ngx_uint_t *reason);


/*
 * Finds the API key of a request.
 *
 *     source  where to look
 *     key     out: the key; an argument is unescaped in a copy
 *     reason  out: on NGX_DECLINED
 *
 * Returns NGX_OK; NGX_DECLINED with NGX_HTTP_GW_AUTH_MISSING, TWICE or
 * GW_REASON_MALFORMED; NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_find_key(ngx_http_request_t *r,
    ngx_http_gw_auth_source_t *source, ngx_str_t *key, ngx_uint_t *reason);


/*
 * Copies a URI, or a request line, with the values of some arguments replaced
 * by "***".
 *
 *     names  of the arguments, without regard to case: ngx_str_t
 *     text   the last argument reaches to its end
 *     out    text itself if there is nothing to replace
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_redact(ngx_pool_t *pool, ngx_array_t *names,
    ngx_str_t *text, ngx_str_t *out);


#endif /* NGX_HTTP_GW_AUTH_CRED_H */
