
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The issuer of a payload: what the parser accepts and has an issuer, has
 * the same one here, and one without an issuer has none.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json.h"
#include "gw_jwt_peek.h"


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


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                len;
    json_t               *claims, *value;
    gw_status_e           rc;
    unsigned char        *buf;
    gw_json_error_t       err;
    const unsigned char  *iss;

    buf = malloc(GW_JWT_PEEK_MAX_ISSUER);
    if (buf == NULL) {
        abort();
    }

    rc = gw_jwt_peek_issuer(data, size, buf, &iss, &len);

    if (rc != GW_OK && rc != GW_DECLINED) {
        abort();
    }

    if (rc == GW_OK && iss != buf && (iss < data || len > size - (iss - data)))
    {
        abort();
    }

    claims = gw_json_load(data, size, GW_JSON_DEPTH, &err);

    if (claims != NULL) {
        value = json_object_get(claims, "iss");

        if (!json_is_string(value)) {

            if (rc == GW_OK) {
                abort();
            }

        } else if (rc == GW_OK) {

            if (json_string_length(value) != len
                || memcmp(json_string_value(value), iss, len) != 0)
            {
                abort();
            }

        } else if (json_string_length(value) <= GW_JWT_PEEK_MAX_ISSUER) {
            abort();
        }

        json_decref(claims);
    }

    free(buf);

    return 0;
}
