
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The guard must answer the same over any split, keep to its error, and
 * never let through what a parser would allocate beyond the limits.
 */


#include "gw_resp.h"

#include <stdlib.h>
#include <string.h>


#define BYTES     256
#define ELEMENTS  16
#define DEPTH     3


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            pos, n, step;
    gw_resp_t         whole, split;
    gw_status_e       rc;
    gw_resp_limits_t  limits;

    if (size == 0) {
        return 0;
    }

    limits.bytes = BYTES;
    limits.elements = ELEMENTS;
    limits.depth = DEPTH;

    step = 1 + data[0] % 7;
    data++;
    size--;

    gw_resp_init(&whole, &limits);
    gw_resp_init(&split, &limits);

    (void) gw_resp_check(&whole, data, size);

    for (pos = 0; pos < size; pos += n) {
        n = (size - pos < step) ? size - pos : step;
        rc = gw_resp_check(&split, data + pos, n);

        if (split.depth > DEPTH || split.elements > ELEMENTS + 1
            || split.bytes > BYTES + 1 || split.skip > BYTES)
        {
            abort();
        }

        if ((rc == GW_ERROR) != (split.error != NULL)) {
            abort();
        }
    }

    if (whole.error != split.error || whole.state != split.state
        || whole.depth != split.depth || whole.bytes != split.bytes)
    {
        abort();
    }

    return 0;
}
