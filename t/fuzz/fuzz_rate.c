
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a rate, the value of a variable.
 *
 * What is taken for a rate is within the bounds, has a window, and makes a
 * bucket; the two parsers agree.
 */


#include <stdlib.h>

#include "gw_gcra.h"
#include "gw_rate.h"


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    int64_t          quota, window;
    gw_gcra_t        gcra;
    gw_rate_t        rate, same;
    gw_rate_value_e  value;

    value = gw_rate_value(data, size, &rate);

    fuzz_check((value == GW_RATE_GIVEN)
               == (gw_rate_parse(data, size, &same) == GW_OK));

    if (value != GW_RATE_GIVEN) {
        return 0;
    }

    fuzz_check(rate.count == same.count && rate.period == same.period);
    fuzz_check(rate.count > 0 && rate.period > 0
               && rate.period <= GW_RATE_PERIOD_MAX * 1000000
               && rate.count <= rate.period * (GW_RATE_MAX / 1000000));

    gw_rate_window(&rate, &quota, &window);

    fuzz_check(quota >= rate.count && window > 0);
    fuzz_check(gw_gcra_init(&gcra, rate.count, rate.period * 1000, 0)
               == GW_OK);

    return 0;
}
