
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * An internal request for something that all requests share: it carries
 * nothing of the client's, and its answer goes to the module.
 */


#ifndef NGX_HTTP_GW_AUTH_FETCH_H
#define NGX_HTTP_GW_AUTH_FETCH_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct ngx_http_gw_auth_fetch_s  ngx_http_gw_auth_fetch_t;

/*
 * Told once of the end of a fetch, unless it was given up with the client's
 * request: then told with fetch->error set and fetch->lost.  Requests must
 * not be run here: core may be in the middle of one.
 */

typedef void (*ngx_http_gw_auth_fetch_pt)(ngx_http_gw_auth_fetch_t *fetch);


struct ngx_http_gw_auth_fetch_s {
    ngx_http_request_t          *request;     /* NULL: it has ended */
    ngx_http_post_subrequest_t   post;
    ngx_http_post_subrequest_t   guard;       /* of what is nested in it */
    ngx_http_gw_auth_fetch_pt    handler;
    void                        *data;        /* of the handler */
    void                        *ref;         /* the same, set by the caller */
    ngx_event_t                  timer;

    ngx_str_t                    body;        /* freed after the handler */
    size_t                       allocated;
    size_t                       max;         /* bytes of the body */
    off_t                        expect;      /* bytes, -1: not known */
    ngx_uint_t                   status;
    time_t                       max_age;     /* seconds, -1: none */

    const char                  *error;       /* NULL: body is the answer */
    ngx_uint_t                   code;        /* status, for %ui in error */

    unsigned                     header:1;
    unsigned                     last:1;
    unsigned                     lost:1;
    unsigned                     told:1;
    unsigned                     internal:1;  /* location */
};


/*
 * Starts a fetch, which runs when r's posted requests are run.  It takes a
 * reference of r->main.
 *
 *     uri      path with optional arguments, begins with "/"
 *     max      bytes of the answer
 *     timeout  msec for all of it
 *     handler  told of its end
 *     data     for the handler
 *
 * Returns the fetch, which lives as long as r->main, or NULL: then the
 * handler is not called.
 */

ngx_http_gw_auth_fetch_t *ngx_http_gw_auth_fetch(ngx_http_request_t *r,
    ngx_str_t *uri, size_t max, ngx_msec_t timeout,
    ngx_http_gw_auth_fetch_pt handler, void *data);

/*
 * Whether a request is a fetch, or was made inside of one: 1 or 0.
 */

ngx_uint_t ngx_http_gw_auth_fetch_is(ngx_http_request_t *r);

/*
 * The filters.  Return NGX_DECLINED when r goes to the next filter.
 */

ngx_int_t ngx_http_gw_auth_fetch_header(ngx_http_request_t *r);
ngx_int_t ngx_http_gw_auth_fetch_body(ngx_http_request_t *r,
    ngx_chain_t *in);


#endif /* NGX_HTTP_GW_AUTH_FETCH_H */
