
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What is known of a token before its signature is verified: both levels of
 * the cache, under the policy of one location.
 */


#ifndef NGX_HTTP_GW_AUTH_KNOWN_H
#define NGX_HTTP_GW_AUTH_KNOWN_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_conf.h"
#include "ngx_http_gw_auth_identity.h"
#include "ngx_http_gw_auth_keys.h"


/*
 * Looks for a token among those that this worker has parsed.
 *
 *     alcf    its cache is on, it has issuers
 *     flags   as for ngx_http_gw_auth_keys_get()
 *     id      out: the token and its issuer, on NGX_OK
 *
 * Returns NGX_OK: one of the keys that may verify it here has done so;
 * NGX_DECLINED: not known; anything else as ngx_http_gw_auth_choose().
 */

ngx_int_t ngx_http_gw_auth_cached(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_uint_t flags, ngx_http_gw_auth_identity_t *id, ngx_str_t *text,
    gw_reason_e *reason);


/*
 * Returns the algorithms that are allowed for tokens of an issuer in a
 * location.
 */

gw_alg_mask_t ngx_http_gw_auth_allowed(ngx_http_gw_auth_loc_conf_t *alcf,
    ngx_http_gw_auth_issuer_t *issuer);


/*
 * Looks for a token among those that any worker has verified.
 *
 *     alcf    its cache is on
 *     cand    the keys that may verify it here
 *
 * Returns NGX_OK: one of them has done so, it is in token->thumbprint;
 * NGX_DECLINED: not known.
 */

ngx_int_t ngx_http_gw_auth_known(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_token_t *token,
    ngx_http_gw_auth_candidates_t *cand);


/*
 * Keeps a token that is verified, parsed and acceptable.
 *
 *     alcf    its cache is on
 *     known   ngx_http_gw_auth_known() has found it
 */

void ngx_http_gw_auth_keep(ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_identity_t *id,
    ngx_uint_t known, ngx_log_t *log);


#endif /* NGX_HTTP_GW_AUTH_KNOWN_H */
