
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What a request of gw_limit_api names:
 *
 *     limits/<zone>/<key>?rate=10r/s&burst=20
 *     quotas/<zone>/<key>?quota=1000&anchor=1700000000
 *     concurrency/<zone>/<key>
 *
 * A key that cannot stand in a path is an argument: "key" with its bytes
 * percent-encoded, or "addr" with the text of a binary address.
 */


#ifndef GW_LIMIT_TARGET_H
#define GW_LIMIT_TARGET_H


#include "gw.h"


typedef enum {
    GW_LIMIT_TARGET_ALL = 0,     /* the empty path */
    GW_LIMIT_TARGET_LIMIT,
    GW_LIMIT_TARGET_QUOTA,
    GW_LIMIT_TARGET_CONCURRENCY
} gw_limit_target_e;


typedef enum {
    GW_LIMIT_ARG_KEY = 0,
    GW_LIMIT_ARG_ADDR,
    GW_LIMIT_ARG_RATE,
    GW_LIMIT_ARG_BURST,
    GW_LIMIT_ARG_QUOTA,
    GW_LIMIT_ARG_ANCHOR,
    GW_LIMIT_ARGS
} gw_limit_arg_e;


typedef struct {
    const u_char       *data;    /* NULL: not there */
    size_t              len;
} gw_limit_text_t;


typedef struct {
    gw_limit_target_e   kind;
    gw_limit_text_t     zone;
    gw_limit_text_t     key;     /* of the path, or "key" */
    gw_limit_text_t     args[GW_LIMIT_ARGS];
} gw_limit_target_t;


/*
 * Parses a path and its arguments.
 *
 *     path      behind the prefix of the location, without a slash
 *     encoded   not 0: the path has codes to be decoded
 *     args      query string, still encoded
 *     dst       room for len + args_len bytes, that the texts are put into
 *     error     out: a static text, with GW_ERROR only
 *
 * The texts may have any bytes.  Unknown arguments, those that are given
 * twice or do not belong to the kind, a key in both places, broken codes, and
 * a "+" that could be a space are errors.
 *
 * Returns GW_OK; GW_DECLINED if a path of this form names nothing; GW_ERROR.
 */

gw_status_e gw_limit_target_parse(gw_limit_target_t *target,
    const u_char *path, size_t len, int encoded, const u_char *args,
    size_t args_len, u_char *dst, const char **error);


#endif /* GW_LIMIT_TARGET_H */
