
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_claim.h"
#include "gw_json.h"


/* what has been written, and what would have been */

typedef struct {
    char    *buf;
    size_t   size;
    size_t   len;
} gw_claim_out_t;


static gw_status_e gw_claim_scalar(gw_claim_out_t *out, const json_t *value);
static gw_status_e gw_claim_json(gw_claim_out_t *out, const json_t *value);
static void gw_claim_write(gw_claim_out_t *out, const char *data,
    size_t len);


json_t *
gw_claim_get(const json_t *claims, const gw_claim_name_t *names, size_t n)
{
    size_t   i;
    json_t  *value;

    value = NULL;

    for (i = 0; i < n; i++) {
        value = gw_json_get(claims, names[i].data, names[i].len);

        if (value == NULL) {
            return NULL;
        }

        claims = value;
    }

    return value;
}


const char *
gw_claim_string(const json_t *value, size_t *len)
{
    if (!json_is_string(value)) {
        return NULL;
    }

    *len = json_string_length(value);

    return json_string_value(value);
}


gw_status_e
gw_claim_text(const json_t *value, char *buf, size_t size, size_t *len)
{
    size_t          i;
    gw_claim_out_t  out;

    out.buf = buf;
    out.size = size;
    out.len = 0;

    if (json_is_array(value)) {

        for (i = 0; i < json_array_size(value); i++) {

            if (i != 0) {
                gw_claim_write(&out, ",", 1);
            }

            if (gw_claim_scalar(&out, json_array_get(value, i)) != GW_OK) {
                return GW_ERROR;
            }
        }

    } else if (gw_claim_scalar(&out, value) != GW_OK) {
        return GW_ERROR;
    }

    *len = out.len;

    return (out.len > out.size) ? GW_AGAIN : GW_OK;
}


static gw_status_e
gw_claim_scalar(gw_claim_out_t *out, const json_t *value)
{
    if (value == NULL) {
        return GW_OK;
    }

    switch (json_typeof(value)) {

    case JSON_STRING:
        gw_claim_write(out, json_string_value(value),
                       json_string_length(value));
        return GW_OK;

    case JSON_TRUE:
        gw_claim_write(out, "true", 4);
        return GW_OK;

    case JSON_FALSE:
        gw_claim_write(out, "false", 5);
        return GW_OK;

    case JSON_NULL:
        return GW_OK;

    default:
        return gw_claim_json(out, value);
    }
}


static gw_status_e
gw_claim_json(gw_claim_out_t *out, const json_t *value)
{
    char    nothing;
    char   *p;
    size_t  n, left;

    left = (out->len < out->size) ? out->size - out->len : 0;
    p = left ? out->buf + out->len : &nothing;

    /* writes what fits, returns what is needed; 0 is a failure */

    n = json_dumpb(value, p, left, JSON_COMPACT|JSON_ENCODE_ANY);

    if (n == 0) {
        return GW_ERROR;
    }

    out->len += n;

    return GW_OK;
}


static void
gw_claim_write(gw_claim_out_t *out, const char *data, size_t len)
{
    if (out->len < out->size && len <= out->size - out->len) {
        memcpy(out->buf + out->len, data, len);
    }

    out->len += len;
}
