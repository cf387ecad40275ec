
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_claim_path.h"
#include "ngx_http_gw_auth_identity.h"


/* bytes of the digest in $gw_credential_id: enough to find a line */
#define NGX_HTTP_GW_AUTH_ID_LEN  6

#define NGX_HTTP_GW_AUTH_TEXT_LEN  256    /* bytes, first try */


static void ngx_http_gw_auth_free_identity(void *data);
static ngx_int_t ngx_http_gw_auth_consumer(ngx_http_gw_auth_identity_t *id,
    ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_consumer_path(gw_jwt_t *jwt,
    const gw_claim_path_t *path, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_groups(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_credential_id(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_scope(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_set_text(ngx_pool_t *pool,
    const gw_scope_set_t *set, u_char separator, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_payload(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_exp_in(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_member(ngx_pool_t *pool,
    const json_t *object, const gw_claim_name_t *names, ngx_uint_t n,
    ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_string_claim(const gw_jwt_t *jwt,
    const char *name, size_t len, ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_text(const gw_apikey_text_t *text,
    ngx_str_t *value);
static ngx_int_t ngx_http_gw_auth_safe(ngx_str_t *value);


/* who asked for the token comes before whom it speaks of */

static const gw_claim_name_t  ngx_http_gw_auth_consumer_claims[] = {
    { "client_id", sizeof("client_id") - 1 },
    { "azp", sizeof("azp") - 1 },
    { "sub", sizeof("sub") - 1 },
    { NULL, 0 }
};


ngx_http_gw_auth_identity_t *
ngx_http_gw_auth_identity_create(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_gw_auth_identity_t  *id;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_gw_auth_identity_t));
    if (cln == NULL) {
        return NULL;
    }

    id = cln->data;
    ngx_memzero(id, sizeof(ngx_http_gw_auth_identity_t));

    cln->handler = ngx_http_gw_auth_free_identity;

    return id;
}


static void
ngx_http_gw_auth_free_identity(void *data)
{
    ngx_http_gw_auth_identity_t  *id = data;

    ngx_http_gw_auth_token_free(id->token);
}


ngx_int_t
ngx_http_gw_auth_identity_value(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_http_gw_auth_value_e which,
    ngx_str_t *value)
{
    ngx_int_t  rc;

    switch (which) {

    case NGX_HTTP_GW_AUTH_CONSUMER:
        rc = ngx_http_gw_auth_consumer(id, value);
        break;

    case NGX_HTTP_GW_AUTH_PLAN:
        rc = id->key ? ngx_http_gw_auth_text(&id->key->plan, value)
                     : NGX_DECLINED;
        break;

    case NGX_HTTP_GW_AUTH_GROUPS:
        rc = ngx_http_gw_auth_groups(pool, id, value);
        break;

    case NGX_HTTP_GW_AUTH_CREDENTIAL_ID:
        rc = ngx_http_gw_auth_credential_id(pool, id, value);
        break;

    case NGX_HTTP_GW_AUTH_SCOPE:
        rc = ngx_http_gw_auth_scope(pool, id, value);
        break;

    default:

        if (!id->has_jwt) {
            return NGX_DECLINED;
        }

        rc = NGX_OK;

        switch (which) {

        case NGX_HTTP_GW_AUTH_PAYLOAD:
            rc = ngx_http_gw_auth_payload(pool, id, value);
            break;

        case NGX_HTTP_GW_AUTH_ISSUER:
            *value = id->issuer->name;
            rc = value->len ? NGX_OK : NGX_DECLINED;
            break;

        case NGX_HTTP_GW_AUTH_KID:
            value->len = id->token->jws.kid_len;
            value->data = (u_char *) id->token->jws.kid;
            rc = id->token->jws.kid ? NGX_OK : NGX_DECLINED;
            break;

        case NGX_HTTP_GW_AUTH_ALG:
            value->data = (u_char *) gw_alg_name(id->token->jws.alg);
            value->len = ngx_strlen(value->data);
            break;

        default: /* NGX_HTTP_GW_AUTH_EXP_IN */
            rc = ngx_http_gw_auth_exp_in(pool, id, value);
            break;
        }
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_gw_auth_safe(value);
}


static ngx_int_t
ngx_http_gw_auth_consumer(ngx_http_gw_auth_identity_t *id, ngx_str_t *value)
{
    gw_jwt_t               *jwt;
    ngx_int_t               rc;
    ngx_uint_t              i;
    gw_claim_path_t        *path;
    const gw_claim_name_t  *name;

    if (id->key) {
        return ngx_http_gw_auth_text(&id->key->consumer, value);
    }

    if (!id->has_jwt) {
        return NGX_DECLINED;
    }

    jwt = &id->token->jwt;

    if (id->issuer->consumers == NULL) {

        for (name = ngx_http_gw_auth_consumer_claims; name->len; name++) {

            if (gw_jwt_has(jwt, name->data, name->len)) {
                return ngx_http_gw_auth_string_claim(jwt, name->data,
                                                     name->len, value);
            }
        }

        return NGX_DECLINED;
    }

    path = id->issuer->consumers->elts;

    for (i = 0; i < id->issuer->consumers->nelts; i++) {

        rc = ngx_http_gw_auth_consumer_path(jwt, &path[i], value);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/*
 * A claim of another type is not a reason to try the next one.  NGX_AGAIN:
 * there is no claim.
 */

static ngx_int_t
ngx_http_gw_auth_consumer_path(gw_jwt_t *jwt, const gw_claim_path_t *path,
    ngx_str_t *value)
{
    json_t      *claim, *claims;
    const char  *text;

    if (path->n == 1 && path->steps[0].name) {

        if (!gw_jwt_has(jwt, path->steps[0].name, path->steps[0].len)) {
            return NGX_AGAIN;
        }

        return ngx_http_gw_auth_string_claim(jwt, path->steps[0].name,
                                             path->steps[0].len, value);
    }

    claims = gw_jwt_claims(jwt);
    if (claims == NULL) {
        return NGX_ERROR;
    }

    claim = gw_claim_path_get(path, claims);

    if (claim == NULL || json_is_null(claim)) {
        return NGX_AGAIN;
    }

    text = gw_claim_string(claim, &value->len);

    if (text == NULL) {
        return NGX_DECLINED;
    }

    value->data = (u_char *) text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_groups(ngx_pool_t *pool, ngx_http_gw_auth_identity_t *id,
    ngx_str_t *value)
{
    gw_scope_set_t  set;

    if (ngx_http_gw_auth_identity_groups(id, &set) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_set_text(pool, &set, ',', value);
}


static ngx_int_t
ngx_http_gw_auth_credential_id(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, ngx_str_t *value)
{
    u_char  *p;

    if (id->key) {

        value->len = 2 * NGX_HTTP_GW_AUTH_ID_LEN;

        p = ngx_pnalloc(pool, value->len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        value->data = p;

        (void) ngx_hex_dump(p, (u_char *) id->key->digest,
                            NGX_HTTP_GW_AUTH_ID_LEN);

        return NGX_OK;
    }

    if (!id->has_jwt) {
        return NGX_DECLINED;
    }

    return ngx_http_gw_auth_string_claim(&id->token->jwt, "jti", 3, value);
}


static ngx_int_t
ngx_http_gw_auth_scope(ngx_pool_t *pool, ngx_http_gw_auth_identity_t *id,
    ngx_str_t *value)
{
    gw_scope_set_t  set;

    if (ngx_http_gw_auth_identity_scopes(id, &set) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_set_text(pool, &set, ' ', value);
}


ngx_int_t
ngx_http_gw_auth_identity_scopes(ngx_http_gw_auth_identity_t *id,
    gw_scope_set_t *set)
{
    size_t        len;
    json_t       *claims;
    const char   *text;
    ngx_array_t  *paths;

    if (id->has_jwt) {
        paths = id->issuer->scopes;

        /* what most tokens have needs no tree */

        if (paths == NULL
            && gw_jwt_text(&id->token->jwt, "scope", 5, &text, &len) == GW_OK)
        {
            gw_scope_from_text(set, text, len);
            return NGX_OK;
        }

        claims = gw_jwt_claims(&id->token->jwt);
        if (claims == NULL) {
            return NGX_ERROR;
        }

        gw_scope_from_claims(set, claims, paths ? paths->elts : NULL,
                             paths ? paths->nelts : 0);
        return NGX_OK;
    }

    if (id->key) {
        gw_scope_from_key(set, id->key->scopes.data, id->key->scopes.len);
        return NGX_OK;
    }

    gw_scope_from_key(set, NULL, 0);

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_identity_groups(ngx_http_gw_auth_identity_t *id,
    gw_scope_set_t *set)
{
    json_t  *claims;

    /* it is the key that says who the consumer is, if there is one */

    if (id->key) {
        gw_scope_from_key(set, id->key->groups.data, id->key->groups.len);
        return NGX_OK;
    }

    if (id->has_jwt && id->issuer->groups) {

        claims = gw_jwt_claims(&id->token->jwt);
        if (claims == NULL) {
            return NGX_ERROR;
        }

        gw_scope_from_claims(set, claims, id->issuer->groups->elts,
                             id->issuer->groups->nelts);
        return NGX_OK;
    }

    gw_scope_from_key(set, NULL, 0);

    return NGX_OK;
}


/* a text as it was, the strings of an array with a character between them */

static ngx_int_t
ngx_http_gw_auth_set_text(ngx_pool_t *pool, const gw_scope_set_t *set,
    u_char separator, ngx_str_t *value)
{
    u_char      *p;
    size_t       pos, size;
    gw_scope_t   scope;

    if (set->array == NULL) {
        value->len = set->len;
        value->data = (u_char *) set->data;

        return set->data ? NGX_OK : NGX_DECLINED;
    }

    pos = 0;
    size = 0;

    while (gw_scope_next(set, &pos, &scope)) {
        size += scope.len + 1;
    }

    if (size == 0) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    pos = 0;

    while (gw_scope_next(set, &pos, &scope)) {

        if (p != value->data) {
            *p++ = separator;
        }

        p = ngx_cpymem(p, scope.data, scope.len);
    }

    value->len = p - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_payload(ngx_pool_t *pool, ngx_http_gw_auth_identity_t *id,
    ngx_str_t *value)
{
    size_t   i;
    u_char  *p;

    value->len = id->token->jws.payload_len;
    value->data = (u_char *) id->token->jws.payload;

    if (ngx_http_gw_auth_safe(value) == NGX_OK) {
        return NGX_OK;
    }

    /* valid JSON has these bytes between its tokens only, as white space */

    p = ngx_pnalloc(pool, value->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        p[i] = (value->data[i] < 0x20) ? ' ' : value->data[i];
    }

    value->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_exp_in(ngx_pool_t *pool, ngx_http_gw_auth_identity_t *id,
    ngx_str_t *value)
{
    int64_t  left;

    if (!id->token->jwt.has_exp) {
        return NGX_DECLINED;
    }

    /* whole seconds; below zero within the leeway */

    left = id->token->jwt.exp / 1000000 - (int64_t) ngx_time();

    value->data = ngx_pnalloc(pool, NGX_INT64_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%L", left) - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_identity_meta(ngx_http_gw_auth_identity_t *id,
    ngx_str_t *name, ngx_str_t *value)
{
    size_t             i;
    gw_apikey_meta_t  *meta;

    if (id->key == NULL) {
        return NGX_DECLINED;
    }

    meta = id->key->meta;

    for (i = 0; i < id->key->nmeta; i++) {

        /* nginx knows names of variables in lower case only */

        if (meta[i].name.len == name->len
            && ngx_strncasecmp((u_char *) meta[i].name.data, name->data,
                               name->len)
               == 0)
        {
            if (ngx_http_gw_auth_text(&meta[i].value, value) != NGX_OK) {
                return NGX_DECLINED;
            }

            return ngx_http_gw_auth_safe(value);
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_gw_auth_identity_claim(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, const gw_claim_name_t *names,
    ngx_uint_t n, ngx_str_t *value)
{
    json_t    *claims;
    gw_jwt_t  *jwt;

    jwt = &id->token->jwt;

    if (n == 1) {

        if (!gw_jwt_has(jwt, names[0].data, names[0].len)) {
            return NGX_DECLINED;
        }

        if (ngx_http_gw_auth_string_claim(jwt, names[0].data, names[0].len,
                                          value)
            == NGX_OK)
        {
            return ngx_http_gw_auth_safe(value);
        }
    }

    claims = gw_jwt_claims(jwt);
    if (claims == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_member(pool, claims, names, n, value);
}


ngx_int_t
ngx_http_gw_auth_identity_header(ngx_pool_t *pool,
    ngx_http_gw_auth_identity_t *id, const gw_claim_name_t *names,
    ngx_uint_t n, ngx_str_t *value)
{
    return ngx_http_gw_auth_member(pool, id->token->jws.header, names, n,
                                   value);
}


static ngx_int_t
ngx_http_gw_auth_member(ngx_pool_t *pool, const json_t *object,
    const gw_claim_name_t *names, ngx_uint_t n, ngx_str_t *value)
{
    char          buf[NGX_HTTP_GW_AUTH_TEXT_LEN];
    size_t        len;
    json_t       *claim;
    const char   *text;
    gw_status_e   status;

    claim = gw_claim_get(object, names, n);

    if (claim == NULL || json_is_null(claim)) {
        return NGX_DECLINED;
    }

    text = gw_claim_string(claim, &len);

    if (text) {
        value->len = len;
        value->data = (u_char *) text;

        return ngx_http_gw_auth_safe(value);
    }

    status = gw_claim_text(claim, buf, sizeof(buf), &len);

    if (status == GW_ERROR) {
        return NGX_ERROR;
    }

    value->data = ngx_pnalloc(pool, len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = len;

    if (status == GW_OK) {
        ngx_memcpy(value->data, buf, len);

    } else if (gw_claim_text(claim, (char *) value->data, len, &len)
               != GW_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_safe(value);
}


static ngx_int_t
ngx_http_gw_auth_string_claim(const gw_jwt_t *jwt, const char *name,
    size_t len, ngx_str_t *value)
{
    const char  *text;

    if (gw_jwt_text(jwt, name, len, &text, &value->len) != GW_OK) {
        return NGX_DECLINED;
    }

    value->data = (u_char *) text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_text(const gw_apikey_text_t *text, ngx_str_t *value)
{
    if (text->data == NULL) {
        return NGX_DECLINED;
    }

    value->len = text->len;
    value->data = (u_char *) text->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_safe(ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
