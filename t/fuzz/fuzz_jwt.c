
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A payload: dates, issuer, audience and the text of every claim; what is
 * read without a tree is what the tree has.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_claim.h"
#include "gw_json.h"
#include "gw_jwt.h"


#define NOW  INT64_C(1700000000000000)


int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    json_object_seed(1);

    return 0;
}


static void
text(json_t *value)
{
    char    *buf, *again;
    size_t   len, n;

    if (gw_claim_text(value, NULL, 0, &len)
        != (len == 0 ? GW_OK : GW_AGAIN))
    {
        abort();
    }

    buf = malloc(len ? len : 1);
    again = malloc(len ? len : 1);

    if (buf == NULL || again == NULL) {
        abort();
    }

    if (gw_claim_text(value, buf, len, &n) != GW_OK || n != len) {
        abort();
    }

    if (len != 0
        && (gw_claim_text(value, again, len - 1, &n) != GW_AGAIN
            || n != len))
    {
        abort();
    }

    free(again);
    free(buf);
}


/* the same payload, read without its plain form */

static void
compare(const gw_jwt_t *jwt, json_t *claims)
{
    int                           issuer, audience;
    json_t                       *value;
    size_t                        len;
    gw_jwt_t                      tree;
    const char                   *key, *string;
    const gw_json_flat_member_t  *m;

    if (json_object_size(claims) != jwt->flat.n) {
        abort();
    }

    tree = *jwt;
    tree.plain = 0;

    json_object_foreach(claims, key, value) {

        if (gw_jwt_has(jwt, key, strlen(key)) != !json_is_null(value)) {
            abort();
        }

        if ((gw_jwt_text(jwt, key, strlen(key), &string, &len) == GW_OK)
            != json_is_string(value))
        {
            abort();
        }

        m = gw_json_flat_get(&jwt->flat, jwt->payload, key, strlen(key));

        if (m == NULL
            || m->type != (uint8_t) json_typeof(value)
            || (json_is_integer(value)
                && gw_json_flat_integer(jwt->payload, m)
                   != json_integer_value(value)))
        {
            abort();
        }

        if (json_is_string(value)) {

            if (json_string_length(value) != len
                || memcmp(json_string_value(value), string, len) != 0)
            {
                abort();
            }

            issuer = gw_jwt_issuer_is(jwt, string, len);
            audience = gw_jwt_audience_has(jwt, string, len);

            if (issuer != gw_jwt_issuer_is(&tree, string, len)
                || audience != gw_jwt_audience_has(&tree, string, len))
            {
                abort();
            }
        }
    }

    if (gw_jwt_audience_has(jwt, "a", 1)
        != gw_jwt_audience_has(&tree, "a", 1))
    {
        abort();
    }
}


/* the dates of a tree, whose text is written anew so that it is not plain */

static void
dates(const gw_jwt_t *jwt, json_t *claims)
{
    char         *dump;
    gw_jwt_t      again;
    gw_reason_e   reason;

    json_object_set_new(claims, "a real", json_real(1.5));

    dump = json_dumps(claims, JSON_COMPACT);

    json_object_del(claims, "a real");

    if (dump == NULL
        || gw_jwt_parse(&again, (unsigned char *) dump, strlen(dump), &reason)
           != GW_OK
        || again.plain
        || again.exp != jwt->exp || again.has_exp != jwt->has_exp
        || again.nbf != jwt->nbf || again.has_nbf != jwt->has_nbf
        || again.iat != jwt->iat || again.has_iat != jwt->has_iat)
    {
        abort();
    }

    gw_jwt_release(&again);
    free(dump);
}


static void
walk(json_t *claims)
{
    json_t           *value;
    const char       *key;
    gw_claim_name_t   names[2];

    json_object_foreach(claims, key, value) {

        names[0].data = key;
        names[0].len = strlen(key);
        names[1] = names[0];

        if (gw_claim_get(claims, names, 1) != value) {
            abort();
        }

        (void) gw_claim_get(claims, names, 2);

        text(value);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             plain;
    json_t         *claims;
    gw_jwt_t        jwt;
    gw_reason_e     reason;
    gw_status_e     rc;
    gw_jwt_times_t  times;

    reason = GW_REASON_NONE;

    rc = gw_jwt_parse(&jwt, data, size, &reason);

    if (rc != GW_OK) {

        if (rc == GW_ERROR
            || (reason != GW_REASON_JSON && reason != GW_REASON_TYPE))
        {
            abort();
        }

        return 0;
    }

    memset(&times, 0, sizeof(gw_jwt_times_t));
    times.leeway = 30000000;

    rc = gw_jwt_check_times(&jwt, &times, NOW, &reason);

    if (rc == GW_OK && (!jwt.has_exp || jwt.exp <= NOW - times.leeway)) {
        abort();
    }

    times.ignore_exp = 1;
    times.max_lifetime = 3600000000;
    times.max_age = 7200000000;

    (void) gw_jwt_check_times(&jwt, &times, NOW, &reason);
    (void) gw_jwt_issuer_is(&jwt, "a", 1);
    (void) gw_jwt_audience_has(&jwt, "a", 1);

    plain = jwt.plain;
    claims = gw_jwt_claims(&jwt);

    if (claims == NULL || jwt.plain != plain) {
        abort();
    }

    if (plain) {
        compare(&jwt, claims);

        if (json_object_get(claims, "a real") == NULL) {
            dates(&jwt, claims);
        }
    }

    walk(claims);

    gw_jwt_release(&jwt);

    return 0;
}
