
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_rate.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char  *text;
    int64_t      count;        /* 0: refused */
    int64_t      period;       /* usec */
    int64_t      quota;
    int64_t      window;       /* s */
} row_t;


static row_t  rows[] = {
    { "10r/s", 10, 1000000, 10, 1 },
    { "1r/s", 1, 1000000, 1, 1 },
    { "10000000r/s", 10000000, 1000000, 10000000, 1 },
    { "10000001r/s", 0, 0, 0, 0 },
    { "30r/m", 30, 60000000, 30, 60 },
    { "600000000r/m", 600000000, 60000000, 600000000, 60 },
    { "600000001r/m", 0, 0, 0, 0 },
    { "1r/h", 1, 3600000000LL, 1, 3600 },
    { "5r/d", 5, 86400000000LL, 5, 86400 },
    { "10r/5s", 10, 5000000, 10, 5 },
    { "10r/05s", 10, 5000000, 10, 5 },
    { "7r/30d", 7, 2592000000000LL, 7, 2592000 },
    { "7r/366d", 7, 31622400000000LL, 7, 31622400 },
    { "7r/367d", 0, 0, 0, 0 },
    { "7r/31622401s", 0, 0, 0, 0 },
    { "10r/100ms", 10, 100000, 100, 1 },
    { "10r/1500ms", 10, 1500000, 20, 3 },
    { "1r/7ms", 1, 7000, 1000, 7 },
    { "10000r/ms", 10000, 1000, 10000000, 1 },
    { "10001r/ms", 0, 0, 0, 0 },
    { "", 0, 0, 0, 0 },
    { "10", 0, 0, 0, 0 },
    { "r/s", 0, 0, 0, 0 },
    { "0r/s", 0, 0, 0, 0 },
    { "10r/0s", 0, 0, 0, 0 },
    { "10r/", 0, 0, 0, 0 },
    { "10r", 0, 0, 0, 0 },
    { "10r/5", 0, 0, 0, 0 },
    { "10r/w", 0, 0, 0, 0 },
    { "10r/sm", 0, 0, 0, 0 },
    { "10r/mss", 0, 0, 0, 0 },
    { "10/s", 0, 0, 0, 0 },
    { "10q/s", 0, 0, 0, 0 },
    { "10r/S", 0, 0, 0, 0 },
    { "-5r/s", 0, 0, 0, 0 },
    { "+5r/s", 0, 0, 0, 0 },
    { "1.5r/s", 0, 0, 0, 0 },
    { " 1r/s", 0, 0, 0, 0 },
    { "1r/s ", 0, 0, 0, 0 },
    { "10r/s;drop", 0, 0, 0, 0 },
    { "10r/-5s", 0, 0, 0, 0 },
    { "unlimited", 0, 0, 0, 0 },
    { "9999999999999999r/s", 0, 0, 0, 0 },
    { "18446744073709551617r/s", 0, 0, 0, 0 },
    { "1r/9999999999999999s", 0, 0, 0, 0 },
    { "1r/999999999999999s", 0, 0, 0, 0 }
};


/* K12: what the value of a variable may be */

static struct {
    const char       *text;
    gw_rate_value_e   value;
} values[] = {
    { "", GW_RATE_UNLIMITED },
    { "unlimited", GW_RATE_UNLIMITED },
    { "0", GW_RATE_NOTHING },
    { "0r/s", GW_RATE_NOTHING },
    { "000r/5m", GW_RATE_NOTHING },
    { "10r/s", GW_RATE_GIVEN },
    { "10r/s;drop", GW_RATE_INVALID },
    { "-5", GW_RATE_INVALID },
    { "0r/", GW_RATE_INVALID },
    { "00", GW_RATE_INVALID },
    { "0r/0s", GW_RATE_INVALID },
    { "Unlimited", GW_RATE_INVALID },
    { "unlimited ", GW_RATE_INVALID },
    { "unlimite", GW_RATE_INVALID }
};


static void
test_values(void)
{
    size_t     i;
    gw_rate_t  rate;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ok(gw_rate_value((const u_char *) values[i].text,
                         strlen(values[i].text), &rate)
           == values[i].value, "K12 value \"%s\"", values[i].text);
    }
}


int
main(void)
{
    row_t       *row;
    size_t       i, len;
    int64_t      quota, window;
    gw_rate_t    rate;
    gw_status_e  rc;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row = &rows[i];

        rc = gw_rate_parse((const u_char *) row->text, strlen(row->text),
                           &rate);

        if (row->count == 0) {
            ok(rc == GW_DECLINED, "\"%s\" is refused", row->text);
            continue;
        }

        gw_rate_window(&rate, &quota, &window);

        ok(rc == GW_OK && rate.count == row->count
           && rate.period == row->period, "\"%s\"", row->text);
        ok(quota == row->quota && window == row->window,
           "\"%s\" is %lld in %lld s", row->text, (long long) quota,
           (long long) window);
    }

    /* every prefix is read within its length */

    for (len = 0; len < sizeof("10r/100ms") - 1; len++) {
        rc = gw_rate_parse((const u_char *) "10r/100ms", len, &rate);

        if ((rc == GW_OK) != (len == sizeof("10r/100m") - 1)) {
            break;
        }
    }

    ok(len == sizeof("10r/100ms") - 1, "prefixes of a rate");

    test_values();

    return done();
}
