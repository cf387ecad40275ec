
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What "nginx -t" warns of that no directive shows alone: keys that are
 * fetched in a way in which others can replace them.
 */


#ifndef NGX_HTTP_GW_AUTH_LINT_H
#define NGX_HTTP_GW_AUTH_LINT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* what is seen while locations are merged; lives in cf->temp_pool */

typedef struct {
    ngx_array_t    places;      /* ngx_http_gw_auth_place_t */
    ngx_array_t    fetches;     /* ngx_http_gw_auth_need_t */
} ngx_http_gw_auth_lint_t;


/*
 * Prepares the lists.  Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_lint_init(ngx_conf_t *cf,
    ngx_http_gw_auth_lint_t *lint);

/*
 * Remembers the location that is merged, which cf->ctx is for, and the sets
 * that it requests.
 *
 *     issuers  ngx_http_gw_auth_issuer_t *, NULL: it has none
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_lint_location(ngx_conf_t *cf,
    ngx_http_gw_auth_lint_t *lint, ngx_array_t *issuers);

/*
 * Warns, once for each location that is used without TLS to fetch keys from
 * another host.
 */

void ngx_http_gw_auth_lint_check(ngx_conf_t *cf,
    ngx_http_gw_auth_lint_t *lint);


#endif /* NGX_HTTP_GW_AUTH_LINT_H */
