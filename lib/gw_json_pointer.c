
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_escape.h"
#include "gw_json_pointer.h"


/* digits that an array index may have, so that it cannot overflow */
#define GW_JSON_POINTER_MAX_DIGITS  9


/* one pointer while the trie is built */

typedef struct {
    gw_json_text_t           tokens[GW_JSON_POINTER_MAX_TOKENS];
    size_t                   ntokens;
} gw_json_path_t;


static gw_status_e gw_json_pointer_bad(gw_json_pointer_error_t *err,
    const char *text, size_t offset);
static const char *gw_json_pointer_byte(const u_char *p, const u_char *last);
static size_t gw_json_pointer_index(const gw_json_text_t *token);
static int gw_json_pointer_cmp_token(const gw_json_text_t *a,
    const gw_json_text_t *b);
static int gw_json_pointer_cmp(const gw_json_path_t *a,
    const gw_json_path_t *b);
static u_char *gw_json_pointer_split(gw_json_path_t *path, u_char *dst,
    const gw_json_text_t *pointer);
static void gw_json_pointer_sort(gw_json_trie_t *trie,
    const gw_json_path_t *paths);
static size_t gw_json_pointer_level(const gw_json_trie_t *trie, size_t node);
static size_t gw_json_pointer_grow(gw_json_trie_t *trie,
    const gw_json_path_t *paths, size_t node, size_t nnodes);
static gw_status_e gw_json_pointer_total(const gw_json_text_t *pointers,
    size_t n, size_t *total, gw_json_pointer_error_t *err);


static gw_status_e
gw_json_pointer_bad(gw_json_pointer_error_t *err, const char *text,
    size_t offset)
{
    err->text = text;
    err->offset = offset;

    return GW_DECLINED;
}


/* what is wrong with the byte at p, or NULL */

static const char *
gw_json_pointer_byte(const u_char *p, const u_char *last)
{
    if (*p == '~') {
        return last - p > 1 && p[1] >= '0' && p[1] <= '2'
               ? NULL : "has a \"~\" that is not \"~0\", \"~1\" or \"~2\"";
    }

    if (*p == '*' && p[-1] == '/' && (last - p == 1 || p[1] == '/')) {
        return "has a \"*\", which is reserved; "
               "a member with that name is \"~2\"";
    }

    return gw_json_utf8(p, last) ? NULL : "is not valid UTF-8";
}


gw_status_e
gw_json_pointer_check(const u_char *data, size_t len, size_t *ntokens,
    gw_json_pointer_error_t *err)
{
    const char    *text;
    const u_char  *p, *last;

    *ntokens = 0;

    if (len > GW_JSON_POINTER_MAX_LEN) {
        return gw_json_pointer_bad(err, "is too long",
                                   GW_JSON_POINTER_MAX_LEN);
    }

    if (len == 0) {
        return GW_OK;
    }

    if (data[0] != '/') {
        return gw_json_pointer_bad(err, "must begin with \"/\"",
                                   0);
    }

    p = data;
    last = data + len;

    while (p < last) {
        if (*p == '/') {
            if (*ntokens == GW_JSON_POINTER_MAX_TOKENS) {
                return gw_json_pointer_bad(err, "has too many tokens",
                                           p - data);
            }

            (*ntokens)++;
            p++;
            continue;
        }

        text = gw_json_pointer_byte(p, last);

        if (text) {
            return gw_json_pointer_bad(err, text, p - data);
        }

        p += gw_json_utf8(p, last);
    }

    return GW_OK;
}


const u_char *
gw_json_pointer_token(const u_char *p, const u_char *last, u_char *dst,
    size_t *len)
{
    u_char  *start;

    static const u_char  escaped[] = { '~', '/', '*' };

    start = dst;

    for (p++; p < last && *p != '/'; p++) {
        if (*p == '~') {
            p++;
            *dst++ = escaped[*p - '0'];
            continue;
        }

        *dst++ = *p;
    }

    *len = dst - start;

    return p;
}


static size_t
gw_json_pointer_index(const gw_json_text_t *token)
{
    size_t  i, value;

    if (token->len == 0 || token->len > GW_JSON_POINTER_MAX_DIGITS
        || (token->data[0] == '0' && token->len > 1))
    {
        return GW_JSON_POINTER_NO_INDEX;
    }

    value = 0;

    for (i = 0; i < token->len; i++) {
        if (token->data[i] < '0' || token->data[i] > '9') {
            return GW_JSON_POINTER_NO_INDEX;
        }

        value = value * 10 + (token->data[i] - '0');
    }

    return value;
}


static int
gw_json_pointer_cmp_token(const gw_json_text_t *a, const gw_json_text_t *b)
{
    int     rc;
    size_t  len;

    len = a->len < b->len ? a->len : b->len;
    rc = memcmp(a->data, b->data, len);

    if (rc) {
        return rc;
    }

    return (a->len > b->len) - (a->len < b->len);
}


static int
gw_json_pointer_cmp(const gw_json_path_t *a, const gw_json_path_t *b)
{
    int     rc;
    size_t  i;

    for (i = 0; i < a->ntokens && i < b->ntokens; i++) {
        rc = gw_json_pointer_cmp_token(&a->tokens[i], &b->tokens[i]);

        if (rc) {
            return rc;
        }
    }

    return (a->ntokens > b->ntokens) - (a->ntokens < b->ntokens);
}


static u_char *
gw_json_pointer_split(gw_json_path_t *path, u_char *dst,
    const gw_json_text_t *pointer)
{
    const u_char    *p, *last;
    gw_json_text_t  *token;

    path->ntokens = 0;

    if (pointer->len == 0) {
        return dst;
    }

    p = pointer->data;
    last = p + pointer->len;

    while (p < last) {
        token = &path->tokens[path->ntokens++];

        token->data = dst;
        p = gw_json_pointer_token(p, last, dst, &token->len);
        dst += token->len;
    }

    return dst;
}


static void
gw_json_pointer_sort(gw_json_trie_t *trie, const gw_json_path_t *paths)
{
    size_t    i, j;
    uint16_t  item;

    for (i = 0; i < trie->count; i++) {
        item = (uint16_t) i;

        for (j = i; j > 0; j--) {
            if (gw_json_pointer_cmp(&paths[trie->order[j - 1]], &paths[item])
                <= 0)
            {
                break;
            }

            trie->order[j] = trie->order[j - 1];
        }

        trie->order[j] = item;
    }
}


static size_t
gw_json_pointer_level(const gw_json_trie_t *trie, size_t node)
{
    size_t  level;

    for (level = 0; node != 0; level++) {
        node = trie->nodes[node].parent;
    }

    return level;
}


/* appends the children of a node; returns the number of nodes after that */

static size_t
gw_json_pointer_grow(gw_json_trie_t *trie, const gw_json_path_t *paths,
    size_t node, size_t nnodes)
{
    size_t                 i, end, level;
    gw_json_node_t        *parent, *child;
    const gw_json_path_t  *path;

    parent = &trie->nodes[node];
    level = gw_json_pointer_level(trie, node);

    parent->child = (uint16_t) nnodes;
    parent->nchildren = 0;
    parent->nexact = 0;

    child = NULL;
    end = parent->first + parent->nall;

    for (i = parent->first; i < end; i++) {
        path = &paths[trie->order[i]];

        if (path->ntokens == level) {
            parent->nexact++;
            continue;
        }

        if (child == NULL
            || gw_json_pointer_cmp_token(&child->token, &path->tokens[level])
               != 0)
        {
            child = &trie->nodes[nnodes++];
            parent->nchildren++;

            child->token = path->tokens[level];
            child->index = gw_json_pointer_index(&child->token);
            child->parent = (uint16_t) node;
            child->first = (uint16_t) i;
            child->nall = 0;
        }

        child->nall++;
    }

    return nnodes;
}


size_t
gw_json_pointer_size(const gw_json_text_t *pointers, size_t n)
{
    size_t  i, j, size;

    /* the root; a token takes a node and at most its own bytes */

    size = sizeof(gw_json_trie_t) + sizeof(gw_json_node_t);

    for (i = 0; i < n; i++) {
        size += sizeof(gw_json_path_t) + sizeof(uint16_t) + pointers[i].len;

        for (j = 0; j < pointers[i].len; j++) {
            if (pointers[i].data[j] == '/') {
                size += sizeof(gw_json_node_t);
            }
        }
    }

    return size;
}


static gw_status_e
gw_json_pointer_total(const gw_json_text_t *pointers, size_t n, size_t *total,
    gw_json_pointer_error_t *err)
{
    size_t  i, ntokens;

    *total = 0;

    for (i = 0; i < n; i++) {
        err->item = i;

        if (i == GW_JSON_POINTER_MAX_COUNT) {
            return gw_json_pointer_bad(err, "is one too many", 0);
        }

        if (gw_json_pointer_check(pointers[i].data, pointers[i].len, &ntokens,
                                  err)
            != GW_OK)
        {
            return GW_DECLINED;
        }

        *total += ntokens;
    }

    return GW_OK;
}


gw_json_trie_t *
gw_json_pointer_compile(void *memory, const gw_json_text_t *pointers,
    size_t n, gw_json_pointer_error_t *err)
{
    size_t           i, total, nnodes;
    u_char          *p;
    gw_json_path_t  *paths;
    gw_json_trie_t  *trie;

    if (gw_json_pointer_total(pointers, n, &total, err) != GW_OK) {
        return NULL;
    }

    trie = memory;
    trie->nodes = (gw_json_node_t *) (trie + 1);
    paths = (gw_json_path_t *) (trie->nodes + 1 + total);
    trie->order = (uint16_t *) (paths + n);
    trie->count = n;

    p = (u_char *) (trie->order + n);

    for (i = 0; i < n; i++) {
        p = gw_json_pointer_split(&paths[i], p, &pointers[i]);
    }

    gw_json_pointer_sort(trie, paths);

    memset(&trie->nodes[0], 0, sizeof(gw_json_node_t));
    trie->nodes[0].index = GW_JSON_POINTER_NO_INDEX;
    trie->nodes[0].parent = GW_JSON_POINTER_NO_NODE;
    trie->nodes[0].nall = (uint16_t) n;

    nnodes = 1;

    for (i = 0; i < nnodes; i++) {
        nnodes = gw_json_pointer_grow(trie, paths, i, nnodes);
    }

    return trie;
}
