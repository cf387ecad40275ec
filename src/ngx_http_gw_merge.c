
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_merge.h"
#include "gw_json_walk.h"
#include "ngx_http_gw_aggregate_each.h"
#include "ngx_http_gw_compose.h"
#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_part.h"
#include "ngx_http_gw_shape.h"


/* what is known of a slot of the document */

#define NGX_HTTP_GW_SLOT_UNKNOWN  0
#define NGX_HTTP_GW_SLOT_THERE    1
#define NGX_HTTP_GW_SLOT_OMITTED  2


#define ngx_http_gw_merge_space(ch)                                           \
    ((ch) == ' ' || (ch) == '\t' || (ch) == CR || (ch) == LF)


/* a member of the document: its names in the table */

typedef struct {
    ngx_uint_t               first;
    ngx_uint_t               n;
} ngx_http_gw_merge_top_t;


struct ngx_http_gw_merge_s {
    gw_json_merge_t          names;
    ngx_http_gw_merge_top_t *tops;
    ngx_uint_t               next;      /* member that comes next */
};


typedef struct {
    ngx_chain_t             *in;        /* where the next range begins */
    size_t                   passed;    /* bytes of links before that */
} ngx_http_gw_merge_in_t;


static ngx_int_t ngx_http_gw_merge_create(ngx_http_gw_gather_t *gather);
static ngx_int_t ngx_http_gw_merge_room(ngx_http_gw_gather_t *gather,
    ngx_uint_t n);
static ngx_int_t ngx_http_gw_merge_top(ngx_http_gw_gather_t *gather,
    ngx_uint_t n);
static ngx_uint_t ngx_http_gw_merge_there(ngx_http_gw_gather_t *gather,
    const gw_json_splice_top_t *top);
static ngx_uint_t ngx_http_gw_merge_slot(ngx_http_gw_gather_t *gather,
    ngx_uint_t slot);
static ngx_int_t ngx_http_gw_merge_root(ngx_http_gw_gather_t *gather,
    ngx_http_gw_part_t *part, ngx_http_gw_merge_top_t *mt);
static ngx_int_t ngx_http_gw_merge_names(ngx_http_gw_part_t *part,
    gw_json_text_t **names, ngx_uint_t *n);
static ngx_int_t ngx_http_gw_merge_keys(ngx_pool_t *pool,
    ngx_http_gw_part_conf_t *pcf, ngx_chain_t *in, gw_json_member_t *members,
    ngx_uint_t n, gw_json_text_t *names);
static ngx_int_t ngx_http_gw_merge_join(ngx_pool_t *pool,
    ngx_http_gw_merge_in_t *in, gw_json_range_t *range, gw_json_text_t *text);
static ngx_int_t ngx_http_gw_merge_name(ngx_pool_t *pool,
    gw_json_text_t *text);
static ngx_uint_t ngx_http_gw_merge_conflict(ngx_http_gw_gather_t *gather,
    gw_json_text_t *names, ngx_uint_t n);
static void ngx_http_gw_merge_omit(ngx_http_gw_gather_t *gather,
    ngx_uint_t n, u_char *omitted);
static ngx_int_t ngx_http_gw_merge_members(ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part);
static ngx_int_t ngx_http_gw_merge_elements(ngx_http_request_t *r,
    ngx_chain_t ***last, ngx_http_gw_part_t *part);
static void ngx_http_gw_merge_inside(ngx_http_gw_part_t *part,
    gw_json_range_t *range);
static void ngx_http_gw_merge_trim(ngx_chain_t *in, size_t passed,
    gw_json_range_t *range);
static ngx_uint_t ngx_http_gw_merge_empty(ngx_http_gw_part_t *part);
static ngx_uint_t ngx_http_gw_merge_failed(ngx_http_gw_part_t *part);
static u_char ngx_http_gw_merge_byte(ngx_http_gw_part_t *part,
    size_t offset);


void
ngx_http_gw_merge_check(ngx_http_gw_part_t *part)
{
    if (part->conf->place == GW_JSON_SPLICE_VALUE || part->base) {
        return;
    }

    if (part->conf->place == GW_JSON_SPLICE_ROOT) {

        if (ngx_http_gw_merge_byte(part, part->range.start) != '{') {
            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_NOT_OBJECT);
        }

        return;
    }

    if (ngx_http_gw_merge_byte(part, part->range.start) != '[') {
        ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_MISSING);
    }
}


static u_char
ngx_http_gw_merge_byte(ngx_http_gw_part_t *part, size_t offset)
{
    size_t        len;
    ngx_chain_t  *cl;

    for (cl = part->out; cl; cl = cl->next) {
        len = cl->buf->last - cl->buf->pos;

        if (offset < len) {
            return cl->buf->pos[offset];
        }

        offset -= len;
    }

    return 0;
}


/* its default stands there */

static ngx_uint_t
ngx_http_gw_merge_failed(ngx_http_gw_part_t *part)
{
    return part->skipped || part->error != NGX_HTTP_GW_PART_OK;
}


u_char
ngx_http_gw_merge_omitted(ngx_http_gw_part_t *part)
{
    ngx_http_gw_part_conf_t  *pcf;

    pcf = part->conf;

    if ((pcf->omit && ngx_http_gw_merge_failed(part))
        || (pcf->each && pcf->each->result == NGX_HTTP_GW_EACH_EMBED))
    {
        return GW_JSON_SPLICE_OMITTED;
    }

    return pcf->place == GW_JSON_SPLICE_APPEND
           && ngx_http_gw_merge_empty(part)
           ? GW_JSON_SPLICE_EMPTY : 0;
}


static ngx_uint_t
ngx_http_gw_merge_empty(ngx_http_gw_part_t *part)
{
    gw_json_range_t        range;
    gw_json_shape_walk_t   walk;
    gw_json_shape_piece_t  piece;

    if (ngx_http_gw_merge_failed(part)) {
        return part->conf->elements.len == 0;
    }

    if (part->each) {
        return part->each->nelements == 0;
    }

    if (part->null) {
        return 1;
    }

    ngx_http_gw_merge_inside(part, &range);

    if (part->shape) {
        gw_json_shape_first(&walk, &part->shape->shape, &range);

        return gw_json_shape_next(&walk, &piece) != GW_OK;
    }

    return range.start == range.end;
}


/* what an array has between its brackets */

static void
ngx_http_gw_merge_inside(ngx_http_gw_part_t *part, gw_json_range_t *range)
{
    range->start = part->range.start + 1;
    range->end = part->range.end - 1;

    ngx_http_gw_merge_trim(part->out, 0, range);
}


/* takes white space from both ends of a range */

static void
ngx_http_gw_merge_trim(ngx_chain_t *in, size_t passed, gw_json_range_t *range)
{
    u_char      *p, *start, *last;
    size_t       len, end;
    ngx_uint_t   some;

    end = 0;
    some = 0;

    for ( /* void */ ; in && passed < range->end; in = in->next) {
        len = in->buf->last - in->buf->pos;
        start = in->buf->pos;
        last = start + ngx_min(len, range->end - passed);

        if (passed < range->start) {
            start += ngx_min(range->start - passed, len);
        }

        while (start < last && ngx_http_gw_merge_space(last[-1])) {
            last--;
        }

        if (start < last) {
            end = passed + (last - in->buf->pos);

            if (!some) {
                for (p = start; ngx_http_gw_merge_space(*p); p++) {
                    /* void */
                }

                range->start = passed + (p - in->buf->pos);
                some = 1;
            }
        }

        passed += len;
    }

    range->end = some ? end : range->start;
}


ngx_int_t
ngx_http_gw_merge_run(ngx_http_gw_gather_t *gather, u_char *omitted)
{
    ngx_int_t             rc;
    ngx_uint_t            i, ntops;
    ngx_http_gw_merge_t  *merge;

    if (!gather->conf->merges) {
        return NGX_OK;
    }

    if (gather->merge == NULL
        && ngx_http_gw_merge_create(gather) != NGX_OK)
    {
        return NGX_ERROR;
    }

    merge = gather->merge;
    ntops = gather->conf->splice->ntops;

    for ( /* void */ ; merge->next < ntops; merge->next++) {

        rc = ngx_http_gw_merge_top(gather, merge->next);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_AGAIN) {
            break;
        }
    }

    /* a name that is lost stays lost */

    for (i = 0; omitted && i < merge->next; i++) {
        ngx_http_gw_merge_omit(gather, i, omitted);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_merge_create(ngx_http_gw_gather_t *gather)
{
    uint64_t                       key[2];
    ngx_uint_t                     i;
    ngx_pool_t                    *pool;
    ngx_http_gw_merge_t           *merge;
    const gw_json_splice_t        *splice;
    ngx_http_gw_aggregate_conf_t  *conf;

    conf = gather->conf;
    splice = conf->splice;
    pool = gather->request->pool;

    merge = ngx_pcalloc(pool, sizeof(ngx_http_gw_merge_t)
                              + splice->ntops
                                * sizeof(ngx_http_gw_merge_top_t));
    if (merge == NULL) {
        return NGX_ERROR;
    }

    merge->tops = (ngx_http_gw_merge_top_t *) (merge + 1);

    for (i = 0; i < 2; i++) {
        key[i] = (uint64_t) ngx_random() << 42 ^ (uint64_t) ngx_random() << 21
                 ^ (uint64_t) ngx_random();
    }

    gw_json_merge_init(&merge->names, key,
                       conf->conflict == NGX_HTTP_GW_CONFLICT_FIRST);

    gather->merge = merge;

    if (ngx_http_gw_merge_room(gather, splice->ntops) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < splice->ntops; i++) {

        if (conf->reserved[i]) {
            gw_json_merge_add(&merge->names, &splice->tops[i].name,
                              GW_JSON_MERGE_RESERVED);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_merge_room(ngx_http_gw_gather_t *gather, ngx_uint_t n)
{
    void             *old, *memory;
    size_t            size;
    ngx_pool_t       *pool;
    gw_json_merge_t  *names;

    pool = gather->request->pool;
    names = &gather->merge->names;

    size = gw_json_merge_size(names, n);

    if (size == 0) {
        return NGX_OK;
    }

    memory = ngx_palloc(pool, size);
    if (memory == NULL) {
        return NGX_ERROR;
    }

    old = names->names;
    gw_json_merge_move(names, memory, n);

    if (old) {
        (void) ngx_pfree(pool, old);
    }

    return NGX_OK;
}


/* NGX_AGAIN: the names that a member of the document has are not known yet */

static ngx_int_t
ngx_http_gw_merge_top(ngx_http_gw_gather_t *gather, ngx_uint_t n)
{
    ngx_uint_t                   there;
    ngx_http_gw_part_t          *part;
    ngx_http_gw_merge_t         *merge;
    ngx_http_gw_merge_top_t     *mt;
    const gw_json_splice_top_t  *top;

    merge = gather->merge;
    top = &gather->conf->splice->tops[n];
    mt = &merge->tops[n];

    mt->first = merge->names.nnames;
    mt->n = 0;

    if (top->name.data == NULL) {
        part = &gather->parts[gather->conf->splice->steps[top->step].slot];

        if (!part->done) {
            return NGX_AGAIN;
        }

        return ngx_http_gw_merge_root(gather, part, mt);
    }

    if (gather->conf->reserved[n]) {
        return NGX_OK;
    }

    there = ngx_http_gw_merge_there(gather, top);

    if (there == NGX_HTTP_GW_SLOT_UNKNOWN) {
        return NGX_AGAIN;
    }

    if (there == NGX_HTTP_GW_SLOT_THERE) {
        if (ngx_http_gw_merge_room(gather, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        gw_json_merge_add(&merge->names, &top->name, (uint32_t) n);
        mt->n = 1;
    }

    return NGX_OK;
}


/* whether a member that is declared is there: some slot of it is */

static ngx_uint_t
ngx_http_gw_merge_there(ngx_http_gw_gather_t *gather,
    const gw_json_splice_top_t *top)
{
    ngx_uint_t                    i, slot, there;
    const gw_json_splice_step_t  *steps;

    steps = gather->conf->splice->steps;
    there = NGX_HTTP_GW_SLOT_OMITTED;

    for (i = top->step; i < top->end; i++) {

        if (steps[i].kind != GW_JSON_SPLICE_SLOT) {
            continue;
        }

        slot = ngx_http_gw_merge_slot(gather, steps[i].slot);

        if (slot == NGX_HTTP_GW_SLOT_THERE) {
            return NGX_HTTP_GW_SLOT_THERE;
        }

        if (slot == NGX_HTTP_GW_SLOT_UNKNOWN) {
            there = NGX_HTTP_GW_SLOT_UNKNOWN;
        }
    }

    return there;
}


/* of members that are not reserved: a part, or what is always there */

static ngx_uint_t
ngx_http_gw_merge_slot(ngx_http_gw_gather_t *gather, ngx_uint_t slot)
{
    ngx_http_gw_part_t  *part;

    if (slot >= gather->nparts) {
        return NGX_HTTP_GW_SLOT_THERE;
    }

    part = &gather->parts[slot];

    if (!part->conf->omit && part->conf->each == NULL) {
        return NGX_HTTP_GW_SLOT_THERE;
    }

    if (!part->done) {
        return NGX_HTTP_GW_SLOT_UNKNOWN;
    }

    return ngx_http_gw_merge_omitted(part) == GW_JSON_SPLICE_OMITTED
           ? NGX_HTTP_GW_SLOT_OMITTED : NGX_HTTP_GW_SLOT_THERE;
}


static ngx_int_t
ngx_http_gw_merge_root(ngx_http_gw_gather_t *gather, ngx_http_gw_part_t *part,
    ngx_http_gw_merge_top_t *mt)
{
    ngx_uint_t        i, n;
    gw_json_text_t   *names;

    if (ngx_http_gw_merge_names(part, &names, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (gather->conf->conflict == NGX_HTTP_GW_CONFLICT_ERROR
        && ngx_http_gw_merge_conflict(gather, names, n))
    {
        if (!ngx_http_gw_merge_failed(part)) {

            ngx_log_error(NGX_LOG_WARN, gather->request->connection->log, 0,
                          "part \"%V\" failed: %V, a member of its answer is "
                          "in the document already", &part->conf->name,
                          ngx_http_gw_part_error_name(
                                                 NGX_HTTP_GW_PART_NOT_OBJECT));

            ngx_http_gw_part_fail(part, NGX_HTTP_GW_PART_NOT_OBJECT);

            return ngx_http_gw_merge_root(gather, part, mt);
        }

        /* not even its default has a place */

        n = 0;
    }

    if (ngx_http_gw_merge_room(gather, n) != NGX_OK) {
        return NGX_ERROR;
    }

    part->name = mt->first;
    mt->n = n;

    for (i = 0; i < n; i++) {
        gw_json_merge_add(&gather->merge->names, &names[i],
                          (uint32_t) gather->merge->next);
    }

    /* the list, if it was a large one; the names stay where they are */

    if (names && names != part->conf->names) {
        (void) ngx_pfree(gather->request->pool, names);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_gw_merge_conflict(ngx_http_gw_gather_t *gather,
    gw_json_text_t *names, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (gw_json_merge_find(&gather->merge->names, &names[i])
            != GW_JSON_MERGE_NONE)
        {
            return 1;
        }
    }

    return 0;
}


/* the names of the members of what a part puts into the document */

static ngx_int_t
ngx_http_gw_merge_names(ngx_http_gw_part_t *part, gw_json_text_t **names,
    ngx_uint_t *n)
{
    ngx_pool_t       *pool;
    gw_json_shape_t  *sh;

    *names = NULL;
    *n = 0;

    if (ngx_http_gw_merge_failed(part)) {
        *names = part->conf->names;
        *n = part->conf->nmembers;

        return NGX_OK;
    }

    if (part->null) {
        return NGX_OK;
    }

    pool = part->gather->request->pool;

    if (part->each) {
        return ngx_http_gw_each_names(part, names, n);
    }

    sh = &part->shape->shape;
    *n = sh->nmembers;

    if (*n == 0) {
        return NGX_OK;
    }

    *names = ngx_palloc(pool, *n * sizeof(gw_json_text_t));
    if (*names == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_gw_merge_keys(pool, part->conf, part->out, sh->members,
                                  *n, *names);
}


static ngx_int_t
ngx_http_gw_merge_keys(ngx_pool_t *pool, ngx_http_gw_part_conf_t *pcf,
    ngx_chain_t *in, gw_json_member_t *members, ngx_uint_t n,
    gw_json_text_t *names)
{
    ngx_uint_t               i;
    ngx_http_gw_merge_in_t   cursor;

    cursor.in = in;
    cursor.passed = 0;

    for (i = 0; i < n; i++) {

        if (members[i].text != GW_JSON_SHAPE_NOTHING) {
            names[i] = *ngx_http_gw_shape_key(pcf, members[i].text);

        } else if (ngx_http_gw_merge_join(pool, &cursor, &members[i].key,
                                          &names[i])
                   != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_gw_merge_name(pool, &names[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a range where it stands, or a copy if it is in several buffers */

static ngx_int_t
ngx_http_gw_merge_join(ngx_pool_t *pool, ngx_http_gw_merge_in_t *in,
    gw_json_range_t *range, gw_json_text_t *text)
{
    u_char       *p;
    size_t        len, n, start;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    len = range->end - range->start;

    for ( ;; ) {
        b = in->in->buf;
        n = b->last - b->pos;

        if (range->start - in->passed < n) {
            break;
        }

        in->passed += n;
        in->in = in->in->next;
    }

    start = range->start - in->passed;
    text->len = len;

    if (len <= n - start) {
        text->data = b->pos + start;
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (cl = in->in; len; cl = cl->next) {
        n = ngx_min((size_t) (cl->buf->last - cl->buf->pos) - start, len);

        p = ngx_cpymem(p, cl->buf->pos + start, n);
        len -= n;
        start = 0;
    }

    return NGX_OK;
}


/* takes the quotes away, and the escapes */

static ngx_int_t
ngx_http_gw_merge_name(ngx_pool_t *pool, gw_json_text_t *text)
{
    u_char  *p;

    if (memchr(text->data, '\\', text->len) == NULL) {
        text->data++;
        text->len -= 2;

        return NGX_OK;
    }

    p = ngx_pnalloc(pool, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->len = gw_json_unescape_any(p, text->data, text->len);
    text->data = p;

    return NGX_OK;
}


/* what a member of the document has lost */

static void
ngx_http_gw_merge_omit(ngx_http_gw_gather_t *gather, ngx_uint_t n,
    u_char *omitted)
{
    ngx_uint_t                    i;
    gw_json_merge_name_t         *names;
    ngx_http_gw_merge_top_t      *mt;
    const gw_json_splice_top_t   *top;
    const gw_json_splice_step_t  *steps;

    top = &gather->conf->splice->tops[n];
    steps = gather->conf->splice->steps;
    mt = &gather->merge->tops[n];

    if (top->name.data && mt->n == 0) {
        /* it is reserved, or not there */
        return;
    }

    names = gather->merge->names.names;

    for (i = 0; i < mt->n; i++) {
        if (!names[mt->first + i].lost) {
            return;
        }
    }

    for (i = top->step; i < top->end; i++) {
        if (steps[i].kind == GW_JSON_SPLICE_SLOT) {
            omitted[steps[i].slot] = GW_JSON_SPLICE_OMITTED;
        }
    }
}


ngx_uint_t
ngx_http_gw_merge_known(ngx_http_gw_gather_t *gather, ngx_uint_t step)
{
    ngx_uint_t               next;
    const gw_json_splice_t  *splice;

    splice = gather->conf->splice;
    next = gather->merge ? gather->merge->next : 0;

    if (!gather->conf->merges || next == splice->ntops) {
        return 1;
    }

    return gather->conf->conflict == NGX_HTTP_GW_CONFLICT_FIRST
           && step < splice->tops[next].step;
}


ngx_uint_t
ngx_http_gw_merge_lost(ngx_http_gw_part_t *part, ngx_uint_t n)
{
    return part->gather->merge->names.names[part->name + n].lost;
}


ngx_int_t
ngx_http_gw_merge_write(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part)
{
    if (part->each && !ngx_http_gw_merge_failed(part)) {
        return ngx_http_gw_each_compose(r, last, part);
    }

    return part->conf->place == GW_JSON_SPLICE_ROOT
           ? ngx_http_gw_merge_members(r, last, part)
           : ngx_http_gw_merge_elements(r, last, part);
}


static ngx_int_t
ngx_http_gw_merge_members(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part)
{
    size_t                    i, n;
    ngx_int_t                 rc;
    ngx_buf_t                 b;
    ngx_uint_t                some;
    ngx_chain_t               cl;
    gw_json_range_t           range;
    gw_json_member_t         *members;
    ngx_http_gw_shape_out_t   out;

    if (ngx_http_gw_merge_failed(part)) {
        members = part->conf->members;
        n = part->conf->nmembers;

        ngx_memzero(&b, sizeof(ngx_buf_t));

        b.pos = part->conf->value.data;
        b.last = b.pos + part->conf->value.len;

        cl.buf = &b;
        cl.next = NULL;

        ngx_http_gw_shape_begin(&out, r, last, part, &cl);

    } else {
        members = part->shape->shape.members;
        n = part->shape->shape.nmembers;

        ngx_http_gw_shape_begin(&out, r, last, part, part->out);
    }

    i = 0;
    some = 0;

    while (gw_json_merge_next(&part->gather->merge->names, part->name,
                              members, n, &i, &range)
           == GW_OK)
    {
        ngx_http_gw_merge_trim(out.in, out.passed, &range);

        if (some++
            && ngx_http_gw_shape_put(&out, (u_char *) ",", 1) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (part->conf->embeds && !ngx_http_gw_merge_failed(part)) {
            out.buf = NULL;
            rc = ngx_http_gw_each_embed(r, last, part, range.start,
                                        range.end);

        } else {
            rc = ngx_http_gw_shape_slice(&out, &range);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_merge_elements(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_http_gw_part_t *part)
{
    gw_json_range_t           range;
    ngx_http_gw_shape_out_t   out;

    if (ngx_http_gw_merge_failed(part)) {
        return ngx_http_gw_compose_add(r, last, part->conf->elements.data,
                                       part->conf->elements.len);
    }

    ngx_http_gw_merge_inside(part, &range);

    if (part->conf->embeds) {
        return ngx_http_gw_each_embed(r, last, part, range.start, range.end);
    }

    if (part->shape == NULL) {
        return ngx_http_gw_compose_range(r, last, part, range.start,
                                         range.end);
    }

    ngx_http_gw_shape_begin(&out, r, last, part, part->out);

    return ngx_http_gw_shape_slice(&out, &range);
}


ngx_int_t
ngx_http_gw_merge_default(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf)
{
    void                     *memory;
    u_char                    want;
    uint32_t                  seen;
    ngx_buf_t                 b;
    ngx_chain_t               cl;
    gw_json_scan_t            scan;
    gw_json_text_t            all;
    gw_json_trie_t           *trie;
    gw_json_range_t           range;
    gw_json_shape_t           sh;
    gw_json_pointer_error_t   err;

    want = (pcf->place == GW_JSON_SPLICE_ROOT) ? '{' : '[';

    if (pcf->value.data[0] != want) {
        return NGX_DECLINED;
    }

    ngx_memzero(&b, sizeof(ngx_buf_t));

    b.pos = pcf->value.data;
    b.last = b.pos + pcf->value.len;

    cl.buf = &b;
    cl.next = NULL;

    if (pcf->place == GW_JSON_SPLICE_APPEND) {
        range.start = 1;
        range.end = pcf->value.len - 1;

        ngx_http_gw_merge_trim(&cl, 0, &range);

        pcf->elements.data = pcf->value.data + range.start;
        pcf->elements.len = range.end - range.start;

        return NGX_OK;
    }

    all.data = (u_char *) "";
    all.len = 0;

    memory = ngx_palloc(cf->temp_pool, gw_json_pointer_size(&all, 1));
    if (memory == NULL) {
        return NGX_ERROR;
    }

    trie = gw_json_pointer_compile(memory, &all, 1, &err);

    ngx_memzero(&sh, sizeof(gw_json_shape_t));

    sh.at = 1;
    sh.seen = &seen;
    sh.members_max = NGX_HTTP_GW_MAX_MEMBERS;
    sh.more_members = ngx_http_gw_shape_more_members;
    sh.data = cf->pool;

    gw_json_scan_init(&scan, GW_JSON_SCAN_DEPTH);
    gw_json_scan_track(&scan, trie, &range);
    gw_json_shape_begin(&scan, &sh);
    gw_json_scan_feed(&scan, b.pos, pcf->value.len);

    if (gw_json_scan_finish(&scan) != GW_JSON_SCAN_OK || sh.failed
        || sh.crowded)
    {
        return NGX_ERROR;
    }

    pcf->members = sh.members;
    pcf->nmembers = sh.nmembers;

    pcf->names = ngx_palloc(cf->pool, (sh.nmembers + 1)
                                      * sizeof(gw_json_text_t));
    if (pcf->names == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_gw_merge_keys(cf->pool, pcf, &cl, sh.members, sh.nmembers,
                                  pcf->names);
}
