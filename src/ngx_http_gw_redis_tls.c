
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_gw_redis_tls.h"


#if (NGX_SSL)


/* bytes of the pool that keeps nginx's state of a TLS connection */
#define NGX_HTTP_GW_REDIS_TLS_POOL  1024

/* parts before the text in what OpenSSL says, "error:CODE:LIB:FUNC:text" */
#define NGX_HTTP_GW_REDIS_TLS_SKIP  4


static void ngx_http_gw_redis_tls_handler(ngx_connection_t *c);
static const char *ngx_http_gw_redis_tls_verify(
    ngx_http_gw_redis_link_t *link);
static ngx_int_t ngx_http_gw_redis_tls_name(ngx_http_gw_redis_link_t *link,
    ngx_uint_t literal);
static ngx_uint_t ngx_http_gw_redis_tls_literal(ngx_str_t *name);
static void ngx_http_gw_redis_tls_session(ngx_connection_t *c);
static void ngx_http_gw_redis_tls_failed(ngx_http_gw_redis_link_t *link,
    const char *reason);
static void ngx_http_gw_redis_tls_log(ngx_http_gw_redis_link_t *link);
static void ngx_http_gw_redis_tls_writer(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len);


ngx_int_t
ngx_http_gw_redis_tls_start(ngx_http_gw_redis_link_t *link)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_gw_redis_conf_t  *conf;

    c = link->connection;
    conf = link->conf;

    ngx_http_gw_redis_tls_log(link);

    c->pool = ngx_create_pool(NGX_HTTP_GW_REDIS_TLS_POOL, link->log);

    if (c->pool == NULL
        || ngx_ssl_create_connection(conf->ssl_ctx, c, NGX_SSL_CLIENT)
           != NGX_OK)
    {
        ngx_http_gw_redis_link_lost(link, 0, "no memory");
        return NGX_AGAIN;
    }

    /*
     * What is written counts as sent, and is never sent again: with partial
     * writes no more is written than was counted.
     */

    SSL_set_mode(c->ssl->connection, SSL_MODE_ENABLE_PARTIAL_WRITE);

    if (conf->ssl_server_name
        && ngx_http_gw_redis_tls_name(link,
                              ngx_http_gw_redis_tls_literal(&conf->ssl_name))
           != NGX_OK)
    {
        ngx_http_gw_redis_tls_failed(link, "server name failed");
        return NGX_AGAIN;
    }

    if (conf->ssl_session_reuse) {
        c->ssl->save_session = ngx_http_gw_redis_tls_session;

        if (ngx_ssl_set_session(c, link->session) != NGX_OK) {
            ngx_http_gw_redis_tls_failed(link, "session failed");
            return NGX_AGAIN;
        }
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = ngx_http_gw_redis_tls_handler;
        return NGX_AGAIN;
    }

    ngx_http_gw_redis_tls_handler(c);

    return NGX_AGAIN;
}


/* RFC 6066, 3: literal addresses are not permitted as names */

static ngx_int_t
ngx_http_gw_redis_tls_name(ngx_http_gw_redis_link_t *link, ngx_uint_t literal)
{
    u_char            *p;
    ngx_str_t         *name;
    ngx_connection_t  *c;

    name = &link->conf->ssl_name;
    c = link->connection;

    if (literal) {
        return NGX_OK;
    }

    p = ngx_pnalloc(c->pool, name->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(p, name->data, name->len + 1);

    if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) p) == 0) {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%s\") failed", p);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_gw_redis_tls_literal(ngx_str_t *name)
{
    u_char  address[16];

    if (ngx_inet_addr(name->data, name->len) != INADDR_NONE) {
        return 1;
    }

#if (NGX_HAVE_INET6)
    if (ngx_inet6_addr(name->data, name->len, address) == NGX_OK) {
        return 1;
    }
#endif

    return 0;
}


static void
ngx_http_gw_redis_tls_handler(ngx_connection_t *c)
{
    const char                *reason;
    ngx_http_gw_redis_link_t  *link;

    link = c->data;

    if (!c->ssl->handshaked) {
        ngx_http_gw_redis_tls_failed(link, "the handshake failed");
        return;
    }

    /* before the first byte, which may be of a password */

    reason = ngx_http_gw_redis_tls_verify(link);

    if (reason != NULL) {
        link->tls_said = 0;
        ngx_http_gw_redis_tls_failed(link, reason);
        return;
    }

    ngx_http_gw_redis_wire_ready(link);
}


/* returns NULL or what is wrong with the certificate */

static const char *
ngx_http_gw_redis_tls_verify(ngx_http_gw_redis_link_t *link)
{
    int                        match;
    long                       rc;
    u_char                    *p;
    X509                      *cert;
    ngx_str_t                 *name;
    ngx_connection_t          *c;

    if (!link->conf->ssl_verify) {
        return NULL;
    }

    c = link->connection;
    name = &link->conf->ssl_name;

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        return X509_verify_cert_error_string(rc);
    }

    match = 0;

    if (ngx_http_gw_redis_tls_literal(name)) {

        p = ngx_pnalloc(c->pool, name->len + 1);
        cert = SSL_get_peer_certificate(c->ssl->connection);

        if (p != NULL && cert != NULL) {
            (void) ngx_cpystrn(p, name->data, name->len + 1);
            match = X509_check_ip_asc(cert, (char *) p, 0);
        }

        X509_free(cert);
    }

    if (match != 1 && ngx_ssl_check_host(c, name) != NGX_OK) {
        return "the certificate is of another name";
    }

    return NULL;
}


static void
ngx_http_gw_redis_tls_session(ngx_connection_t *c)
{
    ngx_ssl_session_t         *session;
    ngx_http_gw_redis_link_t  *link;

    link = c->data;

    session = ngx_ssl_get_session(c);

    if (session == NULL) {
        return;
    }

    if (link->session != NULL) {
        ngx_ssl_free_session(link->session);
    }

    link->session = session;
}


static void
ngx_http_gw_redis_tls_failed(ngx_http_gw_redis_link_t *link,
    const char *reason)
{
    u_char  *last;

    /* the next one is a full one */

    ngx_http_gw_redis_tls_exit(link);

    if (!link->tls_said) {
        last = ngx_snprintf(link->tls_error, NGX_HTTP_GW_REDIS_TLS_ERROR - 1,
                            "TLS: %s", reason);
        *last = '\0';
    }

    ngx_http_gw_redis_link_lost(link, 0, (char *) link->tls_error);
}


const char *
ngx_http_gw_redis_tls_reason(ngx_http_gw_redis_link_t *link,
    const char *reason)
{
    u_char             byte;
    ngx_connection_t  *c;

    c = link->connection;

    if (c->ssl == NULL) {
        return reason;
    }

    /* an alert may wait behind a write that failed */

    if (!link->tls_said && !link->up) {
        (void) c->recv(c, &byte, 1);
    }

    return link->tls_said ? (char *) link->tls_error : reason;
}


/*
 * nginx logs what OpenSSL says, for each attempt and at levels that depend on
 * its number.  It is caught here, to be told once and with the name of Redis.
 */

static void
ngx_http_gw_redis_tls_log(ngx_http_gw_redis_link_t *link)
{
    ngx_connection_t  *c;

    c = link->connection;

    link->tls_said = 0;

    ngx_memzero(&link->tls_log, sizeof(ngx_log_t));

    link->tls_log.log_level = ngx_max(link->quiet.log_level, NGX_LOG_INFO);
    link->tls_log.connection = c->number;
    link->tls_log.writer = ngx_http_gw_redis_tls_writer;
    link->tls_log.wdata = link;
    link->tls_log.next = &link->quiet;

    c->log = &link->tls_log;
    c->read->log = c->log;
    c->write->log = c->log;
}


static void
ngx_http_gw_redis_tls_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len)
{
    u_char                    *p, *last;
    ngx_uint_t                 n;
    ngx_http_gw_redis_link_t  *link;

    link = log->wdata;

    last = buf + len;
    p = ngx_strlcasestrn(buf, last, (u_char *) "(SSL: error:",
                         sizeof("(SSL: error:") - 1 - 1);

    if (level == NGX_LOG_DEBUG || p == NULL || link->tls_said) {
        return;
    }

    p += sizeof("(SSL: ") - 1;

    for (n = 0; n < NGX_HTTP_GW_REDIS_TLS_SKIP; n++) {

        while (p < last && *p != ':') {
            p++;
        }

        if (p == last) {
            return;
        }

        p++;
    }

    for (buf = p; p < last && *p > 0x1f && *p < 0x7f && *p != ')'; p++) {
        /* void */
    }

    last = ngx_snprintf(link->tls_error, NGX_HTTP_GW_REDIS_TLS_ERROR - 1,
                        "TLS: %*s", (size_t) (p - buf), buf);
    *last = '\0';

    link->tls_said = 1;
}


void
ngx_http_gw_redis_tls_close(ngx_http_gw_redis_link_t *link)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = link->connection;
    pool = c->pool;

    if (c->ssl != NULL) {

        /* one "close notify" if the socket takes it, and no waiting */

        c->ssl->no_wait_shutdown = 1;
        c->ssl->save_session = NULL;

        (void) ngx_ssl_shutdown(c);

        if (c->ssl != NULL) {
            SSL_free(c->ssl->connection);
            c->ssl = NULL;
        }
    }

    if (pool != NULL) {
        c->pool = NULL;
        ngx_destroy_pool(pool);
    }
}


void
ngx_http_gw_redis_tls_exit(ngx_http_gw_redis_link_t *link)
{
    if (link->session != NULL) {
        ngx_ssl_free_session(link->session);
        link->session = NULL;
    }
}


#endif
