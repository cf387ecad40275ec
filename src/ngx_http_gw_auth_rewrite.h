
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What an upstream sees of a request: without its credentials, and with
 * headers that tell who the client is.
 *
 * Subrequests share the headers of their request, which are never changed in
 * place: a request gets a list of its own.
 */


#ifndef NGX_HTTP_GW_AUTH_REWRITE_H
#define NGX_HTTP_GW_AUTH_REWRITE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_cred.h"


/* what has been taken out of a request; for later locations that ask for it */

typedef struct {
    ngx_array_t            *headers;       /* ngx_table_elt_t */
    ngx_str_t               args;
} ngx_http_gw_auth_stripped_t;


/* a request before ngx_http_gw_auth_present() */

typedef struct {
    ngx_http_headers_in_t   headers_in;
    ngx_str_t               args;
    unsigned                changed:1;
} ngx_http_gw_auth_saved_t;


/*
 * The handler of gw_auth_header; the offset of the command is that of an
 * ngx_array_t *.
 */

char *ngx_http_gw_auth_conf_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Finds out where the token of a variable stands.
 *
 *     name    of the variable, without "$"
 *     source  out: a place, if the variable is $http_..., $arg_... or
 *             $cookie_...
 */

void ngx_http_gw_auth_place(ngx_str_t *name,
    ngx_http_gw_auth_source_t *source);

/*
 * Removes the headers that only the gateway may send, whatever their case,
 * and with "_" for "-", too.
 *
 *     headers  of gw_auth_header
 *     spare    the name of a header that stays, as Authorization does;
 *              they may have a credential that is yet to be looked at
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_clear(ngx_http_request_t *r, ngx_array_t *headers,
    ngx_str_t *spare);

/*
 * Removes them all, and sets those with a value without control characters.
 *
 *     none  sets none of them
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_set_headers(ngx_http_request_t *r,
    ngx_array_t *headers, ngx_uint_t none);

/*
 * Removes credentials, good or not.
 *
 *     bearer    the Authorization header with this scheme, too
 *     source    places, or NULL
 *     stripped  in/out: what was taken out is added
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_strip(ngx_http_request_t *r, ngx_uint_t bearer,
    ngx_http_gw_auth_source_t *source, ngx_http_gw_auth_stripped_t *stripped);

/*
 * Puts back what was taken out, until ngx_http_gw_auth_restore().
 *
 *     saved  out
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_present(ngx_http_request_t *r,
    ngx_http_gw_auth_stripped_t *stripped, ngx_http_gw_auth_saved_t *saved);
void ngx_http_gw_auth_restore(ngx_http_request_t *r,
    ngx_http_gw_auth_saved_t *saved);


#endif /* NGX_HTTP_GW_AUTH_REWRITE_H */
