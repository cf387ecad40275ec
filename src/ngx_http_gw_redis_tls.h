
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * TLS of a Redis link, by nginx's own OpenSSL: the handshake between the
 * connection and the preamble, the identity of the server, the session for
 * the next connection.  Without SSL in nginx nothing of this is compiled.
 */


#ifndef NGX_HTTP_GW_REDIS_TLS_H
#define NGX_HTTP_GW_REDIS_TLS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_gw_redis_wire.h"


#if (NGX_SSL)

/*
 * Starts the handshake on a connection that stands.
 *
 * Returns NGX_AGAIN: it ends in ngx_http_gw_redis_wire_ready() or in
 * ngx_http_gw_redis_link_lost(), either possibly before this returns.
 */
ngx_int_t ngx_http_gw_redis_tls_start(ngx_http_gw_redis_link_t *link);

/*
 * Completes the reason of a read or a write that failed after the handshake:
 * a server may refuse the certificate of its client as late as that.
 *
 * Returns what OpenSSL has said, valid as long as the link, or the given
 * static text.
 */
const char *ngx_http_gw_redis_tls_reason(ngx_http_gw_redis_link_t *link,
    const char *reason);

/* Ends TLS of link->connection, which is closed next. */
void ngx_http_gw_redis_tls_close(ngx_http_gw_redis_link_t *link);

/* Frees the session when the worker exits. */
void ngx_http_gw_redis_tls_exit(ngx_http_gw_redis_link_t *link);

#else

#define ngx_http_gw_redis_tls_reason(link, reason)  reason
#define ngx_http_gw_redis_tls_close(link)
#define ngx_http_gw_redis_tls_exit(link)

#endif


#endif /* NGX_HTTP_GW_REDIS_TLS_H */
