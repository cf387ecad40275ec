
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the gw_jws*.c files share; nobody else includes it.
 */


#ifndef GW_JWS_CTX_H
#define GW_JWS_CTX_H


#include <openssl/evp.h>

#include "gw_jws.h"


typedef struct {
    unsigned char  *encoded;    /* NULL if the slot is free */
    uint64_t        used;       /* tick of the last use */
    gw_jws_t        jws;        /* the members that the header sets */
} gw_jws_header_t;


struct gw_jws_ctx_s {
    gw_hash_t        *hash;
    EVP_MD_CTX       *md;       /* scratch */
    uint64_t          tick;
    gw_jws_header_t   headers[GW_JWS_HEADERS];
};


/*
 * Takes the header from the context if these bytes are there: sets the
 * members that gw_jws_parse() would and the flag "known".
 */
void gw_jws_ctx_find(gw_jws_ctx_t *ctx, gw_jws_t *jws);

/*
 * Keeps the header of a verified token, in the place of the one that has not
 * been used for the longest time.  If there is no memory it is not kept.
 */
void gw_jws_ctx_keep(gw_jws_ctx_t *ctx, const gw_jws_t *jws);


#endif /* GW_JWS_CTX_H */
