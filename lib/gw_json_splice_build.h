
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A plan while it is made: members as nodes, from which steps are made.
 * Private to lib/.
 */


#ifndef GW_JSON_SPLICE_BUILD_H
#define GW_JSON_SPLICE_BUILD_H


#include "gw_json_splice.h"


#define GW_JSON_SPLICE_NONE   0xffff    /* no node, no slot */

/* glue of a member besides its name: a comma, quotes, a colon, brackets */
#define GW_JSON_SPLICE_EXTRA  (sizeof(",\"\":{}") - 1)


/* a member of the document while the plan is made */

typedef struct {
    gw_json_text_t           name;      /* decoded */
    uint16_t                 parent;
    uint16_t                 child;     /* the first and the last one */
    uint16_t                 last;
    uint16_t                 next;
    uint16_t                 part;      /* or NONE: a container */
    uint16_t                 step;
    uint8_t                  array;     /* that parts are elements of */
    uint8_t                  bare;      /* it has no name */
} gw_json_splice_node_t;


typedef struct {
    gw_json_splice_t              *splice;
    const gw_json_splice_part_t   *parts;
    gw_json_splice_node_t         *nodes;
    size_t                         nnodes;
    u_char                        *glue;
    u_char                        *names;
} gw_json_splice_build_t;


/*
 * Makes the steps of the nodes, in the order of the document, and their
 * glue.
 */
void gw_json_splice_emit(gw_json_splice_build_t *b);


/*
 * Lists the members of the document, whose steps are there.
 */
void gw_json_splice_list(gw_json_splice_build_t *b);


#endif /* GW_JSON_SPLICE_BUILD_H */
