
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_AUTH_CHALLENGE_H
#define NGX_HTTP_GW_AUTH_CHALLENGE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* Bearer and ApiKey */
#define NGX_HTTP_GW_AUTH_CHALLENGES  2


/* the header fields that a refusal has added, to take them back */

typedef struct {
    ngx_uint_t        n;
    ngx_table_elt_t  *header[NGX_HTTP_GW_AUTH_CHALLENGES];
} ngx_http_gw_auth_challenges_t;


/*
 * Writes a challenge (RFC 9110, 11.6.1).
 *
 *     scheme  name of the authentication scheme
 *     realm   any bytes; quotes and backslashes are escaped, control
 *             characters dropped
 *     error   code of RFC 6750, 3.1, without quotes; empty for none
 *     more    further parameters as they are, each after ", "; or empty
 *     value   out: text of the challenge
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_challenge(ngx_pool_t *pool, const ngx_str_t *scheme,
    ngx_str_t *realm, ngx_str_t *error, ngx_str_t *more, ngx_str_t *value);

/*
 * Adds WWW-Authenticate with this value to the answer, so that core takes it
 * back when "satisfy any" lets the request pass.  Before nginx 1.23 core does
 * that for one field only: there, "join" appends to the field that has been
 * added before.
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_add_challenge(ngx_http_request_t *r,
    ngx_http_gw_auth_challenges_t *added, ngx_str_t *value, ngx_uint_t join);

/*
 * Takes back what the refusal of another location has added.
 */

void ngx_http_gw_auth_clear_challenges(ngx_http_request_t *r,
    ngx_http_gw_auth_challenges_t *added);


#endif /* NGX_HTTP_GW_AUTH_CHALLENGE_H */
