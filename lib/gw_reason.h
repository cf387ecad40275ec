
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Why a credential was refused: the stable codes that a configuration and a
 * log see.  Never shown to a client.
 */


#ifndef GW_REASON_H
#define GW_REASON_H


#include "gw.h"


typedef enum {
    GW_REASON_NONE = 0,        /* "" */
    GW_REASON_SIZE,            /* "size" */
    GW_REASON_MALFORMED,       /* "malformed": dots or alphabet */
    GW_REASON_TYPE,            /* "type": format or type of a claim */
    GW_REASON_JSON,            /* "json" */
    GW_REASON_HEADER,          /* "header" */
    GW_REASON_CRIT,            /* "crit" */
    GW_REASON_ALG,             /* "alg": unknown or not allowed */
    GW_REASON_KID,             /* "kid": no such key */
    GW_REASON_KEY_UNUSABLE,    /* "key_unusable": not for verification */
    GW_REASON_ALG_KEY,         /* "alg_key": not an algorithm of the key */
    GW_REASON_KEYSET,          /* "keyset" */
    GW_REASON_SIG,             /* "sig" */
    GW_REASON_CLAIM,           /* "claim": a required claim is missing */
    GW_REASON_EXPIRED,         /* "expired" */
    GW_REASON_NBF,             /* "nbf" */
    GW_REASON_IAT,             /* "iat" */
    GW_REASON_LIFETIME,        /* "lifetime": exp is too far from iat */
    GW_REASON_AGE,             /* "age": issued too long ago */
    GW_REASON_AUD,             /* "aud" */
    GW_REASON_ISS,             /* "iss" */
    GW_REASON_TYP,             /* "typ" */
    GW_REASON_SCOPE,           /* "scope" */
    GW_REASON_REQUIRE,         /* "require" */
    GW_REASON_KEY,             /* "key": unknown API key */
    GW_REASON_MEMORY,          /* "memory": could not tell */
    GW_REASON_MAX
} gw_reason_e;


/*
 * Returns the code as text, zero-terminated; "" for GW_REASON_NONE and for a
 * number that is none.
 */
const char *gw_reason_text(gw_reason_e reason);


#endif /* GW_REASON_H */
