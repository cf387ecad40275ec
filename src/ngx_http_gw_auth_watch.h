
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Key files at run time.  There are no timers: a file is looked at by a
 * request, when the last look of this worker is long enough ago.
 */


#ifndef NGX_HTTP_GW_AUTH_WATCH_H
#define NGX_HTTP_GW_AUTH_WATCH_H


#include "ngx_http_gw_auth_keys.h"


/* files with variables in their names, of all sources, in a worker */
#define NGX_HTTP_GW_AUTH_MAX_CHOSEN  128


/*
 * Finds the keys of a file for a request.
 *
 *     keys  not requested
 *     set   out: on NGX_OK
 *
 * Returns NGX_OK; NGX_DECLINED: there is no file of that name; NGX_BUSY: there
 * is one, but it cannot be used (logged); NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_watch_get(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    const gw_jwk_set_t **set);

/*
 * Frees what a worker has read.
 */

void ngx_http_gw_auth_watch_free(ngx_http_gw_auth_watch_t *watch);


#endif /* NGX_HTTP_GW_AUTH_WATCH_H */
