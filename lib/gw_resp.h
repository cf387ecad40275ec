
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A guard in front of a RESP2 parser: follows the type lines and the lengths
 * of replies over any split of the stream, before the parser allocates what
 * they announce.
 */


#ifndef GW_RESP_H
#define GW_RESP_H


#include "gw.h"


/* the deepest nesting that can be asked for */
#define GW_RESP_DEPTH_MAX  7


typedef struct {
    size_t    bytes;              /* of one whole reply, type lines included */
    size_t    elements;           /* of one whole reply, itself included */
    unsigned  depth;              /* arrays inside each other */
} gw_resp_limits_t;


typedef struct {
    gw_resp_limits_t  limits;
    const char       *error;      /* static text, set with GW_ERROR */

    /* private */
    unsigned          state;
    unsigned          depth;
    size_t            left[GW_RESP_DEPTH_MAX + 1];
    size_t            bytes;
    size_t            elements;
    size_t            skip;
    size_t            number;
    unsigned          digits;
    unsigned char     type;
    unsigned char     minus;
} gw_resp_t;


/*
 * Makes a guard for a new stream.  limits->depth above GW_RESP_DEPTH_MAX is
 * cut; 0 allows no array.
 */
void gw_resp_init(gw_resp_t *s, const gw_resp_limits_t *limits);

/*
 * Checks the next bytes of the stream.
 *
 * Returns GW_OK: they may be given to the parser; or GW_ERROR: they break
 * RESP2 or a limit, s->error says how, and so will all that follows.
 */
gw_status_e gw_resp_check(gw_resp_t *s, const unsigned char *data,
    size_t len);


#endif /* GW_RESP_H */
