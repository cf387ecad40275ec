
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Requested key sets in shared memory: their texts, when they were fetched,
 * and who fetches one now.  Nothing here knows requests.
 *
 * All fields are written under the mutex of the slab pool.  Those that are
 * atomic are read without it, each for itself.
 */


#ifndef NGX_HTTP_GW_AUTH_JWKS_H
#define NGX_HTTP_GW_AUTH_JWKS_H


#include "ngx_http_gw_auth_keys.h"


#define NGX_HTTP_GW_AUTH_JWKS_RECORDS      128      /* URIs at a time */
#define NGX_HTTP_GW_AUTH_JWKS_KEY          2048     /* bytes of a key */
#define NGX_HTTP_GW_AUTH_JWKS_MIN_AGE      60000    /* msec, of max-age */
#define NGX_HTTP_GW_AUTH_JWKS_BACKOFF      1000     /* msec, then doubled */
#define NGX_HTTP_GW_AUTH_JWKS_MAX_BACKOFF  30000    /* msec */
#define NGX_HTTP_GW_AUTH_JWKS_FETCH        8000     /* msec, a whole fetch */
#define NGX_HTTP_GW_AUTH_JWKS_LEASE        9000     /* msec, a bit longer */


typedef struct {
    ngx_atomic_t           generation;  /* of what the place is used for */
    ngx_atomic_t           epoch;       /* of the text, 0: none yet */
    ngx_atomic_t           rounds;      /* +1 when a fetch ends */
    ngx_atomic_t           lease;       /* msec, until when one may run */
    ngx_atomic_t           owner;       /* its process, 0: none runs */
    ngx_atomic_t           fetched;     /* msec, the last good one */
    ngx_atomic_t           max_age;     /* msec, of the provider, 0: none */
    ngx_atomic_t           cycle;       /* msec, configuration of "fetched" */
    ngx_atomic_t           retry;       /* msec, meaningful with failures */
    ngx_atomic_t           failures;    /* since the last good one */
    ngx_atomic_t           used;        /* msec */
    ngx_msec_t             refetched;   /* msec, meaningful with refetches */
    ngx_uint_t             refetches;
    u_char                *key;
    size_t                 key_len;
    u_char                *text;
    size_t                 text_len;
} ngx_http_gw_auth_jwks_t;


/* to take part in a fetch of a record, or to look at it */

typedef struct {
    ngx_http_gw_auth_zone_t  *zone;
    ngx_http_gw_auth_jwks_t  *record;
    ngx_uint_t                index;       /* of the record */
    ngx_atomic_uint_t         generation;
    ngx_atomic_uint_t         rounds;      /* when it was last looked at */
} ngx_http_gw_auth_jwks_ref_t;


/*
 * Finds the record of a key, or makes one in place of that which has not been
 * used for longest.
 *
 *     key  what identifies the set: up to NGX_HTTP_GW_AUTH_JWKS_KEY bytes
 *     ref  in: zone; out: the rest
 *
 * Returns NGX_OK; NGX_BUSY when the zone has no place for it: all the others
 * are being fetched, or it is too small.
 */

ngx_int_t ngx_http_gw_auth_jwks_find(ngx_http_gw_auth_jwks_ref_t *ref,
    ngx_str_t *key);

/*
 * Returns the milliseconds since a time that any worker has written: the clock
 * of one that has been busy for long may be behind it.
 */

#define ngx_http_gw_auth_jwks_since(msec)                                     \
    ((ngx_msec_int_t) (ngx_current_msec - (msec)) < 0                         \
     ? 0 : ngx_current_msec - (msec))

/*
 * Whether the record is still that of the key it was found for.
 */

#define ngx_http_gw_auth_jwks_valid(ref)                                      \
    ((ref)->record->generation == (ref)->generation)

/*
 * Whether somebody fetches the set now: 1 or 0.  A process that is gone, or
 * that has taken too long, does not.
 */

ngx_uint_t ngx_http_gw_auth_jwks_busy(ngx_http_gw_auth_jwks_ref_t *ref);

/*
 * To be called before the record is looked at to find out whether a fetch is
 * needed: _take() sees by it that one has ended since.
 */

#define ngx_http_gw_auth_jwks_look(ref)                                       \
    (ref)->rounds = (ref)->record->rounds;                                    \
    ngx_memory_barrier()

/*
 * Makes the caller the one that fetches.
 *
 *     cooldown  msec since the last time that there was a cooldown, or 0: as
 *               soon as the last failure allows
 *
 * Returns NGX_OK: to be ended by one of the three functions below; NGX_AGAIN:
 * somebody else does it, or has done it since the caller looked; NGX_DECLINED:
 * it is too early, or the record is another one now.
 */

ngx_int_t ngx_http_gw_auth_jwks_take(ngx_http_gw_auth_jwks_ref_t *ref,
    ngx_msec_t cooldown);

/*
 * Gives up a fetch: somebody else may take it at once.
 */

void ngx_http_gw_auth_jwks_release(ngx_http_gw_auth_jwks_ref_t *ref);

/*
 * Ends a fetch that has failed.
 *
 * Returns the failures since the last good one, with this.
 */

ngx_uint_t ngx_http_gw_auth_jwks_fail(ngx_http_gw_auth_jwks_ref_t *ref);

/*
 * Ends a fetch with a text that is good.
 *
 *     max_age   msec, 0: none was given
 *     cycle     when the configuration was read, msec
 *     failures  out: that were before it
 *     epoch     out: of the text, on NGX_OK
 *
 * Returns NGX_OK: it is new; NGX_DECLINED: it is that which was there;
 * NGX_ERROR: there is no room for it, and the fetch is still to be ended.
 */

ngx_int_t ngx_http_gw_auth_jwks_publish(ngx_http_gw_auth_jwks_ref_t *ref,
    ngx_str_t *text, ngx_msec_t max_age, ngx_msec_t cycle,
    ngx_uint_t *failures, ngx_atomic_uint_t *epoch);

/*
 * Copies the text of a record.
 *
 *     text   out: to be given back with ngx_http_gw_auth_free_file()
 *     epoch  out: of that text
 *
 * Returns NGX_OK; NGX_DECLINED: there is none; NGX_ERROR: no memory.
 */

ngx_int_t ngx_http_gw_auth_jwks_copy(ngx_http_gw_auth_jwks_ref_t *ref,
    ngx_str_t *text, ngx_atomic_uint_t *epoch, ngx_log_t *log);

/*
 * Counts the sets that are there.
 *
 *     age  out: msec, of the oldest
 */

ngx_uint_t ngx_http_gw_auth_jwks_count(ngx_http_gw_auth_zone_t *zone,
    ngx_msec_t *age);


#endif /* NGX_HTTP_GW_AUTH_JWKS_H */
