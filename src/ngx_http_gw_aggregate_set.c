
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_walk.h"
#include "ngx_http_gw_aggregate_set.h"
#include "ngx_http_gw_aggregate_var.h"
#include "ngx_http_gw_part.h"


static char *ngx_http_gw_set_parameter(ngx_conf_t *cf,
    ngx_http_gw_set_conf_t *set, ngx_str_t *word);
static char *ngx_http_gw_set_add_variable(ngx_conf_t *cf,
    ngx_http_gw_set_conf_t *set);
static ngx_int_t ngx_http_gw_set_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_set_take(ngx_http_gw_part_t *part,
    ngx_http_gw_set_conf_t *set, ngx_http_gw_own_t *own);
static ngx_int_t ngx_http_gw_set_default(ngx_http_gw_set_conf_t *set,
    ngx_http_gw_own_t *own);
static ngx_int_t ngx_http_gw_set_join(ngx_http_gw_part_t *part,
    ngx_http_gw_set_conf_t *set, gw_json_range_t *range,
    ngx_http_gw_own_t *own);
static ngx_int_t ngx_http_gw_set_append(ngx_http_gw_part_t *part,
    ngx_http_gw_set_conf_t *set, gw_json_element_t *element,
    ngx_http_gw_own_t *own);
static ngx_int_t ngx_http_gw_set_raw(ngx_pool_t *pool, ngx_chain_t *out,
    gw_json_range_t *range, ngx_str_t *raw);


char *
ngx_http_gw_aggregate_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    char                    *rv;
    ngx_str_t               *value;
    ngx_uint_t               i;
    gw_json_trie_t          *trie;
    ngx_http_gw_set_conf_t  *set;

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\", it must begin with "
                           "\"$\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    value[1].data++;
    value[1].len--;

    if (alcf->sets == NULL) {
        alcf->sets = ngx_array_create(cf->pool, 4,
                                      sizeof(ngx_http_gw_set_conf_t));
        if (alcf->sets == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (alcf->sets->nelts == NGX_HTTP_GW_MAX_SETS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d \"gw_aggregate_set\" in a location",
                           NGX_HTTP_GW_MAX_SETS);
        return NGX_CONF_ERROR;
    }

    set = alcf->sets->elts;

    for (i = 0; i < alcf->sets->nelts; i++) {
        if (set[i].name.len == value[1].len
            && ngx_strncasecmp(set[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "variable \"$%V\" is set twice in this "
                               "location", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    set = ngx_array_push(alcf->sets);
    if (set == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(set, sizeof(ngx_http_gw_set_conf_t));

    set->name = value[1];
    set->source = value[2];
    set->pointer = value[3];
    set->file = cf->conf_file->file.name.data;
    set->line = cf->conf_file->line;

    rv = ngx_http_gw_set_pointer(cf, &set->pointer, "gw_aggregate_set", &trie);

    for (i = 4; rv == NGX_CONF_OK && i < cf->args->nelts; i++) {
        rv = ngx_http_gw_set_parameter(cf, set, &value[i]);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (set->item && !set->joined) {
        return "needs \"join=\" with \"item=\"";
    }

    return ngx_http_gw_set_add_variable(cf, set);
}


static char *
ngx_http_gw_set_parameter(ngx_conf_t *cf, ngx_http_gw_set_conf_t *set,
    ngx_str_t *word)
{
    ngx_str_t  text;

    if (word->len >= 8 && ngx_strncmp(word->data, "default=", 8) == 0
        && !set->has_default)
    {
        set->has_default = 1;
        set->value.data = word->data + 8;
        set->value.len = word->len - 8;

        return NGX_CONF_OK;
    }

    if (word->len >= 5 && ngx_strncmp(word->data, "join=", 5) == 0
        && !set->joined)
    {
        set->joined = 1;
        set->join.data = word->data + 5;
        set->join.len = word->len - 5;

        return NGX_CONF_OK;
    }

    if (word->len >= 5 && ngx_strncmp(word->data, "item=", 5) == 0
        && set->item == NULL)
    {
        text.data = word->data + 5;
        text.len = word->len - 5;

        return ngx_http_gw_set_pointer(cf, &text, "gw_aggregate_set",
                                       &set->item);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid or duplicate parameter \"%V\"", word);

    return NGX_CONF_ERROR;
}


char *
ngx_http_gw_set_pointer(ngx_conf_t *cf, ngx_str_t *pointer, const char *what,
    gw_json_trie_t **trie)
{
    void                     *memory;
    u_char                   *p, *last, *next;
    gw_json_text_t            text;
    gw_json_pointer_error_t   err;

    last = pointer->data + pointer->len;

    for (p = pointer->data; p < last; p = next) {

        next = ngx_strlchr(p + 1, last, '/');
        if (next == NULL) {
            next = last;
        }

        if (next - p == 2 && p[1] == '*') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "pointer \"%V\" of \"%s\" must name one value, "
                               "a literal \"*\" is written \"~2\"",
                               pointer, what);
            return NGX_CONF_ERROR;
        }
    }

    text.data = pointer->data;
    text.len = pointer->len;

    memory = ngx_palloc(cf->pool, gw_json_pointer_size(&text, 1));
    if (memory == NULL) {
        return NGX_CONF_ERROR;
    }

    *trie = gw_json_pointer_compile(memory, &text, 1, &err);

    if (*trie == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\" of \"%s\": %s", pointer,
                           what, err.text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* several locations may set the same variable, each its own value */

static char *
ngx_http_gw_set_add_variable(ngx_conf_t *cf, ngx_http_gw_set_conf_t *set)
{
    ngx_http_variable_t  *v;

    v = ngx_http_add_variable(cf, &set->name, NGX_HTTP_VAR_CHANGEABLE
                                              |NGX_HTTP_VAR_NOCACHEABLE);
    if (v == NULL) {
        return NGX_CONF_ERROR;
    }

    if (v->get_handler == ngx_http_gw_set_variable) {
        return NGX_CONF_OK;
    }

    if (v->get_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "variable \"$%V\" has a value of its own already, "
                           "choose another name", &set->name);
        return NGX_CONF_ERROR;
    }

    v->get_handler = ngx_http_gw_set_variable;
    v->data = (uintptr_t) &v->name;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_gw_set_names(ngx_conf_t *cf, ngx_array_t *names)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_hash_key_t             *key;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        v = key[i].value;

        if (v->get_handler != ngx_http_gw_set_variable) {
            continue;
        }

        name = ngx_array_push(names);
        if (name == NULL) {
            return NGX_ERROR;
        }

        *name = key[i].key;
    }

    return NGX_OK;
}


/* of the aggregate that the request is, or else of those that it is in */

static ngx_int_t
ngx_http_gw_set_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_uint_t               i, nested;
    ngx_http_gw_part_t      *part;
    ngx_http_gw_gather_t    *gather;
    ngx_http_gw_set_conf_t  *set;

    gather = ngx_http_gw_aggregate_find(r);

    if (gather == NULL) {
        part = ngx_http_gw_part_find(r, &nested);
        gather = part ? part->gather : NULL;
    }

    for ( /* void */ ; gather;
         gather = gather->outer ? gather->outer->gather : NULL)
    {
        if (gather->conf->sets == NULL) {
            continue;
        }

        set = gather->conf->sets->elts;

        for (i = 0; i < gather->conf->sets->nelts; i++) {

            if (set[i].name.len == name->len
                && ngx_strncasecmp(set[i].name.data, name->data, name->len)
                   == 0)
            {
                return ngx_http_gw_set_safe_value(r, v, name,
                           &gather->own[NGX_HTTP_GW_OWN_SETS + i].text);
            }
        }
    }

    return ngx_http_gw_aggregate_value(r, v, NULL);
}


ngx_int_t
ngx_http_gw_set_safe_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_str_t *name, ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "variable \"$%V\" has a control character and is "
                          "taken as not set", name);
            return ngx_http_gw_aggregate_value(r, v, NULL);
        }
    }

    return ngx_http_gw_aggregate_value(r, v, value);
}


ngx_int_t
ngx_http_gw_set_collect(ngx_http_gw_part_t *part)
{
    ngx_uint_t               i;
    gw_json_scan_t           scan;
    gw_json_range_t          all;
    ngx_http_gw_gather_t    *gather;
    ngx_http_gw_set_conf_t  *set;

    part->collected = 1;
    gather = part->gather;

    if (part->conf->nmarks == 0 || part->error != NGX_HTTP_GW_PART_OK) {
        return NGX_OK;
    }

    part->marks = ngx_pcalloc(gather->request->pool,
                              part->conf->nmarks * sizeof(gw_json_range_t));
    if (part->marks == NULL) {
        return NGX_ERROR;
    }

    if (part->out && !part->null && !part->skipped) {
        all.start = 0;
        all.end = part->size;

        gw_json_scan_init(&scan, gather->conf->max_depth);
        gw_json_scan_track(&scan, part->conf->marks, part->marks);

        (void) ngx_http_gw_set_scan(&scan, part->out, &all);
    }

    if (gather->conf->sets == NULL) {
        return NGX_OK;
    }

    set = gather->conf->sets->elts;

    for (i = 0; i < gather->conf->sets->nelts; i++) {

        if (&gather->parts[set[i].part] == part
            && ngx_http_gw_set_take(part, &set[i],
                                    &gather->own[NGX_HTTP_GW_OWN_SETS + i])
               == NGX_ERROR)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_set_take(ngx_http_gw_part_t *part, ngx_http_gw_set_conf_t *set,
    ngx_http_gw_own_t *own)
{
    ngx_int_t         rc;
    gw_json_range_t  *range;

    range = &part->marks[set->mark];
    rc = NGX_DECLINED;

    if (range->start != range->end) {

        rc = set->joined
             ? ngx_http_gw_set_join(part, set, range, own)
             : ngx_http_gw_set_value(part->gather->request->pool, part->out,
                                     range, 0, own);
    }

    return (rc == NGX_DECLINED) ? ngx_http_gw_set_default(set, own) : rc;
}


static ngx_int_t
ngx_http_gw_set_default(ngx_http_gw_set_conf_t *set, ngx_http_gw_own_t *own)
{
    size_t           offset;
    gw_json_range_t  range;

    if (!set->has_default) {
        ngx_memzero(own, sizeof(ngx_http_gw_own_t));
        return NGX_DECLINED;
    }

    own->text = set->value;
    ngx_str_null(&own->json);

    if (gw_json_scan(set->value.data, set->value.len, GW_JSON_SCAN_DEPTH,
                     &range, &offset)
        == GW_JSON_SCAN_OK)
    {
        own->json = set->value;
    }

    return NGX_OK;
}


/* the scalars of an array, those that are none left out */

static ngx_int_t
ngx_http_gw_set_join(ngx_http_gw_part_t *part, ngx_http_gw_set_conf_t *set,
    gw_json_range_t *range, ngx_http_gw_own_t *own)
{
    ngx_int_t            rc;
    ngx_str_t            raw;
    gw_status_e          status;
    const u_char        *p, *last;
    gw_json_element_t    element;
    gw_json_elements_t   walk;

    rc = ngx_http_gw_set_raw(part->gather->request->pool, part->out, range,
                             &raw);

    if (rc != NGX_OK) {
        return rc;
    }

    if (raw.data[0] != '[') {
        return NGX_DECLINED;
    }

    /* a scalar is not longer than its JSON; "join" stands for a comma */

    own->text.len = 0;
    own->text.data = NULL;
    ngx_str_null(&own->json);

    p = raw.data;
    last = p + raw.len;

    gw_json_elements_begin(&walk, range->start);

    for ( ;; ) {
        status = gw_json_elements_next(&walk, &p, last, &element);

        if (status != GW_OK) {
            break;
        }

        if (own->text.data == NULL) {
            own->text.data = ngx_pnalloc(part->gather->request->pool,
                                         raw.len * (1 + set->join.len));
            if (own->text.data == NULL) {
                return NGX_ERROR;
            }
        }

        if (ngx_http_gw_set_append(part, set, &element, own) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return own->text.len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_set_append(ngx_http_gw_part_t *part, ngx_http_gw_set_conf_t *set,
    gw_json_element_t *element, ngx_http_gw_own_t *own)
{
    u_char             *p;
    ngx_int_t           rc;
    gw_json_scan_t      scan;
    gw_json_range_t     range;
    ngx_http_gw_own_t   value;

    range = element->range;

    if (set->item) {
        ngx_memzero(&range, sizeof(gw_json_range_t));

        gw_json_scan_init(&scan, part->gather->conf->max_depth);
        gw_json_scan_track(&scan, set->item, &range);

        (void) ngx_http_gw_set_scan(&scan, part->out, &element->range);

        if (range.start == range.end) {
            return NGX_DECLINED;
        }

        range.start += element->range.start;
        range.end += element->range.start;
    }

    rc = ngx_http_gw_set_value(part->gather->request->pool, part->out, &range,
                               0, &value);
    if (rc != NGX_OK) {
        return rc;
    }

    p = own->text.data + own->text.len;

    if (own->text.len) {
        p = ngx_cpymem(p, set->join.data, set->join.len);
    }

    p = ngx_cpymem(p, value.text.data, value.text.len);
    own->text.len = p - own->text.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_set_value(ngx_pool_t *pool, ngx_chain_t *out,
    gw_json_range_t *range, ngx_uint_t any, ngx_http_gw_own_t *value)
{
    size_t     len;
    ngx_int_t  rc;
    ngx_str_t  raw;

    rc = ngx_http_gw_set_raw(pool, out, range, &raw);

    if (rc != NGX_OK) {
        return rc;
    }

    value->json = raw;
    value->text = raw;

    switch (raw.data[0]) {

    case 'n':
        return NGX_DECLINED;

    case '[':
    case '{':
        return any ? NGX_OK : NGX_DECLINED;

    case '"':

        value->text.data = ngx_pnalloc(pool, raw.len);
        if (value->text.data == NULL) {
            return NGX_ERROR;
        }

        if (gw_json_unescape(value->text.data, raw.data, raw.len, &len)
            != GW_OK)
        {
            return NGX_DECLINED;
        }

        value->text.len = len;

        return NGX_OK;

    default: /* a number, true, false: digit for digit */
        return NGX_OK;
    }
}


/* where it stands, or a copy when it is in several buffers */

static ngx_int_t
ngx_http_gw_set_raw(ngx_pool_t *pool, ngx_chain_t *out,
    gw_json_range_t *range, ngx_str_t *raw)
{
    size_t   start, end, len;
    u_char  *p;

    start = range->start;
    end = range->end;

    while (out && start >= (size_t) (out->buf->last - out->buf->pos)) {
        len = out->buf->last - out->buf->pos;
        start -= len;
        end -= len;
        out = out->next;
    }

    if (out == NULL) {
        return NGX_ERROR;
    }

    raw->len = end - start;

    if (end <= (size_t) (out->buf->last - out->buf->pos)) {
        raw->data = out->buf->pos + start;
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, raw->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    raw->data = p;

    for ( /* void */ ; out && end; out = out->next) {
        len = ngx_min(end, (size_t) (out->buf->last - out->buf->pos));

        p = ngx_cpymem(p, out->buf->pos + start, len - start);

        end -= len;
        start = 0;
    }

    return NGX_OK;
}


gw_json_scan_e
ngx_http_gw_set_scan(gw_json_scan_t *scan, ngx_chain_t *out,
    gw_json_range_t *range)
{
    size_t  start, end, len;

    start = range->start;
    end = range->end;

    for ( /* void */ ; out && end; out = out->next) {
        len = out->buf->last - out->buf->pos;

        if (start >= len) {
            start -= len;
            end -= len;
            continue;
        }

        (void) gw_json_scan_feed(scan, out->buf->pos + start,
                                 ngx_min(end, len) - start);

        end -= ngx_min(end, len);
        start = 0;
    }

    return gw_json_scan_finish(scan);
}
