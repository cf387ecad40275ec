
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_claim_path.h"
#include "ngx_http_gw_auth_issuer_conf.h"
#include "ngx_http_gw_auth_key_conf.h"


typedef struct {
    ngx_http_gw_auth_main_conf_t  *gmcf;
    ngx_http_gw_auth_issuer_t     *issuer;
    ngx_http_gw_auth_key_cache_t  *cache;         /* NULL: the default */
} ngx_http_gw_auth_block_t;


typedef struct {
    ngx_str_t       name;
    ngx_uint_t      min;        /* arguments */
    ngx_uint_t      max;        /* 0: any number */
    char         *(*set)(ngx_conf_t *cf, ngx_http_gw_auth_block_t *block,
                      size_t offset);
    size_t          offset;     /* in ngx_http_gw_auth_issuer_t */
} ngx_http_gw_auth_block_command_t;


static ngx_http_gw_auth_issuer_t *ngx_http_gw_auth_issuer_find(
    ngx_array_t *issuers, ngx_str_t *name);
static char *ngx_http_gw_auth_issuer_line(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_http_gw_auth_issuer_complete(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block);
static char *ngx_http_gw_auth_issuer_iss(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_strings(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_algorithms(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_key(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_key_file(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_key_request(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_key_cache(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_paths(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_claims(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);
static char *ngx_http_gw_auth_issuer_path(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer, size_t offset, ngx_str_t *text);
static void *ngx_http_gw_auth_issuer_push(ngx_conf_t *cf,
    ngx_http_gw_auth_issuer_t *issuer, size_t offset, size_t size);
static char *ngx_http_gw_auth_issuer_time(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset);


#define ngx_http_gw_auth_issuer_offset(member)                                \
    offsetof(ngx_http_gw_auth_issuer_t, member)


static const ngx_http_gw_auth_block_command_t
ngx_http_gw_auth_issuer_commands[] = {

    { ngx_string("issuer"), 1, 1,
      ngx_http_gw_auth_issuer_iss, 0 },

    { ngx_string("audience"), 1, 0,
      ngx_http_gw_auth_issuer_strings,
      ngx_http_gw_auth_issuer_offset(audiences) },

    { ngx_string("typ"), 1, 0,
      ngx_http_gw_auth_issuer_strings,
      ngx_http_gw_auth_issuer_offset(typs) },

    { ngx_string("algorithms"), 1, 0,
      ngx_http_gw_auth_issuer_algorithms, 0 },

    { ngx_string("key"), 2, 2,
      ngx_http_gw_auth_issuer_key, 0 },

    { ngx_string("key_file"), 1, 3,
      ngx_http_gw_auth_issuer_key_file, 0 },

    { ngx_string("key_request"), 1, 2,
      ngx_http_gw_auth_issuer_key_request, 0 },

    { ngx_string("key_cache"), 1, 3,
      ngx_http_gw_auth_issuer_key_cache, 0 },

    { ngx_string("require"), 1, 0,
      ngx_http_gw_auth_issuer_paths,
      ngx_http_gw_auth_issuer_offset(require) },

    { ngx_string("scope_claim"), 1, 0,
      ngx_http_gw_auth_issuer_paths,
      ngx_http_gw_auth_issuer_offset(scopes) },

    { ngx_string("consumer"), 1, 0,
      ngx_http_gw_auth_issuer_claims,
      ngx_http_gw_auth_issuer_offset(consumers) },

    { ngx_string("groups"), 1, 0,
      ngx_http_gw_auth_issuer_claims,
      ngx_http_gw_auth_issuer_offset(groups) },

    { ngx_string("leeway"), 1, 1,
      ngx_http_gw_auth_issuer_time,
      ngx_http_gw_auth_issuer_offset(leeway) },

    { ngx_string("max_lifetime"), 1, 1,
      ngx_http_gw_auth_issuer_time,
      ngx_http_gw_auth_issuer_offset(max_lifetime) },

    { ngx_string("max_age"), 1, 1,
      ngx_http_gw_auth_issuer_time,
      ngx_http_gw_auth_issuer_offset(max_age) },

    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_http_gw_auth_issuer_block(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf)
{
    char                        *rv;
    ngx_str_t                   *value;
    ngx_conf_t                   save;
    ngx_http_gw_auth_block_t     block;
    ngx_http_gw_auth_issuer_t   *issuer, **slot;

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs a name";
    }

    issuer = ngx_http_gw_auth_issuer_find(&gmcf->issuers, &value[1]);
    if (issuer) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_jwt_issuer \"%V\" is already defined in %s:%ui",
                           &value[1], issuer->conf_file, issuer->conf_line);
        return NGX_CONF_ERROR;
    }

    issuer = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_issuer_t));
    if (issuer == NULL) {
        return NGX_CONF_ERROR;
    }

    issuer->name = value[1];
    issuer->conf_file = cf->conf_file->file.name.data;
    issuer->conf_line = cf->conf_file->line;
    issuer->leeway = NGX_CONF_UNSET;

    slot = ngx_array_push(&gmcf->issuers);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = issuer;

    block.gmcf = gmcf;
    block.issuer = issuer;
    block.cache = NULL;

    save = *cf;
    cf->handler = ngx_http_gw_auth_issuer_line;
    cf->handler_conf = (char *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_gw_auth_issuer_complete(cf, &block);
}


static ngx_http_gw_auth_issuer_t *
ngx_http_gw_auth_issuer_find(ngx_array_t *issuers, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_http_gw_auth_issuer_t  **issuer;

    issuer = issuers->elts;

    for (i = 0; i < issuers->nelts; i++) {

        if (issuer[i]->name.len == name->len
            && ngx_strncmp(issuer[i]->name.data, name->data, name->len) == 0)
        {
            return issuer[i];
        }
    }

    return NULL;
}


static char *
ngx_http_gw_auth_issuer_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_gw_auth_block_t  *block = conf;

    ngx_str_t                               *value;
    ngx_uint_t                               n;
    const ngx_http_gw_auth_block_command_t  *command;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    if (ngx_strcmp(value[0].data, "include") == 0) {

        if (n != 1) {
            return "needs the name of one file in \"include\"";
        }

        return ngx_conf_include(cf, dummy, conf);
    }

    command = ngx_http_gw_auth_issuer_commands;

    for ( /* void */ ; command->name.len; command++) {

        if (ngx_strcmp(command->name.data, value[0].data) != 0) {
            continue;
        }

        if (n < command->min || (command->max && n > command->max)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments of \"%V\" in "
                               "\"gw_jwt_issuer\"", &value[0]);
            return NGX_CONF_ERROR;
        }

        return command->set(cf, block, command->offset);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" in \"gw_jwt_issuer\", see "
                       "its table in doc/auth.md", &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_auth_issuer_complete(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block)
{
    ngx_http_gw_auth_issuer_t  *issuer;

    issuer = block->issuer;

    if (issuer->iss.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_jwt_issuer \"%V\" needs \"issuer\" with the "
                           "exact bytes of \"iss\" in its tokens",
                           &issuer->name);
        return NGX_CONF_ERROR;
    }

    if (issuer->keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_jwt_issuer \"%V\" has no keys, add "
                           "\"key_file\" to it", &issuer->name);
        return NGX_CONF_ERROR;
    }

    issuer->keys = ngx_http_gw_auth_key_settle(cf, &block->gmcf->keyring,
                                               issuer->keys, block->cache);
    if (issuer->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    if (issuer->algorithms) {
        issuer->named = 1;

    } else {
        issuer->algorithms = GW_ALG_MASK_DEFAULT;
    }

    if (issuer->audiences == NULL) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "gw_jwt_issuer \"%V\" accepts tokens that were "
                           "issued for other services, add \"audience\" "
                           "to it", &issuer->name);
    }

    if (ngx_http_gw_auth_check_keys(cf, issuer) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_issuer_iss(ngx_conf_t *cf, ngx_http_gw_auth_block_t *block,
    size_t offset)
{
    ngx_str_t  *value;

    if (block->issuer->iss.len) {
        return "has more than one \"issuer\", write a block for each";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty \"issuer\"";
    }

    block->issuer->iss = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_issuer_strings(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset)
{
    ngx_str_t   *value, *s;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "empty value of \"%V\" in \"gw_jwt_issuer\"",
                               &value[0]);
            return NGX_CONF_ERROR;
        }

        s = ngx_http_gw_auth_issuer_push(cf, block->issuer, offset,
                                         sizeof(ngx_str_t));
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_issuer_algorithms(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset)
{
    if (block->issuer->algorithms) {
        return "has more than one \"algorithms\", put them on one line";
    }

    return ngx_http_gw_auth_conf_mask(cf, &block->issuer->algorithms);
}


static char *
ngx_http_gw_auth_issuer_key(ngx_conf_t *cf, ngx_http_gw_auth_block_t *block,
    size_t offset)
{
    return ngx_http_gw_auth_key_inline(cf, &block->gmcf->keyring,
                                       &block->issuer->keys,
                                       &block->issuer->name);
}


static char *
ngx_http_gw_auth_issuer_key_file(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset)
{
    return ngx_http_gw_auth_key_file(cf, &block->gmcf->keyring,
                                     &block->issuer->keys);
}


static char *
ngx_http_gw_auth_issuer_key_request(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset)
{
    return ngx_http_gw_auth_key_request(cf, &block->gmcf->keyring,
                                        &block->issuer->keys);
}


static char *
ngx_http_gw_auth_issuer_key_cache(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset)
{
    return ngx_http_gw_auth_key_cache(cf, &block->cache);
}


static char *
ngx_http_gw_auth_issuer_paths(ngx_conf_t *cf, ngx_http_gw_auth_block_t *block,
    size_t offset)
{
    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_gw_auth_issuer_path(cf, block->issuer, offset,
                                          &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_issuer_claims(ngx_conf_t *cf,
    ngx_http_gw_auth_block_t *block, size_t offset)
{
    char        *rv;
    ngx_str_t   *value, text;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "claim=", 6) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"%V\" in "
                               "\"gw_jwt_issuer\", it must be \"claim=path\"",
                               &value[i], &value[0]);
            return NGX_CONF_ERROR;
        }

        text.len = value[i].len - 6;
        text.data = value[i].data + 6;

        rv = ngx_http_gw_auth_issuer_path(cf, block->issuer, offset, &text);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_issuer_path(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    size_t offset, ngx_str_t *text)
{
    u_char                 *buf;
    gw_claim_path_t        *path;
    gw_claim_path_error_t   err;

    path = ngx_http_gw_auth_issuer_push(cf, issuer, offset,
                                        sizeof(gw_claim_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    buf = ngx_pnalloc(cf->pool, text->len);
    if (buf == NULL) {
        return NGX_CONF_ERROR;
    }

    if (gw_claim_path_compile(path, (char *) buf, (char *) text->data,
                              text->len, &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" at character %uz: %s",
                           text, err.position, err.text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* appends to a list of the issuer, which is made with its first element */

static void *
ngx_http_gw_auth_issuer_push(ngx_conf_t *cf, ngx_http_gw_auth_issuer_t *issuer,
    size_t offset, size_t size)
{
    ngx_array_t  **list;

    list = (ngx_array_t **) ((u_char *) issuer + offset);

    if (*list == NULL) {

        *list = ngx_array_create(cf->pool, 1, size);
        if (*list == NULL) {
            return NULL;
        }
    }

    if ((*list)->nelts == NGX_HTTP_GW_AUTH_ISSUER_VALUES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many values in gw_jwt_issuer \"%V\", there "
                           "may be %d", &issuer->name,
                           NGX_HTTP_GW_AUTH_ISSUER_VALUES);
        return NULL;
    }

    return ngx_array_push(*list);
}


static char *
ngx_http_gw_auth_issuer_time(ngx_conf_t *cf, ngx_http_gw_auth_block_t *block,
    size_t offset)
{
    time_t      *seconds;
    ngx_int_t    n;
    ngx_str_t   *value;

    value = cf->args->elts;
    seconds = (time_t *) ((u_char *) block->issuer + offset);

    n = ngx_parse_time(&value[1], 1);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" of \"%V\" in "
                           "\"gw_jwt_issuer\"", &value[1], &value[0]);
        return NGX_CONF_ERROR;
    }

    if (offset == ngx_http_gw_auth_issuer_offset(leeway)) {

        if (n > NGX_HTTP_GW_AUTH_MAX_LEEWAY) {
            return "cannot have a \"leeway\" longer than a day";
        }

    } else if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"gw_jwt_issuer\" cannot be 0, leave "
                           "it out for no limit", &value[0]);
        return NGX_CONF_ERROR;
    }

    *seconds = n;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_gw_auth_issuer_resolve(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf)
{
    ngx_str_t                    *name;
    ngx_uint_t                    i, n;
    ngx_http_gw_auth_issuer_t    *issuer, **issuers;
    ngx_http_gw_auth_jwt_conf_t  *jwt;

    jwt = alcf->jwt;

    alcf->issuers = ngx_array_create(cf->pool, jwt->issuers->nelts,
                                     sizeof(ngx_http_gw_auth_issuer_t *));
    if (alcf->issuers == NULL) {
        return NGX_ERROR;
    }

    name = jwt->issuers->elts;
    issuers = alcf->issuers->elts;

    for (i = 0; i < jwt->issuers->nelts; i++) {

        issuer = ngx_http_gw_auth_issuer_find(&gmcf->issuers, &name[i]);

        if (issuer == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"gw_jwt\" in %s:%ui names the issuer \"%V\", "
                          "define it with \"gw_jwt_issuer %V { ... }\"",
                          jwt->conf_file, jwt->conf_line, &name[i], &name[i]);
            return NGX_ERROR;
        }

        for (n = 0; n < i; n++) {

            if (issuers[n]->iss.len == issuer->iss.len
                && ngx_memcmp(issuers[n]->iss.data, issuer->iss.data,
                              issuer->iss.len)
                   == 0)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "the issuers \"%V\" and \"%V\" of \"gw_jwt\" in "
                              "%s:%ui are both \"%V\", name one of them",
                              &issuers[n]->name, &issuer->name,
                              jwt->conf_file, jwt->conf_line, &issuer->iss);
                return NGX_ERROR;
            }
        }

        if (alcf->algorithms
            && (alcf->algorithms & issuer->algorithms) == 0)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"gw_jwt_algorithms\" for \"gw_jwt\" in %s:%ui "
                          "has none of the algorithms of the issuer \"%V\"",
                          jwt->conf_file, jwt->conf_line, &issuer->name);
            return NGX_ERROR;
        }

        /* cannot fail: there is a place for each */

        *(ngx_http_gw_auth_issuer_t **) ngx_array_push(alcf->issuers) = issuer;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_issuer_anonymous(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf)
{
    ngx_http_gw_auth_issuer_t  *issuer, **slot;

    if (conf->jwt == NULL || conf->keys == NULL) {
        return NGX_OK;
    }

    if (prev->issuers
        && prev->jwt->issuers == NULL
        && prev->keys == conf->keys
        && prev->key_cache == conf->key_cache
        && prev->algorithms == conf->algorithms)
    {
        conf->issuers = prev->issuers;
        return NGX_OK;
    }

    issuer = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_issuer_t));
    if (issuer == NULL) {
        return NGX_ERROR;
    }

    issuer->conf_file = conf->jwt->conf_file;
    issuer->conf_line = conf->jwt->conf_line;
    issuer->keys = ngx_http_gw_auth_key_settle(cf, &gmcf->keyring, conf->keys,
                                               conf->key_cache);
    if (issuer->keys == NULL) {
        return NGX_ERROR;
    }

    issuer->leeway = NGX_CONF_UNSET;
    issuer->named = (conf->algorithms != 0);
    issuer->algorithms = conf->algorithms ? (gw_alg_mask_t) conf->algorithms
                                          : GW_ALG_MASK_DEFAULT;

    conf->issuers = ngx_array_create(cf->pool, 1,
                                     sizeof(ngx_http_gw_auth_issuer_t *));
    if (conf->issuers == NULL) {
        return NGX_ERROR;
    }

    slot = ngx_array_push(conf->issuers);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = issuer;

    return NGX_OK;
}
