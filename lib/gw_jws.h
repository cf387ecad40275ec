
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * JWS in compact form (RFC 7515): parse, choice of the key, signature.
 *
 * The order is fixed by the calls: gw_jws_parse() looks at size, dots,
 * alphabet and header; gw_jws_choose() at the allow-list and the keys;
 * gw_jws_verify_key() at the signature; only then is the payload parsed
 * (gw_jwt_parse()).
 */


#ifndef GW_JWS_H
#define GW_JWS_H


#include <jansson.h>

#include "gw.h"
#include "gw_alg.h"
#include "gw_base64url.h"
#include "gw_hash.h"
#include "gw_jwk.h"
#include "gw_reason.h"


#define GW_JWS_MAX_HEADER  2048     /* bytes, decoded */
#define GW_JWS_HEADERS     16       /* parsed headers kept in a context */


typedef struct gw_jws_ctx_s  gw_jws_ctx_t;


/* a parsed token; the token and the buffer must live as long */

typedef struct {
    const unsigned char  *token;        /* header "." payload "." sig */
    size_t                signed_len;   /* bytes of header "." payload */
    size_t                header_len;   /* bytes of the encoded header */

    gw_alg_e              alg;
    const char           *kid;          /* NULL if absent, also typ, cty */
    size_t                kid_len;
    const char           *typ;
    size_t                typ_len;
    const char           *cty;
    size_t                cty_len;
    json_t               *header;       /* a reference of ours */

    const unsigned char  *payload;      /* decoded, in the buffer */
    size_t                payload_len;
    const unsigned char  *sig;          /* decoded, in the buffer */
    size_t                sig_len;

    unsigned              known:1;      /* the header came from the context */
} gw_jws_t;


/*
 * Makes the scratch object of one caller (a worker): contexts of libcrypto
 * and the last GW_JWS_HEADERS distinct headers of tokens whose signature was
 * good, parsed.  Bounded: headers are at most GW_JWS_MAX_HEADER bytes.
 *
 *     hash  must outlive the context
 *
 * Returns NULL if out of memory.
 */
gw_jws_ctx_t *gw_jws_ctx_create(gw_hash_t *hash);

/*
 * Frees the context; NULL is allowed.
 */
void gw_jws_ctx_destroy(gw_jws_ctx_t *ctx);


/* size of the buffer that gw_jws_parse() decodes into */

#define gw_jws_buffer_size(len)  gw_base64url_decoded_length(len)


/*
 * Parses a token up to its header.
 *
 *     jws     out: valid on GW_OK; then it has to be released
 *     token   not zero-terminated; never written to
 *     max     bytes allowed for the token
 *     buf     gw_jws_buffer_size(len) bytes
 *     reason  out: on failure
 *
 * Returns GW_OK, GW_DECLINED with GW_REASON_SIZE, MALFORMED, TYPE (a JWE),
 * JSON, HEADER, ALG, KID (not a string) or CRIT, or GW_ERROR with
 * GW_REASON_MEMORY.  Nothing is verified yet.
 */
gw_status_e gw_jws_parse(gw_jws_ctx_t *ctx, gw_jws_t *jws,
    const unsigned char *token, size_t len, size_t max, unsigned char *buf,
    gw_reason_e *reason);

/*
 * Gives back what gw_jws_parse() took; harmless when repeated.
 */
void gw_jws_release(gw_jws_t *jws);

/*
 * Chooses the keys that may verify a token.
 *
 *     allowed  allow-list of algorithms
 *     keys     out: candidates
 *     nkeys    out: their number, 1 .. GW_JWK_MAX_TRIES
 *     reason   out: on GW_DECLINED
 *
 * A kid in the token selects the keys with these bytes as kid; only if there
 * are none, keys without a kid (PEM) are candidates.
 *
 * Returns GW_OK, or GW_DECLINED with GW_REASON_ALG, KID, KEY_UNUSABLE or
 * ALG_KEY.
 */
gw_status_e gw_jws_choose(const gw_jws_t *jws, const gw_jwk_set_t *set,
    gw_alg_mask_t allowed, const gw_jwk_t *keys[GW_JWK_MAX_TRIES],
    size_t *nkeys, gw_reason_e *reason);

/*
 * Verifies the signature with one key that gw_jws_choose() has returned for
 * this token.
 *
 * Returns GW_OK, GW_DECLINED (not signed by this key) or GW_ERROR (out of
 * memory).  Leaves libcrypto's error queue empty.
 */
gw_status_e gw_jws_verify_key(gw_jws_ctx_t *ctx, const gw_jws_t *jws,
    const gw_jwk_t *key);


#endif /* GW_JWS_H */
