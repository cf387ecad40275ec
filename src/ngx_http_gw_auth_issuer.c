
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_issuer.h"


ngx_int_t
ngx_http_gw_auth_find_issuer(ngx_array_t *issuers,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_issuer_t **issuer,
    gw_reason_e *reason)
{
    ngx_http_gw_auth_issuer_t  **is;

    is = issuers->elts;

    *issuer = is[0];

    return NGX_OK;
}
