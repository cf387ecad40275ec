
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_issuer.h"
#include "ngx_http_gw_auth_keys.h"
#include "ngx_http_gw_auth_lint.h"


typedef struct {
    ngx_http_core_srv_conf_t     *server;
    ngx_str_t                     name;
    ngx_http_upstream_conf_t     *upstream;    /* of proxy_pass, or NULL */
    unsigned                      exact:1;
    unsigned                      told:1;
} ngx_http_gw_auth_place_t;


typedef struct {
    ngx_http_core_srv_conf_t     *server;
    ngx_str_t                     uri;
} ngx_http_gw_auth_need_t;


static ngx_http_upstream_conf_t *ngx_http_gw_auth_lint_upstream(
    ngx_conf_t *cf);
static ngx_http_gw_auth_place_t *ngx_http_gw_auth_lint_find(
    ngx_http_gw_auth_lint_t *lint, ngx_http_gw_auth_need_t *need);
static ngx_uint_t ngx_http_gw_auth_lint_plain(
    ngx_http_upstream_conf_t *conf);
static ngx_uint_t ngx_http_gw_auth_lint_local(struct sockaddr *sockaddr);


ngx_int_t
ngx_http_gw_auth_lint_init(ngx_conf_t *cf, ngx_http_gw_auth_lint_t *lint)
{
    if (ngx_array_init(&lint->places, cf->temp_pool, 16,
                       sizeof(ngx_http_gw_auth_place_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_array_init(&lint->fetches, cf->temp_pool, 4,
                          sizeof(ngx_http_gw_auth_need_t));
}


ngx_int_t
ngx_http_gw_auth_lint_location(ngx_conf_t *cf, ngx_http_gw_auth_lint_t *lint,
    ngx_array_t *issuers)
{
    ngx_uint_t                    i, n;
    ngx_http_gw_auth_keys_t     **keys;
    ngx_http_gw_auth_need_t      *need;
    ngx_http_gw_auth_place_t     *place;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_core_srv_conf_t     *cscf;
    ngx_http_gw_auth_issuer_t   **issuer;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if (clcf->name.len
        && !clcf->noname
        && !clcf->named
#if (NGX_PCRE)
        && clcf->regex == NULL
#endif
        )
    {
        place = ngx_array_push(&lint->places);
        if (place == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(place, sizeof(ngx_http_gw_auth_place_t));

        place->server = cscf;
        place->name = clcf->name;
        place->exact = clcf->exact_match;
        place->upstream = ngx_http_gw_auth_lint_upstream(cf);
    }

    issuer = issuers ? issuers->elts : NULL;

    for (i = 0; issuers && i < issuers->nelts; i++) {
        keys = issuer[i]->keys->elts;

        for (n = 0; n < issuer[i]->keys->nelts; n++) {

            if (!keys[n]->request || keys[n]->value) {
                continue;
            }

            need = ngx_array_push(&lint->fetches);
            if (need == NULL) {
                return NGX_ERROR;
            }

            need->server = cscf;
            need->uri = keys[n]->name;
        }
    }

    return NGX_OK;
}


/*
 * The configuration of every module that passes requests on begins with that
 * of its upstream; variables in proxy_pass leave nothing to look at.
 */

static ngx_http_upstream_conf_t *
ngx_http_gw_auth_lint_upstream(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_module_t              **modules;
    ngx_http_conf_ctx_t        *ctx;
    ngx_http_upstream_conf_t   *conf;

    ctx = cf->ctx;
    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (modules[i]->type != NGX_HTTP_MODULE
            || ngx_strcmp(modules[i]->name, "ngx_http_proxy_module") != 0)
        {
            continue;
        }

        conf = ctx->loc_conf[modules[i]->ctx_index];

        return (conf && conf->upstream) ? conf : NULL;
    }

    return NULL;
}


void
ngx_http_gw_auth_lint_check(ngx_conf_t *cf, ngx_http_gw_auth_lint_t *lint)
{
    ngx_uint_t                 i;
    ngx_http_gw_auth_need_t   *need;
    ngx_http_gw_auth_place_t  *place;

    need = lint->fetches.elts;

    for (i = 0; i < lint->fetches.nelts; i++) {

        place = ngx_http_gw_auth_lint_find(lint, &need[i]);

        if (place == NULL
            || place->told
            || place->upstream == NULL
            || !ngx_http_gw_auth_lint_plain(place->upstream))
        {
            continue;
        }

        place->told = 1;

        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "the keys of \"%V\" come from \"%V\" without TLS, who "
                      "is on the way can replace them, use \"proxy_pass "
                      "https://...\" and \"proxy_ssl_verify on\" in location "
                      "\"%V\"", &need[i].uri,
                      &place->upstream->upstream->host, &place->name);
    }
}


/* regular expressions are not looked at: they rarely lead to keys */

static ngx_http_gw_auth_place_t *
ngx_http_gw_auth_lint_find(ngx_http_gw_auth_lint_t *lint,
    ngx_http_gw_auth_need_t *need)
{
    size_t                     len;
    u_char                    *p;
    ngx_uint_t                 i;
    ngx_http_gw_auth_place_t  *place, *best;

    len = need->uri.len;

    p = ngx_strlchr(need->uri.data, need->uri.data + len, '?');

    if (p) {
        len = p - need->uri.data;
    }

    best = NULL;
    place = lint->places.elts;

    for (i = 0; i < lint->places.nelts; i++) {

        if (place[i].server != need->server
            || place[i].name.len > len
            || ngx_strncmp(place[i].name.data, need->uri.data,
                           place[i].name.len)
               != 0)
        {
            continue;
        }

        if (place[i].exact) {

            if (place[i].name.len == len) {
                return &place[i];
            }

            continue;
        }

        if (best == NULL || place[i].name.len > best->name.len) {
            best = &place[i];
        }
    }

    return best;
}


/* Returns 1 if it is certain that another host is asked without TLS. */

static ngx_uint_t
ngx_http_gw_auth_lint_plain(ngx_http_upstream_conf_t *conf)
{
    ngx_uint_t                       i, n;
    ngx_http_upstream_server_t      *server;
    ngx_http_upstream_srv_conf_t    *uscf;

    uscf = conf->upstream;

#if (NGX_HTTP_SSL)

    /* levels may share these settings, so they do not tell of a port 80 */

    if (conf->ssl && conf->ssl->ctx && uscf->port != 80) {
        return 0;
    }

#endif

    if (uscf->servers == NULL) {
        return 0;
    }

    server = uscf->servers->elts;

    for (i = 0; i < uscf->servers->nelts; i++) {
        for (n = 0; n < server[i].naddrs; n++) {

            if (!ngx_http_gw_auth_lint_local(server[i].addrs[n].sockaddr)) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_gw_auth_lint_local(struct sockaddr *sockaddr)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sockaddr;

        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sockaddr;

        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr) ? 1 : 0;

#endif

    default: /* AF_UNIX */
        return 1;
    }
}
