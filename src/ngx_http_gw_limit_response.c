
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_response.h"


static ngx_uint_t ngx_http_gw_limit_has_page(ngx_http_request_t *r,
    ngx_uint_t status);


static const ngx_str_t  ngx_http_gw_limit_retry_name =
    ngx_string("Retry-After");


int64_t
ngx_http_gw_limit_jitter(ngx_uint_t jitter, ngx_uint_t *dice, int64_t usec)
{
    int64_t  sec, range;

    if (jitter == 0 || usec <= 0) {
        return usec;
    }

    if (*dice == 0) {
        *dice = 0x10000 | (ngx_random() & 0xffff);
    }

    sec = (usec + 999999) / 1000000;
    range = sec * (int64_t) jitter / 100 + 1;

    return (sec + (range * (int64_t) (*dice & 0xffff) >> 16)) * 1000000;
}


ngx_int_t
ngx_http_gw_limit_add_retry_after(ngx_http_request_t *r, int64_t usec)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    h = ngx_http_gw_limit_field(r, &ngx_http_gw_limit_retry_name);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;
    h->value.len = gw_ratelimit_seconds(p, usec) - p;

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_gw_limit_field(ngx_http_request_t *r, const ngx_str_t *name)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key = *name;
    h->lowcase_key = NULL;
    ngx_str_null(&h->value);

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_int_t
ngx_http_gw_limit_problem(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *policy)
{
    size_t                     len;
    ngx_str_t                  body, type;
    gw_ratelimit_problem_e     problem;
    ngx_http_complex_value_t   cv;

    /* nginx closes the connection without a response, or has its own page */

    if (status == NGX_HTTP_REQUEST_TIME_OUT
        || status == NGX_HTTP_CLOSE
        || (status >= NGX_HTTP_NGINX_CODES
            && status <= NGX_HTTP_CLIENT_CLOSED_REQUEST)
        || ngx_http_gw_limit_has_page(r, status))
    {
        return status;
    }

    len = (policy != NULL) ? policy->len : 0;

    body.data = ngx_pnalloc(r->pool, gw_ratelimit_problem_size(len));
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    problem = (policy != NULL) ? GW_RATELIMIT_QUOTA_EXCEEDED
                               : GW_RATELIMIT_REDUCED_CAPACITY;

    body.len = gw_ratelimit_problem(body.data, problem, status,
                                    policy ? policy->data : NULL, len)
               - body.data;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    cv.value = body;

    /* as in a special response: the status of an earlier error gives way */

    r->err_status = status;
    r->expect_tested = 1;

    ngx_str_set(&type, "application/problem+json");

    ngx_http_finalize_request(r, ngx_http_send_response(r, status, &type,
                                                        &cv));

    return NGX_DONE;
}


/* The rule of ngx_http_special_response_handler(). */

static ngx_uint_t
ngx_http_gw_limit_has_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->error_page || clcf->error_pages == NULL || r->uri_changes == 0) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}
