
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_splice.h"


static int gw_json_splice_present(const gw_json_splice_walk_t *w,
    const gw_json_splice_step_t *step);
static int gw_json_splice_glue(gw_json_splice_walk_t *w,
    const gw_json_splice_step_t *step, gw_json_splice_piece_t *piece);


void
gw_json_splice_begin(gw_json_splice_walk_t *w, const gw_json_splice_t *splice,
    const u_char *omitted)
{
    memset(w, 0, sizeof(gw_json_splice_walk_t));

    w->splice = splice;
    w->omitted = omitted;
    w->slot = GW_JSON_SPLICE_GLUE;
}


/* whether a container gets a member; the document is there in any case */

static int
gw_json_splice_present(const gw_json_splice_walk_t *w,
    const gw_json_splice_step_t *step)
{
    const gw_json_splice_step_t  *last;

    if (w->omitted == NULL || w->depth == 0) {
        return 1;
    }

    last = &w->splice->steps[step->skip];

    for (step++; step < last; step++) {
        if (step->kind == GW_JSON_SPLICE_SLOT
            && w->omitted[step->slot] != GW_JSON_SPLICE_OMITTED)
        {
            return 1;
        }
    }

    return 0;
}


/* adds the glue of a step to the piece; 0: it does not follow in memory */

static int
gw_json_splice_glue(gw_json_splice_walk_t *w,
    const gw_json_splice_step_t *step, gw_json_splice_piece_t *piece)
{
    size_t         len;
    uint64_t       bit;
    const u_char  *text;

    text = step->text;
    len = step->len;
    bit = (uint64_t) 1 << w->depth;

    if (step->comma && !(w->filled & bit)) {
        text++;
        len--;
    }

    if (piece->len && piece->data + piece->len != text) {
        return 0;
    }

    if (piece->len == 0) {
        piece->data = text;
    }

    piece->len += len;
    w->step++;

    if (step->kind == GW_JSON_SPLICE_END) {
        w->depth--;
        return 1;
    }

    w->filled |= bit;

    if (step->kind == GW_JSON_SPLICE_BEGIN) {
        w->depth++;
        w->filled &= ~(bit << 1);
    }

    return 1;
}


gw_status_e
gw_json_splice_next(gw_json_splice_walk_t *w, gw_json_splice_piece_t *piece)
{
    const gw_json_splice_step_t  *step;

    piece->data = NULL;
    piece->len = 0;
    piece->slot = w->slot;

    while (w->slot == GW_JSON_SPLICE_GLUE
           && w->step < w->splice->nsteps)
    {
        step = &w->splice->steps[w->step];

        if (step->kind == GW_JSON_SPLICE_SLOT) {
            if (w->omitted && w->omitted[step->slot]) {
                w->step++;
                continue;
            }

        } else if (step->kind == GW_JSON_SPLICE_BEGIN
                   && !gw_json_splice_present(w, step))
        {
            w->step = step->skip;
            continue;
        }

        if (!gw_json_splice_glue(w, step, piece)) {
            return GW_OK;
        }

        if (step->kind == GW_JSON_SPLICE_SLOT) {
            w->slot = step->slot;
        }
    }

    if (piece->len) {
        return GW_OK;
    }

    piece->slot = w->slot;
    w->slot = GW_JSON_SPLICE_GLUE;

    return piece->slot == GW_JSON_SPLICE_GLUE ? GW_DECLINED : GW_OK;
}
