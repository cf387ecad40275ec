
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Scopes of a token (RFC 6749, 3.3) or of an API key.
 */


#ifndef GW_SCOPE_H
#define GW_SCOPE_H


#include <jansson.h>

#include "gw.h"
#include "gw_claim_path.h"


typedef struct {
    const char             *data;       /* not zero-terminated */
    size_t                  len;
} gw_scope_t;


/* what somebody was granted; points into what it was made of */

typedef struct {
    const json_t           *array;      /* NULL: a text */
    const char             *data;
    size_t                  len;
    unsigned                comma:1;    /* separates too */
} gw_scope_set_t;


/*
 * Finds the scopes of a token.  The first path with a string or an array at
 * its end decides, the others are not looked at.
 *
 *     set     out: an empty set if there is no such value
 *     claims  may be NULL
 *     paths   NULL: "scope" (RFC 8693, 4.2), then "scp"
 *     n       number of paths
 *
 * In a string scopes are separated by spaces and by nothing else, so that
 * "read\twrite" is one scope, which nobody asks for.  In an array each string
 * is one scope, and other elements are none.
 */
void gw_scope_from_claims(gw_scope_set_t *set, const json_t *claims,
    const gw_claim_path_t *paths, size_t n);

/*
 * Takes a text with the scopes of a token, separated by spaces alone.
 */
void gw_scope_from_text(gw_scope_set_t *set, const char *data, size_t len);

/*
 * Takes the scopes of an API key, separated by spaces or commas.
 *
 *     data  may be NULL: an empty set
 */
void gw_scope_from_key(gw_scope_set_t *set, const char *data, size_t len);

/*
 * Returns 1 if the set has this scope, the same bytes, else 0.
 */
int gw_scope_has(const gw_scope_set_t *set, const gw_scope_t *scope);

/*
 * Decides whether a set is enough.
 *
 *     all  every scope is needed; 0: one of them
 *     n    number of scopes, > 0; 0 is refused
 *
 * Returns GW_OK or GW_DECLINED.
 */
gw_status_e gw_scope_check(const gw_scope_set_t *set,
    const gw_scope_t *scopes, size_t n, int all);

/*
 * Walks over a set.
 *
 *     pos    in/out: 0 at the start
 *     scope  out: on return of 1; it may be there more than once
 *
 * Returns 1, or 0 at the end.
 */
int gw_scope_next(const gw_scope_set_t *set, size_t *pos, gw_scope_t *scope);

/*
 * Returns 1 if a text can be a scope: a scope-token of RFC 6749, 3.3, of
 * printable ASCII without spaces, quotes and backslashes, else 0.
 */
int gw_scope_is_token(const char *data, size_t len);


#endif /* GW_SCOPE_H */
