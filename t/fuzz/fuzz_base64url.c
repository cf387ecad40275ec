
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What decodes must be the only text of its bytes, and what a plain reading
 * of RFC 4648 accepts must decode.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_base64url.h"


static const char  alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
valid(const uint8_t *data, size_t size)
{
    size_t      i, bits;
    const char  *p;

    if (size % 4 == 1) {
        return 0;
    }

    p = alphabet;

    for (i = 0; i < size; i++) {
        p = memchr(alphabet, data[i], 64);
        if (p == NULL) {
            return 0;
        }
    }

    bits = size * 6 % 8;

    return ((p - alphabet) & ((1 << bits) - 1)) == 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          len, max;
    gw_status_e     rc;
    unsigned char  *dst, *back;

    max = gw_base64url_decoded_length(size);

    dst = malloc(max ? max : 1);
    back = malloc(size ? size : 1);

    if (dst == NULL || back == NULL) {
        abort();
    }

    rc = gw_base64url_decode(dst, &len, data, size);

    if ((rc == GW_OK) != valid(data, size)) {
        abort();
    }

    if (rc == GW_OK
        && (len != max
            || gw_base64url_encoded_length(len) != size
            || gw_base64url_encode(back, dst, len) != size
            || memcmp(back, data, size) != 0))
    {
        abort();
    }

    free(back);
    free(dst);

    return 0;
}
