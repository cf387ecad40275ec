
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_reason.h"


/* in the order of gw_reason_e */

static const char *const  gw_reason_texts[GW_REASON_MAX] = {
    "", "size", "malformed", "type", "json", "header", "crit", "alg", "kid",
    "key_unusable", "alg_key", "keyset", "sig", "claim", "expired", "nbf",
    "iat", "lifetime", "age", "aud", "iss", "typ", "scope", "require", "key",
    "memory"
};


const char *
gw_reason_text(gw_reason_e reason)
{
    if ((unsigned) reason >= GW_REASON_MAX) {
        return "";
    }

    return gw_reason_texts[reason];
}
