
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>
#include <strings.h>

#include "gw_json.h"
#include "gw_jwt.h"


#define GW_JWT_USEC         INT64_C(1000000)
#define GW_JWT_APPLICATION  "application/"


static int gw_jwt_date(const json_t *claims, const char *name, int64_t *usec,
    unsigned *has);
static gw_status_e gw_jwt_declined(gw_reason_e *reason, gw_reason_e value);
static int gw_jwt_equal(const json_t *value, const char *text, size_t len);
static void gw_jwt_strip(const char **typ, size_t *len);


gw_status_e
gw_jwt_parse(gw_jwt_t *jwt, const unsigned char *payload, size_t len,
    gw_reason_e *reason)
{
    unsigned         exp, nbf, iat;
    gw_json_error_t  err;

    memset(jwt, 0, sizeof(gw_jwt_t));

    jwt->claims = gw_json_load(payload, len, GW_JSON_DEPTH, &err);

    if (jwt->claims == NULL) {

        if (err.code == GW_JSON_MEMORY) {
            *reason = GW_REASON_MEMORY;
            return GW_ERROR;
        }

        return gw_jwt_declined(reason, GW_REASON_JSON);
    }

    if (!gw_jwt_date(jwt->claims, "exp", &jwt->exp, &exp)
        || !gw_jwt_date(jwt->claims, "nbf", &jwt->nbf, &nbf)
        || !gw_jwt_date(jwt->claims, "iat", &jwt->iat, &iat))
    {
        gw_jwt_release(jwt);
        return gw_jwt_declined(reason, GW_REASON_TYPE);
    }

    jwt->has_exp = exp;
    jwt->has_nbf = nbf;
    jwt->has_iat = iat;

    return GW_OK;
}


void
gw_jwt_release(gw_jwt_t *jwt)
{
    json_decref(jwt->claims);
    jwt->claims = NULL;
}


/*
 * Returns 0 if the member is there but no date.
 */

static int
gw_jwt_date(const json_t *claims, const char *name, int64_t *usec,
    unsigned *has)
{
    double         real;
    json_int_t     integer;
    const json_t  *value;

    value = json_object_get(claims, name);

    *has = (value != NULL);

    if (value == NULL) {
        return 1;
    }

    if (json_is_integer(value)) {
        integer = json_integer_value(value);

        if (integer >= GW_JWT_MAX_DATE) {
            return 0;
        }

        if (integer < -GW_JWT_MAX_DATE) {
            integer = -GW_JWT_MAX_DATE;
        }

        *usec = (int64_t) integer * GW_JWT_USEC;

        return 1;
    }

    if (json_is_real(value)) {
        real = json_real_value(value);

        if (!(real < (double) GW_JWT_MAX_DATE)) {
            return 0;
        }

        if (real < (double) -GW_JWT_MAX_DATE) {
            real = (double) -GW_JWT_MAX_DATE;
        }

        real *= (double) GW_JWT_USEC;

        *usec = (int64_t) (real + (real < 0 ? -0.5 : 0.5));

        return 1;
    }

    return 0;
}


static gw_status_e
gw_jwt_declined(gw_reason_e *reason, gw_reason_e value)
{
    *reason = value;

    return GW_DECLINED;
}


gw_status_e
gw_jwt_check_times(const gw_jwt_t *jwt, const gw_jwt_times_t *times,
    int64_t now, gw_reason_e *reason)
{
    if (!times->ignore_exp) {

        if (!jwt->has_exp) {
            return gw_jwt_declined(reason, GW_REASON_CLAIM);
        }

        /* RFC 7519, 4.1.4: "on or after", so exp == now is expired */

        if (now - times->leeway >= jwt->exp) {
            return gw_jwt_declined(reason, GW_REASON_EXPIRED);
        }
    }

    if (jwt->has_nbf && now + times->leeway < jwt->nbf) {
        return gw_jwt_declined(reason, GW_REASON_NBF);
    }

    if (jwt->has_iat && now + times->leeway < jwt->iat) {
        return gw_jwt_declined(reason, GW_REASON_IAT);
    }

    if (times->max_lifetime > 0
        && (!jwt->has_exp
            || jwt->exp - (jwt->has_iat ? jwt->iat : now)
               > times->max_lifetime))
    {
        return gw_jwt_declined(reason, GW_REASON_LIFETIME);
    }

    if (times->max_age == 0) {
        return GW_OK;
    }

    if (!jwt->has_iat) {
        return gw_jwt_declined(reason, GW_REASON_CLAIM);
    }

    if (now - times->leeway >= jwt->iat + times->max_age) {
        return gw_jwt_declined(reason, GW_REASON_AGE);
    }

    return GW_OK;
}


gw_status_e
gw_jwt_issuer_is(const gw_jwt_t *jwt, const char *iss, size_t len)
{
    if (!gw_jwt_equal(json_object_get(jwt->claims, "iss"), iss, len)) {
        return GW_DECLINED;
    }

    return GW_OK;
}


gw_status_e
gw_jwt_audience_has(const gw_jwt_t *jwt, const char *aud, size_t len)
{
    int            found;
    size_t         i;
    const json_t  *value, *element;

    value = json_object_get(jwt->claims, "aud");

    if (!json_is_array(value)) {
        return gw_jwt_equal(value, aud, len) ? GW_OK : GW_DECLINED;
    }

    found = 0;

    for (i = 0; i < json_array_size(value); i++) {
        element = json_array_get(value, i);

        if (!json_is_string(element)) {
            return GW_DECLINED;
        }

        if (gw_jwt_equal(element, aud, len)) {
            found = 1;
        }
    }

    return found ? GW_OK : GW_DECLINED;
}


static int
gw_jwt_equal(const json_t *value, const char *text, size_t len)
{
    return json_is_string(value)
           && json_string_length(value) == len
           && memcmp(json_string_value(value), text, len) == 0;
}


gw_status_e
gw_jwt_typ_is(const gw_jws_t *jws, const char *typ, size_t len)
{
    size_t       tlen;
    const char  *ttyp;

    if (jws->typ == NULL) {
        return GW_DECLINED;
    }

    ttyp = jws->typ;
    tlen = jws->typ_len;

    gw_jwt_strip(&ttyp, &tlen);
    gw_jwt_strip(&typ, &len);

    if (tlen != len || strncasecmp(ttyp, typ, len) != 0) {
        return GW_DECLINED;
    }

    return GW_OK;
}


/*
 * RFC 7515, 4.1.9: "application/" may be left out if no other "/" follows.
 */

static void
gw_jwt_strip(const char **typ, size_t *len)
{
    size_t  n;

    n = sizeof(GW_JWT_APPLICATION) - 1;

    if (*len > n
        && strncasecmp(*typ, GW_JWT_APPLICATION, n) == 0
        && memchr(*typ + n, '/', *len - n) == NULL)
    {
        *typ += n;
        *len -= n;
    }
}
