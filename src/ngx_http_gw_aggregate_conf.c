
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_conf.h"
#include "ngx_http_gw_aggregate_header.h"
#include "ngx_http_gw_aggregate_graph.h"
#include "ngx_http_gw_aggregate_stream.h"
#include "ngx_http_gw_part_conf.h"
#include "ngx_http_gw_place.h"
#include "ngx_http_gw_shape.h"


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   value;
} ngx_http_gw_name_t;


static char *ngx_http_gw_aggregate_merge_mode(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *prev, ngx_http_gw_aggregate_conf_t *conf);
static char *ngx_http_gw_aggregate_merge_types(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *prev, ngx_http_gw_aggregate_conf_t *conf);
static char *ngx_http_gw_aggregate_check(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf);
static char *ngx_http_gw_aggregate_init_strip(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf);
static char *ngx_http_gw_aggregate_add_type(ngx_conf_t *cf,
    ngx_array_t *types, const ngx_str_t *name);
static ngx_int_t ngx_http_gw_aggregate_lookup(const ngx_http_gw_name_t *names,
    ngx_str_t *name, ngx_uint_t *value);


static const ngx_http_gw_name_t  ngx_http_gw_method_names[] = {
    { ngx_string("GET"), NGX_HTTP_GET },
    { ngx_string("HEAD"), NGX_HTTP_HEAD },
    { ngx_string("POST"), NGX_HTTP_POST },
    { ngx_string("PUT"), NGX_HTTP_PUT },
    { ngx_string("PATCH"), NGX_HTTP_PATCH },
    { ngx_string("DELETE"), NGX_HTTP_DELETE },
    { ngx_string("OPTIONS"), NGX_HTTP_OPTIONS },
    { ngx_null_string, 0 }
};


static const ngx_http_gw_name_t  ngx_http_gw_require_names[] = {
    { ngx_string("any"), NGX_HTTP_GW_REQUIRE_ANY },
    { ngx_string("all"), NGX_HTTP_GW_REQUIRE_ALL },
    { ngx_string("none"), NGX_HTTP_GW_REQUIRE_NONE },
    { ngx_null_string, 0 }
};


static const ngx_http_gw_name_t  ngx_http_gw_errors_names[] = {
    { ngx_string("off"), NGX_HTTP_GW_ERRORS_OFF },
    { ngx_string("name"), NGX_HTTP_GW_ERRORS_NAME },
    { ngx_string("code"), NGX_HTTP_GW_ERRORS_CODE },
    { ngx_string("status"), NGX_HTTP_GW_ERRORS_STATUS },
    { ngx_string("body"), NGX_HTTP_GW_ERRORS_BODY },
    { ngx_null_string, 0 }
};


static const ngx_str_t  ngx_http_gw_default_types[] = {
    ngx_string("application/json"),
    ngx_string("application/*+json"),
    ngx_string("text/json"),
    ngx_null_string
};


/*
 * What belongs to the client's connection, its body, its cache or its ranges
 * and would be wrong, or an attack, in the request of a part.  Content-Type
 * and Content-Encoding go with a body that is passed on.
 */

static const ngx_str_t  ngx_http_gw_default_strip[] = {
    ngx_string("content-length"),
    ngx_string("transfer-encoding"),
    ngx_string("expect"),
    ngx_string("te"),
    ngx_string("trailer"),
    ngx_string("upgrade"),
    ngx_string("connection"),
    ngx_string("keep-alive"),
    ngx_string("proxy-connection"),
    ngx_string("http2-settings"),
    ngx_string("range"),
    ngx_string("if-match"),
    ngx_string("if-none-match"),
    ngx_string("if-modified-since"),
    ngx_string("if-unmodified-since"),
    ngx_string("if-range"),
    ngx_string("accept-encoding"),
    ngx_null_string
};


void *
ngx_http_gw_aggregate_create_conf(ngx_conf_t *cf)
{
    ngx_http_gw_aggregate_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_aggregate_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->handler = NULL;
     *     conf->parts = NULL;
     *     conf->splice = NULL;
     *     conf->strip = { NULL, 0 };
     *     conf->allow = { 0, NULL };
     *     conf->require_number = 0;
     *     conf->errors_member = { 0, NULL };
     *     conf->complete_header = { 0, NULL };
     *     conf->inherit_body = 0;
     *     conf->pass_headers = NULL;
     *     conf->sets = NULL;
     *     conf->eaches = NULL;
     *     conf->shapes = NULL;
     *     conf->statics = NULL;
     *     conf->nslots = 0;
     *     conf->reserved = NULL;
     *     conf->merges = 0;
     *     conf->varies = 0;
     */

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->timeout = NGX_CONF_UNSET_MSEC;
    conf->part_timeout = NGX_CONF_UNSET_MSEC;
    conf->max_size = NGX_CONF_UNSET_SIZE;
    conf->part_max_size = NGX_CONF_UNSET_SIZE;
    conf->buffer_size = NGX_CONF_UNSET_SIZE;
    conf->max_depth = NGX_CONF_UNSET_UINT;
    conf->max_subrequests = NGX_CONF_UNSET_UINT;
    conf->max_nesting = NGX_CONF_UNSET_UINT;
    conf->types = NGX_CONF_UNSET_PTR;
    conf->strip_headers = NGX_CONF_UNSET_PTR;
    conf->methods = NGX_CONF_UNSET_UINT;
    conf->require = NGX_CONF_UNSET_UINT;
    conf->fail_fast = NGX_CONF_UNSET;
    conf->partial_status = NGX_CONF_UNSET_UINT;
    conf->errors = NGX_CONF_UNSET_UINT;
    conf->internal_only = NGX_CONF_UNSET;
    conf->ignore_client_abort = NGX_CONF_UNSET;
    conf->cache_control = NGX_CONF_UNSET_UINT;
    conf->etag = NGX_CONF_UNSET;
    conf->server_timing = NGX_CONF_UNSET;
    conf->concurrency = NGX_CONF_UNSET_UINT;
    conf->stream = NGX_CONF_UNSET_UINT;
    conf->conflict = NGX_CONF_UNSET_UINT;

    return conf;
}


char *
ngx_http_gw_aggregate_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_gw_aggregate_conf_t  *prev = parent;
    ngx_http_gw_aggregate_conf_t  *conf = child;

    char  *rv;

    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 10000);
    ngx_conf_merge_msec_value(conf->part_timeout, prev->part_timeout, 0);
    ngx_conf_merge_size_value(conf->max_size, prev->max_size,
                              8 * 1024 * 1024);
    ngx_conf_merge_size_value(conf->part_max_size, prev->part_max_size,
                              1024 * 1024);
    ngx_conf_merge_size_value(conf->buffer_size, prev->buffer_size,
                              16 * 1024);
    ngx_conf_merge_uint_value(conf->max_depth, prev->max_depth,
                              GW_JSON_SCAN_DEPTH);
    ngx_conf_merge_uint_value(conf->max_subrequests, prev->max_subrequests,
                              64);
    ngx_conf_merge_uint_value(conf->max_nesting, prev->max_nesting, 4);
    ngx_conf_merge_ptr_value(conf->strip_headers, prev->strip_headers, NULL);
    ngx_conf_merge_value(conf->fail_fast, prev->fail_fast, 1);
    ngx_conf_merge_uint_value(conf->partial_status, prev->partial_status,
                              NGX_HTTP_OK);
    ngx_conf_merge_value(conf->internal_only, prev->internal_only, 1);
    ngx_conf_merge_value(conf->ignore_client_abort,
                         prev->ignore_client_abort, 0);
    ngx_conf_merge_uint_value(conf->concurrency, prev->concurrency, 0);

    ngx_conf_merge_uint_value(conf->cache_control, prev->cache_control, 1);
    ngx_conf_merge_value(conf->etag, prev->etag, 1);
    ngx_conf_merge_value(conf->server_timing, prev->server_timing, 0);
    ngx_conf_merge_uint_value(conf->stream, prev->stream,
                              NGX_HTTP_GW_STREAM_OFF);
    ngx_conf_merge_uint_value(conf->conflict, prev->conflict,
                              NGX_HTTP_GW_CONFLICT_LAST);

    /* values of several members */

    if (conf->require == NGX_CONF_UNSET_UINT) {
        conf->require_number = prev->require_number;
    }

    ngx_conf_merge_uint_value(conf->require, prev->require,
                              NGX_HTTP_GW_REQUIRE_ANY);

    if (conf->errors == NGX_CONF_UNSET_UINT) {
        conf->errors_member = prev->errors_member;
    }

    ngx_conf_merge_uint_value(conf->errors, prev->errors,
                              NGX_HTTP_GW_ERRORS_CODE);

    if (conf->methods == NGX_CONF_UNSET_UINT) {
        conf->allow = prev->allow;
    }

    ngx_conf_merge_uint_value(conf->methods, prev->methods,
                              NGX_HTTP_GET|NGX_HTTP_HEAD);

    if (conf->allow.data == NULL) {
        ngx_str_set(&conf->allow, "GET, HEAD");
    }

    ngx_conf_merge_str_value(conf->complete_header, prev->complete_header,
                             "X-Gw-Completed");

    rv = ngx_http_gw_aggregate_merge_types(cf, prev, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_gw_aggregate_merge_mode(cf, prev, conf);
}


static char *
ngx_http_gw_aggregate_merge_types(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *prev, ngx_http_gw_aggregate_conf_t *conf)
{
    char             *rv;
    const ngx_str_t  *name;

    ngx_conf_merge_ptr_value(conf->types, prev->types, NULL);

    if (conf->types) {
        return NGX_CONF_OK;
    }

    conf->types = ngx_array_create(cf->pool, 3, sizeof(ngx_http_gw_type_t));
    if (conf->types == NULL) {
        return NGX_CONF_ERROR;
    }

    for (name = ngx_http_gw_default_types; name->len; name++) {
        rv = ngx_http_gw_aggregate_add_type(cf, conf->types, name);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_aggregate_merge_mode(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *prev, ngx_http_gw_aggregate_conf_t *conf)
{
    char                      *rv;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && conf->mode == NGX_CONF_UNSET_UINT
        && clcf->handler == NULL)
    {
        /* "if" and "limit_except" in a location share its content */

        if (prev->mode != NGX_CONF_UNSET_UINT
            && prev->mode != NGX_HTTP_GW_MODE_OFF)
        {
            conf->mode = prev->mode;
            conf->parts = prev->parts;
            conf->splice = prev->splice;
            conf->statics = prev->statics;
            conf->nslots = prev->nslots;
            conf->reserved = prev->reserved;
            conf->merges = prev->merges;
            conf->varies = prev->varies;
            conf->sets = prev->sets;
            conf->eaches = prev->eaches;
            conf->strip = prev->strip;
            conf->inherit_body = prev->inherit_body;
            conf->pass_headers = prev->pass_headers;
            conf->handler = prev->handler;
            clcf->handler = prev->handler;
        }

        return NGX_CONF_OK;
    }

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->mode = NGX_HTTP_GW_MODE_OFF;
    }

    if (conf->mode == NGX_HTTP_GW_MODE_OFF) {

        if (conf->parts == NULL && conf->pass_headers == NULL
            && conf->sets == NULL && conf->eaches == NULL
            && conf->shapes == NULL && conf->statics == NULL)
        {
            return NGX_CONF_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate_%s\" needs \"gw_aggregate object\" "
                      "or \"array\" in location \"%V\"",
                      conf->parts ? "part" : conf->sets ? "set"
                      : conf->eaches ? "each"
                      : conf->shapes ? "pick, drop or rename"
                      : conf->statics ? "static" : "pass_header",
                      &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (clcf->handler != conf->handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate\" and another content handler are in "
                      "the same location \"%V\"", &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (conf->parts == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate\" has no \"gw_aggregate_part\" in "
                      "location \"%V\"", &clcf->name);
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_gw_aggregate_check(cf, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_gw_header_init(cf, conf, &clcf->name);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_gw_graph_init(cf, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_gw_stream_init(cf, conf, &clcf->name);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_gw_shape_init(cf, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_gw_place_init(cf, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_gw_aggregate_init_strip(cf, conf);
}


static char *
ngx_http_gw_aggregate_check(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf)
{
    ngx_uint_t                i, optional;
    ngx_http_gw_part_conf_t  *pcf;

    if (conf->parts->nelts > conf->max_subrequests) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%ui parts are more than "
                      "\"gw_aggregate_max_subrequests\" %ui allows",
                      conf->parts->nelts, conf->max_subrequests);
        return NGX_CONF_ERROR;
    }

    optional = 0;
    pcf = conf->parts->elts;

    for (i = 0; i < conf->parts->nelts; i++) {

        if (pcf[i].timeout == NGX_CONF_UNSET_MSEC) {
            pcf[i].timeout = conf->part_timeout;
        }

        if (pcf[i].max_size == NGX_CONF_UNSET_SIZE) {
            pcf[i].max_size = conf->part_max_size;
        }

        if (pcf[i].hedge
            && ((pcf[i].timeout && pcf[i].hedge >= pcf[i].timeout)
                || (conf->timeout && pcf[i].hedge >= conf->timeout)))
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "parameter \"hedge\" of part \"%V\" must be "
                          "shorter than the time that the part has in %s:%ui",
                          &pcf[i].name, pcf[i].file, pcf[i].line);
            return NGX_CONF_ERROR;
        }

        optional += pcf[i].optional;
        conf->inherit_body |= pcf[i].inherit_body;
    }

    if (conf->require == NGX_HTTP_GW_REQUIRE_NUMBER
        && conf->require_number > optional)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate_require %ui\" can never be met by %ui "
                      "optional parts", conf->require_number, optional);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_aggregate_init_strip(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf)
{
    ngx_uint_t         i;
    ngx_array_t        keys;
    ngx_hash_key_t    *hk;
    const ngx_str_t   *name;
    ngx_hash_init_t    hash;

    if (ngx_array_init(&keys, cf->temp_pool, 32, sizeof(ngx_hash_key_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (name = ngx_http_gw_default_strip; name->len; name++) {

        hk = ngx_array_push(&keys);
        if (hk == NULL) {
            return NGX_CONF_ERROR;
        }

        hk->key = *name;
        hk->key_hash = ngx_hash_key(name->data, name->len);
        hk->value = (void *) 1;
    }

    if (conf->strip_headers) {
        name = conf->strip_headers->elts;

        for (i = 0; i < conf->strip_headers->nelts; i++) {

            hk = ngx_array_push(&keys);
            if (hk == NULL) {
                return NGX_CONF_ERROR;
            }

            hk->key = name[i];
            hk->key_hash = ngx_hash_key(name[i].data, name[i].len);
            hk->value = (void *) 1;
        }
    }

    hash.hash = &conf->strip;
    hash.key = ngx_hash_key;
    hash.max_size = 512;
    hash.bucket_size = ngx_align(64, ngx_cacheline_size);
    hash.name = "gw_aggregate_strip_header_hash";
    hash.pool = cf->pool;
    hash.temp_pool = NULL;

    if (ngx_hash_init(&hash, keys.elts, keys.nelts) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_part(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_gw_part_conf_t  *pcf;

    value = cf->args->elts;

    if (alcf->parts == NULL) {
        alcf->parts = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_gw_part_conf_t));
        if (alcf->parts == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    pcf = alcf->parts->elts;

    for (i = 0; i < alcf->parts->nelts; i++) {

        /* names of variables do not know upper case */

        if (pcf[i].name.len == value[1].len
            && ngx_strncasecmp(pcf[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate part \"%V\"",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    pcf = ngx_array_push(alcf->parts);
    if (pcf == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_gw_part_conf(cf, pcf);
}


char *
ngx_http_gw_aggregate_types(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (alcf->types != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    alcf->types = ngx_array_create(cf->pool, 4, sizeof(ngx_http_gw_type_t));
    if (alcf->types == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_http_gw_aggregate_add_type(cf, alcf->types, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_aggregate_add_type(ngx_conf_t *cf, ngx_array_t *types,
    const ngx_str_t *name)
{
    u_char              *star, *last;
    ngx_http_gw_type_t  *type;

    last = name->data + name->len;

    if (ngx_strlchr(name->data, last, '/') == NULL
        || ngx_strlchr(name->data, last, ';'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a media type without parameters",
                           name);
        return NGX_CONF_ERROR;
    }

    type = ngx_array_push(types);
    if (type == NULL) {
        return NGX_CONF_ERROR;
    }

    type->prefix = *name;
    ngx_str_null(&type->suffix);
    type->wildcard = 0;

    star = ngx_strlchr(name->data, last, '*');

    if (star) {
        type->wildcard = 1;
        type->prefix.len = star - name->data;
        type->suffix.data = star + 1;
        type->suffix.len = last - star - 1;

        if (ngx_strlchr(star + 1, last, '*')) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "media type \"%V\" has two wildcards", name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    u_char      *p;
    size_t       len;
    ngx_str_t   *value;
    ngx_uint_t   i, method;

    if (alcf->methods != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    alcf->methods = 0;
    value = cf->args->elts;
    len = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_gw_aggregate_lookup(ngx_http_gw_method_names, &value[i],
                                         &method)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid method \"%V\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (alcf->methods & method) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate method \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        alcf->methods |= method;
        len += value[i].len + sizeof(", ") - 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    alcf->allow.data = p;

    for (i = 1; i < cf->args->nelts; i++) {

        if (i > 1) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, value[i].data, value[i].len);
    }

    alcf->allow.len = p - alcf->allow.data;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (alcf->require != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_gw_aggregate_lookup(ngx_http_gw_require_names, &value[1],
                                     &alcf->require)
        == NGX_OK)
    {
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"any\", "
                           "\"all\", \"none\" or a number of optional parts",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    alcf->require = NGX_HTTP_GW_REQUIRE_NUMBER;
    alcf->require_number = n;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_errors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    size_t                    ntokens;
    ngx_str_t                *value;
    gw_json_pointer_error_t   err;

    if (alcf->errors != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_gw_aggregate_lookup(ngx_http_gw_errors_names, &value[1],
                                     &alcf->errors)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"off\", "
                           "\"name\", \"code\", \"status\" or \"body\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (alcf->errors == NGX_HTTP_GW_ERRORS_BODY) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"gw_aggregate_errors body\" shows clients what "
                           "back ends say when they fail, it is meant for "
                           "development");
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (value[2].len <= 7 || ngx_strncmp(value[2].data, "member=", 7) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    if (alcf->errors == NGX_HTTP_GW_ERRORS_OFF) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"member\" needs errors that are not \"off\"");
        return NGX_CONF_ERROR;
    }

    alcf->errors_member.data = value[2].data + 7;
    alcf->errors_member.len = value[2].len - 7;

    if (gw_json_pointer_check(alcf->errors_member.data,
                              alcf->errors_member.len, &ntokens, &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\": %s",
                           &alcf->errors_member, err.text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_partial_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (alcf->partial_status != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 200 || n > 299 || n == NGX_HTTP_NO_CONTENT || n == 205
        || n == NGX_HTTP_PARTIAL_CONTENT)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be 200 to 299 and "
                           "not 204, 205 or 206", &value[1]);
        return NGX_CONF_ERROR;
    }

    alcf->partial_status = n;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_complete_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    ngx_str_t  *value;

    if (alcf->complete_header.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 3 && ngx_strncmp(value[1].data, "off", 3) == 0) {
        alcf->complete_header.data = (u_char *) "";
        return NGX_CONF_OK;
    }

    if (!ngx_http_gw_aggregate_token(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    alcf->complete_header = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_strip_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (alcf->strip_headers == NGX_CONF_UNSET_PTR) {
        alcf->strip_headers = ngx_array_create(cf->pool, 4,
                                               sizeof(ngx_str_t));
        if (alcf->strip_headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_http_gw_aggregate_token(&value[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid header name \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(alcf->strip_headers);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_strlow(value[i].data, value[i].data, value[i].len);
        *name = value[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_aggregate_check_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *size = data;

    if (*size == 0) {
        return "must not be 0";
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_aggregate_lookup(const ngx_http_gw_name_t *names, ngx_str_t *name,
    ngx_uint_t *value)
{
    for ( /* void */ ; names->name.len; names++) {

        if (names->name.len == name->len
            && ngx_strncmp(names->name.data, name->data, name->len) == 0)
        {
            *value = names->value;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* RFC 9110, 5.6.2, less what no header name has */

ngx_uint_t
ngx_http_gw_aggregate_token(ngx_str_t *text)
{
    u_char   c;
    size_t   i;

    for (i = 0; i < text->len; i++) {
        c = (u_char) (text->data[i] | 0x20);

        if (!((c >= 'a' && c <= 'z')
              || (text->data[i] >= '0' && text->data[i] <= '9')
              || text->data[i] == '-' || text->data[i] == '_'))
        {
            return 0;
        }
    }

    return text->len != 0;
}
