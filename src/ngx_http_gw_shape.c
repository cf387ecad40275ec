
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_part.h"
#include "ngx_http_gw_shape.h"


/* bytes; a shorter piece is copied next to the one before it */
#define NGX_HTTP_GW_SHAPE_COPY   512

/* bytes of one buffer for such pieces */
#define NGX_HTTP_GW_SHAPE_BUFFER 4096

/* edits, and members, that there is room for at first */
#define NGX_HTTP_GW_SHAPE_EDITS  32


typedef enum {
    NGX_HTTP_GW_SHAPE_DROP = 0,
    NGX_HTTP_GW_SHAPE_PICK,
    NGX_HTTP_GW_SHAPE_RENAME
} ngx_http_gw_shape_e;


/* one pointer of a directive */

typedef struct {
    ngx_uint_t           kind;
    ngx_str_t            part;          /* its name */
    ngx_str_t            pointer;
    ngx_str_t            key;           /* the new one, quoted */
    u_char              *file;
    ngx_uint_t           line;
} ngx_http_gw_shape_rule_t;


/* all of a part: bit 0 is the value itself */

struct ngx_http_gw_shape_conf_s {
    uint64_t             masks[NGX_HTTP_GW_SHAPE_RENAME + 1];
    gw_json_text_t       keys[GW_JSON_POINTER_MAX_COUNT];
    unsigned             lists:1;       /* its members are merged */
};


static char *ngx_http_gw_shape_rules(ngx_conf_t *cf, void *conf,
    ngx_uint_t kind, ngx_uint_t last);
static char *ngx_http_gw_shape_pointer(ngx_conf_t *cf,
    ngx_http_gw_shape_rule_t *rule);
static char *ngx_http_gw_shape_quote(ngx_conf_t *cf,
    ngx_http_gw_shape_rule_t *rule, ngx_str_t *key);
static char *ngx_http_gw_shape_check(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_uint_t n);
static char *ngx_http_gw_shape_check_pair(ngx_conf_t *cf,
    ngx_http_gw_shape_rule_t *rule, ngx_http_gw_shape_rule_t *other);
static ngx_uint_t ngx_http_gw_shape_covers(ngx_str_t *outer,
    ngx_str_t *inner);
static char *ngx_http_gw_shape_part(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_shape_compile(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, gw_json_text_t *text, ngx_uint_t n);
static gw_status_e ngx_http_gw_shape_more(gw_json_shape_t *sh);
static ngx_int_t ngx_http_gw_shape_range(ngx_http_gw_shape_out_t *out,
    gw_json_range_t range);


static const char *const  ngx_http_gw_shape_names[] = {
    "gw_aggregate_drop", "gw_aggregate_pick", "gw_aggregate_rename"
};


char *
ngx_http_gw_aggregate_pick(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_gw_shape_rules(cf, conf, NGX_HTTP_GW_SHAPE_PICK,
                                   cf->args->nelts);
}


char *
ngx_http_gw_aggregate_drop(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_gw_shape_rules(cf, conf, NGX_HTTP_GW_SHAPE_DROP,
                                   cf->args->nelts);
}


char *
ngx_http_gw_aggregate_rename(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_http_gw_shape_rule_t  *rule;

    rv = ngx_http_gw_shape_rules(cf, conf, NGX_HTTP_GW_SHAPE_RENAME, 3);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;
    rule = alcf->shapes->elts;
    rule += alcf->shapes->nelts - 1;

    return ngx_http_gw_shape_quote(cf, rule, &value[3]);
}


static char *
ngx_http_gw_shape_rules(ngx_conf_t *cf, void *conf, ngx_uint_t kind,
    ngx_uint_t last)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_gw_shape_rule_t  *rule;

    if (alcf->shapes == NULL) {
        alcf->shapes = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_http_gw_shape_rule_t));
        if (alcf->shapes == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 2; i < last; i++) {
        rule = ngx_array_push(alcf->shapes);
        if (rule == NULL) {
            return NGX_CONF_ERROR;
        }

        rule->kind = kind;
        rule->part = value[1];
        rule->pointer = value[i];
        ngx_str_null(&rule->key);
        rule->file = cf->conf_file->file.name.data;
        rule->line = cf->conf_file->line;

        rv = ngx_http_gw_shape_pointer(cf, rule);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_shape_pointer(ngx_conf_t *cf, ngx_http_gw_shape_rule_t *rule)
{
    size_t                    len, ntokens;
    ngx_str_t                *pointer;
    gw_json_pointer_error_t   err;

    pointer = &rule->pointer;
    len = pointer->len;

    if (gw_json_pointer_check_any(pointer->data, len, &ntokens, &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\" of \"%s\": %s", pointer,
                           ngx_http_gw_shape_names[rule->kind], err.text);
        return NGX_CONF_ERROR;
    }

    if (ntokens == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" needs a pointer to a member, \"\" is the "
                           "whole value",
                           ngx_http_gw_shape_names[rule->kind]);
        return NGX_CONF_ERROR;
    }

    if (rule->kind == NGX_HTTP_GW_SHAPE_RENAME
        && pointer->data[len - 1] == '*' && pointer->data[len - 2] == '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "pointer \"%V\" of \"gw_aggregate_rename\" must "
                           "end with a name, it would rename all members",
                           pointer);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_shape_quote(ngx_conf_t *cf, ngx_http_gw_shape_rule_t *rule,
    ngx_str_t *key)
{
    u_char  *p;
    size_t   len, offset;

    if (gw_json_escape_len(key->data, key->len, &len, &offset) != GW_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key \"%V\" of \"gw_aggregate_rename\" is not "
                           "valid UTF-8", key);
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, len + 2);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    rule->key.data = p;
    rule->key.len = len + 2;

    *p++ = '"';
    p = gw_json_escape(p, key->data, key->len);
    *p = '"';

    return NGX_CONF_OK;
}


char *
ngx_http_gw_shape_init(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf)
{
    char                     *rv;
    ngx_uint_t                i;
    ngx_http_gw_part_conf_t  *pcf;

    for (i = 0; conf->shapes && i < conf->shapes->nelts; i++) {
        rv = ngx_http_gw_shape_check(cf, conf, i);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    pcf = conf->parts->elts;

    for (i = 0; i < conf->parts->nelts; i++) {
        rv = ngx_http_gw_shape_part(cf, conf, &pcf[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* a rule that could never apply is a mistake, and may be a leak */

static char *
ngx_http_gw_shape_check(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_uint_t n)
{
    char                      *rv;
    ngx_uint_t                 i, picks, picked;
    ngx_http_gw_part_conf_t   *pcf;
    ngx_http_gw_shape_rule_t  *rules, *rule;

    pcf = conf->parts->elts;
    rules = conf->shapes->elts;
    rule = &rules[n];
    picks = 0;
    picked = 0;

    for (i = 0; i < conf->parts->nelts; i++) {
        if (pcf[i].name.len == rule->part.len
            && ngx_strncmp(pcf[i].name.data, rule->part.data, rule->part.len)
               == 0)
        {
            break;
        }
    }

    if (i == conf->parts->nelts) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" names part \"%V\", and there is no such part "
                      "in %s:%ui", ngx_http_gw_shape_names[rule->kind],
                      &rule->part, rule->file, rule->line);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < conf->shapes->nelts; i++) {

        if (i == n || rules[i].part.len != rule->part.len
            || ngx_strncmp(rules[i].part.data, rule->part.data,
                           rule->part.len)
               != 0)
        {
            continue;
        }

        rv = ngx_http_gw_shape_check_pair(cf, rule, &rules[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (rules[i].kind == NGX_HTTP_GW_SHAPE_PICK) {
            picks = 1;
            picked |= ngx_http_gw_shape_covers(&rules[i].pointer,
                                               &rule->pointer)
                      || ngx_http_gw_shape_covers(&rule->pointer,
                                                  &rules[i].pointer);
        }
    }

    if (rule->kind == NGX_HTTP_GW_SHAPE_RENAME && picks && !picked) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate_rename\" of \"%V\" of part \"%V\" never "
                      "applies, no \"gw_aggregate_pick\" picks it in %s:%ui",
                      &rule->pointer, &rule->part, rule->file, rule->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_shape_check_pair(ngx_conf_t *cf, ngx_http_gw_shape_rule_t *rule,
    ngx_http_gw_shape_rule_t *other)
{
    if (rule->kind != NGX_HTTP_GW_SHAPE_DROP
        && other->kind == NGX_HTTP_GW_SHAPE_DROP
        && ngx_http_gw_shape_covers(&other->pointer, &rule->pointer))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" of \"%V\" of part \"%V\" never applies, "
                      "\"gw_aggregate_drop\" of \"%V\" comes first in %s:%ui",
                      ngx_http_gw_shape_names[rule->kind], &rule->pointer,
                      &rule->part, &other->pointer, rule->file, rule->line);
        return NGX_CONF_ERROR;
    }

    if (rule->kind == other->kind
        && rule->pointer.len == other->pointer.len
        && ngx_strncmp(rule->pointer.data, other->pointer.data,
                       rule->pointer.len)
           == 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" of \"%V\" of part \"%V\" is given twice in "
                      "%s:%ui", ngx_http_gw_shape_names[rule->kind],
                      &rule->pointer, &rule->part, rule->file, rule->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* whether all that inner can name is at or below what outer names */

static ngx_uint_t
ngx_http_gw_shape_covers(ngx_str_t *outer, ngx_str_t *inner)
{
    u_char        a[GW_JSON_POINTER_MAX_LEN], b[GW_JSON_POINTER_MAX_LEN];
    size_t        alen, blen;
    ngx_uint_t    any;
    const u_char  *p, *q, *plast, *qlast;

    p = outer->data;
    plast = p + outer->len;
    q = inner->data;
    qlast = q + inner->len;

    while (p < plast) {

        if (q == qlast) {
            return 0;
        }

        any = p[1] == '*' && (plast - p == 2 || p[2] == '/');

        if (!any && q[1] == '*' && (qlast - q == 2 || q[2] == '/')) {
            return 0;
        }

        p = gw_json_pointer_token(p, plast, a, &alen);
        q = gw_json_pointer_token(q, qlast, b, &blen);

        if (!any && (alen != blen || ngx_memcmp(a, b, alen) != 0)) {
            return 0;
        }
    }

    return 1;
}


static char *
ngx_http_gw_shape_part(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_http_gw_part_conf_t *pcf)
{
    u_char                      *p;
    ngx_uint_t                   i, n;
    gw_json_text_t               text[GW_JSON_POINTER_MAX_COUNT];
    ngx_http_gw_shape_rule_t    *rule;
    ngx_http_gw_shape_conf_t    *shape;

    shape = NULL;
    rule = conf->shapes ? conf->shapes->elts : NULL;

    if (pcf->place == GW_JSON_SPLICE_ROOT && pcf->each == NULL) {
        shape = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_shape_conf_t));
        if (shape == NULL) {
            return NGX_CONF_ERROR;
        }

        shape->lists = 1;
    }

    text[0].data = pcf->at.len ? pcf->at.data : (u_char *) "";
    text[0].len = pcf->at.len;
    n = 1;

    for (i = 0; rule && i < conf->shapes->nelts; i++) {

        if (rule[i].part.len != pcf->name.len
            || ngx_strncmp(rule[i].part.data, pcf->name.data, pcf->name.len)
               != 0)
        {
            continue;
        }

        if (pcf->type != NGX_HTTP_GW_PART_JSON) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%s\" of part \"%V\" needs \"type=json\" in "
                          "%s:%ui", ngx_http_gw_shape_names[rule[i].kind],
                          &pcf->name, rule[i].file, rule[i].line);
            return NGX_CONF_ERROR;
        }

        if (pcf->embeds) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%s\" of part \"%V\" is not possible, "
                          "\"gw_aggregate_each\" embeds into it in %s:%ui",
                          ngx_http_gw_shape_names[rule[i].kind], &pcf->name,
                          rule[i].file, rule[i].line);
            return NGX_CONF_ERROR;
        }

        if (n == GW_JSON_POINTER_MAX_COUNT) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "part \"%V\" has more than %d pointers in %s:%ui",
                          &pcf->name, GW_JSON_POINTER_MAX_COUNT - 1,
                          rule[i].file, rule[i].line);
            return NGX_CONF_ERROR;
        }

        if (shape == NULL) {
            shape = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_shape_conf_t));
            if (shape == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        p = ngx_pnalloc(cf->temp_pool, pcf->at.len + rule[i].pointer.len);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        text[n].data = p;
        text[n].len = pcf->at.len + rule[i].pointer.len;

        if (pcf->at.len) {
            p = ngx_cpymem(p, pcf->at.data, pcf->at.len);
        }

        ngx_memcpy(p, rule[i].pointer.data, rule[i].pointer.len);

        shape->masks[rule[i].kind] |= (uint64_t) 1 << n;
        shape->keys[n].data = rule[i].key.data;
        shape->keys[n].len = rule[i].key.len;
        n++;
    }

    pcf->shape = shape;

    return shape ? ngx_http_gw_shape_compile(cf, pcf, text, n) : NGX_CONF_OK;
}


static char *
ngx_http_gw_shape_compile(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    gw_json_text_t *text, ngx_uint_t n)
{
    void                     *memory;
    ngx_str_t                 pointer;
    gw_json_pointer_error_t   err;

    memory = ngx_palloc(cf->pool, gw_json_pointer_size(text, n));
    if (memory == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->trie = gw_json_pointer_compile_any(memory, text, n, &err);

    if (pcf->trie == NULL) {
        pointer.data = (u_char *) text[err.item].data;
        pointer.len = text[err.item].len;

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "pointer \"%V\" of part \"%V\" %s in %s:%ui", &pointer,
                      &pcf->name, err.text, pcf->file, pcf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_gw_shape_start(ngx_http_gw_part_t *part)
{
    ngx_pool_t                *pool;
    gw_json_trie_t            *trie;
    ngx_http_gw_shape_t       *shape;
    ngx_http_gw_shape_conf_t  *conf;

    pool = part->request->pool;
    conf = part->conf->shape;
    trie = part->conf->trie;

    shape = ngx_pcalloc(pool, sizeof(ngx_http_gw_shape_t)
                              + trie->count * sizeof(gw_json_range_t)
                              + trie->nnodes * sizeof(uint32_t));
    if (shape == NULL) {
        return NGX_ERROR;
    }

    shape->ranges = (gw_json_range_t *) (shape + 1);

    shape->shape.at = 1;
    shape->shape.drop = conf->masks[NGX_HTTP_GW_SHAPE_DROP];
    shape->shape.pick = conf->masks[NGX_HTTP_GW_SHAPE_PICK];
    shape->shape.rename = conf->masks[NGX_HTTP_GW_SHAPE_RENAME];
    shape->shape.keys = conf->keys;
    shape->shape.seen = (uint32_t *) (shape->ranges + trie->count);
    shape->shape.more = ngx_http_gw_shape_more;
    shape->shape.more_members = ngx_http_gw_shape_more_members;
    shape->shape.members_max = conf->lists ? NGX_HTTP_GW_MAX_MEMBERS : 0;
    shape->shape.data = pool;

    part->shape = shape;

    gw_json_scan_track(&part->scan, trie, shape->ranges);
    gw_json_shape_begin(&part->scan, &shape->shape);

    return NGX_OK;
}


static gw_status_e
ngx_http_gw_shape_more(gw_json_shape_t *sh)
{
    size_t           room;
    gw_json_edit_t  *edits;

    room = sh->room ? sh->room * 2 : NGX_HTTP_GW_SHAPE_EDITS;

    edits = ngx_palloc(sh->data, room * sizeof(gw_json_edit_t));
    if (edits == NULL) {
        return GW_ERROR;
    }

    if (sh->nedits) {
        ngx_memcpy(edits, sh->edits, sh->nedits * sizeof(gw_json_edit_t));
        ngx_pfree(sh->data, sh->edits);
    }

    sh->edits = edits;
    sh->room = room;

    return GW_OK;
}


gw_status_e
ngx_http_gw_shape_more_members(gw_json_shape_t *sh)
{
    size_t             room;
    gw_json_member_t  *members;

    room = sh->members_room ? sh->members_room * 2 : NGX_HTTP_GW_SHAPE_EDITS;

    members = ngx_palloc(sh->data, room * sizeof(gw_json_member_t));
    if (members == NULL) {
        return GW_ERROR;
    }

    if (sh->nmembers) {
        ngx_memcpy(members, sh->members,
                   sh->nmembers * sizeof(gw_json_member_t));
        ngx_pfree(sh->data, sh->members);
    }

    sh->members = members;
    sh->members_room = room;

    return GW_OK;
}


void
ngx_http_gw_shape_finish(ngx_http_gw_part_t *part)
{
    gw_json_shape_t  *sh;

    sh = &part->shape->shape;
    part->range = part->shape->ranges[0];

    if (part->range.start == part->range.end) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_MISSING);
        return;
    }

    ngx_http_gw_merge_check(part);

    if (sh->scalar) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_MISSING);

    } else if (sh->failed) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_INTERNAL);

    } else if (sh->crowded) {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_LIMIT);
    }
}


gw_json_text_t *
ngx_http_gw_shape_key(ngx_http_gw_part_conf_t *pcf, ngx_uint_t n)
{
    return &pcf->shape->keys[n];
}


ngx_int_t
ngx_http_gw_shape_write(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part)
{
    ngx_http_gw_shape_out_t  out;

    ngx_http_gw_shape_begin(&out, r, last, part, part->out);

    return ngx_http_gw_shape_slice(&out, &part->range);
}


void
ngx_http_gw_shape_begin(ngx_http_gw_shape_out_t *out, ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part, ngx_chain_t *in)
{
    ngx_memzero(out, sizeof(ngx_http_gw_shape_out_t));

    out->request = r;
    out->last = last;
    out->shape = (part->shape && in == part->out) ? &part->shape->shape
                                                  : NULL;
    out->in = in;
}


ngx_int_t
ngx_http_gw_shape_slice(ngx_http_gw_shape_out_t *out, gw_json_range_t *range)
{
    ngx_int_t              rc;
    gw_json_shape_walk_t   walk;
    gw_json_shape_piece_t  piece;

    if (out->shape == NULL) {
        return ngx_http_gw_shape_range(out, *range);
    }

    gw_json_shape_first(&walk, out->shape, range);

    while (gw_json_shape_next(&walk, &piece) == GW_OK) {

        rc = piece.data ? ngx_http_gw_shape_put(out, (u_char *) piece.data,
                                                piece.len)
                        : ngx_http_gw_shape_range(out, piece.range);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* ranges come in the order in which they stand */

static ngx_int_t
ngx_http_gw_shape_range(ngx_http_gw_shape_out_t *out, gw_json_range_t range)
{
    size_t      len, start, end;
    ngx_buf_t  *b;

    while (out->in && range.start < range.end) {
        b = out->in->buf;
        len = b->last - b->pos;
        start = range.start - out->passed;

        if (start >= len) {
            out->passed += len;
            out->in = out->in->next;
            continue;
        }

        end = ngx_min(range.end - out->passed, len);

        if (ngx_http_gw_shape_put(out, b->pos + start, end - start)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        range.start = out->passed + end;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_shape_put(ngx_http_gw_shape_out_t *out, u_char *data, size_t len)
{
    ngx_chain_t  *cl;

    if (len >= NGX_HTTP_GW_SHAPE_COPY) {
        out->buf = NULL;
        return ngx_http_gw_compose_add(out->request, out->last, data, len);
    }

    if ((size_t) (out->end - out->pos) < len) {
        out->pos = ngx_pnalloc(out->request->pool, NGX_HTTP_GW_SHAPE_BUFFER);
        if (out->pos == NULL) {
            return NGX_ERROR;
        }

        out->end = out->pos + NGX_HTTP_GW_SHAPE_BUFFER;
        out->buf = NULL;
    }

    ngx_memcpy(out->pos, data, len);

    if (out->buf) {
        out->buf->last += len;

    } else {
        if (ngx_http_gw_compose_add(out->request, out->last, out->pos, len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        cl = (ngx_chain_t *) ((u_char *) *out->last
                              - offsetof(ngx_chain_t, next));
        out->buf = cl->buf;
    }

    out->pos += len;

    return NGX_OK;
}
