
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Incremental validation of JSON (RFC 8259 with strict UTF-8), with the byte
 * ranges of the values that pointers name.
 *
 * What the RFC leaves open: any value at the top; numbers of any size and
 * precision; \u0000 and escaped lone surrogates are accepted; a byte order
 * mark at the start is skipped; of members with the same name, compared
 * after unescaping, the last one counts.
 *
 * Where jansson, with JSON_DECODE_ANY and JSON_ALLOW_NUL, says otherwise (this
 * is what t/fuzz/fuzz_json_scan.c lets pass, and all of it):
 *
 *     accepted here, refused there
 *         a byte order mark at the start
 *         integers and reals beyond the range of the C types
 *         escaped surrogates that are no pair, such as "\ud800"
 *         \u0000 in the name of a member
 *
 *     refused here, accepted there
 *         a zero byte behind the document, which ends the text there
 *         more levels than max_depth, up to 2048
 *
 *     members with one name: the last counts in both
 *
 * No tree, no recursion, no allocation: the state is a structure of fixed
 * size, and the result does not depend on how the document was cut.
 */


#ifndef GW_JSON_SCAN_H
#define GW_JSON_SCAN_H


#include "gw.h"
#include "gw_json_pointer.h"


#define GW_JSON_SCAN_DEPTH      512     /* levels, the usual limit */
#define GW_JSON_SCAN_MAX_DEPTH  1024    /* levels, the size of the stack */


typedef enum {
    GW_JSON_SCAN_OK = 0,
    GW_JSON_SCAN_EMPTY,             /* nothing but white space */
    GW_JSON_SCAN_INVALID_JSON,
    GW_JSON_SCAN_INVALID_UTF8,
    GW_JSON_SCAN_TOO_DEEP
} gw_json_scan_e;


typedef struct gw_json_shape_s  gw_json_shape_t;
typedef struct gw_json_scan_s   gw_json_scan_t;

/* takes blocks of bytes, see gw_json_block.h */
typedef const u_char *(*gw_json_block_pt)(gw_json_scan_t *s, const u_char *p,
    const u_char *last, const u_char **next);


struct gw_json_scan_s {
    /* results */
    gw_json_range_t          value;     /* the document without white space
                                           and byte order mark */
    size_t                   offset;    /* bytes fed; after an error, of the
                                           byte that cannot stand there */
    gw_json_scan_e           error;

    /* the rest is of the scanner alone */
    uint32_t                 depth;
    uint32_t                 max_depth;
    uint8_t                  state;
    uint8_t                  after;     /* state after the current value */
    uint8_t                  resume;    /* state after the current string */
    uint8_t                  need;      /* UTF-8 bytes to come, ... */
    uint8_t                  low;       /* ... bounds of the next one */
    uint8_t                  high;
    uint8_t                  tracking;  /* the current key is compared */
    uint16_t                 unit;      /* of \uXXXX, as far as read */
    uint16_t                 surrogate; /* the high one of a pair, or 0 */
    const char              *literal;   /* the rest of true, false, null */
    const u_char            *data;      /* begin of the bytes being fed */
    gw_json_block_pt         block;     /* or NULL */

    const gw_json_trie_t    *trie;
    gw_json_range_t         *ranges;
    gw_json_shape_t         *shape;     /* or NULL */
    gw_json_range_t          key;       /* of the current member */
    uint16_t                 node;      /* of the container at this level */
    uint16_t                 level;     /* depth as far as nodes match */
    uint16_t                 next;      /* node of the coming value */
    uint16_t                 key_first; /* nodes that the key may still be */
    uint16_t                 key_last;
    size_t                   key_len;   /* decoded bytes compared so far */

    uint64_t                 kinds;     /* of up to 64 open containers, 1 for
                                           an object, the innermost in bit 0 */
    uint64_t                 stack[GW_JSON_SCAN_MAX_DEPTH / 64];
                                        /* of those below, by 64 */
    size_t                   index[GW_JSON_POINTER_MAX_TOKENS + 1];
};


/*
 * Begins a document.
 *
 *     max_depth  levels of arrays and objects, at most
 *                GW_JSON_SCAN_MAX_DEPTH (a greater limit counts as that)
 */
void gw_json_scan_init(gw_json_scan_t *s, size_t max_depth);


/*
 * Makes the scanner note where the values of a trie's pointers stand.  To be
 * called between gw_json_scan_init() and the first byte.
 *
 *     trie      outlives the scan
 *     ranges    out: one for each pointer, in the order in which they were
 *               compiled; empty when missing.  Final when
 *               gw_json_scan_finish() returned GW_JSON_SCAN_OK.
 */
void gw_json_scan_track(gw_json_scan_t *s, const gw_json_trie_t *trie,
    gw_json_range_t *ranges);


/*
 * Scans the next bytes of the document; len may be 0.
 *
 * Returns GW_JSON_SCAN_OK when they can be continued to a document, else the
 * error, which stays, with s->offset.
 */
gw_json_scan_e gw_json_scan_feed(gw_json_scan_t *s, const u_char *data,
    size_t len);


/*
 * Ends the document.
 *
 * Returns GW_JSON_SCAN_OK with s->value, GW_JSON_SCAN_EMPTY, or the error
 * with s->offset (a document that is cut is GW_JSON_SCAN_INVALID_JSON at
 * its length).
 */
gw_json_scan_e gw_json_scan_finish(gw_json_scan_t *s);


/*
 * All of it for a document that is one piece.
 *
 *     value     out: on GW_JSON_SCAN_OK, the value without white space
 *     offset    out: on an error, of the byte that cannot stand there
 *
 * Returns as gw_json_scan_finish() does.
 */
gw_json_scan_e gw_json_scan(const u_char *data, size_t len, size_t max_depth,
    gw_json_range_t *value, size_t *offset);


/*
 * The name of a result in the closed set of part errors: "invalid_json",
 * "invalid_utf8", "too_deep"; "ok" and "empty" for the others.
 */
const char *gw_json_scan_name(gw_json_scan_e rc);


#endif /* GW_JSON_SCAN_H */
