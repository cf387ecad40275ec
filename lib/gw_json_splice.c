
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_escape.h"
#include "gw_json_splice_build.h"


static void gw_json_splice_count(const gw_json_splice_part_t *parts, size_t n,
    size_t *ntokens, size_t *len);
static gw_status_e gw_json_splice_bad(gw_json_splice_error_t *err,
    const char *text, size_t other, size_t offset);
static gw_status_e gw_json_splice_check(gw_json_splice_e type,
    const gw_json_splice_part_t *part, gw_json_splice_error_t *err);
static gw_status_e gw_json_splice_check_all(gw_json_splice_e type,
    const gw_json_splice_part_t *parts, size_t n,
    gw_json_splice_error_t *err);
static size_t gw_json_splice_find(const gw_json_splice_build_t *b,
    size_t parent, const gw_json_text_t *name);
static size_t gw_json_splice_add(gw_json_splice_build_t *b, size_t parent,
    const gw_json_text_t *name, size_t part);
static size_t gw_json_splice_inside(const gw_json_splice_build_t *b,
    size_t node);
static void gw_json_splice_add_bare(gw_json_splice_build_t *b, size_t parent,
    size_t part);
static gw_status_e gw_json_splice_put(gw_json_splice_build_t *b,
    size_t parent, const gw_json_text_t *name, size_t part,
    gw_json_splice_error_t *err);
static gw_status_e gw_json_splice_place(gw_json_splice_build_t *b,
    size_t n, gw_json_splice_error_t *err);
static void gw_json_splice_lay_out(gw_json_splice_build_t *b, void *memory,
    size_t ntokens, size_t len, gw_json_splice_e type);


static void
gw_json_splice_count(const gw_json_splice_part_t *parts, size_t n,
    size_t *ntokens, size_t *len)
{
    size_t  i, j;

    *ntokens = n;
    *len = 0;

    for (i = 0; i < n; i++) {
        /* the array, and what is appended */
        *ntokens += parts[i].place == GW_JSON_SPLICE_APPEND;

        if (parts[i].as.data == NULL) {
            *len += parts[i].name.len;
            continue;
        }

        *len += parts[i].as.len;

        for (j = 0; j < parts[i].as.len; j++) {
            *ntokens += parts[i].as.data[j] == '/';
        }
    }
}


size_t
gw_json_splice_size(gw_json_splice_e type, const gw_json_splice_part_t *parts,
    size_t n)
{
    size_t  ntokens, len;

    (void) type;

    gw_json_splice_count(parts, n, &ntokens, &len);

    /* a token and the document make at most two steps each */

    return sizeof(gw_json_splice_t)
           + (ntokens + 1) * (2 * sizeof(gw_json_splice_step_t)
                              + sizeof(gw_json_splice_node_t)
                              + sizeof(gw_json_splice_top_t)
                              + GW_JSON_SPLICE_EXTRA)
           + len * (1 + GW_JSON_ESCAPE_MAX);
}


static gw_status_e
gw_json_splice_bad(gw_json_splice_error_t *err, const char *text,
    size_t other, size_t offset)
{
    err->text = text;
    err->other = other;
    err->offset = offset;

    return GW_DECLINED;
}


static gw_status_e
gw_json_splice_check(gw_json_splice_e type,
    const gw_json_splice_part_t *part, gw_json_splice_error_t *err)
{
    size_t                   len, offset;
    gw_json_pointer_error_t  perr;

    if (part->place == GW_JSON_SPLICE_ROOT) {
        return type == GW_JSON_SPLICE_OBJECT
               ? GW_OK
               : gw_json_splice_bad(err, "has no members in an array",
                                    err->part, 0);
    }

    if (part->as.data == NULL) {
        if (part->name.len > GW_JSON_POINTER_MAX_LEN) {
            return gw_json_splice_bad(err, "is too long", err->part,
                                      GW_JSON_POINTER_MAX_LEN);
        }

        if (gw_json_escape_len(part->name.data, part->name.len, &len, &offset)
            != GW_OK)
        {
            return gw_json_splice_bad(err, "is not valid UTF-8", err->part,
                                      offset);
        }

        return GW_OK;
    }

    if (type == GW_JSON_SPLICE_ARRAY) {
        return gw_json_splice_bad(err, "is not possible in an array",
                                  err->part, 0);
    }

    if (gw_json_pointer_check(part->as.data, part->as.len, &len, &perr)
        != GW_OK)
    {
        return gw_json_splice_bad(err, perr.text, err->part, perr.offset);
    }

    if (len == 0) {
        return gw_json_splice_bad(err, "is the whole document", err->part, 0);
    }

    return GW_OK;
}


static gw_status_e
gw_json_splice_check_all(gw_json_splice_e type,
    const gw_json_splice_part_t *parts, size_t n,
    gw_json_splice_error_t *err)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        err->part = i;

        if (i == GW_JSON_SPLICE_MAX_PARTS) {
            return gw_json_splice_bad(err, "is one too many", i, 0);
        }

        if (gw_json_splice_check(type, &parts[i], err) != GW_OK) {
            return GW_DECLINED;
        }
    }

    return GW_OK;
}


static size_t
gw_json_splice_find(const gw_json_splice_build_t *b, size_t parent,
    const gw_json_text_t *name)
{
    size_t                        i;
    const gw_json_splice_node_t  *node;

    for (i = b->nodes[parent].child; i != GW_JSON_SPLICE_NONE;
         i = node->next)
    {
        node = &b->nodes[i];

        if (!node->bare && node->name.len == name->len
            && memcmp(node->name.data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    return GW_JSON_SPLICE_NONE;
}


static size_t
gw_json_splice_add(gw_json_splice_build_t *b, size_t parent,
    const gw_json_text_t *name, size_t part)
{
    size_t                  i;
    gw_json_splice_node_t  *node, *up;

    i = b->nnodes++;
    node = &b->nodes[i];

    memset(node, 0xff, sizeof(gw_json_splice_node_t));

    node->name = *name;
    node->parent = (uint16_t) parent;
    node->part = (uint16_t) part;
    node->array = 0;
    node->bare = 0;

    if (i != parent) {
        up = &b->nodes[parent];

        if (up->child == GW_JSON_SPLICE_NONE) {
            up->child = (uint16_t) i;

        } else {
            b->nodes[up->last].next = (uint16_t) i;
        }

        up->last = (uint16_t) i;
    }

    return i;
}


/* a part at or inside a node */

static size_t
gw_json_splice_inside(const gw_json_splice_build_t *b, size_t node)
{
    while (b->nodes[node].part == GW_JSON_SPLICE_NONE) {
        node = b->nodes[node].child;
    }

    return b->nodes[node].part;
}


/* an element, or what is inside of a part */

static void
gw_json_splice_add_bare(gw_json_splice_build_t *b, size_t parent, size_t part)
{
    size_t          i;
    gw_json_text_t  none;

    none.data = NULL;
    none.len = 0;

    i = gw_json_splice_add(b, parent, &none, part);
    b->nodes[i].bare = 1;
}


/* the last token of a place */

static gw_status_e
gw_json_splice_put(gw_json_splice_build_t *b, size_t parent,
    const gw_json_text_t *name, size_t part, gw_json_splice_error_t *err)
{
    int     append;
    size_t  i;

    append = b->parts[part].place == GW_JSON_SPLICE_APPEND;
    i = gw_json_splice_find(b, parent, name);

    if (i == GW_JSON_SPLICE_NONE) {
        i = gw_json_splice_add(b, parent, name,
                               append ? GW_JSON_SPLICE_NONE : part);
        b->nodes[i].array = (uint8_t) append;

    } else if (!append || !b->nodes[i].array) {
        return gw_json_splice_bad(err, b->nodes[i].part != GW_JSON_SPLICE_NONE
                                       || b->nodes[i].array
                                       ? "takes the same place as"
                                       : "takes a place around that of",
                                  gw_json_splice_inside(b, i), 0);
    }

    if (append) {
        gw_json_splice_add_bare(b, i, part);
    }

    return GW_OK;
}


static gw_status_e
gw_json_splice_place(gw_json_splice_build_t *b, size_t n,
    gw_json_splice_error_t *err)
{
    size_t                        i, node;
    const u_char                 *p, *last;
    gw_json_text_t                name;
    const gw_json_splice_part_t  *part;

    part = &b->parts[n];

    if (b->nodes[0].array || part->place == GW_JSON_SPLICE_ROOT) {
        gw_json_splice_add_bare(b, 0, n);
        return GW_OK;
    }

    if (part->as.data == NULL) {
        name.data = b->names;
        name.len = part->name.len;

        if (name.len) {
            memcpy(b->names, part->name.data, name.len);
            b->names += name.len;
        }

        return gw_json_splice_put(b, 0, &name, n, err);
    }

    node = 0;
    p = part->as.data;
    last = p + part->as.len;

    for ( ;; ) {
        name.data = b->names;
        p = gw_json_pointer_token(p, last, b->names, &name.len);
        b->names += name.len;

        if (p == last) {
            return gw_json_splice_put(b, node, &name, n, err);
        }

        i = gw_json_splice_find(b, node, &name);

        if (i == GW_JSON_SPLICE_NONE) {
            i = gw_json_splice_add(b, node, &name, GW_JSON_SPLICE_NONE);

        } else if (b->nodes[i].part != GW_JSON_SPLICE_NONE
                   || b->nodes[i].array)
        {
            return gw_json_splice_bad(err, "takes a place inside that of",
                                      gw_json_splice_inside(b, i), 0);
        }

        node = i;
    }
}


/* the block: plan, tops, steps, nodes, names, glue */

static void
gw_json_splice_lay_out(gw_json_splice_build_t *b, void *memory,
    size_t ntokens, size_t len, gw_json_splice_e type)
{
    gw_json_text_t  none;

    b->splice = memory;
    b->splice->tops = (gw_json_splice_top_t *) (b->splice + 1);
    b->splice->ntops = 0;
    b->splice->steps = (gw_json_splice_step_t *) (b->splice->tops + ntokens
                                                  + 1);
    b->splice->nsteps = 0;

    b->nodes = (gw_json_splice_node_t *) (b->splice->steps
                                          + 2 * (ntokens + 1));
    b->nnodes = 0;
    b->names = (u_char *) (b->nodes + ntokens + 1);
    b->glue = b->names + len;

    none.data = b->names;
    none.len = 0;

    gw_json_splice_add(b, 0, &none, GW_JSON_SPLICE_NONE);

    b->nodes[0].array = type == GW_JSON_SPLICE_ARRAY;
}


gw_json_splice_t *
gw_json_splice_compile(void *memory, gw_json_splice_e type,
    const gw_json_splice_part_t *parts, size_t n,
    gw_json_splice_error_t *err)
{
    size_t                  i, ntokens, len;
    const u_char           *start;
    gw_json_splice_build_t  b;

    if (gw_json_splice_check_all(type, parts, n, err) != GW_OK) {
        return NULL;
    }

    gw_json_splice_count(parts, n, &ntokens, &len);
    gw_json_splice_lay_out(&b, memory, ntokens, len, type);

    b.parts = parts;

    for (i = 0; i < n; i++) {
        err->part = i;

        if (gw_json_splice_place(&b, i, err) != GW_OK) {
            return NULL;
        }
    }

    start = b.glue;
    gw_json_splice_emit(&b);
    gw_json_splice_list(&b);

    b.splice->nparts = n;
    b.splice->glue = b.glue - start;

    return b.splice;
}
