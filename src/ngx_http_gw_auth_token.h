
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A token and what was read from it, in one piece of memory that outlives the
 * request: an identity holds a reference, and so may a cache.
 */


#ifndef NGX_HTTP_GW_AUTH_TOKEN_H
#define NGX_HTTP_GW_AUTH_TOKEN_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_jwk.h"
#include "gw_jws.h"
#include "gw_jwt.h"


typedef struct {
    ngx_uint_t    refs;
    size_t        size;          /* bytes of this piece of memory */

    /*
     * What a request with a token that is known reads stands together, up to
     * the dates of jwt: each line of the cache that is not there costs more
     * than the rest of the work.
     */

    ngx_str_t     text;          /* a copy of our own */

    unsigned      verified:1;    /* the signature is good, jwt is parsed */
    time_t        since;         /* seconds, when it was verified */

    gw_jwt_t      jwt;
    gw_jws_t      jws;

    /* of the key that has verified it; meaningful when "verified" is set */
    u_char        thumbprint[GW_JWK_THUMBPRINT_LEN];
} ngx_http_gw_auth_token_t;


/*
 * Copies a token and parses its header with gw_jws_parse().
 *
 *     ctx     scratch of the worker
 *     text    the token
 *     max     bytes allowed
 *     token   out: with one reference, on NGX_OK
 *     reason  out: otherwise, as gw_jws_parse()
 *
 * Returns NGX_OK, NGX_DECLINED or NGX_ERROR (could not tell).  Nothing is
 * verified.
 */

ngx_int_t ngx_http_gw_auth_token_create(gw_jws_ctx_t *ctx, ngx_str_t *text,
    size_t max, ngx_log_t *log, ngx_http_gw_auth_token_t **token,
    gw_reason_e *reason);


/*
 * Gives back a reference; the last one frees the token.  NULL is allowed.
 */

void ngx_http_gw_auth_token_free(ngx_http_gw_auth_token_t *token);


/*
 * Returns the bytes that a verified token takes: its own, and those of the
 * trees that were parsed from it, as jansson and an allocator lay them out.
 */

size_t ngx_http_gw_auth_token_memory(ngx_http_gw_auth_token_t *token);


#endif /* NGX_HTTP_GW_AUTH_TOKEN_H */
