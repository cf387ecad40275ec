
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The first level of the cache of verified tokens: those that one worker has
 * seen last, parsed.  An entry says that the signature is good and nothing
 * more; whether its key, its algorithm and its claims are acceptable is
 * decided for each request.
 */


#ifndef NGX_HTTP_GW_AUTH_CACHE_H
#define NGX_HTTP_GW_AUTH_CACHE_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_issuer.h"
#include "ngx_http_gw_auth_token.h"


/* entries of one worker, also the size of its table: a power of 2 */
#define NGX_HTTP_GW_AUTH_CACHE_ENTRIES  4096

/* bytes of one worker: tokens, and what was parsed from them */
#define NGX_HTTP_GW_AUTH_CACHE_BYTES    (16 * 1024 * 1024)

/* bytes; a larger one would push out too many others */
#define NGX_HTTP_GW_AUTH_CACHE_TOKEN    (256 * 1024)

/* seconds, "max=" of gw_jwt_cache */
#define NGX_HTTP_GW_AUTH_CACHE_MAX      3600


/* $gw_auth_cache; their order is that of counters in shared memory */

typedef enum {
    NGX_HTTP_GW_AUTH_CACHE_NONE = 0,         /* nobody has looked */
    NGX_HTTP_GW_AUTH_CACHE_HIT,
    NGX_HTTP_GW_AUTH_CACHE_L2,
    NGX_HTTP_GW_AUTH_CACHE_MISS
} ngx_http_gw_auth_cache_e;


typedef struct ngx_http_gw_auth_cache_s   ngx_http_gw_auth_cache_t;
typedef struct ngx_http_gw_auth_cached_s  ngx_http_gw_auth_cached_t;

struct ngx_http_gw_auth_cached_s {
    ngx_http_gw_auth_cached_t    *next;      /* of the same hash */
    uint64_t                      hash;
    ngx_http_gw_auth_token_t     *token;     /* a reference of ours */
    time_t                        end;       /* not found from then on */

    /*
     * The key of the token is among those of this issuer, for these
     * algorithms, and will be as long as the configuration; NULL: not known.
     */
    ngx_http_gw_auth_issuer_t    *issuer;
    gw_alg_mask_t                 allowed;

    ngx_uint_t                    used;      /* since it came to the front */

    ngx_queue_t                   queue;     /* the newest one first */
    size_t                        size;      /* bytes */
};


/*
 * Makes an empty cache, which is freed with the pool.
 *
 * Returns NULL when memory ran out.
 */

ngx_http_gw_auth_cache_t *ngx_http_gw_auth_cache_create(ngx_pool_t *pool);


/*
 * Finds a token by its text.
 *
 * Returns the entry, valid until the next call for the cache, or NULL.
 */

ngx_http_gw_auth_cached_t *ngx_http_gw_auth_cache_find(
    ngx_http_gw_auth_cache_t *cache, ngx_str_t *text, time_t now);


/*
 * Keeps a verified token until "end", with a reference of its own, in place
 * of one with the same text.  Entries that were not used lately make room.
 *
 * Returns their number.  Cannot fail: at worst the token is not kept.
 */

ngx_uint_t ngx_http_gw_auth_cache_put(ngx_http_gw_auth_cache_t *cache,
    ngx_http_gw_auth_token_t *token, time_t end, ngx_log_t *log);


/*
 * Returns the value of $gw_auth_cache, zero-terminated.
 */

const char *ngx_http_gw_auth_cache_text(ngx_uint_t result);


/*
 * The handler of "gw_jwt_cache off | on [max=time]"; cmd->offset is that of
 * a time_t in the configuration of a location, which becomes 0 for "off".
 */

char *ngx_http_gw_auth_cache_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_GW_AUTH_CACHE_H */
