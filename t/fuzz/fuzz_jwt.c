
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A payload: dates, issuer, audience and the text of every claim.
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

    walk(jwt.claims);

    gw_jwt_release(&jwt);

    return 0;
}
