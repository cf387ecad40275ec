
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_conf.h"
#include "ngx_http_gw_auth_issuer_conf.h"
#include "ngx_http_gw_auth_key_conf.h"
#include "ngx_http_gw_value.h"


static char *ngx_http_gw_auth_conf_token(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_str_t *text, ngx_int_t *index);
static char *ngx_http_gw_auth_conf_source(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_key_conf_t *key,
    ngx_str_t *param);
static char *ngx_http_gw_auth_conf_source_name(ngx_conf_t *cf,
    ngx_str_t *param, size_t skip, ngx_str_t *name);
static ngx_int_t ngx_http_gw_auth_conf_arg(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_str_t *name);
static char *ngx_http_gw_auth_conf_check(ngx_conf_t *cf,
    ngx_http_gw_auth_loc_conf_t *prev, ngx_http_gw_auth_loc_conf_t *conf,
    ngx_uint_t server);
static void ngx_http_gw_auth_conf_underscore(ngx_conf_t *cf,
    ngx_http_gw_auth_key_conf_t *key);
static ngx_int_t ngx_http_gw_auth_conf_phase(ngx_conf_t *cf,
    ngx_http_gw_auth_loc_conf_t *conf);
static void ngx_http_gw_auth_conf_strip(ngx_conf_t *cf,
    ngx_http_gw_auth_jwt_conf_t *jwt);
static ngx_int_t ngx_http_gw_auth_conf_issuers(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf, ngx_uint_t keys);


char *
ngx_http_gw_auth_conf_jwt(ngx_conf_t *cf, ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_http_gw_auth_loc_conf_t *alcf)
{
    char                         *rv;
    ngx_str_t                    *value, *name, text;
    ngx_uint_t                    i;
    ngx_http_gw_auth_jwt_conf_t  *jwt;

    if (alcf->jwt != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            return "cannot have parameters when it is \"off\"";
        }

        alcf->jwt = NULL;

        return NGX_CONF_OK;
    }

    jwt = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_jwt_conf_t));
    if (jwt == NULL) {
        return NGX_CONF_ERROR;
    }

    jwt->token = NGX_ERROR;
    jwt->conf_file = cf->conf_file->file.name.data;
    jwt->conf_line = cf->conf_file->line;

    if (ngx_http_gw_value_compile(cf, &value[1], &jwt->realm) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "token=", 6) == 0
            && jwt->token == NGX_ERROR)
        {
            text.len = value[i].len - 6;
            text.data = value[i].data + 6;

            rv = ngx_http_gw_auth_conf_token(cf, gmcf, &text, &jwt->token);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

            text.len--;
            text.data++;

            ngx_http_gw_auth_place(&text, &jwt->source);

            continue;
        }

        if (ngx_strncmp(value[i].data, "issuer=", 7) == 0
            && value[i].len > 7)
        {
            if (jwt->issuers == NULL) {

                jwt->issuers = ngx_array_create(cf->pool, 1,
                                                sizeof(ngx_str_t));
                if (jwt->issuers == NULL) {
                    return NGX_CONF_ERROR;
                }
            }

            name = ngx_array_push(jwt->issuers);
            if (name == NULL) {
                return NGX_CONF_ERROR;
            }

            name->len = value[i].len - 7;
            name->data = value[i].data + 7;
            continue;
        }

        if (ngx_strcmp(value[i].data, "optional") == 0) {
            jwt->optional = 1;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    alcf->jwt = jwt;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_conf_token(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_str_t *text, ngx_int_t *index)
{
    ngx_str_t  name;

    if (text->len < 2 || text->data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"token=%V\" is not a variable", text);
        return NGX_CONF_ERROR;
    }

    name.len = text->len - 1;
    name.data = text->data + 1;

    *index = ngx_http_get_variable_index(cf, &name);
    if (*index == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (name.len == sizeof("http_authorization") - 1
        && ngx_strncasecmp(name.data, (u_char *) "http_authorization",
                           sizeof("http_authorization") - 1)
           == 0)
    {
        return "takes the header \"Authorization\" without \"token=\": the "
               "variable has the word \"Bearer\", too";
    }

    if (name.len <= 4 || ngx_strncasecmp(name.data, (u_char *) "arg_", 4)
                         != 0)
    {
        return NGX_CONF_OK;
    }

    name.len -= 4;
    name.data += 4;

    if (ngx_http_gw_auth_conf_arg(cf, gmcf, &name) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* credentials in a query are written to logs and sent in Referer */

static ngx_int_t
ngx_http_gw_auth_conf_arg(ngx_conf_t *cf, ngx_http_gw_auth_main_conf_t *gmcf,
    ngx_str_t *name)
{
    ngx_str_t   *arg;
    ngx_uint_t   i;

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "a credential in the argument \"%V\" gets into logs, "
                       "use \"$gw_request_uri\" in \"log_format\"", name);

    arg = gmcf->args.elts;

    for (i = 0; i < gmcf->args.nelts; i++) {

        if (arg[i].len == name->len
            && ngx_strncasecmp(arg[i].data, name->data, name->len) == 0)
        {
            return NGX_OK;
        }
    }

    arg = ngx_array_push(&gmcf->args);
    if (arg == NULL) {
        return NGX_ERROR;
    }

    *arg = *name;

    return NGX_OK;
}


char *
ngx_http_gw_auth_conf_algorithms(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    char           *rv;
    gw_alg_mask_t   mask;

    if (alcf->algorithms != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    rv = ngx_http_gw_auth_conf_mask(cf, &mask);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    alcf->algorithms = mask;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_conf_mask(ngx_conf_t *cf, gw_alg_mask_t *mask)
{
    gw_alg_e     alg;
    ngx_str_t   *value;
    ngx_uint_t   i;

    *mask = 0;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        alg = gw_alg_find(value[i].data, value[i].len);

        if (alg != GW_ALG_MAX && gw_jwk_supports(alg)) {
            *mask |= gw_alg_bit(alg);
            continue;
        }

        if (ngx_strcasecmp(value[i].data, (u_char *) "none") == 0) {
            return "cannot be \"none\": the signature is always verified";
        }

        if (alg != GW_ALG_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the algorithm \"%V\" needs OpenSSL 3.5 or "
                               "newer", &value[i]);
            return NGX_CONF_ERROR;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown algorithm \"%V\", name one of RFC 7518 "
                           "as RS256, PS256, ES256, EdDSA or HS256",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_conf_challenge(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    size_t      i;
    ngx_str_t  *value;

    if (alcf->challenge != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        alcf->challenge = NGX_HTTP_GW_AUTH_CHALLENGE_ON;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        alcf->challenge = NGX_HTTP_GW_AUTH_CHALLENGE_OFF;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0) {
        return "cannot be empty, use \"off\"";
    }

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < 0x20 || value[1].data[i] == 0x7f) {
            return "cannot have control characters";
        }
    }

    alcf->challenge = NGX_HTTP_GW_AUTH_CHALLENGE_TEXT;
    alcf->challenge_text = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_conf_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *size = data;

    if (*size == 0) {
        return "cannot be 0";
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_conf_leeway(ngx_conf_t *cf, void *post, void *data)
{
    time_t  *leeway = data;

    if (*leeway > NGX_HTTP_GW_AUTH_MAX_LEEWAY) {
        return "cannot be longer than a day";
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_auth_conf_api_key(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf)
{
    char                          *rv;
    ngx_str_t                     *value, *name;
    ngx_uint_t                     i;
    ngx_http_gw_auth_source_t     *source;
    ngx_http_gw_auth_key_conf_t   *key, **slot;

    if (alcf->key != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            return "cannot have parameters when it is \"off\"";
        }

        alcf->key = NULL;

        return NGX_CONF_OK;
    }

    key = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_key_conf_t));
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    key->conf_file = cf->conf_file->file.name.data;
    key->conf_line = cf->conf_file->line;

    if (ngx_array_init(&key->names, cf->pool, 1, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_value_compile(cf, &value[1], &key->realm) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "optional") == 0) {
            key->optional = 1;
            continue;
        }

        if (ngx_strncmp(value[i].data, "store=", 6) == 0
            && value[i].len > 6)
        {
            name = ngx_array_push(&key->names);
            if (name == NULL) {
                return NGX_CONF_ERROR;
            }

            name->len = value[i].len - 6;
            name->data = value[i].data + 6;
            continue;
        }

        rv = ngx_http_gw_auth_conf_source(cf, gmcf, key, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    source = &key->source;

    if (source->header.len == 0
        && source->arg.len == 0
        && source->cookie.len == 0
        && source->scheme.len == 0)
    {
        ngx_str_set(&source->header, "x-api-key");
    }

    source->header_hash = ngx_hash_key(source->header.data,
                                       source->header.len);

    slot = ngx_array_push(&gmcf->key_confs);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = key;
    alcf->key = key;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_conf_source(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_key_conf_t *key,
    ngx_str_t *param)
{
    char                       *rv;
    ngx_http_gw_auth_source_t  *source;

    source = &key->source;

    if (ngx_strncmp(param->data, "header=", 7) == 0) {

        rv = ngx_http_gw_auth_conf_source_name(cf, param, 7, &source->header);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (ngx_strchr(source->header.data, '.') != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "nginx drops headers with a \".\" in their "
                               "names, \"%V\" would never be seen, use "
                               "another name", param);
            return NGX_CONF_ERROR;
        }

        ngx_strlow(source->header.data, source->header.data,
                   source->header.len);

        if (ngx_strcmp(source->header.data, "authorization") == 0) {
            return "takes a key from the Authorization header by its scheme, "
                   "use \"scheme=\"";
        }

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(param->data, "arg=", 4) == 0) {

        rv = ngx_http_gw_auth_conf_source_name(cf, param, 4, &source->arg);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (ngx_http_gw_auth_conf_arg(cf, gmcf, &source->arg) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(param->data, "cookie=", 7) == 0) {
        return ngx_http_gw_auth_conf_source_name(cf, param, 7,
                                                 &source->cookie);
    }

    if (ngx_strncmp(param->data, "scheme=", 7) == 0) {
        return ngx_http_gw_auth_conf_source_name(cf, param, 7,
                                                 &source->scheme);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", param);

    return NGX_CONF_ERROR;
}


/* a token of RFC 9110, 5.6.2, less what nobody puts in a name */

static char *
ngx_http_gw_auth_conf_source_name(ngx_conf_t *cf, ngx_str_t *param,
    size_t skip, ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    if (name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate parameter \"%V\"", param);
        return NGX_CONF_ERROR;
    }

    name->len = param->len - skip;
    name->data = param->data + skip;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c >= 'a' && c <= 'z')
            || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || c == '-'
            || c == '_'
            || c == '.')
        {
            continue;
        }

        break;
    }

    if (name->len == 0 || i < name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name in \"%V\"", param);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_http_gw_auth_claim_var_t *
ngx_http_gw_auth_conf_claim(ngx_conf_t *cf)
{
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_gw_auth_claim_var_t  *claim;

    value = cf->args->elts;

    claim = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_claim_var_t));
    if (claim == NULL) {
        return NULL;
    }

    claim->n = cf->args->nelts - 2;

    claim->names = ngx_palloc(cf->pool, claim->n * sizeof(gw_claim_name_t));
    if (claim->names == NULL) {
        return NULL;
    }

    for (i = 0; i < claim->n; i++) {
        claim->names[i].data = (char *) value[i + 2].data;
        claim->names[i].len = value[i + 2].len;
    }

    return claim;
}


ngx_int_t
ngx_http_gw_auth_conf_stores(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf)
{
    ngx_str_t                     *name;
    ngx_uint_t                     i, n;
    ngx_http_gw_auth_store_t      *store, **slot;
    ngx_http_gw_auth_key_conf_t  **key;

    key = gmcf->key_confs.elts;

    for (i = 0; i < gmcf->key_confs.nelts; i++) {

        if (key[i]->names.nelts == 0) {

            if (gmcf->stores.nelts == 1) {
                key[i]->stores = gmcf->stores;
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          gmcf->stores.nelts
                          ? "\"gw_api_key\" in %s:%ui must name one of "
                            "several stores with \"store=\""
                          : "\"gw_api_key\" in %s:%ui has no store, define "
                            "one with \"gw_api_keys\"",
                          key[i]->conf_file, key[i]->conf_line);
            return NGX_ERROR;
        }

        if (ngx_array_init(&key[i]->stores, cf->pool, key[i]->names.nelts,
                           sizeof(ngx_http_gw_auth_store_t *))
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        name = key[i]->names.elts;

        for (n = 0; n < key[i]->names.nelts; n++) {

            store = ngx_http_gw_auth_find_store(&gmcf->stores, &name[n]);

            if (store == NULL) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "\"gw_api_key\" names the store \"%V\" in "
                              "%s:%ui, define it with \"gw_api_keys\"",
                              &name[n], key[i]->conf_file,
                              key[i]->conf_line);
                return NGX_ERROR;
            }

            slot = ngx_array_push(&key[i]->stores);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            *slot = store;
        }
    }

    return NGX_OK;
}


char *
ngx_http_gw_auth_conf_merge(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf, ngx_uint_t server)
{
    ngx_uint_t  idle, keys, own;

    /* metadata are for those who have no credential yet */

    if (conf->metadata
        && conf->jwt == NGX_CONF_UNSET_PTR
        && conf->key == NGX_CONF_UNSET_PTR
        && conf->mode == NGX_CONF_UNSET_UINT)
    {
        conf->open = 1;
    }

    keys = (conf->keys != NGX_CONF_UNSET_PTR);

    if (prev->policy
        && conf->jwt == NGX_CONF_UNSET_PTR
        && conf->key == NGX_CONF_UNSET_PTR
        && conf->keys == NGX_CONF_UNSET_PTR
        && conf->key_cache == NGX_CONF_UNSET_PTR
        && conf->require == NGX_CONF_UNSET_PTR
        && conf->require_claims == NGX_CONF_UNSET_PTR
        && conf->require_headers == NGX_CONF_UNSET_PTR
        && conf->algorithms == NGX_CONF_UNSET_UINT
        && conf->leeway == NGX_CONF_UNSET
        && conf->max_size == NGX_CONF_UNSET_SIZE
        && conf->validate_exp == NGX_CONF_UNSET
        && conf->cache == NGX_CONF_UNSET
        && conf->budget == NGX_CONF_UNSET_PTR
        && conf->mode == NGX_CONF_UNSET_UINT
        && conf->challenge == NGX_CONF_UNSET_UINT
        && !ngx_http_gw_auth_rules_own(&conf->rules))
    {
        conf->policy = prev->policy;

    } else {
        conf->policy = conf;
    }

    ngx_conf_merge_ptr_value(conf->jwt, prev->jwt, NULL);
    ngx_conf_merge_ptr_value(conf->key, prev->key, NULL);
    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_ptr_value(conf->key_cache, prev->key_cache, NULL);
    ngx_conf_merge_ptr_value(conf->require, prev->require, NULL);
    ngx_conf_merge_ptr_value(conf->require_claims, prev->require_claims,
                             NULL);
    ngx_conf_merge_ptr_value(conf->require_headers, prev->require_headers,
                             NULL);
    ngx_conf_merge_uint_value(conf->algorithms, prev->algorithms, 0);
    ngx_conf_merge_sec_value(conf->leeway, prev->leeway,
                             NGX_HTTP_GW_AUTH_LEEWAY);
    ngx_conf_merge_size_value(conf->max_size, prev->max_size,
                              NGX_HTTP_GW_AUTH_MAX_SIZE);
    ngx_conf_merge_value(conf->validate_exp, prev->validate_exp, 1);
    ngx_conf_merge_sec_value(conf->cache, prev->cache,
                             NGX_HTTP_GW_AUTH_CACHE_MAX);
    ngx_conf_merge_ptr_value(conf->budget, prev->budget, NULL);
    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_GW_AUTH_ALL);

    own = (conf->rules.strip != NGX_CONF_UNSET);
    idle = ((conf->jwt == NULL && conf->key == NULL)
            && conf->mode != NGX_HTTP_GW_AUTH_OFF && !conf->open && !server);

    if (ngx_http_gw_auth_rules_merge(cf, &prev->rules, &conf->rules, idle)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->rules.strip && conf->jwt && !server
        && (own || conf->jwt != prev->jwt))
    {
        ngx_http_gw_auth_conf_strip(cf, conf->jwt);
    }

    if (conf->challenge == NGX_CONF_UNSET_UINT) {
        conf->challenge_text = prev->challenge_text;
    }

    ngx_conf_merge_uint_value(conf->challenge, prev->challenge,
                              NGX_HTTP_GW_AUTH_CHALLENGE_ON);

    if (ngx_http_gw_auth_conf_issuers(cf, gmcf, prev, conf, keys) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->mode == NGX_HTTP_GW_AUTH_OFF || conf->open) {
        return NGX_CONF_OK;
    }

    return ngx_http_gw_auth_conf_check(cf, prev, conf, server);
}


/* core asks for "satisfy" in the access phase */

static ngx_int_t
ngx_http_gw_auth_conf_phase(ngx_conf_t *cf, ngx_http_gw_auth_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!ngx_http_gw_auth_asks(conf)
        || conf->rules.phase == NGX_HTTP_ACCESS_PHASE
        || clcf->satisfy != NGX_HTTP_SATISFY_ANY)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"satisfy any\" cannot combine \"%s\" in %s:%ui with "
                  "other checks in \"gw_auth_phase preaccess\", use "
                  "\"gw_auth_phase access\"",
                  conf->jwt ? "gw_jwt" : "gw_api_key",
                  conf->jwt ? conf->jwt->conf_file : conf->key->conf_file,
                  conf->jwt ? conf->jwt->conf_line : conf->key->conf_line);

    return NGX_ERROR;
}


static void
ngx_http_gw_auth_conf_strip(ngx_conf_t *cf, ngx_http_gw_auth_jwt_conf_t *jwt)
{
    if (jwt->token == NGX_ERROR
        || jwt->source.header.len
        || jwt->source.arg.len
        || jwt->source.cookie.len)
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"gw_auth_strip\" does not know where the token of "
                  "\"gw_jwt\" in %s:%ui comes from, use \"token=\" with "
                  "\"$http_name\", \"$cookie_name\" or \"$arg_name\"",
                  jwt->conf_file, jwt->conf_line);
}


/* nginx drops such a header before anybody sees it, unless told not to */

static void
ngx_http_gw_auth_conf_underscore(ngx_conf_t *cf,
    ngx_http_gw_auth_key_conf_t *key)
{
    ngx_http_core_srv_conf_t  *cscf;

    if (key->source.header.len == 0
        || ngx_strlchr(key->source.header.data,
                       key->source.header.data + key->source.header.len, '_')
           == NULL)
    {
        return;
    }

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if (cscf->underscores_in_headers == 1
        || cscf->ignore_invalid_headers == 0)
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "the header \"%V\" of \"gw_api_key\" in %s:%ui is never "
                  "seen, set \"underscores_in_headers on\" or name it with "
                  "\"-\"", &key->source.header, key->conf_file,
                  key->conf_line);
}


static char *
ngx_http_gw_auth_conf_check(ngx_conf_t *cf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf, ngx_uint_t server)
{
    ngx_str_t                  *scheme;
    ngx_http_gw_auth_issuer_t  *issuer;

    if (!server && ngx_http_gw_auth_conf_phase(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->key && !server && conf->policy == conf) {
        ngx_http_gw_auth_conf_underscore(cf, conf->key);
    }

    if (conf->jwt == NULL) {

        if (conf->mode == NGX_HTTP_GW_AUTH_ANY && conf->key == NULL
            && !server && conf->policy == conf)
        {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "\"gw_auth any\" without \"gw_jwt\" and "
                               "\"gw_api_key\" lets every request pass");
        }

        return NGX_CONF_OK;
    }

    if (conf->key) {
        scheme = &conf->key->source.scheme;

        if (scheme->len == sizeof("Bearer") - 1
            && ngx_strncasecmp(scheme->data, (u_char *) "Bearer",
                               sizeof("Bearer") - 1)
               == 0)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"scheme=Bearer\" of \"gw_api_key\" in %s:%ui "
                          "and \"gw_jwt\" in %s:%ui would take the same "
                          "header", conf->key->conf_file,
                          conf->key->conf_line, conf->jwt->conf_file,
                          conf->jwt->conf_line);
            return NGX_CONF_ERROR;
        }
    }

    /* no request ends at server{} itself: its locations complete it */

    if (server || conf->policy->checked) {
        return NGX_CONF_OK;
    }

    if (conf->issuers == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_jwt\" in %s:%ui has no keys, add "
                      "\"gw_jwt_key_file\" or name an issuer with "
                      "\"issuer=\"",
                      conf->jwt->conf_file, conf->jwt->conf_line);
        return NGX_CONF_ERROR;
    }

    conf->policy->checked = 1;

    /* those of a block have been checked at its end */

    if (conf->jwt->issuers
        || (prev->policy
            && prev->policy->checked
            && prev->issuers == conf->issuers))
    {
        return NGX_CONF_OK;
    }

    issuer = ((ngx_http_gw_auth_issuer_t **) conf->issuers->elts)[0];

    if (ngx_http_gw_auth_check_keys(cf, issuer) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_auth_conf_issuers(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf, ngx_uint_t keys)
{
    if (conf->jwt == NULL) {
        return NGX_OK;
    }

    if (conf->jwt->issuers == NULL) {
        return ngx_http_gw_auth_issuer_anonymous(cf, gmcf, prev, conf);
    }

    if (keys) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_jwt_key_file\" is of no use to \"gw_jwt\" with "
                      "\"issuer=\" in %s:%ui, move it to the block of the "
                      "issuer as \"key_file\"",
                      conf->jwt->conf_file, conf->jwt->conf_line);
        return NGX_ERROR;
    }

    /* http{} is never merged, and has resolved nothing */

    if (prev->issuers
        && prev->jwt == conf->jwt
        && prev->algorithms == conf->algorithms)
    {
        conf->issuers = prev->issuers;
        return NGX_OK;
    }

    return ngx_http_gw_auth_issuer_resolve(cf, gmcf, conf);
}
