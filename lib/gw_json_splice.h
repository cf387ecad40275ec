
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The plan of a document that is put together from parts: compiled once into
 * pieces of literal text (glue) and slots, walked for each answer.
 */


#ifndef GW_JSON_SPLICE_H
#define GW_JSON_SPLICE_H


#include "gw.h"
#include "gw_json_pointer.h"


#define GW_JSON_SPLICE_MAX_PARTS  256
#define GW_JSON_SPLICE_GLUE       ((size_t) -1)

/* kinds of steps */

#define GW_JSON_SPLICE_BEGIN      0
#define GW_JSON_SPLICE_SLOT       1
#define GW_JSON_SPLICE_END        2

/* what a walk is told of a part: it is there unless it is ... */

#define GW_JSON_SPLICE_OMITTED    1     /* and parents that only it makes */
#define GW_JSON_SPLICE_EMPTY      2     /* nothing to put into its parent */


typedef enum {
    GW_JSON_SPLICE_OBJECT = 0,
    GW_JSON_SPLICE_ARRAY
} gw_json_splice_e;


/* how a part stands there: as a value, or as what is inside of one */

typedef enum {
    GW_JSON_SPLICE_VALUE = 0,
    GW_JSON_SPLICE_ROOT,                /* members of the document */
    GW_JSON_SPLICE_APPEND               /* elements of the array there */
} gw_json_splice_place_e;


typedef struct {
    gw_json_text_t           name;      /* the member, unless "as" is set */
    gw_json_text_t           as;        /* a pointer; data NULL: not set */
    gw_json_splice_place_e   place;
    uint16_t                 slot;      /* what a walk calls it */
} gw_json_splice_part_t;


typedef struct {
    const char              *text;      /* "takes the same place as" */
    size_t                   part;      /* the one that cannot be placed */
    size_t                   other;     /* the one it collides with, or
                                           part itself */
    size_t                   offset;    /* of the byte in its pointer, when
                                           other == part */
} gw_json_splice_error_t;


/* a step of the plan: a slot, or the begin or the end of a container */

typedef struct {
    const u_char            *text;      /* glue: comma, name, bracket */
    uint32_t                 len;
    uint16_t                 slot;      /* of the part */
    uint16_t                 skip;      /* begin: the step after its end */
    uint8_t                  kind;
    uint8_t                  comma;     /* text begins with a comma */
} gw_json_splice_step_t;


/* a member of the document, or a part with members of it */

typedef struct {
    gw_json_text_t           name;      /* decoded; of ROOT: data NULL */
    uint16_t                 step;      /* its steps: [step, end) */
    uint16_t                 end;
} gw_json_splice_top_t;


typedef struct {
    gw_json_splice_step_t   *steps;
    size_t                   nsteps;
    gw_json_splice_top_t    *tops;      /* in the order of the document */
    size_t                   ntops;
    size_t                   nparts;
    size_t                   glue;      /* bytes when no part is omitted */
} gw_json_splice_t;


typedef struct {
    const u_char            *data;      /* glue */
    size_t                   len;
    size_t                   slot;      /* or GW_JSON_SPLICE_GLUE */
} gw_json_splice_piece_t;


typedef struct {
    const gw_json_splice_t  *splice;
    const u_char            *omitted;
    size_t                   step;
    size_t                   depth;
    uint64_t                 filled;    /* a bit a level: not empty */
    size_t                   slot;      /* found, its glue given first */
} gw_json_splice_walk_t;


/*
 * The number of bytes that gw_json_splice_compile() needs for these parts,
 * in one block aligned as malloc() aligns.
 */
size_t gw_json_splice_size(gw_json_splice_e type,
    const gw_json_splice_part_t *parts, size_t n);


/*
 * Compiles the plan.  Members stand in the order in which parts, or the
 * first part of a common parent, were given; parents are objects, or arrays
 * that parts are appended to in their order.  In an array parts are elements
 * in their order, and "as" and ROOT are refused.
 *
 *     memory    gw_json_splice_size() bytes; the plan lives there, keeps
 *               nothing of the input and owns nothing else
 *     n         0 to GW_JSON_SPLICE_MAX_PARTS
 *
 * Returns the plan, which is never written again, or NULL with *err set.
 */
gw_json_splice_t *gw_json_splice_compile(void *memory, gw_json_splice_e type,
    const gw_json_splice_part_t *parts, size_t n,
    gw_json_splice_error_t *err);


/*
 * Begins a walk through the plan.
 *
 *     omitted   a byte for each slot: 0, OMITTED or EMPTY; NULL: all are
 *               there
 */
void gw_json_splice_begin(gw_json_splice_walk_t *w,
    const gw_json_splice_t *splice, const u_char *omitted);


/*
 * Takes the next piece of the document: glue, one piece where it can be, or
 * the slot where the value of a part goes, or its members or elements with
 * commas between them, which must not be empty.
 *
 * Returns GW_OK, or GW_DECLINED at the end.
 */
gw_status_e gw_json_splice_next(gw_json_splice_walk_t *w,
    gw_json_splice_piece_t *piece);


#endif /* GW_JSON_SPLICE_H */
