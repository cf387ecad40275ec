
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json.h"
#include "gw_jws.h"
#include "gw_jws_ctx.h"


static gw_status_e gw_jws_split(gw_jws_t *jws, const unsigned char *token,
    size_t len, const unsigned char **sig, gw_reason_e *reason);
static gw_status_e gw_jws_read_header(gw_jws_t *jws,
    const unsigned char *data, size_t len, gw_reason_e *reason);
static gw_status_e gw_jws_check_header(gw_jws_t *jws, gw_reason_e *reason);
static gw_status_e gw_jws_check_alg(gw_jws_t *jws, gw_reason_e *reason);
static int gw_jws_any_named(const gw_jwk_set_t *set, const gw_jws_t *jws);
static int gw_jws_named(const gw_jwk_t *key, const gw_jws_t *jws);
static int gw_jws_member(const json_t *header, const char *name,
    const char **value, size_t *len);
static gw_status_e gw_jws_declined(gw_reason_e *reason, gw_reason_e value);


gw_status_e
gw_jws_parse(gw_jws_ctx_t *ctx, gw_jws_t *jws, const unsigned char *token,
    size_t len, size_t max, unsigned char *buf, gw_reason_e *reason)
{
    size_t                n;
    const unsigned char  *payload, *sig, *header;

    memset(jws, 0, sizeof(gw_jws_t));

    if (len > max) {
        return gw_jws_declined(reason, GW_REASON_SIZE);
    }

    if (gw_jws_split(jws, token, len, &sig, reason) != GW_OK) {
        return GW_DECLINED;
    }

    header = buf;
    n = 0;

    gw_jws_ctx_find(ctx, jws);

    if (!jws->known) {

        if (gw_base64url_decode(buf, &n, token, jws->header_len) != GW_OK) {
            return gw_jws_declined(reason, GW_REASON_MALFORMED);
        }

        buf += n;
    }

    payload = token + jws->header_len + 1;

    if (gw_base64url_decode(buf, &jws->payload_len, payload,
                            sig - 1 - payload)
        != GW_OK
        || gw_base64url_decode(buf + jws->payload_len, &jws->sig_len, sig,
                               token + len - sig)
           != GW_OK)
    {
        gw_jws_release(jws);
        return gw_jws_declined(reason, GW_REASON_MALFORMED);
    }

    jws->payload = buf;
    jws->sig = buf + jws->payload_len;

    if (jws->known) {
        return GW_OK;
    }

    return gw_jws_read_header(jws, header, n, reason);
}


void
gw_jws_release(gw_jws_t *jws)
{
    json_decref(jws->header);
    jws->header = NULL;
}


static gw_status_e
gw_jws_split(gw_jws_t *jws, const unsigned char *token, size_t len,
    const unsigned char **sig, gw_reason_e *reason)
{
    unsigned              dots;
    const unsigned char  *p, *last, *dot[2];

    dots = 0;
    last = token + len;

    for (p = token; p < last; p++) {

        p = memchr(p, '.', last - p);
        if (p == NULL) {
            break;
        }

        if (dots < 2) {
            dot[dots] = p;
        }

        dots++;
    }

    if (dots == 4) {
        return gw_jws_declined(reason, GW_REASON_TYPE);
    }

    if (dots != 2 || dot[0] == token) {
        return gw_jws_declined(reason, GW_REASON_MALFORMED);
    }

    jws->token = token;
    jws->header_len = dot[0] - token;
    jws->signed_len = dot[1] - token;

    *sig = dot[1] + 1;

    if (gw_base64url_decoded_length(jws->header_len) > GW_JWS_MAX_HEADER) {
        return gw_jws_declined(reason, GW_REASON_SIZE);
    }

    return GW_OK;
}


static gw_status_e
gw_jws_read_header(gw_jws_t *jws, const unsigned char *data, size_t len,
    gw_reason_e *reason)
{
    gw_json_error_t  err;

    jws->header = gw_json_load(data, len, GW_JSON_DEPTH, &err);

    if (jws->header == NULL) {

        if (err.code == GW_JSON_MEMORY) {
            *reason = GW_REASON_MEMORY;
            return GW_ERROR;
        }

        return gw_jws_declined(reason, GW_REASON_JSON);
    }

    if (gw_jws_check_header(jws, reason) != GW_OK) {
        gw_jws_release(jws);
        return GW_DECLINED;
    }

    return GW_OK;
}


/*
 * zip, jku, x5u, x5c and jwk are not even looked at.
 */

static gw_status_e
gw_jws_check_header(gw_jws_t *jws, gw_reason_e *reason)
{
    const json_t  *b64;

    if (gw_jws_check_alg(jws, reason) != GW_OK) {
        return GW_DECLINED;
    }

    /* RFC 7515, 4.1.11: no extension is understood here */

    if (json_object_get(jws->header, "crit") != NULL) {
        return gw_jws_declined(reason, GW_REASON_CRIT);
    }

    /* RFC 7797: true is what it is without the member */

    b64 = json_object_get(jws->header, "b64");

    if (b64 != NULL && !json_is_true(b64)) {
        return gw_jws_declined(reason, GW_REASON_HEADER);
    }

    if (!gw_jws_member(jws->header, "kid", &jws->kid, &jws->kid_len)) {
        return gw_jws_declined(reason, GW_REASON_KID);
    }

    if (!gw_jws_member(jws->header, "typ", &jws->typ, &jws->typ_len)
        || !gw_jws_member(jws->header, "cty", &jws->cty, &jws->cty_len))
    {
        return gw_jws_declined(reason, GW_REASON_HEADER);
    }

    return GW_OK;
}


static gw_status_e
gw_jws_check_alg(gw_jws_t *jws, gw_reason_e *reason)
{
    size_t       len;
    const char  *alg;

    alg = NULL;
    len = 0;

    if (!gw_jws_member(jws->header, "alg", &alg, &len) || len == 0) {
        return gw_jws_declined(reason, GW_REASON_HEADER);
    }

    /* "none" is an unknown name like any other */

    jws->alg = gw_alg_find((const unsigned char *) alg, len);

    if (jws->alg == GW_ALG_MAX) {
        return gw_jws_declined(reason, GW_REASON_ALG);
    }

    return GW_OK;
}


/*
 * Returns 0 if the member is there but no string.
 */

static int
gw_jws_member(const json_t *header, const char *name, const char **value,
    size_t *len)
{
    const json_t  *member;

    member = json_object_get(header, name);

    if (member == NULL) {
        return 1;
    }

    *value = json_string_value(member);
    *len = json_string_length(member);

    return *value != NULL;
}


static gw_status_e
gw_jws_declined(gw_reason_e *reason, gw_reason_e value)
{
    *reason = value;

    return GW_DECLINED;
}


gw_status_e
gw_jws_choose(const gw_jws_t *jws, const gw_jwk_set_t *set,
    gw_alg_mask_t allowed, const gw_jwk_t *keys[GW_JWK_MAX_TRIES],
    size_t *nkeys, gw_reason_e *reason)
{
    int              named;
    size_t           i, n, usable;
    gw_alg_mask_t    wanted;
    const gw_jwk_t  *key;

    wanted = gw_alg_wanted(jws->alg, allowed);

    if (wanted == 0) {
        return gw_jws_declined(reason, GW_REASON_ALG);
    }

    named = gw_jws_any_named(set, jws);
    n = 0;
    usable = 0;

    for (i = 0; i < set->nkeys && n < GW_JWK_MAX_TRIES; i++) {
        key = &set->keys[i];

        /* a kid selects its keys, or else those that have none */

        if (jws->kid != NULL
            && (named ? !gw_jws_named(key, jws) : key->kid != NULL))
        {
            continue;
        }

        if (key->algs != 0) {
            usable++;
        }

        if (key->algs & wanted) {
            keys[n++] = key;
        }
    }

    *nkeys = n;

    if (n != 0) {
        return GW_OK;
    }

    if (usable != 0) {
        return gw_jws_declined(reason, GW_REASON_ALG_KEY);
    }

    return gw_jws_declined(reason, named ? GW_REASON_KEY_UNUSABLE
                                         : GW_REASON_KID);
}


static int
gw_jws_any_named(const gw_jwk_set_t *set, const gw_jws_t *jws)
{
    size_t  i;

    for (i = 0; i < set->nkeys; i++) {
        if (gw_jws_named(&set->keys[i], jws)) {
            return 1;
        }
    }

    return 0;
}


static int
gw_jws_named(const gw_jwk_t *key, const gw_jws_t *jws)
{
    return key->kid != NULL
           && jws->kid != NULL
           && key->kid_len == jws->kid_len
           && memcmp(key->kid, jws->kid, jws->kid_len) == 0;
}
