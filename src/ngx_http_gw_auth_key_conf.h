
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The directives that name sources of keys, in a location and in an issuer's
 * block.
 */


#ifndef NGX_HTTP_GW_AUTH_KEY_CONF_H
#define NGX_HTTP_GW_AUTH_KEY_CONF_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_keys.h"


#define NGX_HTTP_GW_AUTH_MAX_SOURCES     16             /* of one location */
#define NGX_HTTP_GW_AUTH_REFRESH         600000         /* msec */
#define NGX_HTTP_GW_AUTH_COOLDOWN        30000          /* msec */
#define NGX_HTTP_GW_AUTH_MAX_STALE       86400000       /* msec */
#define NGX_HTTP_GW_AUTH_WATCH           10000          /* msec, a default */


/*
 * Read "gw_jwt_key_file file [jwks | pem] [watch=time]" and
 * "gw_jwt_key_request uri [jwks]" in cf->args, whatever the
 * directive is called, and add the source.
 *
 *     keys  ngx_http_gw_auth_keys_t *; created when it is NULL or
 *           NGX_CONF_UNSET_PTR
 *
 * Return what a handler of a directive returns.
 */

char *ngx_http_gw_auth_key_file(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_array_t **keys);
char *ngx_http_gw_auth_key_request(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_array_t **keys);

/*
 * Reads "key format text" of an issuer's block, and adds the keys.
 *
 *     owner  name of the issuer, for messages
 */

char *ngx_http_gw_auth_key_inline(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_array_t **keys, ngx_str_t *owner);

/*
 * Reads "gw_jwt_key_cache time [cooldown=time] [max_stale=time]".
 *
 *     cache  out; NULL or NGX_CONF_UNSET_PTR before
 */

char *ngx_http_gw_auth_key_cache(ngx_conf_t *cf,
    ngx_http_gw_auth_key_cache_t **cache);

/*
 * Gives the requested sets among sources their settings, when all directives
 * of the location or issuer have been read.
 *
 *     keys   sources, which may be those of another level as well
 *     cache  of this level, or NULL for the default
 *
 * Returns sources with settings: keys itself if nothing in it is requested;
 * NULL when memory ran out.
 */

ngx_array_t *ngx_http_gw_auth_key_settle(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_array_t *keys,
    const ngx_http_gw_auth_key_cache_t *cache);

/*
 * Checks the keys of an issuer together, as far as they are known when the
 * configuration is read.
 *
 * Refused: a file without a key for any allowed algorithm, the same key ID
 * twice, and secrets beside public keys unless both are named.
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_auth_check_keys(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer);


#endif /* NGX_HTTP_GW_AUTH_KEY_CONF_H */
