
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "gw_jws.h"
#include "gw_jws_ctx.h"


gw_jws_ctx_t *
gw_jws_ctx_create(gw_hash_t *hash)
{
    gw_jws_ctx_t  *ctx;

    ctx = calloc(1, sizeof(gw_jws_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->hash = hash;
    ctx->md = EVP_MD_CTX_new();

    if (ctx->md == NULL) {
        ERR_clear_error();
        free(ctx);
        return NULL;
    }

    return ctx;
}


void
gw_jws_ctx_destroy(gw_jws_ctx_t *ctx)
{
    size_t  i;

    if (ctx == NULL) {
        return;
    }

    for (i = 0; i < GW_JWS_HEADERS; i++) {
        gw_jws_release(&ctx->headers[i].jws);
        free(ctx->headers[i].encoded);
    }

    EVP_MD_CTX_free(ctx->md);

    free(ctx);
}


void
gw_jws_ctx_find(gw_jws_ctx_t *ctx, gw_jws_t *jws)
{
    size_t            i;
    const gw_jws_t   *kept;
    gw_jws_header_t  *slot;

    for (i = 0; i < GW_JWS_HEADERS; i++) {
        slot = &ctx->headers[i];
        kept = &slot->jws;

        if (slot->encoded == NULL
            || kept->header_len != jws->header_len
            || memcmp(slot->encoded, jws->token, jws->header_len) != 0)
        {
            continue;
        }

        slot->used = ++ctx->tick;

        jws->alg = kept->alg;
        jws->kid = kept->kid;
        jws->kid_len = kept->kid_len;
        jws->typ = kept->typ;
        jws->typ_len = kept->typ_len;
        jws->cty = kept->cty;
        jws->cty_len = kept->cty_len;
        jws->header = json_incref(kept->header);
        jws->known = 1;

        return;
    }
}


void
gw_jws_ctx_keep(gw_jws_ctx_t *ctx, const gw_jws_t *jws)
{
    size_t            i;
    unsigned char    *encoded;
    gw_jws_header_t  *slot;

    encoded = malloc(jws->header_len);
    if (encoded == NULL) {
        return;
    }

    memcpy(encoded, jws->token, jws->header_len);

    /* a free slot has never been used: its tick is the lowest */

    slot = &ctx->headers[0];

    for (i = 1; i < GW_JWS_HEADERS; i++) {
        if (ctx->headers[i].used < slot->used) {
            slot = &ctx->headers[i];
        }
    }

    gw_jws_release(&slot->jws);
    free(slot->encoded);

    slot->encoded = encoded;
    slot->used = ++ctx->tick;
    slot->jws = *jws;
    slot->jws.header = json_incref(jws->header);

    /* these end with the token */

    slot->jws.token = NULL;
    slot->jws.payload = NULL;
    slot->jws.sig = NULL;
}
