
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "ngx_http_gw_part_text.h"


static ngx_int_t ngx_http_gw_part_text_join(ngx_http_gw_part_t *part,
    ngx_str_t *text);


ngx_http_gw_part_error_e
ngx_http_gw_part_text(ngx_http_gw_part_t *part)
{
    size_t                 len, offset;
    ngx_buf_t             *b;
    ngx_str_t              text, base64;
    ngx_chain_t           *cl;
    ngx_pool_t            *pool;
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;
    pool = part->request->pool;

    if (ngx_http_gw_part_text_join(part, &text) != NGX_OK) {
        return NGX_HTTP_GW_PART_INTERNAL;
    }

    if (part->conf->type == NGX_HTTP_GW_PART_BASE64) {
        len = ngx_base64_encoded_length(text.len);

    } else if (gw_json_escape_len(text.data, text.len, &len, &offset)
               != GW_OK)
    {
        return NGX_HTTP_GW_PART_INVALID_UTF8;
    }

    len += 2;

    /* both are there for a while, but the first one was counted already */

    if (len > gather->conf->max_size - gather->size) {
        gather->overflow = !gather->begun;
        return NGX_HTTP_GW_PART_TOO_LARGE;
    }

    gather->size += len;

    b = ngx_create_temp_buf(pool, len);
    cl = ngx_alloc_chain_link(pool);

    if (b == NULL || cl == NULL) {
        return NGX_HTTP_GW_PART_INTERNAL;
    }

    *b->last++ = '"';

    if (part->conf->type == NGX_HTTP_GW_PART_BASE64) {
        base64.data = b->last;
        ngx_encode_base64(&base64, &text);
        b->last += base64.len;

    } else {
        b->last = gw_json_escape(b->last, text.data, text.len);
    }

    *b->last++ = '"';

    cl->buf = b;
    cl->next = NULL;

    part->out = cl;
    part->last_out = cl;
    part->range.start = 0;
    part->range.end = b->last - b->pos;

    return NGX_HTTP_GW_PART_OK;
}


/* a character, or three bytes of base64, may lie in two buffers */

static ngx_int_t
ngx_http_gw_part_text_join(ngx_http_gw_part_t *part, ngx_str_t *text)
{
    u_char       *p;
    ngx_chain_t  *cl;

    text->len = part->size;

    if (part->out == NULL) {
        ngx_str_set(text, "");
        return NGX_OK;
    }

    if (part->out->next == NULL) {
        text->data = part->out->buf->pos;
        return NGX_OK;
    }

    p = ngx_pnalloc(part->request->pool, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (cl = part->out; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}


char *
ngx_http_gw_part_type(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "json") == 0) {
        pcf->type = NGX_HTTP_GW_PART_JSON;

    } else if (ngx_strcmp(value->data, "text") == 0) {
        pcf->type = NGX_HTTP_GW_PART_TEXT;

    } else if (ngx_strcmp(value->data, "base64") == 0) {
        pcf->type = NGX_HTTP_GW_PART_BASE64;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\" of part \"%V\", it must be "
                           "\"json\", \"text\" or \"base64\"", value,
                           &pcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
