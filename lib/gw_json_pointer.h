
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * JSON Pointers (RFC 6901) compiled into a trie that gw_json_scan follows.
 *
 * A token "*" stands for any member or element; a literal "*" alone is
 * written "~2".
 */


#ifndef GW_JSON_POINTER_H
#define GW_JSON_POINTER_H


#include "gw.h"


#define GW_JSON_POINTER_MAX_COUNT   64      /* pointers in one trie */
#define GW_JSON_POINTER_MAX_TOKENS  32      /* tokens in one pointer */
#define GW_JSON_POINTER_MAX_LEN     4096    /* bytes in one pointer */

/* nodes in one trie, and how many "*" may make of a token's one */
#define GW_JSON_POINTER_MAX_NODES   4096
#define GW_JSON_POINTER_COPIES      16

#define GW_JSON_POINTER_NO_NODE     0xffff
#define GW_JSON_POINTER_NO_INDEX    ((size_t) -1)


typedef struct {
    const u_char            *data;
    size_t                   len;
} gw_json_text_t;


/* bytes [start, end) of a document; no value is empty: start == end: none */

typedef struct {
    size_t                   start;
    size_t                   end;
} gw_json_range_t;


typedef struct {
    const char              *text;      /* "must begin with \"/\"" */
    size_t                   item;      /* which pointer, from 0 */
    size_t                   offset;    /* of the byte in it */
} gw_json_pointer_error_t;


/*
 * A node is a value that one pointer names or leads through.  Children stand
 * next to each other, sorted by their tokens; a value that none of them
 * names is that of "any", which stands behind them.  What "*" says of any
 * value is in the named nodes too, so that a value has one node at most.
 */

typedef struct {
    gw_json_text_t           token;     /* decoded; data NULL: any */
    size_t                   index;     /* the token as an array index */
    uint64_t                 exact;     /* pointers that end here, a bit
                                           each */
    uint64_t                 all;       /* and those that go on */
    uint16_t                 parent;
    uint16_t                 child;     /* the first one */
    uint16_t                 nchildren; /* those with names */
    uint16_t                 any;       /* or NO_NODE */
} gw_json_node_t;


typedef struct {
    gw_json_node_t          *nodes;     /* [0]: the whole document */
    size_t                   nnodes;
    size_t                   count;     /* of pointers */
} gw_json_trie_t;


/*
 * Checks one pointer.
 *
 *     ntokens   out: number of tokens, 0 for the whole document
 *
 * Returns GW_OK or GW_DECLINED with err->text and err->offset.
 */
gw_status_e gw_json_pointer_check(const u_char *data, size_t len,
    size_t *ntokens, gw_json_pointer_error_t *err);


/*
 * The same for a pointer in which a token may be "*".
 */
gw_status_e gw_json_pointer_check_any(const u_char *data, size_t len,
    size_t *ntokens, gw_json_pointer_error_t *err);


/*
 * Decodes the token behind the "/" at p of a pointer that was checked.
 *
 *     dst       room for last - p bytes
 *     len       out: bytes written there
 *
 * Returns the "/" before the next token, or last.  Cannot fail.
 */
const u_char *gw_json_pointer_token(const u_char *p, const u_char *last,
    u_char *dst, size_t *len);


/*
 * The number of bytes that gw_json_pointer_compile() needs for these
 * pointers, in one block aligned as malloc() aligns.
 */
size_t gw_json_pointer_size(const gw_json_text_t *pointers, size_t n);


/*
 * Compiles n pointers into one trie.
 *
 *     memory    gw_json_pointer_size() bytes; the trie lives there, keeps
 *               nothing of the input and owns nothing else
 *     pointers  the same pointer may stand there twice
 *     n         1 to GW_JSON_POINTER_MAX_COUNT
 *
 * Returns the trie, which is never written again, or NULL with *err set.
 */
gw_json_trie_t *gw_json_pointer_compile(void *memory,
    const gw_json_text_t *pointers, size_t n, gw_json_pointer_error_t *err);


/*
 * The same for pointers in which tokens may be "*".
 */
gw_json_trie_t *gw_json_pointer_compile_any(void *memory,
    const gw_json_text_t *pointers, size_t n, gw_json_pointer_error_t *err);


#endif /* GW_JSON_POINTER_H */
