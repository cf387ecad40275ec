
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Files with the keys that verify tokens.  A file is read once a cycle,
 * whatever the number of locations that name it.
 */


#ifndef NGX_HTTP_GW_AUTH_KEYS_H
#define NGX_HTTP_GW_AUTH_KEYS_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_jwk.h"
#include "gw_jws.h"
#include "ngx_http_gw_auth_issuer.h"
#include "ngx_http_gw_auth_token.h"


typedef struct {
    ngx_str_t           name;        /* full */
    gw_jwk_format_e     format;
    gw_jwk_set_t       *set;
} ngx_http_gw_auth_keys_t;


/* keys that may verify one token; valid until a set is replaced */

typedef struct {
    const gw_jwk_t     *keys[GW_JWK_MAX_TRIES];
    ngx_uint_t          n;
} ngx_http_gw_auth_candidates_t;


/*
 * Reads a key file, or finds it among those that have been read.
 *
 *     files   ngx_http_gw_auth_keys_t *; gets what was read
 *     name    as written, relative to the configuration
 *     format  of its text
 *     hash    used during the call only
 *
 * Returns the keys, which are freed with cf->pool, or NULL (logged).
 */

ngx_http_gw_auth_keys_t *ngx_http_gw_auth_read_keys(ngx_conf_t *cf,
    ngx_array_t *files, ngx_str_t *name, gw_jwk_format_e format,
    gw_hash_t *hash);


/*
 * Parses keys that stand in the configuration itself.
 *
 *     issuer  its name, for messages
 *     text    of the keys
 *
 * Returns the keys, which are freed with cf->pool, or NULL (logged).
 */

ngx_http_gw_auth_keys_t *ngx_http_gw_auth_inline_keys(ngx_conf_t *cf,
    ngx_str_t *issuer, ngx_str_t *text, gw_jwk_format_e format,
    gw_hash_t *hash);


/*
 * Checks the keys of an issuer together.
 *
 * Refused: a file without a key for any allowed algorithm, the same key ID
 * twice, and secrets beside public keys unless both are named.
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_auth_check_keys(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer);


/*
 * Chooses the keys of an issuer that may verify a token, at most
 * GW_JWK_MAX_TRIES.
 *
 *     allowed  algorithms, of those of the issuer
 *     cand     out: on NGX_OK
 *     reason   out: on NGX_DECLINED, as gw_jws_choose()
 *
 * Returns NGX_OK, with one key or more, or NGX_DECLINED.
 */

ngx_int_t ngx_http_gw_auth_choose(ngx_http_gw_auth_issuer_t *issuer,
    gw_alg_mask_t allowed, ngx_http_gw_auth_token_t *token,
    ngx_http_gw_auth_candidates_t *cand, gw_reason_e *reason);


/*
 * Verifies the signature of a token with the keys that were chosen for it,
 * and keeps the thumbprint of the key that did it in the token.
 *
 *     reason   out: unless NGX_OK
 *
 * Returns NGX_OK, NGX_DECLINED (GW_REASON_SIG) or NGX_ERROR
 * (GW_REASON_MEMORY).
 */

ngx_int_t ngx_http_gw_auth_verify(gw_jws_ctx_t *ctx,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_candidates_t *cand,
    gw_reason_e *reason);


#endif /* NGX_HTTP_GW_AUTH_KEYS_H */
