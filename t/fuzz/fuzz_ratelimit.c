
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The fields of an upstream: whatever is read is in range, and what our own
 * writer makes of it is read again as the same.
 */


#include "gw_ratelimit_fields.h"

#include <stdlib.h>
#include <string.h>


static void
check(int yes)
{
    if (!yes) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                buf[256], *p;
    gw_ratelimit_item_t   item;
    gw_ratelimit_told_t   told, again;

    if (gw_ratelimit_read_number(data, size, &told) == GW_OK) {
        check(told.remaining >= 0
              && told.remaining <= GW_RATELIMIT_INTEGER_MAX);
    }

    if (gw_ratelimit_read_list(data, size, &told) != GW_OK) {
        return 0;
    }

    check(told.remaining >= 0 && told.remaining <= GW_RATELIMIT_INTEGER_MAX);
    check(told.reset >= 0 && told.reset <= GW_RATELIMIT_INTEGER_MAX);

    if (told.reset > INT64_MAX / 1000000) {
        told.reset = INT64_MAX / 1000000;
    }

    memset(&item, 0, sizeof(item));

    item.name = (const u_char *) "n\"";
    item.name_len = 2;
    item.remaining = told.remaining;
    item.reset = told.reset * 1000000;
    item.partition = (const u_char *) "123456789";

    p = gw_ratelimit_state(buf, &item, 0);

    check(gw_ratelimit_read_list(buf, (size_t) (p - buf), &again) == GW_OK);
    check(again.remaining == told.remaining && again.reset == told.reset);

    return 0;
}
