
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Requested key sets in a worker: what it has parsed, and the requests that
 * wait for a fetch.
 */


#ifndef NGX_HTTP_GW_AUTH_REMOTE_H
#define NGX_HTTP_GW_AUTH_REMOTE_H


#include "ngx_http_gw_auth_keys.h"


#define NGX_HTTP_GW_AUTH_WAIT       10000    /* msec, a request for its keys */
#define NGX_HTTP_GW_AUTH_POLL       20       /* msec, then longer */
#define NGX_HTTP_GW_AUTH_MAX_POLL   100      /* msec */


/* places of counters */

#define NGX_HTTP_GW_AUTH_FETCH_OK         0
#define NGX_HTTP_GW_AUTH_FETCH_UNCHANGED  1
#define NGX_HTTP_GW_AUTH_FETCH_REFUSED    2
#define NGX_HTTP_GW_AUTH_FETCH_FAILED     3
#define NGX_HTTP_GW_AUTH_FETCH_AGAIN      4
#define NGX_HTTP_GW_AUTH_FETCH_STALE      5
#define NGX_HTTP_GW_AUTH_FETCH_COUNTERS   6


/*
 * As ngx_http_gw_auth_keys_get(), of a requested set.
 */

ngx_int_t ngx_http_gw_auth_remote_get(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_uint_t flags, const gw_jwk_set_t **set);

/*
 * As ngx_http_gw_auth_keys_refresh(), of a requested set.
 */

ngx_int_t ngx_http_gw_auth_remote_refresh(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys);

/*
 * Frees what a worker has parsed.
 */

void ngx_http_gw_auth_remote_free(ngx_http_gw_auth_remote_t *remote);


#endif /* NGX_HTTP_GW_AUTH_REMOTE_H */
