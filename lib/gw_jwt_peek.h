
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The issuer of a token that has not been verified yet: it chooses the keys
 * to verify with, and nothing else.
 */


#ifndef GW_JWT_PEEK_H
#define GW_JWT_PEEK_H


#include "gw.h"


#define GW_JWT_PEEK_MAX_ISSUER  512     /* bytes, of one with escapes */


/*
 * Finds the string "iss" of the top-level object.
 *
 *     buf  GW_JWT_PEEK_MAX_ISSUER bytes, used if the string has escapes
 *     iss  out: on GW_OK, without a copy if it has no escapes; then it lives
 *          as long as the payload, else as long as the buffer
 *     len  out: on GW_OK
 *
 * Returns GW_OK, or GW_DECLINED if there is none, it is of another type, an
 * escape in it is malformed or has made it longer than the buffer.
 *
 * What is not on the way is hardly checked: of a payload that gw_jwt_parse()
 * accepts this is the issuer, of any other it may be anything.  The caller
 * verifies the token and asserts gw_jwt_issuer_is().
 */
gw_status_e gw_jwt_peek_issuer(const unsigned char *payload, size_t plen,
    unsigned char *buf, const unsigned char **iss, size_t *len);


#endif /* GW_JWT_PEEK_H */
