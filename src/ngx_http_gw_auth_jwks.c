
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>

#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_jwks.h"


typedef struct {
    ngx_atomic_uint_t         generation;
    ngx_atomic_uint_t         epoch;
    ngx_http_gw_auth_jwks_t   records[NGX_HTTP_GW_AUTH_JWKS_RECORDS];
} ngx_http_gw_auth_jwks_table_t;


static ngx_http_gw_auth_jwks_t *ngx_http_gw_auth_jwks_lookup(
    ngx_http_gw_auth_zone_t *zone, ngx_str_t *key);
static ngx_int_t ngx_http_gw_auth_jwks_reuse(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *record, ngx_str_t *key);
static ngx_http_gw_auth_jwks_t *ngx_http_gw_auth_jwks_oldest(
    ngx_http_gw_auth_zone_t *zone, ngx_http_gw_auth_jwks_t *except);
static u_char *ngx_http_gw_auth_jwks_alloc(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *record, size_t size);
static void ngx_http_gw_auth_jwks_forget(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *record);
static void ngx_http_gw_auth_jwks_failed(ngx_http_gw_auth_jwks_t *record);
static void ngx_http_gw_auth_jwks_end(ngx_http_gw_auth_jwks_ref_t *ref);


#define ngx_http_gw_auth_jwks_table(zone)                                     \
    ((ngx_http_gw_auth_jwks_table_t *) (zone)->sh->jwks)


ngx_int_t
ngx_http_gw_auth_jwks_find(ngx_http_gw_auth_jwks_ref_t *ref, ngx_str_t *key)
{
    ngx_int_t                       rc;
    ngx_http_gw_auth_zone_t        *zone;
    ngx_http_gw_auth_jwks_t        *record;
    ngx_http_gw_auth_jwks_table_t  *table;

    rc = NGX_BUSY;
    zone = ref->zone;

    ngx_shmtx_lock(&zone->shpool->mutex);

    table = zone->sh->jwks;

    if (table == NULL) {
        table = ngx_slab_calloc_locked(zone->shpool,
                                       sizeof(ngx_http_gw_auth_jwks_table_t));
        if (table == NULL) {
            goto done;
        }

        zone->sh->jwks = table;
    }

    record = ngx_http_gw_auth_jwks_lookup(zone, key);

    if (record == NULL) {
        record = ngx_http_gw_auth_jwks_oldest(zone, NULL);

        if (record == NULL
            || ngx_http_gw_auth_jwks_reuse(zone, record, key) != NGX_OK)
        {
            goto done;
        }
    }

    record->used = ngx_current_msec;

    ref->record = record;
    ref->index = record - table->records;
    ref->generation = record->generation;

    ngx_http_gw_auth_jwks_look(ref);

    rc = NGX_OK;

done:

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


static ngx_http_gw_auth_jwks_t *
ngx_http_gw_auth_jwks_lookup(ngx_http_gw_auth_zone_t *zone, ngx_str_t *key)
{
    ngx_uint_t                i;
    ngx_http_gw_auth_jwks_t  *record;

    record = ngx_http_gw_auth_jwks_table(zone)->records;

    for (i = 0; i < NGX_HTTP_GW_AUTH_JWKS_RECORDS; i++) {

        if (record[i].key
            && record[i].key_len == key->len
            && ngx_memcmp(record[i].key, key->data, key->len) == 0)
        {
            return &record[i];
        }
    }

    return NULL;
}


/*
 * One that is free, or has not been used for longest and is not fetched.  URIs
 * that never had keys, as clients can invent them, go before those that have.
 */

static ngx_http_gw_auth_jwks_t *
ngx_http_gw_auth_jwks_oldest(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *except)
{
    ngx_uint_t                i, older;
    ngx_http_gw_auth_jwks_t  *record, *oldest;

    oldest = NULL;
    record = ngx_http_gw_auth_jwks_table(zone)->records;

    for (i = 0; i < NGX_HTTP_GW_AUTH_JWKS_RECORDS; i++) {

        if (record[i].key == NULL && except == NULL) {
            return &record[i];
        }

        if (&record[i] == except
            || record[i].key == NULL
            || (record[i].owner
                && (ngx_msec_int_t) (record[i].lease - ngx_current_msec) > 0))
        {
            continue;
        }

        if (oldest == NULL) {
            oldest = &record[i];
            continue;
        }

        older = ((ngx_msec_int_t) (record[i].used - oldest->used) < 0);

        if ((record[i].text == NULL) != (oldest->text == NULL)) {
            older = (record[i].text == NULL);
        }

        if (older) {
            oldest = &record[i];
        }
    }

    return oldest;
}


static ngx_int_t
ngx_http_gw_auth_jwks_reuse(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *record, ngx_str_t *key)
{
    ngx_http_gw_auth_jwks_forget(zone, record);

    record->key = ngx_http_gw_auth_jwks_alloc(zone, record, key->len);
    if (record->key == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(record->key, key->data, key->len);
    record->key_len = key->len;

    return NGX_OK;
}


/* what refers to it finds that the generation is another one */

static void
ngx_http_gw_auth_jwks_forget(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *record)
{
    if (record->text) {
        OPENSSL_cleanse(record->text, record->text_len);
        ngx_slab_free_locked(zone->shpool, record->text);
    }

    if (record->key) {
        ngx_slab_free_locked(zone->shpool, record->key);
    }

    ngx_memzero(record, sizeof(ngx_http_gw_auth_jwks_t));

    record->generation = ++ngx_http_gw_auth_jwks_table(zone)->generation;
}


ngx_uint_t
ngx_http_gw_auth_jwks_busy(ngx_http_gw_auth_jwks_ref_t *ref)
{
    ngx_pid_t          owner;
    ngx_atomic_uint_t  lease;

    owner = (ngx_pid_t) ref->record->owner;
    lease = ref->record->lease;

    if (owner == 0 || (ngx_msec_int_t) (lease - ngx_current_msec) <= 0) {
        return 0;
    }

    return owner == ngx_pid || kill(owner, 0) == 0 || ngx_errno != NGX_ESRCH;
}


ngx_int_t
ngx_http_gw_auth_jwks_take(ngx_http_gw_auth_jwks_ref_t *ref,
    ngx_msec_t cooldown)
{
    ngx_int_t                 rc;
    ngx_http_gw_auth_jwks_t  *record;

    record = ref->record;

    ngx_shmtx_lock(&ref->zone->shpool->mutex);

    if (!ngx_http_gw_auth_jwks_valid(ref)) {
        rc = NGX_DECLINED;

    } else if (ngx_http_gw_auth_jwks_busy(ref)) {
        rc = NGX_AGAIN;

    } else if (record->failures
               && (ngx_msec_int_t) (record->retry - ngx_current_msec) > 0)
    {
        rc = NGX_DECLINED;

    } else if (cooldown
               && record->refetches
               && (ngx_msec_int_t) (ngx_current_msec - record->refetched)
                  < (ngx_msec_int_t) cooldown)
    {
        rc = NGX_DECLINED;

    } else if (record->rounds != ref->rounds) {
        rc = NGX_AGAIN;

    } else {

        if (cooldown) {
            record->refetches++;
            record->refetched = ngx_current_msec;
        }

        record->owner = ngx_pid;
        record->lease = ngx_current_msec + NGX_HTTP_GW_AUTH_JWKS_LEASE;

        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&ref->zone->shpool->mutex);

    return rc;
}


/* unless it was taken over from us: with the mutex held */

static void
ngx_http_gw_auth_jwks_end(ngx_http_gw_auth_jwks_ref_t *ref)
{
    if ((ngx_pid_t) ref->record->owner == ngx_pid) {
        ref->record->owner = 0;
    }
}


void
ngx_http_gw_auth_jwks_release(ngx_http_gw_auth_jwks_ref_t *ref)
{
    ngx_shmtx_lock(&ref->zone->shpool->mutex);

    if (ngx_http_gw_auth_jwks_valid(ref)) {
        ngx_http_gw_auth_jwks_end(ref);
    }

    ngx_shmtx_unlock(&ref->zone->shpool->mutex);
}


ngx_uint_t
ngx_http_gw_auth_jwks_fail(ngx_http_gw_auth_jwks_ref_t *ref)
{
    ngx_uint_t  failures;

    failures = 0;

    ngx_shmtx_lock(&ref->zone->shpool->mutex);

    if (ngx_http_gw_auth_jwks_valid(ref)) {
        ngx_http_gw_auth_jwks_failed(ref->record);
        ngx_http_gw_auth_jwks_end(ref);

        failures = ref->record->failures;
    }

    ngx_shmtx_unlock(&ref->zone->shpool->mutex);

    return failures;
}


static void
ngx_http_gw_auth_jwks_failed(ngx_http_gw_auth_jwks_t *record)
{
    ngx_uint_t  i;
    ngx_msec_t  wait;

    wait = NGX_HTTP_GW_AUTH_JWKS_BACKOFF;

    for (i = 0; i < record->failures; i++) {
        wait *= 2;

        if (wait >= NGX_HTTP_GW_AUTH_JWKS_MAX_BACKOFF) {
            wait = NGX_HTTP_GW_AUTH_JWKS_MAX_BACKOFF;
            break;
        }
    }

    record->retry = ngx_current_msec + wait;
    record->failures++;
    record->rounds++;
}


ngx_int_t
ngx_http_gw_auth_jwks_publish(ngx_http_gw_auth_jwks_ref_t *ref,
    ngx_str_t *text, ngx_msec_t max_age, ngx_msec_t cycle,
    ngx_uint_t *failures, ngx_atomic_uint_t *epoch)
{
    u_char                   *p;
    ngx_int_t                 rc;
    ngx_slab_pool_t          *shpool;
    ngx_http_gw_auth_jwks_t  *record;

    record = ref->record;
    shpool = ref->zone->shpool;
    *failures = 0;

    ngx_shmtx_lock(&shpool->mutex);

    if (!ngx_http_gw_auth_jwks_valid(ref)) {
        rc = NGX_DECLINED;
        goto done;
    }

    *failures = record->failures;

    if (record->text
        && record->text_len == text->len
        && ngx_memcmp(record->text, text->data, text->len) == 0)
    {
        rc = NGX_DECLINED;

    } else {

        p = ngx_http_gw_auth_jwks_alloc(ref->zone, record, text->len);

        if (p == NULL) {
            rc = NGX_ERROR;
            goto done;
        }

        if (record->text) {
            OPENSSL_cleanse(record->text, record->text_len);
            ngx_slab_free_locked(shpool, record->text);
        }

        ngx_memcpy(p, text->data, text->len);

        record->text = p;
        record->text_len = text->len;
        record->epoch = ++ngx_http_gw_auth_jwks_table(ref->zone)->epoch;

        rc = NGX_OK;
    }

    record->fetched = ngx_current_msec;
    record->cycle = cycle;
    record->failures = 0;
    record->max_age = max_age ? ngx_max(max_age,
                                        NGX_HTTP_GW_AUTH_JWKS_MIN_AGE)
                              : 0;
    record->rounds++;

    *epoch = record->epoch;

    ngx_http_gw_auth_jwks_end(ref);

done:

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}


/* other sets, those that have not been used for longest, make room */

static u_char *
ngx_http_gw_auth_jwks_alloc(ngx_http_gw_auth_zone_t *zone,
    ngx_http_gw_auth_jwks_t *record, size_t size)
{
    u_char                   *p;
    ngx_http_gw_auth_jwks_t  *oldest;

    for ( ;; ) {

        p = ngx_slab_alloc_locked(zone->shpool, size);

        if (p) {
            return p;
        }

        oldest = ngx_http_gw_auth_jwks_oldest(zone, record);

        if (oldest == NULL) {
            return NULL;
        }

        ngx_http_gw_auth_jwks_forget(zone, oldest);
    }
}


ngx_int_t
ngx_http_gw_auth_jwks_copy(ngx_http_gw_auth_jwks_ref_t *ref, ngx_str_t *text,
    ngx_atomic_uint_t *epoch, ngx_log_t *log)
{
    size_t      len;
    ngx_int_t   rc;

    ngx_str_null(text);

    for ( ;; ) {

        /* the memory is asked for without the mutex */

        len = ref->record->text_len;

        text->data = ngx_alloc(len + 1, log);
        if (text->data == NULL) {
            return NGX_ERROR;
        }

        ngx_shmtx_lock(&ref->zone->shpool->mutex);

        if (!ngx_http_gw_auth_jwks_valid(ref) || ref->record->text == NULL) {
            rc = NGX_DECLINED;

        } else if (ref->record->text_len > len) {
            rc = NGX_AGAIN;

        } else {
            text->len = ref->record->text_len;
            ngx_memcpy(text->data, ref->record->text, text->len);
            *epoch = ref->record->epoch;

            rc = NGX_OK;
        }

        ngx_shmtx_unlock(&ref->zone->shpool->mutex);

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        ngx_free(text->data);
        ngx_str_null(text);

        if (rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }
    }
}


ngx_uint_t
ngx_http_gw_auth_jwks_count(ngx_http_gw_auth_zone_t *zone, ngx_msec_t *age)
{
    ngx_uint_t                i, n;
    ngx_msec_t                old;
    ngx_http_gw_auth_jwks_t  *record;

    n = 0;
    *age = 0;

    if (ngx_http_gw_auth_jwks_table(zone) == NULL) {
        return 0;
    }

    record = ngx_http_gw_auth_jwks_table(zone)->records;

    for (i = 0; i < NGX_HTTP_GW_AUTH_JWKS_RECORDS; i++) {

        if (record[i].epoch == 0) {
            continue;
        }

        n++;
        old = ngx_http_gw_auth_jwks_since(record[i].fetched);

        if (old > *age) {
            *age = old;
        }
    }

    return n;
}
