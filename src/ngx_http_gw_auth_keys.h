
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Where the keys that verify tokens come from: files, which may be watched or
 * chosen by variables, and internal locations that ask an identity provider.
 * The set of a source may be replaced between two requests of a worker.
 */


#ifndef NGX_HTTP_GW_AUTH_KEYS_H
#define NGX_HTTP_GW_AUTH_KEYS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_jwk.h"
#include "gw_jws.h"
#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_issuer.h"
#include "ngx_http_gw_auth_token.h"
#include "ngx_http_gw_auth_zone.h"
#include "ngx_http_gw_counters.h"


/* ngx_http_gw_auth_keys_get(), flags: nothing is waited for or started */
#define NGX_HTTP_GW_AUTH_NOWAIT  0x01


/* gw_jwt_key_cache, all in milliseconds */

typedef struct {
    ngx_msec_t                      refresh;
    ngx_msec_t                      cooldown;    /* between refetches */
    ngx_msec_t                      max_stale;   /* after "refresh" */
} ngx_http_gw_auth_key_cache_t;


/* a source, as configured: read-only at run time */

typedef struct {
    ngx_uint_t                      index;       /* in the keyring */
    ngx_str_t                       name;        /* full name, or the URI */
    ngx_http_complex_value_t       *value;       /* NULL: no variables */
    gw_jwk_format_e                 format;

    /* a file */
    gw_jwk_set_t                   *set;         /* NULL with variables */
    ngx_http_gw_auth_stamp_t        stamp;       /* when it was read */
    ngx_msec_t                      watch;       /* 0: not looked at again */

    /* a requested set */
    const ngx_http_gw_auth_key_cache_t  *cache;  /* NULL: not yet settled */

    unsigned                        request:1;
    unsigned                        text:1;      /* in the configuration */
} ngx_http_gw_auth_keys_t;


typedef struct ngx_http_gw_auth_watch_s   ngx_http_gw_auth_watch_t;
typedef struct ngx_http_gw_auth_remote_s  ngx_http_gw_auth_remote_t;


/* a set that was replaced: it may be in use until the next choice of keys */

typedef struct ngx_http_gw_auth_retired_s  ngx_http_gw_auth_retired_t;

struct ngx_http_gw_auth_retired_s {
    gw_jwk_set_t                   *set;
    ngx_http_gw_auth_retired_t     *next;
};


/* all sources, and what a worker knows of them; part of the main conf */

typedef struct {
    ngx_array_t                     sources;     /* ..._auth_keys_t * */
    gw_hash_t                      *hash;        /* of the worker */
    ngx_http_gw_auth_zone_t        *zone;
    ngx_http_gw_counters_t         *counters;    /* of requested sets */
    ngx_module_t                   *module;      /* of ..._auth_server_t */
    ngx_msec_t                      cycle;       /* configuration was read */

    ngx_uint_t                      generation;  /* +1 when a set changes */
    ngx_uint_t                      retry;       /* seconds, of a 503 */

    ngx_http_gw_auth_watch_t       *watch;       /* NULL before the first */
    ngx_http_gw_auth_remote_t      *remote;
    ngx_http_gw_auth_retired_t     *retired;
} ngx_http_gw_auth_keyring_t;


/* keys that may verify one token; valid until a set is replaced */

typedef struct {
    const gw_jwk_t                 *keys[GW_JWK_MAX_TRIES];
    ngx_uint_t                      n;
} ngx_http_gw_auth_candidates_t;


/*
 * Prepares the keyring of a configuration.
 *
 *     hash    of the main conf; the sets are freed with cf->pool
 *     module  whose server configuration is an ngx_http_gw_auth_server_t
 *
 * Returns NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_keyring_init(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, gw_hash_t *hash, ngx_module_t *module);

/*
 * Adds the shared memory of requested sets, when all of http{} has been read.
 *
 *     zone  of the main conf
 *
 * Returns NGX_OK or NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_keyring_share(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_zone_t *zone);

/*
 * Gives up a set that requests of this worker may just use.
 */

void ngx_http_gw_auth_keyring_retire(ngx_http_gw_auth_keyring_t *ring,
    gw_jwk_set_t *set);

/*
 * Finds the set of a source for a request.
 *
 *     flags  0 or NGX_HTTP_GW_AUTH_NOWAIT
 *     set    out: on NGX_OK; valid until the worker handles another request
 *
 * Returns NGX_OK; NGX_AGAIN: the request is parked, and its phases are run
 * again when there is news, or when it has waited long enough; NGX_BUSY: the
 * source is down and there is no set to use (ring->retry is set);
 * NGX_DECLINED: variables have chosen what does not exist; NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_keys_get(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_uint_t flags, const gw_jwk_set_t **set);

/*
 * Looks at the sources of an issuer again, because a token has an unknown key
 * ID or a bad signature.
 *
 * Returns NGX_AGAIN: parked as above, the token is to be evaluated again;
 * NGX_DECLINED: there is nothing new to learn now, or this request has
 * already done it; NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_keys_refresh(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_issuer_t *issuer);

/*
 * Chooses the keys of an issuer that may verify a token, at most
 * GW_JWK_MAX_TRIES.
 *
 *     allowed  algorithms, of those of the issuer
 *     flags    as for ngx_http_gw_auth_keys_get()
 *     cand     out: on NGX_OK
 *     reason   out: on NGX_DECLINED, as gw_jws_choose(), or
 *              GW_REASON_KEYSET
 *
 * Returns NGX_OK, with one key or more; NGX_DECLINED; NGX_AGAIN as above, also
 * when sources are looked at again; NGX_BUSY: without a source that is down
 * it cannot be told; NGX_ERROR.
 */

ngx_int_t ngx_http_gw_auth_choose(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_issuer_t *issuer,
    gw_alg_mask_t allowed, ngx_http_gw_auth_token_t *token, ngx_uint_t flags,
    ngx_http_gw_auth_candidates_t *cand, gw_reason_e *reason);

/*
 * Returns 1 if the keys of an issuer are the same for every request until the
 * configuration changes: no source has variables, is watched or requested.
 */

ngx_uint_t ngx_http_gw_auth_keys_fixed(ngx_http_gw_auth_issuer_t *issuer);


/*
 * Verifies the signature of a token with the keys that were chosen for it,
 * and keeps the thumbprint of the key that did it in the token.
 *
 *     reason   out: unless NGX_OK
 *
 * Returns NGX_OK, NGX_DECLINED (GW_REASON_SIG) or NGX_ERROR
 * (GW_REASON_MEMORY).
 */

ngx_int_t ngx_http_gw_auth_verify(gw_jws_ctx_t *ctx,
    ngx_http_gw_auth_token_t *token, ngx_http_gw_auth_candidates_t *cand,
    gw_reason_e *reason);


#endif /* NGX_HTTP_GW_AUTH_KEYS_H */
