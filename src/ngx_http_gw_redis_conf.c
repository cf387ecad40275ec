
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_redis_conf.h"
#include "ngx_http_gw_redis_tls_conf.h"


/* msec, of any time in the block */
#define NGX_HTTP_GW_REDIS_TIME_MAX      3600000

#define NGX_HTTP_GW_REDIS_FAILS_MAX     1000
#define NGX_HTTP_GW_REDIS_DATABASE_MAX  65535

/* msec, as nginx's own default */
#define NGX_HTTP_GW_REDIS_RESOLVER_TIMEOUT  30000

/* certificates between that of Redis and a trusted one */
#define NGX_HTTP_GW_REDIS_DEPTH_MAX     100


typedef struct ngx_http_gw_redis_param_s  ngx_http_gw_redis_param_t;

typedef char *(*ngx_http_gw_redis_param_pt)(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);

struct ngx_http_gw_redis_param_s {
    ngx_str_t                    name;
    ngx_http_gw_redis_param_pt   set;
    size_t                       offset;
    ngx_int_t                    min;
    ngx_int_t                    max;
};


static char *ngx_http_gw_redis_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_gw_redis_server(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_mode(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_commands(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_string(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_prefix(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_number(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_time(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_flag(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_protocols(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, const ngx_http_gw_redis_param_t *param);
static char *ngx_http_gw_redis_finish(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);
static char *ngx_http_gw_redis_password_file(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);
static ngx_int_t ngx_http_gw_redis_read_password(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf, ngx_fd_t fd);
static char *ngx_http_gw_redis_duplicate(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);


static const ngx_http_gw_redis_param_t  ngx_http_gw_redis_params[] = {

    { ngx_string("server"), ngx_http_gw_redis_server, 0, 0, 0 },

    { ngx_string("mode"), ngx_http_gw_redis_mode, 0, 0, 0 },

    { ngx_string("user"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, user), 0, 0 },

    { ngx_string("password"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, password), 0, 0 },

    { ngx_string("password_file"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, password_file), 0, 0 },

    { ngx_string("prefix"), ngx_http_gw_redis_prefix, 0, 0, 0 },

    { ngx_string("database"), ngx_http_gw_redis_number,
      offsetof(ngx_http_gw_redis_conf_t, database),
      0, NGX_HTTP_GW_REDIS_DATABASE_MAX },

    { ngx_string("queue"), ngx_http_gw_redis_number,
      offsetof(ngx_http_gw_redis_conf_t, queue),
      NGX_HTTP_GW_REDIS_QUEUE_MIN, NGX_HTTP_GW_REDIS_QUEUE_MAX },

    { ngx_string("connections"), ngx_http_gw_redis_number,
      offsetof(ngx_http_gw_redis_conf_t, connections),
      1, NGX_HTTP_GW_REDIS_CONNECTIONS_MAX },

    { ngx_string("commands"), ngx_http_gw_redis_commands, 0, 0, 0 },

    { ngx_string("max_fails"), ngx_http_gw_redis_number,
      offsetof(ngx_http_gw_redis_conf_t, max_fails),
      0, NGX_HTTP_GW_REDIS_FAILS_MAX },

    { ngx_string("connect_timeout"), ngx_http_gw_redis_time,
      offsetof(ngx_http_gw_redis_conf_t, connect_timeout), 0, 0 },

    { ngx_string("timeout"), ngx_http_gw_redis_time,
      offsetof(ngx_http_gw_redis_conf_t, timeout), 0, 0 },

    { ngx_string("stall_timeout"), ngx_http_gw_redis_time,
      offsetof(ngx_http_gw_redis_conf_t, stall_timeout), 0, 0 },

    { ngx_string("fail_timeout"), ngx_http_gw_redis_time,
      offsetof(ngx_http_gw_redis_conf_t, fail_timeout), 0, 0 },

    { ngx_string("keepalive_interval"), ngx_http_gw_redis_time,
      offsetof(ngx_http_gw_redis_conf_t, keepalive_interval), 0, 0 },

    { ngx_string("ssl"), ngx_http_gw_redis_flag,
      offsetof(ngx_http_gw_redis_conf_t, ssl), 0, 0 },

    { ngx_string("ssl_protocols"), ngx_http_gw_redis_protocols, 0, 0, 0 },

    { ngx_string("ssl_ciphers"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, ssl_ciphers), 0, 0 },

    { ngx_string("ssl_certificate"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, ssl_certificate), 0, 0 },

    { ngx_string("ssl_certificate_key"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, ssl_certificate_key), 0, 0 },

    { ngx_string("ssl_trusted_certificate"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, ssl_trusted_certificate), 0, 0 },

    { ngx_string("ssl_verify"), ngx_http_gw_redis_flag,
      offsetof(ngx_http_gw_redis_conf_t, ssl_verify), 0, 0 },

    { ngx_string("ssl_verify_depth"), ngx_http_gw_redis_number,
      offsetof(ngx_http_gw_redis_conf_t, ssl_verify_depth),
      0, NGX_HTTP_GW_REDIS_DEPTH_MAX },

    { ngx_string("ssl_name"), ngx_http_gw_redis_string,
      offsetof(ngx_http_gw_redis_conf_t, ssl_name), 0, 0 },

    { ngx_string("ssl_server_name"), ngx_http_gw_redis_flag,
      offsetof(ngx_http_gw_redis_conf_t, ssl_server_name), 0, 0 },

    { ngx_string("ssl_session_reuse"), ngx_http_gw_redis_flag,
      offsetof(ngx_http_gw_redis_conf_t, ssl_session_reuse), 0, 0 },

    { ngx_null_string, NULL, 0, 0, 0 }
};


char *
ngx_http_gw_redis_block(ngx_conf_t *cf, ngx_array_t *services,
    ngx_str_t *name)
{
    char                       *rv;
    u_char                      ch;
    ngx_uint_t                  i;
    ngx_conf_t                  save;
    ngx_http_gw_redis_conf_t  *rcf, **service;

    /* the name becomes a part of the names of variables */

    for (i = 0; i < name->len; i++) {
        ch = ngx_tolower(name->data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_') {
            break;
        }
    }

    if (name->len == 0 || i != name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" of gw_redis, it may have "
                           "letters, digits and \"_\" only", name);
        return NGX_CONF_ERROR;
    }

    rcf = ngx_http_gw_redis_find(services, name);

    if (rcf != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_redis \"%V\" is already defined in %s:%ui",
                           name, rcf->file, rcf->line);
        return NGX_CONF_ERROR;
    }

    rcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_redis_conf_t));
    if (rcf == NULL) {
        return NGX_CONF_ERROR;
    }

    service = ngx_array_push(services);
    if (service == NULL) {
        return NGX_CONF_ERROR;
    }

    *service = rcf;

    rcf->name = *name;
    rcf->file = cf->conf_file->file.name.data;
    rcf->line = cf->conf_file->line;

    rcf->database = NGX_CONF_UNSET;
    rcf->queue = NGX_CONF_UNSET;
    rcf->connections = NGX_CONF_UNSET;
    rcf->eval = NGX_CONF_UNSET;
    rcf->max_fails = NGX_CONF_UNSET;
    rcf->mode = NGX_CONF_UNSET_UINT;
    rcf->connect_timeout = NGX_CONF_UNSET_MSEC;
    rcf->timeout = NGX_CONF_UNSET_MSEC;
    rcf->stall_timeout = NGX_CONF_UNSET_MSEC;
    rcf->fail_timeout = NGX_CONF_UNSET_MSEC;
    rcf->keepalive_interval = NGX_CONF_UNSET_MSEC;
    rcf->ssl = NGX_CONF_UNSET;
    rcf->ssl_verify = NGX_CONF_UNSET;
    rcf->ssl_server_name = NGX_CONF_UNSET;
    rcf->ssl_session_reuse = NGX_CONF_UNSET;
    rcf->ssl_verify_depth = NGX_CONF_UNSET;

    save = *cf;

    cf->handler = ngx_http_gw_redis_directive;
    cf->handler_conf = (void *) rcf;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_gw_redis_finish(cf, rcf);
}


ngx_http_gw_redis_conf_t *
ngx_http_gw_redis_find(ngx_array_t *services, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_gw_redis_conf_t  **service;

    service = services->elts;

    for (i = 0; i < services->nelts; i++) {

        if (service[i]->name.len == name->len
            && ngx_strncmp(service[i]->name.data, name->data, name->len) == 0)
        {
            return service[i];
        }
    }

    return NULL;
}


ngx_http_gw_redis_conf_t *
ngx_http_gw_redis_of_zone(ngx_conf_t *cf, ngx_array_t *services,
    ngx_str_t *name, const char *directive, ngx_str_t *zone,
    ngx_uint_t *number)
{
    ngx_uint_t                  i;
    ngx_http_gw_redis_conf_t  *rcf, **service;

    rcf = ngx_http_gw_redis_find(services, name);

    if (rcf == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%s \"%V\" uses the unknown gw_redis \"%V\"",
                      directive, zone, name);
        return NULL;
    }

    service = services->elts;

    for (i = 0; service[i] != rcf; i++) {
        /* void */
    }

    *number = i;

    return rcf;
}


ngx_int_t
ngx_http_gw_redis_resolver(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (!rcf->resolve) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->resolver == NULL || clcf->resolver->connections.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"resolve\" of gw_redis \"%V\" needs a \"resolver\" "
                      "in the http block in %s:%ui",
                      &rcf->name, rcf->file, rcf->line);
        return NGX_ERROR;
    }

    rcf->resolver = clcf->resolver;
    rcf->resolver_timeout = clcf->resolver_timeout;

    /* the http block itself is not merged with anything */

    ngx_conf_init_msec_value(rcf->resolver_timeout,
                             NGX_HTTP_GW_REDIS_RESOLVER_TIMEOUT);

    return NGX_OK;
}


static char *
ngx_http_gw_redis_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_gw_redis_conf_t  *rcf = conf;

    ngx_str_t                        *value;
    const ngx_http_gw_redis_param_t  *param;

    value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "include") == 0 && cf->args->nelts == 2) {
        return ngx_conf_include(cf, dummy, conf);
    }

    for (param = ngx_http_gw_redis_params; param->set != NULL; param++) {

        if (value[0].len != param->name.len
            || ngx_strcmp(value[0].data, param->name.data) != 0)
        {
            continue;
        }

        if (cf->args->nelts < 2
            || (cf->args->nelts > 2
                && param->set != ngx_http_gw_redis_server
                && param->set != ngx_http_gw_redis_mode
                && param->set != ngx_http_gw_redis_protocols))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments in \"%V\" of "
                               "\"gw_redis\"", &value[0]);
            return NGX_CONF_ERROR;
        }

        return param->set(cf, rcf, param);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in \"gw_redis\"", &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_redis_server(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_url_t   u;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (cf->args->nelts > 3
        || (cf->args->nelts == 3
            && ngx_strcmp(value[2].data, "resolve") != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"server\" in "
                           "\"gw_redis\"", &value[cf->args->nelts - 1]);
        return NGX_CONF_ERROR;
    }

    if (rcf->server.data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_redis \"%V\" has more than one server, which "
                           "is not supported in this release", &rcf->name);
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[1];
    u.default_port = NGX_HTTP_GW_REDIS_PORT;
    u.no_resolve = (cf->args->nelts == 3);

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {

        if (u.err != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in server \"%V\" of gw_redis \"%V\"",
                               u.err, &u.url, &rcf->name);
        }

        return NGX_CONF_ERROR;
    }

    rcf->server = value[1];
    rcf->host = u.host;
    rcf->port = u.port;
    rcf->resolve = u.no_resolve;

    if (!rcf->resolve) {
        rcf->addr = &u.addrs[0];
        return NGX_CONF_OK;
    }

    if (u.naddrs != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "server \"%V\" of gw_redis \"%V\" is no name, it "
                           "does not need \"resolve\"", &value[1], &rcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_mode(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (rcf->mode != NGX_CONF_UNSET_UINT) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    if (ngx_strcmp(value[1].data, "cluster") == 0
        || ngx_strcmp(value[1].data, "sentinel") == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "mode \"%V\" of gw_redis \"%V\" is not supported "
                           "in this release, use \"standalone\"",
                           &value[1], &rcf->name);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts > 2
        || ngx_strcmp(value[1].data, "standalone") != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid mode of gw_redis \"%V\", it must be "
                           "\"standalone\"", &rcf->name);
        return NGX_CONF_ERROR;
    }

    rcf->mode = 0;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_commands(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (rcf->eval != NGX_CONF_UNSET) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    if (ngx_strcmp(value[1].data, "auto") == 0) {
        rcf->eval = 0;

    } else if (ngx_strcmp(value[1].data, "eval") == 0) {
        rcf->eval = 1;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid commands \"%V\" of gw_redis \"%V\", it "
                           "must be \"auto\" or \"eval\"; \"increx\" is not "
                           "supported in this release", &value[1], &rcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_string(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_str_t  *value, *field;

    value = cf->args->elts;
    field = (ngx_str_t *) ((char *) rcf + param->offset);

    if (field->data != NULL) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of gw_redis \"%V\" is empty",
                           &value[0], &rcf->name);
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_prefix(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (rcf->prefix.data != NULL) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    /* braces delimit what a cluster hashes */

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '{') != NULL
        || ngx_strlchr(value[1].data, value[1].data + value[1].len, '}')
           != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "prefix \"%V\" of gw_redis \"%V\" has a brace",
                           &value[1], &rcf->name);
        return NGX_CONF_ERROR;
    }

    rcf->prefix = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_number(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_int_t  *field;
    ngx_str_t  *value;

    value = cf->args->elts;
    field = (ngx_int_t *) ((char *) rcf + param->offset);

    if (*field != NGX_CONF_UNSET) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    *field = ngx_atoi(value[1].data, value[1].len);

    if (*field == NGX_ERROR || *field < param->min || *field > param->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\" in gw_redis "
                           "\"%V\", it must be a number from %i to %i",
                           &value[1], &value[0], &rcf->name,
                           param->min, param->max);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_time(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_int_t    time;
    ngx_str_t   *value;
    ngx_msec_t  *field;

    value = cf->args->elts;
    field = (ngx_msec_t *) ((char *) rcf + param->offset);

    if (*field != NGX_CONF_UNSET_MSEC) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    time = ngx_parse_time(&value[1], 0);

    if (time == NGX_ERROR || time == 0 || time > NGX_HTTP_GW_REDIS_TIME_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\" in gw_redis "
                           "\"%V\", it must be a time from 1ms to 1h",
                           &value[1], &value[0], &rcf->name);
        return NGX_CONF_ERROR;
    }

    *field = time;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_flag(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    ngx_str_t   *value;
    ngx_flag_t  *field;

    value = cf->args->elts;
    field = (ngx_flag_t *) ((char *) rcf + param->offset);

    if (*field != NGX_CONF_UNSET) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0) {
        *field = 1;

    } else if (ngx_strcasecmp(value[1].data, (u_char *) "off") == 0) {
        *field = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\" in gw_redis "
                           "\"%V\", it must be \"on\" or \"off\"",
                           &value[1], &value[0], &rcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_redis_protocols(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    const ngx_http_gw_redis_param_t *param)
{
    if (rcf->ssl_protocols != 0) {
        return ngx_http_gw_redis_duplicate(cf, rcf);
    }

    return ngx_http_gw_redis_tls_protocols(cf, rcf);
}


static char *
ngx_http_gw_redis_finish(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    if (rcf->server.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"server\" in gw_redis \"%V\"", &rcf->name);
        return NGX_CONF_ERROR;
    }

    if (rcf->password_file.data != NULL) {

        if (rcf->password.data != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "gw_redis \"%V\" has both \"password\" and "
                               "\"password_file\"", &rcf->name);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_gw_redis_password_file(cf, rcf) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (rcf->user.data != NULL && rcf->password.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"user\" of gw_redis \"%V\" needs \"password\" "
                           "or \"password_file\"", &rcf->name);
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(rcf->database, 0);
    ngx_conf_init_value(rcf->queue, 1024);
    ngx_conf_init_value(rcf->connections, 1);
    ngx_conf_init_value(rcf->eval, 0);
    ngx_conf_init_value(rcf->max_fails, 3);
    ngx_conf_init_uint_value(rcf->mode, 0);
    ngx_conf_init_msec_value(rcf->connect_timeout, 200);
    ngx_conf_init_msec_value(rcf->timeout, 20);
    ngx_conf_init_msec_value(rcf->stall_timeout, 1000);
    ngx_conf_init_msec_value(rcf->fail_timeout, 1000);
    ngx_conf_init_msec_value(rcf->keepalive_interval, 5000);

    if (rcf->prefix.data == NULL) {
        ngx_str_set(&rcf->prefix, "gw:");
    }

    if (rcf->stall_timeout < rcf->timeout) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"stall_timeout\" of gw_redis \"%V\" must not be "
                           "less than \"timeout\"", &rcf->name);
        return NGX_CONF_ERROR;
    }

    return ngx_http_gw_redis_tls_finish(cf, rcf);
}


static char *
ngx_http_gw_redis_password_file(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    ngx_fd_t    fd;
    ngx_int_t   rc;
    ngx_str_t  *file;

    file = &rcf->password_file;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* a FIFO must not hang the start */

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_CONF_ERROR;
    }

    rc = ngx_http_gw_redis_read_password(cf, rcf, fd);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_gw_redis_read_password(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf,
    ngx_fd_t fd)
{
    u_char           *p, *last;
    ssize_t           n;
    ngx_str_t        *file;
    ngx_file_info_t   fi;

    file = &rcf->password_file;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)
        || (fi.st_uid != 0 && fi.st_uid != geteuid())
        || (fi.st_mode & (S_IWGRP|S_IRWXO)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "password file \"%V\" must be a regular file of "
                           "this user or root that others cannot read and "
                           "that its group cannot write, as with mode 0600",
                           file);
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->pool, NGX_HTTP_GW_REDIS_PASSWORD_MAX + 3);
    if (p == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, p, NGX_HTTP_GW_REDIS_PASSWORD_MAX + 3);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    last = p + n;

    if (last != p && last[-1] == LF) {
        last--;

        if (last != p && last[-1] == CR) {
            last--;
        }
    }

    if (last == p || last - p > NGX_HTTP_GW_REDIS_PASSWORD_MAX
        || ngx_strlchr(p, last, LF) != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "password file \"%V\" must have one line of 1 to "
                           "%d bytes", file, NGX_HTTP_GW_REDIS_PASSWORD_MAX);
        return NGX_ERROR;
    }

    rcf->password.data = p;
    rcf->password.len = last - p;

    return NGX_OK;
}


/* the value is not quoted: it may be the password */

static char *
ngx_http_gw_redis_duplicate(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" is duplicate in gw_redis \"%V\"",
                       &value[0], &rcf->name);

    return NGX_CONF_ERROR;
}
