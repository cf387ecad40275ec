
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_shape.h"


#define GW_JSON_SHAPE_UNSEEN  0xffffffff


static void gw_json_shape_edit(gw_json_shape_t *sh, size_t start, size_t end,
    uint32_t text);
static void gw_json_shape_root(gw_json_shape_t *sh, uint64_t exact,
    int container);
static int gw_json_shape_picks(const gw_json_scan_t *s,
    const gw_json_shape_level_t *lv, const gw_json_node_t *node,
    int container);
static void gw_json_shape_list(gw_json_scan_t *s, uint64_t renames);
static void gw_json_shape_unlist(gw_json_shape_t *sh, size_t start);
static void gw_json_shape_member(gw_json_scan_t *s, size_t start,
    int object);
static int gw_json_shape_named(const gw_json_scan_t *s,
    const gw_json_shape_level_t *lv);
static void gw_json_shape_again(gw_json_scan_t *s,
    gw_json_shape_level_t *lv);


void
gw_json_shape_begin(gw_json_scan_t *s, gw_json_shape_t *sh)
{
    sh->nedits = 0;
    sh->nmembers = 0;
    sh->failed = 0;
    sh->crowded = 0;
    sh->scalar = 0;
    sh->live = 0;
    sh->listed = 0;

    s->shape = sh;
}


static void
gw_json_shape_edit(gw_json_shape_t *sh, size_t start, size_t end,
    uint32_t text)
{
    gw_json_edit_t  *edit;

    if (sh->nedits == sh->room && !sh->failed && sh->more(sh) != GW_OK) {
        sh->failed = 1;
    }

    if (sh->failed) {
        return;
    }

    edit = &sh->edits[sh->nedits++];

    edit->start = start;
    edit->end = end;
    edit->text = text;
}


/* the value itself: of several with its name the last one counts */

static void
gw_json_shape_root(gw_json_shape_t *sh, uint64_t exact, int container)
{
    sh->nedits = 0;
    sh->nmembers = 0;
    sh->crowded = 0;
    sh->live = 1;
    sh->listed = sh->members_max != 0;
    sh->whole = sh->pick == 0 || (exact & sh->pick);
    sh->scalar = !container && !sh->whole;
}


static int
gw_json_shape_picks(const gw_json_scan_t *s, const gw_json_shape_level_t *lv,
    const gw_json_node_t *node, int container)
{
    const gw_json_shape_t  *sh;

    sh = s->shape;

    if (node && (node->exact & sh->drop)) {
        return 0;
    }

    if (lv->whole) {
        return 1;
    }

    return node && ((node->exact & sh->pick)
                    || (container && (node->all & sh->pick)));
}


/* in an object of which members are picked by their names alone */

static int
gw_json_shape_named(const gw_json_scan_t *s, const gw_json_shape_level_t *lv)
{
    uint16_t               any;
    const gw_json_trie_t  *trie;

    trie = s->trie;
    any = trie->nodes[s->node].any;

    return !lv->whole
           && (any == GW_JSON_POINTER_NO_NODE
               || !(trie->nodes[any].all & s->shape->pick));
}


/*
 * The member was there before: what was kept of it goes, and what follows
 * stands behind what was before it.  In such an object each kept member
 * begins with an edit of the bytes before it.
 */

static void
gw_json_shape_again(gw_json_scan_t *s, gw_json_shape_level_t *lv)
{
    size_t                 i, n, from, next;
    uint32_t              *seen;
    gw_json_edit_t        *edit;
    gw_json_shape_t       *sh;
    const gw_json_node_t  *up;

    sh = s->shape;
    up = &s->trie->nodes[s->node];
    seen = &sh->seen[up->child];
    from = sh->seen[s->next];
    next = sh->nedits;

    for (i = 0; i < up->nchildren; i++) {
        if (seen[i] != GW_JSON_SHAPE_UNSEEN && seen[i] > from
            && seen[i] < next)
        {
            next = seen[i];
        }
    }

    edit = sh->edits;
    n = next - from;

    if (lv->listed) {
        gw_json_shape_unlist(sh, edit[from].end);
    }

    if (next == sh->nedits) {
        lv->kept = edit[from].start;
        lv->some = edit[from].text == GW_JSON_SHAPE_COMMA;
        lv->removed = 1;

    } else {
        edit[next].start = edit[from].start;
        edit[next].text = edit[from].text;
    }

    memmove(&edit[from], &edit[next],
            (sh->nedits - next) * sizeof(gw_json_edit_t));
    sh->nedits -= n;

    for (i = 0; i < up->nchildren; i++) {
        if (seen[i] != GW_JSON_SHAPE_UNSEEN && seen[i] > from) {
            seen[i] -= (uint32_t) n;
        }
    }
}


/* a member of the value; its end is not known yet */

static void
gw_json_shape_list(gw_json_scan_t *s, uint64_t renames)
{
    gw_json_shape_t   *sh;
    gw_json_member_t  *member;

    sh = s->shape;

    if (sh->nmembers == sh->members_max) {
        sh->crowded = 1;
        return;
    }

    if (sh->nmembers == sh->members_room && !sh->failed
        && sh->more_members(sh) != GW_OK)
    {
        sh->failed = 1;
    }

    if (sh->failed) {
        return;
    }

    member = &sh->members[sh->nmembers++];

    member->key = s->key;
    member->end = 0;
    member->text = renames ? (uint32_t) __builtin_ctzll(renames)
                           : GW_JSON_SHAPE_NOTHING;

    sh->levels[s->level].open = 1;
}


/*
 * Takes a member from the list again.  They are few where that happens: those
 * that are picked by their names.
 */

static void
gw_json_shape_unlist(gw_json_shape_t *sh, size_t start)
{
    size_t  i;

    for (i = sh->nmembers; i > 0; i--) {

        if (sh->members[i - 1].key.start == start) {
            memmove(&sh->members[i - 1], &sh->members[i],
                    (sh->nmembers - i) * sizeof(gw_json_member_t));
            sh->nmembers--;
            return;
        }
    }
}


/* a member that stays */

static void
gw_json_shape_member(gw_json_scan_t *s, size_t start, int object)
{
    int                     named;
    uint64_t                renames;
    gw_json_shape_t        *sh;
    gw_json_shape_level_t  *lv;

    sh = s->shape;
    lv = &sh->levels[s->level];
    named = object && gw_json_shape_named(s, lv);

    if (named) {
        sh->seen[s->next] = (uint32_t) sh->nedits;
    }

    if (lv->removed || named) {
        gw_json_shape_edit(sh, lv->kept, start,
                           lv->some ? GW_JSON_SHAPE_COMMA
                                    : GW_JSON_SHAPE_NOTHING);
    }

    lv->some = 1;
    lv->removed = 0;

    if (!object) {
        return;
    }

    renames = s->next == GW_JSON_POINTER_NO_NODE
              ? 0 : s->trie->nodes[s->next].exact & sh->rename;

    if (lv->listed) {
        gw_json_shape_list(s, renames);
    }

    if (renames) {
        gw_json_shape_edit(sh, s->key.start, s->key.end,
                           (uint32_t) __builtin_ctzll(renames));
    }
}


void
gw_json_shape_value(gw_json_scan_t *s, size_t offset, int container)
{
    int                     object;
    gw_json_shape_t        *sh;
    const gw_json_node_t   *node;
    gw_json_shape_level_t  *lv;

    sh = s->shape;
    lv = &sh->levels[s->level];
    node = s->next == GW_JSON_POINTER_NO_NODE ? NULL
                                              : &s->trie->nodes[s->next];
    sh->start = offset;
    sh->live = 0;
    sh->listed = 0;

    if (node && (node->exact & sh->at)) {
        gw_json_shape_root(sh, node->exact, container);
        return;
    }

    if (s->level == 0 || !lv->live) {
        return;
    }

    object = s->kinds & 1;

    /* what only "*" names is not picked there */

    if (node && object && gw_json_shape_named(s, lv)
        && s->next != s->trie->nodes[s->node].any
        && sh->seen[s->next] != GW_JSON_SHAPE_UNSEEN && !sh->failed)
    {
        gw_json_shape_again(s, lv);
        sh->seen[s->next] = GW_JSON_SHAPE_UNSEEN;
    }

    if (!gw_json_shape_picks(s, lv, node, container)) {
        lv->removed = 1;
        return;
    }

    gw_json_shape_member(s, object ? s->key.start : offset, object);

    sh->live = 1;
    sh->whole = lv->whole || (node && (node->exact & sh->pick));
}


void
gw_json_shape_open(gw_json_scan_t *s)
{
    size_t                  i;
    gw_json_shape_t        *sh;
    const gw_json_node_t   *node;
    gw_json_shape_level_t  *lv;

    sh = s->shape;
    lv = &sh->levels[s->level];

    lv->kept = sh->start + 1;
    lv->some = 0;
    lv->removed = 0;
    lv->live = sh->live;
    lv->whole = sh->whole;
    lv->listed = sh->listed;
    lv->open = 0;

    node = &s->trie->nodes[s->node];

    for (i = 0; i < node->nchildren; i++) {
        sh->seen[node->child + i] = GW_JSON_SHAPE_UNSEEN;
    }
}


void
gw_json_shape_comma(gw_json_scan_t *s, size_t offset)
{
    gw_json_shape_level_t  *lv;

    lv = &s->shape->levels[s->level];

    if (!lv->removed) {
        lv->kept = offset;
    }

    if (lv->open) {
        lv->open = 0;
        s->shape->members[s->shape->nmembers - 1].end = offset;
    }
}


void
gw_json_shape_close(gw_json_scan_t *s, size_t offset)
{
    gw_json_shape_level_t  *lv;

    lv = &s->shape->levels[s->level];

    if (lv->live && lv->removed) {
        gw_json_shape_edit(s->shape, lv->kept, offset, GW_JSON_SHAPE_NOTHING);
    }

    if (lv->open) {
        s->shape->members[s->shape->nmembers - 1].end = offset;
    }
}


void
gw_json_shape_first(gw_json_shape_walk_t *w, const gw_json_shape_t *sh,
    const gw_json_range_t *range)
{
    size_t  i, low, high;

    /* the first edit that ends behind the start */

    low = 0;
    high = sh->nedits;

    while (low < high) {
        i = low + (high - low) / 2;

        if (sh->edits[i].end <= range->start) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    w->shape = sh;
    w->i = low;
    w->pos = range->start;
    w->end = range->end;
}


gw_status_e
gw_json_shape_next(gw_json_shape_walk_t *w, gw_json_shape_piece_t *piece)
{
    const gw_json_edit_t  *edit;

    while (w->i < w->shape->nedits) {
        edit = &w->shape->edits[w->i];

        if (edit->start >= w->end) {
            break;
        }

        if (w->pos < edit->start) {
            piece->data = NULL;
            piece->range.start = w->pos;
            piece->range.end = edit->start;
            w->pos = edit->start;

            return GW_OK;
        }

        w->pos = edit->end;
        w->i++;

        if (edit->text == GW_JSON_SHAPE_COMMA) {
            piece->data = (const u_char *) ",";
            piece->len = 1;
            return GW_OK;
        }

        if (edit->text != GW_JSON_SHAPE_NOTHING) {
            piece->data = w->shape->keys[edit->text].data;
            piece->len = w->shape->keys[edit->text].len;
            return GW_OK;
        }
    }

    if (w->pos >= w->end) {
        return GW_DECLINED;
    }

    piece->data = NULL;
    piece->range.start = w->pos;
    piece->range.end = w->end;
    w->pos = w->end;

    return GW_OK;
}
