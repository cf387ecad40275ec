
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>
#include <strings.h>

#include "gw_json.h"
#include "gw_jwt.h"


#define GW_JWT_USEC         INT64_C(1000000)
#define GW_JWT_APPLICATION  "application/"
#define GW_JWT_DATE_LEN     3       /* bytes: exp, nbf, iat */


static gw_status_e gw_jwt_load(gw_jwt_t *jwt, gw_reason_e *reason);
static int gw_jwt_date(const gw_jwt_t *jwt, const char *name, int64_t *usec,
    unsigned *has);
static int gw_jwt_date_integer(int64_t integer, int64_t *usec);
static int gw_jwt_date_real(double real, int64_t *usec);
static const gw_json_flat_member_t *gw_jwt_member(const gw_jwt_t *jwt,
    const char *name, size_t len);
static gw_status_e gw_jwt_declined(gw_reason_e *reason, gw_reason_e value);
static gw_status_e gw_jwt_flat_audience_has(const gw_jwt_t *jwt,
    const char *aud, size_t len);
static int gw_jwt_equal(const json_t *value, const char *text, size_t len);
static void gw_jwt_strip(const char **typ, size_t *len);


gw_status_e
gw_jwt_parse(gw_jwt_t *jwt, const unsigned char *payload, size_t len,
    gw_reason_e *reason)
{
    unsigned     exp, nbf, iat;
    gw_status_e  rc;

    /* the members of flat are written before they are read */

    memset(jwt, 0, offsetof(gw_jwt_t, flat));

    jwt->payload = payload;
    jwt->len = len;
    jwt->plain = (gw_json_flat(&jwt->flat, payload, len) == GW_OK);

    if (!jwt->plain) {
        rc = gw_jwt_load(jwt, reason);

        if (rc != GW_OK) {
            return rc;
        }
    }

    if (!gw_jwt_date(jwt, "exp", &jwt->exp, &exp)
        || !gw_jwt_date(jwt, "nbf", &jwt->nbf, &nbf)
        || !gw_jwt_date(jwt, "iat", &jwt->iat, &iat))
    {
        gw_jwt_release(jwt);
        return gw_jwt_declined(reason, GW_REASON_TYPE);
    }

    jwt->has_exp = exp;
    jwt->has_nbf = nbf;
    jwt->has_iat = iat;

    return GW_OK;
}


static gw_status_e
gw_jwt_load(gw_jwt_t *jwt, gw_reason_e *reason)
{
    gw_json_error_t  err;

    jwt->tree = gw_json_load(jwt->payload, jwt->len, GW_JSON_DEPTH, &err);

    if (jwt->tree != NULL) {
        return GW_OK;
    }

    if (err.code == GW_JSON_MEMORY) {
        *reason = GW_REASON_MEMORY;
        return GW_ERROR;
    }

    return gw_jwt_declined(reason, GW_REASON_JSON);
}


void
gw_jwt_release(gw_jwt_t *jwt)
{
    json_decref(jwt->tree);
    jwt->tree = NULL;
}


json_t *
gw_jwt_claims(gw_jwt_t *jwt)
{
    gw_reason_e  reason;

    /* what is plain can only lack memory */

    if (jwt->tree == NULL && jwt->plain) {
        (void) gw_jwt_load(jwt, &reason);
    }

    return jwt->tree;
}


/*
 * Returns 0 if the member is there but no date.
 */

static int
gw_jwt_date(const gw_jwt_t *jwt, const char *name, int64_t *usec,
    unsigned *has)
{
    const json_t                 *value;
    const gw_json_flat_member_t  *m;

    if (jwt->plain) {
        m = gw_jwt_member(jwt, name, GW_JWT_DATE_LEN);

        *has = (m != NULL);

        if (m == NULL) {
            return 1;
        }

        return m->type == JSON_INTEGER
               && gw_jwt_date_integer(gw_json_flat_integer(jwt->payload, m),
                                      usec);
    }

    value = json_object_get(jwt->tree, name);

    *has = (value != NULL);

    if (value == NULL) {
        return 1;
    }

    if (json_is_integer(value)) {
        return gw_jwt_date_integer(json_integer_value(value), usec);
    }

    return json_is_real(value)
           && gw_jwt_date_real(json_real_value(value), usec);
}


static int
gw_jwt_date_integer(int64_t integer, int64_t *usec)
{
    if (integer >= GW_JWT_MAX_DATE) {
        return 0;
    }

    if (integer < -GW_JWT_MAX_DATE) {
        integer = -GW_JWT_MAX_DATE;
    }

    *usec = integer * GW_JWT_USEC;

    return 1;
}


static int
gw_jwt_date_real(double real, int64_t *usec)
{
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


static const gw_json_flat_member_t *
gw_jwt_member(const gw_jwt_t *jwt, const char *name, size_t len)
{
    return gw_json_flat_get(&jwt->flat, jwt->payload, name, len);
}


gw_status_e
gw_jwt_text(const gw_jwt_t *jwt, const char *name, size_t nlen,
    const char **text, size_t *len)
{
    const json_t                 *value;
    const gw_json_flat_member_t  *m;

    if (jwt->plain) {
        m = gw_jwt_member(jwt, name, nlen);

        if (m == NULL || m->type != JSON_STRING) {
            return GW_DECLINED;
        }

        *text = (const char *) jwt->payload + m->value;
        *len = m->len;

        return GW_OK;
    }

    value = gw_json_get(jwt->tree, name, nlen);

    if (!json_is_string(value)) {
        return GW_DECLINED;
    }

    *text = json_string_value(value);
    *len = json_string_length(value);

    return GW_OK;
}


int
gw_jwt_has(const gw_jwt_t *jwt, const char *name, size_t len)
{
    const json_t                 *value;
    const gw_json_flat_member_t  *m;

    if (jwt->plain) {
        m = gw_jwt_member(jwt, name, len);

        return m != NULL && m->type != JSON_NULL;
    }

    value = gw_json_get(jwt->tree, name, len);

    return value != NULL && !json_is_null(value);
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
    size_t       n;
    const char  *text;

    if (gw_jwt_text(jwt, "iss", 3, &text, &n) != GW_OK
        || n != len
        || memcmp(text, iss, len) != 0)
    {
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

    if (jwt->plain) {
        return gw_jwt_flat_audience_has(jwt, aud, len);
    }

    value = json_object_get(jwt->tree, "aud");

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


static gw_status_e
gw_jwt_flat_audience_has(const gw_jwt_t *jwt, const char *aud, size_t len)
{
    int                           found;
    size_t                        pos, n;
    const char                   *text;
    gw_status_e                   rc;
    const gw_json_flat_member_t  *m;

    m = gw_jwt_member(jwt, "aud", 3);

    if (m == NULL) {
        return GW_DECLINED;
    }

    if (m->type == JSON_STRING) {
        return (m->len == len
                && memcmp(jwt->payload + m->value, aud, len) == 0)
               ? GW_OK : GW_DECLINED;
    }

    if (m->type != JSON_ARRAY) {
        return GW_DECLINED;
    }

    found = 0;
    pos = 0;

    for ( ;; ) {
        rc = gw_json_flat_next(jwt->payload, m, &pos, &text, &n);

        if (rc != GW_OK) {
            break;
        }

        if (n == len && memcmp(text, aud, len) == 0) {
            found = 1;
        }
    }

    return (found && rc == GW_DECLINED) ? GW_OK : GW_DECLINED;
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
