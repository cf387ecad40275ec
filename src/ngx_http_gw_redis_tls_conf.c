
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_redis_tls_conf.h"


/* the values of nginx's own, which a build without SSL does not define */

#define NGX_HTTP_GW_REDIS_TLSV1    0x0008
#define NGX_HTTP_GW_REDIS_TLSV1_1  0x0010
#define NGX_HTTP_GW_REDIS_TLSV1_2  0x0020
#define NGX_HTTP_GW_REDIS_TLSV1_3  0x0040


static char *ngx_http_gw_redis_tls_check(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);
#if (NGX_SSL)
static char *ngx_http_gw_redis_tls_load(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);
#endif


static ngx_conf_bitmask_t  ngx_http_gw_redis_tls_versions[] = {
    { ngx_string("TLSv1"), NGX_HTTP_GW_REDIS_TLSV1 },
    { ngx_string("TLSv1.1"), NGX_HTTP_GW_REDIS_TLSV1_1 },
    { ngx_string("TLSv1.2"), NGX_HTTP_GW_REDIS_TLSV1_2 },
    { ngx_string("TLSv1.3"), NGX_HTTP_GW_REDIS_TLSV1_3 },
    { ngx_null_string, 0 }
};


char *
ngx_http_gw_redis_tls_protocols(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    ngx_str_t           *value;
    ngx_uint_t           i;
    ngx_conf_bitmask_t  *version;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (version = ngx_http_gw_redis_tls_versions;
             version->name.len != 0;
             version++)
        {
            if (version->name.len == value[i].len
                && ngx_strcasecmp(version->name.data, value[i].data) == 0)
            {
                break;
            }
        }

        if (version->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" of \"ssl_protocols\" in "
                               "gw_redis \"%V\", it must be \"TLSv1\", "
                               "\"TLSv1.1\", \"TLSv1.2\" or \"TLSv1.3\"",
                               &value[i], &rcf->name);
            return NGX_CONF_ERROR;
        }

        rcf->ssl_protocols |= version->mask;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_redis_tls_finish(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    if (ngx_http_gw_redis_tls_check(cf, rcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(rcf->ssl, 0);
    ngx_conf_init_value(rcf->ssl_verify, 1);
    ngx_conf_init_value(rcf->ssl_server_name, 1);
    ngx_conf_init_value(rcf->ssl_session_reuse, 1);
    ngx_conf_init_value(rcf->ssl_verify_depth, 1);

    if (!rcf->ssl) {
        return NGX_CONF_OK;
    }

#if (NGX_SSL)

    if (rcf->ssl_protocols == 0) {
        rcf->ssl_protocols = NGX_HTTP_GW_REDIS_TLSV1_2
                             |NGX_HTTP_GW_REDIS_TLSV1_3;
    }

    if (rcf->ssl_ciphers.data == NULL) {
        ngx_str_set(&rcf->ssl_ciphers, "DEFAULT");
    }

    if (rcf->ssl_name.data == NULL) {
        rcf->ssl_name = rcf->host;

        /* an address stands without its brackets in a certificate */

        if (rcf->ssl_name.len > 2 && rcf->ssl_name.data[0] == '[') {
            rcf->ssl_name.data++;
            rcf->ssl_name.len -= 2;
        }
    }

    return ngx_http_gw_redis_tls_load(cf, rcf);

#else

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"ssl\" of gw_redis \"%V\" needs an nginx that was "
                       "built with SSL, as with --with-http_ssl_module",
                       &rcf->name);

    return NGX_CONF_ERROR;

#endif
}


static char *
ngx_http_gw_redis_tls_check(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    const char  *more;

    /* what was meant to be safe must not go in clear text */

    more = (rcf->ssl_protocols != 0) ? "ssl_protocols"
           : (rcf->ssl_ciphers.data != NULL) ? "ssl_ciphers"
           : (rcf->ssl_certificate.data != NULL) ? "ssl_certificate"
           : (rcf->ssl_certificate_key.data != NULL) ? "ssl_certificate_key"
           : (rcf->ssl_trusted_certificate.data != NULL)
             ? "ssl_trusted_certificate"
           : (rcf->ssl_name.data != NULL) ? "ssl_name"
           : (rcf->ssl_verify != NGX_CONF_UNSET) ? "ssl_verify"
           : (rcf->ssl_verify_depth != NGX_CONF_UNSET) ? "ssl_verify_depth"
           : (rcf->ssl_server_name != NGX_CONF_UNSET) ? "ssl_server_name"
           : (rcf->ssl_session_reuse != NGX_CONF_UNSET) ? "ssl_session_reuse"
           : NULL;

    if (rcf->ssl != 1) {

        if (more == NULL) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" of gw_redis \"%V\" needs \"ssl on\"",
                           more, &rcf->name);
        return NGX_CONF_ERROR;
    }

    if (rcf->addr != NULL && rcf->addr->sockaddr->sa_family == AF_UNIX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gw_redis \"%V\" has a unix socket, which does "
                           "not need \"ssl\"", &rcf->name);
        return NGX_CONF_ERROR;
    }

    if (rcf->ssl_verify != 0 && rcf->ssl_trusted_certificate.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl\" of gw_redis \"%V\" needs "
                           "\"ssl_trusted_certificate\" to verify Redis, or "
                           "\"ssl_verify off\"", &rcf->name);
        return NGX_CONF_ERROR;
    }

    if ((rcf->ssl_certificate.data == NULL)
        != (rcf->ssl_certificate_key.data == NULL))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl_certificate\" and \"ssl_certificate_key\" "
                           "of gw_redis \"%V\" need each other", &rcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


#if (NGX_SSL)

static char *
ngx_http_gw_redis_tls_load(ngx_conf_t *cf, ngx_http_gw_redis_conf_t *rcf)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_CONF_ERROR;
    }

    ssl->log = cf->log;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_ssl_create(ssl, rcf->ssl_protocols, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    if (ngx_ssl_ciphers(cf, ssl, &rcf->ssl_ciphers, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (rcf->ssl_certificate.data != NULL
        && ngx_ssl_certificate(cf, ssl, &rcf->ssl_certificate,
                               &rcf->ssl_certificate_key, NULL)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (rcf->ssl_verify
        && ngx_ssl_trusted_certificate(cf, ssl, &rcf->ssl_trusted_certificate,
                                       rcf->ssl_verify_depth)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_ssl_client_session_cache(cf, ssl, rcf->ssl_session_reuse)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rcf->ssl_ctx = ssl;

    return NGX_CONF_OK;
}

#endif
