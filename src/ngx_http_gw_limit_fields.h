
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What a client is told about its limits: gw_limit_headers, and the fields of
 * the generations that it names.
 */


#ifndef NGX_HTTP_GW_LIMIT_FIELDS_H
#define NGX_HTTP_GW_LIMIT_FIELDS_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_ratelimit_fields.h"
#include "ngx_http_gw_limit.h"


/* gw_limit_headers: a bit for each generation, and its options */

#define NGX_HTTP_GW_LIMIT_HEADERS(set)      (1 << (set))

#define NGX_HTTP_GW_LIMIT_HEADERS_PK        0x0100
#define NGX_HTTP_GW_LIMIT_HEADERS_ALL       0x0200
#define NGX_HTTP_GW_LIMIT_HEADERS_REPLACE   0x0400


/*
 * Parses the parameter unit= of a zone.
 *
 *     unit  out: its name in RateLimit-Policy, NULL: requests
 *
 * Returns NGX_OK, or NGX_ERROR after the reason is logged.
 */
ngx_int_t ngx_http_gw_limit_unit(ngx_conf_t *cf, ngx_str_t *value,
    const char **unit);


/* another limit of the request, that is not one of its rate */

typedef struct {
    gw_ratelimit_item_t   item;
    uint64_t             *seed;        /* of the store of the key */
    uint64_t              key[2];
    ngx_uint_t            failed;      /* it rejected */
} ngx_http_gw_limit_extra_t;


/* what the fields are made of */

typedef struct {
    ngx_uint_t                headers;  /* bits of gw_limit_headers */
    ngx_http_gw_limit_set_t  *sets;
    ngx_uint_t                n;
    ngx_array_t              *extras;   /* ngx_http_gw_limit_extra_t */
    ngx_uint_t                jitter;   /* percent */
    ngx_uint_t               *dice;     /* of the request */
} ngx_http_gw_limit_view_t;


/*
 * Returns the limit to be told of: one that rejected, otherwise the one that
 * is nearest to exhaustion; NULL if there is no answer in the sets.
 *
 *     sets    n of them
 *     silent  not 0 counts those that are not shown to the client, too
 */
ngx_http_gw_limit_entry_t *ngx_http_gw_limit_nearest(
    ngx_http_gw_limit_set_t *sets, ngx_uint_t n, ngx_uint_t silent);

/*
 * Adds the fields of all the limits that have an answer.  Where an upstream
 * has sent fields of the same generation, those of the more restrictive limit
 * stand.
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_limit_add_fields(ngx_http_request_t *r,
    ngx_http_gw_limit_view_t *view);

/*
 * The directive gw_limit_headers; cmd->offset is that of an ngx_uint_t in
 * conf.
 */
char *ngx_http_gw_limit_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_GW_LIMIT_FIELDS_H */
