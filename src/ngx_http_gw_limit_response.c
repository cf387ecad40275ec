
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_response.h"


static void ngx_http_gw_limit_item(gw_ratelimit_item_t *item,
    ngx_http_gw_limit_entry_t *entry);
static size_t ngx_http_gw_limit_policy_size(
    ngx_http_gw_limit_entry_t *entry);
static u_char *ngx_http_gw_limit_policy(u_char *p,
    ngx_http_gw_limit_entry_t *entry);
static gw_ratelimit_item_t *ngx_http_gw_limit_nearest_item(
    ngx_http_gw_limit_entry_t *nearest, ngx_array_t *extras,
    gw_ratelimit_item_t *item);
static ngx_table_elt_t *ngx_http_gw_limit_field(ngx_http_request_t *r,
    const ngx_str_t *name);
static ngx_uint_t ngx_http_gw_limit_has_page(ngx_http_request_t *r,
    ngx_uint_t status);


static const ngx_str_t  ngx_http_gw_limit_policy_name =
    ngx_string("RateLimit-Policy");
static const ngx_str_t  ngx_http_gw_limit_state_name = ngx_string("RateLimit");
static const ngx_str_t  ngx_http_gw_limit_retry_name =
    ngx_string("Retry-After");


ngx_http_gw_limit_entry_t *
ngx_http_gw_limit_nearest(ngx_http_gw_limit_set_t *sets, ngx_uint_t n,
    ngx_uint_t silent)
{
    ngx_uint_t                  i, k;
    gw_ratelimit_item_t         item, best;
    ngx_http_gw_limit_entry_t  *entry, *nearest;

    nearest = NULL;

    for (i = 0; i < n; i++) {

        if (sets[i].silent && !silent) {
            continue;
        }

        if (sets[i].failed) {
            return sets[i].failed;
        }

        for (k = 0; k < sets[i].n; k++) {
            entry = &sets[i].entries[k];

            if (!entry->told || (entry->shadow && !silent)) {
                continue;
            }

            ngx_http_gw_limit_item(&item, entry);

            if (nearest == NULL || gw_ratelimit_nearer(&item, &best)) {
                nearest = entry;
                best = item;
            }
        }
    }

    return nearest;
}


static void
ngx_http_gw_limit_item(gw_ratelimit_item_t *item,
    ngx_http_gw_limit_entry_t *entry)
{
    ngx_http_gw_limit_zone_t  *zone;

    zone = entry->limit->zone;

    item->name = zone->policy.data;
    item->name_len = zone->policy.len;
    item->unit = NULL;
    item->quota = entry->plan->quota;
    item->window = entry->plan->window;
    item->burst = (entry->plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA)
                  ? entry->plan->capacity - 1 : 0;
    item->capacity = entry->plan->capacity;
    item->remaining = entry->remaining;
    item->reset = entry->next;
}


ngx_int_t
ngx_http_gw_limit_add_fields(ngx_http_request_t *r,
    ngx_http_gw_limit_set_t *sets, ngx_uint_t n, ngx_array_t *extras,
    ngx_uint_t jitter, ngx_uint_t *dice)
{
    u_char                     *p;
    size_t                      len;
    ngx_uint_t                  i, k;
    ngx_table_elt_t            *h;
    gw_ratelimit_item_t         item, *nearest;
    ngx_http_gw_limit_entry_t  *entry;
    ngx_http_gw_limit_extra_t  *extra;

    extra = extras->elts;

    nearest = ngx_http_gw_limit_nearest_item(
                                       ngx_http_gw_limit_nearest(sets, n, 0),
                                       extras, &item);
    if (nearest == NULL) {
        return NGX_OK;
    }

    nearest->reset = ngx_http_gw_limit_jitter(jitter, dice, nearest->reset);

    len = gw_ratelimit_item_size(nearest);

    for (i = 0; i < n; i++) {
        for (k = 0; !sets[i].silent && k < sets[i].n; k++) {
            len += ngx_http_gw_limit_policy_size(&sets[i].entries[k]);
        }
    }

    for (i = 0; i < extras->nelts; i++) {
        len += gw_ratelimit_item_size(&extra[i].item) + sizeof(", ") - 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    h = ngx_http_gw_limit_field(r, &ngx_http_gw_limit_policy_name);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;

    for (i = 0; i < n; i++) {
        for (k = 0; !sets[i].silent && k < sets[i].n; k++) {
            entry = &sets[i].entries[k];

            if (!entry->told || entry->shadow) {
                continue;
            }

            if (p != h->value.data) {
                *p++ = ',';
                *p++ = ' ';
            }

            p = ngx_http_gw_limit_policy(p, entry);
        }
    }

    for (i = 0; i < extras->nelts; i++) {

        if (p != h->value.data) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = gw_ratelimit_policy(p, &extra[i].item);
    }

    h->value.len = p - h->value.data;

    h = ngx_http_gw_limit_field(r, &ngx_http_gw_limit_state_name);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;
    h->value.len = gw_ratelimit_state(p, nearest) - p;

    return NGX_OK;
}


/* with the separator */

static size_t
ngx_http_gw_limit_policy_size(ngx_http_gw_limit_entry_t *entry)
{
    size_t               len;
    gw_ratelimit_item_t  item;

    len = entry->limit->policy.len;

    if (len == 0) {
        ngx_http_gw_limit_item(&item, entry);
        len = gw_ratelimit_item_size(&item);
    }

    return len + sizeof(", ") - 1;
}


static u_char *
ngx_http_gw_limit_policy(u_char *p, ngx_http_gw_limit_entry_t *entry)
{
    gw_ratelimit_item_t  item;

    if (entry->limit->policy.len) {
        return ngx_cpymem(p, entry->limit->policy.data,
                          entry->limit->policy.len);
    }

    /* it depends on the request */

    ngx_http_gw_limit_item(&item, entry);

    return gw_ratelimit_policy(p, &item);
}


/*
 * Returns what rejected, or is nearest to exhaustion; NULL if there is none.
 *
 *     nearest  of the rate limits, NULL: there is none
 *     item     for the rate limit
 */

static gw_ratelimit_item_t *
ngx_http_gw_limit_nearest_item(ngx_http_gw_limit_entry_t *nearest,
    ngx_array_t *extras, gw_ratelimit_item_t *item)
{
    ngx_uint_t                  i;
    gw_ratelimit_item_t        *best;
    ngx_http_gw_limit_extra_t  *extra;

    best = NULL;
    extra = extras->elts;

    if (nearest != NULL) {
        ngx_http_gw_limit_item(item, nearest);
        best = item;
    }

    for (i = 0; i < extras->nelts; i++) {

        if (extra[i].failed) {
            return &extra[i].item;
        }

        if (best == NULL || gw_ratelimit_nearer(&extra[i].item, best)) {
            best = &extra[i].item;
        }
    }

    return best;
}


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


static ngx_table_elt_t *
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
