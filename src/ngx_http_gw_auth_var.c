
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_check.h"
#include "ngx_http_gw_auth_conf.h"
#include "ngx_http_gw_auth_cred.h"
#include "ngx_http_gw_auth_identity.h"
#include "ngx_http_gw_auth_reason.h"
#include "ngx_http_gw_auth_var.h"


static ngx_int_t ngx_http_gw_auth_set_variable_claim(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_http_gw_auth_claim_var_t *var);
static ngx_int_t ngx_http_gw_auth_set_variable(ngx_http_variable_value_t *v,
    ngx_int_t rc, ngx_str_t *value);


ngx_int_t
ngx_http_gw_auth_get_value(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    if (ctx == NULL || ctx->id == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    rc = ngx_http_gw_auth_identity_value(r->pool, ctx->id, data, &value);

    return ngx_http_gw_auth_set_variable(v, rc, &value);
}


ngx_int_t
ngx_http_gw_auth_get_meta(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t  rc;
    ngx_str_t  meta, value, *name;

    if (ctx == NULL || ctx->id == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    name = (ngx_str_t *) data;

    meta.len = name->len - (sizeof("gw_consumer_meta_") - 1);
    meta.data = name->data + sizeof("gw_consumer_meta_") - 1;

    rc = ngx_http_gw_auth_identity_meta(ctx->id, &meta, &value);

    return ngx_http_gw_auth_set_variable(v, rc, &value);
}


ngx_int_t
ngx_http_gw_auth_get_claim(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                     *name;
    gw_claim_name_t                claim;
    ngx_http_gw_auth_claim_var_t   var;

    name = (ngx_str_t *) data;

    claim.len = name->len - (sizeof("gw_jwt_claim_") - 1);
    claim.data = (char *) name->data + sizeof("gw_jwt_claim_") - 1;

    var.names = &claim;
    var.n = 1;
    var.header = 0;

    return ngx_http_gw_auth_set_variable_claim(r, ctx, v, &var);
}


ngx_int_t
ngx_http_gw_auth_get_header(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                     *name;
    gw_claim_name_t                claim;
    ngx_http_gw_auth_claim_var_t   var;

    name = (ngx_str_t *) data;

    claim.len = name->len - (sizeof("gw_jwt_header_") - 1);
    claim.data = (char *) name->data + sizeof("gw_jwt_header_") - 1;

    var.names = &claim;
    var.n = 1;
    var.header = 1;

    return ngx_http_gw_auth_set_variable_claim(r, ctx, v, &var);
}


ngx_int_t
ngx_http_gw_auth_get_named(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_auth_claim_var_t  *var;

    var = (ngx_http_gw_auth_claim_var_t *) data;

    return ngx_http_gw_auth_set_variable_claim(r, ctx, v, var);
}


static ngx_int_t
ngx_http_gw_auth_set_variable_claim(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v,
    ngx_http_gw_auth_claim_var_t *var)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    if (ctx == NULL || ctx->id == NULL || !ctx->id->has_jwt) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (var->header) {
        rc = ngx_http_gw_auth_identity_header(r->pool, ctx->id, var->names,
                                              var->n, &value);
    } else {
        rc = ngx_http_gw_auth_identity_claim(r->pool, ctx->id, var->names,
                                             var->n, &value);
    }

    return ngx_http_gw_auth_set_variable(v, rc, &value);
}


static ngx_int_t
ngx_http_gw_auth_set_variable(ngx_http_variable_value_t *v, ngx_int_t rc,
    ngx_str_t *value)
{
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = value->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = value->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_get_result(ngx_http_request_t *r,
    ngx_http_gw_auth_ctx_t *ctx, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t    value;
    const char  *text;

    if (ctx == NULL || ctx->policy == NULL) {
        text = "-";

    } else if (data == NGX_HTTP_GW_AUTH_VAR_STATUS) {
        text = ngx_http_gw_auth_status_text(ctx->reason, ctx->dry);

    } else if (data == NGX_HTTP_GW_AUTH_VAR_REASON) {
        text = ngx_http_gw_auth_reason_text(ctx->reason);

    } else if (data == NGX_HTTP_GW_AUTH_VAR_CACHE) {
        text = ngx_http_gw_auth_cache_text(ctx->cache);

    } else {
        text = ngx_http_gw_auth_method_text(ctx->methods);
    }

    value.len = ngx_strlen(text);
    value.data = (u_char *) text;

    return ngx_http_gw_auth_set_variable(v, NGX_OK, &value);
}


ngx_int_t
ngx_http_gw_auth_get_uri(ngx_http_request_t *r,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_variable_value_t *v)
{
    ngx_str_t  value;

    if (ngx_http_gw_auth_redact(r->pool, &gmcf->args, &r->unparsed_uri, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_set_variable(v, NGX_OK, &value);
}
