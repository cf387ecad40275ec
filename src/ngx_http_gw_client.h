
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_CLIENT_H
#define NGX_HTTP_GW_CLIENT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Whether the client of a connection wants no more of the answer: over HTTP/3
 * it says so by STOP_SENDING, and nothing else when its request has ended
 * (RFC 9000, 3.5).  Core notes it at the write event and calls its handler;
 * ngx_http_test_reading() does not look there.
 */

#if (nginx_version >= 1025000 && (NGX_QUIC || NGX_COMPAT))

#define ngx_http_gw_client_stopped(c)                                         \
    ((c)->quic != NULL && (c)->write->error)

#else

#define ngx_http_gw_client_stopped(c)  0

#endif


#endif /* NGX_HTTP_GW_CLIENT_H */
