
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_period.h"


#define GW_PERIOD_DAY_SECONDS  86400
#define GW_PERIOD_THURSDAY     3        /* 1970-01-01, from Monday */


/* a day of the calendar; days are counted from 1970-01-01 */

typedef struct {
    int64_t      year;
    int          month;
    int          day;
} gw_period_date_t;


static int64_t gw_period_floor(int64_t n, int64_t unit);
static int64_t gw_period_days(int64_t year, int month, int day);
static void gw_period_date(int64_t days, gw_period_date_t *date);
static int gw_period_month_days(int64_t year, int month);
static int64_t gw_period_nth(const gw_period_t *period, int day, int month,
    int64_t n);
static int64_t gw_period_index(const gw_period_t *period, int day, int month,
    int64_t local);
static int64_t gw_period_first(const gw_period_zone_t *zone, int64_t local);
static void gw_period_length(const gw_period_t *period, int64_t now,
    int64_t anchor, gw_period_span_t *span);
static void gw_period_id(const gw_period_t *period, int day, int64_t local,
    gw_period_span_t *span);
static u_char *gw_period_week(u_char *p, int64_t days);
static u_char *gw_period_digits(u_char *p, int64_t n, int width);


int64_t
gw_period_offset(const gw_period_zone_t *zone, int64_t now)
{
    unsigned  i;

    for (i = zone->n - 1; i > 0; i--) {

        if (now >= zone->offsets[i].from) {
            break;
        }
    }

    return zone->offsets[i].offset;
}


void
gw_period_at(const gw_period_t *period, const gw_period_zone_t *zone,
    int64_t now, int64_t anchor, gw_period_span_t *span)
{
    int               day, month;
    int64_t           n, days;
    gw_period_date_t  date;

    if (period->kind == GW_PERIOD_LENGTH) {
        gw_period_length(period, now, anchor, span);
        return;
    }

    day = period->day;
    month = 1;

    if (anchor != GW_PERIOD_NEVER) {
        days = gw_period_floor(anchor + gw_period_offset(zone, anchor),
                               GW_PERIOD_DAY_SECONDS);
        gw_period_date(days, &date);

        month = date.month;
        day = (period->kind == GW_PERIOD_WEEK)
              ? (int) (days + GW_PERIOD_THURSDAY
                       - 7 * gw_period_floor(days + GW_PERIOD_THURSDAY, 7)) + 1
              : date.day;
    }

    n = gw_period_index(period, day, month,
                        now + gw_period_offset(zone, now));

    span->end = gw_period_first(zone, gw_period_nth(period, day, month, n));

    /* a clock that was put back over the end does not go back to it */

    do {
        span->start = span->end;
        span->end = gw_period_first(zone,
                                    gw_period_nth(period, day, month, ++n));
    } while (span->end <= now);

    gw_period_id(period, day, gw_period_nth(period, day, month, n - 1), span);
}


static void
gw_period_length(const gw_period_t *period, int64_t now, int64_t anchor,
    gw_period_span_t *span)
{
    u_char   *p;
    int64_t   n;

    span->start = now;

    if (anchor != GW_PERIOD_NEVER) {
        span->start = anchor + period->length
                               * gw_period_floor(now - anchor, period->length);
    }

    span->end = span->start + period->length;

    n = span->start;
    p = span->id;

    *p++ = 'f';

    if (n < 0) {
        *p++ = '-';
        n = -n;
    }

    p = gw_period_digits(p, n, 1);

    span->len = p - span->id;
}


/* division that rounds down */

static int64_t
gw_period_floor(int64_t n, int64_t unit)
{
    int64_t  q;

    q = n / unit;

    return (n % unit < 0) ? q - 1 : q;
}


/* The first second of the n-th period in local time. */

static int64_t
gw_period_nth(const gw_period_t *period, int day, int month, int64_t n)
{
    int      last;
    int64_t  year, m;

    switch (period->kind) {

    case GW_PERIOD_MINUTE:
        return n * 60;

    case GW_PERIOD_HOUR:
        return n * 3600;

    case GW_PERIOD_DAY:
        return n * GW_PERIOD_DAY_SECONDS;

    case GW_PERIOD_WEEK:
        return (7 * n - GW_PERIOD_THURSDAY + day - 1) * GW_PERIOD_DAY_SECONDS;

    case GW_PERIOD_MONTH:
        year = gw_period_floor(n, 12);
        m = n - 12 * year + 1;
        break;

    default: /* GW_PERIOD_YEAR */
        year = n;
        m = month;
        break;
    }

    last = gw_period_month_days(year, (int) m);

    return gw_period_days(year, (int) m, day < last ? day : last)
           * GW_PERIOD_DAY_SECONDS;
}


/* The number of the period that a local time is in. */

static int64_t
gw_period_index(const gw_period_t *period, int day, int month, int64_t local)
{
    int64_t           n, days;
    gw_period_date_t  date;

    days = gw_period_floor(local, GW_PERIOD_DAY_SECONDS);

    switch (period->kind) {

    case GW_PERIOD_MINUTE:
        return gw_period_floor(local, 60);

    case GW_PERIOD_HOUR:
        return gw_period_floor(local, 3600);

    case GW_PERIOD_DAY:
        return days;

    case GW_PERIOD_WEEK:
        return gw_period_floor(days + GW_PERIOD_THURSDAY - (day - 1), 7);

    default:
        break;
    }

    gw_period_date(days, &date);

    n = (period->kind == GW_PERIOD_MONTH) ? date.year * 12 + date.month - 1
                                          : date.year;

    if (gw_period_nth(period, day, month, n) > local) {
        n--;
    }

    return n;
}


/* The first moment whose local time is not before "local". */

static int64_t
gw_period_first(const gw_period_zone_t *zone, int64_t local)
{
    int64_t   t;
    unsigned  i;

    for (i = 0; i < zone->n; i++) {
        t = local - zone->offsets[i].offset;

        /* skipped: it was passed when the clock was put forward */

        if (i > 0 && t < zone->offsets[i].from) {
            t = zone->offsets[i].from;
        }

        if (i + 1 == zone->n || t < zone->offsets[i + 1].from) {
            return t;
        }
    }

    return local;
}


static int
gw_period_month_days(int64_t year, int month)
{
    return (int) (month == 12
                  ? 31
                  : gw_period_days(year, month + 1, 1)
                    - gw_period_days(year, month, 1));
}


/*
 * Days before a date of the Gregorian calendar.  Years begin in March here,
 * so that the leap day is the last one; months from there have 153 days in
 * five.
 */

static int64_t
gw_period_days(int64_t year, int month, int day)
{
    int64_t  m, y;

    y = (month > 2) ? year : year - 1;
    m = (month > 2) ? month - 3 : month + 9;

    return y * 365 + gw_period_floor(y, 4) - gw_period_floor(y, 100)
           + gw_period_floor(y, 400) + (153 * m + 2) / 5 + day - 1
           - 719468;
}


static void
gw_period_date(int64_t days, gw_period_date_t *date)
{
    int64_t  year, left;

    /* at most one too large or too small */

    year = 1970 + gw_period_floor(days * 400, 146097);

    while (gw_period_days(year, 1, 1) > days) {
        year--;
    }

    while (gw_period_days(year + 1, 1, 1) <= days) {
        year++;
    }

    date->year = year;
    date->month = 1;
    left = days - gw_period_days(year, 1, 1);

    while (left >= gw_period_month_days(year, date->month)) {
        left -= gw_period_month_days(year, date->month++);
    }

    date->day = (int) left + 1;
}


/* local: the start of the period */

static void
gw_period_id(const gw_period_t *period, int day, int64_t local,
    gw_period_span_t *span)
{
    u_char            *p;
    int64_t            days, second;
    gw_period_date_t   date;

    days = gw_period_floor(local, GW_PERIOD_DAY_SECONDS);
    second = local - days * GW_PERIOD_DAY_SECONDS;
    p = span->id;

    if (period->kind == GW_PERIOD_WEEK && day == 1) {
        p = gw_period_week(p, days);
        span->len = p - span->id;

        return;
    }

    gw_period_date(days, &date);

    p = gw_period_digits(p, date.year, 4);

    if (period->kind != GW_PERIOD_YEAR) {
        *p++ = '-';
        p = gw_period_digits(p, date.month, 2);
    }

    if (period->kind < GW_PERIOD_MONTH) {
        *p++ = '-';
        p = gw_period_digits(p, date.day, 2);
    }

    if (period->kind <= GW_PERIOD_HOUR) {
        *p++ = 'T';
        p = gw_period_digits(p, second / 3600, 2);
    }

    if (period->kind == GW_PERIOD_MINUTE) {
        *p++ = ':';
        p = gw_period_digits(p, second / 60 % 60, 2);
    }

    span->len = p - span->id;
}


/* ISO 8601: a week belongs to the year of its Thursday */

static u_char *
gw_period_week(u_char *p, int64_t days)
{
    int64_t           thursday;
    gw_period_date_t  date;

    thursday = days + GW_PERIOD_THURSDAY;

    gw_period_date(thursday, &date);

    p = gw_period_digits(p, date.year, 4);

    *p++ = '-';
    *p++ = 'W';

    return gw_period_digits(p, (thursday - gw_period_days(date.year, 1, 1)) / 7
                               + 1, 2);
}


/* with zeros in front; n >= 0 */

static u_char *
gw_period_digits(u_char *p, int64_t n, int width)
{
    int      len;
    int64_t  m;

    len = 1;

    for (m = n / 10; m > 0; m /= 10) {
        len++;
    }

    if (len < width) {
        len = width;
    }

    for (width = len - 1; width >= 0; width--) {
        p[width] = (u_char) ('0' + n % 10);
        n /= 10;
    }

    return p + len;
}
