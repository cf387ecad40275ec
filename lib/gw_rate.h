
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Rates as they are written in a configuration: "10r/s", "5r/m", "10r/5s".
 */


#ifndef GW_RATE_H
#define GW_RATE_H


#include "gw.h"


#define GW_RATE_MAX         10000000             /* units a second */
#define GW_RATE_PERIOD_MAX  (366LL * 86400)      /* seconds */


typedef struct {
    int64_t   count;           /* units, > 0 */
    int64_t   period;          /* usec, > 0 */
} gw_rate_t;


/*
 * Parses "<count>r/[<number>]<unit>"; the unit is ms, s, m, h or d, the
 * number is 1 when it is absent.  No spaces, signs or fractions.
 *
 * Returns GW_OK, or GW_DECLINED for another text, a count or number of zero,
 * more than GW_RATE_MAX units a second or a period above GW_RATE_PERIOD_MAX.
 */

gw_status_e gw_rate_parse(const u_char *data, size_t len, gw_rate_t *rate);


/* what a text says about a rate */

typedef enum {
    GW_RATE_UNLIMITED = 0,     /* "" or "unlimited" */
    GW_RATE_NOTHING,           /* "0" or "0r/<period>" */
    GW_RATE_GIVEN,
    GW_RATE_INVALID
} gw_rate_value_e;


/*
 * Parses a rate that is the value of a variable.
 *
 *     rate      out: with GW_RATE_GIVEN only
 */

gw_rate_value_e gw_rate_value(const u_char *data, size_t len,
    gw_rate_t *rate);


/*
 * Computes the quota and the window of the RateLimit-Policy field: the same
 * rate in whole seconds (10 in 100 ms are 100 in 1 s).
 *
 *     quota     out: units
 *     window    out: seconds
 */

void gw_rate_window(const gw_rate_t *rate, int64_t *quota, int64_t *window);


#endif /* GW_RATE_H */
