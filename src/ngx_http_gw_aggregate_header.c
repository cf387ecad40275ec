
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_cache_control.h"
#include "gw_xxh64.h"
#include "ngx_http_gw_aggregate_conf.h"
#include "ngx_http_gw_aggregate_header.h"
#include "ngx_http_gw_part.h"


/* bytes of W/"", a hash, a dash and a length, in hexadecimal digits */
#define NGX_HTTP_GW_ETAG_SIZE    (sizeof("W/\"-\"") - 1 + 2 * 16)

/* bytes of a metric beside the name of its part */
#define NGX_HTTP_GW_METRIC_SIZE                                               \
    (sizeof(", ;dur=;desc=\"not_internal\"") - 1 + NGX_INT_T_LEN)


/* where the lines of a field come from; else the number of a part */

#define NGX_HTTP_GW_PASS_FIRST   ((ngx_uint_t) -1)
#define NGX_HTTP_GW_PASS_ALL     ((ngx_uint_t) -2)


typedef struct {
    ngx_str_t     name;
    ngx_str_t     from;
    ngx_uint_t    part;
} ngx_http_gw_pass_t;


typedef struct {
    ngx_str_t     name;
    const char   *reason;
} ngx_http_gw_refused_t;


static const char *ngx_http_gw_header_refused(ngx_str_t *name);
static ngx_int_t ngx_http_gw_header_push(ngx_list_t *headers,
    const ngx_str_t *name, const ngx_str_t *value);
static ngx_uint_t ngx_http_gw_header_is(ngx_table_elt_t *h,
    const ngx_str_t *name);
static ngx_uint_t ngx_http_gw_header_lends(ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_header_state(ngx_http_gw_gather_t *gather,
    ngx_list_t *headers);
static ngx_int_t ngx_http_gw_header_failed(ngx_http_gw_gather_t *gather,
    ngx_str_t *names);
static ngx_int_t ngx_http_gw_header_field(ngx_http_gw_gather_t *gather,
    ngx_http_gw_pass_t *pass);
static ngx_int_t ngx_http_gw_header_cache(ngx_http_gw_gather_t *gather);
static ngx_uint_t ngx_http_gw_header_cookies(ngx_http_gw_gather_t *gather);
static void ngx_http_gw_header_cache_part(ngx_http_request_t *sr,
    gw_cache_merge_t *merge, size_t *vary);
static time_t ngx_http_gw_header_age(ngx_http_request_t *sr, int64_t age);
static time_t ngx_http_gw_header_date(ngx_http_request_t *sr);
static ngx_int_t ngx_http_gw_header_cache_control(ngx_http_request_t *r,
    gw_cache_merge_t *merge);
static ngx_int_t ngx_http_gw_header_vary(ngx_http_gw_gather_t *gather,
    size_t size);
static ngx_int_t ngx_http_gw_header_timing(ngx_http_gw_gather_t *gather,
    ngx_list_t *headers);
static const ngx_str_t *ngx_http_gw_header_timing_desc(
    ngx_http_gw_part_t *part);


static const ngx_str_t  ngx_http_gw_failed_name = ngx_string("X-Gw-Failed");
static const ngx_str_t  ngx_http_gw_cache_name = ngx_string("Cache-Control");
static const ngx_str_t  ngx_http_gw_expires_name = ngx_string("Expires");
static const ngx_str_t  ngx_http_gw_age_name = ngx_string("Age");
static const ngx_str_t  ngx_http_gw_vary_name = ngx_string("Vary");
static const ngx_str_t  ngx_http_gw_cookie_name = ngx_string("Set-Cookie");
static const ngx_str_t  ngx_http_gw_timing_name = ngx_string("Server-Timing");
static const ngx_str_t  ngx_http_gw_no_store = ngx_string("no-store");
static const ngx_str_t  ngx_http_gw_true = ngx_string("true");
static const ngx_str_t  ngx_http_gw_false = ngx_string("false");
static const ngx_str_t  ngx_http_gw_none = ngx_null_string;


static const char  ngx_http_gw_hop[] = "belongs to the connection of the part";
static const char  ngx_http_gw_frame[] = "belongs to the body of the part";
static const char  ngx_http_gw_own[] = "is made by nginx for the whole";


/* what is wrong in an answer that has a connection and a body of its own */

static const ngx_http_gw_refused_t  ngx_http_gw_refused[] = {
    { ngx_string("connection"), ngx_http_gw_hop },
    { ngx_string("keep-alive"), ngx_http_gw_hop },
    { ngx_string("proxy-connection"), ngx_http_gw_hop },
    { ngx_string("proxy-authenticate"), ngx_http_gw_hop },
    { ngx_string("te"), ngx_http_gw_hop },
    { ngx_string("trailer"), ngx_http_gw_hop },
    { ngx_string("transfer-encoding"), ngx_http_gw_hop },
    { ngx_string("upgrade"), ngx_http_gw_hop },
    { ngx_string("content-length"), ngx_http_gw_frame },
    { ngx_string("content-type"), ngx_http_gw_frame },
    { ngx_string("content-encoding"), ngx_http_gw_frame },
    { ngx_string("content-range"), ngx_http_gw_frame },
    { ngx_string("accept-ranges"), ngx_http_gw_frame },
    { ngx_string("etag"), ngx_http_gw_frame },
    { ngx_string("last-modified"), ngx_http_gw_frame },
    { ngx_string("date"), ngx_http_gw_own },
    { ngx_string("server"), ngx_http_gw_own },
    { ngx_null_string, NULL }
};


/* what gw_aggregate_cache_control merges */

static const ngx_http_gw_refused_t  ngx_http_gw_merged[] = {
    { ngx_string("cache-control"), NULL },
    { ngx_string("expires"), NULL },
    { ngx_string("age"), NULL },
    { ngx_string("vary"), NULL },
    { ngx_string("pragma"), NULL },
    { ngx_null_string, NULL }
};


char *
ngx_http_gw_aggregate_pass_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    ngx_str_t           *value;
    const char          *reason;
    ngx_uint_t           i;
    ngx_http_gw_pass_t  *pass;

    value = cf->args->elts;

    if (!ngx_http_gw_aggregate_token(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    reason = ngx_http_gw_header_refused(&value[1]);

    if (reason) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be passed: it %s", &value[1],
                           reason);
        return NGX_CONF_ERROR;
    }

    if (alcf->pass_headers == NULL) {
        alcf->pass_headers = ngx_array_create(cf->pool, 4,
                                              sizeof(ngx_http_gw_pass_t));
        if (alcf->pass_headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    pass = alcf->pass_headers->elts;

    for (i = 0; i < alcf->pass_headers->nelts; i++) {

        if (pass[i].name.len == value[1].len
            && ngx_strncasecmp(pass[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is passed already", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    pass = ngx_array_push(alcf->pass_headers);
    if (pass == NULL) {
        return NGX_CONF_ERROR;
    }

    pass->name = value[1];
    pass->part = NGX_HTTP_GW_PASS_FIRST;
    ngx_str_set(&pass->from, "first");

    if (cf->args->nelts == 3) {
        pass->from = value[2];
    }

    if (pass->from.len == 5 && ngx_strncmp(pass->from.data, "first", 5) == 0) {

        if (value[1].len == ngx_http_gw_cookie_name.len
            && ngx_strncasecmp(value[1].data, ngx_http_gw_cookie_name.data,
                               value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "cookies of which parts are passed must be "
                               "said: \"%V\" needs the name of a part, or "
                               "\"all\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static const char *
ngx_http_gw_header_refused(ngx_str_t *name)
{
    const ngx_http_gw_refused_t  *refused;

    for (refused = ngx_http_gw_refused; refused->name.len; refused++) {

        if (refused->name.len == name->len
            && ngx_strncasecmp(refused->name.data, name->data, name->len)
               == 0)
        {
            return refused->reason;
        }
    }

    return NULL;
}


char *
ngx_http_gw_header_init(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_str_t *location)
{
    ngx_uint_t                    i, n;
    ngx_http_gw_pass_t           *pass;
    ngx_http_gw_part_conf_t      *pcf;
    const ngx_http_gw_refused_t  *merged;

    if (conf->pass_headers == NULL) {
        return NGX_CONF_OK;
    }

    pass = conf->pass_headers->elts;
    pcf = conf->parts->elts;

    for (i = 0; i < conf->pass_headers->nelts; i++) {

        for (merged = ngx_http_gw_merged; merged->name.len; merged++) {

            if (!conf->cache_control
                || merged->name.len != pass[i].name.len
                || ngx_strncasecmp(merged->name.data, pass[i].name.data,
                                   merged->name.len)
                   != 0)
            {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%V\" cannot be passed in location \"%V\": it is "
                          "merged from all parts, unless "
                          "\"gw_aggregate_cache_control\" is off",
                          &pass[i].name, location);
            return NGX_CONF_ERROR;
        }

        if (ngx_strcmp(pass[i].from.data, "first") == 0) {
            continue;
        }

        if (ngx_strcmp(pass[i].from.data, "all") == 0) {
            pass[i].part = NGX_HTTP_GW_PASS_ALL;
            continue;
        }

        for (n = 0; n < conf->parts->nelts; n++) {

            if (pcf[n].name.len == pass[i].from.len
                && ngx_strncmp(pcf[n].name.data, pass[i].from.data,
                               pcf[n].name.len)
                   == 0)
            {
                pass[i].part = n;
                break;
            }
        }

        if (n == conf->parts->nelts) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%V\" is passed from \"%V\" in location \"%V\", "
                          "which must be a part of it, \"first\" or \"all\"",
                          &pass[i].name, &pass[i].from, location);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_gw_header_add(ngx_http_request_t *r, const ngx_str_t *name,
    const ngx_str_t *value)
{
    return ngx_http_gw_header_push(&r->headers_out.headers, name, value);
}


static ngx_int_t
ngx_http_gw_header_push(ngx_list_t *headers, const ngx_str_t *name,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key = *name;
    h->value = *value;
    h->lowcase_key = NULL;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_header_copy(ngx_http_request_t *r, ngx_http_gw_part_t *part,
    const ngx_str_t *name, ngx_uint_t *found)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *lp;
    ngx_table_elt_t  *h;

    n = 0;

    for (lp = &part->request->headers_out.headers.part; lp; lp = lp->next) {
        h = lp->elts;

        for (i = 0; i < lp->nelts; i++) {

            if (!ngx_http_gw_header_is(&h[i], name)) {
                continue;
            }

            if (ngx_http_gw_header_add(r, &h[i].key, &h[i].value) != NGX_OK) {
                return NGX_ERROR;
            }

            n++;
        }
    }

    if (found) {
        *found = n;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_gw_header_is(ngx_table_elt_t *h, const ngx_str_t *name)
{
    return h->hash != 0
           && h->key.len == name->len
           && ngx_strncasecmp(h->key.data, name->data, name->len) == 0;
}


/* what a part that failed has said is not in the answer */

static ngx_uint_t
ngx_http_gw_header_lends(ngx_http_gw_part_t *part)
{
    if (part->gather->stream && part->conf->optional) {
        /* it depends on the moment whether it is done */
        return 0;
    }

    return part->done && part->request && !part->cancelled && !part->skipped
           && part->error == NGX_HTTP_GW_PART_OK;
}


ngx_int_t
ngx_http_gw_header_answer(ngx_http_gw_gather_t *gather)
{
    ngx_list_t  *headers;

    headers = &gather->request->headers_out.headers;

    if (ngx_http_gw_header_state(gather, headers) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (gather->state) {

    case NGX_HTTP_GW_STATE_COMPLETE:

        if (gather->conf->cache_control
            && ngx_http_gw_header_cache(gather) != NGX_OK)
        {
            return NGX_ERROR;
        }

        break;

    default:

        /* not those of core's array: "expires" replaces what is in there */

        if (ngx_http_gw_header_add(gather->request, &ngx_http_gw_cache_name,
                                   &ngx_http_gw_no_store)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (gather->state != NGX_HTTP_GW_STATE_FAILED
        && ngx_http_gw_header_pass(gather) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_header_timing(gather, headers);
}


ngx_int_t
ngx_http_gw_header_trailers(ngx_http_gw_gather_t *gather, ngx_str_t *names)
{
    u_char                        *p;
    ngx_http_request_t            *r;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_gw_aggregate_conf_t  *conf;

    r = gather->request;
    conf = gather->conf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_str_null(names);

    if (r->http_version < NGX_HTTP_VERSION_11
        || !clcf->chunked_transfer_encoding)
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, conf->complete_header.len
                             + sizeof(", X-Gw-Failed, Server-Timing") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    names->data = p;

    if (conf->complete_header.len) {
        p = ngx_sprintf(p, "%V", &conf->complete_header);

        if (conf->errors != NGX_HTTP_GW_ERRORS_OFF) {
            p = ngx_sprintf(p, ", %V", &ngx_http_gw_failed_name);
        }
    }

    if (conf->server_timing) {
        p = ngx_sprintf(p, "%s%V", (p == names->data) ? "" : ", ",
                        &ngx_http_gw_timing_name);
    }

    names->len = p - names->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_header_complete(ngx_http_gw_gather_t *gather)
{
    ngx_list_t  *trailers;

    trailers = gather->request->expect_trailers
               ? &gather->request->headers_out.trailers : NULL;

    if (ngx_http_gw_header_state(gather, trailers) != NGX_OK) {
        return NGX_ERROR;
    }

    return trailers ? ngx_http_gw_header_timing(gather, trailers) : NGX_OK;
}


/* headers NULL: it is only counted */

static ngx_int_t
ngx_http_gw_header_state(ngx_http_gw_gather_t *gather, ngx_list_t *headers)
{
    ngx_str_t         names;
    const ngx_str_t  *name;

    name = &gather->conf->complete_header;

    switch (gather->state) {

    case NGX_HTTP_GW_STATE_COMPLETE:
        ngx_http_gw_count(gather->counters, NGX_HTTP_GW_COUNT_COMPLETE);

        if (name->len && headers) {
            return ngx_http_gw_header_push(headers, name, &ngx_http_gw_true);
        }

        return NGX_OK;

    case NGX_HTTP_GW_STATE_PARTIAL:
        ngx_http_gw_count(gather->counters, NGX_HTTP_GW_COUNT_PARTIAL);
        break;

    default: /* NGX_HTTP_GW_STATE_FAILED */
        ngx_http_gw_count(gather->counters, NGX_HTTP_GW_COUNT_FAILED);
        break;
    }

    if (name->len == 0 || headers == NULL) {
        return NGX_OK;
    }

    if (ngx_http_gw_header_push(headers, name, &ngx_http_gw_false) != NGX_OK
        || ngx_http_gw_header_failed(gather, &names) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (names.len) {
        return ngx_http_gw_header_push(headers, &ngx_http_gw_failed_name,
                                       &names);
    }

    return NGX_OK;
}


/* the value of X-Gw-Failed; empty when clients are not told */

static ngx_int_t
ngx_http_gw_header_failed(ngx_http_gw_gather_t *gather, ngx_str_t *names)
{
    u_char              *p;
    size_t               len;
    ngx_uint_t           i;
    ngx_http_gw_part_t  *part;

    ngx_str_null(names);

    if (gather->conf->errors == NGX_HTTP_GW_ERRORS_OFF) {
        return NGX_OK;
    }

    len = 0;

    for (i = 0; i < gather->nparts; i++) {
        len += gather->parts[i].conf->name.len + sizeof(", ") - 1;
    }

    p = ngx_pnalloc(gather->request->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    names->data = p;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (part->error == NGX_HTTP_GW_PART_OK && !part->partial) {
            continue;
        }

        if (p != names->data) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, part->conf->name.data, part->conf->name.len);
    }

    names->len = p - names->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_header_pass(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           i;
    ngx_http_gw_pass_t  *pass;

    if (gather->conf->pass_headers) {
        pass = gather->conf->pass_headers->elts;

        for (i = 0; i < gather->conf->pass_headers->nelts; i++) {
            if (ngx_http_gw_header_field(gather, &pass[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_header_field(ngx_http_gw_gather_t *gather,
    ngx_http_gw_pass_t *pass)
{
    ngx_uint_t           i, found;
    ngx_http_gw_part_t  *part;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (!ngx_http_gw_header_lends(part)
            || (pass->part < gather->nparts && pass->part != i))
        {
            continue;
        }

        if (ngx_http_gw_header_copy(gather->request, part, &pass->name, &found)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (found && pass->part == NGX_HTTP_GW_PASS_FIRST) {
            break;
        }
    }

    return NGX_OK;
}


/* Cache-Control and Vary of the whole, RFC 9111 */

static ngx_int_t
ngx_http_gw_header_cache(ngx_http_gw_gather_t *gather)
{
    size_t               vary;
    gw_cache_merge_t     merge;
    ngx_http_gw_part_t  *part;

    vary = 0;
    gw_cache_merge_init(&merge);

    /* the parts that are fetched for items have no request of their own */

    for (part = gather->first; part; part = part->next) {

        if (!part->skipped && !part->each && !part->copy) {
            ngx_http_gw_header_cache_part(part->request, &merge, &vary);
        }
    }

    if (ngx_http_gw_header_cookies(gather)) {
        merge.is_private = 1;
    }

    if (ngx_http_gw_header_cache_control(gather->request, &merge) != NGX_OK) {
        return NGX_ERROR;
    }

    return vary ? ngx_http_gw_header_vary(gather, vary) : NGX_OK;
}


/* whether a cookie is passed to the client */

static ngx_uint_t
ngx_http_gw_header_cookies(ngx_http_gw_gather_t *gather)
{
    ngx_uint_t           i, n, k;
    ngx_list_part_t     *lp;
    ngx_table_elt_t     *h;
    ngx_http_gw_pass_t  *pass;
    ngx_http_gw_part_t  *part;

    if (gather->conf->pass_headers == NULL) {
        return 0;
    }

    pass = gather->conf->pass_headers->elts;

    for (i = 0; i < gather->conf->pass_headers->nelts; i++) {

        if (pass[i].name.len != ngx_http_gw_cookie_name.len
            || ngx_strncasecmp(pass[i].name.data,
                               ngx_http_gw_cookie_name.data,
                               pass[i].name.len)
               != 0)
        {
            continue;
        }

        for (n = 0; n < gather->nparts; n++) {
            part = &gather->parts[n];

            if (!ngx_http_gw_header_lends(part)
                || (pass[i].part < gather->nparts && pass[i].part != n))
            {
                continue;
            }

            lp = &part->request->headers_out.headers.part;

            for ( /* void */ ; lp; lp = lp->next) {
                h = lp->elts;

                for (k = 0; k < lp->nelts; k++) {
                    if (ngx_http_gw_header_is(&h[k],
                                              &ngx_http_gw_cookie_name))
                    {
                        return 1;
                    }
                }
            }
        }
    }

    return 0;
}


static void
ngx_http_gw_header_cache_part(ngx_http_request_t *sr, gw_cache_merge_t *merge,
    size_t *vary)
{
    time_t               date, expires;
    int64_t              lifetime, age, n;
    ngx_uint_t           i;
    ngx_list_part_t     *lp;
    ngx_table_elt_t     *h;
    gw_cache_control_t   cc;

    age = 0;
    lifetime = -1;
    gw_cache_control_init(&cc);

    lp = sr ? &sr->headers_out.headers.part : NULL;

    for ( /* void */ ; lp; lp = lp->next) {
        h = lp->elts;

        for (i = 0; i < lp->nelts; i++) {

            if (ngx_http_gw_header_is(&h[i], &ngx_http_gw_cache_name)) {
                gw_cache_control_parse(&cc, h[i].value.data, h[i].value.len);

            } else if (ngx_http_gw_header_is(&h[i],
                                             &ngx_http_gw_expires_name))
            {
                /* what is no date, "0" for one, is in the past */

                expires = ngx_parse_http_time(h[i].value.data,
                                              h[i].value.len);
                date = ngx_http_gw_header_date(sr);
                n = (expires == NGX_ERROR || expires < date) ? 0
                                                             : expires - date;

                lifetime = (lifetime == -1) ? n : ngx_min(lifetime, n);

            } else if (ngx_http_gw_header_is(&h[i], &ngx_http_gw_age_name)) {
                n = gw_cache_seconds(h[i].value.data, h[i].value.len);
                age = ngx_max(age, n);

            } else if (ngx_http_gw_header_is(&h[i], &ngx_http_gw_vary_name)) {
                *vary += 2 * (h[i].value.len + 1);
            }
        }
    }

    gw_cache_merge_add(merge, &cc, lifetime,
                       sr ? ngx_http_gw_header_age(sr, age) : 0);
}


/* RFC 9111, 4.2.3; what comes from a cache of nginx has been there as well */

static time_t
ngx_http_gw_header_age(ngx_http_request_t *sr, int64_t age)
{
    time_t  now, date;

    now = ngx_time();

#if (NGX_HTTP_CACHE)

    if (sr->cached && sr->cache && sr->cache->date && sr->cache->date < now) {
        age += now - sr->cache->date;
    }

#endif

    date = ngx_http_gw_header_date(sr);

    return ngx_max(age, now - date);
}


/* now, when the answer does not say when it was made */

static time_t
ngx_http_gw_header_date(ngx_http_request_t *sr)
{
    time_t            date;
    ngx_table_elt_t  *h;

    h = sr->upstream ? sr->upstream->headers_in.date : NULL;

    if (h == NULL) {
        return ngx_time();
    }

    date = ngx_parse_http_time(h->value.data, h->value.len);

    return (date == NGX_ERROR) ? ngx_time() : date;
}


/* where "expires" of the location finds and replaces it */

static ngx_int_t
ngx_http_gw_header_cache_control(ngx_http_request_t *r,
    gw_cache_merge_t *merge)
{
    u_char            *p;
    ngx_str_t          value;
    ngx_list_part_t   *lp;
    ngx_table_elt_t   *h;
#if (nginx_version < 1023000)
    ngx_table_elt_t  **cc;
#endif

    p = ngx_pnalloc(r->pool, GW_CACHE_MERGE_SIZE);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = gw_cache_merge_write(merge, p,
                                     r->headers_in.authorization != NULL)
                - p;

    if (value.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_gw_header_add(r, &ngx_http_gw_cache_name, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (merge->no_store) {
        return NGX_OK;
    }

    lp = r->headers_out.headers.last;
    h = lp->elts;
    h = &h[lp->nelts - 1];

#if (nginx_version >= 1023000)

    r->headers_out.cache_control = h;

#else

    if (r->headers_out.cache_control.elts == NULL
        && ngx_array_init(&r->headers_out.cache_control, r->pool, 1,
                          sizeof(ngx_table_elt_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    cc = ngx_array_push(&r->headers_out.cache_control);
    if (cc == NULL) {
        return NGX_ERROR;
    }

    *cc = h;

#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_header_vary(ngx_http_gw_gather_t *gather, size_t size)
{
    size_t               len;
    ngx_str_t            value;
    ngx_uint_t           n;
    ngx_list_part_t     *lp;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;
    ngx_http_gw_part_t  *part;

    r = gather->request;
    len = 0;

    value.data = ngx_pnalloc(r->pool, size);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    for (part = gather->first; part; part = part->next) {

        if (part->skipped || part->request == NULL || part->copy) {
            continue;
        }

        lp = &part->request->headers_out.headers.part;

        for ( /* void */ ; lp; lp = lp->next) {
            h = lp->elts;

            for (n = 0; n < lp->nelts; n++) {
                if (ngx_http_gw_header_is(&h[n], &ngx_http_gw_vary_name)) {
                    gw_vary_add(value.data, &len, h[n].value.data,
                                h[n].value.len);
                }
            }
        }
    }

    value.len = len;

    return len ? ngx_http_gw_header_add(r, &ngx_http_gw_vary_name, &value)
               : NGX_OK;
}


ngx_int_t
ngx_http_gw_header_etag(ngx_http_gw_gather_t *gather, ngx_chain_t *body)
{
    u_char              *p;
    gw_xxh64_t           hash;
    ngx_chain_t         *cl;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = gather->request;

    if (r != r->main) {
        return NGX_OK;
    }

    if (gather->state != NGX_HTTP_GW_STATE_COMPLETE
        || !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)))
    {
        /* "If-None-Match: *" needs no ETag to match */

        r->disable_not_modified = 1;
        return NGX_OK;
    }

    if (!gather->conf->etag) {
        return NGX_OK;
    }

    gw_xxh64_init(&hash);

    for (cl = body; cl; cl = cl->next) {
        gw_xxh64_update(&hash, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_GW_ETAG_SIZE);
    h = ngx_list_push(&r->headers_out.headers);

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->lowcase_key = NULL;
    ngx_str_set(&h->key, "ETag");
    h->value.data = p;
    h->value.len = ngx_sprintf(p, "W/\"%016xL-%xL\"",
                               (int64_t) gw_xxh64_final(&hash),
                               (int64_t) hash.total)
                   - p;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    r->headers_out.etag = h;

    if (r->headers_in.if_none_match) {

        /* RFC 9110, 13.1.3: not looked at then; core looks at both */

        r->headers_in.if_modified_since = NULL;
    }

    return NGX_OK;
}


/* a metric for each part, names of parts are tokens */

static ngx_int_t
ngx_http_gw_header_timing(ngx_http_gw_gather_t *gather, ngx_list_t *headers)
{
    u_char              *p;
    size_t               len;
    ngx_str_t            value;
    ngx_uint_t           i;
    const ngx_str_t     *desc;
    ngx_http_gw_part_t  *part;

    if (!gather->conf->server_timing) {
        return NGX_OK;
    }

    len = 0;

    for (i = 0; i < gather->nparts; i++) {
        len += gather->parts[i].conf->name.len + NGX_HTTP_GW_METRIC_SIZE;
    }

    p = ngx_pnalloc(gather->request->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (!part->done) {
            continue;
        }

        p = ngx_sprintf(p, "%s%V", (p == value.data) ? "" : ", ",
                        &part->conf->name);

        if (!part->skipped) {
            p = ngx_sprintf(p, ";dur=%M", part->time);
        }

        desc = ngx_http_gw_header_timing_desc(part);

        if (desc->len) {
            p = ngx_sprintf(p, ";desc=\"%V\"", desc);
        }
    }

    value.len = p - value.data;

    if (value.len == 0) {
        return NGX_OK;
    }

    return ngx_http_gw_header_push(headers, &ngx_http_gw_timing_name, &value);
}


/* why it is not there, as far as clients are told, or what its cache did */

static const ngx_str_t *
ngx_http_gw_header_timing_desc(ngx_http_gw_part_t *part)
{
    static const ngx_str_t  skipped = ngx_string("skipped");
    static const ngx_str_t  cancelled = ngx_string("cancelled");

    if (part->skipped) {
        return &skipped;
    }

    if (part->cancelled) {
        return &cancelled;
    }

    if (part->error != NGX_HTTP_GW_PART_OK) {
        return (part->gather->conf->errors >= NGX_HTTP_GW_ERRORS_CODE)
               ? ngx_http_gw_part_error_name(part->error) : &ngx_http_gw_none;
    }

#if (NGX_HTTP_CACHE)

    if (part->request && part->request->upstream
        && part->request->upstream->cache_status)
    {
        return &ngx_http_cache_status[part->request->upstream->cache_status
                                      - 1];
    }

#endif

    return &ngx_http_gw_none;
}
