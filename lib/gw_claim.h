
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Values of claims as text.
 */


#ifndef GW_CLAIM_H
#define GW_CLAIM_H


#include <jansson.h>

#include "gw.h"


typedef struct {
    const char  *data;          /* not zero-terminated */
    size_t       len;
} gw_claim_name_t;


/*
 * Finds a claim by a sequence of names, each a member of the one before.
 *
 * Returns a borrowed reference or NULL if there is none (also if something on
 * the way is no object).
 */
json_t *gw_claim_get(const json_t *claims, const gw_claim_name_t *names,
    size_t n);

/*
 * Returns the bytes of a string claim without a copy, or NULL if the value is
 * no string (or NULL).
 *
 *     len  out: number of bytes; they live as long as the value
 */
const char *gw_claim_string(const json_t *value, size_t *len);

/*
 * Writes the text of a claim: a string as it is, numbers and objects as JSON,
 * true and false by name, null and a missing value (NULL) as nothing; the
 * elements of an array by these rules and joined with commas, where an array
 * or object within it is JSON.
 *
 *     buf   may be NULL if size is 0
 *     size  of the buffer
 *     len   out: bytes of the whole text, on GW_OK and GW_AGAIN
 *
 * Returns GW_OK, GW_AGAIN (the buffer is too small, its contents undefined:
 * call again with *len bytes) or GW_ERROR (out of memory).  The text may hold
 * any UTF-8, also line feeds: who writes it into a header checks it.
 */
gw_status_e gw_claim_text(const json_t *value, char *buf, size_t size,
    size_t *len);


#endif /* GW_CLAIM_H */
