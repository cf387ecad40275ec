
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Who signs tokens, with which keys, and what its tokens have to say.  A
 * location without "issuer=" has one without a name, made of its own
 * directives.
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
    unsigned         named:1;         /* algorithms: by the configuration */
} ngx_http_gw_auth_issuer_t;


/*
 * Chooses the issuer whose keys may verify a token.
 *
 *     issuers  ngx_http_gw_auth_issuer_t *, at least one
 *     token    not yet verified
 *     issuer   out: on NGX_OK
 *     reason   out: on NGX_DECLINED
 *
 * Returns NGX_OK or NGX_DECLINED.  What an unverified token says decides only
 * which keys it has to be verified with.
 */

ngx_int_t ngx_http_gw_auth_find_issuer(ngx_array_t *issuers,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_issuer_t **issuer,
    gw_reason_e *reason);


#endif /* NGX_HTTP_GW_AUTH_ISSUER_H */
