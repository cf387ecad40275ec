
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Text with variables whose values are escaped for the place where they
 * stand: "?id=$arg_id" in a URI, "{"id":"$arg_id"}" in a JSON body.
 */


#ifndef NGX_HTTP_GW_TEMPLATE_H
#define NGX_HTTP_GW_TEMPLATE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    NGX_HTTP_GW_TEMPLATE_URI = 0,
    NGX_HTTP_GW_TEMPLATE_JSON
} ngx_http_gw_template_e;


/* how the value of a piece is written */

typedef enum {
    NGX_HTTP_GW_TEMPLATE_PLAIN = 0,
    NGX_HTTP_GW_TEMPLATE_COMPONENT,     /* percent-encoded */
    NGX_HTTP_GW_TEMPLATE_SEGMENT,       /* the same, it was not encoded */
    NGX_HTTP_GW_TEMPLATE_PATH,          /* the same, but not its slashes */
    NGX_HTTP_GW_TEMPLATE_STRING,        /* content of a JSON string */
    NGX_HTTP_GW_TEMPLATE_VALUE,         /* a JSON value of its own */
    NGX_HTTP_GW_TEMPLATE_QUOTED         /* a JSON string of its own */
} ngx_http_gw_template_escape_e;


/* names of values that templates are given, beside nginx's variables */

typedef struct {
    ngx_array_t                     *own;       /* ngx_str_t, by number */
    ngx_array_t                     *other;     /* ngx_str_t: variables that
                                                   are such values elsewhere */
} ngx_http_gw_template_names_t;


/* such a value; text.data NULL: there is none */

typedef struct {
    ngx_str_t                        text;
    ngx_str_t                        json;      /* data NULL: a string */
} ngx_http_gw_own_t;


typedef struct {
    ngx_http_complex_value_t         value;
    ngx_uint_t                       own;       /* its number and 1; or 0 */
    ngx_http_gw_template_escape_e    escape;
} ngx_http_gw_template_piece_t;


typedef struct {
    ngx_str_t                        text;      /* as written */
    ngx_array_t                      pieces;
    uint64_t                         own;       /* values it has, a bit each */
    unsigned                         constant:1;
} ngx_http_gw_template_t;


/*
 * Compiles a template.
 *
 *     text     zero-terminated, as configuration values are
 *     type     URI: values of $arg_* become one percent-encoded component;
 *              $1 to $9, $uri and $document_uri, which nginx has decoded,
 *              are encoded but for their slashes; other values are taken
 *              as they are.  JSON: every value is
 *              escaped, inside of quotes as the content of a string,
 *              elsewhere it must be JSON (an empty one is null).
 *     names    values of the first list are given when it is run; those of
 *              the second are variables whose values are not encoded yet;
 *              NULL: no such names
 *
 * Returns NGX_OK, or NGX_ERROR with the error logged.
 */
ngx_int_t ngx_http_gw_template_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_gw_template_e type, ngx_http_gw_template_names_t *names,
    ngx_http_gw_template_t *template);


/*
 * The values of a list of names that a text with variables has, a bit each.
 */
uint64_t ngx_http_gw_template_mentions(ngx_str_t *text, ngx_array_t *names);


/*
 * Tells what a JSON template is when its values are left empty, so that
 * its form can be checked while the configuration is read.
 *
 * Returns NGX_OK or NGX_ERROR (no memory).
 */
ngx_int_t ngx_http_gw_template_sample(ngx_conf_t *cf,
    ngx_http_gw_template_t *template, ngx_str_t *sample);


/*
 * Makes the text for a request, in its pool.
 *
 *     own      values of the names that it was compiled with; those that it
 *              has must be there.  NULL: each is taken as "0".
 *
 * Returns NGX_OK, NGX_DECLINED when a value cannot stand where it should,
 * NGX_ERROR when there is no memory.
 */
ngx_int_t ngx_http_gw_template_run(ngx_http_request_t *r,
    ngx_http_gw_template_t *template, ngx_http_gw_own_t *own,
    ngx_str_t *text);


#endif /* NGX_HTTP_GW_TEMPLATE_H */
