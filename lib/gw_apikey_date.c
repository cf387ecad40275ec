
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_apikey.h"
#include "gw_apikey_table.h"


static int gw_apikey_day(const char *p, int64_t *day);
static int gw_apikey_time(const char *p, size_t len, int64_t *sec);
static int gw_apikey_number(const char *p, size_t len, int64_t *number);


gw_status_e
gw_apikey_parse_date(int64_t *date, const gw_apikey_text_t *value,
    const char **text)
{
    size_t       len;
    int64_t      day, sec;
    const char  *p;

    p = value->data;
    len = value->len;
    sec = 0;

    if (gw_apikey_number(p, len, date) && *date > 0) {
        return GW_OK;
    }

    if (len >= 10 && gw_apikey_day(p, &day)
        && (len == 10 || gw_apikey_time(p + 10, len - 10, &sec)))
    {
        *date = day * 86400 + sec;

        if (*date > 0) {
            return GW_OK;
        }
    }

    *text = "a date is neither seconds since 1970 nor like "
            "2030-01-31T12:00:00Z";

    return GW_DECLINED;
}


/*
 * Returns 0 if it is no day.
 *
 *     p    10 bytes, YYYY-MM-DD
 *     day  out: since 1970
 */

static int
gw_apikey_day(const char *p, int64_t *day)
{
    int64_t  y, m, d;

    static const unsigned char  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (p[4] != '-' || p[7] != '-'
        || !gw_apikey_number(p, 4, &y)
        || !gw_apikey_number(p + 5, 2, &m)
        || !gw_apikey_number(p + 8, 2, &d)
        || y < 1970 || m < 1 || m > 12 || d < 1
        || d > days[m - 1] + (m == 2 && y % 4 == 0
                              && (y % 100 != 0 || y % 400 == 0)))
    {
        return 0;
    }

    /* with years that begin in March the leap day is the last one */

    y -= (m <= 2);
    m = (m + 9) % 12;

    *day = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d
           - 719469;

    return 1;
}


/*
 * Returns 0 if it is no time; a leap second and fractions are none.
 *
 *     p    Thh:mm:ssZ or Thh:mm:ss+hh:mm
 *     sec  out: since the beginning of the day in UTC, may be negative
 */

static int
gw_apikey_time(const char *p, size_t len, int64_t *sec)
{
    int64_t  hour, min, zhour, zmin, zone;

    if ((len != 10 && len != 15)
        || (p[0] != 'T' && p[0] != 't') || p[3] != ':' || p[6] != ':'
        || !gw_apikey_number(p + 1, 2, &hour)
        || !gw_apikey_number(p + 4, 2, &min)
        || !gw_apikey_number(p + 7, 2, sec)
        || hour > 23 || min > 59 || *sec > 59)
    {
        return 0;
    }

    *sec += hour * 3600 + min * 60;

    if (len == 10) {
        return p[9] == 'Z' || p[9] == 'z';
    }

    if ((p[9] != '+' && p[9] != '-') || p[12] != ':'
        || !gw_apikey_number(p + 10, 2, &zhour)
        || !gw_apikey_number(p + 13, 2, &zmin)
        || zhour > 23 || zmin > 59)
    {
        return 0;
    }

    zone = zhour * 3600 + zmin * 60;

    *sec -= (p[9] == '+') ? zone : -zone;

    return 1;
}


/*
 * Returns 0 if it is not all digits or too long.
 */

static int
gw_apikey_number(const char *p, size_t len, int64_t *number)
{
    size_t   i;
    int64_t  n;

    if (len == 0 || len > 12) {
        return 0;
    }

    n = 0;

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9') {
            return 0;
        }

        n = 10 * n + (p[i] - '0');
    }

    *number = n;

    return 1;
}
