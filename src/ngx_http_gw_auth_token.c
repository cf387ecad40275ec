
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_token.h"


ngx_int_t
ngx_http_gw_auth_token_create(gw_jws_ctx_t *ctx, ngx_str_t *text, size_t max,
    ngx_log_t *log, ngx_http_gw_auth_token_t **token, gw_reason_e *reason)
{
    size_t                     size;
    u_char                    *p;
    gw_status_e                status;
    ngx_http_gw_auth_token_t  *t;

    /* before anything is copied */

    if (text->len > max) {
        *reason = GW_REASON_SIZE;
        return NGX_DECLINED;
    }

    size = sizeof(ngx_http_gw_auth_token_t) + text->len
           + gw_jws_buffer_size(text->len);

    t = ngx_alloc(size, log);
    if (t == NULL) {
        *reason = GW_REASON_MEMORY;
        return NGX_ERROR;
    }

    ngx_memzero(t, sizeof(ngx_http_gw_auth_token_t));

    p = (u_char *) t + sizeof(ngx_http_gw_auth_token_t);

    t->refs = 1;
    t->size = size;
    t->text.len = text->len;
    t->text.data = p;

    p = ngx_cpymem(p, text->data, text->len);

    status = gw_jws_parse(ctx, &t->jws, t->text.data, t->text.len, max, p,
                          reason);

    if (status != GW_OK) {
        ngx_free(t);
        return (status == GW_ERROR) ? NGX_ERROR : NGX_DECLINED;
    }

    *token = t;

    return NGX_OK;
}


void
ngx_http_gw_auth_token_free(ngx_http_gw_auth_token_t *token)
{
    if (token == NULL || --token->refs) {
        return;
    }

    gw_jwt_release(&token->jwt);
    gw_jws_release(&token->jws);

    ngx_free(token);
}
