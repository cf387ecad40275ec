
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_auth_token.h"


/*
 * Bytes that jansson 2.14 allocates on a system of 64 bits, each piece with
 * what an allocator adds to it (16): a value with its first table, a member
 * of an object without its name, an element of an array in a table that may
 * have grown to twice what it holds.
 */

#define NGX_HTTP_GW_AUTH_JSON_OBJECT   (72 + 16 + 128 + 16)
#define NGX_HTTP_GW_AUTH_JSON_MEMBER   (57 + 16 + 2 * 16)
#define NGX_HTTP_GW_AUTH_JSON_ARRAY    (40 + 16 + 64 + 16)
#define NGX_HTTP_GW_AUTH_JSON_ELEMENT  (2 * 8)
#define NGX_HTTP_GW_AUTH_JSON_STRING   (32 + 16 + 1 + 16)
#define NGX_HTTP_GW_AUTH_JSON_NUMBER   (24 + 16)


static size_t ngx_http_gw_auth_flat_memory(const gw_json_count_t *count);
static size_t ngx_http_gw_auth_json_memory(json_t *value);


ngx_int_t
ngx_http_gw_auth_token_create(gw_jws_ctx_t *ctx, ngx_str_t *text, size_t max,
    ngx_log_t *log, ngx_http_gw_auth_token_t **token, gw_reason_e *reason)
{
    size_t                     size;
    u_char                    *p;
    gw_status_e                status;
    ngx_http_gw_auth_token_t  *t;

    /* before anything is copied */

    if (text->len > max) {
        *reason = GW_REASON_SIZE;
        return NGX_DECLINED;
    }

    size = sizeof(ngx_http_gw_auth_token_t) + text->len
           + gw_jws_buffer_size(text->len);

    t = ngx_alloc(size, log);
    if (t == NULL) {
        *reason = GW_REASON_MEMORY;
        return NGX_ERROR;
    }

    ngx_memzero(t, sizeof(ngx_http_gw_auth_token_t));

    p = (u_char *) t + sizeof(ngx_http_gw_auth_token_t);

    t->refs = 1;
    t->size = size;
    t->text.len = text->len;
    t->text.data = p;

    p = ngx_cpymem(p, text->data, text->len);

    status = gw_jws_parse(ctx, &t->jws, t->text.data, t->text.len, max, p,
                          reason);

    if (status != GW_OK) {
        ngx_free(t);
        return (status == GW_ERROR) ? NGX_ERROR : NGX_DECLINED;
    }

    *token = t;

    return NGX_OK;
}


void
ngx_http_gw_auth_token_free(ngx_http_gw_auth_token_t *token)
{
    if (token == NULL || --token->refs) {
        return;
    }

    gw_jwt_release(&token->jwt);
    gw_jws_release(&token->jws);

    ngx_free(token);
}


size_t
ngx_http_gw_auth_token_memory(ngx_http_gw_auth_token_t *token)
{
    size_t  size;

    size = token->size + ngx_http_gw_auth_json_memory(token->jws.header);

    /* a tree that may still be made is counted as if it were there */

    if (token->jwt.plain) {
        return size + ngx_http_gw_auth_flat_memory(&token->jwt.flat.count);
    }

    return size + ngx_http_gw_auth_json_memory(token->jwt.tree);
}


static size_t
ngx_http_gw_auth_flat_memory(const gw_json_count_t *count)
{
    return count->bytes
           + (size_t) count->objects * NGX_HTTP_GW_AUTH_JSON_OBJECT
           + (size_t) count->members * NGX_HTTP_GW_AUTH_JSON_MEMBER
           + (size_t) count->arrays * NGX_HTTP_GW_AUTH_JSON_ARRAY
           + (size_t) count->elements * NGX_HTTP_GW_AUTH_JSON_ELEMENT
           + (size_t) count->strings * NGX_HTTP_GW_AUTH_JSON_STRING
           + (size_t) count->integers * NGX_HTTP_GW_AUTH_JSON_NUMBER;
}


/* the parser has bounded the depth: GW_JSON_DEPTH */

static size_t
ngx_http_gw_auth_json_memory(json_t *value)
{
    void    *iter;
    size_t   i, n, size;

    switch (json_typeof(value)) {

    case JSON_OBJECT:
        size = NGX_HTTP_GW_AUTH_JSON_OBJECT;

        iter = json_object_iter(value);

        while (iter) {
            size += NGX_HTTP_GW_AUTH_JSON_MEMBER
                    + ngx_strlen(json_object_iter_key(iter))
                    + ngx_http_gw_auth_json_memory(
                                                json_object_iter_value(iter));

            iter = json_object_iter_next(value, iter);
        }

        return size;

    case JSON_ARRAY:
        n = json_array_size(value);
        size = NGX_HTTP_GW_AUTH_JSON_ARRAY
               + n * NGX_HTTP_GW_AUTH_JSON_ELEMENT;

        for (i = 0; i < n; i++) {
            size += ngx_http_gw_auth_json_memory(json_array_get(value, i));
        }

        return size;

    case JSON_STRING:
        return NGX_HTTP_GW_AUTH_JSON_STRING + json_string_length(value);

    case JSON_INTEGER:
    case JSON_REAL:
        return NGX_HTTP_GW_AUTH_JSON_NUMBER;

    default:
        return 0;
    }
}
