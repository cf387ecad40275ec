
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_alg.h"


static const char *const  gw_alg_names[GW_ALG_MAX] = {
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
    "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448",
    "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"
};


gw_alg_e
gw_alg_find(const unsigned char *name, size_t len)
{
    int  i;

    for (i = 0; i < GW_ALG_MAX; i++) {
        if (strlen(gw_alg_names[i]) == len
            && memcmp(gw_alg_names[i], name, len) == 0)
        {
            return (gw_alg_e) i;
        }
    }

    return GW_ALG_MAX;
}


const char *
gw_alg_name(gw_alg_e alg)
{
    if ((unsigned) alg >= GW_ALG_MAX) {
        return "";
    }

    return gw_alg_names[alg];
}


gw_alg_mask_t
gw_alg_wanted(gw_alg_e alg, gw_alg_mask_t allowed)
{
    gw_alg_mask_t  curves;

    switch (alg) {

    case GW_ALG_MAX:
        return 0;

    case GW_ALG_EDDSA:
    case GW_ALG_ED25519:
    case GW_ALG_ED448:

        curves = gw_alg_bit(GW_ALG_ED25519) | gw_alg_bit(GW_ALG_ED448);

        if (!(allowed & gw_alg_bit(GW_ALG_EDDSA))) {
            curves &= allowed;
        }

        return (alg == GW_ALG_EDDSA) ? curves : curves & gw_alg_bit(alg);

    default:
        return allowed & gw_alg_bit(alg);
    }
}
