
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_file.h"
#include "ngx_http_gw_auth_store.h"


typedef struct {
    ngx_str_t            name;       /* full */
    gw_apikey_table_t   *table;

    /* ngx_cidr_t, by number of the key; NULL: none of them has addresses */
    ngx_array_t        **cidrs;
} ngx_http_gw_auth_table_t;


static char *ngx_http_gw_auth_store_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_gw_auth_store_file(ngx_conf_t *cf,
    ngx_http_gw_auth_store_t *store);
static char *ngx_http_gw_auth_store_cidrs(ngx_conf_t *cf,
    ngx_http_gw_auth_table_t *table);
static ngx_array_t *ngx_http_gw_auth_key_cidrs(ngx_conf_t *cf,
    const gw_apikey_t *key, ngx_str_t *file);
static void ngx_http_gw_auth_free_table(void *data);
static ngx_int_t ngx_http_gw_auth_match_cidr(ngx_http_request_t *r,
    ngx_http_gw_auth_table_t *table, const gw_apikey_t *key);


char *
ngx_http_gw_auth_store_block(ngx_conf_t *cf, ngx_array_t *stores)
{
    char                        *rv;
    ngx_str_t                   *value;
    ngx_conf_t                   save;
    ngx_http_gw_auth_store_t    *store, **slot;

    value = cf->args->elts;

    store = ngx_http_gw_auth_find_store(stores, &value[1]);
    if (store) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "API-key store \"%V\" is already defined in %s:%ui",
                           &value[1], store->conf_file, store->conf_line);
        return NGX_CONF_ERROR;
    }

    store = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_store_t));
    if (store == NULL) {
        return NGX_CONF_ERROR;
    }

    store->name = value[1];
    store->conf_file = cf->conf_file->file.name.data;
    store->conf_line = cf->conf_file->line;

    if (ngx_array_init(&store->tables, cf->pool, 1,
                       sizeof(ngx_http_gw_auth_table_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    slot = ngx_array_push(stores);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = store;

    save = *cf;
    cf->handler = ngx_http_gw_auth_store_line;
    cf->handler_conf = (char *) store;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (store->tables.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "API-key store \"%V\" is empty, add \"file\" "
                           "to it", &store->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_store_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_gw_auth_store_t  *store = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "include") == 0) {

        if (cf->args->nelts != 2) {
            return "invalid number of arguments in \"include\"";
        }

        return ngx_conf_include(cf, dummy, conf);
    }

    if (ngx_strcmp(value[0].data, "file") == 0) {

        if (cf->args->nelts != 2) {
            return "invalid number of arguments in \"file\"";
        }

        return ngx_http_gw_auth_store_file(cf, store);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" in \"gw_api_keys\", it may "
                       "have \"file\" and \"include\"", &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_auth_store_file(ngx_conf_t *cf, ngx_http_gw_auth_store_t *store)
{
    ngx_str_t                   text, *value;
    gw_apikey_error_t           err;
    ngx_pool_cleanup_t         *cln;
    ngx_http_gw_auth_table_t   *table;

    value = cf->args->elts;

    if (ngx_conf_full_name(cf->cycle, &value[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    table = ngx_array_push(&store->tables);
    if (table == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_auth_read_file(cf, &value[1], GW_APIKEY_MAX_FILE, &text)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&err, sizeof(gw_apikey_error_t));

    table->name = value[1];
    table->table = gw_apikey_table_parse(text.data, text.len, &err);

    ngx_http_gw_auth_free_file(&text);

    if (table->table == NULL) {

        if (err.line) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "line %uz of \"%V\" is refused: %s",
                               err.line, &table->name, err.text);
        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "API-key file \"%V\" is refused: %s",
                               &table->name, err.text);
        }

        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_gw_auth_free_table;
    cln->data = table->table;

    if (gw_apikey_table_count(table->table) == 0) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "there is no key in \"%V\"", &table->name);
    }

    return ngx_http_gw_auth_store_cidrs(cf, table);
}


static char *
ngx_http_gw_auth_store_cidrs(ngx_conf_t *cf, ngx_http_gw_auth_table_t *table)
{
    size_t              i, n;
    const gw_apikey_t  *key;

    table->cidrs = NULL;

    n = gw_apikey_table_count(table->table);

    for (i = 0; i < n; i++) {

        key = gw_apikey_table_key(table->table, i);

        if (key->cidr.data == NULL) {
            continue;
        }

        if (table->cidrs == NULL) {

            table->cidrs = ngx_pcalloc(cf->pool, n * sizeof(ngx_array_t *));
            if (table->cidrs == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        table->cidrs[i] = ngx_http_gw_auth_key_cidrs(cf, key, &table->name);
        if (table->cidrs[i] == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_array_t *
ngx_http_gw_auth_key_cidrs(ngx_conf_t *cf, const gw_apikey_t *key,
    ngx_str_t *file)
{
    u_char       *p, *last;
    ngx_str_t     text;
    ngx_cidr_t   *cidr;
    ngx_array_t  *cidrs;

    cidrs = ngx_array_create(cf->pool, 1, sizeof(ngx_cidr_t));
    if (cidrs == NULL) {
        return NULL;
    }

    text.data = (u_char *) key->cidr.data;
    last = text.data + key->cidr.len;

    for ( ;; ) {

        p = ngx_strlchr(text.data, last, ',');
        text.len = (p ? p : last) - text.data;

        cidr = ngx_array_push(cidrs);
        if (cidr == NULL) {
            return NULL;
        }

        ngx_memzero(cidr, sizeof(ngx_cidr_t));

        /* NGX_DONE: bits behind the mask, which are ignored */

        if (ngx_ptocidr(&text, cidr) == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid address \"%V\" in \"cidr=\" of "
                               "consumer \"%*s\" in \"%V\"",
                               &text, key->consumer.len, key->consumer.data,
                               file);
            return NULL;
        }

        if (p == NULL) {
            return cidrs;
        }

        text.data = p + 1;
    }
}


static void
ngx_http_gw_auth_free_table(void *data)
{
    gw_apikey_table_t  *table = data;

    gw_apikey_table_destroy(table);
}


ngx_http_gw_auth_store_t *
ngx_http_gw_auth_find_store(ngx_array_t *stores, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_http_gw_auth_store_t   **store;

    store = stores->elts;

    for (i = 0; i < stores->nelts; i++) {

        if (store[i]->name.len == name->len
            && ngx_strncmp(store[i]->name.data, name->data, name->len) == 0)
        {
            return store[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_gw_auth_check_key(ngx_http_request_t *r, ngx_array_t *stores,
    gw_hash_t *hash, ngx_str_t *value, const gw_apikey_t **key,
    ngx_uint_t *reason)
{
    u_char                       digest[GW_APIKEY_DIGEST_LEN];
    time_t                       now;
    ngx_uint_t                   i, n;
    const gw_apikey_t           *found;
    ngx_http_gw_auth_store_t   **store;
    ngx_http_gw_auth_table_t    *table;

    *key = NULL;

    if (value->len > NGX_HTTP_GW_AUTH_KEY_MAX) {
        *reason = GW_REASON_SIZE;
        return NGX_DECLINED;
    }

    if (gw_apikey_digest(hash, value->data, value->len, digest) != GW_OK) {
        *reason = GW_REASON_MEMORY;
        return NGX_ERROR;
    }

    found = NULL;
    table = NULL;
    store = stores->elts;

    for (i = 0; i < stores->nelts && found == NULL; i++) {

        for (n = 0; n < store[i]->tables.nelts && found == NULL; n++) {
            table = (ngx_http_gw_auth_table_t *) store[i]->tables.elts + n;
            found = gw_apikey_find(table->table, digest);
        }
    }

    if (found == NULL) {
        *reason = GW_REASON_KEY;
        return NGX_DECLINED;
    }

    now = ngx_time();

    if (gw_apikey_check(found, now) != GW_OK) {
        *reason = (found->nbf && now < found->nbf) ? GW_REASON_NBF
                                                   : GW_REASON_EXPIRED;
        return NGX_DECLINED;
    }

    if (found->cidr.data
        && ngx_http_gw_auth_match_cidr(r, table, found) != NGX_OK)
    {
        *reason = NGX_HTTP_GW_AUTH_CIDR;
        return NGX_DECLINED;
    }

    *key = found;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_match_cidr(ngx_http_request_t *r,
    ngx_http_gw_auth_table_t *table, const gw_apikey_t *key)
{
    size_t  n;

    n = key - gw_apikey_table_key(table->table, 0);

    return ngx_cidr_match(r->connection->sockaddr, table->cidrs[n]);
}
