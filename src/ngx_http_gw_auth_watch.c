
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_watch.h"


typedef struct {
    ngx_str_t                  name;        /* full, zero-terminated */
    gw_jwk_format_e            format;
    ngx_http_gw_auth_stamp_t   stamp;
    gw_jwk_set_t              *set;         /* NULL: not read by this worker */
    ngx_msec_t                 looked;
    ngx_msec_t                 used;
    ngx_err_t                  err;
    unsigned                   chosen:1;    /* by variables */
    unsigned                   failed:1;    /* and that is logged */
    unsigned                   gone:1;
} ngx_http_gw_auth_seen_t;


struct ngx_http_gw_auth_watch_s {
    ngx_http_gw_auth_seen_t  **fixed;       /* by index of the source */
    ngx_uint_t                 nfixed;

    ngx_http_gw_auth_seen_t   *chosen[NGX_HTTP_GW_AUTH_MAX_CHOSEN];
    ngx_uint_t                 nchosen;
};


static ngx_http_gw_auth_watch_t *ngx_http_gw_auth_watch_create(
    ngx_http_gw_auth_keyring_t *ring, ngx_log_t *log);
static ngx_int_t ngx_http_gw_auth_watch_name(ngx_http_request_t *r,
    ngx_http_gw_auth_keys_t *keys, ngx_str_t *name);
static ngx_http_gw_auth_seen_t *ngx_http_gw_auth_watch_find(
    ngx_http_gw_auth_watch_t *watch, ngx_str_t *name, gw_jwk_format_e format);
static ngx_http_gw_auth_seen_t *ngx_http_gw_auth_watch_seen(ngx_str_t *name,
    gw_jwk_format_e format, ngx_log_t *log);
static ngx_int_t ngx_http_gw_auth_watch_choose(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_http_gw_auth_seen_t **seen);
static void ngx_http_gw_auth_watch_evict(ngx_http_gw_auth_keyring_t *ring);
static void ngx_http_gw_auth_watch_look(ngx_http_gw_auth_keyring_t *ring,
    ngx_http_gw_auth_seen_t *seen);
static void ngx_http_gw_auth_watch_fail(ngx_http_gw_auth_seen_t *seen,
    ngx_err_t err, const char *format, ngx_log_t *log);
static void ngx_http_gw_auth_watch_read(ngx_http_gw_auth_keyring_t *ring,
    ngx_http_gw_auth_seen_t *seen);
static void ngx_http_gw_auth_watch_refused(ngx_http_gw_auth_seen_t *seen,
    gw_jwk_error_t *err, ngx_log_t *log);
static void ngx_http_gw_auth_watch_free_seen(ngx_http_gw_auth_seen_t *seen);


ngx_int_t
ngx_http_gw_auth_watch_get(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    const gw_jwk_set_t **set)
{
    ngx_int_t                  rc;
    ngx_http_gw_auth_seen_t   *seen;
    ngx_http_gw_auth_watch_t  *watch;

    *set = keys->set;

    if (keys->watch == 0) {
        return NGX_OK;
    }

    if (ring->watch == NULL) {
        ring->watch = ngx_http_gw_auth_watch_create(ring, ngx_cycle->log);

        if (ring->watch == NULL) {
            return NGX_ERROR;
        }
    }

    watch = ring->watch;

    if (keys->value) {
        rc = ngx_http_gw_auth_watch_choose(r, ring, keys, &seen);
        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        seen = watch->fixed[keys->index];

        if (seen == NULL) {
            seen = ngx_http_gw_auth_watch_seen(&keys->name, keys->format,
                                               ngx_cycle->log);
            if (seen == NULL) {
                return NGX_ERROR;
            }

            seen->stamp = keys->stamp;
            seen->looked = ngx_current_msec - keys->watch;

            watch->fixed[keys->index] = seen;
        }
    }

    if (ngx_current_msec - seen->looked >= keys->watch) {
        seen->looked = ngx_current_msec;
        ngx_http_gw_auth_watch_look(ring, seen);
    }

    seen->used = ngx_current_msec;

    if (seen->set) {
        *set = seen->set;
    }

    if (*set) {
        return NGX_OK;
    }

    if (seen->gone) {
        return NGX_DECLINED;
    }

    ring->retry = keys->watch / 1000;

    return NGX_BUSY;
}


static ngx_http_gw_auth_watch_t *
ngx_http_gw_auth_watch_create(ngx_http_gw_auth_keyring_t *ring,
    ngx_log_t *log)
{
    size_t                     len;
    ngx_http_gw_auth_watch_t  *watch;

    len = ring->sources.nelts * sizeof(ngx_http_gw_auth_seen_t *);

    watch = ngx_calloc(sizeof(ngx_http_gw_auth_watch_t), log);
    if (watch == NULL) {
        return NULL;
    }

    watch->nfixed = ring->sources.nelts;

    watch->fixed = ngx_calloc(len, log);
    if (watch->fixed == NULL) {
        ngx_free(watch);
        return NULL;
    }

    return watch;
}


static ngx_int_t
ngx_http_gw_auth_watch_choose(ngx_http_request_t *r,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_http_gw_auth_seen_t **seen)
{
    ngx_int_t                  rc;
    ngx_str_t                  name;
    ngx_file_info_t            fi;
    ngx_http_gw_auth_watch_t  *watch;

    watch = ring->watch;

    rc = ngx_http_gw_auth_watch_name(r, keys, &name);
    if (rc != NGX_OK) {
        return rc;
    }

    *seen = ngx_http_gw_auth_watch_find(watch, &name, keys->format);

    if (*seen) {
        return NGX_OK;
    }

    /* names that clients invent take no place in the table */

    if (ngx_file_info(name.data, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR
            || ngx_errno == NGX_ENAMETOOLONG)
        {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      ngx_file_info_n " \"%V\" failed", &name);

        ring->retry = keys->watch / 1000;

        return NGX_BUSY;
    }

    if (watch->nchosen == NGX_HTTP_GW_AUTH_MAX_CHOSEN) {
        ngx_http_gw_auth_watch_evict(ring);
    }

    *seen = ngx_http_gw_auth_watch_seen(&name, keys->format, ngx_cycle->log);
    if (*seen == NULL) {
        return NGX_ERROR;
    }

    (*seen)->chosen = 1;
    (*seen)->looked = ngx_current_msec - keys->watch;

    watch->chosen[watch->nchosen++] = *seen;

    return NGX_OK;
}


/* what a value adds to a name must not lead out of its directory */

static ngx_int_t
ngx_http_gw_auth_watch_name(ngx_http_request_t *r,
    ngx_http_gw_auth_keys_t *keys, ngx_str_t *name)
{
    u_char  *p;

    if (ngx_http_complex_value(r, keys->value, name) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the zero at its end was compiled in */

    name->len--;

    if (ngx_strlen(name->data) != name->len) {
        return NGX_DECLINED;
    }

    for (p = name->data; /* void */; p += 3) {

        p = (u_char *) ngx_strstr(p, "/..");

        if (p == NULL) {
            return NGX_OK;
        }

        if (p[3] == '/' || p[3] == '\0') {

            ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                          "the name of a key file leads out of its "
                          "directory: \"%V\"", name);
            return NGX_DECLINED;
        }
    }
}


static ngx_http_gw_auth_seen_t *
ngx_http_gw_auth_watch_find(ngx_http_gw_auth_watch_t *watch, ngx_str_t *name,
    gw_jwk_format_e format)
{
    ngx_uint_t                i;
    ngx_http_gw_auth_seen_t  *seen;

    for (i = 0; i < watch->nchosen; i++) {
        seen = watch->chosen[i];

        if (seen->name.len == name->len
            && seen->format == format
            && ngx_memcmp(seen->name.data, name->data, name->len) == 0)
        {
            return seen;
        }
    }

    return NULL;
}


static ngx_http_gw_auth_seen_t *
ngx_http_gw_auth_watch_seen(ngx_str_t *name, gw_jwk_format_e format,
    ngx_log_t *log)
{
    ngx_http_gw_auth_seen_t  *seen;

    seen = ngx_calloc(sizeof(ngx_http_gw_auth_seen_t) + name->len + 1, log);
    if (seen == NULL) {
        return NULL;
    }

    seen->name.len = name->len;
    seen->name.data = (u_char *) seen + sizeof(ngx_http_gw_auth_seen_t);
    seen->format = format;

    ngx_memcpy(seen->name.data, name->data, name->len);

    return seen;
}


static void
ngx_http_gw_auth_watch_evict(ngx_http_gw_auth_keyring_t *ring)
{
    ngx_uint_t                 i, n;
    ngx_http_gw_auth_watch_t  *watch;

    n = 0;
    watch = ring->watch;

    for (i = 1; i < watch->nchosen; i++) {
        if ((ngx_msec_int_t) (watch->chosen[i]->used - watch->chosen[n]->used)
            < 0)
        {
            n = i;
        }
    }

    ngx_http_gw_auth_keyring_retire(ring, watch->chosen[n]->set);

    ngx_free(watch->chosen[n]);

    watch->chosen[n] = watch->chosen[--watch->nchosen];
}


static void
ngx_http_gw_auth_watch_look(ngx_http_gw_auth_keyring_t *ring,
    ngx_http_gw_auth_seen_t *seen)
{
    ngx_log_t                 *log;
    ngx_file_info_t            fi;
    ngx_http_gw_auth_stamp_t   stamp;

    /* not that of the request, which adds a line with its credentials */

    log = ngx_cycle->log;

    if (ngx_file_info(seen->name.data, &fi) == NGX_FILE_ERROR) {

        if (seen->chosen
            && (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR))
        {
            /* who is chosen by a name ends with it */

            ngx_http_gw_auth_keyring_retire(ring, seen->set);
            ngx_memzero(&seen->stamp, sizeof(ngx_http_gw_auth_stamp_t));

            seen->set = NULL;
            seen->gone = 1;
            return;
        }

        ngx_http_gw_auth_watch_fail(seen, ngx_errno,
                                    ngx_file_info_n " \"%V\" failed", log);
        return;
    }

    seen->gone = 0;
    stamp = seen->stamp;

    if (!ngx_http_gw_auth_file_stamp(&fi, &stamp)) {

        if (seen->err) {
            /* it was away for a moment */
            seen->failed = 0;
            seen->err = 0;
        }

        return;
    }

    ngx_http_gw_auth_watch_read(ring, seen);
}


/* a file that cannot be read is tried again, but not told of again */

static void
ngx_http_gw_auth_watch_fail(ngx_http_gw_auth_seen_t *seen, ngx_err_t err,
    const char *format, ngx_log_t *log)
{
    if (seen->failed && seen->err == err) {
        return;
    }

    seen->failed = 1;
    seen->err = err;

    ngx_log_error(NGX_LOG_ERR, log, err, format, &seen->name,
                  (size_t) GW_JWK_MAX_SET);

    if (err == NGX_EACCES) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "workers must be able to read \"%V\" themselves when "
                      "it is watched or chosen by variables: give it to "
                      "their user or group", &seen->name);
    }
}


static void
ngx_http_gw_auth_watch_read(ngx_http_gw_auth_keyring_t *ring,
    ngx_http_gw_auth_seen_t *seen)
{
    ngx_str_t                       text;
    ngx_log_t                      *log;
    gw_jwk_set_t                   *set;
    gw_jwk_error_t                  err;
    ngx_file_info_t                 fi;
    ngx_http_gw_auth_file_error_t   error;

    log = ngx_cycle->log;

    if (ngx_http_gw_auth_load_file(&seen->name, GW_JWK_MAX_SET, log, &text,
                                   &fi, &error)
        != NGX_OK)
    {
        ngx_http_gw_auth_watch_fail(seen, error.err, error.format, log);
        return;
    }

    ngx_memzero(&err, sizeof(gw_jwk_error_t));

    set = gw_jwk_set_parse(text.data, text.len, seen->format, 0, ring->hash,
                           &err);

    ngx_http_gw_auth_free_file(&text);

    if (set == NULL && err.code == GW_JWK_E_MEMORY) {
        ngx_http_gw_auth_watch_fail(seen, NGX_ENOMEM,
                                    "no memory for the keys in \"%V\"", log);
        return;
    }

    /* this state of the file is done with */

    (void) ngx_http_gw_auth_file_stamp(&fi, &seen->stamp);

    seen->err = 0;

    if (set == NULL) {
        seen->failed = 1;
        ngx_http_gw_auth_watch_refused(seen, &err, log);
        return;
    }

    ngx_http_gw_auth_keyring_retire(ring, seen->set);

    seen->set = set;
    seen->failed = 0;

    ring->generation++;

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "key file \"%V\" was read, %uz keys", &seen->name,
                  set->nkeys);
}


static void
ngx_http_gw_auth_watch_refused(ngx_http_gw_auth_seen_t *seen,
    gw_jwk_error_t *err, ngx_log_t *log)
{
    const char  *kept;

    kept = seen->chosen && seen->set == NULL ? "there are no keys"
                                             : "the keys before it stay";

    if (err->code == GW_JWK_E_JSON) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "key file \"%V\" is not JSON at byte %uz: %s; %s",
                      &seen->name, err->position, err->text, kept);

    } else if (err->index >= 0) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "key #%d in \"%V\" is refused: %s; %s", err->index,
                      &seen->name, err->text, kept);

    } else {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "key file \"%V\" is refused: %s; %s", &seen->name,
                      err->text, kept);
    }
}


void
ngx_http_gw_auth_watch_free(ngx_http_gw_auth_watch_t *watch)
{
    ngx_uint_t  i;

    if (watch == NULL) {
        return;
    }

    for (i = 0; i < watch->nfixed; i++) {
        ngx_http_gw_auth_watch_free_seen(watch->fixed[i]);
    }

    for (i = 0; i < watch->nchosen; i++) {
        ngx_http_gw_auth_watch_free_seen(watch->chosen[i]);
    }

    ngx_free(watch->fixed);
    ngx_free(watch);
}


static void
ngx_http_gw_auth_watch_free_seen(ngx_http_gw_auth_seen_t *seen)
{
    if (seen) {
        gw_jwk_set_destroy(seen->set);
        ngx_free(seen);
    }
}
