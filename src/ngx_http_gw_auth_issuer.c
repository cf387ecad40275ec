
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_claim_path.h"
#include "gw_json.h"
#include "gw_jwt_peek.h"
#include "ngx_http_gw_auth_issuer.h"


static ngx_int_t ngx_http_gw_auth_check_typ(ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_token_t *token, gw_reason_e *reason);
static ngx_int_t ngx_http_gw_auth_check_audience(
    ngx_http_gw_auth_issuer_t *issuer, ngx_http_gw_auth_token_t *token);
static ngx_int_t ngx_http_gw_auth_check_names(const gw_jwt_t *jwt,
    const ngx_str_t *name);
static ngx_int_t ngx_http_gw_auth_check_paths(gw_jwt_t *jwt,
    ngx_array_t *paths, gw_reason_e *reason);


/* RFC 9068, 2.2: what a token of this type always has */

static const ngx_str_t  ngx_http_gw_auth_at_jwt_claims[] = {
    ngx_string("iss"),
    ngx_string("exp"),
    ngx_string("aud"),
    ngx_string("sub"),
    ngx_string("client_id"),
    ngx_string("iat"),
    ngx_string("jti"),
    ngx_null_string
};


ngx_int_t
ngx_http_gw_auth_find_issuer(ngx_array_t *issuers,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_issuer_t **issuer,
    gw_reason_e *reason)
{
    u_char                       buf[GW_JWT_PEEK_MAX_ISSUER];
    size_t                       len;
    ngx_uint_t                   i;
    const u_char                *iss;
    ngx_http_gw_auth_issuer_t  **is;

    is = issuers->elts;

    if (is[0]->name.len == 0) {
        *issuer = is[0];
        return NGX_OK;
    }

    *reason = GW_REASON_ISS;

    if (gw_jwt_peek_issuer(token->jws.payload, token->jws.payload_len, buf,
                           &iss, &len)
        != GW_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < issuers->nelts; i++) {

        if (is[i]->iss.len == len
            && ngx_memcmp(is[i]->iss.data, iss, len) == 0)
        {
            *issuer = is[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_gw_auth_check_claims(ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_times_t *times, ngx_http_gw_auth_token_t *token,
    gw_reason_e *reason)
{
    int64_t          now;
    ngx_time_t      *tp;
    gw_jwt_times_t   limits;

    tp = ngx_timeofday();
    now = (int64_t) tp->sec * 1000000 + tp->msec * 1000;

    limits.leeway = (int64_t) (issuer->leeway == NGX_CONF_UNSET
                               ? times->leeway : issuer->leeway) * 1000000;
    limits.max_lifetime = (int64_t) issuer->max_lifetime * 1000000;
    limits.max_age = (int64_t) issuer->max_age * 1000000;
    limits.ignore_exp = !times->validate_exp;

    if (gw_jwt_check_times(&token->jwt, &limits, now, reason) != GW_OK) {
        return NGX_DECLINED;
    }

    if (issuer->name.len == 0) {
        return NGX_OK;
    }

    /* what has chosen the issuer was read before the signature was verified */

    if (gw_jwt_issuer_is(&token->jwt, (char *) issuer->iss.data,
                         issuer->iss.len)
        != GW_OK)
    {
        *reason = GW_REASON_ISS;
        return NGX_DECLINED;
    }

    if (issuer->typs
        && ngx_http_gw_auth_check_typ(issuer, token, reason) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (issuer->audiences
        && ngx_http_gw_auth_check_audience(issuer, token) != NGX_OK)
    {
        *reason = GW_REASON_AUD;
        return NGX_DECLINED;
    }

    if (issuer->require) {
        return ngx_http_gw_auth_check_paths(&token->jwt, issuer->require,
                                            reason);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_typ(ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_token_t *token, gw_reason_e *reason)
{
    ngx_str_t   *typ;
    ngx_uint_t   i;

    typ = issuer->typs->elts;

    for (i = 0; i < issuer->typs->nelts; i++) {

        if (gw_jwt_typ_is(&token->jws, (char *) typ[i].data, typ[i].len)
            == GW_OK)
        {
            break;
        }
    }

    if (i == issuer->typs->nelts) {
        *reason = GW_REASON_TYP;
        return NGX_DECLINED;
    }

    if (gw_jwt_typ_is(&token->jws, "at+jwt", sizeof("at+jwt") - 1) == GW_OK
        && ngx_http_gw_auth_check_names(&token->jwt,
                                        ngx_http_gw_auth_at_jwt_claims)
           != NGX_OK)
    {
        *reason = GW_REASON_CLAIM;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_audience(ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_token_t *token)
{
    ngx_str_t   *aud;
    ngx_uint_t   i;

    aud = issuer->audiences->elts;

    for (i = 0; i < issuer->audiences->nelts; i++) {

        if (gw_jwt_audience_has(&token->jwt, (char *) aud[i].data, aud[i].len)
            == GW_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_auth_check_names(const gw_jwt_t *jwt, const ngx_str_t *name)
{
    for ( /* void */ ; name->len; name++) {

        if (!gw_jwt_has(jwt, (char *) name->data, name->len)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_paths(gw_jwt_t *jwt, ngx_array_t *paths,
    gw_reason_e *reason)
{
    json_t           *claims, *value;
    ngx_uint_t        i;
    gw_claim_path_t  *path;

    *reason = GW_REASON_CLAIM;
    path = paths->elts;

    for (i = 0; i < paths->nelts; i++) {

        if (path[i].n == 1 && path[i].steps[0].name) {

            if (!gw_jwt_has(jwt, path[i].steps[0].name, path[i].steps[0].len))
            {
                return NGX_DECLINED;
            }

            continue;
        }

        claims = gw_jwt_claims(jwt);
        if (claims == NULL) {
            *reason = GW_REASON_MEMORY;
            return NGX_ERROR;
        }

        value = gw_claim_path_get(&path[i], claims);

        if (value == NULL || json_is_null(value)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
