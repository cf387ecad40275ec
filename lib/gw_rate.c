
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_rate.h"

#include <string.h>


#define GW_RATE_SECOND  1000000LL                /* usec */


typedef struct {
    const char  *name;
    size_t       len;
    int64_t      usec;
} gw_rate_unit_t;


static gw_status_e gw_rate_read(const u_char *data, size_t len,
    gw_rate_t *rate);
static size_t gw_rate_number(const u_char *data, size_t len, int64_t *number);
static int64_t gw_rate_unit(const u_char *data, size_t len);


static const gw_rate_unit_t  gw_rate_units[] = {
    { "ms", 2, 1000 },
    { "s",  1, GW_RATE_SECOND },
    { "m",  1, 60 * GW_RATE_SECOND },
    { "h",  1, 3600 * GW_RATE_SECOND },
    { "d",  1, 86400 * GW_RATE_SECOND }
};


gw_status_e
gw_rate_parse(const u_char *data, size_t len, gw_rate_t *rate)
{
    if (gw_rate_read(data, len, rate) != GW_OK || rate->count == 0) {
        return GW_DECLINED;
    }

    return GW_OK;
}


gw_rate_value_e
gw_rate_value(const u_char *data, size_t len, gw_rate_t *rate)
{
    if (len == 0
        || (len == sizeof("unlimited") - 1
            && memcmp(data, "unlimited", len) == 0))
    {
        return GW_RATE_UNLIMITED;
    }

    if (len == 1 && data[0] == '0') {
        return GW_RATE_NOTHING;
    }

    if (gw_rate_read(data, len, rate) != GW_OK) {
        return GW_RATE_INVALID;
    }

    return (rate->count == 0) ? GW_RATE_NOTHING : GW_RATE_GIVEN;
}


/* as gw_rate_parse(), but the count may be zero */

static gw_status_e
gw_rate_read(const u_char *data, size_t len, gw_rate_t *rate)
{
    size_t   n;
    int64_t  count, number, unit;

    n = gw_rate_number(data, len, &count);

    if (n == 0 || len - n < sizeof("r/s") - 1
        || data[n] != 'r' || data[n + 1] != '/')
    {
        return GW_DECLINED;
    }

    data += n + 2;
    len -= n + 2;

    n = gw_rate_number(data, len, &number);

    if (n == 0) {
        number = 1;
    }

    unit = gw_rate_unit(data + n, len - n);

    if (number == 0 || unit == 0
        || number > GW_RATE_PERIOD_MAX * GW_RATE_SECOND / unit
        || count > number * unit * (GW_RATE_MAX / GW_RATE_SECOND))
    {
        return GW_DECLINED;
    }

    rate->count = count;
    rate->period = number * unit;

    return GW_OK;
}


void
gw_rate_window(const gw_rate_t *rate, int64_t *quota, int64_t *window)
{
    int64_t  a, b, rest;

    /* the least number of periods that makes whole seconds */

    a = rate->period;
    b = GW_RATE_SECOND;

    while (b != 0) {
        rest = a % b;
        a = b;
        b = rest;
    }

    *quota = rate->count * (GW_RATE_SECOND / a);
    *window = rate->period / a;
}


/* Returns the number of digits, 0 if there are none or too many. */

static size_t
gw_rate_number(const u_char *data, size_t len, int64_t *number)
{
    size_t  n;

    *number = 0;

    for (n = 0; n < len && data[n] >= '0' && data[n] <= '9'; n++) {

        /* count and period are far below 10^15 */

        if (n == 15) {
            return 0;
        }

        *number = *number * 10 + (data[n] - '0');
    }

    return n;
}


static int64_t
gw_rate_unit(const u_char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < sizeof(gw_rate_units) / sizeof(gw_rate_units[0]); i++) {

        if (len == gw_rate_units[i].len
            && data[0] == (u_char) gw_rate_units[i].name[0]
            && data[len - 1] == (u_char) gw_rate_units[i].name[len - 1])
        {
            return gw_rate_units[i].usec;
        }
    }

    return 0;
}
