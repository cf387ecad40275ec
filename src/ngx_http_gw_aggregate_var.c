
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_var.h"
#include "ngx_http_gw_part.h"


static void ngx_http_gw_aggregate_mark(void *data);
static ngx_int_t ngx_http_gw_aggregate_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_failed_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_parts_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_name_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_aggregate_part_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static u_char *ngx_http_gw_aggregate_write_time(u_char *p, ngx_msec_t msec);
static const ngx_str_t *ngx_http_gw_aggregate_cache_status(
    ngx_http_gw_part_t *part);


static ngx_http_variable_t  ngx_http_gw_aggregate_vars[] = {

    { ngx_string("gw_aggregate_status"), NULL,
      ngx_http_gw_aggregate_status_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_failed"), NULL,
      ngx_http_gw_aggregate_failed_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_parts"), NULL,
      ngx_http_gw_aggregate_parts_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_aggregate_time"), NULL,
      ngx_http_gw_aggregate_time_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_part_name"), NULL,
      ngx_http_gw_aggregate_name_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_part_"), NULL,
      ngx_http_gw_aggregate_part_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_gw_aggregate_add_variables(ngx_conf_t *cf)
{
    return ngx_http_gw_aggregate_add_table(cf, ngx_http_gw_aggregate_vars);
}


ngx_int_t
ngx_http_gw_aggregate_add_table(ngx_conf_t *cf, ngx_http_variable_t *v)
{
    ngx_http_variable_t  *var;

    for ( /* void */ ; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* error_page clears the context, the log is written after that */

ngx_int_t
ngx_http_gw_aggregate_keep(ngx_http_request_t *r,
    ngx_http_gw_gather_t *gather)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_gw_aggregate_mark;
    cln->data = gather;

    return NGX_OK;
}


/* names the entry of the pool's cleanups that keeps the gather */

static void
ngx_http_gw_aggregate_mark(void *data)
{
    /* void */
}


ngx_http_gw_gather_t *
ngx_http_gw_aggregate_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_gw_gather_t  *gather;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_gw_aggregate_mark) {
            gather = cln->data;

            if (gather->request == r) {
                return gather;
            }
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_gw_aggregate_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gw_gather_t  *gather;

    static const ngx_str_t  states[] = {
        ngx_null_string,
        ngx_string("complete"),
        ngx_string("partial"),
        ngx_string("failed")
    };

    gather = ngx_http_gw_aggregate_find(r);

    return ngx_http_gw_aggregate_value(r, v,
                                       gather ? &states[gather->state] : NULL);
}


static ngx_int_t
ngx_http_gw_aggregate_failed_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    len = 0;

    for (i = 0; i < gather->nparts; i++) {
        len += gather->parts[i].conf->name.len + 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        if (part->error == NGX_HTTP_GW_PART_OK && !part->partial) {
            continue;
        }

        if (p != value.data) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, part->conf->name.data, part->conf->name.len);
    }

    value.len = p - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              value;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    value.data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_http_gw_aggregate_write_time(value.data, gather->time)
                - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_parts_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    const ngx_str_t       *error;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    len = sizeof("[]") - 1;

    for (i = 0; i < gather->nparts; i++) {
        len += sizeof("{\"name\":\"\",\"status\":,\"time\":,\"bytes\":,"
                      "\"cache\":\"REVALIDATED\",\"error\":\"\"},") - 1
               + gather->parts[i].conf->name.len + 2 * NGX_INT_T_LEN
               + NGX_TIME_T_LEN + 4 + NGX_HTTP_GW_ERROR_LEN;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    *p++ = '[';

    for (i = 0; i < gather->nparts; i++) {
        part = &gather->parts[i];

        p = ngx_sprintf(p, "%s{\"name\":\"%V\",\"status\":%ui,\"time\":",
                        i ? "," : "", &part->conf->name, part->status);
        p = ngx_http_gw_aggregate_write_time(p, part->time);
        p = ngx_sprintf(p, ",\"bytes\":%uz,\"cache\":\"%V\",\"error\":\"",
                        part->size, ngx_http_gw_aggregate_cache_status(part));

        if (part->error || part->why) {
            error = ngx_http_gw_part_error_name(part->error ? part->error
                                                            : part->why);
            p = ngx_cpymem(p, error->data, error->len);
        }

        *p++ = '"';
        *p++ = '}';
    }

    *p++ = ']';
    value.len = p - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


static ngx_int_t
ngx_http_gw_aggregate_name_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_uint_t           nested;
    ngx_http_gw_part_t  *part;

    part = ngx_http_gw_part_find(r, &nested);

    return ngx_http_gw_aggregate_value(r, v, part ? &part->conf->name : NULL);
}


/* $gw_part_<name>_<field> */

static ngx_int_t
ngx_http_gw_aggregate_part_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    u_char                *p, *start, *field;
    size_t                 len;
    ngx_str_t              value;
    ngx_uint_t             i;
    ngx_http_gw_part_t    *part;
    ngx_http_gw_gather_t  *gather;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    /* the shortest name is "gw_part_": then the field is its last "_" */

    start = name->data + sizeof("gw_part_") - 1;
    field = name->data + name->len - 1;

    while (field > start && *field != '_') {
        field--;
    }

    part = NULL;
    len = (field > start) ? (size_t) (field - start) : 0;

    for (i = 0; i < gather->nparts; i++) {

        if (gather->parts[i].conf->name.len == len
            && ngx_strncasecmp(gather->parts[i].conf->name.data, start, len)
               == 0)
        {
            part = &gather->parts[i];
            break;
        }
    }

    if (part == NULL || part->skipped) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    value.len = name->data + name->len - field;
    value.data = field;

    p = ngx_pnalloc(r->pool, NGX_OFF_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (value.len == 7 && ngx_strncmp(field, "_status", 7) == 0) {
        value.len = ngx_sprintf(p, "%ui", part->status) - p;
        value.data = p;

    } else if (value.len == 5 && ngx_strncmp(field, "_time", 5) == 0) {
        value.len = ngx_http_gw_aggregate_write_time(p, part->time) - p;
        value.data = p;

    } else if (value.len == 6 && ngx_strncmp(field, "_bytes", 6) == 0) {
        value.len = ngx_sprintf(p, "%uz", part->size) - p;
        value.data = p;

    } else if (value.len == 6 && ngx_strncmp(field, "_error", 6) == 0) {
        ngx_str_null(&value);

        if (part->error != NGX_HTTP_GW_PART_OK) {
            value = *ngx_http_gw_part_error_name(part->error);

        } else if (part->why != NGX_HTTP_GW_PART_OK) {
            value = *ngx_http_gw_part_error_name(part->why);
        }

    } else if (value.len == 6 && ngx_strncmp(field, "_cache", 6) == 0) {
        value = *ngx_http_gw_aggregate_cache_status(part);

    } else {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    return ngx_http_gw_aggregate_value(r, v, &value);
}


ngx_int_t
ngx_http_gw_aggregate_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const ngx_str_t *value)
{
    if (value == NULL || value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = value->data;
    v->len = value->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static u_char *
ngx_http_gw_aggregate_write_time(u_char *p, ngx_msec_t msec)
{
    return ngx_sprintf(p, "%T.%03M", (time_t) (msec / 1000), msec % 1000);
}


static const ngx_str_t *
ngx_http_gw_aggregate_cache_status(ngx_http_gw_part_t *part)
{
    static const ngx_str_t  none = ngx_null_string;

#if (NGX_HTTP_CACHE)

    ngx_http_upstream_t  *u;

    u = part->request ? part->request->upstream : NULL;

    if (u && u->cache_status) {
        return &ngx_http_cache_status[u->cache_status - 1];
    }

#endif

    return &none;
}
