
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The place of a claim.
 *
 * A name is a member of the top level, whatever bytes it has:
 *
 *     role
 *     https://example.com/roles
 *
 * What begins with a "." is a path: each "." is followed by a name or by a
 * name in quotes, each name by any number of indices.  A name without quotes
 * has no white space, control characters, or any of . [ ] " and \; within
 * quotes \" and \\ stand for " and \:
 *
 *     .realm_access.roles[0]
 *     ."https://example.com/claims".groups
 *     .a."dotted.key"
 *
 * An index is of an array, a name is of an object, and nothing else: a name
 * does not look into the elements of an array.
 */


#ifndef GW_CLAIM_PATH_H
#define GW_CLAIM_PATH_H


#include <jansson.h>

#include "gw.h"
#include "gw_json.h"


#define GW_CLAIM_PATH_MAX_LEN    2048               /* bytes, as written */
#define GW_CLAIM_PATH_MAX_STEPS  GW_JSON_DEPTH      /* names and indices */
#define GW_CLAIM_PATH_MAX_NAME   GW_JSON_MAX_NAME   /* bytes */
#define GW_CLAIM_PATH_MAX_INDEX  65535


typedef enum {
    GW_CLAIM_PATH_OK = 0,
    GW_CLAIM_PATH_EMPTY,        /* no bytes at all */
    GW_CLAIM_PATH_TOO_LONG,
    GW_CLAIM_PATH_TOO_DEEP,
    GW_CLAIM_PATH_NAME,         /* a name is empty or too long */
    GW_CLAIM_PATH_CHARACTER,    /* one that needs quotes */
    GW_CLAIM_PATH_QUOTES,       /* are not closed, or closed too early */
    GW_CLAIM_PATH_ESCAPE,       /* neither \" nor \\ */
    GW_CLAIM_PATH_INDEX         /* is no number, too large or not closed */
} gw_claim_path_error_e;


typedef struct {
    gw_claim_path_error_e   code;
    size_t                  position;   /* byte offset */
    const char             *text;       /* static: what to do */
} gw_claim_path_error_t;


typedef struct {
    const char             *name;       /* NULL: an index */
    size_t                  len;
    size_t                  index;
} gw_claim_path_step_t;


typedef struct {
    size_t                  n;
    gw_claim_path_step_t    steps[GW_CLAIM_PATH_MAX_STEPS];
} gw_claim_path_t;


/*
 * Compiles the text of a path.
 *
 *     path  out: valid on GW_OK
 *     buf   len bytes for the names, they live as long as the path; the text
 *           is not kept
 *     err   out: on GW_DECLINED
 *
 * Returns GW_OK or GW_DECLINED.
 */
gw_status_e gw_claim_path_compile(gw_claim_path_t *path, char *buf,
    const char *text, size_t len, gw_claim_path_error_t *err);

/*
 * Follows a path.
 *
 *     claims  may be NULL
 *
 * Returns a borrowed reference, to a JSON null too, or NULL if there is
 * nothing: a member that is missing, an index out of range, a value of
 * another type on the way.
 */
json_t *gw_claim_path_get(const gw_claim_path_t *path, const json_t *claims);


#endif /* GW_CLAIM_PATH_H */
