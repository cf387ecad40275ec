
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Who the client is, once its credentials have been verified.
 */


#ifndef NGX_HTTP_GW_AUTH_IDENTITY_H
#define NGX_HTTP_GW_AUTH_IDENTITY_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_apikey.h"
#include "gw_claim.h"
#include "gw_json.h"
#include "gw_scope.h"
#include "ngx_http_gw_auth_issuer.h"
#include "ngx_http_gw_auth_token.h"


typedef struct {
    ngx_http_gw_auth_token_t   *token;      /* a reference of ours */
    ngx_http_gw_auth_issuer_t  *issuer;     /* of the token */
    const gw_apikey_t          *key;        /* NULL without a verified key */
    unsigned                    has_jwt:1;  /* the token is verified */
} ngx_http_gw_auth_identity_t;


typedef enum {
    NGX_HTTP_GW_AUTH_CONSUMER = 0,
    NGX_HTTP_GW_AUTH_PLAN,
    NGX_HTTP_GW_AUTH_GROUPS,
    NGX_HTTP_GW_AUTH_CREDENTIAL_ID,
    NGX_HTTP_GW_AUTH_SCOPE,
    NGX_HTTP_GW_AUTH_PAYLOAD,
    NGX_HTTP_GW_AUTH_ISSUER,
    NGX_HTTP_GW_AUTH_KID,
    NGX_HTTP_GW_AUTH_ALG,
    NGX_HTTP_GW_AUTH_EXP_IN
} ngx_http_gw_auth_value_e;


/*
 * Makes an identity of nobody.  It is never freed before the pool: variables,
 * and what scripts have made of them, point into it.
 *
 * Returns NULL when memory ran out.
 */

ngx_http_gw_auth_identity_t *ngx_http_gw_auth_identity_create(
    ngx_pool_t *pool);


/*
 * Collect what somebody was granted, and the groups of a consumer: those of
 * the token as its issuer says, or those of the key.
 *
 *     set  out: on NGX_OK, empty if there is nothing; lives as long as the
 *          identity
 *
 * Return NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_identity_scopes(ngx_http_gw_auth_identity_t *id,
    gw_scope_set_t *set);
ngx_int_t ngx_http_gw_auth_identity_groups(ngx_http_gw_auth_identity_t *id,
    gw_scope_set_t *set);


/*
 * The functions below write a value as text.
 *
 *     value  out: the text; not copied where that is possible, it lives as
 *            long as the identity
 *
 * They return NGX_OK; NGX_DECLINED if there is no such value, or if it holds
 * a control character: it could end a header it is written into; NGX_ERROR
 * when memory ran out.
 */

/* a key says more of the consumer than a token: plan, groups */

ngx_int_t ngx_http_gw_auth_identity_value(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_http_gw_auth_value_e which,
    ngx_str_t *value);

/* meta.<name>= of an API key */

ngx_int_t ngx_http_gw_auth_identity_meta(ngx_http_gw_auth_identity_t *id,
    ngx_str_t *name, ngx_str_t *value);

/* a claim, or a member of the header, by a sequence of names */

ngx_int_t ngx_http_gw_auth_identity_claim(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, const gw_claim_name_t *names,
    ngx_uint_t n, ngx_str_t *value);
ngx_int_t ngx_http_gw_auth_identity_header(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, const gw_claim_name_t *names,
    ngx_uint_t n, ngx_str_t *value);


#endif /* NGX_HTTP_GW_AUTH_IDENTITY_H */
