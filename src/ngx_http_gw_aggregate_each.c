
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "gw_json_walk.h"
#include "ngx_http_gw_aggregate_each.h"
#include "ngx_http_gw_aggregate_set.h"
#include "ngx_http_gw_aggregate_var.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_part.h"


#define NGX_HTTP_GW_EACH_MAX          64    /* requests, the default */
#define NGX_HTTP_GW_EACH_CONCURRENCY  16    /* the default */

/* elements of an array, whose requests may be fewer: distinct */
#define NGX_HTTP_GW_EACH_ELEMENTS     4096


typedef struct {
    ngx_http_gw_part_t              *part;      /* that is embedded */
    ngx_uint_t                       next;      /* element */
} ngx_http_gw_cursor_t;


static char *ngx_http_gw_each_parameter(ngx_conf_t *cf,
    ngx_http_gw_each_conf_t *each, ngx_str_t *word);
static char *ngx_http_gw_each_number(ngx_conf_t *cf, ngx_str_t *word,
    ngx_str_t *value, ngx_uint_t *number);
static char *ngx_http_gw_each_result(ngx_conf_t *cf,
    ngx_http_gw_each_conf_t *each, ngx_str_t *value);
static char *ngx_http_gw_each_member(ngx_conf_t *cf,
    ngx_http_gw_each_conf_t *each, ngx_str_t *pointer);
static ngx_int_t ngx_http_gw_each_item_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gw_each_walk(ngx_http_gw_part_t *part,
    ngx_http_gw_part_t *source, gw_json_range_t *range);
static ngx_int_t ngx_http_gw_each_add(ngx_http_gw_part_t *part,
    ngx_http_gw_part_t *source, gw_json_element_t *found);
static ngx_int_t ngx_http_gw_each_value(ngx_http_gw_part_t *part,
    ngx_http_gw_part_t *source, gw_json_element_t *found,
    ngx_http_gw_own_t *value);
static ngx_http_gw_part_t *ngx_http_gw_each_known(ngx_http_gw_each_t *each,
    ngx_str_t *text);
static ngx_uint_t ngx_http_gw_each_named(ngx_http_gw_part_t *part,
    ngx_uint_t i);
static ngx_int_t ngx_http_gw_each_key(ngx_http_request_t *r,
    ngx_str_t *text, ngx_str_t *key);
static ngx_int_t ngx_http_gw_each_slot(ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part,
    ngx_http_gw_element_t *element);
static ngx_uint_t ngx_http_gw_each_omitted(ngx_http_gw_part_t *part,
    ngx_http_gw_element_t *element);
static ngx_uint_t ngx_http_gw_each_cursors(ngx_http_gw_part_t *part,
    ngx_http_gw_cursor_t *cursors, size_t start);
static ngx_http_gw_cursor_t *ngx_http_gw_each_next(
    ngx_http_gw_cursor_t *cursors, ngx_uint_t n, size_t *offset);


static ngx_http_variable_t  ngx_http_gw_each_variables[] = {

    { ngx_string("gw_item"), NULL, ngx_http_gw_each_item_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("gw_item_index"), NULL, ngx_http_gw_each_item_variable, 1,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


char *
ngx_http_gw_aggregate_each(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    char                     *rv;
    ngx_str_t                *value;
    ngx_uint_t                i;
    gw_json_trie_t           *trie;
    ngx_http_gw_each_conf_t  *each;

    value = cf->args->elts;

    if (cf->args->nelts < 4) {
        return "needs a part, its source and a pointer";
    }

    if (alcf->eaches == NULL) {
        alcf->eaches = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_gw_each_conf_t));
        if (alcf->eaches == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    each = alcf->eaches->elts;

    for (i = 0; i < alcf->eaches->nelts; i++) {
        if (each[i].name.len == value[1].len
            && ngx_strncasecmp(each[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "part \"%V\" has \"gw_aggregate_each\" twice",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    each = ngx_array_push(alcf->eaches);
    if (each == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(each, sizeof(ngx_http_gw_each_conf_t));

    each->name = value[1];
    each->source = value[2];
    each->pointer = value[3];
    each->file = cf->conf_file->file.name.data;
    each->line = cf->conf_file->line;

    rv = ngx_http_gw_set_pointer(cf, &each->pointer, "gw_aggregate_each",
                                 &trie);

    for (i = 4; rv == NGX_CONF_OK && i < cf->args->nelts; i++) {
        rv = ngx_http_gw_each_parameter(cf, each, &value[i]);
    }

    if (each->max == 0) {
        each->max = NGX_HTTP_GW_EACH_MAX;
    }

    if (each->concurrency == 0) {
        each->concurrency = NGX_HTTP_GW_EACH_CONCURRENCY;
    }

    if (each->result == NGX_HTTP_GW_EACH_OBJECT) {
        /* a member once */
        each->distinct = 1;
    }

    return rv;
}


static char *
ngx_http_gw_each_parameter(ngx_conf_t *cf, ngx_http_gw_each_conf_t *each,
    ngx_str_t *word)
{
    ngx_str_t   value;
    ngx_uint_t  i, bit;

    static const ngx_str_t  names[] = {
        ngx_string("item="),
        ngx_string("max="),
        ngx_string("concurrency="),
        ngx_string("result="),
        ngx_string("distinct"),
        ngx_string("truncate"),
        ngx_null_string
    };

    for (i = 0; names[i].len; i++) {

        if (word->len >= names[i].len
            && ngx_strncmp(word->data, names[i].data, names[i].len) == 0
            && (i < 4 || word->len == names[i].len))
        {
            break;
        }
    }

    bit = (ngx_uint_t) 1 << i;

    if (names[i].len == 0 || (each->seen & bit)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid or duplicate parameter \"%V\"", word);
        return NGX_CONF_ERROR;
    }

    each->seen |= bit;

    value.data = word->data + names[i].len;
    value.len = word->len - names[i].len;

    switch (i) {

    case 0:
        return ngx_http_gw_set_pointer(cf, &value, "gw_aggregate_each",
                                       &each->item);

    case 1:
        return ngx_http_gw_each_number(cf, word, &value, &each->max);

    case 2:
        return ngx_http_gw_each_number(cf, word, &value, &each->concurrency);

    case 3:
        return ngx_http_gw_each_result(cf, each, &value);

    case 4:
        each->distinct = 1;
        return NGX_CONF_OK;

    default:
        each->truncate = 1;
        return NGX_CONF_OK;
    }
}


static char *
ngx_http_gw_each_number(ngx_conf_t *cf, ngx_str_t *word, ngx_str_t *value,
    ngx_uint_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > NGX_HTTP_GW_MAX_SUBREQUESTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be 1 to %d",
                           word, NGX_HTTP_GW_MAX_SUBREQUESTS);
        return NGX_CONF_ERROR;
    }

    *number = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_each_result(ngx_conf_t *cf, ngx_http_gw_each_conf_t *each,
    ngx_str_t *value)
{
    ngx_str_t  pointer;

    if (ngx_strcmp(value->data, "array") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "object") == 0) {
        each->result = NGX_HTTP_GW_EACH_OBJECT;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "embed:", 6) == 0) {
        each->result = NGX_HTTP_GW_EACH_EMBED;

        pointer.data = value->data + 6;
        pointer.len = value->len - 6;

        return ngx_http_gw_each_member(cf, each, &pointer);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid result \"%V\", it must be \"array\", "
                       "\"object\" or \"embed:/name\"", value);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_each_member(ngx_conf_t *cf, ngx_http_gw_each_conf_t *each,
    ngx_str_t *pointer)
{
    u_char                   *name, *p;
    size_t                    len, n, offset;
    gw_json_pointer_error_t   err;

    if (gw_json_pointer_check(pointer->data, pointer->len, &n, &err) != GW_OK
        || n != 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\" to embed at, it must name "
                           "one member of the elements, such as \"/author\"",
                           pointer);
        return NGX_CONF_ERROR;
    }

    name = ngx_pnalloc(cf->temp_pool, pointer->len);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) gw_json_pointer_token(pointer->data, pointer->data + pointer->len,
                                 name, &len);

    if (gw_json_escape_len(name, len, &n, &offset) != GW_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "pointer \"%V\" is not UTF-8", pointer);
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, n + sizeof(",\"\":") - 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    each->member.data = p;

    *p++ = ',';
    *p++ = '"';
    p = gw_json_escape(p, name, len);
    *p++ = '"';
    *p++ = ':';

    each->member.len = p - each->member.data;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_gw_each_add_variables(ngx_conf_t *cf)
{
    return ngx_http_gw_aggregate_add_table(cf, ngx_http_gw_each_variables);
}


/* of the item that the request is fetched for, or that it is in */

static ngx_int_t
ngx_http_gw_each_item_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t            name, value;
    ngx_uint_t           nested;
    ngx_http_gw_part_t  *part;

    ngx_str_set(&name, "gw_item");

    part = ngx_http_gw_part_find(r, &nested);

    while (part && part->base == NULL) {
        part = part->gather->outer;
    }

    if (part == NULL) {
        return ngx_http_gw_aggregate_value(r, v, NULL);
    }

    if (data == 0) {
        return ngx_http_gw_set_safe_value(r, v, &name, &part->item.text);
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", part->index) - value.data;

    return ngx_http_gw_aggregate_value(r, v, &value);
}


ngx_int_t
ngx_http_gw_each_start(ngx_http_gw_part_t *part)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, n;
    gw_json_range_t          *range;
    ngx_http_gw_part_t       *source;
    ngx_http_gw_each_t       *each;
    ngx_http_gw_each_conf_t  *conf;

    conf = part->conf->each;
    source = &part->gather->parts[conf->part];

    if (source->skipped) {
        part->skipped = 1;
        return NGX_DECLINED;
    }

    if (source->error != NGX_HTTP_GW_PART_OK || source->marks == NULL) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_DEPENDENCY);
        return NGX_DECLINED;
    }

    range = &source->marks[conf->mark];

    if (range->start == range->end) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_MISSING);
        return NGX_DECLINED;
    }

    n = conf->distinct ? NGX_HTTP_GW_EACH_ELEMENTS : conf->max;

    each = ngx_pcalloc(part->gather->request->pool,
                       sizeof(ngx_http_gw_each_t));
    if (each == NULL) {
        goto failed;
    }

    part->each = each;

    each->elements = ngx_palloc(part->gather->request->pool,
                                n * sizeof(ngx_http_gw_element_t));
    each->items = ngx_palloc(part->gather->request->pool,
                             conf->max * sizeof(ngx_http_gw_part_t));

    if (each->elements == NULL || each->items == NULL) {
        goto failed;
    }

    rc = ngx_http_gw_each_walk(part, source, range);

    if (rc == NGX_ERROR) {
        goto failed;
    }

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    for (i = 0; i < each->nitems; i++) {
        ngx_http_gw_gather_add(&each->items[i]);
    }

    /* its items have the time that it had */

    part->has_deadline = 0;

    return NGX_OK;

failed:

    ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_each_walk(ngx_http_gw_part_t *part, ngx_http_gw_part_t *source,
    gw_json_range_t *range)
{
    size_t               start, len;
    ngx_int_t            rc;
    gw_status_e          status;
    ngx_chain_t         *cl;
    const u_char        *p, *last;
    gw_json_element_t    found;
    gw_json_elements_t   walk;

    start = range->start;

    for (cl = source->out; cl; cl = cl->next) {
        len = cl->buf->last - cl->buf->pos;

        if (start < len) {
            break;
        }

        start -= len;
    }

    if (cl == NULL || cl->buf->pos[start] != '[') {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_MISSING);
        return NGX_DECLINED;
    }

    gw_json_elements_begin(&walk, range->start);

    for ( /* void */ ; cl; cl = cl->next) {

        p = cl->buf->pos + start;
        last = cl->buf->last;
        start = 0;

        for ( ;; ) {
            status = gw_json_elements_next(&walk, &p, last, &found);

            if (status == GW_AGAIN) {
                break;
            }

            if (status == GW_DECLINED) {
                return NGX_OK;
            }

            rc = ngx_http_gw_each_add(part, source, &found);

            if (rc != NGX_OK) {
                return (rc == NGX_DONE) ? NGX_OK : rc;
            }
        }
    }

    return NGX_OK;
}


/* NGX_DONE: no further ones are taken */

static ngx_int_t
ngx_http_gw_each_add(ngx_http_gw_part_t *part, ngx_http_gw_part_t *source,
    gw_json_element_t *found)
{
    ngx_int_t                 rc;
    ngx_uint_t                max;
    ngx_http_gw_own_t         value;
    ngx_http_gw_part_t       *item;
    ngx_http_gw_each_t       *each;
    ngx_http_gw_element_t    *element;
    ngx_http_gw_each_conf_t  *conf;

    each = part->each;
    conf = part->conf->each;
    max = conf->distinct ? NGX_HTTP_GW_EACH_ELEMENTS : conf->max;

    if (each->nelements == max) {
        goto full;
    }

    rc = ngx_http_gw_each_value(part, source, found, &value);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    item = NULL;

    if (rc == NGX_OK) {

        if (conf->distinct) {
            item = ngx_http_gw_each_known(each, &value.text);
        }

        if (item == NULL) {

            if (each->nitems == conf->max) {
                goto full;
            }

            item = &each->items[each->nitems++];

            ngx_memzero(item, sizeof(ngx_http_gw_part_t));
            ngx_http_gw_part_init(item, part->gather, part->conf);

            item->base = part;
            item->item = value;
            item->index = each->nelements;
        }

    } else if (part->why == NGX_HTTP_GW_PART_OK) {
        part->why = NGX_HTTP_GW_PART_MISSING;
    }

    element = &each->elements[each->nelements++];

    element->range = found->range;
    element->item = item;
    element->object = (found->first == '{');
    element->empty = found->empty;

    return NGX_OK;

full:

    if (conf->truncate) {
        each->cut = 1;
        return NGX_DONE;
    }

    ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_LIMIT);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_each_value(ngx_http_gw_part_t *part, ngx_http_gw_part_t *source,
    gw_json_element_t *found, ngx_http_gw_own_t *value)
{
    gw_json_scan_t            scan;
    gw_json_range_t           range;
    ngx_http_gw_each_conf_t  *conf;

    conf = part->conf->each;

    if (conf->result == NGX_HTTP_GW_EACH_EMBED && found->first != '{') {
        return NGX_DECLINED;
    }

    if (conf->item == NULL) {
        return ngx_http_gw_set_value(part->gather->request->pool, source->out,
                                     &found->range, 1, value);
    }

    ngx_memzero(&range, sizeof(gw_json_range_t));

    gw_json_scan_init(&scan, part->gather->conf->max_depth);
    gw_json_scan_track(&scan, conf->item, &range);

    (void) ngx_http_gw_set_scan(&scan, source->out, &found->range);

    if (range.start == range.end) {
        return NGX_DECLINED;
    }

    range.start += found->range.start;
    range.end += found->range.start;

    return ngx_http_gw_set_value(part->gather->request->pool, source->out,
                                 &range, 0, value);
}


static ngx_http_gw_part_t *
ngx_http_gw_each_known(ngx_http_gw_each_t *each, ngx_str_t *text)
{
    ngx_str_t   *known;
    ngx_uint_t   i;

    for (i = 0; i < each->nitems; i++) {
        known = &each->items[i].item.text;

        if (known->len == text->len
            && ngx_memcmp(known->data, text->data, text->len) == 0)
        {
            return &each->items[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_gw_each_full(ngx_http_gw_part_t *part)
{
    return part->base
           && part->base->each->running >= part->conf->each->concurrency;
}


ngx_int_t
ngx_http_gw_each_own(ngx_http_gw_part_t *part, ngx_http_gw_own_t *own)
{
    ngx_str_t  *text;

    if (part->base == NULL) {
        return NGX_OK;
    }

    own[NGX_HTTP_GW_OWN_ITEM] = part->item;

    text = &own[NGX_HTTP_GW_OWN_INDEX].text;

    text->data = ngx_pnalloc(part->gather->request->pool, NGX_INT_T_LEN);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_sprintf(text->data, "%ui", part->index) - text->data;
    own[NGX_HTTP_GW_OWN_INDEX].json = *text;

    return NGX_OK;
}


/* an item that failed is a slot that is not filled; a required part needs one
   that is */

ngx_uint_t
ngx_http_gw_each_finish(ngx_http_gw_part_t *part)
{
    ngx_uint_t                 i, ok;
    ngx_http_gw_part_t        *item;
    ngx_http_gw_each_t        *each;
    ngx_http_gw_part_error_e   error;

    each = part->each;

    if (each == NULL || part->done) {
        return 0;
    }

    ok = 0;
    error = part->why;

    for (i = 0; i < each->nitems; i++) {
        item = &each->items[i];

        if (!item->done) {
            return 0;
        }

        part->size += item->size;

        if (item->error == NGX_HTTP_GW_PART_OK && !item->cancelled) {
            ok++;

            part->partial |= item->partial;
            continue;
        }

        if (part->why == NGX_HTTP_GW_PART_OK) {
            part->why = item->error;
        }

        if (error == NGX_HTTP_GW_PART_OK) {
            error = item->error;
        }

        if (part->status == 0) {
            part->status = item->status;
        }
    }

    if (each->cut && part->why == NGX_HTTP_GW_PART_OK) {
        part->why = NGX_HTTP_GW_PART_LIMIT;
    }

    if (part->why != NGX_HTTP_GW_PART_OK) {
        part->partial = 1;
    }

    if (ok == 0 && each->nelements && !part->conf->optional) {
        ngx_http_gw_part_fail(part, error);
    }

    ngx_http_gw_part_finish(part);

    return 1;
}


ngx_int_t
ngx_http_gw_each_compose(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part)
{
    ngx_str_t                  key;
    ngx_uint_t                 i, n, bare, object, some;
    ngx_http_gw_element_t     *element;
    ngx_http_gw_each_t        *each;

    each = part->each;
    bare = (part->conf->place != GW_JSON_SPLICE_VALUE);
    object = (part->conf->each->result == NGX_HTTP_GW_EACH_OBJECT);
    some = 0;
    n = 0;

    if (!bare
        && ngx_http_gw_compose_add(r, last, (u_char *) (object ? "{" : "["), 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < each->nelements; i++) {
        element = &each->elements[i];

        if (object
            && (!ngx_http_gw_each_named(part, i)
                || (bare && ngx_http_gw_merge_lost(part, n++))))
        {
            continue;
        }

        if (some++
            && ngx_http_gw_compose_add(r, last, (u_char *) ",", 1) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (object
            && (ngx_http_gw_each_key(r, &element->item->item.text, &key)
                != NGX_OK
                || ngx_http_gw_compose_add(r, last, key.data, key.len)
                   != NGX_OK))
        {
            return NGX_ERROR;
        }

        if (ngx_http_gw_each_slot(r, last, part, element) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return bare ? NGX_OK
                : ngx_http_gw_compose_add(r, last,
                                          (u_char *) (object ? "}" : "]"), 1);
}


/* a member is named by its item, and stands where it came first */

static ngx_uint_t
ngx_http_gw_each_named(ngx_http_gw_part_t *part, ngx_uint_t i)
{
    ngx_http_gw_element_t  *element;

    element = &part->each->elements[i];

    return element->item && element->item->index == i
           && !ngx_http_gw_each_omitted(part, element);
}


ngx_int_t
ngx_http_gw_each_names(ngx_http_gw_part_t *part, gw_json_text_t **names,
    ngx_uint_t *n)
{
    ngx_str_t       *text;
    ngx_uint_t       i;
    gw_json_text_t  *name;

    *n = 0;

    name = ngx_palloc(part->gather->request->pool,
                      (part->each->nelements + 1) * sizeof(gw_json_text_t));
    if (name == NULL) {
        return NGX_ERROR;
    }

    *names = name;

    for (i = 0; i < part->each->nelements; i++) {

        if (ngx_http_gw_each_named(part, i)) {
            text = &part->each->elements[i].item->item.text;

            name->data = text->data;
            name->len = text->len;

            name++;
            (*n)++;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_each_key(ngx_http_request_t *r, ngx_str_t *text, ngx_str_t *key)
{
    u_char  *p;
    size_t   len, offset;

    if (gw_json_escape_len(text->data, text->len, &len, &offset) != GW_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, len + sizeof("\"\":") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;

    *p++ = '"';
    p = gw_json_escape(p, text->data, text->len);
    *p++ = '"';
    *p++ = ':';

    key->len = p - key->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_each_slot(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part, ngx_http_gw_element_t *element)
{
    if (element->item && !element->item->cancelled) {
        return ngx_http_gw_compose_part(r, last, element->item);
    }

    return ngx_http_gw_compose_add(r, last, part->conf->value.data,
                                   part->conf->value.len);
}


static ngx_uint_t
ngx_http_gw_each_omitted(ngx_http_gw_part_t *part,
    ngx_http_gw_element_t *element)
{
    return part->conf->omit
           && (element->item == NULL || element->item->cancelled
               || element->item->error != NGX_HTTP_GW_PART_OK);
}


/*
 * Members are put before the brace that ends an object.  Several parts may
 * be embedded in one answer, at the same or at different objects: a cursor
 * for each, the one whose brace comes next is taken.
 */

ngx_int_t
ngx_http_gw_each_embed(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part, size_t start, size_t end)
{
    size_t                  offset, before;
    ngx_str_t               member;
    ngx_uint_t              n, comma;
    ngx_http_gw_cursor_t   *cursors, *cursor;
    ngx_http_gw_element_t  *element;

    cursors = ngx_palloc(r->pool, part->gather->nparts
                                  * sizeof(ngx_http_gw_cursor_t));
    if (cursors == NULL) {
        return NGX_ERROR;
    }

    n = ngx_http_gw_each_cursors(part, cursors, start);
    before = (size_t) -1;

    for ( ;; ) {
        cursor = ngx_http_gw_each_next(cursors, n, &offset);

        if (cursor == NULL || offset >= end) {
            break;
        }

        element = &cursor->part->each->elements[cursor->next++];

        if (ngx_http_gw_compose_range(r, last, part, start, offset)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        start = offset;

        /* the first member of an object that had none */

        comma = (!element->empty || before == offset);
        before = offset;

        member = cursor->part->conf->each->member;
        member.data += !comma;
        member.len -= !comma;

        if (ngx_http_gw_compose_add(r, last, member.data, member.len)
            != NGX_OK
            || ngx_http_gw_each_slot(r, last, cursor->part, element)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_gw_compose_range(r, last, part, start, end);
}


static ngx_uint_t
ngx_http_gw_each_cursors(ngx_http_gw_part_t *part,
    ngx_http_gw_cursor_t *cursors, size_t start)
{
    ngx_uint_t               i, k, n;
    ngx_http_gw_part_t      *other;
    ngx_http_gw_each_t      *each;
    ngx_http_gw_gather_t    *gather;

    n = 0;
    gather = part->gather;

    for (i = 0; i < gather->nparts; i++) {
        other = &gather->parts[i];
        each = other->each;

        if (each == NULL
            || other->conf->each->result != NGX_HTTP_GW_EACH_EMBED
            || &gather->parts[other->conf->each->part] != part
            || other->error != NGX_HTTP_GW_PART_OK)
        {
            continue;
        }

        for (k = 0; k < each->nelements; k++) {
            if (each->elements[k].range.end > start) {
                break;
            }
        }

        cursors[n].part = other;
        cursors[n].next = k;
        n++;
    }

    return n;
}


static ngx_http_gw_cursor_t *
ngx_http_gw_each_next(ngx_http_gw_cursor_t *cursors, ngx_uint_t n,
    size_t *offset)
{
    ngx_uint_t              i;
    ngx_http_gw_cursor_t   *cursor, *first;
    ngx_http_gw_each_t     *each;
    ngx_http_gw_element_t  *element;

    first = NULL;
    *offset = 0;

    for (i = 0; i < n; i++) {
        cursor = &cursors[i];
        element = NULL;
        each = cursor->part->each;

        while (cursor->next < each->nelements) {
            element = &each->elements[cursor->next];

            if (element->object
                && !ngx_http_gw_each_omitted(cursor->part, element))
            {
                break;
            }

            cursor->next++;
        }

        if (element == NULL || cursor->next == each->nelements) {
            continue;
        }

        if (first == NULL || element->range.end - 1 < *offset) {
            first = cursor;
            *offset = element->range.end - 1;
        }
    }

    return first;
}
