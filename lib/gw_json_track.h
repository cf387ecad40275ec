
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The part of the scanner that follows a trie of pointers.  Private to lib/.
 *
 * s->level counts the open containers, from the outermost, that stand on a
 * path of the trie; s->node is the node of the last of them, so members and
 * elements are looked up only while s->depth == s->level.  s->next is the
 * node that the coming, or the running scalar, value has.
 */


#ifndef GW_JSON_TRACK_H
#define GW_JSON_TRACK_H


#include <string.h>

#include "gw_json_scan.h"
#include "gw_json_shape.h"


#define gw_json_track_here(s)  ((s)->depth == (s)->level)


/* forgets all values below a node that has another value now */

static void
gw_json_track_begin(gw_json_scan_t *s, size_t offset, int container)
{
    size_t                 i;
    uint64_t               bits;
    gw_json_range_t       *range;
    const gw_json_node_t  *node;

    if (s->shape && gw_json_track_here(s)) {
        gw_json_shape_value(s, offset, container);
    }

    if (s->next == GW_JSON_POINTER_NO_NODE) {
        return;
    }

    node = &s->trie->nodes[s->next];

    for (bits = node->all; bits; bits &= bits - 1) {
        i = __builtin_ctzll(bits);
        range = &s->ranges[i];

        range->start = node->exact >> i & 1 ? offset : 0;
        range->end = range->start;
    }
}


static void
gw_json_track_end(gw_json_scan_t *s, size_t n, size_t offset)
{
    uint64_t  bits;

    for (bits = s->trie->nodes[n].exact; bits; bits &= bits - 1) {
        s->ranges[__builtin_ctzll(bits)].end = offset;
    }
}


static void
gw_json_track_scalar_end(gw_json_scan_t *s, size_t offset)
{
    if (s->next != GW_JSON_POINTER_NO_NODE) {
        gw_json_track_end(s, s->next, offset);
        s->next = GW_JSON_POINTER_NO_NODE;
    }
}


/* the node of the current element of an array, if this level matches */

static void
gw_json_track_element(gw_json_scan_t *s)
{
    size_t                 i;
    const gw_json_node_t  *node, *child;

    node = &s->trie->nodes[s->node];
    child = &s->trie->nodes[node->child];

    for (i = 0; i < node->nchildren; i++) {
        if (child[i].index == s->index[s->level - 1]) {
            s->next = (uint16_t) (node->child + i);
            return;
        }
    }

    s->next = node->any;
}


/* a container was opened and s->depth counts it */

static void
gw_json_track_open(gw_json_scan_t *s, int array)
{
    if (s->next == GW_JSON_POINTER_NO_NODE) {
        return;
    }

    s->node = s->next;
    s->next = GW_JSON_POINTER_NO_NODE;
    s->level++;

    if (s->shape) {
        gw_json_shape_open(s);
    }

    if (array) {
        s->index[s->level - 1] = 0;
        gw_json_track_element(s);
    }
}


static void
gw_json_track_comma(gw_json_scan_t *s, size_t offset, int array)
{
    if (gw_json_track_here(s)) {
        if (s->shape) {
            gw_json_shape_comma(s, offset);
        }

        if (array) {
            s->index[s->level - 1]++;
            gw_json_track_element(s);
        }
    }
}


/* a container is closed and s->depth counts it still */

static void
gw_json_track_close(gw_json_scan_t *s, size_t offset)
{
    if (gw_json_track_here(s)) {
        if (s->shape) {
            gw_json_shape_close(s, offset - 1);
        }

        gw_json_track_end(s, s->node, offset);

        s->node = s->trie->nodes[s->node].parent;
        s->next = GW_JSON_POINTER_NO_NODE;
        s->level--;
    }
}


static void
gw_json_track_key_begin(gw_json_scan_t *s, size_t offset)
{
    const gw_json_node_t  *node;

    if (gw_json_track_here(s)) {
        node = &s->trie->nodes[s->node];

        s->key.start = offset;
        s->key_first = node->child;
        s->key_last = (uint16_t) (node->child + node->nchildren);
        s->key_len = 0;
        s->surrogate = 0;
        s->tracking = node->nchildren != 0;
    }
}


/* more decoded bytes of the key: keeps the nodes that begin with them */

static void
gw_json_track_key(gw_json_scan_t *s, const u_char *p, size_t len)
{
    size_t                 i;
    uint16_t               first, last;
    const gw_json_node_t  *nodes;

    nodes = s->trie->nodes;
    first = s->key_first;
    last = s->key_last;

    if (s->surrogate && len) {
        last = first;       /* a lone surrogate equals nothing */
    }

    for (i = 0; i < len && first < last; i++) {

        /* all begin with the same key_len bytes, the ones that end here
           come first */

        while (first < last
               && (nodes[first].token.len == s->key_len
                   || nodes[first].token.data[s->key_len] < p[i]))
        {
            first++;
        }

        while (first < last
               && nodes[last - 1].token.data[s->key_len] > p[i])
        {
            last--;
        }

        s->key_len++;
    }

    s->key_first = first;
    s->key_last = last;
    s->tracking = first < last;
}


/* the code unit of a \uXXXX in the key */

static void
gw_json_track_unit(gw_json_scan_t *s)
{
    u_char    *p, utf8[4];
    uint32_t   c;

    c = s->unit;
    p = utf8;

    if (s->surrogate && c >= 0xdc00 && c <= 0xdfff) {
        c = 0x10000 + ((uint32_t) (s->surrogate - 0xd800) << 10)
            + (c - 0xdc00);
        s->surrogate = 0;

    } else if (s->surrogate || (c >= 0xdc00 && c <= 0xdfff)) {
        s->tracking = 0;
        return;

    } else if (c >= 0xd800 && c <= 0xdbff) {
        s->surrogate = s->unit;
        return;
    }

    if (c < 0x80) {
        *p++ = (u_char) c;

    } else if (c < 0x800) {
        *p++ = (u_char) (0xc0 | (c >> 6));
        *p++ = (u_char) (0x80 | (c & 0x3f));

    } else {
        if (c < 0x10000) {
            *p++ = (u_char) (0xe0 | (c >> 12));

        } else {
            *p++ = (u_char) (0xf0 | (c >> 18));
            *p++ = (u_char) (0x80 | ((c >> 12) & 0x3f));
        }

        *p++ = (u_char) (0x80 | ((c >> 6) & 0x3f));
        *p++ = (u_char) (0x80 | (c & 0x3f));
    }

    gw_json_track_key(s, utf8, p - utf8);
}


/* a key that differed before its end is not compared any more */

static void
gw_json_track_key_end(gw_json_scan_t *s, size_t offset)
{
    if (!gw_json_track_here(s)) {
        return;
    }

    s->key.end = offset;
    s->next = s->trie->nodes[s->node].any;

    if (s->tracking) {
        s->tracking = 0;

        if (s->surrogate == 0
            && s->trie->nodes[s->key_first].token.len == s->key_len)
        {
            s->next = s->key_first;
        }
    }
}


#endif /* GW_JSON_TRACK_H */
