
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Who signs tokens, with which keys, and what its tokens have to say:
 * "gw_jwt_issuer name { ... }".  A location without "issuer=" has an issuer
 * without a name, made of its own directives.
 */


#ifndef NGX_HTTP_GW_AUTH_ISSUER_H
#define NGX_HTTP_GW_AUTH_ISSUER_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_alg.h"
#include "gw_reason.h"
#include "ngx_http_gw_auth_token.h"


typedef struct {
    ngx_str_t        name;            /* empty: of one location */
    u_char          *conf_file;       /* where it was defined */
    ngx_uint_t       conf_line;

    ngx_array_t     *keys;            /* ngx_http_gw_auth_keys_t * */

    gw_alg_mask_t    algorithms;      /* allowed, with the default applied */

    /* of a block only; what is not set is NULL, 0 or empty */

    ngx_str_t        iss;             /* exact bytes */
    ngx_array_t     *audiences;       /* ngx_str_t, one of them is needed */
    ngx_array_t     *typs;            /* ngx_str_t, one of them is needed */
    ngx_array_t     *require;         /* gw_claim_path_t, all are needed */
    ngx_array_t     *scopes;          /* gw_claim_path_t, in order */
    ngx_array_t     *consumers;       /* gw_claim_path_t, in order */
    ngx_array_t     *groups;          /* gw_claim_path_t, in order */
    time_t           leeway;          /* seconds, or NGX_CONF_UNSET */
    time_t           max_lifetime;    /* seconds, 0: any */
    time_t           max_age;         /* seconds, 0: any */

    unsigned         named:1;         /* algorithms: by the configuration */
} ngx_http_gw_auth_issuer_t;


/* the settings of a location that its issuers may override */

typedef struct {
    time_t           leeway;          /* seconds */
    unsigned         validate_exp:1;
} ngx_http_gw_auth_times_t;


/*
 * Chooses the issuer whose keys may verify a token.
 *
 *     issuers  ngx_http_gw_auth_issuer_t *, at least one
 *     token    verified or not
 *     issuer   out: on NGX_OK
 *     reason   out: on NGX_DECLINED
 *
 * Returns NGX_OK; NGX_DECLINED: "iss" is not that of any of them.  What an
 * unverified token says decides only which keys it has to be verified with.
 */

ngx_int_t ngx_http_gw_auth_find_issuer(ngx_array_t *issuers,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_issuer_t **issuer,
    gw_reason_e *reason);


/*
 * Decides whether a verified token is good now and here: dates, "iss", "aud",
 * "typ" and the claims that its issuer has to send.
 *
 *     times   of the location
 *     reason  out: otherwise
 *
 * Returns NGX_OK, NGX_DECLINED, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_check_claims(ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_times_t *times, ngx_http_gw_auth_token_t *token,
    gw_reason_e *reason);


#endif /* NGX_HTTP_GW_AUTH_ISSUER_H */
