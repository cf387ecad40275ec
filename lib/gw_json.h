
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Bounded loading of JSON with jansson.
 *
 * jansson's hash seed belongs to the process: the caller calls
 * json_object_seed(0) once, in the master process, before any worker starts,
 * or two modules in one process race for it.
 */


#ifndef GW_JSON_H
#define GW_JSON_H


#include <jansson.h>

#include "gw.h"


#define GW_JSON_DEPTH  32       /* levels; the limit for JOSE objects */


typedef enum {
    GW_JSON_OK = 0,
    GW_JSON_EMPTY,              /* no bytes at all */
    GW_JSON_BOM,                /* begins with a byte order mark */
    GW_JSON_TOO_DEEP,
    GW_JSON_NOT_OBJECT,         /* the top level is something else */
    GW_JSON_ENCODING,           /* invalid UTF-8 */
    GW_JSON_NUL,                /* \u0000 */
    GW_JSON_NUMBER,             /* an integer or real out of range */
    GW_JSON_DUPLICATE,          /* a member appears twice */
    GW_JSON_TRAILING,           /* bytes after the object */
    GW_JSON_SYNTAX,             /* everything else that is not JSON */
    GW_JSON_MEMORY              /* could not tell */
} gw_json_error_e;


typedef struct {
    gw_json_error_e   code;
    size_t            position;     /* byte offset */
    const char       *text;         /* static */
} gw_json_error_t;


/*
 * Parses one JSON object that fills the input to the last byte.
 *
 *     depth  levels of nesting allowed, the object itself being the first;
 *            checked before anything recurses
 *     err    out: set on failure only
 *
 * Returns a new reference or NULL.  Duplicate members (compared after
 * unescaping), a byte order mark, trailing bytes other than white space,
 * invalid UTF-8, lone surrogates and \u0000 are errors.
 */
json_t *gw_json_load(const unsigned char *data, size_t len, unsigned depth,
    gw_json_error_t *err);

/*
 * The same for JSON of any type.
 */
json_t *gw_json_load_any(const unsigned char *data, size_t len,
    unsigned depth, gw_json_error_t *err);

/*
 * Finds a member by a name that is not zero-terminated.
 *
 * Returns a borrowed reference, or NULL if the value is no object, has no
 * such member or the name is longer than GW_JSON_MAX_NAME where jansson
 * before 2.14 is used.
 */
json_t *gw_json_get(const json_t *object, const char *name, size_t len);


#define GW_JSON_MAX_NAME  255      /* bytes, see gw_json_get() */


#endif /* GW_JSON_H */
