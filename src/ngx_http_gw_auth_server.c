
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_server.h"


static ngx_int_t ngx_http_gw_auth_server_text(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, ngx_array_t *text);
static ngx_int_t ngx_http_gw_auth_server_add(ngx_array_t *text,
    ngx_str_t *s);


ngx_int_t
ngx_http_gw_auth_server_init(ngx_conf_t *cf, gw_hash_t *hash,
    ngx_module_t *module)
{
    ngx_uint_t                   i;
    ngx_array_t                  text;
    ngx_http_core_srv_conf_t   **cscf;
    ngx_http_core_main_conf_t   *cmcf;
    ngx_http_gw_auth_server_t   *server;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        if (ngx_array_init(&text, cf->temp_pool, 256, 1) != NGX_OK
            || ngx_http_gw_auth_server_text(cf, cscf[i], &text) != NGX_OK)
        {
            return NGX_ERROR;
        }

        server = cscf[i]->ctx->srv_conf[module->ctx_index];

        if (gw_hash_digest(hash, GW_HASH_SHA256, text.elts, text.nelts,
                           server->id)
            != GW_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_server_text(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    ngx_array_t *text)
{
    ngx_uint_t                   i, n, k;
    ngx_http_conf_addr_t        *addr;
    ngx_http_conf_port_t        *port;
    ngx_http_server_name_t      *name;
    ngx_http_core_srv_conf_t   **server;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    name = cscf->server_names.elts;

    for (i = 0; i < cscf->server_names.nelts; i++) {
        if (ngx_http_gw_auth_server_add(text, &name[i].name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (cmcf->ports == NULL) {
        return NGX_OK;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {
        addr = port[i].addrs.elts;

        for (n = 0; n < port[i].addrs.nelts; n++) {
            server = addr[n].servers.elts;

            for (k = 0; k < addr[n].servers.nelts; k++) {
                if (server[k] == cscf
                    && ngx_http_gw_auth_server_add(text,
                                                   &addr[n].opt.addr_text)
                       != NGX_OK)
                {
                    return NGX_ERROR;
                }
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_server_add(ngx_array_t *text, ngx_str_t *s)
{
    u_char  *p;

    p = ngx_array_push_n(text, s->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(p, s->data, s->len);
    *p = '\0';

    return NGX_OK;
}
