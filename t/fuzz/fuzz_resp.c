
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The guard must answer the same over any split, keep to its error, and
 * never let through what the parser behind it would allocate beyond the
 * limits.
 */


#include "gw_resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>


#define BYTES     256
#define ELEMENTS  16
#define DEPTH     3


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static size_t
weight(redisReply *reply)
{
    size_t  i, n;

    n = 1 + (size_t) reply->len;

    for (i = 0; i < (size_t) reply->elements; i++) {
        n += weight(reply->element[i]);
    }

    return n;
}


/* as the link does; 0 when the parser gives up */

static int
parse(redisReader *reader, const uint8_t *data, size_t size)
{
    void  *reply;

    if (redisReaderFeed(reader, (const char *) data, size) != REDIS_OK) {
        return 0;
    }

    for ( ;; ) {
        reply = NULL;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            return 0;
        }

        if (reply == NULL) {
            return 1;
        }

        if (weight(reply) > BYTES + ELEMENTS) {
            abort();
        }

        freeReplyObject(reply);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               open;
    size_t            pos, n, step;
    gw_resp_t         whole, split;
    gw_status_e       rc;
    redisReader      *reader;
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

    open = 1;
    reader = redisReaderCreate();

    if (reader == NULL) {
        abort();
    }

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

        open = open && rc == GW_OK && parse(reader, data + pos, n);
    }

    redisReaderFree(reader);

    if (whole.error != split.error || whole.state != split.state
        || whole.depth != split.depth || whole.bytes != split.bytes)
    {
        abort();
    }

    return 0;
}
