
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
static const char *gw_json_pointer_byte(const u_char *p, const u_char *last,
    int any);
static gw_status_e gw_json_pointer_walk(const u_char *data, size_t len,
    size_t *ntokens, int any, gw_json_pointer_error_t *err);
static size_t gw_json_pointer_index(const gw_json_text_t *token);
static int gw_json_pointer_cmp_token(const gw_json_text_t *a,
    const gw_json_text_t *b);
static u_char *gw_json_pointer_split(gw_json_path_t *path, u_char *dst,
    const gw_json_text_t *pointer);
static size_t gw_json_pointer_level(const gw_json_trie_t *trie, size_t node);
static int gw_json_pointer_any(const gw_json_text_t *token);
static void gw_json_pointer_add(gw_json_trie_t *trie,
    const gw_json_path_t *paths, size_t node, size_t path, size_t level);
static void gw_json_pointer_fill(gw_json_trie_t *trie,
    const gw_json_path_t *paths, size_t parent, gw_json_node_t *child,
    size_t level);
static gw_status_e gw_json_pointer_grow(gw_json_trie_t *trie,
    const gw_json_path_t *paths, size_t node, size_t max);
static size_t gw_json_pointer_max(const gw_json_text_t *pointers, size_t n);
static gw_status_e gw_json_pointer_check_all(const gw_json_text_t *pointers,
    size_t n, int any, gw_json_pointer_error_t *err);


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
gw_json_pointer_byte(const u_char *p, const u_char *last, int any)
{
    if (*p == '~') {
        return last - p > 1 && p[1] >= '0' && p[1] <= '2'
               ? NULL : "has a \"~\" that is not \"~0\", \"~1\" or \"~2\"";
    }

    if (!any && *p == '*' && p[-1] == '/' && (last - p == 1 || p[1] == '/')) {
        return "has a \"*\", which is reserved; "
               "a member with that name is \"~2\"";
    }

    return gw_json_utf8(p, last) ? NULL : "is not valid UTF-8";
}


gw_status_e
gw_json_pointer_check(const u_char *data, size_t len, size_t *ntokens,
    gw_json_pointer_error_t *err)
{
    return gw_json_pointer_walk(data, len, ntokens, 0, err);
}


gw_status_e
gw_json_pointer_check_any(const u_char *data, size_t len, size_t *ntokens,
    gw_json_pointer_error_t *err)
{
    return gw_json_pointer_walk(data, len, ntokens, 1, err);
}


static gw_status_e
gw_json_pointer_walk(const u_char *data, size_t len, size_t *ntokens, int any,
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

        text = gw_json_pointer_byte(p, last, any);

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

        if (p[1] == '*' && (last - p == 2 || p[2] == '/')) {
            token->data = NULL;
            token->len = 0;
            p += 2;
            continue;
        }

        token->data = dst;
        p = gw_json_pointer_token(p, last, dst, &token->len);
        dst += token->len;
    }

    return dst;
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


/* "*" as it is written; a literal one was escaped, and points elsewhere */

static int
gw_json_pointer_any(const gw_json_text_t *token)
{
    return token->data == NULL;
}


/* adds a token to the children of a node, which is the last that has some */

static void
gw_json_pointer_add(gw_json_trie_t *trie, const gw_json_path_t *paths,
    size_t node, size_t path, size_t level)
{
    int                    rc;
    size_t                 i, j;
    gw_json_node_t        *parent, *child;
    const gw_json_text_t  *token;

    parent = &trie->nodes[node];
    child = &trie->nodes[parent->child];
    token = &paths[path].tokens[level];

    for (i = 0; i < parent->nchildren; i++) {
        rc = gw_json_pointer_cmp_token(&child[i].token, token);

        if (rc == 0) {
            return;
        }

        if (rc > 0) {
            break;
        }
    }

    for (j = parent->nchildren; j > i; j--) {
        child[j] = child[j - 1];
    }

    child[i].token = *token;
    parent->nchildren++;
}


/* the pointers that lead through a child: its token, or any */

static void
gw_json_pointer_fill(gw_json_trie_t *trie, const gw_json_path_t *paths,
    size_t parent, gw_json_node_t *child, size_t level)
{
    size_t                 i;
    uint64_t               bit;
    const gw_json_text_t  *token;

    child->index = gw_json_pointer_any(&child->token)
                   ? GW_JSON_POINTER_NO_INDEX
                   : gw_json_pointer_index(&child->token);
    child->parent = (uint16_t) parent;
    child->exact = 0;
    child->all = 0;

    for (i = 0; i < trie->count; i++) {
        bit = (uint64_t) 1 << i;

        if (!(trie->nodes[parent].all & bit) || paths[i].ntokens <= level) {
            continue;
        }

        token = &paths[i].tokens[level];

        if (gw_json_pointer_any(token)
            || (!gw_json_pointer_any(&child->token)
                && gw_json_pointer_cmp_token(token, &child->token) == 0))
        {
            child->all |= bit;

            if (paths[i].ntokens == level + 1) {
                child->exact |= bit;
            }
        }
    }
}


/* appends the children of a node: the named ones sorted, then any other */

static gw_status_e
gw_json_pointer_grow(gw_json_trie_t *trie, const gw_json_path_t *paths,
    size_t node, size_t max)
{
    int              any;
    size_t           i, n, level;
    gw_json_node_t  *parent;

    any = 0;
    level = gw_json_pointer_level(trie, node);
    parent = &trie->nodes[node];

    parent->child = (uint16_t) trie->nnodes;
    parent->nchildren = 0;
    parent->any = GW_JSON_POINTER_NO_NODE;

    for (i = 0; i < trie->count; i++) {

        if (!(parent->all >> i & 1) || paths[i].ntokens <= level) {
            continue;
        }

        if (trie->nnodes + parent->nchildren + 2 > max) {
            return GW_DECLINED;
        }

        if (gw_json_pointer_any(&paths[i].tokens[level])) {
            any = 1;

        } else {
            gw_json_pointer_add(trie, paths, node, i, level);
        }
    }

    n = parent->nchildren;

    if (any) {
        parent->any = (uint16_t) (parent->child + n);
        trie->nodes[parent->any].token.data = NULL;
        trie->nodes[parent->any].token.len = 0;
        n++;
    }

    for (i = 0; i < n; i++) {
        gw_json_pointer_fill(trie, paths, node,
                             &trie->nodes[parent->child + i], level);
    }

    trie->nnodes += n;

    return GW_OK;
}


/* nodes: a token takes one, and with "*" about paths must be copied */

static size_t
gw_json_pointer_max(const gw_json_text_t *pointers, size_t n)
{
    size_t  i, j, tokens, stars;

    tokens = 0;
    stars = 0;

    for (i = 0; i < n; i++) {
        for (j = 0; j < pointers[i].len; j++) {
            tokens += pointers[i].data[j] == '/';
            stars += pointers[i].data[j] == '*';
        }
    }

    if (stars) {
        tokens *= GW_JSON_POINTER_COPIES;
    }

    tokens += 3;

    return tokens < GW_JSON_POINTER_MAX_NODES
           ? tokens : GW_JSON_POINTER_MAX_NODES;
}


size_t
gw_json_pointer_size(const gw_json_text_t *pointers, size_t n)
{
    size_t  i, size;

    size = sizeof(gw_json_trie_t)
           + gw_json_pointer_max(pointers, n) * sizeof(gw_json_node_t)
           + n * sizeof(gw_json_path_t);

    for (i = 0; i < n; i++) {
        size += pointers[i].len;
    }

    return size;
}


static gw_status_e
gw_json_pointer_check_all(const gw_json_text_t *pointers, size_t n, int any,
    gw_json_pointer_error_t *err)
{
    size_t  i, ntokens;

    for (i = 0; i < n; i++) {
        err->item = i;

        if (i == GW_JSON_POINTER_MAX_COUNT) {
            return gw_json_pointer_bad(err, "is one too many", 0);
        }

        if (gw_json_pointer_walk(pointers[i].data, pointers[i].len, &ntokens,
                                 any, err)
            != GW_OK)
        {
            return GW_DECLINED;
        }
    }

    return GW_OK;
}


gw_json_trie_t *
gw_json_pointer_compile(void *memory, const gw_json_text_t *pointers,
    size_t n, gw_json_pointer_error_t *err)
{
    if (gw_json_pointer_check_all(pointers, n, 0, err) != GW_OK) {
        return NULL;
    }

    return gw_json_pointer_compile_any(memory, pointers, n, err);
}


gw_json_trie_t *
gw_json_pointer_compile_any(void *memory, const gw_json_text_t *pointers,
    size_t n, gw_json_pointer_error_t *err)
{
    size_t           i, max;
    u_char          *p;
    gw_json_path_t  *paths;
    gw_json_trie_t  *trie;

    if (gw_json_pointer_check_all(pointers, n, 1, err) != GW_OK) {
        return NULL;
    }

    max = gw_json_pointer_max(pointers, n);

    trie = memory;
    trie->nodes = (gw_json_node_t *) (trie + 1);
    trie->nnodes = 1;
    trie->count = n;

    paths = (gw_json_path_t *) (trie->nodes + max);
    p = (u_char *) (paths + n);

    memset(&trie->nodes[0], 0, sizeof(gw_json_node_t));
    trie->nodes[0].index = GW_JSON_POINTER_NO_INDEX;
    trie->nodes[0].parent = GW_JSON_POINTER_NO_NODE;

    for (i = 0; i < n; i++) {
        p = gw_json_pointer_split(&paths[i], p, &pointers[i]);

        trie->nodes[0].all |= (uint64_t) 1 << i;

        if (paths[i].ntokens == 0) {
            trie->nodes[0].exact |= (uint64_t) 1 << i;
        }
    }

    for (i = 0; i < trie->nnodes; i++) {
        if (gw_json_pointer_grow(trie, paths, i, max) != GW_OK) {
            gw_json_pointer_bad(err, "makes too many combinations with \"*\"",
                                0);
            err->item = n - 1;
            return NULL;
        }
    }

    return trie;
}
