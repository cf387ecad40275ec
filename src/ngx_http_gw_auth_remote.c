
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_fetch.h"
#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_jwks.h"
#include "ngx_http_gw_auth_remote.h"
#include "ngx_http_gw_auth_server.h"
#include "ngx_http_gw_client.h"


/* a set as this worker knows it */

typedef struct {
    ngx_http_gw_auth_keyring_t   *ring;
    ngx_http_gw_auth_jwks_ref_t   ref;
    ngx_str_t                     key;
    ngx_str_t                     uri;        /* in the key, at its end */
    gw_jwk_format_e               format;

    gw_jwk_set_t                 *set;
    ngx_atomic_uint_t             epoch;      /* of the set, or tried */

    ngx_queue_t                   waiting;    /* ngx_http_gw_auth_wait_t */
    ngx_event_t                   poll;
    ngx_event_t                   wake;
    ngx_msec_t                    interval;
    unsigned                      told:1;     /* of its location */
} ngx_http_gw_auth_shown_t;


struct ngx_http_gw_auth_remote_s {
    ngx_http_gw_auth_shown_t     *known[NGX_HTTP_GW_AUTH_JWKS_RECORDS];
    ngx_uint_t                    n;
};


/* a request that has waited for keys, or does */

typedef struct {
    ngx_queue_t                   queue;
    ngx_http_request_t           *request;
    ngx_http_gw_auth_shown_t     *known;      /* that it waits for, or NULL */
    ngx_atomic_uint_t             generation;
    ngx_atomic_uint_t             rounds;     /* when it began to wait */
    ngx_msec_t                    since;
    ngx_http_gw_auth_keys_t      *again[4];   /* sources looked at again */
    ngx_uint_t                    nagain;
} ngx_http_gw_auth_wait_t;


static ngx_int_t ngx_http_gw_auth_remote_find(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_http_gw_auth_shown_t **known);
static ngx_uint_t ngx_http_gw_auth_remote_leaves(ngx_str_t *uri);
static ngx_int_t ngx_http_gw_auth_remote_add(ngx_http_gw_auth_keyring_t *ring,
    ngx_str_t *key, ngx_http_gw_auth_shown_t **known);
static ngx_http_gw_auth_shown_t *ngx_http_gw_auth_remote_known(
    ngx_http_gw_auth_keyring_t *ring, ngx_str_t *key);
static void ngx_http_gw_auth_remote_load(ngx_http_gw_auth_shown_t *known);
static ngx_msec_t ngx_http_gw_auth_remote_refresh_after(
    ngx_http_gw_auth_keys_t *keys, ngx_http_gw_auth_jwks_t *record);
static void ngx_http_gw_auth_remote_background(ngx_http_request_t *r,
    ngx_http_gw_auth_shown_t *known);
static ngx_int_t ngx_http_gw_auth_remote_wait(ngx_http_request_t *r,
    ngx_http_gw_auth_shown_t *known);
static ngx_int_t ngx_http_gw_auth_remote_down(
    ngx_http_gw_auth_shown_t *known);
static ngx_int_t ngx_http_gw_auth_remote_fetch(ngx_http_request_t *r,
    ngx_http_gw_auth_shown_t *known);
static void ngx_http_gw_auth_remote_fetched(ngx_http_gw_auth_fetch_t *fetch);
static void ngx_http_gw_auth_remote_failed(ngx_http_gw_auth_shown_t *known,
    ngx_uint_t counter, u_char *text, u_char *last);
static u_char *ngx_http_gw_auth_remote_refused(u_char *p, u_char *last,
    gw_jwk_error_t *err);
static ngx_http_gw_auth_wait_t *ngx_http_gw_auth_remote_waiter(
    ngx_http_request_t *r, ngx_uint_t create);
static ngx_int_t ngx_http_gw_auth_remote_park(ngx_http_gw_auth_wait_t *wait,
    ngx_http_gw_auth_shown_t *known, ngx_uint_t fetches);
static void ngx_http_gw_auth_remote_parked(ngx_http_request_t *r);
static void ngx_http_gw_auth_remote_poll(ngx_event_t *ev);
static void ngx_http_gw_auth_remote_run(ngx_http_gw_auth_shown_t *known);
static ngx_uint_t ngx_http_gw_auth_remote_ready(
    ngx_http_gw_auth_wait_t *wait);
static void ngx_http_gw_auth_remote_resume(ngx_http_gw_auth_wait_t *wait);
static void ngx_http_gw_auth_remote_cleanup(void *data);


#define ngx_http_gw_auth_remote_count(ring, i)                                \
    ngx_http_gw_count((ring)->counters, i)


ngx_int_t
ngx_http_gw_auth_remote_get(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_uint_t flags, const gw_jwk_set_t **set)
{
    ngx_int_t                  rc;
    ngx_msec_t                 age, refresh;
    ngx_http_gw_auth_jwks_t   *record;
    ngx_http_gw_auth_shown_t  *known;

    rc = ngx_http_gw_auth_remote_find(r, ring, keys, &known);
    if (rc != NGX_OK) {
        return rc;
    }

    record = known->ref.record;

    if (known->set) {
        *set = known->set;

        age = ngx_http_gw_auth_jwks_since(record->fetched);
        refresh = ngx_http_gw_auth_remote_refresh_after(keys, record);

        if (age < refresh
            && (ngx_msec_int_t) (record->cycle - ring->cycle) >= 0)
        {
            return NGX_OK;
        }

        if (age < refresh + keys->cache->max_stale) {

            if (record->failures) {
                ngx_http_gw_auth_remote_count(ring,
                                              NGX_HTTP_GW_AUTH_FETCH_STALE);
            }

            if (!(flags & NGX_HTTP_GW_AUTH_NOWAIT)) {
                ngx_http_gw_auth_remote_background(r, known);
            }

            return NGX_OK;
        }
    }

    if (flags & NGX_HTTP_GW_AUTH_NOWAIT) {
        return ngx_http_gw_auth_remote_down(known);
    }

    return ngx_http_gw_auth_remote_wait(r, known);
}


ngx_int_t
ngx_http_gw_auth_remote_refresh(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, generation;
    ngx_http_gw_auth_wait_t   *wait;
    ngx_http_gw_auth_shown_t  *known;

    wait = ngx_http_gw_auth_remote_waiter(r, 0);

    if (wait) {
        for (i = 0; i < wait->nagain; i++) {
            if (wait->again[i] == keys) {
                return NGX_DECLINED;
            }
        }

        if (wait->nagain == sizeof(wait->again) / sizeof(wait->again[0])) {
            return NGX_DECLINED;
        }
    }

    generation = ring->generation;

    rc = ngx_http_gw_auth_remote_find(r, ring, keys, &known);
    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = NGX_AGAIN;

    /* unless another worker has replaced the set while this one verified */

    if (ring->generation == generation) {

        /* what was fetched for this request has nothing newer behind it */

        if (wait
            && (ngx_msec_int_t) (known->ref.record->fetched - wait->since)
               >= 0)
        {
            return NGX_DECLINED;
        }

        rc = ngx_http_gw_auth_jwks_take(&known->ref, keys->cache->cooldown);

        if (rc == NGX_DECLINED) {

            if (known->epoch == known->ref.record->epoch) {
                return NGX_DECLINED;
            }

            rc = NGX_AGAIN;
        }
    }

    wait = ngx_http_gw_auth_remote_waiter(r, 1);

    if (wait == NULL) {
        if (rc == NGX_OK) {
            ngx_http_gw_auth_jwks_release(&known->ref);
        }

        return NGX_ERROR;
    }

    wait->again[wait->nagain++] = keys;

    if (rc == NGX_OK) {
        ngx_http_gw_auth_remote_count(ring, NGX_HTTP_GW_AUTH_FETCH_AGAIN);

        if (ngx_http_gw_auth_remote_fetch(r, known) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_gw_auth_remote_park(wait, known, rc == NGX_OK);
}


static ngx_int_t
ngx_http_gw_auth_remote_find(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_http_gw_auth_shown_t **known)
{
    u_char                      buf[NGX_HTTP_GW_AUTH_JWKS_KEY];
    u_char                     *p;
    ngx_int_t                   rc;
    ngx_str_t                   uri, key;
    ngx_http_gw_auth_server_t  *server;

    uri = keys->name;

    if (keys->value && ngx_http_complex_value(r, keys->value, &uri) != NGX_OK)
    {
        return NGX_ERROR;
    }

    server = ngx_http_get_module_srv_conf(r, (*ring->module));

    if (uri.len == 0
        || uri.data[0] != '/'
        || uri.len > sizeof(buf) - sizeof(server->id) - 1)
    {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "the URI of requested keys does not begin with \"/\" "
                      "or is too long: \"%V\"", &uri);
        return NGX_DECLINED;
    }

    if (keys->value && ngx_http_gw_auth_remote_leaves(&uri)) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "the URI of requested keys leads out of its "
                      "directory: \"%V\"", &uri);
        return NGX_DECLINED;
    }

    p = ngx_cpymem(buf, server->id, sizeof(server->id));
    *p++ = (u_char) ('0' + keys->format);
    p = ngx_cpymem(p, uri.data, uri.len);

    key.data = buf;
    key.len = p - buf;

    *known = ngx_http_gw_auth_remote_known(ring, &key);

    if (*known == NULL) {
        rc = ngx_http_gw_auth_remote_add(ring, &key, known);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    (*known)->format = keys->format;

    ngx_http_gw_auth_jwks_look(&(*known)->ref);

    if ((*known)->epoch != (*known)->ref.record->epoch) {
        ngx_http_gw_auth_remote_load(*known);
    }

    return NGX_OK;
}


/* what a value adds to a URI must not choose whose keys are asked for */

static ngx_uint_t
ngx_http_gw_auth_remote_leaves(ngx_str_t *uri)
{
    u_char  *p, *last;

    last = uri->data + uri->len;

    for (p = uri->data; last - p >= 3 && *p != '?'; p++) {

        if (ngx_strncmp(p, "/..", 3) == 0
            && (last - p == 3 || p[3] == '/' || p[3] == '?'))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_http_gw_auth_shown_t *
ngx_http_gw_auth_remote_known(ngx_http_gw_auth_keyring_t *ring, ngx_str_t *key)
{
    ngx_uint_t                  i;
    ngx_http_gw_auth_shown_t   *known;
    ngx_http_gw_auth_remote_t  *remote;

    remote = ring->remote;

    if (remote == NULL) {
        return NULL;
    }

    for (i = 0; i < remote->n; i++) {
        known = remote->known[i];

        if (known == NULL
            || known->key.len != key->len
            || ngx_memcmp(known->key.data, key->data, key->len) != 0)
        {
            continue;
        }

        if (!ngx_http_gw_auth_jwks_valid(&known->ref)) {
            return NULL;
        }

        /* a write that other workers notice, so not for each request */

        if (ngx_http_gw_auth_jwks_since(known->ref.record->used) > 1000) {
            known->ref.record->used = ngx_current_msec;
        }

        return known;
    }

    return NULL;
}


static ngx_int_t
ngx_http_gw_auth_remote_add(ngx_http_gw_auth_keyring_t *ring, ngx_str_t *key,
    ngx_http_gw_auth_shown_t **slot)
{
    u_char                       *p;
    ngx_http_gw_auth_shown_t     *known;
    ngx_http_gw_auth_remote_t    *remote;
    ngx_http_gw_auth_jwks_ref_t   ref;

    if (ring->remote == NULL) {
        ring->remote = ngx_calloc(sizeof(ngx_http_gw_auth_remote_t),
                                  ngx_cycle->log);
        if (ring->remote == NULL) {
            return NGX_ERROR;
        }
    }

    remote = ring->remote;
    ref.zone = ring->zone;

    if (ngx_http_gw_auth_jwks_find(&ref, key) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "there is no room for requested keys, make "
                      "\"gw_auth_zone\" larger");

        ring->retry = 1;

        return NGX_BUSY;
    }

    p = ngx_alloc(key->len, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    known = remote->known[ref.index];

    if (known == NULL) {
        known = ngx_calloc(sizeof(ngx_http_gw_auth_shown_t), ngx_cycle->log);
        if (known == NULL) {
            ngx_free(p);
            return NGX_ERROR;
        }

        known->ring = ring;

        ngx_queue_init(&known->waiting);

        known->poll.handler = ngx_http_gw_auth_remote_poll;
        known->poll.data = known;
        known->poll.log = ngx_cycle->log;

        known->wake.handler = ngx_http_gw_auth_remote_poll;
        known->wake.data = known;
        known->wake.log = ngx_cycle->log;

        remote->known[ref.index] = known;
        remote->n = ngx_max(remote->n, ref.index + 1);

    } else {

        /*
         * The place was another set's.  Who waits for that one sees the
         * generation change.
         */

        ngx_free(known->key.data);
        ngx_http_gw_auth_keyring_retire(ring, known->set);

        known->set = NULL;
        known->epoch = 0;
        known->told = 0;
    }

    ngx_memcpy(p, key->data, key->len);

    known->ref = ref;
    known->key.data = p;
    known->key.len = key->len;
    known->uri.data = p + NGX_HTTP_GW_AUTH_SERVER_ID + 1;
    known->uri.len = key->len - NGX_HTTP_GW_AUTH_SERVER_ID - 1;

    *slot = known;

    return NGX_OK;
}


/* another worker has fetched it, and has found it good */

static void
ngx_http_gw_auth_remote_load(ngx_http_gw_auth_shown_t *known)
{
    ngx_str_t                    text;
    gw_jwk_set_t                *set;
    gw_jwk_error_t               err;
    ngx_atomic_uint_t            epoch;
    ngx_http_gw_auth_keyring_t  *ring;

    ring = known->ring;

    if (ngx_http_gw_auth_jwks_copy(&known->ref, &text, &epoch, ngx_cycle->log)
        != NGX_OK)
    {
        return;
    }

    ngx_memzero(&err, sizeof(gw_jwk_error_t));

    set = gw_jwk_set_parse(text.data, text.len, known->format, GW_JWK_REMOTE,
                           ring->hash, &err);

    ngx_http_gw_auth_free_file(&text);

    if (set == NULL) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "requested keys \"%V\" are refused by this worker: %s",
                      &known->uri, err.text);
        return;
    }

    ngx_http_gw_auth_keyring_retire(ring, known->set);

    known->set = set;
    known->epoch = epoch;

    ring->generation++;
}


/* msec; each worker is a bit early in its own way, at most 10 % */

static ngx_msec_t
ngx_http_gw_auth_remote_refresh_after(ngx_http_gw_auth_keys_t *keys,
    ngx_http_gw_auth_jwks_t *record)
{
    ngx_msec_t  refresh, max_age;

    refresh = keys->cache->refresh;
    max_age = record->max_age;

    if (max_age && max_age < refresh) {
        refresh = max_age;
    }

    return refresh - refresh / 10 * ((ngx_uint_t) ngx_pid % 8) / 8;
}


static void
ngx_http_gw_auth_remote_background(ngx_http_request_t *r,
    ngx_http_gw_auth_shown_t *known)
{
    ngx_http_gw_auth_jwks_t  *record;

    record = known->ref.record;

    /* as _take() sees it, but without its lock */

    if (ngx_http_gw_auth_jwks_busy(&known->ref)
        || (record->failures
            && (ngx_msec_int_t) (record->retry - ngx_current_msec) > 0))
    {
        return;
    }

    if (ngx_http_gw_auth_jwks_take(&known->ref, 0) == NGX_OK) {
        (void) ngx_http_gw_auth_remote_fetch(r, known);
    }
}


static ngx_int_t
ngx_http_gw_auth_remote_wait(ngx_http_request_t *r,
    ngx_http_gw_auth_shown_t *known)
{
    ngx_int_t                 rc;
    ngx_http_gw_auth_wait_t  *wait;

    wait = ngx_http_gw_auth_remote_waiter(r, 1);
    if (wait == NULL) {
        return NGX_ERROR;
    }

    if (ngx_current_msec - wait->since >= NGX_HTTP_GW_AUTH_WAIT) {
        return ngx_http_gw_auth_remote_down(known);
    }

    rc = ngx_http_gw_auth_jwks_take(&known->ref, 0);

    if (rc == NGX_DECLINED) {
        return ngx_http_gw_auth_remote_down(known);
    }

    if (rc == NGX_OK && ngx_http_gw_auth_remote_fetch(r, known) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_gw_auth_remote_park(wait, known, rc == NGX_OK);
}


/* NGX_BUSY, with the time after which it may be another thing */

static ngx_int_t
ngx_http_gw_auth_remote_down(ngx_http_gw_auth_shown_t *known)
{
    ngx_msec_int_t            left;
    ngx_http_gw_auth_jwks_t  *record;

    record = known->ref.record;
    left = 0;

    if (record->failures) {
        left = (ngx_msec_int_t) (record->retry - ngx_current_msec);
    }

    known->ring->retry = (left > 0) ? (ngx_uint_t) (left + 999) / 1000 : 1;

    return NGX_BUSY;
}


/* of a record that has been taken, which is given back on NGX_ERROR */

static ngx_int_t
ngx_http_gw_auth_remote_fetch(ngx_http_request_t *r,
    ngx_http_gw_auth_shown_t *known)
{
    ngx_str_t                     uri;
    ngx_http_gw_auth_fetch_t     *fetch;
    ngx_http_gw_auth_jwks_ref_t  *ref;

    /* the place may be another set's before the fetch ends */

    ref = ngx_palloc(r->pool, sizeof(ngx_http_gw_auth_jwks_ref_t));

    uri.len = known->uri.len;
    uri.data = ngx_pstrdup(r->pool, &known->uri);

    if (ref && uri.data) {

        *ref = known->ref;

        fetch = ngx_http_gw_auth_fetch(r, &uri, GW_JWK_MAX_SET,
                                       NGX_HTTP_GW_AUTH_JWKS_FETCH,
                                       ngx_http_gw_auth_remote_fetched,
                                       known);
        if (fetch) {
            fetch->ref = ref;
            return NGX_OK;
        }
    }

    ngx_http_gw_auth_jwks_release(&known->ref);

    return NGX_ERROR;
}


static void
ngx_http_gw_auth_remote_fetched(ngx_http_gw_auth_fetch_t *fetch)
{
    u_char                        buf[NGX_MAX_ERROR_STR / 4];
    u_char                       *p, *last;
    ngx_int_t                     rc;
    ngx_uint_t                    failures;
    ngx_msec_t                    max_age;
    gw_jwk_set_t                 *set;
    gw_jwk_error_t                err;
    ngx_atomic_uint_t             epoch;
    ngx_http_gw_auth_shown_t     *known;
    ngx_http_gw_auth_keyring_t   *ring;
    ngx_http_gw_auth_jwks_ref_t  *ref;

    known = fetch->data;
    ref = fetch->ref;
    ring = known->ring;
    last = buf + sizeof(buf);

    /* at top level, after core is through with the request of the fetch */

    if (!ngx_queue_empty(&known->waiting)) {
        ngx_post_event(&known->wake, &ngx_posted_events);
    }

    if (fetch->lost) {
        ngx_http_gw_auth_jwks_release(ref);
        return;
    }

    if (known->ref.generation != ref->generation) {
        /* nobody has asked for it for long */
        return;
    }

    if (fetch->error) {
        p = ngx_slprintf(buf, last, fetch->error, fetch->code);
        ngx_http_gw_auth_remote_failed(known, NGX_HTTP_GW_AUTH_FETCH_FAILED,
                                       buf, p);
        return;
    }

    ngx_memzero(&err, sizeof(gw_jwk_error_t));

    set = gw_jwk_set_parse(fetch->body.data, fetch->body.len, known->format,
                           GW_JWK_REMOTE, ring->hash, &err);

    if (set == NULL) {
        p = ngx_http_gw_auth_remote_refused(buf, last, &err);
        ngx_http_gw_auth_remote_failed(known, NGX_HTTP_GW_AUTH_FETCH_REFUSED,
                                       buf, p);
        return;
    }

    max_age = 0;

    if (fetch->max_age >= 0) {
        max_age = (ngx_msec_t) ngx_min(fetch->max_age, 86400) * 1000;
        max_age = ngx_max(max_age, NGX_HTTP_GW_AUTH_JWKS_MIN_AGE);
    }

    rc = ngx_http_gw_auth_jwks_publish(ref, &fetch->body, max_age,
                                       ring->cycle, &failures, &epoch);

    if (rc == NGX_ERROR) {
        gw_jwk_set_destroy(set);

        p = ngx_slprintf(buf, last, "there is no room for it, make "
                         "\"gw_auth_zone\" larger");
        ngx_http_gw_auth_remote_failed(known, NGX_HTTP_GW_AUTH_FETCH_REFUSED,
                                       buf, p);
        return;
    }

    if (failures) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "requested keys \"%V\" are there again", &known->uri);
    }

    if (!fetch->internal && !known->told) {
        known->told = 1;

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "the location of requested keys \"%V\" is open to "
                      "clients, add \"internal\" to it", &known->uri);
    }

    if (rc == NGX_DECLINED) {
        gw_jwk_set_destroy(set);

        ngx_http_gw_auth_remote_count(ring, NGX_HTTP_GW_AUTH_FETCH_UNCHANGED);
        return;
    }

    ngx_http_gw_auth_remote_count(ring, NGX_HTTP_GW_AUTH_FETCH_OK);

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "requested keys \"%V\" were read, %uz keys", &known->uri,
                  set->nkeys);

    ngx_http_gw_auth_keyring_retire(ring, known->set);

    known->set = set;
    known->epoch = epoch;

    ring->generation++;
}


static u_char *
ngx_http_gw_auth_remote_refused(u_char *p, u_char *last, gw_jwk_error_t *err)
{
    if (err->code == GW_JWK_E_JSON) {
        return ngx_slprintf(p, last, "not JSON at byte %uz, %s",
                            err->position, err->text);
    }

    if (err->index >= 0) {
        return ngx_slprintf(p, last, "key #%d is refused, %s", err->index,
                            err->text);
    }

    return ngx_slprintf(p, last, "%s", err->text);
}


static void
ngx_http_gw_auth_remote_failed(ngx_http_gw_auth_shown_t *known,
    ngx_uint_t counter, u_char *text, u_char *last)
{
    ngx_str_t   why;
    ngx_uint_t  failures;

    ngx_http_gw_auth_remote_count(known->ring, counter);

    failures = ngx_http_gw_auth_jwks_fail(&known->ref);

    if (failures > 1) {
        return;
    }

    /* once, until they are there again */

    why.data = text;
    why.len = last - text;

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  known->set ? "requested keys \"%V\" are not there: %V; the "
                               "keys before it stay for now"
                             : "requested keys \"%V\" are not there: %V; "
                               "there are none",
                  &known->uri, &why);
}


static ngx_http_gw_auth_wait_t *
ngx_http_gw_auth_remote_waiter(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_gw_auth_wait_t  *wait;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_gw_auth_remote_cleanup) {
            continue;
        }

        wait = cln->data;

        if (wait->request == r) {
            return wait;
        }
    }

    if (!create) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_gw_auth_wait_t));
    if (cln == NULL) {
        return NULL;
    }

    wait = cln->data;
    ngx_memzero(wait, sizeof(ngx_http_gw_auth_wait_t));

    wait->request = r;
    wait->since = ngx_current_msec;

    cln->handler = ngx_http_gw_auth_remote_cleanup;

    return wait;
}


static ngx_int_t
ngx_http_gw_auth_remote_park(ngx_http_gw_auth_wait_t *wait,
    ngx_http_gw_auth_shown_t *known, ngx_uint_t fetches)
{
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    r = wait->request;
    r->write_event_handler = ngx_http_gw_auth_remote_parked;

    if (!fetches || r != r->main) {

        /*
         * A client that goes away ends its request, and gw_aggregate knows a
         * part that it may stop by this handler.
         */

        rev = r->connection->read;

        if (rev->ready) {
            ngx_post_event(rev, &ngx_posted_events);

        } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            return NGX_ERROR;
        }

        r->read_event_handler = ngx_http_test_reading;

    } else {

        /* others wait for the fetch of this request as well */

        r->read_event_handler = ngx_http_block_reading;
    }

    if (wait->known) {
        /* never: nobody evaluates a request that waits */
        ngx_queue_remove(&wait->queue);
    }

    wait->known = known;
    wait->generation = known->ref.generation;
    wait->rounds = known->ref.record->rounds;

    ngx_queue_insert_tail(&known->waiting, &wait->queue);

    if (!known->poll.timer_set) {
        known->interval = NGX_HTTP_GW_AUTH_POLL;
        ngx_add_timer(&known->poll, known->interval);
    }

    return NGX_AGAIN;
}


static void
ngx_http_gw_auth_remote_parked(ngx_http_request_t *r)
{
    /* its address tells a request that waits from one that has ended */

    if (r->read_event_handler == ngx_http_test_reading && r == r->main
        && ngx_http_gw_client_stopped(r->connection))
    {
        r->connection->error = 1;
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    }
}


static void
ngx_http_gw_auth_remote_poll(ngx_event_t *ev)
{
    ngx_http_gw_auth_shown_t  *known;

    known = ev->data;

    ngx_http_gw_auth_remote_run(known);

    if (ngx_queue_empty(&known->waiting) || known->poll.timer_set) {
        return;
    }

    if (known->interval < NGX_HTTP_GW_AUTH_MAX_POLL) {
        known->interval += NGX_HTTP_GW_AUTH_POLL;
    }

    /* not cancelable: who waits is answered before a worker ends */

    ngx_add_timer(&known->poll, known->interval);
}


static void
ngx_http_gw_auth_remote_run(ngx_http_gw_auth_shown_t *known)
{
    ngx_queue_t               ready, *q, *next;
    ngx_http_gw_auth_wait_t  *wait;

    ngx_queue_init(&ready);

    q = ngx_queue_head(&known->waiting);

    while (q != ngx_queue_sentinel(&known->waiting)) {
        next = ngx_queue_next(q);

        wait = ngx_queue_data(q, ngx_http_gw_auth_wait_t, queue);

        if (ngx_http_gw_auth_remote_ready(wait)) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&ready, q);
        }

        q = next;
    }

    /* any of them may end others, of the same connection */

    while (!ngx_queue_empty(&ready)) {
        q = ngx_queue_head(&ready);
        ngx_queue_remove(q);

        wait = ngx_queue_data(q, ngx_http_gw_auth_wait_t, queue);
        wait->known = NULL;

        ngx_http_gw_auth_remote_resume(wait);
    }
}


static ngx_uint_t
ngx_http_gw_auth_remote_ready(ngx_http_gw_auth_wait_t *wait)
{
    ngx_http_gw_auth_shown_t  *known;

    known = wait->known;

    return known->ref.generation != wait->generation
           || !ngx_http_gw_auth_jwks_valid(&known->ref)
           || known->ref.record->rounds != wait->rounds
           || !ngx_http_gw_auth_jwks_busy(&known->ref)
           || ngx_current_msec - wait->since >= NGX_HTTP_GW_AUTH_WAIT;
}


static void
ngx_http_gw_auth_remote_resume(ngx_http_gw_auth_wait_t *wait)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = wait->request;
    c = r->connection;

    if (r->done
        || r->write_event_handler != ngx_http_gw_auth_remote_parked)
    {
        /* ended meanwhile, but something else still holds it */
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "gw auth resume: \"%V?%V\"", &r->uri, &r->args);

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }

    /* what the fetch did is not what this request does */

    c->log->action = NULL;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_gw_auth_remote_cleanup(void *data)
{
    ngx_http_gw_auth_wait_t *wait = data;

    if (wait->known) {
        ngx_queue_remove(&wait->queue);
        wait->known = NULL;
    }
}


void
ngx_http_gw_auth_remote_free(ngx_http_gw_auth_remote_t *remote)
{
    ngx_uint_t                 i;
    ngx_http_gw_auth_shown_t  *known;

    if (remote == NULL) {
        return;
    }

    for (i = 0; i < remote->n; i++) {
        known = remote->known[i];

        if (known == NULL) {
            continue;
        }

        if (known->poll.timer_set) {
            ngx_del_timer(&known->poll);
        }

        if (known->wake.posted) {
            ngx_delete_posted_event(&known->wake);
        }

        gw_jwk_set_destroy(known->set);
        ngx_free(known->key.data);
        ngx_free(known);
    }

    ngx_free(remote);
}
