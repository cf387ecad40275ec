
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_escape.h"
#include "gw_json_splice_build.h"


static void gw_json_splice_begin_step(gw_json_splice_build_t *b,
    size_t node);
static void gw_json_splice_end_step(gw_json_splice_build_t *b, size_t node);


/* a slot, or the begin of a container: comma, name, bracket */

static void
gw_json_splice_begin_step(gw_json_splice_build_t *b, size_t i)
{
    u_char                 *p;
    gw_json_splice_node_t  *node;
    gw_json_splice_step_t  *step;

    node = &b->nodes[i];
    step = &b->splice->steps[b->splice->nsteps];
    node->step = (uint16_t) b->splice->nsteps++;

    step->text = b->glue;
    step->slot = GW_JSON_SPLICE_NONE;
    step->skip = 0;
    step->kind = GW_JSON_SPLICE_BEGIN;
    step->comma = i != 0 && b->nodes[node->parent].child != i;

    if (node->part != GW_JSON_SPLICE_NONE) {
        step->slot = b->parts[node->part].slot;
        step->kind = GW_JSON_SPLICE_SLOT;
    }

    p = b->glue;

    if (step->comma) {
        *p++ = ',';
    }

    if (i != 0 && !node->bare) {
        *p++ = '"';
        p = gw_json_escape(p, node->name.data, node->name.len);
        *p++ = '"';
        *p++ = ':';
    }

    if (step->kind == GW_JSON_SPLICE_BEGIN) {
        *p++ = node->array ? '[' : '{';
    }

    step->len = (uint32_t) (p - b->glue);
    b->glue = p;
}


static void
gw_json_splice_end_step(gw_json_splice_build_t *b, size_t i)
{
    gw_json_splice_step_t  *step;

    step = &b->splice->steps[b->splice->nsteps++];

    memset(step, 0, sizeof(gw_json_splice_step_t));

    step->text = b->glue;
    step->len = 1;
    step->slot = GW_JSON_SPLICE_NONE;
    step->kind = GW_JSON_SPLICE_END;

    *b->glue++ = b->nodes[i].array ? ']' : '}';

    b->splice->steps[b->nodes[i].step].skip = (uint16_t) b->splice->nsteps;
}


void
gw_json_splice_emit(gw_json_splice_build_t *b)
{
    size_t                        i;
    const gw_json_splice_node_t  *node;

    i = 0;

    for ( ;; ) {
        node = &b->nodes[i];
        gw_json_splice_begin_step(b, i);

        if (node->child != GW_JSON_SPLICE_NONE) {
            i = node->child;
            continue;
        }

        while (i != 0 && node->next == GW_JSON_SPLICE_NONE) {
            i = node->parent;
            node = &b->nodes[i];

            if (i != 0) {
                gw_json_splice_end_step(b, i);
            }
        }

        if (i == 0) {
            gw_json_splice_end_step(b, 0);
            return;
        }

        i = node->next;
    }
}


void
gw_json_splice_list(gw_json_splice_build_t *b)
{
    size_t                        i;
    gw_json_splice_top_t         *top;
    const gw_json_splice_node_t  *node;

    for (i = b->nodes[0].child; i != GW_JSON_SPLICE_NONE; i = node->next) {
        node = &b->nodes[i];
        top = &b->splice->tops[b->splice->ntops++];

        top->name = node->name;
        top->step = node->step;
        top->end = node->part == GW_JSON_SPLICE_NONE
                   ? b->splice->steps[node->step].skip
                   : (uint16_t) (node->step + 1);
    }
}
