
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The scanner's way through most of most documents: 64 bytes at a time, a bit
 * for each, without a look at single tokens.  Private to lib/.
 *
 * A block begins between two tokens and is taken up to its last bracket,
 * colon or comma, when all before that is well-formed.  What is mostly beyond
 * ASCII, a bracket that is more than a change of the level, and anything that
 * is wrong is left to the scanner, which goes on from the same place in the
 * same state: it alone decides about errors.
 */


#ifndef GW_JSON_BLOCK_H
#define GW_JSON_BLOCK_H


#include "gw_json_scan.h"
#include "gw_json_vector.h"


/*
 * Takes blocks, as many as there are, from a state between two tokens, with a
 * container open that is above s->level.
 *
 *     next   out: where it is worth the next try, after the tokens up to there
 *
 * Returns the byte behind the last block, p itself when there was none.
 */
#if (GW_JSON_VECTOR)
const u_char *gw_json_block(gw_json_scan_t *s, const u_char *p,
    const u_char *last, const u_char **next);
#endif

/* the same on a processor that has AVX2 */
#if (GW_JSON_AVX2)
const u_char *gw_json_block_avx2(gw_json_scan_t *s, const u_char *p,
    const u_char *last, const u_char **next);
#endif


/*
 * Returns the best of them for this processor, or NULL.
 */
gw_json_block_pt gw_json_block_best(void);


#endif /* GW_JSON_BLOCK_H */
