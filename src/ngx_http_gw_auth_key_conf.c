
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_key_conf.h"


/* the directives that an error is about */

#define ngx_http_gw_auth_owner(issuer)                                        \
    ((issuer)->name.len ? "gw_jwt_issuer" : "gw_jwt")

#define ngx_http_gw_auth_list(issuer)                                         \
    ((issuer)->name.len ? "algorithms" : "gw_jwt_algorithms")


/* read permission for everybody */
#define NGX_HTTP_GW_AUTH_OTHERS  0004


static ngx_array_t *ngx_http_gw_auth_key_list(ngx_conf_t *cf,
    ngx_array_t **keys);
static char *ngx_http_gw_auth_key_format(ngx_conf_t *cf, ngx_str_t *param,
    ngx_uint_t request, gw_jwk_format_e *format);
static char *ngx_http_gw_auth_key_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t file, ngx_http_complex_value_t **cv);
static ngx_http_gw_auth_keys_t *ngx_http_gw_auth_key_add(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_str_t *name,
    gw_jwk_format_e format);
static ngx_http_gw_auth_keys_t *ngx_http_gw_auth_key_find(
    ngx_http_gw_auth_keyring_t *ring, ngx_str_t *name, gw_jwk_format_e format,
    ngx_msec_t watch);
static ngx_int_t ngx_http_gw_auth_key_read(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys);
static ngx_int_t ngx_http_gw_auth_key_parse(ngx_conf_t *cf,
    ngx_http_gw_auth_keyring_t *ring, ngx_http_gw_auth_keys_t *keys,
    ngx_str_t *text);
static void ngx_http_gw_auth_key_free(void *data);
static gw_alg_mask_t ngx_http_gw_auth_wanted(gw_alg_mask_t allowed);
static ngx_int_t ngx_http_gw_auth_check_file(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer, ngx_uint_t n);
static ngx_int_t ngx_http_gw_auth_check_twice(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer, ngx_http_gw_auth_keys_t *one,
    ngx_http_gw_auth_keys_t *two);
static ngx_int_t ngx_http_gw_auth_check_kids(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer, ngx_http_gw_auth_keys_t *one,
    ngx_http_gw_auth_keys_t *two);


static const ngx_http_gw_auth_key_cache_t  ngx_http_gw_auth_key_defaults = {
    NGX_HTTP_GW_AUTH_REFRESH,
    NGX_HTTP_GW_AUTH_COOLDOWN,
    NGX_HTTP_GW_AUTH_MAX_STALE
};


char *
ngx_http_gw_auth_key_file(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_array_t **keys)
{
    char                      *rv;
    ngx_str_t                 *value, name, text;
    ngx_int_t                  time;
    ngx_uint_t                 i, named;
    ngx_array_t               *list;
    gw_jwk_format_e            format;
    ngx_http_complex_value_t  *cv;
    ngx_http_gw_auth_keys_t   *source, **slot;

    value = cf->args->elts;
    format = GW_JWK_JWKS;
    named = 0;
    time = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "watch=", 6) == 0 && time == 0) {

            text.len = value[i].len - 6;
            text.data = value[i].data + 6;

            time = ngx_parse_time(&text, 0);

            if (time == NGX_ERROR || time < 1000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid parameter \"%V\", it must be a "
                                   "time of at least 1s", &value[i]);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (named) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        rv = ngx_http_gw_auth_key_format(cf, &value[i], 0, &format);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        named = 1;
    }

    list = ngx_http_gw_auth_key_list(cf, keys);
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_gw_auth_key_value(cf, &value[1], 1, &cv);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    name = value[1];

    if (cv == NULL && ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    source = cv ? NULL
                : ngx_http_gw_auth_key_find(ring, &name, format, time);

    if (source == NULL) {
        source = ngx_http_gw_auth_key_add(cf, ring, &name, format);
        if (source == NULL) {
            return NGX_CONF_ERROR;
        }

        source->value = cv;
        source->watch = time;

        if (cv) {
            source->watch = time ? time : NGX_HTTP_GW_AUTH_WATCH;

        } else if (ngx_http_gw_auth_key_read(cf, ring, source) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    slot = ngx_array_push(list);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = source;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_key_request(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_array_t **keys)
{
    char                      *rv;
    ngx_str_t                 *value;
    ngx_array_t               *list;
    gw_jwk_format_e            format;
    ngx_http_complex_value_t  *cv;
    ngx_http_gw_auth_keys_t   *source, **slot;

    value = cf->args->elts;
    format = GW_JWK_JWKS;

    if (cf->args->nelts == 3) {
        rv = ngx_http_gw_auth_key_format(cf, &value[2], 1, &format);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (value[1].len == 0
        || (value[1].data[0] != '/' && value[1].data[0] != '$'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URI \"%V\", it must begin with \"/\": "
                           "name a location with \"internal\" and "
                           "\"proxy_pass\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    list = ngx_http_gw_auth_key_list(cf, keys);
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_gw_auth_key_value(cf, &value[1], 0, &cv);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    source = ngx_http_gw_auth_key_add(cf, ring, &value[1], format);
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    source->value = cv;
    source->request = 1;

    slot = ngx_array_push(list);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = source;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_key_cache(ngx_conf_t *cf,
    ngx_http_gw_auth_key_cache_t **cache)
{
    ngx_int_t                      time;
    ngx_str_t                     *value, text;
    ngx_uint_t                     i;
    ngx_http_gw_auth_key_cache_t  *c;

    value = cf->args->elts;

    if (*cache != NULL && *cache != NGX_CONF_UNSET_PTR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is duplicate", &value[0]);
        return NGX_CONF_ERROR;
    }

    c = ngx_palloc(cf->pool, sizeof(ngx_http_gw_auth_key_cache_t));
    if (c == NULL) {
        return NGX_CONF_ERROR;
    }

    *c = ngx_http_gw_auth_key_defaults;
    *cache = c;

    for (i = 1; i < cf->args->nelts; i++) {

        text = value[i];

        if (i == 1) {
            /* void */

        } else if (ngx_strncmp(text.data, "cooldown=", 9) == 0) {
            text.len -= 9;
            text.data += 9;

        } else if (ngx_strncmp(text.data, "max_stale=", 10) == 0) {
            text.len -= 10;
            text.data += 10;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        time = ngx_parse_time(&text, 0);

        if (time == NGX_ERROR
            || (time < 1000 && text.data != value[i].data + 10))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be a time "
                               "of at least 1s", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (i == 1) {
            c->refresh = (ngx_msec_t) time;

        } else if (text.data == value[i].data + 9) {
            c->cooldown = (ngx_msec_t) time;

        } else {
            c->max_stale = (ngx_msec_t) time;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_key_inline(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_array_t **keys, ngx_str_t *owner)
{
    char                      *rv;
    ngx_str_t                 *value;
    ngx_array_t               *list;
    gw_jwk_format_e            format;
    ngx_http_gw_auth_keys_t   *source, **slot;

    value = cf->args->elts;

    rv = ngx_http_gw_auth_key_format(cf, &value[1], 0, &format);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    list = ngx_http_gw_auth_key_list(cf, keys);
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    source = ngx_http_gw_auth_key_add(cf, ring, owner, format);
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    source->text = 1;

    if (ngx_http_gw_auth_key_parse(cf, ring, source, &value[2]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    slot = ngx_array_push(list);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = source;

    return NGX_CONF_OK;
}


static ngx_array_t *
ngx_http_gw_auth_key_list(ngx_conf_t *cf, ngx_array_t **keys)
{
    ngx_str_t  *value;

    if (*keys == NULL || *keys == NGX_CONF_UNSET_PTR) {
        *keys = ngx_array_create(cf->pool, 1,
                                 sizeof(ngx_http_gw_auth_keys_t *));
        return *keys;
    }

    if ((*keys)->nelts == NGX_HTTP_GW_AUTH_MAX_SOURCES) {
        value = cf->args->elts;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is repeated too often, put the "
                           "keys together", &value[0]);
        return NULL;
    }

    return *keys;
}


static char *
ngx_http_gw_auth_key_format(ngx_conf_t *cf, ngx_str_t *param,
    ngx_uint_t request, gw_jwk_format_e *format)
{
    if (ngx_strcmp(param->data, "jwks") == 0) {
        *format = GW_JWK_JWKS;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(param->data, "keyval") == 0) {
        *format = GW_JWK_KEYVAL;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(param->data, "pem") == 0 && !request) {
        *format = GW_JWK_PEM;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       request ? "invalid parameter \"%V\", it must be "
                                 "\"jwks\" or \"keyval\""
                               : "invalid parameter \"%V\", it must be "
                                 "\"jwks\", \"keyval\" or \"pem\"",
                       param);

    return NGX_CONF_ERROR;
}


/* NULL when there are no variables */

static char *
ngx_http_gw_auth_key_value(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t file,
    ngx_http_complex_value_t **cv)
{
    ngx_http_compile_complex_value_t  ccv;

    *cv = NULL;

    if (ngx_http_script_variables_count(text) == 0) {
        return NGX_CONF_OK;
    }

    *cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*cv == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = *cv;
    ccv.zero = file;
    ccv.conf_prefix = file;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_http_gw_auth_keys_t *
ngx_http_gw_auth_key_add(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_str_t *name, gw_jwk_format_e format)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_gw_auth_keys_t  *source, **slot;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_gw_auth_keys_t));
    if (cln == NULL) {
        return NULL;
    }

    source = cln->data;
    ngx_memzero(source, sizeof(ngx_http_gw_auth_keys_t));

    source->index = ring->sources.nelts;
    source->name = *name;
    source->format = format;

    cln->handler = ngx_http_gw_auth_key_free;

    slot = ngx_array_push(&ring->sources);
    if (slot == NULL) {
        return NULL;
    }

    *slot = source;

    return source;
}


static void
ngx_http_gw_auth_key_free(void *data)
{
    ngx_http_gw_auth_keys_t  *source = data;

    gw_jwk_set_destroy(source->set);
}


/* a file is read once a cycle, whatever the number of its locations */

static ngx_http_gw_auth_keys_t *
ngx_http_gw_auth_key_find(ngx_http_gw_auth_keyring_t *ring, ngx_str_t *name,
    gw_jwk_format_e format, ngx_msec_t watch)
{
    ngx_uint_t                 i;
    ngx_http_gw_auth_keys_t  **source;

    source = ring->sources.elts;

    for (i = 0; i < ring->sources.nelts; i++) {

        if (!source[i]->request
            && !source[i]->text
            && source[i]->value == NULL
            && source[i]->format == format
            && source[i]->watch == watch
            && source[i]->name.len == name->len
            && ngx_strncmp(source[i]->name.data, name->data, name->len) == 0)
        {
            return source[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_gw_auth_key_read(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_http_gw_auth_keys_t *keys)
{
    ngx_int_t                      rc;
    ngx_str_t                      text, *name;
    ngx_file_info_t                fi;
    ngx_http_gw_auth_file_error_t  error;

    name = &keys->name;

    if (ngx_http_gw_auth_load_file(name, GW_JWK_MAX_SET, cf->log, &text, &fi,
                                   &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, error.err, error.format, name,
                           (size_t) GW_JWK_MAX_SET);
        return NGX_ERROR;
    }

    (void) ngx_http_gw_auth_file_stamp(&fi, &keys->stamp);

    rc = ngx_http_gw_auth_key_parse(cf, ring, keys, &text);

    ngx_http_gw_auth_free_file(&text);

    if (rc == NGX_OK
        && (keys->set->algs & GW_ALG_MASK_HS)
        && (ngx_file_access(&fi) & NGX_HTTP_GW_AUTH_OTHERS))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "everybody may read the secrets in \"%V\", take "
                           "that right away with \"chmod o-r\"", name);
    }

    return rc;
}


static ngx_int_t
ngx_http_gw_auth_key_parse(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_http_gw_auth_keys_t *keys, ngx_str_t *text)
{
    ngx_str_t       *name;
    gw_jwk_error_t   err;

    name = &keys->name;

    ngx_memzero(&err, sizeof(gw_jwk_error_t));

    keys->set = gw_jwk_set_parse(text->data, text->len, keys->format, 0,
                                 ring->hash, &err);

    if (keys->set) {
        return NGX_OK;
    }

    if (err.code == GW_JWK_E_JSON) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" is not JSON at byte %uz: %s",
                           name, err.position, err.text);

    } else if (err.index >= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key #%d in \"%V\" is refused: %s",
                           err.index, name, err.text);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" is refused: %s", name, err.text);
    }

    return NGX_ERROR;
}


ngx_array_t *
ngx_http_gw_auth_key_settle(ngx_conf_t *cf, ngx_http_gw_auth_keyring_t *ring,
    ngx_array_t *keys, const ngx_http_gw_auth_key_cache_t *cache)
{
    ngx_uint_t                 i;
    ngx_array_t               *list;
    ngx_http_gw_auth_keys_t   *copy, **source, **slot;

    source = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        if (source[i]->request) {
            break;
        }
    }

    if (i == keys->nelts) {
        return keys;
    }

    list = ngx_array_create(cf->pool, keys->nelts,
                            sizeof(ngx_http_gw_auth_keys_t *));
    if (list == NULL) {
        return NULL;
    }

    for (i = 0; i < keys->nelts; i++) {

        slot = ngx_array_push(list);
        if (slot == NULL) {
            return NULL;
        }

        *slot = source[i];

        if (!source[i]->request) {
            continue;
        }

        /* those that name one URI share what is known of it at run time */

        copy = ngx_http_gw_auth_key_add(cf, ring, &source[i]->name,
                                        source[i]->format);
        if (copy == NULL) {
            return NULL;
        }

        copy->value = source[i]->value;
        copy->cache = cache ? cache : &ngx_http_gw_auth_key_defaults;
        copy->request = 1;

        *slot = copy;
    }

    return list;
}


/* what keys may offer so that a token of an allowed algorithm can pass */

static gw_alg_mask_t
ngx_http_gw_auth_wanted(gw_alg_mask_t allowed)
{
    gw_alg_e       alg;
    gw_alg_mask_t  wanted;

    wanted = 0;

    for (alg = 0; alg < GW_ALG_MAX; alg++) {
        wanted |= gw_alg_wanted(alg, allowed);
    }

    return wanted;
}


ngx_int_t
ngx_http_gw_auth_check_keys(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer)
{
    gw_alg_e                    alg;
    ngx_uint_t                  i, n, unknown;
    gw_alg_mask_t               algs, allowed;
    ngx_http_gw_auth_keys_t   **key;

    algs = 0;
    unknown = 0;
    allowed = issuer->algorithms;
    key = issuer->keys->elts;

    for (i = 0; i < issuer->keys->nelts; i++) {

        for (n = 0; n < i; n++) {
            if (ngx_http_gw_auth_check_twice(cf, issuer, key[n], key[i])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (key[i]->set == NULL) {
            unknown = 1;
            continue;
        }

        if (ngx_http_gw_auth_check_file(cf, issuer, i) != NGX_OK) {
            return NGX_ERROR;
        }

        algs |= key[i]->set->algs;
    }

    /* a key serves its own family only: both are a choice, not a mistake */

    if ((algs & GW_ALG_MASK_HS)
        && (algs & ~GW_ALG_MASK_HS)
        && ((allowed & GW_ALG_MASK_HS) == 0
            || (allowed & ~GW_ALG_MASK_HS) == 0))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "secrets and public keys in one location need "
                      "\"%s\" that names algorithms of both, for \"%s\" "
                      "in %s:%ui", ngx_http_gw_auth_list(issuer),
                      ngx_http_gw_auth_owner(issuer), issuer->conf_file,
                      issuer->conf_line);
        return NGX_ERROR;
    }

    if (!issuer->named || unknown) {
        return NGX_OK;
    }

    for (alg = 0; alg < GW_ALG_MAX; alg++) {

        if ((allowed & gw_alg_bit(alg))
            && (gw_alg_wanted(alg, allowed) & algs) == 0)
        {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"%s\" names %s and no key can verify it, for "
                          "\"%s\" in %s:%ui", ngx_http_gw_auth_list(issuer),
                          gw_alg_name(alg), ngx_http_gw_auth_owner(issuer),
                          issuer->conf_file, issuer->conf_line);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_file(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    ngx_uint_t n)
{
    ngx_uint_t                  i;
    gw_alg_mask_t               allowed;
    ngx_http_gw_auth_keys_t   **key;

    key = issuer->keys->elts;
    allowed = issuer->algorithms;

    if ((key[n]->set->algs & ~GW_ALG_MASK_HS) == 0
        && (allowed & GW_ALG_MASK_HS) == 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "key file \"%V\" holds secrets and no HMAC "
                      "algorithm is allowed, name one as in "
                      "\"%s HS256\", for \"%s\" in %s:%ui",
                      &key[n]->name, ngx_http_gw_auth_list(issuer),
                      ngx_http_gw_auth_owner(issuer), issuer->conf_file,
                      issuer->conf_line);
        return NGX_ERROR;
    }

    if ((key[n]->set->algs & ngx_http_gw_auth_wanted(allowed)) == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no key in \"%V\" can verify an allowed "
                      "algorithm, change \"%s\" for \"%s\" in %s:%ui",
                      &key[n]->name, ngx_http_gw_auth_list(issuer),
                      ngx_http_gw_auth_owner(issuer), issuer->conf_file,
                      issuer->conf_line);
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (key[i]->set
            && ngx_http_gw_auth_check_kids(cf, issuer, key[i], key[n])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_check_twice(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_keys_t *one, ngx_http_gw_auth_keys_t *two)
{
    if (one->request != two->request
        || one->text
        || one->name.len != two->name.len
        || ngx_strncmp(one->name.data, two->name.data, one->name.len) != 0
        || one->format != two->format)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  one->request ? "key set \"%V\" is requested twice for "
                                 "\"%s\" in %s:%ui"
                               : "key file \"%V\" is named twice for "
                                 "\"%s\" in %s:%ui",
                  &one->name, ngx_http_gw_auth_owner(issuer),
                  issuer->conf_file, issuer->conf_line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_gw_auth_check_kids(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    ngx_http_gw_auth_keys_t *one, ngx_http_gw_auth_keys_t *two)
{
    size_t     i, n;
    gw_jwk_t  *a, *b;

    for (i = 0; i < one->set->nkeys; i++) {
        a = &one->set->keys[i];

        for (n = 0; n < two->set->nkeys; n++) {
            b = &two->set->keys[n];

            if (a->kid
                && b->kid
                && a->algs
                && b->algs
                && a->kty == b->kty
                && a->kid_len == b->kid_len
                && ngx_memcmp(a->kid, b->kid, a->kid_len) == 0)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "\"%V\" and \"%V\" hold two keys with the "
                              "same \"kid\", for \"%s\" in %s:%ui",
                              &one->name, &two->name,
                              ngx_http_gw_auth_owner(issuer),
                              issuer->conf_file, issuer->conf_line);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}
