
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Claims of a JWT (RFC 7519) whose signature has been verified.
 */


#ifndef GW_JWT_H
#define GW_JWT_H


#include <jansson.h>

#include "gw.h"
#include "gw_json_flat.h"
#include "gw_jws.h"
#include "gw_reason.h"


/* seconds; year 10000: a date in milliseconds, not in seconds */

#define GW_JWT_MAX_DATE  INT64_C(253402300800)


typedef struct {
    const unsigned char  *payload;
    size_t                len;

    /* usec since the epoch; meaningful if the flag is set */
    int64_t               exp;
    int64_t               nbf;
    int64_t               iat;

    unsigned              has_exp:1;
    unsigned              has_nbf:1;
    unsigned              has_iat:1;

    /*
     * The rest is of gw_jwt_*() alone.  Most payloads are plain, and nobody
     * asks for more than a few of their claims: the tree of a plain one is
     * made when somebody does.
     */
    unsigned              plain:1;      /* flat is valid */
    json_t               *tree;         /* a reference of ours, or NULL */
    gw_json_flat_t        flat;
} gw_jwt_t;


typedef struct {
    int64_t    leeway;          /* usec, >= 0 */
    int64_t    max_lifetime;    /* usec from iat (now if absent); 0: any */
    int64_t    max_age;         /* usec since iat, which is needed; 0: any */
    unsigned   ignore_exp:1;    /* a missing or passed exp is acceptable */
} gw_jwt_times_t;


/*
 * Parses the payload and the three dates.  Call it after the signature.
 *
 *     jwt      out: valid on GW_OK; then it has to be released
 *     payload  must live as long
 *     reason   out: on failure
 *
 * Returns GW_OK, GW_DECLINED with GW_REASON_JSON or GW_REASON_TYPE (a date
 * that is no number, or GW_JWT_MAX_DATE and later), or GW_ERROR with
 * GW_REASON_MEMORY.
 */
gw_status_e gw_jwt_parse(gw_jwt_t *jwt, const unsigned char *payload,
    size_t len, gw_reason_e *reason);

/*
 * Gives back what gw_jwt_parse() took; harmless when repeated.
 */
void gw_jwt_release(gw_jwt_t *jwt);

/*
 * Returns all claims, a borrowed reference that lives as long as jwt, or NULL
 * if out of memory.
 */
json_t *gw_jwt_claims(gw_jwt_t *jwt);

/*
 * Reads a claim at the top level that is a string.
 *
 *     text  out: on GW_OK; lives as long as jwt, not zero-terminated
 *
 * Returns GW_OK or GW_DECLINED (absent, another type).
 */
gw_status_e gw_jwt_text(const gw_jwt_t *jwt, const char *name, size_t nlen,
    const char **text, size_t *len);

/*
 * Returns 1 if there is a claim of that name at the top level and it is not
 * null, else 0.
 */
int gw_jwt_has(const gw_jwt_t *jwt, const char *name, size_t len);

/*
 * Decides whether the token is valid now.
 *
 *     now     usec since the epoch
 *     reason  out: on GW_DECLINED
 *
 * Returns GW_OK, or GW_DECLINED with GW_REASON_CLAIM (no exp, or no iat where
 * there is a max_age), EXPIRED, NBF, IAT, LIFETIME or AGE.
 */
gw_status_e gw_jwt_check_times(const gw_jwt_t *jwt,
    const gw_jwt_times_t *times, int64_t now, gw_reason_e *reason);

/*
 * Compares "iss" with the exact bytes of an issuer.
 *
 * Returns GW_OK or GW_DECLINED (absent, another type, other bytes).
 */
gw_status_e gw_jwt_issuer_is(const gw_jwt_t *jwt, const char *iss,
    size_t len);

/*
 * Looks for an audience in "aud", a string or an array of strings.
 *
 * Returns GW_OK or GW_DECLINED; an array with anything but strings in it is
 * GW_DECLINED.
 */
gw_status_e gw_jwt_audience_has(const gw_jwt_t *jwt, const char *aud,
    size_t len);

/*
 * Compares "typ" of the header with a media type, ignoring case and a
 * leading "application/" on either side (RFC 7515, 4.1.9).
 *
 * Returns GW_OK or GW_DECLINED (also if absent).
 */
gw_status_e gw_jwt_typ_is(const gw_jws_t *jws, const char *typ, size_t len);


#endif /* GW_JWT_H */
